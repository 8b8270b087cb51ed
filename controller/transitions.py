"""What a report makes of a task: pure functions; what may have been sent is never queued again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from controller.clock import DAY_MS
from controller.model import Task, TaskState
from controller.store.base import Permit
from protos.facts import TaskArmed, TaskEnded, TaskReturned

NOT_SENT = "not_sent"
RETURNED_TOO_OFTEN = "returned_too_often"
RESTORED = "restored"
WARNED = "warned"
REQUESTED = "requested"
ACCEPTED = "accepted"
ADDED = "added"
ALREADY_FRIEND = "already_friend"
ALREADY_MARKED = "already_marked"

# The closed list of outcomes after which a person may have a row tried again: all of them prove that nothing
# was done, and none of them is an answer about the person.
WORTH_REPEATING = frozenset(
    {RETURNED_TOO_OFTEN, NOT_SENT, WARNED, "screen_unreadable", "unexpected_dialog", "no_chat"}
)
# WeChat says these too when it limits an account's searches, and people sign up later: only after a week.
WORTH_REPEATING_LATER = frozenset({"not_found", "peer_abnormal"})
_LATER_MS = 7 * DAY_MS

_RESULTS = {
    "done": TaskState.DONE,
    "not_done": TaskState.NOT_DONE,
    "unknown": TaskState.UNKNOWN,
}
_LIVE = frozenset({TaskState.LEASED, TaskState.ARMED})
# No phone holds such a task; a late word can still tell that one did.
_TAKEN_BACK = frozenset({TaskState.QUEUED, TaskState.CANCELLED})
_MAX_TEXT_CHARS = 200


class PermitEffect(StrEnum):
    """What becomes of the permit that paid for the attempt."""

    NONE = "none"
    USED = "used"  # last possible use is now
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Step:
    """The task as it becomes, and what becomes of its permit."""

    task: Task
    permit: PermitEffect


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When a further attempt may begin, and how many that led to nothing are enough."""

    not_before_ms: int
    max_attempts: int  # armed ones that sent nothing
    max_returns: int  # ones given back before arming
    not_sent_before_ms: int  # a request may show late: after an armed attempt the look waits longer


def queued_again(task: Task, *, cause: str, not_before_ms: int) -> Task:
    """Return a task that no phone holds any more."""
    return replace(
        task,
        state=TaskState.QUEUED,
        cause=cause[:_MAX_TEXT_CHARS],
        phone_id=None,
        account_id=None,
        permit_id=None,
        lease_until_ms=None,
        spool_id="",
        phone_epoch=0,
        not_before_ms=not_before_ms,
        ended_at_ms=None,
    )


def is_worth_repeating(task: Task, now_ms: int) -> bool:
    """Tell whether a person may have this row tried again; never what may have been done or was refused."""
    if task.state is not TaskState.NOT_DONE or not task.query:
        return False
    if task.outcome in WORTH_REPEATING_LATER:
        return now_ms - (task.ended_at_ms or now_ms) >= _LATER_MS
    return task.outcome in WORTH_REPEATING


def repeated(task: Task, now_ms: int) -> Task:
    """Return a task that a person has tried again: its attempts count anew, their numbers go on."""
    again = queued_again(task, cause="repeated", not_before_ms=now_ms)
    return replace(again, outcome="", evidence="", not_sent=0, returned=0)


def ended(task: Task, state: TaskState, now_ms: int, *, cause: str = "", outcome: str = "") -> Task:
    """Return a task at its end; what was known of it stays for people."""
    return replace(
        task,
        state=state,
        cause=cause[:_MAX_TEXT_CHARS],
        outcome=outcome[:_MAX_TEXT_CHARS] or task.outcome,
        lease_until_ms=None,
        ended_at_ms=now_ms,
    )


def restored(task: Task, permit: Permit, now_ms: int) -> Task:
    """Return what an armed attempt of which no permit was known makes of a task: nobody sends it again.

    So it is after a backup was restored. A done task stays as it is; a cancelled one was not stopped.
    """
    if task.state is TaskState.DONE:
        return task
    return replace(
        ended(task, TaskState.UNKNOWN, now_ms, cause=RESTORED),
        attempt=max(task.attempt, permit.attempt),
        phone_id=permit.phone_id,
        account_id=permit.account_id,
        permit_id=permit.id,
    )


def on_armed(task: Task, fact: TaskArmed, now_ms: int) -> Step | None:
    """Return what an armed attempt makes of a task; None if it changes nothing."""
    if task.state is TaskState.LEASED and fact.attempt == task.attempt:
        return Step(replace(task, state=TaskState.ARMED), PermitEffect.NONE)
    if task.state in _TAKEN_BACK and fact.attempt <= task.attempt:
        # It was taken back as never received, and it was received: nobody may send it a second time.
        return Step(ended(task, TaskState.UNKNOWN, now_ms, cause="armed_after_return"), PermitEffect.USED)
    return None


def on_returned(task: Task, fact: TaskReturned, now_ms: int, retry: Retry) -> Step | None:
    """Return what giving back makes of a task; None if it changes nothing, as after arming."""
    if fact.attempt != task.attempt:
        return None
    if task.state is TaskState.LEASED:
        counted = replace(task, returned=task.returned + 1)
        if counted.returned >= retry.max_returns:
            over = ended(counted, TaskState.NOT_DONE, now_ms, cause=fact.cause, outcome=RETURNED_TOO_OFTEN)
            return Step(over, PermitEffect.RETURNED)
        again = queued_again(counted, cause=fact.cause, not_before_ms=retry.not_before_ms)
        return Step(again, PermitEffect.RETURNED)
    if task.state is TaskState.UNKNOWN:
        # Given up before this word came; the machine does not take up again what a person may be looking at.
        return Step(
            ended(task, TaskState.NOT_DONE, now_ms, cause=fact.cause, outcome=NOT_SENT), PermitEffect.RETURNED
        )
    return None


def on_ended(task: Task, fact: TaskEnded, now_ms: int, retry: Retry) -> Step | None:
    """Return what an attempt's end makes of a task; None if it changes nothing."""
    if fact.attempt > task.attempt or task.state in (TaskState.DONE, TaskState.NOT_DONE):
        return None
    if fact.attempt < task.attempt or task.state in _TAKEN_BACK:
        return _on_late_end(task, fact, now_ms)
    if task.state is TaskState.UNKNOWN:
        return _on_settled(task, fact, now_ms)
    if task.state not in _LIVE:
        return None
    return Step(_after_end(task, fact, now_ms, retry), PermitEffect.USED)


def _after_end(task: Task, fact: TaskEnded, now_ms: int, retry: Retry) -> Task:
    was_armed = fact.was_armed or task.state is TaskState.ARMED
    if fact.outcome == WARNED and not was_armed:
        return queued_again(task, cause=WARNED, not_before_ms=retry.not_before_ms)
    if fact.outcome == NOT_SENT and was_armed:
        tries = task.not_sent + 1
        if tries < retry.max_attempts:
            again = queued_again(task, cause=NOT_SENT, not_before_ms=retry.not_sent_before_ms)
            # Another account could not see a request that went out after all.
            return replace(
                again,
                not_sent=tries,
                pinned_phone_id=task.phone_id,
                pinned_account_id=task.account_id,
            )
        return replace(_with_end(task, fact, TaskState.NOT_DONE, now_ms), not_sent=tries)
    return _with_end(task, fact, _RESULTS.get(fact.result, TaskState.UNKNOWN), now_ms)


def _with_end(task: Task, fact: TaskEnded, state: TaskState, now_ms: int) -> Task:
    over = ended(task, state, now_ms, outcome=fact.outcome)
    return replace(
        over,
        evidence=fact.evidence[:_MAX_TEXT_CHARS],
        peer_name=fact.peer_name[:_MAX_TEXT_CHARS],
        object_key=fact.object_key[:_MAX_TEXT_CHARS],
    )


def _on_settled(task: Task, fact: TaskEnded, now_ms: int) -> Step | None:
    state = _RESULTS.get(fact.result, TaskState.UNKNOWN)
    if state is TaskState.UNKNOWN:
        return None
    if task.cause == RESTORED and fact.outcome == NOT_SENT:
        # The attempt after this one is not known either, and may have gone out.
        return None
    return Step(_with_end(task, fact, state, now_ms), PermitEffect.USED)


def _on_late_end(task: Task, fact: TaskEnded, now_ms: int) -> Step | None:
    """An attempt that was believed to be over ends: if it may have been sent, nobody may send it again."""
    state = _RESULTS.get(fact.result, TaskState.UNKNOWN)
    if task.state not in _TAKEN_BACK or not fact.was_armed or state is TaskState.NOT_DONE:
        return None
    return Step(_with_end(task, fact, state, now_ms), PermitEffect.USED)
