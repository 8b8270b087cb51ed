"""Jobs, tasks and permits, as statements."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from controller.model import (
    AccountId,
    Action,
    Job,
    JobId,
    JobState,
    PermitId,
    PhoneId,
    QueryKind,
    Task,
    TaskId,
    TaskState,
)
from controller.store.base import Permit
from controller.store.sql_rows import Row, Statements


class JobSql(Statements):
    """See controller.store.base.JobRows."""

    def next_job_number(self, day: str) -> int:
        """Return 1, 2, 3 … for a day; locks the day."""
        return int(self._the("next_job_number", day=day)["last_number"])

    def add_job(self, job: Job) -> bool:
        """Add a job with its pool; False if one with this content is there."""
        added = self._do(
            "add_job",
            id=job.id,
            action=job.action,
            state=job.state,
            created_at_ms=job.created_at_ms,
            created_by=job.created_by,
            content_hash=job.content_hash,
            source_name=job.source_name,
            greeting=job.greeting,
            max_age_days=job.max_age_days,
            state_cause=job.state_cause,
            state_by=job.state_by,
            judged_from_ms=job.judged_from_ms,
        )
        if added != 1:
            return False
        for phone_id in job.pool:
            self._do("add_to_pool", job_id=job.id, phone_id=phone_id)
        return True

    def job(self, job_id: JobId) -> Job | None:
        """Return a job."""
        return self._job(self._one("job", job_id=job_id))

    def job_by_hash(self, content_hash: str) -> Job | None:
        """Return the job with this content."""
        return self._job(self._one("job_by_hash", content_hash=content_hash))

    def _job(self, row: Row | None) -> Job | None:
        if row is None:
            return None
        return _job(row, [PhoneId(r["phone_id"]) for r in self._all("pool", job_id=row["id"])])

    def jobs(self) -> list[Job]:
        """Return all jobs, newest first."""
        pools: dict[str, list[PhoneId]] = defaultdict(list)
        for row in self._all("pools"):
            pools[row["job_id"]].append(PhoneId(row["phone_id"]))
        return [_job(row, pools[row["id"]]) for row in self._all("jobs")]

    def end_job_if_over(self, job_id: JobId) -> bool:
        """End a running job of which every task has ended; locks the job, so that no last task is missed."""
        self._one("lock_job", job_id=job_id)
        return self._do("end_job_if_over", job_id=job_id) == 1

    def add_task(self, task: Task, target: str) -> bool:
        """Add a task; False if a task stands for this action and target anywhere in the fleet."""
        fixed: dict[str, Any] = {
            "job_id": task.job_id,
            "row_no": task.row_no,
            "action": task.action,
            "target": target,
            "query": task.query,
            "query_kind": task.query_kind,
            "remark": task.remark,
            "basis": task.basis,
            "basis_at": task.basis_at,
            "created_at_ms": task.created_at_ms,
            "tags": "\n".join(task.tags),
            "alias": task.alias,
        }
        return self._do("add_task", **fixed, **_changing(task)) == 1

    def task(self, task_id: TaskId) -> Task | None:
        """Return a task."""
        row = self._one("task", task_id=task_id)
        return _task(row) if row else None

    def lock_task(self, task_id: TaskId) -> Task | None:
        """Return a task; locks."""
        row = self._one("lock_task", task_id=task_id)
        return _task(row) if row else None

    def save_task(self, task: Task) -> None:
        """Keep everything about a task that can change."""
        self._do("save_task", **_changing(task))

    def tasks(self, job_id: JobId) -> list[Task]:
        """Return the tasks of a job by row."""
        return [_task(row) for row in self._all("tasks", job_id=job_id)]

    def task_counts(self, job_id: JobId) -> dict[tuple[TaskState, str], int]:
        """Return how many tasks of a job have each state and outcome."""
        rows = self._all("task_counts", job_id=job_id)
        return {(TaskState(row["state"]), row["outcome"]): int(row["found"]) for row in rows}

    def live_tasks(self, phone_id: PhoneId) -> list[Task]:
        """Return the tasks leased to a phone or armed on it; locks."""
        return [_task(row) for row in self._all("live_tasks", phone_id=phone_id)]

    def next_not_before(self, phone_id: PhoneId, action: Action | None = None) -> int | None:
        """Return the earliest time at which a queued task (of an action) may go to this phone; None: no."""
        if action is None:
            found = self._the("next_not_before", phone_id=phone_id)["found"]
        else:
            found = self._the("next_not_before_of", phone_id=phone_id, action=action)["found"]
        return None if found is None else int(found)

    def oldest(
        self, phone_id: PhoneId, account_id: AccountId, now_ms: int, *, action: Action, paused_after_ms: int
    ) -> Task | None:
        """Return the oldest queued task of an action for this phone and account."""
        row = self._one(
            "oldest",
            phone_id=phone_id,
            account_id=account_id,
            now_ms=now_ms,
            action=action,
            paused_after_ms=paused_after_ms,
        )
        return _task(row) if row else None

    def take_oldest(
        self, phone_id: PhoneId, account_id: AccountId, now_ms: int, *, action: Action, paused_after_ms: int
    ) -> Task | None:
        """Return what `oldest` does; locks, and passes by rows others hold."""
        row = self._one(
            "take_oldest",
            phone_id=phone_id,
            account_id=account_id,
            now_ms=now_ms,
            action=action,
            paused_after_ms=paused_after_ms,
        )
        return _task(row) if row else None

    def contact_free_ms(
        self, phone_id: PhoneId, account_id: AccountId, now_ms: int, *, action: Action, paused_after_ms: int
    ) -> int | None:
        """Return the earliest last use by which `oldest` passes somebody by; None: it passes nobody by."""
        found = self._the(
            "contact_free",
            phone_id=phone_id,
            account_id=account_id,
            now_ms=now_ms,
            action=action,
            paused_after_ms=paused_after_ms,
        )["found"]
        return None if found is None else int(found)

    def tasks_without_word(self, before_ms: int) -> list[Task]:
        """Return the live tasks whose lease ended before; locks, and passes by rows others hold."""
        return [_task(row) for row in self._all("tasks_without_word", before_ms=before_ms)]

    def tasks_of_peer(self, account_id: AccountId, title: str) -> list[Task]:
        """Return the done requests of an account to a person shown under this title; locks."""
        return [_task(row) for row in self._all("tasks_of_peer", account_id=account_id, title=title)]

    def add_permit(self, permit: Permit) -> None:
        """Take one right to act."""
        self._do(
            "add_permit",
            id=permit.id,
            account_id=permit.account_id,
            action=permit.action,
            task_id=permit.task_id,
            attempt=permit.attempt,
            phone_id=permit.phone_id,
            taken_at_ms=permit.taken_at_ms,
            last_use_ms=permit.last_use_ms,
        )

    def permit_of(self, task_id: TaskId, attempt: int) -> Permit | None:
        """Return the permit that paid for an attempt."""
        row = self._one("permit_of", task_id=task_id, attempt=attempt)
        if row is None:
            return None
        return Permit(
            id=PermitId(row["id"]),
            account_id=AccountId(row["account_id"]),
            action=Action(row["action"]),
            task_id=TaskId(row["task_id"]),
            attempt=row["attempt"],
            phone_id=PhoneId(row["phone_id"]),
            taken_at_ms=row["taken_at_ms"],
            last_use_ms=row["last_use_ms"],
        )

    def permit_uses(
        self, account_id: AccountId, action: Action, after_ms: int, *, but: PermitId | None = None
    ) -> list[int]:
        """Return the last possible uses after a moment of all permits not given back but one, in order."""
        rows = self._all(
            "permit_uses", account_id=account_id, action=action, after_ms=after_ms, but=but or ""
        )
        return [int(row["used_ms"]) for row in rows]

    def set_permit_use(self, task_id: TaskId, attempt: int, last_use_ms: int) -> None:
        """Keep when the permit of an attempt can have been used last; one given back counts again."""
        self._do("set_permit_use", task_id=task_id, attempt=attempt, last_use_ms=last_use_ms)

    def return_permit(self, task_id: TaskId, attempt: int) -> bool:
        """Give the permit of an attempt back as never used; False if it was given back before."""
        return self._do("return_permit", task_id=task_id, attempt=attempt) == 1


def _changing(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "state": task.state,
        "outcome": task.outcome,
        "evidence": task.evidence,
        "cause": task.cause,
        "attempt": task.attempt,
        "phone_id": task.phone_id,
        "account_id": task.account_id,
        "permit_id": task.permit_id,
        "phone_epoch": task.phone_epoch,
        "lease_until_ms": task.lease_until_ms,
        "not_before_ms": task.not_before_ms,
        "ended_at_ms": task.ended_at_ms,
        "spool_id": task.spool_id,
        "not_sent": task.not_sent,
        "returned": task.returned,
        "pinned_phone_id": task.pinned_phone_id,
        "pinned_account_id": task.pinned_account_id,
        "peer_name": task.peer_name,
        "object_key": task.object_key,
    }


def _job(row: Row, pool: list[PhoneId]) -> Job:
    return Job(
        id=JobId(row["id"]),
        action=Action(row["action"]),
        state=JobState(row["state"]),
        created_at_ms=row["created_at_ms"],
        created_by=row["created_by"],
        content_hash=row["content_hash"],
        source_name=row["source_name"],
        greeting=row["greeting"],
        pool=tuple(pool),
        max_age_days=row["max_age_days"],
        state_cause=row["state_cause"],
        state_by=row["state_by"],
        judged_from_ms=row["judged_from_ms"],
    )


def task_of(row: Row) -> Task:
    """Return a task out of its row."""
    return _task(row)


def _task(row: Row) -> Task:
    return Task(
        id=TaskId(row["id"]),
        job_id=JobId(row["job_id"]),
        row_no=row["row_no"],
        action=Action(row["action"]),
        query=row["query"],
        query_kind=QueryKind(row["query_kind"]),
        remark=row["remark"],
        basis=row["basis"],
        basis_at=row["basis_at"],
        state=TaskState(row["state"]),
        outcome=row["outcome"],
        evidence=row["evidence"],
        cause=row["cause"],
        attempt=row["attempt"],
        pinned_phone_id=PhoneId(row["pinned_phone_id"]) if row["pinned_phone_id"] else None,
        phone_id=PhoneId(row["phone_id"]) if row["phone_id"] else None,
        account_id=AccountId(row["account_id"]) if row["account_id"] else None,
        permit_id=PermitId(row["permit_id"]) if row["permit_id"] else None,
        phone_epoch=row["phone_epoch"],
        lease_until_ms=row["lease_until_ms"],
        not_before_ms=row["not_before_ms"],
        ended_at_ms=row["ended_at_ms"],
        created_at_ms=row["created_at_ms"],
        spool_id=row["spool_id"],
        not_sent=row["not_sent"],
        returned=row["returned"],
        pinned_account_id=AccountId(row["pinned_account_id"]) if row["pinned_account_id"] else None,
        peer_name=row["peer_name"],
        tags=tuple(row["tags"].split("\n")) if row["tags"] else (),
        object_key=row["object_key"],
        alias=row["alias"],
    )
