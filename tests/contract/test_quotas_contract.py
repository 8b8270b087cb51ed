"""Quotas over both databases: never over in any sliding window, whatever races or jumps."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from controller.clock import DAY_MS, HOUR_MS, FixedClock
from controller.core import Core
from controller.errors import BadRequest, SafetyRefusal
from controller.model import (
    AccountId,
    Action,
    Held,
    Job,
    JobId,
    JobState,
    Lease,
    QueryKind,
    QuotaRule,
    Task,
    TaskId,
    TaskState,
)
from controller.store.sql_quotas import QuotaSql
from protos.facts import AddObserved, PlatformWarned, peer_key
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
    assert phone.lease() == Held(cause="clock_jumped")
    assert used(core) == (1, 1)
    clock.jump(DAY_MS)
    assert phone.lease() == Held(cause="spacing", retry_at_ms=START_MS + 60_000)


def test_what_is_used_while_the_clock_is_a_little_late_is_not_dated_back(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    clock.advance(50 * 60_000)
    core.sweep()
    clock.jump(-50 * 60_000)
    phone.beat()
    lease = phone.take()
    assert lease.until_ms == START_MS + 50 * 60_000 + 120_000
    clock.advance(40 * 60_000)
    phone.beat()
    phone.say(armed(lease), over(lease))
    assert core.jobs.tasks(lease.job.id)[0].ended_at_ms == START_MS + 90 * 60_000


def test_a_jump_back_over_a_restart_frees_nothing(backend: Backend) -> None:
    core = backend.core(rule=RULE)
    phone = handset(core, 1)
    submit(core, 2, [phone])
    add_one(phone)
    backend.close()
    backend.clock.jump(-2 * DAY_MS)
    again = replace(phone, core=backend.core(rule=RULE))
    assert used(again.core) == (1, 1)
    assert again.lease() == Held(cause="clock_jumped")


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


# ---- hours, age, contacts


def test_outside_the_hours_nothing_is_leased_and_a_lease_is_not_renewed(backend: Backend) -> None:
    # The tests begin at 18:30 in Shanghai.
    core = backend.core(rule=replace(RULE, hours=(0, 18 * 60 + 31)))
    phone = handset(core, 1)
    submit(core, 3, [phone])
    lease = phone.take()
    backend.clock.advance(60_000)
    assert core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=[lease.task.id])[0].lease_ms == 0
    phone.say(returned(lease))
    backend.clock.advance(10_000)
    assert phone.lease() == Held(cause="outside_hours", retry_at_ms=START_MS + 5 * HOUR_MS + 30 * 60_000)
    core.quotas.set_time_zone(ACCOUNT, "Europe/Lisbon", reason="works there", actor="op")
    assert isinstance(phone.lease(), Lease)


def test_a_young_account_does_less(backend: Backend) -> None:
    core = backend.core(rule=replace(RULE, ramp=((2, 1), (9, 2)), spacing_ms=0))
    phone = handset(core, 1)
    submit(core, 9, [phone])
    add_one(phone)
    assert phone.lease() == Held(cause="ramp", retry_at_ms=START_MS + DAY_MS)
    assert core.quotas.use(ACCOUNT)[0].rule.per_day == 1
    backend.clock.advance(2 * DAY_MS)
    phone.beat()
    add_one(phone)
    add_one(phone)
    assert phone.lease().cause == "ramp"
    assert core.quotas.use(ACCOUNT)[0].rule.per_day == 2


# ---- what people set


def test_raising_needs_a_reason_and_lowering_bites_on_a_lease_that_is_out(core: Core, phone: Handset) -> None:
    with pytest.raises(BadRequest):
        core.quotas.set(ACCOUNT, Action.FRIEND_ADD, per_day=6, reason=" ", actor="op")
    with pytest.raises(SafetyRefusal):
        core.quotas.set(ACCOUNT, Action.FRIEND_ADD, per_day=51, reason="much to do", actor="op")
    raised = core.quotas.set(ACCOUNT, Action.FRIEND_ADD, per_day=6, reason="much to do", actor="op")
    assert (raised.per_day, raised.per_hour) == (6, 3)
    lease = phone.take()

    def renewed_ms() -> int:
        return core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=[lease.task.id])[0].lease_ms

    assert renewed_ms() == 120_000
    told: list[str] = []
    core.watch(lambda change: told.append(str(change.kind)))
    core.quotas.set(ACCOUNT, Action.FRIEND_ADD, per_day=0, reason="", actor="op")
    assert "phone" in told
    assert renewed_ms() == 0
    phone.say(armed(lease))
    assert renewed_ms() == 120_000  # what is armed is finished, not broken off
    changes = core.quotas.history(ACCOUNT, action=Action.FRIEND_ADD)
    assert [(c.field, c.before, c.after, c.reason) for c in changes] == [
        ("per_day", "6", "0", ""),
        ("per_day", "5", "6", "much to do"),
    ]


@pytest.mark.parametrize(
    "parts",
    [{"per_day": -1}, {"hours": (600, 600)}, {"weekdays": frozenset()}, {"weekdays": frozenset({8})}],
)
def test_a_limit_without_a_meaning_is_refused(core: Core, parts) -> None:
    with pytest.raises(BadRequest):
        core.quotas.set(ACCOUNT, Action.FRIEND_ADD, **parts, reason="why", actor="op")


# ---- by hand


def seen(name: str, kind: str = "requested") -> AddObserved:
    return AddObserved(peer_key=peer_key(ACCOUNT, name), how="chat", kind=kind)


def test_adds_by_hand_count_and_too_many_freeze_until_a_person_looked(core: Core, phone: Handset) -> None:
    phone.say(seen("a"), seen("a"), seen("b"), account_id=ACCOUNT)
    use = core.quotas.use(ACCOUNT)[0]
    assert (use.used_day, use.by_hand_day) == (2, 2)
    phone.say(*(seen(f"p{n}") for n in range(4)), account_id=ACCOUNT)
    assert phone.lease() == Held(cause="frozen")
    assert core.fleet.phone(phone.phone_id).cause == "frozen: observed"
    settings = core.fleet.settings(phone.phone_id)
    assert (settings.unattended, settings.assist) == (False, False)
    assert core.audit.entries(limit=1)[0].what == "account.freeze"
    cleared = core.fleet.clear(phone.phone_id, reason="the holder adds no more", actor="op")
    assert (cleared.early_by_ms, cleared.probation_until_ms) == (0, None)
    assert phone.lease().cause == "quota_day"


def test_an_add_of_our_own_is_not_counted_twice(core: Core, phone: Handset, clock: FixedClock) -> None:
    lease = phone.take()
    phone.say(armed(lease), seen("新朋友"), account_id=ACCOUNT)
    assert used(core)[1] == 2  # until it is known whose it is
    phone.say(over(lease, peer="新朋友"), seen("新朋友", "added"), account_id=ACCOUNT)
    assert used(core)[1] == 1
    assert core.fleet.account(ACCOUNT).frozen_since_ms is None


def test_an_add_of_ours_is_known_by_its_name_for_a_month(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    lease = phone.take()
    phone.say(armed(lease), over(lease, peer="新朋友"), account_id=ACCOUNT)
    clock.advance(30 * DAY_MS)
    phone.say(seen("新朋友"), account_id=ACCOUNT)
    assert used(core)[1] == 0
    clock.advance(2 * DAY_MS)
    phone.say(seen("新朋友", "added"), account_id=ACCOUNT)
    assert used(core)[1] == 1


def test_what_was_seen_before_is_not_compared_with_tasks_again(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone.say(seen("a"), account_id=ACCOUNT)
    compared: list[str] = []
    monkeypatch.setattr(QuotaSql, "names_of_tasks", lambda *_: compared.append("") or [])
    phone.say(seen("a"), account_id=ACCOUNT)
    assert compared == []
    phone.say(seen("b"), account_id=ACCOUNT)
    assert compared == [""]


# ---- warnings that come again


def warn(phone: Handset, warning: str = "TOO_FREQUENT") -> None:
    phone.say(PlatformWarned(warning=warning, surface="dialog", text="", task_id=""), account_id=ACCOUNT)


def test_each_warning_lets_an_account_rest_longer_and_a_rest_is_followed_by_probation(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    warn(phone)
    warn(phone)  # the same dialog, read again
    account = core.fleet.account(ACCOUNT)
    assert (account.strikes, account.cooldown_until_ms) == (1, START_MS + DAY_MS)
    assert core.fleet.phone(phone.phone_id).cooldown_until_ms == START_MS + DAY_MS
    clock.advance(HOUR_MS)
    warn(phone)
    account = core.fleet.account(ACCOUNT)
    assert (account.strikes, account.cooldown_until_ms) == (2, START_MS + HOUR_MS + 3 * DAY_MS)
    clock.advance(DAY_MS)
    cleared = core.fleet.clear(phone.phone_id, reason="spoke with the holder", actor="op")
    assert cleared.early_by_ms == 2 * DAY_MS
    assert core.audit.entries(limit=1)[0].reason.startswith("early by 2880 min")
    assert core.quotas.use(ACCOUNT)[0].rule.per_day == 2
    clock.advance(7 * DAY_MS)
    assert core.quotas.use(ACCOUNT)[0].rule.per_day == 5
    warn(phone)
    assert core.fleet.account(ACCOUNT).strikes == 3


def test_the_picture_of_a_warning_comes_after_it_and_is_no_second_warning(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    told = PlatformWarned(warning="TOO_FREQUENT", surface="dialog", text="words", task_id="")
    shown = replace(told, picture="p.png", picture_sha256="ab")
    phone.say(told, shown, account_id=ACCOUNT)
    assert [found.picture for found in core.archive.warnings()] == ["p.png"]
    assert core.fleet.account(ACCOUNT).strikes == 1
    phone.say(shown, account_id=ACCOUNT)
    assert len(core.archive.warnings()) == 2  # the first one has its picture
    phone.say(told, account_id=ACCOUNT)
    clock.advance(11 * 60_000)
    phone.say(shown, account_id=ACCOUNT)
    assert [found.picture for found in core.archive.warnings()] == ["p.png", "", "p.png", "p.png"]


def test_a_rest_does_not_end_by_itself(core: Core, phone: Handset, clock: FixedClock) -> None:
    warn(phone)
    clock.advance(40 * DAY_MS)
    phone.beat()
    assert phone.lease() == Held(cause="resting")


# ---- after a restore


@pytest.mark.parametrize(
    "claims",
    [
        {"last_farm_epoch": 2},
        {"last_phone_epoch": 99},
        {"last_farm_epoch": 1, "last_phone_epoch": 99},
        {"spool_acked": 9, "spool_highest": 9, "spool_lowest": 1},
        {"open_task_ids": ("20261121-01.0001",)},
    ],
    ids=["farm_epoch", "phone_epoch", "same_farm_epoch", "acked", "open_task"],
)
def test_an_agent_that_knows_more_freezes_the_farm_for_a_day_and_a_lease(
    core: Core, phone: Handset, clock: FixedClock, claims
) -> None:
    phone.greet(**claims)
    assert phone.epoch > claims.get("last_phone_epoch", 0)
    phone.beat()
    until_ms = START_MS + DAY_MS + 120_000
    assert phone.lease() == Held(cause="restored", retry_at_ms=until_ms)
    assert core.status().restored_until_ms == until_ms
    assert core.quotas.use(ACCOUNT)[0].held == "restored"
    clock.advance(DAY_MS)
    phone.greet(**(claims | {"last_farm_epoch": 1}))  # explained by the restore that was met
    phone.beat()
    entries = [entry for entry in core.audit.entries() if entry.what == "farm.restored"]
    assert len(entries) == 1
    clock.advance(120_000)
    assert isinstance(phone.lease(), Lease)


def test_an_unknown_outbox_alone_freezes_nothing(core: Core, phone: Handset) -> None:
    phone.new_outbox("from another farm")
    phone.greet(spool_acked=500, spool_highest=500, spool_lowest=500)
    assert core.status().restored_until_ms is None


def test_a_person_may_say_that_the_data_was_restored(core: Core, phone: Handset) -> None:
    with pytest.raises(BadRequest):
        core.quotas.restored(reason="", actor="op")
    until_ms = core.quotas.restored(reason="backup of 02:00", actor="op")
    assert phone.lease() == Held(cause="restored", retry_at_ms=until_ms)


# ---- several actions in one queue


def queue(core: Core, phone: Handset, action: Action, names: list[str], *, number: int) -> None:
    """Put tasks into the queue as another part of the core would."""
    now_ms = core.clock.now_ms()
    job = Job(
        id=JobId(f"20261121-9{number}"),
        action=action,
        state=JobState.RUNNING,
        created_at_ms=now_ms,
        created_by="op",
        content_hash=f"hash {number}",
        source_name="",
        greeting="",
        pool=(phone.phone_id,),
    )
    with core.jobs._ledger.work() as work:
        assert work.tx.add_job(job)
        for row_no, name in enumerate(names):
            task = Task(
                id=TaskId(f"{job.id}.{row_no:04}"),
                job_id=job.id,
                row_no=row_no,
                action=action,
                query=name,
                query_kind=QueryKind.NAME,
                remark="",
                basis="",
                basis_at="",
                state=TaskState.QUEUED,
                pinned_phone_id=phone.phone_id,
                pinned_account_id=ACCOUNT,
                not_before_ms=now_ms,
                created_at_ms=now_ms,
            )
            assert work.tx.add_task(task, f"{name} {row_no}")


def test_a_phone_takes_the_oldest_task_whose_action_may_be_done_now(backend: Backend) -> None:
    like = QuotaRule(action=Action.MOMENTS_LIKE, per_day=9, per_hour=9, spacing_ms=0, contact_pause_ms=DAY_MS)
    core = backend.core(quota_rules=(RULE, like))
    phone = handset(core, 1)
    submit(core, 2, [phone])
    backend.clock.advance(1)
    queue(core, phone, Action.MOMENTS_LIKE, ["甲", "乙", "甲"], number=1)
    queue(core, phone, Action.FIRST_REPLY, ["丙"], number=2)
    first = phone.take()
    assert first.task.action is Action.FRIEND_ADD
    phone.say(armed(first), over(first))
    # The next add waits for its spacing, and nothing is allowed of what has no rule.
    for name in ("甲", "乙"):
        lease = phone.take()
        assert (lease.task.action, lease.task.query, lease.known_posts) == (Action.MOMENTS_LIKE, name, ())
        done = replace(over(lease, outcome="liked"), object_key=f"post of {name}")
        phone.say(armed(lease), done)
    # The third like is for a contact who had one just now.
    assert phone.lease() == Held(cause="spacing", retry_at_ms=START_MS + 60_001)
    backend.clock.advance(60_000)
    second = phone.take()
    assert second.task.action is Action.FRIEND_ADD
    phone.say(armed(second), over(second))
    assert phone.lease() == Held(cause="contact_pause", retry_at_ms=START_MS + 1 + DAY_MS)
    backend.clock.advance(DAY_MS)
    phone.beat()
    last = phone.take()
    assert (last.task.query, last.known_posts) == ("甲", ("post of 甲",))
