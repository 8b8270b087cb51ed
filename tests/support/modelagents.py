"""Agents as a model: a durable memory, a lease by their own clock, and an oracle of the taps really made.

Times of the oracle are the steady milliseconds of the test's clock: nobody can set them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from controller.clock import FixedClock
from controller.core import Core
from controller.errors import SpoolGap
from controller.model import Lease, PhoneId, TaskId
from controller.sessions import Greeting
from protos.facts import Fact, TaskArmed, TaskEnded, TaskReturned
from tests.support.clock import START_MS
from tests.support.corefarm import body, facts

LEASE_MS = 120_000


@dataclass
class Truth:
    """What was really done, whoever knows of it."""

    by_machine: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # by account
    by_hand: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    of_task: dict[TaskId, int] = field(default_factory=lambda: defaultdict(int))
    tasks_of: dict[str, list[TaskId]] = field(default_factory=lambda: defaultdict(list))  # by account

    def tap(self, account_id: str, task_id: TaskId, at_ms: int) -> None:
        self.by_machine[account_id].append(at_ms)
        self.of_task[task_id] += 1
        self.tasks_of[account_id].append(task_id)

    def recent(self, account_id: str, now_ms: int, window_ms: int) -> int:
        """Return how many taps of the machine lie in the window that ends now."""
        return sum(1 for at_ms in self.by_machine[account_id] if at_ms > now_ms - window_ms)

    def recent_by_hand(self, account_id: str, now_ms: int, window_ms: int) -> int:
        return sum(1 for at_ms in self.by_hand[account_id] if at_ms > now_ms - window_ms)


@dataclass
class Held:
    """A task in an agent's hands."""

    lease: Lease
    until_steady_ms: int
    is_armed: bool = False
    is_tapped: bool = False


@dataclass
class ModelAgent:
    """One agent of one phone; everything but `epoch` and `is_reconciled` survives its end."""

    serial: str
    phone_id: PhoneId
    account_id: str
    spool_id: str
    clock: FixedClock
    truth: Truth
    epoch: int | None = None
    is_reconciled: bool = False
    last_epoch: int = 0
    last_farm_epoch: int = 0
    acked: int = 0
    bodies: list[bytes] = field(default_factory=list)
    held: dict[TaskId, Held] = field(default_factory=dict)

    # ---- its session

    def greet(self, core: Core) -> None:
        """Begin a session; nothing of the backlog is sent yet."""
        admission = core.fleet.hello(
            Greeting(
                facts=facts(self.serial),
                spool_id=self.spool_id,
                spool_lowest=min(1, len(self.bodies)),
                spool_highest=len(self.bodies),
                open_task_ids=tuple(self.held),
                last_farm_epoch=self.last_farm_epoch,
                last_phone_epoch=self.last_epoch,
                spool_acked=self.acked,
            )
        )
        self.epoch = self.last_epoch = admission.phone_epoch
        self.last_farm_epoch = admission.farm_epoch
        self.acked = admission.high_water
        self.is_reconciled = False

    def lose_session(self) -> None:
        self.epoch, self.is_reconciled = None, False

    def connect(self, core: Core) -> None:
        """Begin a session as the controller's edge does: backlog first, then what stands open is settled."""
        self.greet(core)
        self.deliver(core)
        self.reconcile(core)

    def reconcile(self, core: Core) -> None:
        assert self.epoch is not None
        core.jobs.reconcile(
            self.phone_id, epoch=self.epoch, spool_id=self.spool_id, open_task_ids=frozenset(self.held)
        )
        self.is_reconciled = True

    def say(self, *said: Fact) -> None:
        """Keep events in the outbox."""
        at_ms = START_MS + self.clock.steady_ms()
        self.bodies.extend(
            body(fact, epoch=self.last_epoch, account_id=self.account_id, at_ms=at_ms) for fact in said
        )

    def deliver(self, core: Core, *, again_from: int | None = None, at_most: int = 1_000) -> None:
        """Send the outbox, or a part of it for a second time."""
        first = self.acked if again_from is None else min(again_from, self.acked)
        batch = self.bodies[first : first + at_most]
        try:
            reached = core.archive.accept(self.phone_id, self.spool_id, first + 1, batch)
        except SpoolGap as gap:
            self.acked = gap.expected_seq - 1
            self.deliver(core)
            return
        self.acked = max(self.acked, reached)

    # ---- its tasks

    def ask(self, core: Core, *, is_lost: bool = False) -> object:
        """Ask for a task; an answer that is lost on the way was never received."""
        assert self.epoch is not None
        found = core.jobs.lease(self.phone_id, epoch=self.epoch, spool_id=self.spool_id)
        if isinstance(found, Lease) and not is_lost:
            self.held[found.task.id] = Held(found, self.clock.steady_ms() + LEASE_MS)
        return found

    def may_tap(self, held: Held) -> bool:
        return self.clock.steady_ms() <= held.until_steady_ms

    def renew(self, core: Core) -> None:
        assert self.epoch is not None
        for renewal in core.jobs.renew(self.phone_id, epoch=self.epoch, task_ids=list(self.held)):
            held = self.held.get(renewal.task_id)
            if held is None:
                continue
            # A lease that ran out by the agent's clock is not taken up again.
            if renewal.lease_ms and self.may_tap(held):
                held.until_steady_ms = self.clock.steady_ms() + renewal.lease_ms
            elif not renewal.lease_ms:
                held.until_steady_ms = self.clock.steady_ms() - 1

    def arm(self) -> None:
        for held in self.held.values():
            if not held.is_armed and self.may_tap(held):
                held.is_armed = True
                self.say(TaskArmed(task_id=held.lease.task.id, attempt=held.lease.task.attempt))

    def tap(self) -> None:
        for held in self.held.values():
            if held.is_armed and not held.is_tapped and self.may_tap(held):
                held.is_tapped = True
                self.truth.tap(self.account_id, held.lease.task.id, self.clock.steady_ms())

    def end(self, *, is_sure: bool = True) -> None:
        """Report every armed task as what it is, or as unknown."""
        for task_id, held in list(self.held.items()):
            if not held.is_armed:
                continue
            result, outcome = ("done", "requested") if held.is_tapped else ("not_done", "not_sent")
            if not is_sure:
                result, outcome = "unknown", "answer_lost"
            del self.held[task_id]
            self.say(
                TaskEnded(
                    task_id=task_id,
                    attempt=held.lease.task.attempt,
                    result=result,
                    outcome=outcome,
                    evidence="",
                    was_armed=True,
                    peer_name=name_of(task_id) if is_sure else "",
                )
            )

    def give_back(self) -> None:
        for task_id, held in list(self.held.items()):
            if not held.is_armed:
                del self.held[task_id]
                self.say(TaskReturned(task_id=task_id, attempt=held.lease.task.attempt, cause="in_hand"))


def name_of(task_id: TaskId) -> str:
    """Return under which name the person of a task is shown."""
    return f"person of {task_id}"
