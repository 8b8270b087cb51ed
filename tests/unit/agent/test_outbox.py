"""The file of events: gapless numbers, what a week keeps, cursors with their events, damage."""

from __future__ import annotations

import sqlite3
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.capture.chats import ChatRead, SeenBubble, Tail
from agent.errors import AlreadyRunning, OutboxNewer
from agent.facts import new_uid
from agent.model import Bubble
from agent.outbox import KEEP_ACKED_MS, Outbox
from protos import wire
from protos.channel import MAX_BATCH_BYTES, MAX_BATCH_EVENTS
from protos.facts import EventSetAside, GapSeen, MessageSeen, PhoneStateChanged, ScreenUnknown


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outbox(tmp_path: Path, clock: Clock) -> Iterator[Outbox]:
    made = Outbox.open(tmp_path / "box" / "a.db", clock=clock)
    yield made
    made.close()


def state(n: int = 0) -> PhoneStateChanged:
    return PhoneStateChanged(state="ready", cause=f"n{n}")


def reopen(outbox: Outbox, tmp_path: Path, clock: Clock) -> Outbox:
    outbox.close()
    return Outbox.open(tmp_path / "box" / "a.db", clock=clock)


def test_numbers_have_no_holes_and_go_on_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    with_first = Outbox.open(tmp_path / "box" / "a.db", clock=clock)
    spool = with_first.spool_id
    assert (with_first.lowest, with_first.highest, with_first.acked) == (0, 0, 0)
    assert with_first.add(state(1), state(2)) == [1, 2]
    again = reopen(with_first, tmp_path, clock)
    assert again.spool_id == spool
    assert again.add(state(3)) == [3]
    assert (again.lowest, again.highest) == (1, 3)
    again.close()


def test_an_event_carries_time_epoch_account_and_a_uid(outbox: Outbox, clock: Clock) -> None:
    outbox.enter_epoch(7)
    outbox.account_id = "wx_1"
    outbox.add(state())
    event = wire.unseal(outbox.batch(1)[0])
    assert (event.at_ms, event.phone_epoch, event.account_id) == (clock.now_ms, 7, "wx_1")
    assert uuid.UUID(event.uid).version == 7


def test_uids_sort_by_time() -> None:
    made = [new_uid(ms) for ms in (1, 2, 1_700_000_000_000, 1_700_000_000_001)]
    assert made == sorted(made)
    assert len({new_uid(5) for _ in range(1000)}) == 1000


def test_file_is_private_and_has_one_owner(outbox: Outbox, tmp_path: Path) -> None:
    path = tmp_path / "box" / "a.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(AlreadyRunning):
        Outbox.open(path)


def test_a_commit_is_on_disk_before_it_returns(outbox: Outbox) -> None:
    with outbox.reading() as conn:
        assert conn.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
        assert conn.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert conn.execute("PRAGMA secure_delete").fetchone()[0] == 1


def test_batches_keep_to_the_limits_of_the_channel(outbox: Outbox) -> None:
    outbox.add(*(state(n) for n in range(MAX_BATCH_EVENTS + 5)))
    assert len(outbox.batch(1)) == MAX_BATCH_EVENTS
    assert len(outbox.batch(MAX_BATCH_EVENTS + 1)) == 5
    assert len(outbox.batch(1, most=1)) == 1
    assert outbox.batch(1_000) == []
    first = outbox.highest + 1
    big = ScreenUnknown(activity="x" * (MAX_BATCH_BYTES // 3), cause="empty")
    outbox.add(big, big, big, big)
    assert len(outbox.batch(first)) == 2
    huge = ScreenUnknown(activity="x" * (MAX_BATCH_BYTES + 1), cause="empty")
    (seq,) = outbox.add(huge)
    assert len(outbox.batch(seq)) == 1


def test_acknowledged_events_stay_for_a_week_and_leave_in_order(outbox: Outbox, clock: Clock) -> None:
    outbox.add(*(state(n) for n in range(10)))
    outbox.ack(6)
    clock.now_ms += KEEP_ACKED_MS
    outbox.purge()
    assert outbox.lowest == 1
    clock.now_ms += 1
    outbox.purge()
    assert (outbox.lowest, outbox.highest) == (7, 10)
    outbox.ack(10)
    clock.now_ms += 2 * KEEP_ACKED_MS
    outbox.purge()
    # The newest stays: without it the numbers would begin again.
    assert (outbox.lowest, outbox.highest) == (10, 10)


def test_a_clock_that_jumped_back_makes_no_hole(outbox: Outbox, clock: Clock) -> None:
    outbox.add(*(state(n) for n in range(6)))
    outbox.ack(2)
    clock.now_ms -= 30 * KEEP_ACKED_MS
    outbox.ack(4)
    clock.now_ms += 30 * KEEP_ACKED_MS
    outbox.purge()
    assert outbox.lowest == 1
    assert len(outbox.batch(1)) == 6


def test_ack_never_goes_back_or_beyond(outbox: Outbox) -> None:
    outbox.add(*(state(n) for n in range(3)))
    outbox.ack(2)
    outbox.ack(1)
    assert outbox.acked == 2
    outbox.ack(99)
    assert outbox.acked == 3


def test_rewind_makes_events_unacknowledged_again(outbox: Outbox, tmp_path: Path, clock: Clock) -> None:
    outbox.add(*(state(n) for n in range(5)))
    outbox.ack(5)
    outbox.rewind(2)
    assert outbox.acked == 2
    clock.now_ms += 2 * KEEP_ACKED_MS
    outbox.purge()
    assert outbox.lowest == 3
    outbox.rewind(4)
    assert reopen_acked(outbox, tmp_path, clock) == 4


def reopen_acked(outbox: Outbox, tmp_path: Path, clock: Clock) -> int:
    again = reopen(outbox, tmp_path, clock)
    found = again.acked
    again.close()
    return found


def test_failed_write_leaves_no_number_behind(outbox: Outbox) -> None:
    outbox.add(state())

    def fail() -> None:
        with outbox.transaction() as conn:
            outbox.append(conn, [state(1), state(2)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert outbox.highest == 1
    assert outbox.add(state(3)) == [2]


def test_growth_is_told_after_the_commit(outbox: Outbox, tmp_path: Path) -> None:
    seen: list[int] = []
    reader = sqlite3.connect(f"file:{tmp_path / 'box' / 'a.db'}?mode=ro", uri=True)
    outbox.on_growth = lambda: seen.append(reader.execute("SELECT count(*) FROM event").fetchone()[0])
    outbox.add(state())
    assert seen == [1]
    reader.close()


def read(title: str, texts: list[str], *, start: int, gap: str = "") -> ChatRead:
    bubbles = tuple(Bubble(side="in", kind="text", text=text, time_label="10:00") for text in texts)
    return ChatRead(
        key=f"private:{title}",
        title=title,
        kind="private",
        new=tuple(SeenBubble(start + n, bubble, False) for n, bubble in enumerate(bubbles)),
        gap_cause=gap,
        tail=Tail(start + len(bubbles) - 1, bubbles),
    )


def test_cursor_and_messages_are_one(outbox: Outbox, tmp_path: Path, clock: Clock) -> None:
    outbox.account_id = "wx_1"
    assert outbox.tail_of("private:A") == Tail(position=0, bubbles=())
    outbox.add_chat(read("A", ["一", "二"], start=1))
    clock.now_ms += 1000
    outbox.add_chat(read("A", ["三"], start=3, gap="too_far"))
    assert outbox.tail_of("private:A") == Tail(
        position=3,
        bubbles=(Bubble(side="in", kind="text", text="三", time_label="10:00"),),
        read_at_ms=clock.now_ms,
    )
    facts = [wire.unseal(body).fact for body in outbox.batch(1)]
    assert [type(f) for f in facts] == [MessageSeen, MessageSeen, GapSeen, MessageSeen]
    gap = facts[2]
    assert isinstance(gap, GapSeen)
    assert (gap.before_position, gap.cause, gap.from_ms, gap.to_ms) == (
        3,
        "too_far",
        clock.now_ms - 1000,
        clock.now_ms,
    )
    again = reopen(outbox, tmp_path, clock)
    again.account_id = "wx_1"
    assert again.tail_of("private:A").position == 3
    again.account_id = "wx_2"
    assert again.tail_of("private:A").position == 0
    again.close()


def test_cursor_does_not_move_when_its_events_are_not_kept(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox.add_chat(read("A", ["一"], start=1))
    bad = read("A", ["二"], start=2)
    monkeypatch.setattr(wire, "seal", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        outbox.add_chat(bad)
    assert outbox.tail_of("private:A").position == 1
    assert outbox.highest == 1


def test_event_set_aside_keeps_its_number_and_can_come_back(outbox: Outbox) -> None:
    outbox.add(state(1), state(2))
    before = outbox.batch(2)
    outbox.set_aside(2, "INTERNAL")
    assert wire.unseal(outbox.batch(2)[0]).fact == EventSetAside(seq=2, cause="INTERNAL")
    outbox.put_back(2)
    assert outbox.batch(2) == before
    outbox.put_back(1)
    assert len(outbox.batch(1)) == 2


def test_renumbering_keeps_what_was_not_archived(outbox: Outbox, tmp_path: Path, clock: Clock) -> None:
    outbox.add(*(state(n) for n in range(5)))
    outbox.ack(3)
    old = outbox.spool_id
    outbox.renumber()
    assert outbox.spool_id != old
    facts = [wire.unseal(body).fact for body in outbox.batch(1)]
    assert isinstance(facts[0], GapSeen)
    assert facts[1:] == [state(3), state(4)]
    assert (outbox.lowest, outbox.highest, outbox.acked) == (1, 3, 0)
    spool = outbox.spool_id
    again = reopen(outbox, tmp_path, clock)
    assert (again.spool_id, again.highest) == (spool, 3)
    again.close()


def test_file_of_a_later_release_is_refused_and_left_alone(
    outbox: Outbox, tmp_path: Path, clock: Clock
) -> None:
    outbox.remember("schema_version", "99")
    outbox.close()
    with pytest.raises(OutboxNewer, match="99"):
        Outbox.open(tmp_path / "box" / "a.db", clock=clock)
    assert (tmp_path / "box" / "a.db").exists()


def test_notes_stay(outbox: Outbox, tmp_path: Path, clock: Clock) -> None:
    assert outbox.recall("x") == ""
    outbox.remember("x", "1")
    outbox.enter_epoch(4)
    again = reopen(outbox, tmp_path, clock)
    assert (again.recall("x"), again.phone_epoch) == ("1", 4)
    again.close()
