"""Lists of customers as jobs: each row is one task, and nobody is added twice over the whole fleet."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Sequence

from controller import leases
from controller.audit import enter, named
from controller.clock import DAY_MS, day_of
from controller.errors import BadRequest, BadRows, SafetyRefusal, UnknownJob, UnknownPhone
from controller.ledger import Ledger, Work
from controller.model import (
    Customer,
    Held,
    Job,
    JobId,
    JobState,
    Lease,
    PhoneId,
    Plan,
    QueryKind,
    RowProblem,
    Submitted,
    Task,
    TaskId,
    TaskState,
)
from controller.planning import Lane, plan
from controller.quotas import rule_for
from controller.roster import standing
from controller.sessions import Renewal
from controller.store.base import Tx

_CHINA_LENGTH = 11


def target_of(query: str, kind: QueryKind) -> str:
    """Return the one form of a query by which a person is recognised over all jobs."""
    if kind is QueryKind.WECHAT_ID:
        return query.strip().casefold()
    digits = "".join(c for c in query if c.isascii() and c.isdigit())
    bare = digits.removeprefix("00")
    if len(bare) == _CHINA_LENGTH + 2 and bare.startswith("86"):
        return bare[2:]
    return bare


def content_hash(customers: Sequence[Customer], greeting: str) -> str:
    """Return the fingerprint by which the same list with the same greeting is known again."""
    rows = [
        [
            target_of(c.query, c.query_kind),
            c.query_kind,
            c.remark,
            c.basis,
            c.basis_at,
            c.pinned_phone_id,
            *c.tags,
        ]
        for c in customers
    ]
    text = json.dumps([rows, greeting], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def why_not(task: Task) -> str:
    """Return in words why a person with this task must not get another request."""
    match task.state:
        case TaskState.DONE:
            return f"was added in job {task.job_id}"
        case TaskState.UNKNOWN:
            return f"may have been added in job {task.job_id}: its outcome is unknown"
        case TaskState.NOT_DONE:
            return f"must not be asked again: {task.outcome} in job {task.job_id}"
        case _:
            return f"is being added in job {task.job_id}"


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
            waiting = [task for task in work.tx.tasks(job_id) if task.state is TaskState.QUEUED]
            wanted = {task.pinned_phone_id for task in waiting if task.pinned_phone_id}
            if any(task.pinned_phone_id is None for task in waiting):
                wanted.update(job.pool)
            return {phone_id: self._hold(work, phone_id, waiting) for phone_id in sorted(wanted)}

    def already(self, customers: Sequence[Customer]) -> dict[int, str]:
        """Return for each row that must not be added why: a task stands for its person."""
        with self._ledger.look() as tx:
            return self._already(tx, customers)

    def plan_friend_adds(self, customers: Sequence[Customer], *, pool: Sequence[PhoneId]) -> Plan:
        """Return when each phone would do its share. BadRequest, SafetyRefusal, UnknownPhone."""
        self._check(customers, pool)
        with self._ledger.work(keeps_time=False) as work:
            already = self._already(work.tx, customers)
            phone_ids = dict.fromkeys([*pool, *(c.pinned_phone_id for c in customers if c.pinned_phone_id)])
            lanes = {phone_id: self._lane(work, phone_id) for phone_id in phone_ids}
            return plan(
                [c for c in customers if c.row_no not in already],
                lanes,
                pool=pool,
                now_ms=work.now_ms,
                skipped=[_problem(c, already[c.row_no]) for c in customers if c.row_no in already],
            )

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
        """Make a job of a list; the same list again gives the job that is there.

        Rows for whose person a task stands (live, done, unknown, or met by another contact) are left out;
        BadRows if no row is left.
        BadRequest, SafetyRefusal (too many rows, a row without a basis), UnknownPhone.
        """
        named(actor)
        self._check(customers, pool)
        fingerprint = content_hash(customers, greeting)
        with self._ledger.work() as work:
            tx = work.tx
            for phone_id in {*pool, *(c.pinned_phone_id for c in customers if c.pinned_phone_id)}:
                if tx.phone(phone_id) is None:
                    raise UnknownPhone(f"no phone {phone_id}")
            if (there := tx.job_by_hash(fingerprint)) is not None:
                return Submitted(job=there, is_new=False)
            day = day_of(work.now_ms)
            job = Job(
                id=JobId(f"{day}-{tx.next_job_number(day):02}"),
                action=leases.ACTION,
                state=JobState.RUNNING,
                created_at_ms=work.now_ms,
                created_by=actor.strip(),
                content_hash=fingerprint,
                source_name=source_name,
                greeting=greeting,
                pool=tuple(dict.fromkeys(pool)),
            )
            # Numbering locks the day; whoever waited there sees now what was submitted meanwhile.
            if (there := self._taken(tx, job)) is not None:
                return Submitted(job=there, is_new=False)
            skipped = self._add_tasks(work, job, customers)
            if len(skipped) == len(customers):
                raise BadRows("no row is left: every person of this list was added or is being added")
            enter(work, actor=actor, what="job.submit", object_=job.id, reason=source_name)
            work.offer()
            return Submitted(job=job, is_new=True, skipped=tuple(skipped))

    def _add_tasks(self, work: Work, job: Job, customers: Sequence[Customer]) -> list[RowProblem]:
        left_out: list[Customer] = []
        places = range(1, len(customers) + 1)
        by_target = sorted(
            zip(places, customers, strict=True), key=lambda row: target_of(row[1].query, row[1].query_kind)
        )
        # In one order everywhere: two lists with the same people must not wait for each other.
        for place, customer in by_target:
            task = Task(
                id=TaskId(f"{job.id}.{place:04}"),
                job_id=job.id,
                row_no=customer.row_no,
                action=job.action,
                query=customer.query,
                query_kind=customer.query_kind,
                remark=customer.remark,
                basis=customer.basis,
                basis_at=customer.basis_at,
                state=TaskState.QUEUED,
                pinned_phone_id=customer.pinned_phone_id,
                tags=customer.tags,
                not_before_ms=work.now_ms,
                created_at_ms=work.now_ms,
            )
            if not work.tx.add_task(task, target_of(customer.query, customer.query_kind)):
                left_out.append(customer)
        already = self._already(work.tx, left_out)
        return [
            _problem(c, already.get(c.row_no, "stands twice in this list"))
            for c in sorted(left_out, key=lambda c: c.row_no)
        ]

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
            leases.reconcile(work, phone_id, epoch=epoch, spool_id=spool_id, open_task_ids=open_task_ids)

    def sweep(self) -> None:
        """Let the tasks be unknown whose lease ended long ago without a word."""
        with self._ledger.work(keeps_time=False) as work:
            leases.give_up(work, self._ledger.settings)

    # ---- inside

    def _known(self, tx: Tx, job_id: JobId) -> Job:
        job = tx.job(job_id)
        if job is None:
            raise UnknownJob(f"no job {job_id}")
        return job

    def _taken(self, tx: Tx, job: Job) -> Job | None:
        there = tx.job_by_hash(job.content_hash)
        if there is not None or tx.add_job(job):
            return there
        return tx.job_by_hash(job.content_hash)

    def _already(self, tx: Tx, customers: Sequence[Customer]) -> dict[int, str]:
        targets = {c.row_no: target_of(c.query, c.query_kind) for c in customers}
        there = tx.tasks_of_target(leases.ACTION, sorted(set(targets.values())))
        return {row_no: why_not(there[target]) for row_no, target in targets.items() if target in there}

    def _hold(self, work: Work, phone_id: PhoneId, waiting: Sequence[Task]) -> Held | None:
        phone = work.tx.phone(phone_id)
        if phone is None:
            return Held(cause="no_such_phone")
        account = work.tx.account(phone.account_id) if phone.account_id else None
        held = leases.hold(work, phone, account, self._ledger.settings)
        mine = [task for task in waiting if task.pinned_phone_id == phone_id and task.pinned_account_id]
        if held is None and any(task.pinned_account_id != phone.account_id for task in mine):
            return Held(cause="waits_for_account")
        return held

    def _lane(self, work: Work, phone_id: PhoneId) -> Lane:
        phone = work.tx.phone(phone_id)
        if phone is None:
            raise UnknownPhone(f"no phone {phone_id}")
        account = work.tx.account(phone.account_id) if phone.account_id else None
        uses = work.tx.permit_uses(account.account_id, leases.ACTION, work.now_ms - DAY_MS) if account else []
        return Lane(
            phone_id=phone_id,
            account_id=phone.account_id,
            rule=rule_for(self._ledger.settings.quota_rules, leases.ACTION),
            uses=uses,
            held=standing(phone, account),
        )

    def _check(self, customers: Sequence[Customer], pool: Sequence[PhoneId]) -> None:
        if not customers:
            raise BadRequest("the list has no rows")
        if len(customers) > self._ledger.settings.job_cap:
            raise SafetyRefusal(f"a job has at most {self._ledger.settings.job_cap} rows")
        if not pool and any(c.pinned_phone_id is None for c in customers):
            raise BadRequest("say which phones may do this")
        without = [c.row_no for c in customers if not c.basis.strip()]
        if without:
            raise SafetyRefusal(f"rows without a basis for contact: {', '.join(map(str, without[:10]))}")


def _problem(customer: Customer, why: str) -> RowProblem:
    return RowProblem(row_no=customer.row_no, column="query", value=customer.query, problem=why)
