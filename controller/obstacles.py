"""What stands against one task besides its phone and quotas: its person, its job, the words it would say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from controller.accepting import opens_at_ms
from controller.greetings import word_in
from controller.ledger import CoreSettings, Work
from controller.model import Action, JobState, QueryKind, Task, TaskState
from controller.people import SuppressionAct
from controller.targets import keys_of_task, person
from controller.transitions import RESTORED, ended

SUPPRESSED = "suppressed"
FORGOTTEN = "forgotten"
JOB_CANCELLED = "job_cancelled"
SENSITIVE_WORD = "sensitive_word"
ACCEPTING_OFF = "accepting_off"

_SAYS = frozenset({Action.FRIEND_ADD, Action.FIRST_REPLY})
_ACCEPTS = frozenset({Action.FRIEND_ACCEPT, Action.FIRST_REPLY})


def is_suppressed(work: Work, task: Task) -> bool:
    """Tell whether the person of a task must not be contacted."""
    if task.query_kind is not QueryKind.NAME:
        return any(suppressed_target(work, key) for key in keys_of_task(task) if key)
    friend = work.tx.friend(task.pinned_account_id, task.query) if task.pinned_account_id else None
    return friend is not None and bool(friend.target) and suppressed_target(work, friend.target)


def suppressed_target(work: Work, target: str) -> bool:
    """Tell whether a person, as lists name them, must not be contacted."""
    decisions = work.tx.suppressions(person(work.tx.contact_key(), target).digest)
    return bool(decisions) and decisions[-1].act is not SuppressionAct.RELEASE


def withheld(work: Work, settings: CoreSettings, task: Task) -> Task | None:
    """Return a queued task as it becomes because it must not go out now; None if it may.

    Cancelled for good, or queued until its account accepts again.
    """
    cause = _cause(work, task)
    if cause:
        return ended(task, TaskState.CANCELLED, work.now_ms, cause=cause)
    if task.action in _ACCEPTS and task.pinned_account_id:
        policy = work.tx.accept_policy(task.pinned_account_id)
        account = work.tx.account(task.pinned_account_id)
        if policy is not None:
            open_ms = opens_at_ms(policy, account, work.now_ms, farm_zone=settings.time_zone)
            if open_ms > work.now_ms:
                return replace(task, not_before_ms=open_ms)
    return None


def _cause(work: Work, task: Task) -> str:
    if not task.query:
        return FORGOTTEN
    if is_suppressed(work, task):
        return SUPPRESSED
    if task.action in _SAYS:
        # The words and rules may have changed since the text was checked.
        job = work.tx.job(task.job_id)
        if job is not None and word_in(work.shelf(), job.greeting):
            return SENSITIVE_WORD
    if task.action in _ACCEPTS and task.pinned_account_id:
        policy = work.tx.accept_policy(task.pinned_account_id)
        if policy is None or not policy.is_on:
            return ACCEPTING_OFF
    return ""


def first_fit(work: Work, settings: CoreSettings, take: Callable[[], Task | None]) -> Task | None:
    """Return the first task that `take` gives which may go out; what stands against others is kept."""
    while (task := take()) is not None:
        kept = withheld(work, settings, task)
        if kept is None:
            return task
        work.tx.save_task(kept)
        work.keeps_time = True
        if kept.state.is_ended:
            work.jobs_to_close.add(kept.job_id)
    return None


def may_go_on(work: Work, settings: CoreSettings, task: Task) -> bool:
    """Tell whether a leased task that is not armed may keep its lease: otherwise it comes back unharmed."""
    job = work.tx.job(task.job_id)
    return job is not None and job.state is JobState.RUNNING and withheld(work, settings, task) is None


def given_back(work: Work, task: Task) -> Task:
    """Return a task as it is kept after it became queued again: of a cancelled job it is cancelled.

    A task that another phone tapped too, as lost data had it, is unknown: nobody sends it again.
    """
    if task.state is not TaskState.QUEUED:
        return task
    if work.tx.second_taps(task.id):
        work.jobs_to_close.add(task.job_id)
        return ended(task, TaskState.UNKNOWN, work.now_ms, cause=RESTORED)
    job = work.tx.job(task.job_id)
    if job is None or job.state is not JobState.CANCELLED:
        return task
    work.jobs_to_close.add(task.job_id)
    return ended(task, TaskState.CANCELLED, work.now_ms, cause=JOB_CANCELLED)
