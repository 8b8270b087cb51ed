"""The contract of the store about persons and about decisions on jobs; see controller.store.base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from controller.model import AccountId, Action, Job, JobId, JobState, Task, TaskId
from controller.people import AcceptPolicy, Against, Friend, Person, Suppression


class JobDecisions(Protocol):
    """What people and the stop-loss decide on a whole job."""

    def begin_submitting(self) -> None:
        """Wait for whoever makes or repeats tasks elsewhere; locks that out until the transaction ends."""

    def lock_job(self, job_id: JobId) -> Job | None:
        """Return a job; locks."""

    def lock_tasks(self, job_id: JobId) -> list[Task]:
        """Return the tasks of a job by row; locks them all, before the job itself is locked."""

    def set_job_state(
        self, job_id: JobId, state: JobState, *, cause: str, by: str, judged_from_ms: int
    ) -> None:
        """Keep whether a job runs, why not, who said so, and since when the stop-loss counts."""

    def jobs_to_judge(self) -> list[JobId]:
        """Return the running jobs of friend adds."""

    def last_outcomes(self, job_id: JobId, *, after_ms: int, max_rows: int) -> list[str]:
        """Return the outcomes of the rows that ended after a moment, newest first; cancelled ones not."""

    def answers(self, job_id: JobId, *, after_ms: int, before_ms: int) -> tuple[int, int]:
        """Return how many rows asked within (after, before], and how many of these were accepted.

        Only rows whose acceptance could be seen count: there was a notice for the holder of their phone.
        """


class PeopleRows(Protocol):
    """Friends, suppressions, and the policies of accepting."""

    def contact_key(self) -> str:
        """Return the farm's own random key in hex, made at the first call; it never changes."""

    def against(self, action: Action, person: Person) -> Against:
        """Return what stands against contacting a person."""

    def tasks_of_person(self, person: Person) -> list[Task]:
        """Return every task of a person that a list named, forgotten ones too, oldest first; locks."""

    def tasks_of_contact(self, account_id: AccountId, peer_name: str) -> list[Task]:
        """Return every task of an account about a contact shown so, oldest first; locks."""

    def blank_task(self, task_id: TaskId, *, target: str, alias: str) -> None:
        """Take what tells of a person out of a task, and let these stand where the person's keys stood."""

    def friend(self, account_id: AccountId, peer_name: str) -> Friend | None:
        """Return a friend of an account by the name shown."""

    def save_friend(self, friend: Friend) -> None:
        """Keep a friend; one that is there becomes as given."""

    def drop_friend(self, account_id: AccountId, peer_name: str) -> None:
        """Forget a friend of an account."""

    def friends_of(self, account_id: AccountId) -> list[Friend]:
        """Return the friends of an account by name."""

    def friends_of_target(self, target: str) -> list[Friend]:
        """Return in which accounts a person that a list named is a friend."""

    def friends_tagged(self, tag: str) -> list[Friend]:
        """Return the friends that bear a tag, by account and name."""

    def add_suppression(self, digest: str, suppression: Suppression) -> None:
        """Append a decision about a person; the newest one holds."""

    def suppressions(self, digest: str) -> list[Suppression]:
        """Return the decisions about a person, oldest first."""

    def blank_suppressions(self, digest: str) -> None:
        """Empty the free text of the decisions about a person."""

    def accept_policy(self, account_id: AccountId) -> AcceptPolicy | None:
        """Return whether and how an account accepts; None if nobody ever decided."""

    def set_accept_policy(self, account_id: AccountId, policy: AcceptPolicy) -> None:
        """Keep whether and how an account accepts."""

    def keep_request(self, account_id: AccountId, peer_name: str, seen_at_ms: int) -> None:
        """Keep that a request to an account is open, and when it was seen so last."""

    def drop_request(self, account_id: AccountId, peer_name: str) -> None:
        """Keep that a request to an account is not open any more."""

    def open_requests(self, account_id: AccountId) -> list[str]:
        """Return whose requests to an account are open, by when they were seen."""

    def unfinished_accepts(self, account_id: AccountId) -> Sequence[Task]:
        """Return the queued accepts and first replies of an account; locks."""
