"""Never over: random histories of phones, people, clocks and backups, judged by the taps really made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from controller import leases, observations, restoring, roster
from controller.clock import DAY_MS, HOUR_MS, MINUTE_MS, FixedClock
from controller.core import Core
from controller.model import Account, AccountId, Action, Lease, QuotaRule
from controller.sessions import Pulse
from controller.store import open_store
from controller.store.base import Store
from protos.facts import AddObserved, PlatformWarned, peer_key
from tests.support.backends import Backend
from tests.support.clock import START_MS
from tests.support.corefarm import core_on, handset, submit
from tests.support.modelagents import LEASE_MS, ModelAgent, Truth, name_of
from tests.support.snapshots import Restore, backup

# 06:00 to 23:00 in Shanghai; the tests begin at 18:30 there.
HOURS = (360, 1_380)
RULE = QuotaRule(action=Action.FRIEND_ADD, per_day=3, per_hour=2, spacing_ms=5 * MINUTE_MS, hours=HOURS)
ACCOUNTS = (AccountId("wx001"), AccountId("wx002"))
_SHANGHAI_MS = 8 * HOUR_MS


@dataclass
class Decided:
    """What persons decided and warnings brought about, as the model knows it; a restore takes it back."""

    per_day: dict[str, int]
    per_hour: dict[str, int]
    resting: set[str]

    def copy(self) -> Decided:
        return Decided(dict(self.per_day), dict(self.per_hour), set(self.resting))


class QuotaMachine(RuleBasedStateMachine):
    """Two phones with an account each, on one store."""

    store: Store
    fresh: Restore

    def __init__(self) -> None:
        super().__init__()
        self.fresh()
        self.clock = FixedClock(START_MS)
        self.truth = Truth()
        self.core = self.new_core()
        self.agents = [
            ModelAgent(
                serial=f"V{n:03}",
                phone_id=f"{n:03}",  # type: ignore[arg-type]  # a phone's number as text
                account_id=account_id,
                spool_id=f"model-{n}",
                clock=self.clock,
                truth=self.truth,
            )
            for n, account_id in enumerate(ACCOUNTS, 1)
        ]
        self.decided = Decided(
            dict.fromkeys(ACCOUNTS, RULE.per_day), dict.fromkeys(ACCOUNTS, RULE.per_hour), set()
        )
        self.limits: dict[str, list[tuple[int, int, int]]] = {a: [(0, 3, 2)] for a in ACCOUNTS}
        self.no_grants_until_ms = 0
        self.names = 0
        self.came_back_one_by_one = False
        self.warnings_said: dict[int, list[int]] = {}
        self.heard: dict[int, int] = {}
        self.fresh_by_hand: dict[str, int] = {}
        self.kept: tuple[Restore, Decided, dict[int, int]] | None = None

    def new_core(self) -> Core:
        return core_on(self.store, self.clock, rule=RULE, lease_ms=LEASE_MS)

    @property
    def now(self) -> int:
        return self.clock.steady_ms()

    @initialize()
    def begin(self) -> None:
        for agent in self.agents:
            agent.connect(self.core)
            self.beat(agent)

    def beat(self, agent: ModelAgent) -> None:
        if agent.epoch is not None:
            self.core.fleet.heartbeat(
                agent.phone_id, agent.epoch, Pulse(state="ready", account_id=agent.account_id)
            )

    # ---- what is judged

    def judge_grant(self, agent: ModelAgent, found: object) -> None:
        if not isinstance(found, Lease):
            return
        account_id, at_ms = agent.account_id, found.until_ms - LEASE_MS
        assert abs(self.clock.now_ms() - START_MS - self.now) <= HOUR_MS, (
            "a permit while the clock had jumped"
        )
        assert account_id not in self.decided.resting, "a permit while the account rests"
        account = self.core.fleet.account(AccountId(account_id))
        assert account.frozen_since_ms is None, "a permit while the account is frozen"
        assert self.now >= self.no_grants_until_ms, "a permit within a day after a restore was told"
        local = (at_ms + _SHANGHAI_MS) % DAY_MS // MINUTE_MS
        assert HOURS[0] <= local < HOURS[1], "a permit outside the hours"
        day = self.truth.recent(account_id, self.now, DAY_MS)
        hour = self.truth.recent(account_id, self.now, HOUR_MS)
        assert day < self.decided.per_day[account_id], "a permit beyond the day's limit"
        assert hour < self.decided.per_hour[account_id], "a permit beyond the hour's limit"
        last = max(self.truth.by_machine[account_id], default=-DAY_MS)
        assert self.now - last >= RULE.spacing_ms, "a permit too soon"

    @invariant()
    def no_window_holds_more_than_any_limit_in_it(self) -> None:
        for account_id in ACCOUNTS:
            for window_ms, place in ((DAY_MS, 1), (HOUR_MS, 2)):
                count = self.truth.recent(account_id, self.now, window_ms)
                assert count <= self.most(account_id, window_ms, place), "over the limit"

    def most(self, account_id: str, window_ms: int, place: int) -> int:
        """Return the highest limit in force within a window, or when a lease of it was given."""
        changes = self.limits[account_id]
        return max(
            change[place]
            for change, end in zip(changes, [c[0] for c in changes[1:]] + [self.now + 1], strict=True)
            if end > self.now - window_ms - LEASE_MS
        )

    @invariant()
    def nobody_is_met_twice(self) -> None:
        # What a phone did since the backup another one cannot know before the first one came back: so this is
        # promised only if all phones come back first. The limits of each account hold in any case.
        if not self.came_back_one_by_one:
            assert all(count == 1 for count in self.truth.of_task.values()), "a task was tapped twice"

    # ---- what happens, in what proportion

    picks = st.integers(0, 1)

    @rule(which=picks, times=st.integers(1, 4), told=st.booleans())
    def work(self, which: int, times: int, told: bool) -> None:
        self.work_on(which, times, told)

    @rule(
        which=picks,
        step=st.sampled_from(
            [
                "connect",
                "ask",
                "ask",
                "lose",
                "arm",
                "arm",
                "tap",
                "tap",
                "end",
                "doubt",
                "give_back",
                "renew",
            ]
        ),
    )
    def step(self, which: int, step: str) -> None:
        agent = self.agents[which]
        match step:
            case "connect":
                self.connect(which)
            case "ask" | "lose":
                self.ask(which, step == "lose")
            case "arm":
                agent.arm()
            case "tap":
                agent.tap()
            case "end" | "doubt":
                agent.end(is_sure=step == "end")
            case "give_back":
                agent.give_back()
            case _:
                self.renew(which)

    @rule(which=picks, how=st.sampled_from(["all", "one", "again", "again_from_before", "none"]))
    def report(self, which: int, how: str) -> None:
        match how:
            case "all" | "one":
                self.deliver(which, 1_000 if how == "all" else 1)
            case "again" | "again_from_before":
                self.deliver_again(which, 0 if how == "again" else 3)
            case _:
                self.agents[which].lose_session()

    @rule(ms=st.sampled_from([30_000, 3 * MINUTE_MS, 65 * MINUTE_MS, 65 * MINUTE_MS, 4 * HOUR_MS]))
    def wait(self, ms: int) -> None:
        self.pass_time(ms)

    @rule(which=picks, hour=st.sampled_from([7, 12]), by_hand=st.integers(0, 2))
    def begin_day(self, which: int, hour: int, by_hand: int) -> None:
        """Let a night pass, and work; some adds are made by hand."""
        self.until(hour)
        self.connect(which)
        self.work_on(which, 3, True)
        for _ in range(by_hand):
            self.add_by_hand(which)
        self.deliver(which, 1_000)

    @rule(which=picks)
    def work_in_silence(self, which: int) -> None:
        """Do tasks of which no word arrives before they are given up."""
        agent = self.agents[which]
        self.until(8)
        self.connect(which)
        for _ in range(4):
            self.beat(agent)
            self.ask(which, False)
            agent.arm()
            agent.tap()
            agent.end()
            self.pass_time(65 * MINUTE_MS)

    @rule(which=picks)
    def be_warned_at_work(self, which: int) -> None:
        """Meet a warning in the middle of a day, and ask for more."""
        self.until(8)
        self.connect(which)
        self.be_warned(which)
        self.deliver(which, 1_000)
        self.work_on(which, 2, True)

    @rule(which=picks)
    def lose_a_day(self, which: int) -> None:
        """Put back the backup of the morning in the evening of a working day."""
        self.until(8)
        self.make_backup()
        self.begin_day_of(which)
        self.restore_backup(at_once=True)
        self.begin_day_of(which)

    def begin_day_of(self, which: int) -> None:
        self.connect(which)
        self.work_on(which, 3, True)

    @rule(hour=st.sampled_from([5, 7, 12, 20, 22]))
    def wait_until(self, hour: int) -> None:
        """Let time pass until an hour of the day in Shanghai."""
        self.until(hour)

    def until(self, hour: int) -> None:
        now_ms = (START_MS + self.now + _SHANGHAI_MS) % DAY_MS
        self.pass_time((hour * HOUR_MS + 50 * MINUTE_MS - now_ms) % DAY_MS)

    @rule(
        which=picks,
        what=st.sampled_from(["clear", "clear", "more", "more", "less", "hand", "own", "own", "warn"]),
    )
    def meet(self, which: int, what: str) -> None:
        match what:
            case "clear":
                self.clear(which)
            case "more":
                self.set_quota(which, 4, 3)
            case "less":
                self.set_quota(which, 2, 1)
            case "hand":
                self.add_by_hand(which)
            case "own":
                self.see_own(which)
            case _:
                self.be_warned(which)

    @rule(
        what=st.sampled_from(
            [
                "correct",
                "correct",
                "back",
                "far_back",
                "ahead",
                "restart",
                "backup",
                "backup",
                "restore",
                "restore_one_by_one",
                "tell",
            ]
        )
    )
    def disturb(self, what: str) -> None:
        match what:
            case "correct":
                self.correct_clock()
            # A difference below an hour is believed, by design; so the clock is set by more.
            case "back" | "far_back":
                self.set_clock(-2 * HOUR_MS if what == "back" else -26 * HOUR_MS)
            case "ahead":
                self.set_clock(25 * HOUR_MS)
            case "restart":
                self.restart_controller()
            case "backup":
                self.make_backup()
            case "restore" | "restore_one_by_one":
                self.restore_backup(at_once=what == "restore")
            case _:
                self.tell_of_a_restore()

    # ---- agents

    def connect(self, which: int) -> None:
        agent = self.agents[which]
        agent.connect(self.core)
        self.settle_words(agent)
        self.beat(agent)

    def ask(self, which: int, is_lost: bool) -> None:
        agent = self.agents[which]
        if agent.is_reconciled and not agent.held:
            self.judge_grant(agent, agent.ask(self.core, is_lost=is_lost))

    def arm(self, which: int) -> None:
        self.agents[which].arm()

    def tap(self, which: int) -> None:
        self.agents[which].tap()

    def end(self, which: int, is_sure: bool) -> None:
        self.agents[which].end(is_sure=is_sure)

    def give_back(self, which: int) -> None:
        self.agents[which].give_back()

    def renew(self, which: int) -> None:
        if self.agents[which].is_reconciled:
            self.agents[which].renew(self.core)

    def deliver(self, which: int, at_most: int) -> None:
        agent = self.agents[which]
        if agent.epoch is not None:
            agent.deliver(self.core, at_most=at_most)
            self.settle_words(agent)

    def deliver_again(self, which: int, back: int) -> None:
        agent = self.agents[which]
        if agent.epoch is not None:
            agent.deliver(self.core, again_from=max(0, agent.acked - back), at_most=2)
            self.settle_words(agent)

    def work_on(self, which: int, times: int, told: bool) -> None:
        """Do what phones do all day, so that limits are reached."""
        agent = self.agents[which]
        for _ in range(times):
            if not agent.is_reconciled:
                self.connect(which)
            self.beat(agent)
            self.ask(which, False)
            agent.arm()
            agent.tap()
            agent.end()
            if told:
                agent.deliver(self.core)
                self.settle_words(agent)
            self.clock.advance(RULE.spacing_ms)
            self.no_window_holds_more_than_any_limit_in_it()

    def lose_session(self, which: int) -> None:
        self.agents[which].lose_session()

    # ---- people and the platform

    def add_by_hand(self, which: int) -> None:
        agent = self.agents[which]
        self.names += 1
        self.truth.by_hand[agent.account_id].append(self.now)
        key = peer_key(agent.account_id, f"met by hand {self.names}")
        agent.say(AddObserved(peer_key=key, how="chat", kind="requested"))
        self.fresh_by_hand[agent.account_id] = len(agent.bodies)

    def see_own(self, which: int) -> None:
        agent = self.agents[which]
        for task_id in self.truth.tasks_of[agent.account_id]:
            key = peer_key(agent.account_id, name_of(task_id))
            agent.say(AddObserved(peer_key=key, how="chat", kind="requested"))

    def be_warned(self, which: int) -> None:
        self.agents[which].say(PlatformWarned(warning="TOO_FREQUENT", surface="dialog", text="", task_id=""))
        self.warnings_said.setdefault(which, []).append(len(self.agents[which].bodies))

    def settle_words(self, agent: ModelAgent) -> None:
        """Note what the controller was told by now: a warning, and adds by hand beyond the day's limit."""
        which = self.agents.index(agent)
        said = self.warnings_said.get(which, [])
        if any(self.heard.get(which, 0) < place <= agent.acked for place in said):
            self.decided.resting.add(agent.account_id)
        self.heard[which] = agent.acked
        place = self.fresh_by_hand.get(agent.account_id)
        if place is not None and place <= agent.acked and not agent.held and agent.acked == len(agent.bodies):
            del self.fresh_by_hand[agent.account_id]
            self.judge_by_hand(agent)

    def judge_by_hand(self, agent: ModelAgent) -> None:
        by_hand = self.truth.recent_by_hand(agent.account_id, self.now, DAY_MS)
        done = self.truth.recent(agent.account_id, self.now, DAY_MS) + by_hand
        if by_hand and done > self.decided.per_day[agent.account_id]:
            account = self.core.fleet.account(AccountId(agent.account_id))
            assert account.frozen_since_ms is not None, "more by hand than the day allows, and not frozen"

    def clear(self, which: int) -> None:
        agent = self.agents[which]
        account = self.core.fleet.account(AccountId(agent.account_id))
        if account.resting_since_ms is not None or account.frozen_since_ms is not None:
            self.core.fleet.clear(agent.phone_id, reason="looked at it", actor="op")
            self.decided.resting.discard(agent.account_id)

    def set_quota(self, which: int, per_day: int, per_hour: int) -> None:
        account_id = ACCOUNTS[which]
        self.core.quotas.set(
            account_id, Action.FRIEND_ADD, per_day=per_day, per_hour=per_hour, reason="why", actor="op"
        )
        self.decided.per_day[account_id], self.decided.per_hour[account_id] = per_day, per_hour
        self.limits[account_id].append((self.now, per_day, per_hour))

    def tell_of_a_restore(self) -> None:
        self.core.quotas.restored(reason="the backup of last night", actor="op")
        # By the farm's clock, which may be late.
        self.no_grants_until_ms = self.now + DAY_MS

    # ---- time

    def pass_time(self, ms: int) -> None:
        self.clock.advance(ms)
        self.core.sweep()

    @property
    def is_set_wrong_by_ms(self) -> int:
        return self.clock.now_ms() - START_MS - self.now

    def set_clock(self, ms: int) -> None:
        self.correct_clock()
        self.clock.jump(ms)

    def correct_clock(self) -> None:
        self.clock.jump(-self.is_set_wrong_by_ms)

    # ---- the controller

    def restart_controller(self) -> None:
        # A new start knows no other time than the clock's: who starts it looks at the clock.
        self.correct_clock()
        self.core = self.new_core()
        for agent in self.agents:
            agent.lose_session()

    def make_backup(self) -> None:
        self.kept = (backup(self.store), self.decided.copy(), dict(self.heard))

    def restore_backup(self, *, at_once: bool) -> None:
        if self.kept is None:
            return
        restore, decided, heard = self.kept
        self.correct_clock()
        restore()
        self.decided = decided.copy()
        for account_id in ACCOUNTS:
            limits = (self.now, decided.per_day[account_id], decided.per_hour[account_id])
            self.limits[account_id].append(limits)
        self.heard = dict(heard)
        self.no_grants_until_ms = 0  # what was told is forgotten too; the agents still know
        self.restart_controller()
        if not at_once:
            self.came_back_one_by_one = True
            return
        for which in (0, 1):
            self.connect(which)


def explore(machine: type[QuotaMachine], *, examples: int, steps: int, is_random: bool = False) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # hypothesis leaves it untyped
        machine,
        settings=hypothesis.settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=not is_random,
            database=None,
            report_multiple_bugs=False,
            phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink)
            if is_random
            else (hypothesis.Phase.generate,),
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )


def machine_on(store: Store) -> type[QuotaMachine]:
    """Return the machine over a store that holds two phones and a list."""
    core = core_on(store, FixedClock(START_MS), rule=RULE, lease_ms=LEASE_MS)
    submit(core, 40, [handset(core, 1), handset(core, 2)])
    fresh = backup(store)
    return type("Machine", (QuotaMachine,), {"store": store, "fresh": staticmethod(fresh)})


@contextmanager
def store_of(backend: Backend) -> Iterator[Store]:
    """Open a database; SQLite in memory: thousands of commits are made, and none is judged by the disk."""
    store = backend.store() if backend.kind != "sqlite" else open_store("sqlite://")
    yield store
    store.close()


def test_no_history_of_phones_people_clocks_and_backups_passes_a_limit(backend: Backend) -> None:
    with store_of(backend) as store:
        explore(machine_on(store), examples=30, steps=40)


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_a_long_night_of_histories_passes_no_limit(backend: Backend) -> None:
    with store_of(backend) as store:
        explore(machine_on(store), examples=1_500, steps=80, is_random=True)


# ---- each rule is needed: without it the same exploration finds a history that passes a limit


def permits_come_back_when_a_lease_expires(patch: pytest.MonkeyPatch) -> None:
    end_unknown = leases._end_unknown

    def give_back(work: Any, settings: Any, task: Any, cause: str) -> None:
        end_unknown(work, settings, task, cause)
        work.tx.return_permit(task.id, task.attempt)

    patch.setattr(leases, "_end_unknown", give_back)


def uses_are_counted_once(patch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[Any, dict[str, list[int]]]] = []
    rule_now = leases.rule_now

    class Cached:
        def __init__(self, tx: Any, kept: dict[str, list[int]]) -> None:
            self._tx, self._kept = tx, kept

        def __getattr__(self, name: str) -> Any:
            return getattr(self._tx, name)

        def permit_uses(self, account_id: str, *args: Any, **parts: Any) -> list[int]:
            if account_id not in self._kept:
                self._kept[account_id] = self._tx.permit_uses(account_id, *args, **parts)
            return self._kept[account_id]

    def cached(work: Any, settings: Any, *args: Any, **parts: Any) -> Any:
        kept = next((uses for known, uses in counted if known is settings), None)
        if kept is None:
            kept = {}
            counted.append((settings, kept))
        seen = type(work)(Cached(work.tx, kept), work.now_ms)
        return rule_now(seen, settings, *args, **parts)

    patch.setattr(leases, "rule_now", cached)


def nothing_waits_after_a_restore(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(restoring, "holds_until_ms", lambda work: None)


def the_hand_does_not_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(observations, "observe", lambda *args, **parts: None)


def a_rest_stops_nothing(patch: pytest.MonkeyPatch) -> None:
    def stands(account: Account | None) -> bool:
        return False

    patch.setattr(roster, "is_resting", stands)
    patch.setattr(leases, "is_resting", stands)


def the_clock_is_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("controller.clock.WatchedClock.MAX_JUMP_MS", 1_000 * DAY_MS)


def the_night_is_a_day(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("controller.quotas.closed_by", lambda *args: "")


@pytest.mark.parametrize(
    "breaks",
    [
        permits_come_back_when_a_lease_expires,
        uses_are_counted_once,
        nothing_waits_after_a_restore,
        the_hand_does_not_count,
        a_rest_stops_nothing,
        the_clock_is_believed,
        the_night_is_a_day,
    ],
    ids=lambda breaks: breaks.__name__,
)
def test_without_one_rule_a_history_is_found(
    monkeypatch: pytest.MonkeyPatch, breaks: Callable[[pytest.MonkeyPatch], None]
) -> None:
    store = open_store("sqlite://")
    try:
        machine = machine_on(store)
        breaks(monkeypatch)
        with pytest.raises(AssertionError, match=r"permit|limit|frozen"):
            explore(machine, examples=100, steps=40)
    finally:
        store.close()
