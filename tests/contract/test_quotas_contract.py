"""Quotas over both databases: never over in any sliding window, whatever races or jumps."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from controller.clock import DAY_MS, HOUR_MS, FixedClock
from controller.core import Core
from controller.model import AccountId, Action, Held, Lease, QuotaRule
from protos.facts import PlatformWarned
from tests.support.backends import Backend, race
from tests.support.clock import START_MS
from tests.support.corefarm import Handset, armed, handset, over, returned, submit

ACCOUNT = AccountId("wx001")
RULE = QuotaRule(action=Action.FRIEND_ADD, per_day=5, per_hour=3, spacing_ms=60_000)


@pytest.fixture
def clock(backend: Backend) -> FixedClock:
    return backend.clock


@pytest.fixture
def core(backend: Backend) -> Core:
    return backend.core(rule=RULE)


@pytest.fixture
def phone(core: Core) -> Handset:
    phone = handset(core, 1)
    submit(core, 20, [phone])
    return phone


def add_one(phone: Handset) -> None:
    lease = phone.take()
    phone.say(armed(lease), over(lease))


def used(core: Core) -> tuple[int, int]:
    use = core.quotas.use(ACCOUNT)[0]
    return use.used_hour, use.used_day


def test_spacing_hour_and_day_hold_a_phone_until_a_named_time(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    add_one(phone)
    assert phone.lease() == Held(cause="spacing", retry_at_ms=START_MS + 60_000)
    for _ in range(2):
        clock.advance(60_000)
        add_one(phone)
    clock.advance(60_000)
    assert phone.lease() == Held(cause="quota_hour", retry_at_ms=START_MS + HOUR_MS)
    assert used(core) == (3, 3)
    clock.advance(HOUR_MS)
    add_one(phone)
    clock.advance(60_000)
    add_one(phone)
    clock.advance(HOUR_MS)
    assert used(core) == (0, 5)
    held = phone.lease()
    assert held == Held(cause="quota_day", retry_at_ms=START_MS + DAY_MS)
    clock.advance(START_MS + DAY_MS - clock.now_ms() - 1)
    assert isinstance(phone.lease(), Held)
    clock.advance(1)
    assert isinstance(phone.lease(), Lease)


def test_a_window_slides_over_midnight(core: Core, phone: Handset, clock: FixedClock) -> None:
    clock.advance(13 * HOUR_MS)  # 23:30
    for _ in range(3):
        add_one(phone)
        clock.advance(5 * 60_000)
    assert phone.lease().cause == "quota_hour"
    assert used(core) == (3, 3)


def test_a_jump_back_of_the_clock_frees_nothing(core: Core, phone: Handset, clock: FixedClock) -> None:
    add_one(phone)
    clock.jump(-DAY_MS)
    assert phone.lease() == Held(cause="spacing", retry_at_ms=START_MS + 60_000)
    assert used(core) == (1, 1)


def test_a_jump_back_over_a_restart_frees_nothing(backend: Backend) -> None:
    core = backend.core(rule=RULE)
    phone = handset(core, 1)
    submit(core, 2, [phone])
    add_one(phone)
    backend.close()
    backend.clock.jump(-2 * DAY_MS)
    again = replace(phone, core=backend.core(rule=RULE))
    assert used(again.core) == (1, 1)
    assert again.lease() == Held(cause="spacing", retry_at_ms=START_MS + 60_000)


def kept_ms(core: Core) -> int:
    with core.jobs._ledger.store.transaction() as tx:
        return tx.clock_ms()


def test_a_jump_ahead_of_the_clock_frees_nothing_and_stays_nowhere(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    add_one(phone)
    clock.advance(60_000)
    clock.jump(DAY_MS)
    assert phone.lease() == Held(cause="clock_jumped")
    assert core.jobs.blockers(core.jobs.jobs()[0].id) == {"001": Held(cause="clock_jumped")}
    assert core.status().clock_cause == "clock_jumped"
    core.notices.record("somebody", version="1", how="signed", actor="op")
    assert kept_ms(core) == START_MS + 60_000
    assert used(core) == (1, 1)
    clock.jump(-DAY_MS)
    assert core.status().clock_cause == ""
    add_one(phone)
    assert used(core) == (2, 2)


def test_a_task_in_hand_lives_through_a_jump_ahead(core: Core, phone: Handset, clock: FixedClock) -> None:
    lease = phone.take()
    clock.jump(DAY_MS)
    core.sweep()
    renewals = core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=[lease.task.id])
    assert [r.lease_ms for r in renewals] == [120_000]
    phone.say(armed(lease), over(lease))
    assert core.jobs.tasks(lease.job.id)[0].ended_at_ms == START_MS


def test_a_correction_below_an_hour_and_time_that_passes_are_believed(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    clock.jump(HOUR_MS)
    assert isinstance(phone.lease(), Lease)
    clock.advance(2 * DAY_MS)
    assert core.status().clock_cause == ""
    clock.jump(1)
    assert core.status().clock_cause == "clock_jumped"


def test_a_new_start_believes_the_clock_and_tells_if_the_farm_is_ahead_of_it(backend: Backend) -> None:
    core = backend.core(rule=RULE)
    phone = handset(core, 1)
    submit(core, 2, [phone])
    backend.clock.jump(DAY_MS)
    assert phone.lease() == Held(cause="clock_jumped")
    backend.close()
    again = replace(phone, core=backend.core(rule=RULE))
    assert isinstance(again.lease(), Lease)
    backend.close()
    backend.clock.jump(-HOUR_MS)
    assert backend.core(rule=RULE).status().clock_cause == ""
    backend.close()
    backend.clock.jump(-1)
    assert backend.core(rule=RULE).status().clock_cause == "clock_behind"


def test_asking_in_vain_writes_nothing(core: Core, phone: Handset, clock: FixedClock) -> None:
    add_one(phone)
    with core.jobs._ledger.store.transaction() as tx:
        before_ms = tx.clock_ms()
    clock.advance(1_000)
    assert isinstance(phone.lease(), Held)
    with core.jobs._ledger.store.transaction() as tx:
        assert tx.clock_ms() == before_ms


def test_an_expired_lease_is_not_an_unspent_permit(core: Core, phone: Handset, clock: FixedClock) -> None:
    phone.take()
    clock.advance(120_000 + 3_600_001)
    core.sweep()
    assert used(core)[1] == 1
    phone.greet()
    phone.beat()
    assert isinstance(phone.lease(), Lease)
    assert used(core)[1] == 2


def test_a_renewed_lease_moves_the_last_possible_use(core: Core, phone: Handset, clock: FixedClock) -> None:
    lease = phone.take()
    clock.advance(100_000)
    core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=[lease.task.id])
    clock.advance(DAY_MS + 119_999)
    assert used(core) == (0, 1)
    clock.advance(1)
    assert used(core) == (0, 0)


def test_only_what_was_never_armed_comes_back_and_only_once(core: Core, phone: Handset) -> None:
    lease = phone.take()
    phone.say(returned(lease))
    assert used(core) == (0, 0)
    phone.say(returned(lease))
    core.jobs._ledger.clock.advance(10_000)  # type: ignore[attr-defined]  # the tests' clock
    again = phone.take()
    phone.say(returned(lease), armed(again), over(again))
    assert used(core) == (1, 1)


def test_without_a_rule_nothing_is_allowed(backend: Backend) -> None:
    core = backend.core(rule=replace(RULE, per_day=0))
    phone = handset(core, 1)
    submit(core, 1, [phone])
    assert phone.lease() == Held(cause="quota_day")


def test_a_warning_rests_the_account_until_a_named_person_clears_it(core: Core, phone: Handset) -> None:
    warning = PlatformWarned(warning="TOO_FREQUENT", surface="dialog", text="words", task_id="")
    phone.say(warning, account_id=ACCOUNT)
    assert phone.lease() == Held(cause="resting")
    shown = core.fleet.phone(phone.phone_id)
    assert (shown.state, shown.cause) == ("backoff", "TOO_FREQUENT")
    assert core.fleet.settings(phone.phone_id).unattended is False
    assert [w.warning for w in core.archive.warnings()] == ["TOO_FREQUENT"]
    core.fleet.clear(phone.phone_id, reason="spoke with the holder", actor="王芳")
    assert isinstance(phone.lease(), Lease)
    entry = core.audit.entries(limit=1)[0]
    assert (entry.actor, entry.what, entry.object) == ("王芳", "account.clear", ACCOUNT)


def test_a_rest_survives_a_restart(backend: Backend) -> None:
    core = backend.core(rule=RULE)
    phone = handset(core, 1)
    submit(core, 1, [phone])
    phone.say(PlatformWarned(warning="X", surface="page", text="", task_id=""), account_id=ACCOUNT)
    backend.close()
    again = replace(phone, core=backend.core(rule=RULE))
    again.greet()
    again.beat()
    assert again.lease() == Held(cause="resting")


def test_racing_sessions_of_a_phone_never_pass_the_limit(backend: Backend) -> None:
    limit = 10
    rule = QuotaRule(action=Action.FRIEND_ADD, per_day=limit, per_hour=limit, spacing_ms=0)
    phone = handset(backend.core(rule=rule), 1)
    submit(phone.core, 60, [phone])
    racers = [replace(phone, core=backend.core(rule=rule), spool_id=f"racer-{place}") for place in range(6)]

    def work(racer: Handset) -> int:
        taken = 0
        for _ in range(20):
            lease = racer.lease()
            if isinstance(lease, Lease):
                taken += 1
                racer.say(armed(lease), over(lease))
        return taken

    taken = sum(race([partial(work, racer) for racer in racers]))
    assert 0 < taken <= limit
    while isinstance(lease := phone.lease(), Lease):
        phone.say(armed(lease), over(lease))
        taken += 1
    assert taken == limit
    assert used(phone.core) == (limit, limit)
