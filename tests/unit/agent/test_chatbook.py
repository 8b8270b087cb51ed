"""Which chats are to be read: what asks for it, what survives a restart, what strikes a chat off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.capture.chats import ChatRead, SeenBubble, Tail
from agent.capture.hints import Glimpse, glimpse_of, is_hint
from agent.chatbook import ChatBook
from agent.model import Bubble, ChatRow
from agent.outbox import Outbox
from protos import wire
from protos.facts import GapSeen

ROW = ChatRow(title="A", preview="好的", time_label="10:00", unread=0, is_muted=False)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox.open(tmp_path / "a.db")
    made.account_id = "wx_1"
    yield made
    made.close()


def reading(row: ChatRow | None) -> ChatRead:
    bubble = Bubble(side="in", kind="text", text="好的", time_label="")
    return ChatRead("k", "A", "private", (SeenBubble(1, bubble, False),), "", Tail(1, (bubble,)), row)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (ROW, False),
        (replace(ROW, unread=1), True),
        (replace(ROW, unread=-1), True),
        (replace(ROW, preview="嗯"), True),
        (replace(ROW, time_label="10:01"), True),
    ],
)
def test_badge_preview_and_time_ask_for_a_reading(row: ChatRow, expected: bool) -> None:
    assert is_hint(row, Glimpse("好的", "10:00")) is expected


def test_a_chat_never_read_asks_for_it_unless_set_otherwise() -> None:
    assert is_hint(ROW, None, at_first_sight=True)
    assert not is_hint(ROW, None, at_first_sight=False)
    assert is_hint(replace(ROW, unread=2), None, at_first_sight=False)


def test_the_count_of_a_muted_chat_is_no_part_of_its_preview() -> None:
    muted = replace(ROW, is_muted=True, preview="[3条] 好的")
    assert glimpse_of(muted) == glimpse_of(ROW)
    assert glimpse_of(replace(muted, is_muted=False)) != glimpse_of(ROW)


def test_a_chat_stays_due_until_the_transaction_that_archives_it(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = ChatBook(outbox)
    book.note_due([replace(ROW, unread=3), replace(ROW, title="B", unread=-1)])
    book.note_due([replace(ROW, unread=1)])
    outbox.close()
    again = Outbox.open(tmp_path / "a.db")
    again.account_id = "wx_1"
    book = ChatBook(again)
    assert [(row.title, row.unread) for row in book.due()] == [("A", 3), ("B", -1)]
    with monkeypatch.context() as broken:
        broken.setattr(wire, "seal", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            again.add_chat(reading(ROW))
    assert len(book.due()) == 2
    assert book.is_hint(ROW)
    again.add_chat(reading(ROW))
    assert [row.title for row in book.due()] == ["B"]
    assert not book.is_hint(ROW)
    again.close()


def test_another_chat_opened_by_mistake_strikes_nothing_off(outbox: Outbox) -> None:
    book = ChatBook(outbox)
    book.note_due([ROW])
    outbox.add_chat(reading(None))
    assert [row.title for row in book.due()] == ["A"]


def test_due_chats_belong_to_their_account(outbox: Outbox) -> None:
    book = ChatBook(outbox)
    book.note_due([ROW])
    outbox.add_chat(reading(replace(ROW, title="B")))
    outbox.account_id = "wx_2"
    assert book.due() == []
    assert book.glimpse_of("B") is None


def test_a_chat_given_up_is_a_gap(outbox: Outbox) -> None:
    book = ChatBook(outbox)
    book.note_due([ROW])
    book.give_up("A", "chat_gone")
    assert book.due() == []
    fact = wire.unseal(outbox.batch(1)[0]).fact
    assert isinstance(fact, GapSeen)
    assert fact.cause == "chat_gone"
