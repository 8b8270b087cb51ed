"""The archive over both databases: each event once, in order; no chat without a notice."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from controller.core import Core
from controller.errors import BadRequest, SpoolGap, UnknownConversation, UnknownPhone
from controller.model import PhoneId
from protos.facts import EventSetAside, GapSeen, PhoneStateChanged, ScreenUnknown
from tests.support.backends import Backend, race
from tests.support.clock import START_MS
from tests.support.corefarm import Handset, body, handset, message

WORDS = ("红包", "微信")


@pytest.fixture
def core(backend: Backend) -> Core:
    return backend.core(words=WORDS)


@pytest.fixture
def phone(core: Core) -> Handset:
    core.notices.record("王芳", version="1", how="signed", actor="op")
    return handset(core, 1, holder="王芳")


def texts(core: Core) -> list[tuple[int, str]]:
    chat = core.archive.conversations()[0]
    return [(m.position, m.text) for m in core.archive.messages(chat.id)]


def seen(position: int) -> bytes:
    return body(message(f"m{position}", position))


# ---- once, in order


def test_a_batch_is_archived_with_its_exact_bytes(core: Core, phone: Handset) -> None:
    bodies = [seen(1), seen(2)]
    assert core.archive.accept(phone.phone_id, "s", 1, bodies) == 2
    assert core.archive.high_water(phone.phone_id, "s") == 2
    stored = core.archive.event(phone.phone_id, "s", 2)
    assert stored is not None
    assert (stored.body, stored.kind, stored.archived_at_ms) == (bodies[1], "message_seen", START_MS)
    assert texts(core) == [(1, "m1"), (2, "m2")]


def test_a_second_time_changes_nothing(core: Core, phone: Handset) -> None:
    bodies = [seen(n) for n in range(1, 6)]
    for first in (1, 1, 3, 5):
        assert core.archive.accept(phone.phone_id, "s", first, bodies[first - 1 :]) == 5
    assert core.archive.accept(phone.phone_id, "s", 2, bodies[1:3]) == 5
    assert core.archive.accept(phone.phone_id, "s", 6, []) == 5
    assert texts(core) == [(n, f"m{n}") for n in range(1, 6)]
    assert core.archive.conversations()[0].messages == 5
    assert core.archive.conflicts() == 0


def test_a_batch_that_overlaps_brings_only_what_is_new(core: Core, phone: Handset) -> None:
    bodies = [seen(n) for n in range(1, 5)]
    core.archive.accept(phone.phone_id, "s", 1, bodies[:2])
    assert core.archive.accept(phone.phone_id, "s", 2, bodies[1:]) == 4
    assert len(texts(core)) == 4


def test_a_hole_is_refused_with_what_is_expected(core: Core, phone: Handset) -> None:
    core.archive.accept(phone.phone_id, "s", 1, [seen(1)])
    with pytest.raises(SpoolGap) as refused:
        core.archive.accept(phone.phone_id, "s", 3, [seen(3)])
    assert refused.value.expected_seq == 2
    assert core.archive.high_water(phone.phone_id, "s") == 1


def test_another_body_in_a_taken_place_is_recorded_and_replaces_nothing(core: Core, phone: Handset) -> None:
    first = seen(1)
    core.archive.accept(phone.phone_id, "s", 1, [first])
    forged = body(message("forged", 1))
    for _ in range(2):
        core.archive.accept(phone.phone_id, "s", 1, [forged])
    assert core.archive.conflicts() == 1
    stored = core.archive.event(phone.phone_id, "s", 1)
    assert stored is not None
    assert stored.body == first
    assert texts(core) == [(1, "m1")]


@pytest.mark.parametrize(
    "broken", [b"\xff\xff not an event", body(message("x", 2**63))], ids=["no_event", "number_too_large"]
)
def test_a_broken_event_is_set_aside_and_the_spool_goes_on(core: Core, phone: Handset, broken: bytes) -> None:
    assert core.archive.accept(phone.phone_id, "s", 1, [seen(1), broken, seen(2)]) == 3
    stored = core.archive.event(phone.phone_id, "s", 2)
    assert stored is not None
    assert (stored.kind, stored.body) == ("poison", broken)
    assert stored.cause
    assert len(texts(core)) == 2


def test_numbers_below_one_and_unheard_of_phones_are_refused(core: Core, phone: Handset) -> None:
    with pytest.raises(BadRequest):
        core.archive.accept(phone.phone_id, "s", 0, [seen(1)])
    with pytest.raises(UnknownPhone):
        core.archive.accept(PhoneId("099"), "s", 1, [seen(1)])


def test_racing_deliveries_of_one_spool_archive_each_event_once(backend: Backend) -> None:
    core = backend.core(words=WORDS)
    core.notices.record("w", version="1", how="signed", actor="op")
    phone = handset(core, 1, holder="w")
    bodies = [body(message("发红包", n)) for n in range(1, 41)]

    def deliver(core: Core) -> int:
        reached = 0
        while reached < len(bodies):
            reached = core.archive.accept(phone.phone_id, "s", reached + 1, bodies[reached : reached + 5])
        return reached

    cores = [backend.core(words=WORDS) for _ in range(5)]
    assert race([partial(deliver, core) for core in cores]) == [40] * 5
    assert [position for position, _ in texts(core)] == list(range(1, 41))
    assert len(core.violations.list(limit=1_000)) == 40
    assert core.archive.conflicts() == 0


# ---- what can never come


def test_what_the_agent_no_longer_has_is_a_gap_and_stops_nothing(core: Core, phone: Handset) -> None:
    phone.new_outbox("old")
    phone.greet(spool_lowest=11, spool_highest=12)
    assert core.status().gaps == 1
    assert core.archive.high_water(phone.phone_id, "old") == 10
    assert core.archive.accept(phone.phone_id, "old", 11, [seen(1), seen(2)]) == 12
    # Found after all, in a copy: welcome, and not a conflict.
    assert core.archive.accept(phone.phone_id, "old", 10, [body(message("late", 3))]) == 12
    assert core.archive.event(phone.phone_id, "old", 10) is not None
    assert core.archive.conflicts() == 0


def test_an_event_set_aside_by_the_agent_counts_as_a_gap(core: Core, phone: Handset) -> None:
    phone.say(EventSetAside(seq=1, cause="too_large"))
    assert core.status().gaps == 1


# ---- chats


def test_without_a_notice_nothing_of_a_chat_is_kept(core: Core) -> None:
    phone = handset(core, 1, holder="someone")
    gap = GapSeen(
        conversation_key="k", conversation_title="t", before_position=1, cause="c", from_ms=0, to_ms=1
    )
    secret = body(message("secret", 1))
    assert core.archive.accept(phone.phone_id, "s", 1, [secret, body(gap)]) == 2
    stored = core.archive.event(phone.phone_id, "s", 1)
    assert stored is not None
    assert (stored.body, stored.cause) == (None, "refused_no_notice")
    assert [(chat.title, chat.kind, chat.messages) for chat in core.archive.conversations()] == [
        ("", "", 0)
    ] * 2
    assert core.status().refused_no_notice == 2
    assert core.archive.accept(phone.phone_id, "s", 1, [secret]) == 2
    assert core.archive.conflicts() == 0
    core.notices.record("someone", version="1", how="signed", actor="op")
    core.archive.accept(phone.phone_id, "s", 3, [body(message("from now on", 2))])
    assert texts(core) == [(2, "from now on")]
    chat = core.archive.conversations()[0]
    assert chat.title == "title"
    assert [(gap.before_position, gap.cause) for gap in core.archive.gaps(chat.id)] == [(2, "no_notice")]


def test_what_was_read_before_the_holder_was_told_is_refused_whenever_it_comes(
    core: Core, backend: Backend
) -> None:
    phone = handset(core, 1, holder="someone")
    backend.clock.advance(10_000)
    core.notices.record("someone", version="1", how="signed", actor="op")
    told_ms = backend.clock.now_ms()
    phone.say(message("a", 1), at_ms=told_ms)
    phone.say(message("b", 2), message("c", 3), at_ms=told_ms - 1)
    phone.say(message("d", 4), at_ms=told_ms)
    backend.clock.advance(10_000)
    core.notices.record("someone", version="2", how="signed", actor="op")
    phone.say(message("e", 5), at_ms=told_ms)  # a newer version does not uncover what an older one covered
    assert texts(core) == [(1, "a"), (4, "d"), (5, "e")]
    chat = core.archive.conversations()[0]
    assert [(gap.before_position, gap.cause) for gap in core.archive.gaps(chat.id)] == [(4, "no_notice")]
    assert (core.status().refused_no_notice, chat.title) == (2, "title")


def test_a_new_outbox_continues_a_chat_after_a_visible_gap(core: Core, phone: Handset) -> None:
    phone.say(message("a", 1), message("b", 2))
    phone.new_outbox("spool-new")
    phone.say(message("c", 1), message("d", 2))
    assert texts(core) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    chat = core.archive.conversations()[0]
    assert [(gap.before_position, gap.cause) for gap in core.archive.gaps(chat.id)] == [(3, "spool_changed")]


def test_a_new_outbox_behind_the_last_number_there_is_stops_nothing(core: Core, phone: Handset) -> None:
    phone.say(message("a", 2**63 - 1))
    phone.new_outbox("spool-new")
    assert phone.say(message("b", 1), message("c", 2)) == 2
    assert [chat.messages for chat in core.archive.conversations()] == [3]


def test_a_gap_seen_by_the_agent_keeps_its_place_and_cause(core: Core, phone: Handset) -> None:
    phone.say(
        message("a", 1),
        GapSeen(
            conversation_key="chat",
            conversation_title="title",
            before_position=2,
            cause="scrolled_out",
            from_ms=5,
            to_ms=9,
        ),
    )
    chat = core.archive.conversations()[0]
    gap = core.archive.gaps(chat.id)[0]
    assert (gap.before_position, gap.cause, gap.from_ms, gap.to_ms) == (2, "scrolled_out", 5, 9)
    assert chat.kind == "private"


def test_messages_are_paged_from_the_end(core: Core, phone: Handset) -> None:
    phone.say(*(message(f"m{n}", n) for n in range(1, 8)))
    chat = core.archive.conversations()[0]
    last = core.archive.messages(chat.id, limit=3)
    assert [m.position for m in last] == [5, 6, 7]
    assert [m.position for m in core.archive.messages(chat.id, before_position=5, limit=3)] == [2, 3, 4]
    with pytest.raises(UnknownConversation):
        core.archive.messages(chat.id + 1)


def test_equal_texts_are_different_messages(core: Core, phone: Handset) -> None:
    phone.say(message("好的", 1), message("好的", 2))
    assert texts(core) == [(1, "好的"), (2, "好的")]


def test_nul_in_a_text_is_kept_visibly_on_both_databases(core: Core, phone: Handset) -> None:
    phone.say(message("a\0b 红包", 1))
    assert texts(core) == [(1, "a\ufffdb 红包")]
    assert [(v.start, v.end) for v in core.violations.list()] == [(4, 6)]


def test_chats_are_listed_by_phone_newest_first(core: Core, phone: Handset) -> None:
    other = handset(core, 2, holder="王芳")
    phone.say(message("a", 1, key="one"))
    other.say(message("b", 1, key="two"))
    assert [chat.key for chat in core.archive.conversations()] == ["two", "one"]
    assert [chat.key for chat in core.archive.conversations(phone_id=phone.phone_id)] == ["one"]
    assert core.archive.conversations()[0].account_id == "wx002"


# ---- words


def test_each_word_in_a_message_is_a_violation_with_its_place(core: Core, phone: Handset) -> None:
    phone.say(message("before", 1), message("加我微信,发红包", 2), message("after", 3, side="in"))
    found = sorted(core.violations.list(), key=lambda v: v.start)
    assert [(v.word, v.text[v.start : v.end], v.holder, v.state) for v in found] == [
        ("微信", "微信", "王芳", "new"),
        ("红包", "红包", "王芳", "new"),
    ]
    assert found[0].phone_id == phone.phone_id
    assert found[0].book_version
    context = core.violations.context(found[0].id, reach=1, reason="r", actor="op")
    assert [m.text for m in context.messages] == [
        "before",
        "加我微信,发红包",
        "after",
    ]
    assert core.status().violations_new == 2


def test_violations_are_filtered_by_time_and_phone(core: Core, phone: Handset, backend: Backend) -> None:
    phone.say(message("红包", 1))
    backend.clock.advance(1_000)
    phone.say(message("红包", 2))
    assert len(core.violations.list(since_ms=START_MS + 1)) == 1
    assert core.violations.list(phone_id=PhoneId("002")) == []
    assert len(core.violations.list(limit=1)) == 1
    with pytest.raises(BadRequest):
        core.violations.get(99)


def test_lines_of_the_client_are_nobodys_words(core: Core, phone: Handset) -> None:
    phone.say(replace(message("红包", 1), side="system", kind="system"))
    assert core.violations.list() == []
    assert texts(core) == [(1, "红包")]


# ---- the phone's state


def test_a_reported_state_counts_unless_a_later_one_is_known(core: Core, phone: Handset) -> None:
    phone.beat("ready", agent_at_ms=100)
    phone.say(PhoneStateChanged(state="in_hand", cause="touched"), at_ms=50)
    assert core.fleet.phone(phone.phone_id).state == "ready"
    phone.say(PhoneStateChanged(state="in_hand", cause="touched"), at_ms=150)
    assert core.fleet.phone(phone.phone_id).state == "in_hand"


def test_a_backlog_of_an_older_session_tells_nothing_of_the_phone_now(core: Core, phone: Handset) -> None:
    old = body(PhoneStateChanged(state="blind", cause="x"), epoch=phone.epoch, at_ms=10**15)
    phone.greet()
    core.archive.accept(phone.phone_id, phone.spool_id, 1, [old])
    assert core.fleet.phone(phone.phone_id).state == "ready"


def test_a_kind_without_effect_is_archived(core: Core, phone: Handset) -> None:
    phone.say(ScreenUnknown(activity="x", cause="empty"))
    stored = core.archive.event(phone.phone_id, phone.spool_id, 1)
    assert stored is not None
    assert stored.kind == "screen_unknown"


def test_an_unreadable_screen_is_kept_with_the_picture_that_shows_it(core: Core, phone: Handset) -> None:
    phone.say(
        ScreenUnknown(activity="x", cause="empty", detail="8.0.99", picture="p.jpg", picture_sha256="ab")
    )
    (blind,) = core.archive.blind_screens(phone.phone_id)
    assert (blind.cause, blind.detail, blind.picture, blind.picture_sha256) == (
        "empty",
        "8.0.99",
        "p.jpg",
        "ab",
    )
