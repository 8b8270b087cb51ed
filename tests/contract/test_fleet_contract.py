"""The roster over both databases: numbers, holders, accounts, fences, silence."""

from __future__ import annotations

import pytest

from controller.clock import DAY_MS, FixedClock
from controller.core import Change, ChangeKind, Core
from controller.errors import (
    BadRequest,
    NumberTaken,
    SafetyRefusal,
    SerialTaken,
    StaleEpoch,
    UnknownPhone,
)
from controller.model import ActingMode, PhoneId
from controller.sessions import Greeting, PhoneSettings, Pulse
from protos.facts import PhoneFacts
from tests.support.backends import Backend, race
from tests.support.clock import START_MS
from tests.support.corefarm import armed, facts, greeting, handset, over, submit


@pytest.fixture
def clock(backend: Backend) -> FixedClock:
    return backend.clock


REAL = Greeting(facts=PhoneFacts(serial="R1", brand="HONOR"), spool_id="s")


def real_phone(core: Core) -> PhoneId:
    core.fleet.hello(REAL)
    core.fleet.heartbeat_unnumbered(REAL.facts, "wx-real")
    return core.fleet.number(PhoneId("7"), "R1", rack="B", actor="op").phone_id


def test_a_handset_without_a_number_is_seen_and_let_in_without_one(core: Core, clock: FixedClock) -> None:
    admission = core.fleet.hello(greeting("V1"))
    assert (admission.phone_id, admission.phone_epoch, admission.high_water) == (None, 0, 0)
    clock.advance(5)
    assert core.fleet.heartbeat_unnumbered(facts("V1"), "wx1") is False
    sighting = core.fleet.sightings()[0]
    assert (sighting.facts.serial, sighting.account_seen) == ("V1", "wx1")
    assert (sighting.first_seen_ms, sighting.last_seen_ms) == (START_MS, START_MS + 5)


def test_a_number_takes_over_what_was_seen(core: Core) -> None:
    phone_id = real_phone(core)
    assert phone_id == "007"
    phone = core.fleet.phone(PhoneId("7"))
    assert (phone.account_seen, phone.rack, phone.facts.brand) == ("wx-real", "B", "HONOR")
    assert core.fleet.sightings() == []
    assert core.fleet.heartbeat_unnumbered(REAL.facts, "") is True
    assert core.fleet.hello(REAL).phone_id == "007"


def test_numbers_and_handsets_are_given_once(core: Core) -> None:
    core.fleet.number(PhoneId("1"), "A", actor="op")
    assert core.fleet.number(PhoneId("001"), "A", actor="op").phone_id == "001"
    with pytest.raises(NumberTaken):
        core.fleet.number(PhoneId("1"), "B", actor="op")
    with pytest.raises(SerialTaken):
        core.fleet.number(PhoneId("2"), "A", actor="op")
    with pytest.raises(BadRequest):
        core.fleet.number(PhoneId("x"), "C", actor="op")
    with pytest.raises(BadRequest):
        core.fleet.number(PhoneId("3"), "C", actor=" ")
    assert [phone.phone_id for phone in core.fleet.phones()] == ["001"]


def test_racing_numberings_give_a_number_to_one_handset(backend: Backend) -> None:
    cores = [backend.core() for _ in range(5)]

    def give(place: int) -> bool:
        try:
            cores[place].fleet.number(PhoneId("1"), f"S{place}", actor="op")
        except (NumberTaken, SerialTaken):
            return False
        return True

    assert sum(race([lambda place=place: give(place) for place in range(5)])) == 1  # type: ignore[misc]  # bound per racer


def test_each_greeting_raises_the_fence(core: Core) -> None:
    phone = handset(core, 1)
    first = phone.epoch
    phone.greet()
    assert phone.epoch == first + 1
    assert core.fleet.phone(phone.phone_id).epoch == phone.epoch > first
    with pytest.raises(StaleEpoch):
        core.fleet.heartbeat(phone.phone_id, first, Pulse(state="ready"))
    with pytest.raises(UnknownPhone):
        core.fleet.heartbeat(PhoneId("099"), 1, Pulse(state="ready"))


def test_racing_greetings_get_different_fences(backend: Backend) -> None:
    phone = handset(backend.core(), 1)
    cores = [backend.core() for _ in range(5)]
    epochs = race(
        [lambda core=core: core.fleet.hello(greeting(phone.serial)).phone_epoch for core in cores]  # type: ignore[misc]  # bound per racer
    )
    assert sorted(epochs) == list(range(phone.epoch + 1, phone.epoch + 6))


def test_the_account_seen_is_bound_with_the_holder(core: Core) -> None:
    phone_id = real_phone(core)
    phone = core.fleet.assign(phone_id, holder="王芳", actor="op")
    assert (phone.holder, phone.account_id) == ("王芳", "wx-real")
    assert core.fleet.account(phone.account_id).mode is ActingMode.ASSIST  # type: ignore[arg-type]  # bound above
    assert core.fleet.assign(phone_id, account_id="", actor="op").account_id is None


def test_a_real_phone_taps_by_itself_only_for_a_reason(core: Core) -> None:
    phone_id = real_phone(core)
    with pytest.raises(SafetyRefusal):
        core.fleet.assign(phone_id, unattended=True, actor="op")
    core.fleet.assign(phone_id, unattended=True, reason="agreed with the works council", actor="op")
    assert core.fleet.settings(phone_id).unattended
    entry = core.audit.entries(limit=1)[0]
    assert entry.what == "phone.assign"
    assert "works council" in entry.reason
    core.fleet.assign(phone_id, unattended=False, actor="op")
    assert not core.fleet.settings(phone_id).unattended


def test_a_virtual_phone_taps_by_itself_from_the_start(core: Core) -> None:
    phone = handset(core, 1)
    assert core.fleet.settings(phone.phone_id) == PhoneSettings(
        unattended=True,
        account_id="wx001",
        time_zone="Asia/Shanghai",
        shown_notice="工作手机 001 · 工作聊天记录中",
        hand_quiet_ms=30_000,
    )


def test_an_account_lives_on_one_phone(core: Core) -> None:
    handset(core, 1)
    other = handset(core, 2)
    with pytest.raises(BadRequest):
        core.fleet.assign(other.phone_id, account_id="wx001", actor="op")
    with pytest.raises(BadRequest):
        core.fleet.assign(handset(core, 3, can_act=False).phone_id, unattended=True, actor="op")
    with pytest.raises(UnknownPhone):
        core.fleet.assign(PhoneId("099"), holder="x", actor="op")


def test_rows_that_only_an_account_may_do_move_with_it(core: Core, clock: FixedClock) -> None:
    phone, other = handset(core, 1), handset(core, 2)
    submit(core, 1, [phone, other])
    lease = phone.take()
    phone.say(armed(lease), over(lease, "not_done", "not_sent"))
    core.fleet.assign(phone.phone_id, account_id="", actor="op")
    core.fleet.assign(other.phone_id, account_id="wx001", actor="op")
    other.beat(account_id="wx001")
    clock.advance(DAY_MS)
    other.beat(account_id="wx001")
    assert other.take().task.id == lease.task.id


def test_a_notice_lets_capture_begin_and_is_shown_when_missing(core: Core) -> None:
    phone = handset(core, 1, holder="王芳")
    assert core.fleet.phone(phone.phone_id).state == "no_notice"
    assert not core.fleet.settings(phone.phone_id).capture_allowed
    core.notices.record("王芳", version="2", how="signed on paper", actor="op")
    assert core.fleet.settings(phone.phone_id).capture_allowed
    assert core.fleet.phone(phone.phone_id).state == "ready"
    notice = core.notices.standing("王芳").record
    assert notice is not None
    assert (notice.version, notice.recorded_by, notice.at_ms) == ("2", "op", START_MS)
    assert core.notices.standing("other").record is None
    with pytest.raises(BadRequest):
        core.notices.record("王芳", version="", how="x", actor="op")


def test_another_account_on_the_phone_quarantines_it(core: Core) -> None:
    phone = handset(core, 1)
    phone.beat(account_id="wx-swapped")
    shown = core.fleet.phone(phone.phone_id)
    assert (shown.state, shown.cause) == ("quarantined", "account_mismatch")
    phone.beat(account_id="wx001")
    assert core.fleet.phone(phone.phone_id).state == "ready"


def test_a_heartbeat_keeps_what_it_does_not_know(core: Core) -> None:
    phone = handset(core, 1)
    phone.beat(battery_percent=80, temperature_decicelsius=310)
    phone.beat("busy")
    shown = core.fleet.phone(phone.phone_id)
    assert (shown.battery_percent, shown.temperature_decicelsius, shown.account_seen) == (80, 310, "wx001")
    phone.beat("levitating")
    assert core.fleet.phone(phone.phone_id).cause == "unknown state levitating"


def test_a_silent_phone_is_absent_until_it_greets(core: Core, clock: FixedClock) -> None:
    phone = handset(core, 1)
    clock.advance(30_000)
    core.sweep()
    assert core.fleet.phone(phone.phone_id).state == "ready"
    clock.advance(1)
    core.sweep()
    shown = core.fleet.phone(phone.phone_id)
    assert (shown.state, shown.cause, shown.last_seen_ms) == ("absent", "no_heartbeat", START_MS)
    phone.greet()
    assert core.fleet.phone(phone.phone_id).state == "preparing"
    clock.advance(7)
    core.fleet.lost(phone.phone_id, phone.epoch - 1)
    assert core.fleet.phone(phone.phone_id).last_seen_ms == START_MS + 30_001
    core.fleet.lost(phone.phone_id, phone.epoch)
    assert core.fleet.phone(phone.phone_id).last_seen_ms == START_MS + 30_008


def test_only_a_rest_can_be_cleared_and_only_for_a_reason(core: Core) -> None:
    phone = handset(core, 1)
    with pytest.raises(BadRequest):
        core.fleet.clear(phone.phone_id, reason="", actor="op")
    with pytest.raises(BadRequest):
        core.fleet.clear(phone.phone_id, reason="why", actor="op")
    with pytest.raises(UnknownPhone):
        core.fleet.clear(PhoneId("099"), reason="why", actor="op")


def test_who_watches_is_told_after_the_commit_and_not_of_what_failed(core: Core) -> None:
    phone = handset(core, 1)
    told: list[Change] = []
    stop = core.watch(told.append)
    with pytest.raises(BadRequest):
        core.fleet.assign(phone.phone_id, holder="x", account_id="", unattended=True, actor="op")
    assert told == []
    core.fleet.assign(phone.phone_id, holder="x", actor="op")
    assert told == [Change(ChangeKind.PHONE, phone.phone_id), Change(ChangeKind.WORK)]
    stop()
    core.fleet.assign(phone.phone_id, holder="y", actor="op")
    assert len(told) == 2


def test_the_farm_at_a_glance(core: Core, backend: Backend) -> None:
    handset(core, 1)
    core.fleet.hello(greeting("unnumbered"))
    status = core.status()
    assert (status.store, status.phones, status.sightings) == (backend.kind, {"ready": 1}, 1)
    assert (status.jobs_running, status.tasks, status.messages) == (0, {}, 0)


def test_the_diary_is_read_from_its_end(core: Core) -> None:
    for number in range(3):
        core.audit.record(actor="王芳", what="chat.view", object=f"chat {number}", reason="complaint")
    newest = core.audit.entries(limit=2)
    assert [entry.object for entry in newest] == ["chat 2", "chat 1"]
    assert [entry.object for entry in core.audit.entries(before_id=newest[-1].id)] == ["chat 0"]
    with pytest.raises(BadRequest):
        core.audit.record(actor="", what="x", object="y")


def test_capture_ends_with_the_heartbeat_that_names_another_account(core: Core) -> None:
    core.notices.record("h", version="1", how="signed", actor="op")
    phone = handset(core, 1, holder="h")
    assert phone.beat(account_id="wx001").capture_allowed
    assert not phone.beat(account_id="wx-other").capture_allowed
    assert not core.fleet.settings(phone.phone_id).capture_allowed
    assert phone.beat(account_id="wx001").capture_allowed
    core.fleet.assign(phone.phone_id, account_id="", actor="op")
    assert not phone.beat(account_id="wx001").capture_allowed
