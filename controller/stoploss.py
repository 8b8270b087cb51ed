"""A job that annoys people stops itself: the limits, and the pure decision over what its rows came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from controller.clock import HOUR_MS
from controller.model import Action, Job, JobId, JobState
from controller.store.base import Tx

NOT_FOUND = "stop_loss_not_found"
ACCEPTANCE = "stop_loss_acceptance"
CAUSES = frozenset({NOT_FOUND, ACCEPTANCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLoss:
    """When a job of friend adds pauses itself. Every value is ours: WeChat publishes none."""

    # More unknown people than this among the last rows: the list is old or bought; WeChat counts searches.
    window_rows: int = 30
    max_not_found_percent: int = 50
    # People who were asked and do not want it; public reports of restrictions name unanswered requests.
    min_requests: int = 30
    accept_after_ms: int = 72 * HOUR_MS
    min_accepted_percent: int = 5


def verdict(rules: StopLoss, *, outcomes: Sequence[str], asked: int, accepted: int) -> str:
    """Return the cause for which a job must pause, empty if it may go on.

    `outcomes` are those of its last ended rows, newest first; `asked` counts requests old enough to have been
    answered, `accepted` those among them that were.
    """
    last = outcomes[: rules.window_rows]
    missing = sum(outcome == "not_found" for outcome in last)
    if len(last) >= rules.window_rows and missing * 100 > rules.max_not_found_percent * len(last):
        return NOT_FOUND
    if asked >= rules.min_requests and accepted * 100 < rules.min_accepted_percent * asked:
        return ACCEPTANCE
    return ""


def is_stopped(job: Job) -> bool:
    """Tell whether the machine paused a job; only a named person with a reason lets it go on."""
    return job.state_cause in CAUSES and not job.state_by


def judge(tx: Tx, rules: StopLoss, job_id: JobId, now_ms: int) -> bool:
    """Pause a running job whose rows crossed a limit since a person last let it go on; locks the job."""
    job = tx.lock_job(job_id)
    if job is None or job.state is not JobState.RUNNING or job.action is not Action.FRIEND_ADD:
        return False
    asked, accepted = tx.answers(
        job_id, after_ms=job.judged_from_ms, before_ms=now_ms - rules.accept_after_ms
    )
    outcomes = tx.last_outcomes(job_id, after_ms=job.judged_from_ms, max_rows=rules.window_rows)
    cause = verdict(rules, outcomes=outcomes, asked=asked, accepted=accepted)
    if cause:
        tx.set_job_state(job_id, JobState.PAUSED, cause=cause, by="", judged_from_ms=job.judged_from_ms)
    return bool(cause)
