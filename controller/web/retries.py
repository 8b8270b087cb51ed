"""Why rows of a job do not go again: pure functions over its tasks before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from controller.model import Task, TaskState
from controller.transitions import WORTH_REPEATING_LATER, is_worth_repeating


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftView:
    """Rows that do not go again, and why."""

    rows: int
    why: str


def left_after(before: Sequence[Task], after: Sequence[Task], now_ms: int) -> list[LeftView]:
    """Return why the rows that had ended were not queued again, the most frequent reason first."""
    queued = {task.id for task in after if task.state is TaskState.QUEUED}
    counts = Counter(
        why_not(task, now_ms) for task in before if task.state.is_ended and task.id not in queued
    )
    return [LeftView(rows=rows, why=why) for why, rows in counts.most_common()]


def why_not(task: Task, now_ms: int) -> str:
    """Return why an ended row does not go again, in words."""
    match task.state:
        case TaskState.DONE:
            return "done"
        case TaskState.UNKNOWN:
            return "unknown: may have been sent, so the machine never repeats it; look at the phone"
        case TaskState.NOT_DONE:
            return _why_not_done(task, now_ms)
        case _:
            return f"{task.state}: {task.cause or 'submit the list again'}"


def _why_not_done(task: Task, now_ms: int) -> str:
    if not task.query:
        return "the person was forgotten"
    if is_worth_repeating(task, now_ms):
        return f"{task.outcome}: by now must not be contacted, is a friend, or stands in another job"
    if task.outcome in WORTH_REPEATING_LATER:
        return f"{task.outcome}: may go again a week after it ended"
    return f"{task.outcome or task.cause}: this is an answer, and asking again does not change it"
