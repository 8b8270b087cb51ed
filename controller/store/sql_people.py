"""Persons, and decisions on whole jobs, as statements."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from controller.model import AccountId, Action, Job, JobId, JobState, Task, TaskId
from controller.people import AcceptPolicy, Against, Friend, Person, Suppression, SuppressionAct
from controller.store.sql_jobs import JobSql, task_of
from controller.store.sql_rows import Row, Statements


class JobDecisionSql(JobSql):
    """See controller.store.base_people.JobDecisions."""

    def begin_submitting(self) -> None:
        """Wait for whoever makes or repeats tasks elsewhere; locks that out until the transaction ends."""
        self._the("lock_submitting")

    def lock_job(self, job_id: JobId) -> Job | None:
        """Return a job; locks."""
        return self.job(job_id) if self._one("lock_job", job_id=job_id) is not None else None

    def lock_tasks(self, job_id: JobId) -> list[Task]:
        """Return the tasks of a job by row; locks them all, before the job itself is locked."""
        tasks = [task_of(row) for row in self._all("lock_tasks", job_id=job_id)]
        return sorted(tasks, key=lambda task: (task.row_no, task.id))

    def set_job_state(
        self, job_id: JobId, state: JobState, *, cause: str, by: str, judged_from_ms: int
    ) -> None:
        """Keep whether a job runs, why not, who said so, and since when the stop-loss counts."""
        self._do(
            "set_job_state", job_id=job_id, state=state, cause=cause, by=by, judged_from_ms=judged_from_ms
        )

    def jobs_to_judge(self) -> list[JobId]:
        """Return the running jobs of friend adds."""
        return [JobId(row["id"]) for row in self._all("jobs_to_judge")]

    def last_outcomes(self, job_id: JobId, *, after_ms: int, max_rows: int) -> list[str]:
        """Return the outcomes of the rows that ended after a moment, newest first; cancelled ones not."""
        rows = self._all("last_outcomes", job_id=job_id, after_ms=after_ms, max_rows=max_rows)
        return [str(row["outcome"]) for row in rows]

    def answers(self, job_id: JobId, *, after_ms: int, before_ms: int) -> tuple[int, int]:
        """Return how many rows asked within (after, before], and how many of these were accepted."""
        row = self._the("answers", job_id=job_id, after_ms=after_ms, before_ms=before_ms)
        return int(row["asked"]), int(row["accepted"])


class PeopleSql(Statements):
    """See controller.store.base_people.PeopleRows."""

    def contact_key(self) -> str:
        """Return the farm's own random key in hex, made at the first call; it never changes."""
        if key := str(self._the("contact_key")["contact_key"]):
            return key
        self._do("make_contact_key", key=secrets.token_hex(32))
        return str(self._the("contact_key")["contact_key"])

    def against(self, action: Action, person: Person) -> Against:
        """Return what stands against contacting a person."""
        rows = self._all(
            "against",
            action=action,
            target=person.target,
            forgotten=person.forgotten,
            digest=person.digest,
        )
        found = {str(row["kind"]): str(row["found"]) for row in rows}
        row = self._one("task", task_id=found["task"]) if "task" in found else None
        return Against(
            task=task_of(row) if row else None,
            is_suppressed=found.get("act", SuppressionAct.RELEASE) != SuppressionAct.RELEASE,
            friend_of=AccountId(found["friend"]) if "friend" in found else None,
        )

    def tasks_of_person(self, person: Person) -> list[Task]:
        """Return every task of a person that a list named, forgotten ones too, oldest first; locks."""
        rows = self._all("tasks_of_person", target=person.target, forgotten=person.forgotten)
        return _by_age([task_of(row) for row in rows])

    def tasks_of_contact(self, account_id: AccountId, peer_name: str) -> list[Task]:
        """Return every task of an account about a contact shown so, oldest first; locks."""
        rows = self._all("tasks_of_contact", account_id=account_id, peer_name=peer_name)
        return _by_age([task_of(row) for row in rows])

    def blank_task(self, task_id: TaskId, *, target: str, alias: str) -> None:
        """Take what tells of a person out of a task, and let these stand where the person's keys stood."""
        self._do("blank_task", task_id=task_id, target=target, alias=alias)

    def friend(self, account_id: AccountId, peer_name: str) -> Friend | None:
        """Return a friend of an account by the name shown."""
        row = self._one("friend", account_id=account_id, peer_name=peer_name)
        return _friend(row, self._tags([row])) if row else None

    def save_friend(self, friend: Friend) -> None:
        """Keep a friend; one that is there becomes as given."""
        self._do(
            "save_friend",
            account_id=friend.account_id,
            peer_name=friend.peer_name,
            target=friend.target,
            since_ms=friend.since_ms,
            how=friend.how,
        )
        self._do("drop_friend_tags", account_id=friend.account_id, peer_name=friend.peer_name)
        for tag in dict.fromkeys(friend.tags):
            self._do("add_friend_tag", account_id=friend.account_id, peer_name=friend.peer_name, tag=tag)

    def drop_friend(self, account_id: AccountId, peer_name: str) -> None:
        """Forget a friend of an account."""
        self._do("drop_friend_tags", account_id=account_id, peer_name=peer_name)
        self._do("drop_friend", account_id=account_id, peer_name=peer_name)

    def friends_of(self, account_id: AccountId) -> list[Friend]:
        """Return the friends of an account by name."""
        return self._friends(self._all("friends_of", account_id=account_id))

    def friends_of_target(self, target: str) -> list[Friend]:
        """Return in which accounts a person that a list named is a friend."""
        return self._friends(self._all("friends_of_target", target=target))

    def friends_tagged(self, tag: str) -> list[Friend]:
        """Return the friends that bear a tag, by account and name."""
        return self._friends(self._all("friends_tagged", tag=tag))

    def _friends(self, rows: Sequence[Row]) -> list[Friend]:
        tags = self._tags(rows)
        return [_friend(row, tags) for row in rows]

    def _tags(self, rows: Sequence[Row]) -> dict[tuple[str, str], list[str]]:
        tags: dict[tuple[str, str], list[str]] = {}
        for account_id in sorted({str(row["account_id"]) for row in rows}):
            for row in self._all("friend_tags", account_id=account_id):
                tags.setdefault((account_id, row["peer_name"]), []).append(row["tag"])
        return tags

    def add_suppression(self, digest: str, suppression: Suppression) -> None:
        """Append a decision about a person; the newest one holds."""
        self._do(
            "add_suppression",
            digest=digest,
            act=suppression.act,
            at_ms=suppression.at_ms,
            actor=suppression.actor,
            source=suppression.source,
            reason=suppression.reason,
        )

    def suppressions(self, digest: str) -> list[Suppression]:
        """Return the decisions about a person, oldest first."""
        return [
            Suppression(
                act=SuppressionAct(row["act"]),
                at_ms=row["at_ms"],
                actor=row["actor"],
                source=row["source"],
                reason=row["reason"],
            )
            for row in self._all("suppressions", digest=digest)
        ]

    def blank_suppressions(self, digest: str) -> None:
        """Empty the free text of the decisions about a person."""
        self._do("blank_suppressions", digest=digest)

    def accept_policy(self, account_id: AccountId) -> AcceptPolicy | None:
        """Return whether and how an account accepts; None if nobody ever decided."""
        row = self._one("accept_policy", account_id=account_id)
        if row is None:
            return None
        return AcceptPolicy(
            is_on=bool(row["is_on"]),
            hours=(int(row["from_minute"]), int(row["to_minute"])),
            weekdays=frozenset(int(day) for day in row["weekdays"]),
            reply=row["reply"],
            tags=tuple(row["tags"].split("\n")) if row["tags"] else (),
            set_by=row["set_by"],
            set_at_ms=row["set_at_ms"],
        )

    def set_accept_policy(self, account_id: AccountId, policy: AcceptPolicy) -> None:
        """Keep whether and how an account accepts."""
        self._do(
            "set_accept_policy",
            account_id=account_id,
            is_on=policy.is_on,
            from_minute=policy.hours[0],
            to_minute=policy.hours[1],
            weekdays="".join(str(day) for day in sorted(policy.weekdays)),
            reply=policy.reply,
            tags="\n".join(policy.tags),
            set_by=policy.set_by,
            set_at_ms=policy.set_at_ms,
        )

    def keep_request(self, account_id: AccountId, peer_name: str, seen_at_ms: int) -> None:
        """Keep that a request to an account is open, and when it was seen so last."""
        self._do("keep_request", account_id=account_id, peer_name=peer_name, seen_at_ms=seen_at_ms)

    def drop_request(self, account_id: AccountId, peer_name: str) -> None:
        """Keep that a request to an account is not open any more."""
        self._do("drop_request", account_id=account_id, peer_name=peer_name)

    def open_requests(self, account_id: AccountId) -> list[str]:
        """Return whose requests to an account are open, by when they were seen."""
        return [str(row["peer_name"]) for row in self._all("open_requests", account_id=account_id)]

    def unfinished_accepts(self, account_id: AccountId) -> Sequence[Task]:
        """Return the queued accepts and first replies of an account; locks."""
        return [task_of(row) for row in self._all("unfinished_accepts", account_id=account_id)]


def _by_age(tasks: list[Task]) -> list[Task]:
    return sorted(tasks, key=lambda task: (task.created_at_ms, task.id))


def _friend(row: Row, tags: dict[tuple[str, str], list[str]]) -> Friend:
    account_id, peer_name = str(row["account_id"]), str(row["peer_name"])
    return Friend(
        account_id=AccountId(account_id),
        peer_name=peer_name,
        target=row["target"],
        tags=tuple(tags.get((account_id, peer_name), ())),
        since_ms=row["since_ms"],
        how=row["how"],
    )
