"""What follows when a report changes a task: other rows of its person, friends, first replies."""

from __future__ import annotations

from dataclasses import replace

from controller import accepting, friends
from controller.ledger import Work
from controller.model import Action, Task, TaskState
from controller.obstacles import given_back
from controller.targets import keys_of_task, person
from controller.transitions import RESTORED, ended


def kept(work: Work, task: Task) -> Task:
    """Return a task as it is kept after a report: of a cancelled job, or of a person who was forgotten."""
    if not task.query:
        task = replace(task, peer_name="")
    return given_back(work, task)


def follow(work: Work, task: Task) -> None:
    """Keep what the end of a task tells beyond itself."""
    if not task.state.is_ended or not task.query:
        return
    friends.keep_after(work, task)
    if task.action is Action.FRIEND_ACCEPT and task.state is TaskState.DONE:
        accepting.answered(work, task)
        accepting.say_first(work, task)


def stop_other(work: Work, task: Task) -> bool:
    """Stop the later rows that stand for this task's person; True if there are any.

    Only one row can stand for a person, and after a tap that was not expected the other must not send.
    """
    others = _stand_for(work, task)
    for stands in others:
        if stands.state in (TaskState.QUEUED, TaskState.HELD):
            work.tx.save_task(ended(stands, TaskState.UNKNOWN, work.now_ms, cause=RESTORED))
            work.jobs_to_close.add(stands.job_id)
    return bool(others)


def _stand_for(work: Work, task: Task) -> list[Task]:
    if task.action is not Action.FRIEND_ADD or not task.query:
        return []
    key = work.tx.contact_key()
    found = [work.tx.against(task.action, person(key, target)).task for target in keys_of_task(task)]
    return list({there.id: there for there in found if there is not None and there.id != task.id}.values())
