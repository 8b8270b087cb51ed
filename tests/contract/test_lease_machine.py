"""Never twice: two controllers, two agents for each phone, late words, frozen agents; judged by the taps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from controller import leases
from controller.clock import MINUTE_MS, FixedClock
from controller.core import Core
from controller.errors import StaleEpoch
from controller.fleet import known_phone
from controller.model import AccountId, Action, Lease, QuotaRule, TaskState
from controller.sessions import Pulse
from controller.store import open_store
from controller.store.base import Store
from controller.transitions import queued_again
from protos.facts import AddObserved, peer_key
from tests.support.backends import Backend, race
from tests.support.clock import START_MS
from tests.support.corefarm import GENEROUS, armed, body, core_on, handset, over, submit
from tests.support.modelagents import LEASE_MS, ModelAgent, Truth
from tests.support.snapshots import Restore, backup

TASKS = 6


class LeaseMachine(RuleBasedStateMachine):
    """Two phones, two hosts for each, one list, two controllers on one store."""

    stores: tuple[Store, Store]
    fresh: Restore

    def __init__(self) -> None:
        super().__init__()
        self.fresh()
        self.clock = FixedClock(START_MS)
        self.truth = Truth()
        self.cores = [core_on(store, self.clock, rule=GENEROUS, lease_ms=LEASE_MS) for store in self.stores]
        # Two hosts for each phone: each has a memory and an outbox of its own.
        self.agents = [
            ModelAgent(
                serial=f"V{phone:03}",
                phone_id=f"{phone:03}",  # type: ignore[arg-type]  # a phone's number as text
                account_id=f"wx{phone:03}",
                spool_id=f"host-{host}-{phone}",
                clock=self.clock,
                truth=self.truth,
            )
            for phone in (1, 2)
            for host in (1, 2)
        ]
        self.newest: dict[str, int] = {}

    @initialize()
    def begin(self) -> None:
        self.come(0, 0)
        self.come(2, 1)

    agent_numbers = st.integers(0, 3)
    core_numbers = st.integers(0, 1)

    def is_stale(self, agent: ModelAgent) -> bool:
        return agent.epoch is not None and agent.epoch != self.newest[agent.phone_id]

    def come(self, which: int, at: int) -> None:
        agent, core = self.agents[which], self.cores[at]
        agent.greet(core)
        assert agent.epoch is not None
        assert agent.epoch > self.newest.get(agent.phone_id, 0), "a fence that did not rise"
        self.newest[agent.phone_id] = agent.epoch
        agent.deliver(core)
        agent.reconcile(core)
        self.beat(which, at)

    def beat(self, which: int, at: int) -> None:
        agent = self.agents[which]
        assert agent.epoch is not None
        self.cores[at].fleet.heartbeat(
            agent.phone_id, agent.epoch, Pulse(state="ready", account_id=agent.account_id)
        )

    @rule(which=agent_numbers, at=core_numbers)
    def connect(self, which: int, at: int) -> None:
        """A host begins, or comes back: it takes the phone over."""
        self.come(which, at)

    @rule(which=agent_numbers, at=core_numbers, is_lost=st.sampled_from([False, False, True]))
    def ask(self, which: int, at: int, is_lost: bool) -> None:
        agent = self.agents[which]
        if not agent.is_reconciled or (agent.held and not self.is_stale(agent)):
            return
        if self.is_stale(agent):
            with pytest.raises(StaleEpoch):
                agent.ask(self.cores[at])
            return
        self.beat(which, at)
        before = self.live()
        found = agent.ask(self.cores[at], is_lost=is_lost)
        if isinstance(found, Lease):
            assert found.task.id not in {task_id for _, task_id in before}, "a task in two hands"
            assert agent.phone_id not in {phone_id for phone_id, _ in before}, "two tasks on one phone"

    @rule(which=agent_numbers, at=core_numbers)
    def renew(self, which: int, at: int) -> None:
        agent, core = self.agents[which], self.cores[at]
        if agent.epoch is None or not agent.held:
            return
        if self.is_stale(agent):
            with pytest.raises(StaleEpoch):
                agent.renew(core)
            return
        over_before = [task_id for task_id, held in agent.held.items() if not agent.may_tap(held)]
        renewals = core.jobs.renew(agent.phone_id, epoch=agent.epoch, task_ids=over_before)
        assert all(renewal.lease_ms == 0 for renewal in renewals), "a lease that was over came back"
        agent.renew(core)

    @rule(which=agent_numbers)
    def settle_again(self, which: int) -> None:
        agent = self.agents[which]
        if self.is_stale(agent):
            with pytest.raises(StaleEpoch):
                agent.reconcile(self.cores[0])

    @rule(which=agent_numbers, step=st.sampled_from(["arm", "arm_tap", "tap", "end", "doubt", "give_back"]))
    def act(self, which: int, step: str) -> None:
        """Also an agent that was frozen and does not know that another one took over."""
        agent = self.agents[which]
        if step in ("arm", "arm_tap"):
            agent.arm()
        if step in ("tap", "arm_tap"):
            agent.tap()
        if step in ("end", "doubt"):
            agent.end(is_sure=step == "end")
        if step == "give_back":
            agent.give_back()

    @rule(which=agent_numbers, at=core_numbers)
    def oversleep(self, which: int, at: int) -> None:
        """A host gets a task, is suspended past its lease, and asks for more time."""
        self.come(which, at)
        self.ask(which, at, False)
        self.clock.advance(3 * MINUTE_MS)
        self.renew(which, at)

    @rule(phone=st.integers(0, 1), at=core_numbers, hangs=st.sampled_from(["before", "after"]))
    def take_over(self, phone: int, at: int, hangs: str) -> None:
        """A host hangs with a task in its hands, another one takes the phone, and the first one wakes."""
        first, second = 2 * phone, 2 * phone + 1
        self.come(first, at)
        self.ask(first, at, False)
        if hangs == "after":
            self.agents[first].arm()
        self.come(second, 1 - at)
        self.ask(second, at, False)
        for which in (second, first):
            self.act(which, "arm_tap")
            self.nobody_is_met_twice()

    @rule(which=agent_numbers, at=core_numbers, back=st.integers(0, 3), at_most=st.sampled_from([1, 100]))
    def report(self, which: int, at: int, back: int, at_most: int) -> None:
        """Reports may come late, twice, and from a host that was superseded: they are archived."""
        agent = self.agents[which]
        if agent.epoch is not None:
            again_from = max(0, agent.acked - back) if back else None
            agent.deliver(self.cores[at], again_from=again_from, at_most=at_most)

    @rule(ms=st.sampled_from([20_000, 20_000, 3 * MINUTE_MS, 65 * MINUTE_MS]), at=core_numbers)
    def pass_time(self, ms: int, at: int) -> None:
        self.clock.advance(ms)
        self.cores[at].sweep()

    def live(self) -> list[tuple[str, str]]:
        with self.stores[0].transaction() as tx:
            return [
                (phone_id, task.id)
                for phone_id in ("001", "002")
                for task in tx.live_tasks(phone_id)  # type: ignore[arg-type]  # a phone's number as text
            ]

    @invariant()
    def one_live_task_for_each_phone(self) -> None:
        live = self.live()
        assert len({phone_id for phone_id, _ in live}) == len(live), "two tasks on one phone"
        assert len({task_id for _, task_id in live}) == len(live), "a task in two hands"

    @invariant()
    def nobody_is_met_twice(self) -> None:
        assert all(count == 1 for count in self.truth.of_task.values()), "a task was tapped twice"


def explore(machine: type[LeaseMachine], *, examples: int, steps: int, is_random: bool = False) -> None:
    phases = [hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if is_random else [])]
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # hypothesis leaves it untyped
        machine,
        settings=hypothesis.settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=not is_random,
            database=None,
            report_multiple_bugs=False,
            phases=phases,
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )


def machine_on(stores: tuple[Store, Store]) -> type[LeaseMachine]:
    """Return the machine over a store that holds two phones and a short list, through two ways to it."""
    core = core_on(stores[0], FixedClock(START_MS), rule=GENEROUS, lease_ms=LEASE_MS)
    submit(core, TASKS, [handset(core, 1), handset(core, 2)])
    fresh = backup(stores[0])
    return type("Machine", (LeaseMachine,), {"stores": stores, "fresh": staticmethod(fresh)})


@contextmanager
def stores_of(backend: Backend) -> Iterator[tuple[Store, Store]]:
    """Open two ways to one database; SQLite has one, and is kept in memory: thousands of commits are made."""
    if backend.kind != "sqlite":
        yield backend.store(), backend.store()
        return
    store = open_store("sqlite://")
    yield store, store
    store.close()


def test_no_history_of_hosts_and_controllers_meets_anybody_twice(backend: Backend) -> None:
    with stores_of(backend) as stores:
        explore(machine_on(stores), examples=30, steps=40)


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_a_long_night_of_hosts_and_controllers_meets_nobody_twice(backend: Backend) -> None:
    with stores_of(backend) as stores:
        explore(machine_on(stores), examples=1_500, steps=80, is_random=True)


# ---- each rule is needed: without it the same exploration finds a history


def a_fence_stops_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leases, "current_phone", lambda tx, phone_id, epoch: known_phone(tx, phone_id))


def what_another_host_holds_is_queued_again(patch: pytest.MonkeyPatch) -> None:
    def again(work: Any, settings: Any, task: Any, cause: str) -> None:
        work.tx.return_permit(task.id, task.attempt)
        work.tx.save_task(queued_again(task, cause=cause, not_before_ms=work.now_ms))

    patch.setattr(leases, "_end_unknown", again)


def a_lease_that_is_over_comes_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leases, "_may_go_on", lambda work, settings, task: not task.state.is_ended)


@pytest.mark.parametrize(
    "breaks",
    [a_fence_stops_nobody, what_another_host_holds_is_queued_again, a_lease_that_is_over_comes_back],
    ids=lambda breaks: breaks.__name__,
)
def test_without_one_rule_a_history_is_found(
    monkeypatch: pytest.MonkeyPatch, breaks: Callable[[pytest.MonkeyPatch], None]
) -> None:
    store = open_store("sqlite://")
    try:
        machine = machine_on((store, store))
        breaks(monkeypatch)
        with pytest.raises((AssertionError, pytest.fail.Exception), match=r"twice|two|over|DID NOT RAISE"):
            explore(machine, examples=100, steps=40)
    finally:
        store.close()


# ---- the same at once, in threads


def test_two_controllers_that_lease_at_once_hand_out_one_task(backend: Backend) -> None:
    rounds = 12
    first = backend.core()
    phone = handset(first, 1)
    job = submit(first, rounds, [phone])
    second = backend.core()

    def ask(core: Core) -> object:
        return core.jobs.lease(phone.phone_id, epoch=phone.epoch, spool_id=phone.spool_id)

    for _ in range(rounds):
        found = race([partial(ask, core) for core in (first, second)])
        leased = [one for one in found if isinstance(one, Lease)]
        assert len(leased) == 1
        phone.say(armed(leased[0]), over(leased[0]))
    assert {task.state for task in first.jobs.tasks(job.id)} == {TaskState.DONE}


def test_a_lowered_limit_and_a_lease_at_once_never_leave_a_permit_too_many(backend: Backend) -> None:
    rule_ = QuotaRule(action=Action.FRIEND_ADD, per_day=20, per_hour=20, spacing_ms=0)
    first, second = backend.core(rule=rule_), backend.core(rule=rule_)
    phone = handset(first, 1)
    submit(first, 20, [phone])
    account_id = AccountId("wx001")

    def lower(limit: int) -> None:
        second.quotas.set(account_id, Action.FRIEND_ADD, per_day=limit, reason="", actor="op")

    for limit in (9, 7, 5, 3, 1):
        found, _ = race([phone.lease, partial(lower, limit)])
        used = first.quotas.use(account_id)[0].used_day
        if isinstance(found, Lease):
            renewed = first.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=[found.task.id])
            assert (renewed[0].lease_ms == 0) == (used > limit)
            phone.say(armed(found), over(found))
    assert not isinstance(phone.lease(), Lease)


def test_an_add_by_hand_and_a_lease_at_once_are_counted_together(backend: Backend) -> None:
    limit = 4
    rule_ = QuotaRule(action=Action.FRIEND_ADD, per_day=limit, per_hour=limit, spacing_ms=0)
    first, second = backend.core(rule=rule_), backend.core(rule=rule_)
    phone = handset(first, 1)
    submit(first, 20, [phone])
    account_id = AccountId("wx001")

    def by_hand(number: int) -> None:
        seen = AddObserved(peer_key=peer_key(account_id, f"p{number}"), how="chat", kind="requested")
        second.archive.accept(
            phone.phone_id, f"seen-{number}", 1, [body(seen, account_id=account_id, at_ms=START_MS)]
        )

    granted = 0
    for number in range(6):
        found, _ = race([phone.lease, partial(by_hand, number)])
        if isinstance(found, Lease):
            granted += 1
            phone.say(armed(found), over(found))
    use = first.quotas.use(account_id)[0]
    assert (use.used_day, use.by_hand_day) == (granted + 6, 6)
    assert first.fleet.account(account_id).frozen_cause == "observed"
    assert granted <= limit
