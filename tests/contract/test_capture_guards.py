"""What must not slip past the gate, be lost between two outboxes, or look watched, over both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from random import Random

import psycopg
import pytest

from controller import moneybook, search
from controller.batches import Batch
from controller.captures import RuleParts
from controller.clock import HOUR_MS, MINUTE_MS, FixedClock
from controller.core import Core
from controller.model import AccountId
from controller.moneybook import Asked
from controller.records import Message
from controller.search import Query, find, words_of
from controller.store.sql import SqlTx
from protos.facts import (
    CoverageSeen,
    FriendAccepted,
    FriendRequestSeen,
    MessageChanged,
    MessageSeen,
    conversation_key,
)
from tests.support.backends import Backend
from tests.support.clock import START_MS
from tests.support.corefarm import Handset, body, handset, message

ACCOUNT = AccountId("wx001")
HOUR_START_MS = START_MS - START_MS % HOUR_MS


def named(text: str, position: int, title: str) -> MessageSeen:
    seen = message(text, position, key=conversation_key(title, "private"))
    return replace(seen, conversation_title=title)


def clock_of(core: Core) -> FixedClock:
    assert isinstance(core.clock, FixedClock)
    return core.clock


@pytest.fixture
def phone(core: Core) -> Handset:
    core.notices.record("王芳", version="1", how="signed", actor="op")
    return handset(core, 1, holder="王芳")


def kept(core: Core) -> list[Message]:
    return [m for chat in core.archive.conversations() for m in core.archive.messages(chat.id)]


def texts(core: Core) -> list[str]:
    return [one.text for one in kept(core)]


def unknown_fact(text: str, at_ms: int) -> bytes:
    """Return an event whose kind no release knows yet: field 99 stands in the place of a fact."""
    raw = text.encode()
    dated = bytearray(b"\x10")
    while at_ms > 0x7F:
        dated.append(at_ms & 0x7F | 0x80)
        at_ms >>= 7
    dated.append(at_ms)
    return bytes(dated) + b"\x9a\x06" + bytes([len(raw)]) + raw


def gap_causes(core: Core) -> list[str]:
    return [gap.cause for chat in core.archive.conversations() for gap in core.archive.gaps(chat.id)]


# ---- who holds the phone


def test_what_was_read_under_a_holder_who_was_not_told_is_not_kept_under_the_next_one(core: Core) -> None:
    core.notices.record("李雷", version="1", how="signed", actor="op")
    phone = handset(core, 1, holder="王芳")
    clock_of(core).advance(HOUR_MS)
    core.fleet.assign(phone.phone_id, holder="李雷", actor="op")
    phone.say(message("of 王芳", 1), at_ms=START_MS + MINUTE_MS)
    phone.say(message("of 李雷", 2), at_ms=START_MS + HOUR_MS)
    assert texts(core) == ["of 李雷"]
    assert gap_causes(core) == ["no_notice"]


def test_what_was_read_under_a_told_holder_is_kept_after_the_next_one_took_over(core: Core) -> None:
    core.notices.record("王芳", version="1", how="signed", actor="op")
    phone = handset(core, 1, holder="王芳")
    clock_of(core).advance(HOUR_MS)
    core.fleet.assign(phone.phone_id, holder="李雷", actor="op")
    phone.say(message("of 王芳", 1), at_ms=START_MS + MINUTE_MS)
    phone.say(message("of 李雷", 2), at_ms=START_MS + HOUR_MS)
    assert texts(core) == ["of 王芳"]


def test_an_event_without_account_is_of_the_account_of_its_time(core: Core, phone: Handset) -> None:
    clock_of(core).advance(HOUR_MS)
    core.fleet.assign(phone.phone_id, account_id="wx777", actor="op")
    phone.say(message("before", 1), at_ms=START_MS + MINUTE_MS)
    assert [chat.account_id for chat in core.archive.conversations()] == ["wx001"]


# ---- bytes that are kept


def conflicting_bodies(backend: Backend) -> list[bytes | None]:
    asked = "SELECT body FROM event_conflicts ORDER BY phone_id"
    if backend.kind == "sqlite":
        with closing(sqlite3.connect(backend.url.removeprefix("sqlite:///"))) as conn:
            return [row[0] for row in conn.execute(asked)]
    with psycopg.connect(backend.url) as pg:
        return [row[0] for row in pg.execute(asked)]


def test_a_second_body_is_kept_as_evidence_only_where_chats_may_be(core: Core, backend: Backend) -> None:
    core.notices.record("李雷", version="1", how="signed", actor="op")
    for number, holder in ((1, "王芳"), (2, "李雷")):
        phone = handset(core, number, holder=holder)
        phone.say(message("first", 1))
        core.archive.accept(phone.phone_id, phone.spool_id, 1, [body(message("second", 1))])
    assert core.archive.conflicts() == 2
    bodies = conflicting_bodies(backend)
    assert [b"second" in (one or b"") for one in bodies] == [False, True]


@pytest.mark.parametrize(
    "broken",
    [body(replace(message("机密", 1), position=2**63)), b"\xff\xff" + "机密".encode()],
    ids=["unfit", "unreadable"],
)
def test_a_broken_message_is_set_aside_without_its_bytes_where_chats_may_not_be_kept(
    core: Core, broken: bytes
) -> None:
    phone = handset(core, 1, holder="王芳")
    core.archive.accept(phone.phone_id, phone.spool_id, 1, [broken])
    stored = core.archive.event(phone.phone_id, phone.spool_id, 1)
    assert stored is not None
    assert (stored.kind, stored.body) == ("poison", None)


def test_a_broken_event_leaves_a_hole_that_coverage_shows(core: Core, phone: Handset) -> None:
    phone.say(message("one", 1))
    core.archive.accept(phone.phone_id, phone.spool_id, 2, [b"\xff\xff"])
    clock_of(core).advance(MINUTE_MS)
    hours = core.coverage.hours([ACCOUNT], from_ms=HOUR_START_MS, to_ms=START_MS + MINUTE_MS)
    assert [hour.gap_causes for hour in hours] == [{"set_aside": 1}]


def test_a_fact_of_a_later_release_keeps_its_bytes_only_where_chats_may_be_kept(core: Core) -> None:
    # Field 99 of the event, which no release knows yet.
    later = unknown_fact("机密", START_MS)
    core.notices.record("李雷", version="1", how="signed", actor="op")
    kept_bodies = []
    for number, holder in ((1, "王芳"), (2, "李雷")):
        phone = handset(core, number, holder=holder)
        core.archive.accept(phone.phone_id, phone.spool_id, 1, [later])
        stored = core.archive.event(phone.phone_id, phone.spool_id, 1)
        assert stored is not None
        assert stored.kind == "unknown"
        kept_bodies.append(stored.body)
    assert kept_bodies == [None, later]


def test_another_account_than_the_one_bound_is_nobodys_to_read(core: Core, phone: Handset) -> None:
    phone.say(message("private life", 1), account_id="my-own-wechat")
    assert core.archive.conversations() == []
    stored = core.archive.event(phone.phone_id, phone.spool_id, 1)
    assert stored is not None
    assert (stored.body, stored.cause) == (None, "refused_other_account")


# ---- friends


def test_names_of_private_chats_are_not_kept_as_friends(core: Core, phone: Handset) -> None:
    core.captures.exclude(ACCOUNT, "妈妈", reason="family", actor="op")
    phone.say(
        FriendAccepted(conversation_title="妈妈", how="system_line"),
        FriendRequestSeen(peer_name="妈妈", greeting="", state="open"),
        FriendAccepted(conversation_title="客户", how="system_line"),
    )
    assert [friend.peer_name for friend in core.friends.of(ACCOUNT)] == ["客户"]
    with core._ledger.look() as tx:
        assert tx.open_requests(ACCOUNT) == []


# ---- rules over time


def test_hours_hold_for_what_was_read_under_them_whatever_is_set_later(core: Core, phone: Handset) -> None:
    core.captures.set_rules(ACCOUNT, RuleParts(hours="mon 0-1"), actor="op")
    clock_of(core).advance(HOUR_MS)
    core.captures.set_rules(ACCOUNT, RuleParts(first_days=5), actor="op")
    phone.say(message("outside", 1), at_ms=START_MS + MINUTE_MS)
    assert (texts(core), gap_causes(core)) == ([], ["outside_hours"])


def test_nothing_is_kept_that_was_read_while_capture_was_off(core: Core, phone: Handset) -> None:
    clock_of(core).advance(HOUR_MS)
    core.captures.set_rules(ACCOUNT, RuleParts(mode="off"), actor="op")
    phone.say(message("before", 1), at_ms=START_MS + MINUTE_MS)
    phone.say(message("off", 2), at_ms=START_MS + HOUR_MS)
    assert texts(core) == ["before"]


def test_what_was_read_while_a_chat_was_private_stays_out_after_it_is_no_more(
    core: Core, phone: Handset
) -> None:
    core.captures.exclude(ACCOUNT, "妈妈", reason="family", actor="op")
    clock_of(core).advance(HOUR_MS)
    core.captures.include(ACCOUNT, "妈妈", reason="by mistake", actor="op")
    phone.say(named("private", 1, "妈妈"), at_ms=START_MS + MINUTE_MS)
    phone.say(named("not private", 2, "妈妈"), at_ms=START_MS + HOUR_MS)
    assert texts(core) == ["not private"]


def test_an_impossible_moment_stops_no_spool(core: Core, phone: Handset) -> None:
    core.captures.set_rules(ACCOUNT, RuleParts(hours="mon 0-1"), actor="op")
    for at_ms in (2**62, -(2**62), 2**63 - 1):
        phone.say(message("when", 1), at_ms=at_ms)
    assert texts(core) == []


# ---- positions


def test_gaps_of_a_former_outbox_stay_before_the_messages_of_the_next(core: Core, phone: Handset) -> None:
    phone.say(message("one", 1))
    core.notices.withdraw("王芳", reason="x", actor="op")
    clock_of(core).advance(MINUTE_MS)
    phone.say(*[message("lost", n) for n in range(2, 6)], at_ms=START_MS + 1000)
    core.notices.record("王芳", version="1", how="signed", actor="op")
    phone.new_outbox("other")
    phone.greet()
    phone.say(*[message(f"new {n}", n) for n in range(1, 6)], at_ms=START_MS + MINUTE_MS)
    chat = core.archive.conversations()[0]
    lost = next(gap for gap in core.archive.gaps(chat.id) if gap.cause == "no_notice")
    first = core.archive.messages(chat.id)[1]
    assert first.text == "new 1"
    assert lost.before_position <= first.position


def test_an_account_that_comes_back_to_a_phone_goes_on_behind_what_was_read_meanwhile(
    core: Core, phone: Handset
) -> None:
    other = handset(core, 2, holder="王芳")
    phone.say(message("a1", 1), message("a2", 2))
    core.fleet.assign(phone.phone_id, account_id="", actor="op")
    core.fleet.assign(other.phone_id, account_id=ACCOUNT, actor="op")
    other.say(message("b1", 1), message("b2", 2), account_id=ACCOUNT)
    core.fleet.assign(other.phone_id, account_id="", actor="op")
    core.fleet.assign(phone.phone_id, account_id=ACCOUNT, actor="op")
    phone.say(message("a3", 3), message("a4", 4), account_id=ACCOUNT)
    phone.say(MessageChanged(conversation_key="chat", position=2, what="recalled"), account_id=ACCOUNT)
    found = kept(core)
    assert [one.text for one in found] == ["a1", "a2", "b1", "b2", "a3", "a4"]
    assert len({one.position for one in found}) == 6
    assert [one.text for one in found if one.is_recalled] == ["a2"]


def test_an_account_that_comes_back_goes_on_behind_what_another_controller_took_in(
    core: Core, backend: Backend, phone: Handset
) -> None:
    other = handset(core, 2, holder="王芳")
    phone.say(message("a1", 1))
    for one in (phone, other, phone):
        clock_of(core).advance(1)
        for free in (phone, other):
            core.fleet.assign(free.phone_id, account_id="", actor="op")
        core.fleet.assign(one.phone_id, account_id=ACCOUNT, actor="op")
        if one is other:
            # What one controller knows of its own work, the other one does not.
            other.core = backend.core()
            other.say(message("b1", 1), message("b2", 2), account_id=ACCOUNT, at_ms=core.clock.now_ms())
    phone.say(message("a2", 2), account_id=ACCOUNT, at_ms=core.clock.now_ms())
    found = kept(core)
    assert [one.text for one in found] == ["a1", "b1", "b2", "a2"]
    assert len({one.position for one in found}) == 4


# ---- coverage


def test_nothing_is_watched_before_it_has_happened(core: Core, phone: Handset) -> None:
    start = HOUR_START_MS
    phone.say(CoverageSeen(from_ms=start, to_ms=start + 6 * HOUR_MS, state="seen", cause=""))
    clock_of(core).advance(6 * HOUR_MS)
    hours = core.coverage.hours([ACCOUNT], from_ms=start + 2 * HOUR_MS, to_ms=start + 6 * HOUR_MS)
    assert sum(hour.ms["seen"] for hour in hours) == 0


def test_lost_events_are_a_hole_in_all_hours_they_may_be_of(core: Core, phone: Handset) -> None:
    phone.say(message("one", 1), at_ms=HOUR_START_MS)
    clock_of(core).advance(10 * HOUR_MS)
    # The agent kept nothing of 2 to 9.
    phone.greet(spool_lowest=10, spool_highest=12)
    hours = core.coverage.hours([ACCOUNT], from_ms=HOUR_START_MS, to_ms=HOUR_START_MS + 9 * HOUR_MS)
    assert all(hour.gaps for hour in hours)


def test_lost_events_stay_with_the_account_the_phone_had(core: Core, phone: Handset) -> None:
    clock_of(core).advance(MINUTE_MS)
    phone.greet(spool_lowest=10, spool_highest=12)
    clock_of(core).advance(HOUR_MS)
    core.fleet.assign(phone.phone_id, account_id="wx777", actor="op")
    old = core.coverage.hours([ACCOUNT], from_ms=HOUR_START_MS, to_ms=START_MS + HOUR_MS)
    new = core.coverage.hours([AccountId("wx777")], from_ms=HOUR_START_MS, to_ms=START_MS + HOUR_MS)
    assert sum(hour.gaps for hour in old)
    assert not sum(hour.gaps for hour in new)


# ---- search


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("加微\u200b信吧", "微信"),
        ("爱你❤\ufe0f哦", "❤"),
        ("爱你❤哦", "❤\ufe0f"),
        ("价格１２３元", "123"),
        ("C++ 好", "c++"),
        ("ﬁne", "fine"),
        ("👨\u200d👩\u200d👧", "👩"),
        ("a_b", "a_b"),
        ("50%", "50%"),
        ("1️⃣", "1️⃣"),
    ],
)
def test_what_is_seen_is_found(core: Core, phone: Handset, text: str, wanted: str) -> None:
    phone.say(message(text, 1))
    with core._ledger.look() as tx:
        assert [m.text for m in find(tx, Query(words=words_of(wanted))).messages] == [text]


def test_a_very_long_message_stops_no_spool_and_is_found_by_its_beginning(core: Core, phone: Handset) -> None:
    chance = Random(1)
    text = "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(300_000))
    phone.say(message(text, 1))
    assert [len(one.text) for one in kept(core)] == [300_000]
    with core._ledger.look() as tx:
        assert len(find(tx, Query(words=words_of(text[:4]))).messages) == 1


def test_a_search_of_many_phones_reads_no_long_page_of_each(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    by_id = SqlTx.messages_by_id

    def noted(tx: SqlTx, ids: Sequence[int]) -> list[Message]:
        read.append(len(ids))
        return by_id(tx, ids)

    monkeypatch.setattr(SqlTx, "messages_by_id", noted)
    monkeypatch.setattr(search, "_PAGE", 12)
    monkeypatch.setattr(search, "_SHORTEST_PAGE", 2)
    core.notices.record("王芳", version="1", how="signed", actor="op")
    phones = [phone, *(handset(core, number, holder="王芳") for number in range(2, 7))]
    for place, one in enumerate(phones):
        one.say(*[message(f"合同 {place} {n}", n) for n in range(1, 26)])
    asked = Query(words=("合同",), phone_ids=tuple(one.phone_id for one in phones), limit=7)
    found, before_id = list[str](), None
    with core._ledger.look() as tx:
        while True:
            read.clear()
            page = find(tx, replace(asked, before_id=before_id))
            assert sum(read) <= 7 + 2 + 2 * len(phones)
            found += [one.text for one in page.messages]
            before_id = page.next_before_id
            if before_id is None:
                break
    assert found == [f"合同 {place} {n}" for place in range(5, -1, -1) for n in range(25, 0, -1)]


def test_the_book_looks_at_so_much_and_says_where_to_go_on(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moneybook, "_PAGE", 2)
    monkeypatch.setattr(moneybook, "MAX_LOOKED_AT", 4)
    other = handset(core, 2, holder="王芳")
    phone.say(replace(message("", 1), kind="red_packet"))
    other.say(*[replace(message("", n), kind="red_packet") for n in range(1, 8)])
    asked, pages = Asked(phone_ids=(phone.phone_id,)), []
    while True:
        page = core.moneybook.page(asked)
        pages.append(len(page.entries))
        if page.next_before_id is None:
            break
        asked = replace(asked, before_id=page.next_before_id)
    assert pages == [0, 1, 0]


def test_a_very_long_account_stops_no_spool(core: Core) -> None:
    core.notices.record("王芳", version="1", how="signed", actor="op")
    phone = handset(core, 1, holder="王芳")
    phone.say(message("hello", 1), account_id="x" * 1500)
    assert core.archive.high_water(phone.phone_id, phone.spool_id) == 1


def test_what_the_database_cannot_take_of_one_phone_stops_no_other(core: Core, phone: Handset) -> None:
    other = handset(core, 2, holder="王芳")
    chance = Random(1)
    key = "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(5_000))
    batches = [
        Batch.of(phone.phone_id, phone.spool_id, 1, [body(message("odd", 1, key=key))]),
        Batch.of(other.phone_id, other.spool_id, 1, [body(message("fine", 1))]),
    ]
    results = core.archive.accept_all(batches)
    assert results[1] == 1
    assert "fine" in texts(core)
