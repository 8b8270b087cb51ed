"""One piece of work: a transaction that knows the farm's time, and what to tell others after its commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from controller.alerts import Target
from controller.clock import Clock, WatchedClock
from controller.hours import FARM_ZONE
from controller.model import JobId, PhoneId, QuotaRule
from controller.shelves import Shelf, Shelves
from controller.stoploss import StopLoss, judge
from controller.store.base import Store, Tx
from protos.crashpoint import reach


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreSettings:
    """What an administrator decides for the whole farm; milliseconds throughout."""

    quota_rules: tuple[QuotaRule, ...]
    words: tuple[str, ...] = ()
    # A farm without any words yet begins with those of the release.
    words_default: bool = True
    # Only who was told by this version may be recorded; empty: any version counts.
    notice_version: str = ""
    # By which the allowed hours of an account are read that has no zone of its own.
    time_zone: str = FARM_ZONE
    lease_ms: int = 120_000
    lost_after_ms: int = 30_000
    # So long after the end of its lease a task without word counts as unknown.
    give_up_ms: int = 3_600_000
    sweep_pause_ms: int = 5_000
    # A person who touched a phone has it to themselves for so long.
    hand_quiet_ms: int = 30_000
    job_cap: int = 2_000
    # A task that was given back waits so long before its next attempt.
    retry_pause_ms: int = 10_000
    # One that was armed and not sent waits longer: a request may show late.
    not_sent_pause_ms: int = 60_000
    max_attempts: int = 3
    max_returns: int = 5
    stop_loss: StopLoss = field(default_factory=StopLoss)
    # Who is told of violations outside.
    alerts: tuple[Target, ...] = ()


class ChangeKind(StrEnum):
    """What others may want to look at again."""

    WORK = "work"  # a task may have become available to some phone
    PHONE = "phone"  # settings, number or rest of one phone changed
    CALIBRATE = "calibrate"  # one phone is asked to learn the ids of its client


@dataclass(frozen=True, slots=True)
class Change:
    """A change after its commit; `serial` is set when a handset got its number."""

    kind: ChangeKind
    phone_id: PhoneId | None = None
    serial: str = ""
    request_id: str = ""


Watcher = Callable[[Change], None]

# Why the clock cannot be trusted: no task is handed out. Behind: the farm's clock stands still meanwhile.
CLOCK_JUMPED = "clock_jumped"
CLOCK_BEHIND = "clock_behind"


@dataclass(slots=True)
class Work:
    """An open transaction, its time, and the changes and jobs to settle with it."""

    tx: Tx
    now_ms: int
    keeps_time: bool = True
    clock_jumped: bool = False  # far from what is known, ahead or behind: no permit is taken
    stands_still: bool = False  # far behind: the time of this work is not the time that passes
    changes: list[Change] = field(default_factory=list)
    jobs_to_close: set[JobId] = field(default_factory=set)
    time_zone: str = FARM_ZONE  # by which hours are read where an account has no zone of its own
    after_commit: list[Callable[[], None]] = field(default_factory=list)  # on the core's thread
    shelves: Shelves | None = None
    _shelf: Shelf | None = None

    def shelf(self) -> Shelf:
        """Return the words and rules that this transaction sees."""
        if self._shelf is None:
            if self.shelves is None:
                raise LookupError("this work knows no words and rules")
            self._shelf = self.shelves.load(self.tx)
        return self._shelf

    def put_shelf(self, shelf: Shelf) -> None:
        """Let words and rules be in force from here on in this transaction, and for all with its commit."""
        self._shelf = shelf
        if self.shelves is not None:
            self.after_commit.append(partial(self.shelves.swap, shelf))

    def read_time(self) -> int:
        """Read the farm's clock again, as after waiting for a lock, and return the time."""
        self.now_ms = max(self.now_ms, self.tx.clock_ms())
        return self.now_ms

    def offer(self) -> None:
        """Note that a task may have become available."""
        self.changes.append(Change(ChangeKind.WORK))

    def touch(self, phone_id: PhoneId | None, serial: str = "") -> None:
        """Note that what is allowed on a phone may have changed."""
        self.changes.append(Change(ChangeKind.PHONE, phone_id, serial))

    def calibrate(self, phone_id: PhoneId, request_id: str) -> None:
        """Note that a phone is asked to learn the ids of its client."""
        self.changes.append(Change(ChangeKind.CALIBRATE, phone_id, request_id=request_id))


class Ledger:
    """The store, the clock and the settings that every part of the core works with."""

    def __init__(self, store: Store, clock: Clock, settings: CoreSettings) -> None:
        self.store = store
        self.clock = clock
        self.settings = settings
        self.shelves = Shelves(clock.steady_ms)
        self._watched = WatchedClock(clock)
        self._watchers: list[Watcher] = []
        self._latest_ms = 0
        self._latest_at_ms = 0  # by the steady clock

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` on the core's thread after each change is committed; returns the way to stop."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    @contextmanager
    def work(self, *, keeps_time: bool = True) -> Iterator[Work]:
        """Open one transaction at the farm's never-backwards time; StoreBusy, StoreUnreachable.

        Without `keeps_time` the time is kept only if the work says so: what merely asks costs no write.
        """
        wall_ms, has_jumped = self._watched.read()
        steady_ms = self.clock.steady_ms()
        with self.store.transaction() as tx:
            latest_ms = max(self._latest_ms, tx.clock_ms())
            # Set back over a restart: the farm's clock stands still, so that the wall clock can reach it.
            # A little behind, it goes on with the steady one: what is used now must not be dated back.
            stands_still = latest_ms - wall_ms > WatchedClock.MAX_JUMP_MS
            if not stands_still:
                passed_ms = steady_ms - self._latest_at_ms if self._latest_ms else 0
                latest_ms = max(wall_ms, latest_ms, self._latest_ms + passed_ms)
            work = Work(tx, latest_ms, keeps_time, has_jumped or stands_still, stands_still)
            work.time_zone = self.settings.time_zone
            work.shelves = self.shelves
            yield work
            # In one order everywhere, and the clock last, so that two controllers cannot wait for each other.
            for job_id in sorted(work.jobs_to_close):
                judge(tx, self.settings.stop_loss, job_id, work.now_ms)
                tx.end_job_if_over(job_id)
            if work.keeps_time:
                tx.advance_clock(work.now_ms)
            reach("core.before_commit")
        reach("core.after_commit")
        if work.now_ms >= self._latest_ms:
            self._latest_ms, self._latest_at_ms = work.now_ms, steady_ms
        for act in work.after_commit:
            act()
        for change in dict.fromkeys(work.changes):
            for watcher in tuple(self._watchers):
                watcher(change)

    def clock_cause(self, tx: Tx) -> str:
        """Return why the wall clock cannot be trusted; empty if nothing stands against it."""
        now_ms, has_jumped = self._watched.read()
        if has_jumped:
            return CLOCK_JUMPED
        is_behind = max(self._latest_ms, tx.clock_ms()) - now_ms > WatchedClock.MAX_JUMP_MS
        return CLOCK_BEHIND if is_behind else ""

    @contextmanager
    def look(self) -> Iterator[Tx]:
        """Open one transaction that only reads; StoreBusy, StoreUnreachable."""
        with self.store.transaction() as tx:
            yield tx
