"""Tasks in this agent's hands, and the durable record made before each irreversible tap."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.actions import kind_of, packed, unpacked
from agent.boottime import boot_id, boot_ms, wall_ms
from agent.errors import LeaseLost
from agent.model import Ended, LeasedTask
from agent.outbox import KEEP_ACKED_MS, Outbox
from protos.facts import TaskArmed, TaskEnded, TaskReturned

# One tap, its answer and a slow phone need this much of a lease. What is typed between the two taps of an
# add may take longer: `check` asks again before each of them.
LEASE_MARGIN_MS = 15_000

_COLUMNS = "task_id, attempt, job_id, permit_id, phone_epoch, until_boot_ms, boot_id, kind, action"
# The words of a task are a customer's data: they go when nothing can be done with them any more.
_BLANK = "action = ''"


@dataclass(frozen=True, slots=True)
class HostTime:
    """The clocks a lease is checked against."""

    boot_ms: Callable[[], int] = boot_ms
    boot_id: Callable[[], str] = boot_id
    wall_ms: Callable[[], int] = wall_ms


class Intents:
    """received → armed → ended, or received → returned; every step is one durable transaction."""

    def __init__(self, outbox: Outbox, time: HostTime | None = None) -> None:
        self._outbox = outbox
        self._time = time or HostTime()

    def receive(self, task: LeasedTask) -> bool:
        """Keep an offered task; False if this attempt was here before (if open it gets the new time)."""
        with self._outbox.transaction("receive") as conn:
            row = conn.execute(
                "SELECT state FROM lease WHERE task_id = ? AND attempt = ?", (task.task_id, task.attempt)
            ).fetchone()
            if row is None:
                conn.execute(
                    f"INSERT INTO lease ({_COLUMNS}, state, received_at_ms)"  # noqa: S608 -- constant text
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'received', ?)",
                    (
                        task.task_id,
                        task.attempt,
                        task.job_id,
                        task.permit_id,
                        task.phone_epoch,
                        task.until_boot_ms,
                        task.boot_id,
                        kind_of(task.action),
                        packed(task.action),
                        self._time.wall_ms(),
                    ),
                )
                return True
            self._set_lease(conn, task.task_id, task.until_boot_ms)
            return False

    def renew(self, task_id: str, until_boot_ms: int) -> None:
        """Move the end of a lease on this host's boot clock into the present epoch; 0: the lease is gone."""
        with self._outbox.transaction("renew") as conn:
            self._set_lease(conn, task_id, until_boot_ms)

    def arm(self, task: LeasedTask, object_key: str = "") -> None:
        """Record that the irreversible tap comes next, and on what; LeaseLost if it must not.

        The lease as it stands in the file counts, not as it was when the task came.
        """
        with self._outbox.transaction("arm") as conn:
            self._must_hold(conn, task, state="received")
            conn.execute(
                "INSERT INTO intent"
                " (task_id, attempt, state, armed_at_ms, boot_id, account_id, object_key, result, outcome)"
                " VALUES (?, ?, 'armed', ?, ?, ?, ?, '', '')",
                (
                    task.task_id,
                    task.attempt,
                    self._time.wall_ms(),
                    self._time.boot_id(),
                    self._outbox.account_id,
                    object_key,
                ),
            )
            self._move(conn, task, "armed")
            self._outbox.append(conn, [TaskArmed(task_id=task.task_id, attempt=task.attempt)])

    def check(self, task: LeasedTask) -> None:
        """Raise LeaseLost if the lease of an armed task allows no tap any more."""
        with self._outbox.reading() as conn:
            self._must_hold(conn, task, state="armed")

    def armed_as(self, task: LeasedTask) -> str:
        """Return the account that was signed in when a task was armed, empty if that is not known."""
        return self._noted(task, "account_id")

    def armed_key(self, task: LeasedTask) -> str:
        """Return the digest of what an armed task was about to act on, empty if that is not known."""
        return self._noted(task, "object_key")

    def end(self, task: LeasedTask, ended: Ended) -> None:
        """Settle a task: its intent if it was armed, and the event that tells; a second time does nothing."""
        with self._outbox.transaction("end") as conn:
            state = self._state(conn, task)
            if state not in ("received", "armed"):
                return
            conn.execute(
                "UPDATE intent SET state = 'settled', result = ?, outcome = ?, settled_at_ms = ?"
                " WHERE task_id = ? AND attempt = ?",
                (ended.result, ended.outcome, self._time.wall_ms(), task.task_id, task.attempt),
            )
            self._move(conn, task, "ended", forget=True)
            fact = TaskEnded(
                task_id=task.task_id,
                attempt=task.attempt,
                result=ended.result,
                outcome=ended.outcome,
                evidence=ended.evidence,
                was_armed=state == "armed",
                peer_name=ended.peer_name,
                object_key=ended.object_key,
                picture=ended.picture,
                picture_sha256=ended.picture_sha256,
            )
            self._outbox.append(conn, [fact])

    def give_back(self, task: LeasedTask, cause: str) -> None:
        """Return a task that was not armed; ValueError for one that was: only looking ends it."""
        with self._outbox.transaction("give_back") as conn:
            state = self._state(conn, task)
            if state == "armed":
                raise ValueError(f"task {task.task_id} is armed and cannot be given back")
            if state == "received":
                self._move(conn, task, "returned", forget=True)
                fact = TaskReturned(task_id=task.task_id, attempt=task.attempt, cause=cause)
                self._outbox.append(conn, [fact])

    def open_tasks(self) -> list[LeasedTask]:
        """Return the tasks that were received and have not ended, oldest first; armed ones among them."""
        return self._tasks("state IN ('received', 'armed')")

    def armed(self) -> list[LeasedTask]:
        """Return the tasks whose tap may have been made and whose outcome is not recorded."""
        return self._tasks("state = 'armed'")

    def is_armed(self, task: LeasedTask) -> bool:
        """Tell whether a task is among the armed ones."""
        with self._outbox.reading() as conn:
            return self._state(conn, task) == "armed"

    def purge(self) -> None:
        """Forget tasks that ended more than a week ago."""
        old = "SELECT task_id, attempt FROM lease WHERE state IN ('ended', 'returned') AND received_at_ms < ?"
        before = (self._time.wall_ms() - KEEP_ACKED_MS,)
        with self._outbox.transaction("purge") as conn:
            for table in ("intent", "lease"):
                conn.execute(f"DELETE FROM {table} WHERE (task_id, attempt) IN ({old})", before)  # noqa: S608 -- constant text

    def _tasks(self, where: str) -> list[LeasedTask]:
        with self._outbox.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM lease WHERE {where} ORDER BY received_at_ms, rowid"  # noqa: S608 -- constant text
            ).fetchall()
        return [_task(row) for row in rows]

    def _noted(self, task: LeasedTask, column: str) -> str:
        with self._outbox.reading() as conn:
            row = conn.execute(
                f"SELECT {column} FROM intent WHERE task_id = ? AND attempt = ?",  # noqa: S608 -- constant text
                (task.task_id, task.attempt),
            ).fetchone()
        return str(row[0]) if row else ""

    def _must_hold(self, conn: sqlite3.Connection, task: LeasedTask, *, state: str) -> None:
        row = conn.execute(
            "SELECT until_boot_ms, boot_id, phone_epoch, state FROM lease WHERE task_id = ? AND attempt = ?",
            (task.task_id, task.attempt),
        ).fetchone()
        refusal = why_not_tap(
            row,
            state=state,
            now_boot_ms=self._time.boot_ms(),
            boot=self._time.boot_id(),
            phone_epoch=self._outbox.phone_epoch,
        )
        refusal = refusal or self._outbox.actions_in_doubt
        if refusal:
            raise LeaseLost(f"task {task.task_id}: {refusal}")

    def _state(self, conn: sqlite3.Connection, task: LeasedTask) -> str:
        row = conn.execute(
            "SELECT state FROM lease WHERE task_id = ? AND attempt = ?", (task.task_id, task.attempt)
        ).fetchone()
        return str(row[0]) if row else ""

    def _move(self, conn: sqlite3.Connection, task: LeasedTask, state: str, *, forget: bool = False) -> None:
        conn.execute(
            f"UPDATE lease SET state = ?{', ' + _BLANK if forget else ''} WHERE task_id = ? AND attempt = ?",  # noqa: S608 -- constant text
            (state, task.task_id, task.attempt),
        )

    def _set_lease(self, conn: sqlite3.Connection, task_id: str, until_boot_ms: int) -> None:
        # Whoever renews speaks for the present epoch: each greeting raises it, also that of a mere reconnect.
        conn.execute(
            "UPDATE lease SET until_boot_ms = ?, boot_id = ?, phone_epoch = ?"
            " WHERE task_id = ? AND state IN ('received', 'armed')",
            (until_boot_ms, self._time.boot_id(), self._outbox.phone_epoch, task_id),
        )


def why_not_tap(
    row: tuple[int, str, int, str] | None, *, state: str, now_boot_ms: int, boot: str, phone_epoch: int
) -> str:
    """Return why no tap may follow (lease: until_boot_ms, boot_id, phone_epoch, state), empty if it may.

    `state` is the one the task has to be in: received before it is armed, armed after that.
    """
    if row is None:
        return "it was never received"
    until_boot_ms, lease_boot, lease_epoch, found = row
    if found != state:
        return f"it is {found} already"
    if lease_boot != boot:
        return "its lease is of another boot of this host"
    if lease_epoch != phone_epoch:
        return f"it was leased in epoch {lease_epoch}, this is {phone_epoch}"
    if until_boot_ms - now_boot_ms < LEASE_MARGIN_MS:
        return f"its lease has {until_boot_ms - now_boot_ms} ms left"
    return ""


def _task(row: tuple[Any, ...]) -> LeasedTask:
    task_id, attempt, job_id, permit_id, epoch, until, boot, kind, action = row
    return LeasedTask(
        task_id=task_id,
        job_id=job_id,
        attempt=attempt,
        permit_id=permit_id,
        phone_epoch=epoch,
        until_boot_ms=until,
        boot_id=boot,
        action=unpacked(kind, action),
    )
