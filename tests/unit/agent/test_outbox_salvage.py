"""A damaged file: what can be read goes on under its numbers, the rest is a gap, and doubt stops actions."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import LeaseLost
from agent.intents import Intents
from agent.outbox import Outbox
from agent.salvage import IN_DOUBT
from protos import wire
from protos.facts import GapSeen, MessageSeen, PhoneStateChanged
from tests.support.outboxwriter import chat, task_named


def state(n: int) -> PhoneStateChanged:
    return PhoneStateChanged(state="ready", cause=f"n{n} " + "x" * 400)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a closed file with 600 events, 300 of them archived, a cursor and an armed task."""
    path = tmp_path / "box" / "a.db"
    outbox = Outbox.open(path)
    outbox.hear_high_water(0)
    outbox.add(*(state(n) for n in range(1, 601)))
    outbox.ack(300)
    outbox.account_id = "wx"
    outbox.add_chat(chat(outbox.tail_of("k"), 1))
    intents = Intents(outbox)
    task = task_named("t1", outbox)
    intents.receive(task)
    intents.arm(task)
    outbox.close()
    return path


def pages_of(path: Path, table: str) -> list[int]:
    conn = sqlite3.connect(path)
    try:
        rows = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchall()
        if table != "event":
            return [page for (page,) in rows]
        return leaves(path, rows[0][0])
    finally:
        conn.close()


def leaves(path: Path, root: int) -> list[int]:
    """Return the leaf pages of a table in the order of its rows: children of its root (file format, 1.6)."""
    page = path.read_bytes()[(root - 1) * 4096 : root * 4096]
    assert page[0] == 5, "the table is not two levels deep"
    cells = int.from_bytes(page[3:5])
    starts = [int.from_bytes(page[12 + 2 * n : 14 + 2 * n]) for n in range(cells)]
    return [int.from_bytes(page[s : s + 4]) for s in starts] + [int.from_bytes(page[8:12])]


def spoil(path: Path, *pages: int) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * 4096)
            file.write(b"\xff" * 4096)


def facts_of(outbox: Outbox) -> dict[int, object]:
    found: dict[int, object] = {}
    while bodies := outbox.batch(max(outbox.lowest, len(found) and max(found) + 1)):
        start = max(found) + 1 if found else outbox.lowest
        found.update({seq: wire.unseal(body).fact for seq, body in enumerate(bodies, start)})
        if max(found) == outbox.highest:
            break
    return found


def is_damage(fact: object) -> bool:
    return isinstance(fact, GapSeen) and fact.cause == "outbox_damaged"


def test_what_can_be_read_keeps_its_numbers_and_each_lost_event_is_a_gap(path: Path) -> None:
    before = Outbox.open(path)
    spool, highest = before.spool_id, before.highest
    before.close()
    middle = pages_of(path, "event")[20:22]
    spoil(path, *middle)
    outbox = Outbox.open(path)
    try:
        assert (outbox.spool_id, outbox.acked, outbox.highest) == (spool, 300, highest + 1)
        found = facts_of(outbox)
        assert sorted(found) == list(range(1, highest + 2))
        lost = [seq for seq, fact in found.items() if is_damage(fact)]
        assert 4 <= len(lost) <= 40
        assert lost[-1] == highest + 1
        assert lost[:-1] == list(range(lost[0], lost[0] + len(lost) - 1))
        assert all(found[n] == state(n) for n in range(1, 601) if n not in lost)
        outbox.account_id = "wx"
        assert outbox.tail_of("k").position == 1
        assert outbox.actions_in_doubt == ""
        assert [task.task_id for task in Intents(outbox).armed()] == ["t1"]
        assert len(list(path.parent.glob("a.db.damaged-*"))) >= 1
    finally:
        outbox.close()


@pytest.mark.parametrize("table", ["intent", "lease"])
def test_unreadable_actions_stop_all_actions_until_a_person_looked(path: Path, table: str) -> None:
    spoil(path, *pages_of(path, table))
    outbox = Outbox.open(path)
    try:
        assert outbox.plight == "outbox_damaged"
        intents = Intents(outbox)
        task = task_named("t2", outbox)
        intents.receive(task)
        with pytest.raises(LeaseLost, match="outbox_damaged"):
            intents.arm(task)
        outbox.remember(IN_DOUBT, "")
        intents.arm(task)
    finally:
        outbox.close()


def test_where_cursors_are_lost_nothing_takes_an_old_place_and_all_is_doubted(path: Path) -> None:
    spoil(path, *pages_of(path, "cursor"))
    outbox = Outbox.open(path)
    try:
        outbox.account_id = "wx"
        tail = outbox.tail_of("k")
        assert tail.position > outbox.highest
        assert (tail.bubbles, tail.read_at_ms) == ((), 0)
        first = outbox.highest + 1
        outbox.add_chat(replace(chat(tail, 2), last_position=tail.position))
        told = [wire.unseal(body).fact for body in outbox.batch(first)]
        assert [(fact.cause, fact.before_position) for fact in told if isinstance(fact, GapSeen)] == [
            ("outbox_damaged", tail.position + 1)
        ]
        messages = [fact for fact in told if isinstance(fact, MessageSeen)]
        assert [message.position for message in messages] == [tail.position + 1]
        assert all(message.ambiguous for message in messages)
        # From there on it is known.
        outbox.add_chat(replace(chat(outbox.tail_of("k"), 1), last_position=tail.position + 1))
        last = wire.unseal(outbox.batch(outbox.highest)[0]).fact
        assert isinstance(last, MessageSeen)
        assert (last.position, last.ambiguous) == (tail.position + 2, False)
    finally:
        outbox.close()


def test_without_the_name_of_its_spool_only_what_is_not_archived_goes_on(path: Path) -> None:
    before = Outbox.open(path)
    spool, waiting = before.spool_id, before.backlog
    before.close()
    spoil(path, *pages_of(path, "meta"))
    outbox = Outbox.open(path)
    try:
        assert outbox.spool_id != spool
        found = facts_of(outbox)
        assert [found[n] for n in range(1, 301)] == [state(n) for n in range(301, 601)]
        assert len(found) == outbox.highest == waiting + 1
        assert is_damage(found[outbox.highest])
        assert outbox.acked == 0
    finally:
        outbox.close()


def test_a_file_without_any_sense_is_a_new_spool_in_doubt(path: Path) -> None:
    path.write_bytes(b"\xff" * 8192)
    outbox = Outbox.open(path)
    try:
        found = facts_of(outbox)
        assert len(found) == 1
        assert is_damage(found[1])
        assert outbox.actions_in_doubt == "outbox_damaged"
    finally:
        outbox.close()


def test_a_rebuilding_that_was_cut_short_is_made_again_or_finished(path: Path) -> None:
    half = path.with_name("a.db.rebuilt")
    half.write_bytes(b"half")
    outbox = Outbox.open(path)
    highest = outbox.highest
    outbox.close()
    assert not half.exists()
    path.rename(half)
    path.with_name("a.db-wal").write_bytes(b"of the damaged file")
    outbox = Outbox.open(path)
    assert outbox.highest == highest
    outbox.close()


def test_a_file_older_than_the_archive_is_found_however_much_was_written_since(path: Path) -> None:
    old = path.read_bytes()
    later = Outbox.open(path)
    later.add(*(state(n) for n in range(10)))
    archived = later.highest
    later.close()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(old)

    for _ in range(2):  # also when the first agent that had it ended before any controller spoke
        outbox = Outbox.open(path)
        outbox.add(*(state(1_000 + n) for n in range(20)))
        outbox.close()
    outbox = Outbox.open(path)
    try:
        spool = outbox.spool_id
        assert outbox.highest > archived
        assert not outbox.hear_high_water(archived)
        assert outbox.spool_id != spool
        found = facts_of(outbox)
        assert [f for f in found.values() if isinstance(f, PhoneStateChanged)] == [
            state(1_000 + n) for n in range(20)
        ] * 2
        assert outbox.hear_high_water(0)
    finally:
        outbox.close()


def test_numbers_that_were_sent_are_the_controllers_to_have(path: Path) -> None:
    outbox = Outbox.open(path)
    spool = outbox.spool_id
    assert outbox.hear_high_water(300)
    outbox.add(state(1))
    assert outbox.hear_high_water(outbox.highest)
    assert (outbox.spool_id, outbox.backlog) == (spool, 0)
    outbox.close()
