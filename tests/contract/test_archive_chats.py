"""What becomes of chats in the archive, over both databases: changes, the gate, coverage, search."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controller import grams
from controller.archive import Archive
from controller.batches import Batch
from controller.captures import RuleParts
from controller.clock import FixedClock
from controller.core import Core
from controller.errors import SpoolGap
from controller.model import AccountId, PhoneId
from controller.records import Message
from controller.store.base import Store
from protos.facts import ChatRemoved, CoverageSeen, GapSeen, MessageChanged, MessageSeen
from tests.support.backends import Backend
from tests.support.clock import START_MS
from tests.support.corefarm import Handset, body, handset, message

HOUR_MS = 3_600_000
WORDS = ("红包",)


@pytest.fixture
def core(backend: Backend) -> Core:
    return backend.core(words=WORDS)


@pytest.fixture
def phone(core: Core) -> Handset:
    core.notices.record("王芳", version="1", how="signed", actor="op")
    return handset(core, 1, holder="王芳")


def kept(core: Core) -> list[Message]:
    return core.archive.messages(core.archive.conversations()[0].id)


def changed(position: int, what: str, **parts: Any) -> MessageChanged:
    return MessageChanged(conversation_key="chat", position=position, what=what, **parts)


def found(store: Store, text: str, **where: Any) -> list[int]:
    with store.transaction() as tx:
        return tx.search(grams.of_query(text), limit=50, **where)


def texts_found(store: Store, text: str, **where: Any) -> list[str]:
    ids = found(store, text, **where)
    with store.transaction() as tx:
        return [one.text for one in tx.messages_by_id(ids)]


# ---- messages


def test_a_message_is_kept_with_everything_that_was_read(core: Core, phone: Handset) -> None:
    seen = replace(
        message("转账", 1, side="in"),
        kind="transfer",
        sender="小李",
        shown_from_ms=START_MS - 60_000,
        shown_to_ms=START_MS,
        amount_fen=12_345,
        state="pending",
        length_s=7,
        detail="货款",
        fragment=True,
        media_sha256="ab" * 32,
        time_label="10:44",
    )
    phone.say(seen)
    one = kept(core)[0]
    for name in MessageSeen.__slots__:
        if not name.startswith("conversation_"):
            assert getattr(one, name) == getattr(seen, name), name
    assert (one.read_at_ms, one.changes) == (START_MS, ())


def test_what_a_message_shows_later_stands_beside_it(core: Core, phone: Handset) -> None:
    phone.say(message("有事吗", 1), replace(message("转账", 2), kind="transfer", state="pending"))
    phone.say(
        changed(1, "recalled", line="你撤回了一条消息"),
        changed(2, "state", state="received", amount_fen=500),
        changed(2, "transcript", text="收到了"),
    )
    first, second = kept(core)
    assert (first.text, first.is_recalled, first.changes[0].line) == ("有事吗", True, "你撤回了一条消息")
    assert (second.state, second.state_now, second.amount_fen_now) == ("pending", "received", 500)
    assert [change.what for change in second.changes] == ["state", "transcript"]
    assert not second.is_recalled


def test_a_change_in_the_same_batch_as_its_message_is_applied(core: Core, phone: Handset) -> None:
    phone.say(message("a", 1), changed(1, "recalled"), message("b", 2))
    assert [(m.text, m.is_recalled) for m in kept(core)] == [("a", True), ("b", False)]


def test_a_change_that_comes_before_its_message_is_applied_when_it_is_read(
    core: Core, phone: Handset
) -> None:
    phone.say(message("a", 1), changed(2, "recalled"))
    phone.say(message("b", 2))
    assert [(m.text, m.is_recalled) for m in kept(core)] == [("a", False), ("b", True)]


def test_a_change_belongs_to_the_outbox_that_tells_of_it(core: Core, phone: Handset) -> None:
    phone.say(message("a", 1), message("b", 2))
    phone.new_outbox("spool-new")
    phone.say(message("c", 1), changed(1, "recalled"))
    assert [(m.text, m.is_recalled) for m in kept(core)] == [("a", False), ("b", False), ("c", True)]


def test_a_change_that_comes_twice_is_there_once(core: Core, phone: Handset) -> None:
    bodies = [body(message("a", 1)), body(changed(1, "recalled"))]
    for first in (1, 2, 1):
        core.archive.accept(phone.phone_id, phone.spool_id, first, bodies[first - 1 :])
    assert len(kept(core)[0].changes) == 1


def test_a_chat_that_was_cleared_keeps_its_messages_and_says_so(core: Core, phone: Handset) -> None:
    removed = ChatRemoved(
        conversation_key="chat",
        conversation_title="title",
        what="cleared",
        last_position=2,
        from_ms=START_MS,
        to_ms=START_MS + 5_000,
    )
    phone.say(message("a", 1), message("b", 2), removed)
    chat = core.archive.conversations()[0]
    removal = core.archive.removals(chat.id)[0]
    assert (removal.what, removal.last_position, removal.to_ms) == ("cleared", 2, START_MS + 5_000)
    assert (len(kept(core)), chat.kind) == (2, "private")


# ---- the gate


@pytest.mark.parametrize("what", ["message", "change", "removal", "gap"])
def test_nothing_of_a_chat_is_kept_after_the_notice_was_withdrawn(
    core: Core, backend: Backend, phone: Handset, what: str
) -> None:
    phone.say(message("a", 1))
    core.notices.withdraw("王芳", reason="left", actor="op")
    at_ms = backend.clock.now_ms() + 1
    fact: Any = {
        "message": message("secret", 2),
        "change": changed(1, "transcript", text="secret"),
        "removal": ChatRemoved(
            conversation_key="chat",
            conversation_title="t",
            what="gone",
            last_position=1,
            from_ms=1,
            to_ms=2,
        ),
        "gap": GapSeen(
            conversation_key="chat", conversation_title="t", before_position=2, cause="c", from_ms=1, to_ms=2
        ),
    }[what]
    phone.say(fact, at_ms=at_ms)
    stored = core.archive.event(phone.phone_id, phone.spool_id, 2)
    assert stored is not None
    assert (stored.body, stored.cause) == (None, "refused_no_notice")
    chat = core.archive.conversations()[0]
    assert [(m.text, m.changes) for m in kept(core)] == [("a", ())]
    assert core.archive.removals(chat.id) == []
    assert [gap.cause for gap in core.archive.gaps(chat.id)] == ["no_notice"]
    assert found(backend.store(), "secret") == []
    assert core.status().refused_no_notice == 1


def test_a_private_chat_and_hours_outside_are_refused_with_their_causes(
    core: Core, backend: Backend, phone: Handset
) -> None:
    account_id = AccountId("wx001")
    chat = core.captures.exclude(account_id, "家人", reason="family", actor="op")
    phone.say(message("secret", 1, key=chat.key), message("work", 1))
    assert [(one.title, one.messages) for one in core.archive.conversations()] == [("title", 1), ("", 0)]
    private = core.archive.conversations()[1]
    assert [gap.cause for gap in core.archive.gaps(private.id)] == ["excluded"]
    # START_MS is Monday to Friday or not: hours of one minute a week leave it out whenever it is.
    outside = "mon 00:00-00:01"
    core.captures.set_rules(account_id, RuleParts(hours=outside), actor="op")
    phone.say(message("late", 2), at_ms=backend.clock.now_ms() + 5_000)
    stored = core.archive.event(phone.phone_id, phone.spool_id, 3)
    assert stored is not None
    assert (stored.body, stored.cause) == (None, "refused_outside_hours")


# ---- coverage


def spans(backend: Backend) -> list[tuple[int, int, str]]:
    with backend.store().transaction() as tx:
        found = tx.coverage_spans(AccountId("wx001"), from_ms=1, to_ms=2 * START_MS)
        return [(span.from_ms, span.to_ms, span.state) for span in found]


def covered(from_ms: int, to_ms: int, state: str = "seen") -> CoverageSeen:
    return CoverageSeen(from_ms=from_ms, to_ms=to_ms, state=state, cause="")


def test_spans_of_a_phone_never_overlap_and_a_second_time_is_harmless(
    core: Core, backend: Backend, phone: Handset
) -> None:
    base = START_MS // HOUR_MS * HOUR_MS
    phone.say(covered(base + 100, base + 200), covered(base + 300, base + 400, "blind"))
    phone.say(covered(base + 150, base + 350, "paused"), covered(base + 100, base + 200))
    assert spans(backend) == [
        (base + 100, base + 200, "seen"),
        (base + 200, base + 300, "paused"),
        (base + 300, base + 400, "blind"),
    ]


def test_a_long_span_is_cut_at_full_hours_and_a_senseless_one_is_none(
    core: Core, backend: Backend, phone: Handset
) -> None:
    base = START_MS // HOUR_MS * HOUR_MS
    assert isinstance(core.clock, FixedClock)
    core.clock.advance(2 * HOUR_MS)
    phone.say(covered(base - 10, base + HOUR_MS + 10))
    phone.say(covered(base + 9, base + 9), covered(base + 9, base), covered(0, base), covered(-5, 5))
    phone.say(covered(base + 2 * HOUR_MS, base + 2 * HOUR_MS + 5, "splendid"))
    assert [(start - base, end - base) for start, end, _ in spans(backend)] == [
        (-10, 0),
        (0, HOUR_MS),
        (HOUR_MS, HOUR_MS + 10),
    ]


# ---- many batches in one transaction


def batch(phone: Handset, first_seq: int, *bodies: bytes) -> Batch:
    return Batch.of(phone.phone_id, phone.spool_id, first_seq, bodies)


def test_batches_of_many_phones_are_archived_together_and_one_that_is_refused_stops_none(
    core: Core, phone: Handset
) -> None:
    other = handset(core, 2, holder="王芳")
    stranger = replace(other, phone_id=PhoneId("099"))
    results = core.archive.accept_all(
        [
            batch(other, 1, body(message("b", 1, key="two")), body(message("b2", 2, key="two"))),
            batch(stranger, 1, body(message("x", 1))),
            batch(phone, 5, body(message("hole", 5))),
            batch(phone, 1, body(message("a", 1))),
        ]
    )
    assert [type(result).__name__ for result in results] == ["int", "UnknownPhone", "SpoolGap", "int"]
    assert (results[0], results[3]) == (2, 1)
    assert isinstance(results[2], SpoolGap)
    assert {chat.key: chat.messages for chat in core.archive.conversations()} == {"two": 2, "chat": 1}


def test_the_same_batch_twice_in_one_transaction_is_archived_once(core: Core, phone: Handset) -> None:
    bodies = [body(message(f"m{n}", n)) for n in range(1, 4)]
    results = core.archive.accept_all(
        [batch(phone, 1, *bodies), batch(phone, 1, *bodies), batch(phone, 3, bodies[2])]
    )
    assert results == [3, 3, 3]
    assert [m.text for m in kept(core)] == ["m1", "m2", "m3"]
    assert (core.archive.conversations()[0].messages, core.archive.conflicts()) == (3, 0)


def test_a_batch_that_fails_in_the_database_takes_no_other_with_it(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = handset(core, 2, holder="王芳")
    real = core.archive._reports.apply

    def fails(work: Any, source: Any, event: Any) -> None:
        if source.phone.phone_id == other.phone_id:
            raise ZeroDivisionError
        real(work, source, event)

    monkeypatch.setattr(core.archive._reports, "apply", fails)
    results = core.archive.accept_all(
        [
            batch(phone, 1, body(message("a", 1))),
            batch(other, 1, body(message("b", 1, key="two")), body(covered(1, 2))),
        ]
    )
    assert results[0] == 1
    assert isinstance(results[1], ZeroDivisionError)
    assert [chat.key for chat in core.archive.conversations()] == ["chat"]
    assert core.archive.high_water(other.phone_id, other.spool_id) == 0


# ---- search


def test_words_of_two_characters_are_found_newest_first(backend: Backend, phone: Handset) -> None:
    phone.say(*(message(text, n) for n, text in enumerate(["加微信吗", "微 信", "我微信发你", "信微"], 1)))
    assert texts_found(backend.store(), "微信") == ["我微信发你", "加微信吗"]
    assert texts_found(backend.store(), "微信发你") == ["我微信发你"]
    assert found(backend.store(), "威信") == []
    newest = found(backend.store(), "微信")[0]
    assert texts_found(backend.store(), "微信", before_id=newest) == ["加微信吗"]


def test_single_characters_latin_words_signs_and_widths_are_found(backend: Backend, phone: Handset) -> None:
    phone.say(
        *(message(text, n) for n, text in enumerate(["ＯＫ，发Hello World", "好😀", "'; \"*:&|!( 好"], 1))
    )
    assert texts_found(backend.store(), "hello") == ["ＯＫ，发Hello World"]
    assert texts_found(backend.store(), "ok") == ["ＯＫ，发Hello World"]
    assert texts_found(backend.store(), "发") == ["ＯＫ，发Hello World"]
    assert texts_found(backend.store(), "😀") == ["好😀"]
    assert texts_found(backend.store(), "好") == ["'; \"*:&|!( 好", "好😀"]
    with backend.store().transaction() as tx:
        assert tx.search([], limit=5) == []


def test_search_stays_within_a_phone_an_account_or_a_chat(
    core: Core, backend: Backend, phone: Handset
) -> None:
    other = handset(core, 12, holder="王芳")
    phone.say(message("发货了", 1, key="a"), message("发货吗", 1, key="b"))
    other.say(message("没发货", 1, key="a"))
    store = backend.store()
    assert len(found(store, "发货")) == 3
    assert texts_found(store, "发货", phone_id=phone.phone_id) == ["发货吗", "发货了"]
    assert texts_found(store, "发货", account_id=AccountId("wx012")) == ["没发货"]
    chat = next(one for one in core.archive.conversations(phone_id=phone.phone_id) if one.key == "b")
    assert texts_found(store, "发货", conversation_id=chat.id) == ["发货吗"]


def test_details_and_transcripts_are_found_as_well(backend: Backend, phone: Handset) -> None:
    phone.say(replace(message("[语音]", 1), kind="voice", detail="报价单"), message("[语音]", 2))
    phone.say(changed(2, "transcript", text="明天发货"), changed(2, "transcript", text="明天发货"))
    store = backend.store()
    assert len(found(store, "报价")) == len(found(store, "发货")) == 1
    assert found(store, "报价") < found(store, "发货")


def test_search_looks_further_back_than_its_first_reach(
    backend: Backend, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.store.sql_chats._FIRST_REACH", 2)
    phone.say(*(message("发货" if n % 7 == 1 else "没有", n) for n in range(1, 30)))
    assert len(found(backend.store(), "发货")) == 5
    assert len(found(backend.store(), "没有")) == 24


def test_where_one_gram_is_rare_the_others_are_left_to_the_reader(
    backend: Backend, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.store.sql_chats._PROBED", 2)
    monkeypatch.setattr("controller.store.sql_chats._RARE_ONE_IN", 5)
    phone.say(*(message("快递 订单", n) for n in range(1, 31)))
    phone.say(message("快递订单", 31), message("递订", 32))
    wanted = set(texts_found(backend.store(), "快递订单"))
    # SQLite asks for the rarest alone, which one more message has.
    assert wanted - {"递订"} == {"快递订单"}
    assert ("递订" in wanted) == (backend.kind == "sqlite")
    assert texts_found(backend.store(), "快递订单", before_id=found(backend.store(), "快递订单")[-1]) == []


def test_an_archive_without_index_finds_nothing_and_keeps_everything(
    core: Core, backend: Backend, phone: Handset
) -> None:
    core.archive = Archive(core._ledger, is_indexed=False)
    phone.say(message("发货", 1))
    assert found(backend.store(), "发货") == []
    assert [m.text for m in kept(core)] == ["发货"]
