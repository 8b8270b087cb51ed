"""Lists of customers as jobs: each row is one task, and nobody is added twice over the whole fleet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from controller import leases, steering, stoploss, submitting
from controller.audit import named
from controller.errors import UnknownJob, UnknownPhone
from controller.ledger import Ledger, Work
from controller.model import (
    Action,
    Customer,
    Held,
    Job,
    JobId,
    JobState,
    Lease,
    PhoneId,
    Plan,
    Submitted,
    Task,
    TaskId,
    TaskState,
)
from controller.planning import Lane, plan
from controller.sessions import Renewal
from controller.store.base import Tx

# Why no row of a paused job goes out.
JOB_PAUSED = "job_paused"


class Jobs:
    """Jobs and their tasks, for people and for the agents' sessions."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # ---- for readers

    def jobs(self) -> list[Job]:
        """Return all jobs, newest first."""
        with self._ledger.look() as tx:
            return tx.jobs()

    def job(self, job_id: JobId) -> Job:
        """Return a job; UnknownJob."""
        with self._ledger.look() as tx:
            return self._known(tx, job_id)

    def tasks(self, job_id: JobId) -> list[Task]:
        """Return the tasks of a job by row; UnknownJob."""
        with self._ledger.look() as tx:
            return tx.tasks(self._known(tx, job_id).id)

    def counts(self, job_id: JobId) -> dict[str, int]:
        """Return how many rows have each outcome, or state where there is none yet; UnknownJob."""
        with self._ledger.look() as tx:
            found = tx.task_counts(self._known(tx, job_id).id)
        counts: Counter[str] = Counter()
        for (state, outcome), rows in found.items():
            counts[outcome if outcome and state.is_ended else str(state)] += rows
        return dict(counts)

    def blockers(self, job_id: JobId) -> dict[PhoneId, Held | None]:
        """Return why each phone that rows of this job wait for takes none now (None: it may); UnknownJob."""
        with self._ledger.work(keeps_time=False) as work:
            job = self._known(work.tx, job_id)
            is_paused = job.state is JobState.PAUSED
            waiting = [task for task in work.tx.tasks(job_id) if task.state is TaskState.QUEUED]
            wanted = {task.pinned_phone_id for task in waiting if task.pinned_phone_id}
            if any(task.pinned_phone_id is None for task in waiting):
                wanted.update(job.pool)
            return {
                phone_id: Held(cause=JOB_PAUSED) if is_paused else self._hold(work, phone_id, waiting)
                for phone_id in sorted(wanted)
            }

    def already(self, customers: Sequence[Customer]) -> dict[int, str]:
        """Return for each row that must not be added why: its person is added, a friend, or suppressed."""
        with self._ledger.look() as tx:
            return submitting.already(tx, customers)

    def plan_friend_adds(self, customers: Sequence[Customer], *, pool: Sequence[PhoneId]) -> Plan:
        """Return when each phone would do its share. BadRequest, SafetyRefusal, UnknownPhone."""
        submitting.check_adds(self._ledger.settings, customers, pool)
        with self._ledger.work(keeps_time=False) as work:
            refused = submitting.already(work.tx, customers)
            return self._plan(work, Action.FRIEND_ADD, customers, refused, pool=pool)

    def plan_moments_likes(self, *, tag: str, pool: Sequence[PhoneId], max_age_days: int) -> Plan:
        """Return when each phone would like posts of its contacts. BadRequest, BadRows, UnknownPhone."""
        with self._ledger.work(keeps_time=False) as work:
            rows = submitting.friends_tagged(work.tx, tag=tag, pool=pool, max_age_days=max_age_days)
            refused = submitting.suppressed_rows(work, rows)
            return self._plan(work, Action.MOMENTS_LIKE, [row for row, _ in rows], refused, pool=pool)

    # ---- for people who decide

    def submit_friend_adds(
        self,
        customers: Sequence[Customer],
        *,
        pool: Sequence[PhoneId],
        greeting: str,
        source_name: str,
        actor: str,
    ) -> Submitted:
        """Make a job of a list; the same list again gives the job that is there, unless it was cancelled.

        Left out are people for whom a task stands (live, done, unknown, or met by another contact), who are
        friends of an account of the farm, or who must not be contacted; BadRows if no row is left.
        BadRequest, SafetyRefusal (too many rows, a row without a basis, a sensitive word), UnknownPhone.
        """
        named(actor)
        with self._ledger.work() as work:
            return submitting.friend_adds(
                work,
                self._ledger.settings,
                customers,
                pool=pool,
                greeting=greeting,
                source_name=source_name,
                actor=actor,
            )

    def submit_moments_likes(
        self, *, tag: str, pool: Sequence[PhoneId], max_age_days: int, source_name: str, actor: str
    ) -> Submitted:
        """Make a job of one like for each contact with a tag; the same again on one day gives that job.

        Left out is who must not be contacted; BadRows if nobody is left.
        BadRequest, SafetyRefusal, UnknownPhone.
        """
        named(actor)
        with self._ledger.work() as work:
            return submitting.likes(
                work,
                self._ledger.settings,
                tag=tag,
                pool=pool,
                max_age_days=max_age_days,
                source_name=source_name,
                actor=actor,
            )

    def submit_marks(self, marks: Sequence[Customer], *, source_name: str, actor: str) -> Submitted:
        """Make a job that gives contacts a remark and tags; the same again on one day gives that job.

        Each row says the name as shown (QueryKind.NAME), the phone it is pinned to, and what to set.
        BadRequest, SafetyRefusal, UnknownPhone.
        """
        named(actor)
        with self._ledger.work() as work:
            return submitting.marks(work, self._ledger.settings, marks, source_name=source_name, actor=actor)

    def pause(self, job_id: JobId, *, reason: str, actor: str) -> Job:
        """Let none of a running job's tasks go out; what is armed goes on. UnknownJob, BadRequest."""
        with self._ledger.work() as work:
            return steering.pause(work, job_id, reason=reason, actor=actor)

    def resume(self, job_id: JobId, *, reason: str, actor: str) -> Job:
        """Let a paused job go on; one that stopped itself needs a reason. UnknownJob, BadRequest."""
        with self._ledger.work() as work:
            return steering.resume(work, job_id, reason=reason, actor=actor)

    def cancel(self, job_id: JobId, *, reason: str, actor: str) -> Job:
        """End a job for good; see controller.steering. UnknownJob, BadRequest."""
        with self._ledger.work() as work:
            return steering.cancel(work, job_id, reason=reason, actor=actor)

    def retry(self, job_id: JobId, *, actor: str) -> int:
        """Queue rows again that were not done for a reason worth repeating. UnknownJob, BadRequest."""
        with self._ledger.work() as work:
            return steering.retry(work, job_id, actor=actor)

    # ---- for sessions

    def lease(self, phone_id: PhoneId, *, epoch: int, spool_id: str) -> Lease | Held | None:
        """Hand the oldest task for a phone to exactly one caller, with its permit; None: nothing to do.

        UnknownPhone, StaleEpoch.
        """
        with self._ledger.work(keeps_time=False) as work:
            return leases.lease(work, self._ledger.settings, phone_id, epoch=epoch, spool_id=spool_id)

    def renew(self, phone_id: PhoneId, *, epoch: int, task_ids: Sequence[TaskId]) -> list[Renewal]:
        """Extend the leases a phone holds; 0 for one that is over. UnknownPhone, StaleEpoch."""
        with self._ledger.work() as work:
            return leases.renew(work, self._ledger.settings, phone_id, epoch=epoch, task_ids=task_ids)

    def reconcile(
        self, phone_id: PhoneId, *, epoch: int, spool_id: str, open_task_ids: Collection[TaskId]
    ) -> None:
        """Settle what a phone should hold by what its agent says, see controller.leases; StaleEpoch."""
        with self._ledger.work() as work:
            leases.reconcile(
                work,
                self._ledger.settings,
                phone_id,
                epoch=epoch,
                spool_id=spool_id,
                open_task_ids=open_task_ids,
            )

    def sweep(self) -> None:
        """Let the tasks be unknown whose lease ended long ago without a word; let jobs stop themselves."""
        with self._ledger.work(keeps_time=False) as work:
            leases.give_up(work, self._ledger.settings)
            for job_id in work.tx.jobs_to_judge():
                stoploss.judge(work.tx, self._ledger.settings.stop_loss, job_id, work.now_ms)

    # ---- inside

    def _known(self, tx: Tx, job_id: JobId) -> Job:
        job = tx.job(job_id)
        if job is None:
            raise UnknownJob(f"no job {job_id}")
        return job

    def _hold(self, work: Work, phone_id: PhoneId, waiting: Sequence[Task]) -> Held | None:
        phone = work.tx.phone(phone_id)
        if phone is None:
            return Held(cause="no_such_phone")
        account = work.tx.account(phone.account_id) if phone.account_id else None
        action = waiting[0].action if waiting else Action.FRIEND_ADD
        held = leases.hold(work, phone, account, self._ledger.settings, action)
        mine = [task for task in waiting if task.pinned_phone_id == phone_id and task.pinned_account_id]
        if held is None and any(task.pinned_account_id != phone.account_id for task in mine):
            return Held(cause="waits_for_account")
        return held

    def _plan(
        self,
        work: Work,
        action: Action,
        rows: Sequence[Customer],
        refused: Mapping[int, str],
        *,
        pool: Sequence[PhoneId],
    ) -> Plan:
        phone_ids = dict.fromkeys([*pool, *(c.pinned_phone_id for c in rows if c.pinned_phone_id)])
        return plan(
            submitting.newest_first([c for c in rows if c.row_no not in refused]),
            {phone_id: self._lane(work, phone_id, action) for phone_id in phone_ids},
            pool=pool,
            now_ms=work.now_ms,
            skipped=submitting.problems(rows, refused),
        )

    def _lane(self, work: Work, phone_id: PhoneId, action: Action) -> Lane:
        phone = work.tx.phone(phone_id)
        if phone is None:
            raise UnknownPhone(f"no phone {phone_id}")
        return leases.lane(work, self._ledger.settings, phone, action)
