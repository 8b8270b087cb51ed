"""People decide on a whole job: pause, resume, cancel, and the repeating of rows that were not done."""

from __future__ import annotations

from collections.abc import Collection

from controller import accepting, stoploss
from controller.audit import enter, named
from controller.errors import BadRequest, UnknownJob
from controller.ledger import Work
from controller.model import Action, Job, JobId, JobState, Task, TaskState
from controller.obstacles import JOB_CANCELLED, is_suppressed
from controller.targets import keys_of_task, person
from controller.transitions import ended, is_worth_repeating, repeated

_ALIVE = frozenset({JobState.RUNNING, JobState.PAUSED})
_WAITING = frozenset({TaskState.QUEUED, TaskState.HELD})
# What a person does instead.
_NEXT = {
    JobState.RUNNING: "follow it: farm jobs watch",
    JobState.PAUSED: "let it go on: farm jobs resume",
    JobState.CANCELLED: "its list may be submitted again",
    JobState.ENDED: "see its rows: farm jobs show",
}


def pause(work: Work, job_id: JobId, *, reason: str, actor: str) -> Job:
    """Let none of a job's tasks go out; what is armed goes on. UnknownJob, BadRequest."""
    cause = _reason(reason, "say why this job pauses")
    job = _in(work, job_id, {JobState.RUNNING})
    return _decide(work, job, JobState.PAUSED, what="job.pause", cause=cause, actor=actor)


def resume(work: Work, job_id: JobId, *, reason: str, actor: str) -> Job:
    """Let a paused job go on; after a stop-loss only with a reason, and its count begins anew.

    UnknownJob, BadRequest.
    """
    job = _in(work, job_id, {JobState.PAUSED})
    if stoploss.is_stopped(job):
        _reason(reason, f"this job stopped itself ({job.state_cause}): say why it may go on")
    work.jobs_to_close.add(job_id)
    work.offer()
    return _decide(work, job, JobState.RUNNING, what="job.resume", cause=reason.strip(), actor=actor)


def cancel(work: Work, job_id: JobId, *, reason: str, actor: str) -> Job:
    """End a job for good: what waits is cancelled, what is leased when it comes back, what is armed goes on.

    Who stood in a cancelled row may stand in another list, or in the same one again. The account of a job
    that accepts or replies accepts no more: its next request would begin one anew. UnknownJob, BadRequest.
    """
    cause = _reason(reason, "say why this job is cancelled")
    # The account before its rows, as where its policy is set; a job that cannot be cancelled undoes this too.
    if (job_to_end := work.tx.job(job_id)) is not None and job_to_end.action in accepting.STANDING:
        accepting.stop(work, job_to_end, reason=cause, actor=actor)
    # The rows before the job, as everywhere; whoever gives one back meanwhile sees the decision.
    tasks = work.tx.lock_tasks(job_id)
    job = _in(work, job_id, _ALIVE)
    decided = _decide(work, job, JobState.CANCELLED, what="job.cancel", cause=cause, actor=actor)
    for task in tasks:
        if task.state in _WAITING:
            work.tx.save_task(ended(task, TaskState.CANCELLED, work.now_ms, cause=JOB_CANCELLED))
    return decided


def retry(work: Work, job_id: JobId, *, actor: str) -> int:
    """Queue the rows again that were not done for a reason worth repeating; returns how many.

    Left out are people who must not be contacted or for whom another task stands by now. A job that its
    stop-loss ended waits for `resume`. UnknownJob; BadRequest for a cancelled job: its list may be submitted
    again.
    """
    named(actor)
    work.tx.begin_submitting()
    tasks = work.tx.lock_tasks(job_id)
    job = _in(work, job_id, {*_ALIVE, JobState.ENDED})
    again = [task for task in tasks if is_worth_repeating(task, work.now_ms) and _may_stand(work, task)]
    for task in again:
        work.tx.save_task(repeated(task, work.now_ms))
    if again:
        if job.state is JobState.ENDED:
            state = JobState.PAUSED if stoploss.is_stopped(job) else JobState.RUNNING
            _keep(work, job, state, cause=job.state_cause, by=job.state_by)
        enter(work, actor=actor, what="job.retry", object_=job_id, reason=f"{len(again)} rows")
        work.offer()
    return len(again)


def _may_stand(work: Work, task: Task) -> bool:
    if is_suppressed(work, task):
        return False
    if task.action is not Action.FRIEND_ADD:
        return True
    key = work.tx.contact_key()
    found = [work.tx.against(task.action, person(key, target)) for target in keys_of_task(task)]
    return all(against.task is None and against.friend_of is None for against in found)


def _reason(reason: str, missing: str) -> str:
    if not reason.strip():
        raise BadRequest(missing)
    return reason.strip()


def _in(work: Work, job_id: JobId, states: Collection[JobState]) -> Job:
    job = work.tx.lock_job(job_id)
    if job is None:
        raise UnknownJob(f"no job {job_id}")
    if job.state not in states:
        raise BadRequest(f"job {job_id} is {job.state}; {_NEXT[job.state]}")
    return job


def _decide(work: Work, job: Job, state: JobState, *, what: str, cause: str, actor: str) -> Job:
    enter(work, actor=actor, what=what, object_=job.id, reason=cause)
    return _keep(work, job, state, cause=cause, by=named(actor))


def _keep(work: Work, job: Job, state: JobState, *, cause: str, by: str) -> Job:
    was_stopped = state is JobState.RUNNING and stoploss.is_stopped(job)
    judged_from_ms = work.now_ms if was_stopped else job.judged_from_ms
    work.tx.set_job_state(job.id, state, cause=cause, by=by, judged_from_ms=judged_from_ms)
    return work.tx.job(job.id) or job
