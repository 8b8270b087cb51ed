"""Messages are taken in by the stretch, and nothing in the archive tells that from taking each by itself."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from controller import batches
from controller.batches import Batch, Stretch, parts_of
from controller.captures import RuleParts
from controller.ingestchats import ChatIntake
from controller.model import AccountId
from controller.store import open_store
from controller.store.base_ingest import NewMessage
from protos.facts import (
    ChatRemoved,
    CoverageSeen,
    Event,
    Fact,
    FriendAccepted,
    GapSeen,
    MessageChanged,
    MessageSeen,
    conversation_key,
)
from protos.wire import message_row, seal, unseal
from tests.support.clock import START_MS, fixed_clock
from tests.support.corefarm import Handset, core_on, handset, message

HOUR_MS = 3_600_000
PRIVATE = conversation_key("妈妈", "private")
CHATS = ("one", "two", "three", PRIVATE)
TEXTS = (
    "在吗",
    "发红包",
    "发",
    "红",
    "包",
    "好的，明天上午见，地址我发给你",
    "a\0b",
    "",
    "加我微信详谈",
    "退款",
)
TABLES = (
    "events",
    "messages",
    "conversations",
    "gaps",
    "event_gaps",
    "event_conflicts",
    "violations",
    "waiting_replies",
    "message_changes",
    "chat_removals",
    "spools",
    "conversation_spools",
    "conversation_turns",
    "phones",
)


def sealed(uid: int, fact: Fact, at_ms: int, account_id: str) -> bytes:
    return seal(Event(uid=f"u{uid}", at_ms=at_ms, phone_epoch=1, account_id=account_id, fact=fact))


def talk(chance: Random, count: int) -> list[bytes]:
    """Return what an outbox may hold: mostly messages of a chat in a row, and all that stops one."""
    positions = dict.fromkeys(CHATS, 0)
    bodies: list[bytes] = []
    while len(bodies) < count:
        key = chance.choice(CHATS)
        # About as the clock goes; now and then from before the phone was anybody's, or of the night.
        at_ms = (
            START_MS
            + len(bodies) * 60_000
            + (chance.choice((-25, 5)) * HOUR_MS if chance.random() < 0.05 else 0)
        )
        account_id = chance.choice(("", "wx001", "wx001", "wx001", "wx777"))
        for _ in range(chance.randint(1, 6)):
            positions[key] += chance.choice((1, 1, 1, 1, 1, 1, 0, -1, 2))
            at_ms += chance.randint(0, 60_000)
            fact = fact_of(chance, key, max(positions[key], 0), at_ms)
            bodies.append(sealed(len(bodies), fact, at_ms, account_id))
    return bodies


def fact_of(chance: Random, key: str, position: int, at_ms: int) -> Fact:
    seen = replace(
        message(chance.choice(TEXTS), position, key=key, side=chance.choice(("in", "out", "system"))),
        conversation_title=chance.choice(("title", "title", "title", "named anew")),
        conversation_kind=chance.choice(("private", "private", "private", "group")),
        kind=chance.choice(("text", "text", "text", "red_packet", "system", "voice")),
        detail=chance.choice(("", "", "发红包")),
        shown_from_ms=chance.choice((0, at_ms - 60_000)),
        shown_to_ms=at_ms,
        ambiguous=chance.random() < 0.1,
        fragment=chance.random() < 0.1,
    )
    others: list[Fact] = [
        replace(seen, position=2**64 - 1),
        replace(seen, shown_from_ms=-(2**62)),
        gap(key, position, at_ms),
        MessageChanged(conversation_key=key, position=position, what="recalled", line="撤回"),
        removal(key, position, at_ms),
        CoverageSeen(from_ms=at_ms - HOUR_MS, to_ms=at_ms, state="seen", cause=""),
        FriendAccepted(conversation_title="妈妈", how="system"),
    ]
    return chance.choice(others) if chance.random() < 0.06 else seen


def gap(key: str, position: int, at_ms: int) -> GapSeen:
    return GapSeen(
        conversation_key=key,
        conversation_title="title",
        before_position=position,
        cause="missed",
        from_ms=at_ms,
        to_ms=at_ms,
    )


def removal(key: str, position: int, at_ms: int) -> ChatRemoved:
    return ChatRemoved(
        conversation_key=key,
        conversation_title="title",
        what="cleared",
        last_position=position,
        from_ms=at_ms,
        to_ms=at_ms,
    )


def archived(path: Path, seed: int) -> dict[str, list[Any]]:
    """Return all rows of an archive that took a random talk in, with all that changes who may be read."""
    chance = Random(seed)
    store = open_store(f"sqlite:///{path}")
    clock = fixed_clock()
    core = core_on(store, clock, words=("红包", "退款"), words_default=False)
    core.notices.record("王芳", version="1", how="signed", actor="op")
    phone = handset(core, 1, holder="王芳")
    account = AccountId("wx001")
    core.captures.exclude(account, "妈妈", reason="family", actor="op")
    acts: list[Callable[[], object]] = [
        lambda: core.notices.record("王芳", version="2", how="signed", actor="op"),
        lambda: core.captures.set_rules(account, RuleParts(hours="mon-sun 8-20"), actor="op"),
        lambda: core.captures.set_rules(account, RuleParts(hours="always"), actor="op"),
        lambda: core.fleet.assign(phone.phone_id, holder="李雷", actor="op"),
        lambda: core.fleet.assign(phone.phone_id, holder="王芳", actor="op"),
        lambda: phone.new_outbox(f"spool-{chance.randint(2, 3)}"),
    ]
    bodies = talk(chance, 260)
    seqs: dict[str, int] = {}
    while bodies:
        size = chance.randint(1, 60)
        part, bodies = bodies[:size], bodies[size:]
        first = seqs.get(phone.spool_id, 0) + 1
        again = chance.choice((0, 0, 3)) if first > 4 else 0
        clock.advance(chance.randint(0, HOUR_MS))
        took = Batch.of(phone.phone_id, phone.spool_id, first, part, shelf=core._ledger.shelves.current())
        assert core.archive.accept_all([took]) == [first + len(part) - 1]
        if again:
            assert core.archive.accept(phone.phone_id, phone.spool_id, first, part[:again])
        seqs[phone.spool_id] = first + len(part) - 1
        if chance.random() < 0.4:
            chance.choice(acts)()
    store.close()
    with closing(sqlite3.connect(path)) as conn:
        return {table: sorted(conn.execute(f"SELECT * FROM {table}"), key=repr) for table in TABLES}


@pytest.mark.parametrize("seed", range(12))
def test_stretches_leave_the_same_archive_as_messages_one_by_one(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_stretch = archived(tmp_path / "a.db", seed)
    monkeypatch.setattr(batches, "message_row", lambda _: None)
    one_by_one = archived(tmp_path / "b.db", seed)
    for table in TABLES:
        assert by_stretch[table] == one_by_one[table], table
    assert len(by_stretch["messages"]) > 20


def came_back(path: Path) -> list[tuple[str, int]]:
    """Return what a chat holds in order after its account was on another phone and came back.

    Then one message comes late, from before it left, and others right behind it.
    """
    store = open_store(f"sqlite:///{path}")
    core = core_on(store, fixed_clock())
    core.notices.record("王芳", version="1", how="signed", actor="op")
    first, other = handset(core, 1, holder="王芳"), handset(core, 2, holder="王芳")

    def says(phone: Handset, *positions: int) -> None:
        said = [message(f"{phone.spool_id} {position}", position, key="one") for position in positions]
        phone.say(*said, account_id="wx001")

    def moves_to(phone: Handset, from_phone: Handset) -> None:
        core.fleet.assign(from_phone.phone_id, account_id="", actor="op")
        core.fleet.assign(phone.phone_id, account_id="wx001", holder="王芳", actor="op")

    says(first, 1, 2, 4)
    moves_to(other, first)
    says(other, 1, 2)
    moves_to(first, other)
    says(first, 5, 6)
    says(first, 3, 7, 8)
    chat = core.archive.conversations(limit=10)[0]
    held = [(one.text, one.position) for one in core.archive.messages(chat.id, limit=100)]
    store.close()
    return held


def test_a_late_message_does_not_draw_those_behind_it_to_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_stretch = came_back(tmp_path / "a.db")
    monkeypatch.setattr(batches, "message_row", lambda _: None)
    assert by_stretch == came_back(tmp_path / "b.db")
    said = [text for text, _ in by_stretch]
    own, others = "spool-1", "spool-2"
    assert said == [
        *(f"{own} {position}" for position in (1, 2, 3, 4)),
        *(f"{others} {position}" for position in (1, 2)),
        *(f"{own} {position}" for position in (5, 6, 7, 8)),
    ]


def test_most_of_a_talk_is_taken_by_the_stretch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    taken = []
    take_run = ChatIntake.take_run

    def counted(self: ChatIntake, *args: Any) -> bool:
        taken.append(take_run(self, *args))
        return taken[-1]

    monkeypatch.setattr(ChatIntake, "take_run", counted)
    archived(tmp_path / "a.db", 1)
    assert sum(taken) > len(taken) // 2
    assert not all(taken)


def test_a_row_says_what_the_event_says() -> None:
    seen = replace(
        message("转账", 7, side="in"),
        kind="transfer",
        sender="小李",
        shown_from_ms=START_MS - 60_000,
        shown_to_ms=START_MS,
        amount_fen=12_345,
        state="pending",
        length_s=7,
        detail="货款",
        ambiguous=True,
        fragment=True,
        media_sha256="ab" * 32,
        time_label="10:44",
    )
    body = sealed(1, seen, START_MS, "wx001")
    row, event = message_row(body), unseal(body)
    assert row is not None
    for name in MessageSeen.__dataclass_fields__:
        assert getattr(row, name) == getattr(event.fact, name), name
    assert (row.at_ms, row.phone_epoch, row.account_id) == (event.at_ms, event.phone_epoch, event.account_id)
    said = NewMessage.of(3, 107, "spool", 9, seen, START_MS, START_MS + 5, "grams")
    assert NewMessage.of_row(3, 100, "spool", 9, row, START_MS + 5, "grams") == said


def test_what_is_no_message_has_no_row() -> None:
    assert message_row(sealed(1, gap("one", 1, START_MS), START_MS, "")) is None
    assert message_row(b"\xff\xff") is None


def test_parts_hold_every_event_in_its_place() -> None:
    bodies = talk(Random(3), 200)
    bodies.insert(50, b"\xff")
    parts = parts_of(bodies)
    held = [one.bodies if isinstance(one, Stretch) else (one.body,) for one in parts]
    assert list(itertools.chain.from_iterable(held)) == bodies
    for part in parts:
        if isinstance(part, Stretch):
            assert [start for start, _ in part.chats] == [0, *(end for _, end in part.chats[:-1])]
            assert part.chats[-1][1] == len(part.rows)
