"""Room for events: alarms, the reserve, what goes first, and what never goes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.ballast import MIB, Ballast, Level, Limits, Room, level_of
from agent.errors import OutboxFull
from agent.outbox import Outbox
from agent.plight import told
from agent.wire import Pulse
from protos import wire
from protos.facts import Fact, GapSeen, PhoneStateChanged
from tests.support.outboxwriter import chat

TIGHT = Limits(file_bytes=MIB, spare_bytes=0, ballast_bytes=0)


class Clock:
    now_ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now_ms


def state(n: int) -> PhoneStateChanged:
    return PhoneStateChanged(state="ready", cause=f"n{n} " + "x" * 4000)


def facts_of(outbox: Outbox, first: int) -> list[Fact]:
    return [wire.unseal(body).fact for body in outbox.batch(first)]


@pytest.mark.parametrize(
    ("used", "free", "was", "now"),
    [
        (0, 1000, Level.FREE, Level.FREE),
        (69, 1000, Level.FREE, Level.FREE),
        (70, 1000, Level.FREE, Level.FILLING),
        (90, 1000, Level.FREE, Level.NEARLY_FULL),
        (100, 1000, Level.FREE, Level.FULL),
        (91, 1000, Level.FULL, Level.FULL),
        (89, 1000, Level.FULL, Level.FILLING),
        (0, 300, Level.FREE, Level.FILLING),
        (0, 100, Level.FREE, Level.NEARLY_FULL),
        (0, 9, Level.FREE, Level.FULL),
        (0, 24, Level.FULL, Level.FULL),
        (0, 25, Level.FULL, Level.NEARLY_FULL),
    ],
)
def test_alarms_come_at_seventy_and_ninety_percent_of_file_or_disk(
    used: int, free: int, was: Level, now: Level
) -> None:
    limits = Limits(file_bytes=100, spare_bytes=10, ballast_bytes=5)
    assert level_of(Room(used=used, disk_free=free, disk_total=1000), limits, was) is now


def test_the_reserve_is_real_shared_and_given_up_once(tmp_path: Path) -> None:
    one, other = (Ballast(tmp_path / "ballast", 2 * MIB) for _ in range(2))
    assert not one.is_held
    assert one.hold()
    assert other.is_held
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= 2 * MIB
    assert other.give_up()
    assert not one.give_up()
    (tmp_path / "ballast").write_bytes(b"")
    os.truncate(tmp_path / "ballast", 2 * MIB)  # a size without blocks frees nothing
    assert not one.is_held
    assert one.hold()
    assert one.is_held


def test_a_full_file_refuses_chats_keeps_everything_and_says_how_long(tmp_path: Path) -> None:
    clock = Clock()
    outbox = Outbox.open(tmp_path / "a.db", clock=clock, limits=TIGHT)
    try:
        n = 0
        while not outbox.is_full:
            outbox.add_chat(chat(outbox.tail_of("k"), n))
            outbox.add(state(n))
            n += 1
        began_ms = clock.now_ms
        position, highest = outbox.tail_of("k").position, outbox.highest
        with pytest.raises(OutboxFull):
            outbox.add_chat(chat(outbox.tail_of("k"), n))
        assert (outbox.tail_of("k").position, outbox.highest) == (position, highest)
        assert told(Pulse(state="ready"), outbox).cause == "disk_full"
        # All that is not chats goes on: what a task came to, coverage, states.
        outbox.add(state(0))
        outbox.purge()
        assert outbox.lowest == 1
        clock.now_ms += 5_000
        outbox.ack(outbox.highest - 2)
        assert not outbox.is_full
        assert outbox.lowest > 1
        (gap,) = [f for f in facts_of(outbox, outbox.highest) if isinstance(f, GapSeen)]
        assert (gap.cause, gap.from_ms, gap.to_ms) == ("disk_full", began_ms, clock.now_ms)
        outbox.add_chat(chat(outbox.tail_of("k"), n))
        assert outbox.tail_of("k").position == position + 1
        assert not outbox.is_full
    finally:
        outbox.close()


def test_want_of_room_is_known_after_a_restart(tmp_path: Path) -> None:
    outbox = Outbox.open(tmp_path / "a.db", limits=TIGHT)
    while not outbox.is_full:
        outbox.add(state(0))
    outbox.close()
    with_more = Outbox.open(tmp_path / "a.db", limits=Limits(spare_bytes=0))
    try:
        assert not with_more.is_full
        assert isinstance(facts_of(with_more, with_more.highest)[0], GapSeen)
        highest = with_more.highest
        assert not with_more.is_full
        assert with_more.highest == highest
    finally:
        with_more.close()


def test_archived_events_go_before_their_week_when_the_file_is_crowded(tmp_path: Path) -> None:
    outbox = Outbox.open(tmp_path / "a.db", limits=TIGHT)
    try:
        for n in range(1_000):
            outbox.add(state(n))
            outbox.ack(outbox.highest - 5)
            assert not outbox.is_full
        assert outbox.highest == 1_000
        assert len(outbox.batch(outbox.acked + 1)) == 5
        assert (tmp_path / "a.db").stat().st_size < 2 * MIB
    finally:
        outbox.close()


def test_a_long_backlog_is_told_unless_the_phone_has_its_own_cause(tmp_path: Path) -> None:
    outbox = Outbox.open(tmp_path / "a.db")
    try:
        outbox.add(*(PhoneStateChanged(state="ready", cause="") for _ in range(1_001)))
        assert told(Pulse(state="ready"), outbox).cause == "backlog 1001"
        assert told(Pulse(state="busy", cause="own"), outbox).cause == "own"
        outbox.ack(5)
        assert told(Pulse(state="ready"), outbox).cause == ""
    finally:
        outbox.close()
