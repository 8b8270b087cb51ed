"""What rules on behaviours find: money, cards, deletions, the night; and how long customers wait."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from controller import behaviours, replies
from controller.findings import Finding, Line
from controller.model import AccountId, PhoneId
from controller.records import ChatRemoval, CoverageSpan
from controller.replies import Said
from controller.rulebook import Rule
from controller.sessions import Window
from controller.store.base_rules import Waiting
from tests.support.rulelines import book, line

MINUTE_MS = 60_000
HOUR_MS = 3_600_000


def at(clock: str, day: int = 10) -> int:
    """Return a moment by the clock of Shanghai."""
    hour, minute = clock.split(":")
    return int(datetime(2026, 3, day, int(hour), int(minute), tzinfo=UTC).timestamp() * 1_000) - 8 * HOUR_MS


def seen(rule: dict[str, Any], one: Line, *, first_read_ms: int = 0, **parts: Any) -> list[Finding]:
    made = book({"on": rule, **parts})
    return behaviours.of_message(made, one, zone_name="Asia/Shanghai", first_read_ms=lambda: first_read_ms)


@pytest.mark.parametrize(
    ("kind", "amount_fen", "rule", "is_found"),
    [
        ("transfer", 5_000, {"behaviour": "transfer"}, True),
        ("transfer", -1, {"behaviour": "transfer"}, True),
        ("transfer", 4_999, {"behaviour": "transfer", "min_amount_fen": 5_000}, False),
        ("transfer", 5_000, {"behaviour": "transfer", "min_amount_fen": 5_000}, True),
        ("transfer", -1, {"behaviour": "transfer", "min_amount_fen": 5_000}, False),
        ("red_packet", 5_000, {"behaviour": "transfer"}, False),
        ("red_packet", 5_000, {"behaviour": "red_packet"}, True),
        ("contact_card", -1, {"behaviour": "contact_card"}, True),
        ("text", -1, {"behaviour": "contact_card"}, False),
    ],
)
def test_what_a_message_is_can_break_a_rule(
    kind: str, amount_fen: int, rule: dict[str, Any], is_found: bool
) -> None:
    assert bool(seen(rule, line("", kind=kind, amount_fen=amount_fen))) is is_found


@pytest.mark.parametrize(
    ("parts", "is_found"),
    [
        ({"text": "[图片] 二维码"}, True),
        ({"detail": "我的二维码名片"}, True),
        ({"text": "[图片]"}, False),
        ({"text": "二维码", "kind": "text"}, False),
    ],
)
def test_a_picture_is_a_qr_code_only_if_the_client_says_so(parts: dict[str, Any], is_found: bool) -> None:
    one = line("", **{"kind": "image", **{k: v for k, v in parts.items() if k != "text"}})._replace(
        text=parts.get("text", "")
    )
    assert bool(seen({"behaviour": "qr"}, one)) is is_found


def test_a_behaviour_has_its_side_scope_and_exceptions() -> None:
    card = line("名片", kind="contact_card", side="in")
    assert seen({"behaviour": "contact_card"}, card, direction="staff") == []
    assert len(seen({"behaviour": "contact_card"}, card, direction="customer")) == 1
    assert seen({"behaviour": "contact_card"}, card, scope={"chats": "group"}) == []
    waived = book(
        {"on": {"behaviour": "contact_card"}},
        exceptions=[{"id": "X1", "rule": "R1", "accounts": ["wx1"]}],
    )
    assert behaviours.of_message(waived, card, zone_name="", first_read_ms=lambda: 0) == []


@pytest.mark.parametrize(
    ("what", "behaviour"),
    [("cleared", "chat_cleared"), ("gone", "chat_gone"), ("friend_deleted", "friend_deleted")],
)
def test_a_removal_breaks_the_rule_of_its_kind(what: str, behaviour: str) -> None:
    removal = ChatRemoval(
        id=0,
        conversation_id=1,
        phone_id=PhoneId("001"),
        account_id=AccountId("wx1"),
        what=what,
        last_position=4,
        from_ms=5,
        to_ms=9,
        archived_at_ms=9,
    )
    every = book(*({"on": {"behaviour": name}} for name in ("chat_cleared", "chat_gone", "friend_deleted")))
    (found,) = behaviours.of_removal(every, line("")._replace(message_id=0), removal)
    assert (found.word, found.kind) == (behaviour, "behaviour")


# ---- the night

NIGHT = {"behaviour": "night", "hours": "22:00-06:00"}


@pytest.mark.parametrize(
    ("from_", "to", "is_found"),
    [
        (at("22:00"), at("22:01"), True),
        (at("21:59"), at("22:01"), False),  # perhaps before
        (at("23:59"), at("00:05", 11), True),
        (at("05:58", 11), at("06:00", 11), True),
        (at("05:58", 11), at("06:01", 11), False),
        (at("12:00"), at("12:01"), False),
        (at("23:00"), at("23:01", 11), False),  # some time within a day
    ],
)
def test_only_what_was_certainly_said_at_night_counts(from_: int, to: int, is_found: bool) -> None:
    one = line("在吗", from_ms=from_, to_ms=to, read_at_ms=to + 20 * HOUR_MS)
    assert bool(seen(NIGHT, one)) is is_found


def test_a_chat_makes_one_finding_a_night() -> None:
    evening = line("a", 1, from_ms=at("23:00"), to_ms=at("23:01"))
    morning = line("b", 2, from_ms=at("05:00", 11), to_ms=at("05:01", 11))
    next_evening = line("c", 3, from_ms=at("23:00", 11), to_ms=at("23:01", 11))
    keys = [seen(NIGHT, one)[0].key for one in (evening, morning, next_evening)]
    assert keys == ["R1:night:c1:2026-03-10", "R1:night:c1:2026-03-10", "R1:night:c1:2026-03-11"]


def test_without_a_shown_time_the_first_visit_of_a_chat_says_nothing_of_the_night() -> None:
    one = line("在吗", read_at_ms=at("23:30"))
    assert seen(NIGHT, one, first_read_ms=at("23:29")) == []
    assert len(seen(NIGHT, one, first_read_ms=at("09:00"))) == 1
    assert seen(NIGHT, one._replace(read_at_ms=at("22:05")), first_read_ms=at("09:00")) == []


# ---- answers

NEW = Waiting(0, 1, PhoneId("001"), AccountId("wx1"), "王芳", 0, 0, 0)


def said(id_: int, side: str, minute: int, *, kind: str = "text", is_shown: bool = True) -> Said:
    at_ms = minute * MINUTE_MS
    shown = (at_ms, at_ms + 1) if is_shown else (0, 0)
    return Said(id_, side, kind, at_ms, *shown)


def test_the_first_unanswered_message_waits() -> None:
    (wait,) = replies.turned(None, NEW, [said(1, "in", 10), said(2, "in", 12)], 5 * MINUTE_MS)
    assert (wait.message_id, wait.since_ms, wait.answered_ms) == (1, 10 * MINUTE_MS, 0)
    assert wait.judge_ms == 15 * MINUTE_MS


def test_what_staff_says_first_waits_for_nobody() -> None:
    assert replies.turned(None, NEW, [said(1, "out", 10), said(2, "system", 11)], 1) == []


def test_a_quick_answer_is_over_and_a_late_one_is_judged() -> None:
    first = said(1, "in", 10)
    (quick,) = replies.turned(None, NEW, [first, said(2, "out", 14)], 5 * MINUTE_MS)
    (late,) = replies.turned(None, NEW, [first, said(2, "out", 15)], 5 * MINUTE_MS)
    assert (quick.judge_ms, late.judge_ms) == (0, 15 * MINUTE_MS)


def test_an_answer_without_a_time_is_taken_as_early_as_it_can_have_been() -> None:
    waits = replies.turned(None, NEW, [said(1, "in", 10), said(2, "out", 24, is_shown=False)], 5 * MINUTE_MS)
    assert [(wait.answered_ms, wait.judge_ms) for wait in waits] == [(14 * MINUTE_MS, 0)]


def test_a_line_of_the_client_answers_nothing() -> None:
    (wait,) = replies.turned(None, NEW, [said(1, "in", 10), said(2, "out", 30, kind="system")], MINUTE_MS)
    assert wait.answered_ms == 0


def span(from_ms: int, to_ms: int, state: str = "seen") -> CoverageSpan:
    return CoverageSpan(
        id=0,
        phone_id=PhoneId("001"),
        account_id=AccountId("wx1"),
        from_ms=from_ms,
        to_ms=to_ms,
        state=state,
        cause="",
    )


def rule(minutes: int) -> Rule:
    return book({"on": {"behaviour": "slow_reply", "minutes": minutes}}).rules[0]


def judged(wait: Waiting, spans: list[CoverageSpan], *, minutes: int = 30, now: int, **parts: Any) -> Any:
    parts = {"windows": (), "covered_until_ms": max((s.to_ms for s in spans), default=0), **parts}
    windows = parts.pop("windows")
    return replies.judged(
        wait, [rule(minutes)], spans, windows, zone_name="Asia/Shanghai", now_ms=now, **parts
    )


WAITED = NEW._replace(message_id=1, since_ms=at("10:00"), answered_ms=at("11:00"))


def test_an_hour_that_was_watched_is_held_against_who_should_answer() -> None:
    verdict = judged(WAITED, [span(at("09:00"), at("11:00"))], now=at("11:01"))
    assert ([one.id for one in verdict.broken], verdict.judge_ms) == (["R1"], None)


@pytest.mark.parametrize(
    "spans",
    [
        [],
        [span(at("09:00"), at("10:29")), span(at("11:00"), at("12:00"))],
        [span(at("10:00"), at("11:00"), "passive")],
        [span(at("10:00"), at("11:00"), "blind")],
    ],
    ids=["nothing", "half", "passive", "blind"],
)
def test_what_was_not_watched_is_held_against_nobody(spans: list[CoverageSpan]) -> None:
    verdict = judged(WAITED, spans, now=at("14:00"))
    assert (verdict.broken, verdict.judge_ms) == ([], None)


def test_what_is_not_known_yet_is_judged_later() -> None:
    verdict = judged(WAITED, [span(at("09:00"), at("10:15"))], now=at("11:01"))
    assert verdict.broken == []
    assert verdict.judge_ms == at("11:06")


def test_only_working_hours_count() -> None:
    # 2026-03-10 is a Tuesday.
    morning = (Window(start_min=1_440 + 9 * 60, end_min=1_440 + 10 * 60 + 20),)
    spans = [span(at("09:00"), at("12:00"))]
    assert judged(WAITED, spans, now=at("12:00"), windows=morning).broken == []
    assert judged(WAITED, spans, now=at("12:00"), windows=morning, minutes=20).broken != []


def test_who_is_not_answered_at_all_is_judged_while_waiting() -> None:
    waiting = WAITED._replace(answered_ms=0)
    early = judged(waiting, [span(at("10:00"), at("10:20"))], now=at("10:20"))
    assert (early.broken, early.judge_ms) == ([], at("10:30"))
    late = judged(waiting, [span(at("10:00"), at("10:40"))], now=at("10:40"))
    # It goes on waiting, but nobody judges it a second time.
    assert (len(late.broken), late.judge_ms) == (1, replies.NEVER_MS)
    (answered,) = replies.turned(
        waiting._replace(judge_ms=replies.NEVER_MS),
        NEW,
        [Said(9, "out", "text", at("12:00"), at("12:00"), at("12:01"))],
        30 * MINUTE_MS,
    )
    assert answered.judge_ms == 0
