"""Jobs and their rows."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from controller.core import Core
from controller.model import Job, JobId, JobState, QueryKind, Task, TaskState
from controller.safe import masked, masked_id
from controller.stoploss import is_stopped
from controller.web.desk import Actor, At
from controller.web.lists import ProblemView
from controller.web.retries import LeftView, left_after

router = APIRouter(prefix="/jobs", tags=["jobs"])

_LIVE = frozenset(state.value for state in TaskState if not state.is_ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldView:
    """A phone that rows wait for, and why it takes none now; `retry_at_ms` None: no time is known."""

    phone_id: str
    cause: str
    retry_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job; `counts` says how many rows have each state or, once ended, each outcome.

    `state_cause` and `state_by` say why and by whom it is paused or cancelled; `is_stopped`: by itself.
    `holds` is filled where one job is shown; in a list of jobs it is empty.
    """

    job_id: str
    action: str
    state: str
    created_at_ms: int
    created_by: str
    source_name: str
    greeting: str
    phones: list[str]
    max_age_days: int
    state_cause: str
    state_by: str
    is_stopped: bool
    rows: int
    ended: int
    counts: dict[str, int]
    holds: list[HoldView]


def job_view(job: Job, counts: dict[str, int], ended: int, holds: list[HoldView]) -> JobView:
    """Show a job."""
    return JobView(
        job_id=job.id,
        action=job.action,
        state=job.state,
        created_at_ms=job.created_at_ms,
        created_by=job.created_by,
        source_name=job.source_name,
        greeting=job.greeting,
        phones=list(job.pool),
        max_age_days=job.max_age_days,
        state_cause=job.state_cause,
        state_by=job.state_by,
        is_stopped=job.state is JobState.PAUSED and is_stopped(job),
        rows=sum(counts.values()),
        ended=ended,
        counts=counts,
        holds=holds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedView:
    """What became of a list; `is_new` is False if the same content is a job already."""

    job: JobView
    is_new: bool
    skipped: list[ProblemView]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Why a job is paused, resumed or cancelled."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryView:
    """How many rows go again, and why the other ended rows do not."""

    job: JobView
    queued: int
    left: list[LeftView]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """One row of a job."""

    task_id: str
    job_id: str
    row_no: int
    action: str
    query: str
    query_kind: str
    remark: str
    tags: list[str]
    basis: str
    basis_at: str
    state: str
    outcome: str
    evidence: str
    cause: str
    attempt: int
    phone_id: str | None
    account_id: str | None
    not_before_ms: int | None
    ended_at_ms: int | None


def shown_query(task: Task) -> str:
    """Return whom a row looks for, masked."""
    return masked_id(task.query) if task.query_kind is QueryKind.WECHAT_ID else masked(task.query)


def task_view(task: Task) -> TaskView:
    """Show a row of a job."""
    return TaskView(
        task_id=task.id,
        job_id=task.job_id,
        row_no=task.row_no,
        action=task.action,
        query=shown_query(task),
        query_kind=task.query_kind,
        remark=masked(task.remark),
        tags=list(task.tags),
        basis=task.basis,
        basis_at=task.basis_at,
        state=task.state,
        outcome=task.outcome,
        evidence=masked(task.evidence),
        cause=task.cause,
        attempt=task.attempt,
        phone_id=task.phone_id or task.pinned_phone_id,
        account_id=task.account_id,
        not_before_ms=task.not_before_ms or None,
        ended_at_ms=task.ended_at_ms,
    )


@router.get("", summary="List jobs")
async def list_jobs(at: At) -> list[JobView]:
    """Return all jobs, newest first, without what holds their phones."""
    return await at.ask(lambda core: [viewed(core, job, has_holds=False) for job in core.jobs.jobs()])


@router.get("/{job_id}", summary="Show one job")
async def show_job(at: At, job_id: str) -> JobView:
    """Return a job with how many rows have each state or outcome."""
    return await at.ask(lambda core: viewed(core, core.jobs.job(JobId(job_id))))


@router.get("/{job_id}/tasks", summary="List the rows of a job")
async def list_tasks(at: At, job_id: str) -> list[TaskView]:
    """Return the rows of a job in the order of its list."""
    return await at.ask(lambda core: [task_view(task) for task in core.jobs.tasks(JobId(job_id))])


@router.post("/{job_id}/pause", summary="Pause a job")
async def pause_job(at: At, actor: Actor, job_id: str, asked: Decision) -> JobView:
    """Let none of a job's rows go out; a row that a phone has armed goes on. Needs a reason."""
    return await at.ask(
        lambda core: viewed(core, core.jobs.pause(JobId(job_id), reason=asked.reason, actor=actor))
    )


@router.post("/{job_id}/resume", summary="Let a paused job go on")
async def resume_job(at: At, actor: Actor, job_id: str, asked: Decision) -> JobView:
    """Let a paused job go on; one that stopped itself needs a reason."""
    return await at.ask(
        lambda core: viewed(core, core.jobs.resume(JobId(job_id), reason=asked.reason, actor=actor))
    )


@router.post("/{job_id}/cancel", summary="Cancel a job")
async def cancel_job(at: At, actor: Actor, job_id: str, asked: Decision) -> JobView:
    """End a job for good; a row that a phone has armed goes on to its look. Needs a reason."""
    return await at.ask(
        lambda core: viewed(core, core.jobs.cancel(JobId(job_id), reason=asked.reason, actor=actor))
    )


@router.post("/{job_id}/retry", summary="Queue rows again that were not done")
async def retry_job(at: At, actor: Actor, job_id: str) -> RetryView:
    """Queue the rows again that proved not to be done; never one that may have been, nor an answer."""

    def retry(core: Core) -> RetryView:
        before = core.jobs.tasks(JobId(job_id))
        queued = core.jobs.retry(JobId(job_id), actor=actor)
        left = left_after(before, core.jobs.tasks(JobId(job_id)), core.clock.now_ms())
        return RetryView(job=viewed(core, core.jobs.job(JobId(job_id))), queued=queued, left=left)

    return await at.ask(retry)


def viewed(core: Core, job: Job, *, has_holds: bool = True) -> JobView:
    """Show a job with its counts; what holds its phones takes a look at each of its rows."""
    counts = dict(core.jobs.counts(job.id))
    ended = sum(many for name, many in counts.items() if name not in _LIVE)
    is_waiting = job.state is JobState.RUNNING and ended < sum(counts.values())
    blockers = core.jobs.blockers(job.id) if has_holds and is_waiting else {}
    holds = [
        HoldView(phone_id=phone_id, cause=held.cause, retry_at_ms=held.retry_at_ms)
        for phone_id, held in blockers.items()
        if held is not None
    ]
    return job_view(job, counts, ended, holds)
