"""What rules on words find: direction, scope, terms, neighbours, split words, exceptions, rates."""

from __future__ import annotations

from typing import Any

import pytest

from controller.findings import Tally, rated, violation_of
from controller.rulecheck import held_by, in_line
from controller.words.found import Found
from tests.support.rulelines import AT_MS, SECOND_MS, book, checked, find_all, line, told

ON = {"on": {"words": ["微信"]}}


def test_each_occurrence_is_found_in_its_place() -> None:
    assert told(checked(book(), line("加我微信转账微信"))) == [
        ("R000", "微信", 1, 2, 4),
        ("R000", "微信", 1, 6, 8),
        ("R000", "转账", 1, 4, 6),
        ("R000", "加我", 1, 0, 2),
    ]


@pytest.mark.parametrize(
    ("direction", "side", "is_found"),
    [
        ("any", "out", True),
        ("any", "in", True),
        ("staff", "out", True),
        ("staff", "in", False),
        ("customer", "out", False),
        ("customer", "in", True),
        ("any", "system", False),
    ],
)
def test_a_rule_looks_at_its_side(direction: str, side: str, is_found: bool) -> None:
    assert bool(checked(book({**ON, "direction": direction}), line("微信", side=side))) is is_found


def test_lines_of_the_client_are_nobodys_words() -> None:
    assert checked(book(), line("微信", kind="system")) == []


@pytest.mark.parametrize(
    ("scope", "is_found"),
    [
        ({"accounts": ["wx1"]}, True),
        ({"accounts": ["wx2"]}, False),
        ({"holders": ["王芳"]}, True),
        ({"groups": ["sales"]}, True),
        ({"groups": ["nobody"]}, False),
        ({"accounts": ["wx2"], "holders": ["王芳"]}, True),
        ({"chats": "private"}, True),
        ({"chats": "group"}, False),
        ({"accounts": ["wx1"], "chats": "group"}, False),
    ],
)
def test_a_rule_holds_in_its_scope(scope: dict[str, Any], is_found: bool) -> None:
    made = book({**ON, "scope": scope}, groups={"sales": ["李娜", "王芳"], "nobody": []})
    assert bool(checked(made, line("微信"))) is is_found


def test_a_severity_of_the_rule_comes_before_that_of_the_entry() -> None:
    both = checked(book({**ON, "severity": "critical"}, ON), line("微信"))
    assert [(one.rule.id, one.severity) for one in both] == [("R1", "critical"), ("R2", "high")]


# ---- terms


@pytest.mark.parametrize(
    ("terms", "text", "is_found"),
    [
        ({"all_of": ["转账"]}, "微信转账", True),
        ({"all_of": ["转账"]}, "微信", False),
        ({"all_of": ["L2", "加我"]}, "加我微信转账", True),
        ({"all_of": ["VIP"]}, "微信ｖｉｐ", True),
        ({"none_of": ["VIP"]}, "微信vip", False),
        ({"none_of": ["转账"]}, "微信", True),
        ({"none_of": ["转账"]}, "微信转账", False),
        ({"all_of": ["加我"], "none_of": ["转账"]}, "加我微信转账", False),
    ],
)
def test_terms_stand_in_the_same_message(terms: dict[str, Any], text: str, is_found: bool) -> None:
    assert bool(checked(book({**ON, **terms}), line(text))) is is_found


@pytest.mark.parametrize(
    ("texts", "within", "found_at"),
    [
        (["微信", "好", "转账"], 3, [1]),
        (["微信", "好", "转账"], 2, []),
        (["转账", "好", "微信"], 3, [3]),
        (["转账", "微信", "好的好的好的好的", "好", "微信"], 3, [2]),
        (["微信转账"], 3, [1]),
    ],
)
def test_terms_stand_near_within_messages(texts: list[str], within: int, found_at: list[int]) -> None:
    made = book({**ON, "all_of": ["转账"], "within_messages": within})
    lines = [line(text, n) for n, text in enumerate(texts, 1)]
    assert [one.line.position for one in checked(made, *lines)] == found_at


def test_terms_of_another_chat_do_not_count() -> None:
    made = book({**ON, "all_of": ["转账"], "within_messages": 3})
    assert checked(made, line("转账", 1, conversation_id=2), line("微信", 2)) == []


def test_what_comes_later_takes_no_finding_back() -> None:
    made = book({**ON, "none_of": ["转账"], "within_messages": 3})
    assert checked(made, line("转账", 1), line("微信", 2)) == []
    assert len(checked(made, line("微信", 1), line("转账", 2))) == 1


def test_what_was_complete_before_is_not_found_again_by_what_follows() -> None:
    made = book({**ON, "all_of": ["转账"], "within_messages": 5})
    old = [line("微信", 1), line("转账", 2)]
    assert checked(made, *old, line("转账", 3), fresh_from=2) == []
    (late,) = checked(made, line("微信", 1), line("转账", 2), fresh_from=1)
    assert (late.line.message_id, late.key) == (101, "R1:L1:101:0")


# ---- split words


@pytest.mark.parametrize(
    ("parts", "found_in"),
    [
        (["加", "我", "微", "信"], [2, 4]),
        (["微", "信"], [2]),
        (["加一下我的微", "信"], [2]),
        (["的微", "信吧"], []),
        (["已转", "账单发我"], []),  # words that meet over a border
        (["微", "信号不好"], [2]),
        (["微信"], [1]),
        (["微", "这是一句很长的话不是零件", "信"], []),
    ],
)
def test_a_word_is_found_over_short_messages(parts: list[str], found_in: list[int]) -> None:
    findings = checked(book(), *(line(text, n) for n, text in enumerate(parts, 1)))
    assert sorted(one.line.position for one in findings) == found_in


def test_a_split_word_stands_on_the_last_message_and_names_the_first() -> None:
    (found,) = checked(book(ON), *(line(text, n) for n, text in enumerate(["加", "我的微", "信"], 1)))
    assert (found.line.message_id, found.start, found.end) == (103, 0, 1)
    assert found.detail == "joined: 2 messages from 102"
    assert found.key == "R1:L1:103:j0"


@pytest.mark.parametrize(
    "second",
    [
        line("信", 2, side="in"),
        line("信", 2, conversation_id=2),
        line("信", 3),
        line("信", 2, sender="王五"),
        line("信", 2, kind="image"),
        line("信", 2, read_at_ms=AT_MS + 180 * SECOND_MS),
        line("信", 2, from_ms=AT_MS + 180 * SECOND_MS, to_ms=AT_MS + 181 * SECOND_MS),
    ],
    ids=["other_side", "other_chat", "one_between", "other_member", "picture", "late_read", "late_said"],
)
def test_what_does_not_follow_at_once_is_not_joined(second: Any) -> None:
    first = line("微", 1, from_ms=AT_MS, to_ms=AT_MS + 1)
    assert checked(book(), first, second) == []


def test_a_rule_may_leave_split_words_alone() -> None:
    assert checked(book({**ON, "joined": False}), line("微", 1), line("信", 2)) == []


def test_a_split_word_is_found_once_when_its_last_part_comes() -> None:
    parts = [line(text, n) for n, text in enumerate(["加", "我", "微", "信", "好"], 1)]
    found = [one.word for end in range(1, 6) for one in checked(book(), *parts[:end], fresh_from=end - 1)]
    assert found == ["加我", "微信"]


def test_a_long_run_of_short_messages_hides_nothing() -> None:
    parts = [line("好", n) for n in range(1, 16)] + [line("微", 16), line("信", 17)]
    assert [one.line.position for one in checked(book(), *parts)] == [17]


# ---- exceptions


@pytest.mark.parametrize(
    ("waiver", "is_found"),
    [
        ({"phrase": "企业微信"}, False),
        ({"phrase": "企业微信", "rule": "R1"}, False),
        ({"phrase": "企业微信", "rule": "R2"}, True),
        ({"phrase": "企业微信", "entry": "L1"}, False),
        ({"phrase": "企业微信", "entry": "L2"}, True),
        ({"phrase": "企业微信", "accounts": ["wx1"]}, False),
        ({"phrase": "企业微信", "accounts": ["wx2"]}, True),
        ({"phrase": "企业"}, True),
        ({"phrase": "微信公众号"}, True),
        ({"entry": "L1", "accounts": ["wx1"]}, False),
    ],
)
def test_an_exception_silences_what_stands_inside_its_phrase(waiver: dict[str, Any], is_found: bool) -> None:
    made = book(ON, exceptions=[{"id": "X1", **waiver}])
    assert bool(checked(made, line("请加企业微信联系"))) is is_found


def test_an_exception_covers_only_its_own_place() -> None:
    made = book(ON, exceptions=[{"id": "X1", "phrase": "VIP微信"}])
    assert told(checked(made, line("ｖｉｐ微信和微信"))) == [("R1", "微信", 1, 6, 8)]


def test_an_exception_also_covers_split_words() -> None:
    made = book(ON, exceptions=[{"id": "X1", "phrase": "企业微信"}])
    assert checked(made, line("企业微", 1), line("信", 2)) == []
    assert len(checked(made, line("加微", 1), line("信", 2))) == 1


# ---- rates


def test_a_rate_is_reached_by_messages_within_its_window() -> None:
    made = book({**ON, "rate": {"count": 3, "window_s": 60, "per": "account"}})
    seconds = [0, 10, 70, 75, 80, 85, 90, 95]
    marks = Tally()
    fired = [
        second
        for n, second in enumerate(seconds)
        if rated(checked(made, line("微信 微信", n, read_at_ms=AT_MS + second * SECOND_MS)), marks)
    ]
    # What was counted once does not count again.
    assert fired == [80, 95]


@pytest.mark.parametrize(("per", "is_reached"), [("account", False), ("holder", True), ("chat", False)])
def test_a_rate_counts_for_whom_it_says(per: str, is_reached: bool) -> None:
    made = book({**ON, "rate": {"count": 2, "window_s": 60, "per": per}})
    marks = Tally()
    one = checked(made, line("微信", 1))
    other = checked(made, line("微信", 2, account_id="wx2", conversation_id=2))
    assert (rated(one, marks), bool(rated(other, marks))) == ([], is_reached)


# ---- other texts, rows, own sends


def test_a_transcript_is_found_by_a_key_of_its_own() -> None:
    voice = line("", kind="voice", detail="加微信")
    found = [Found("L1", "微信", 1, 3, "plain")]
    (at_once,) = in_line(book(ON), voice, found, where="detail", text="加微信")
    (later,) = in_line(book(ON), voice, found, where="transcript", text="加微信")
    assert at_once.key == later.key == "R1:L1:101:t1"
    assert (at_once.detail, later.detail) == ("detail", "transcript")


def test_a_row_names_the_version_that_found_it() -> None:
    (finding,) = checked(book(ON), line("微信", side="in"))
    row = violation_of(finding, 9, origin="live", found_at_ms=5)
    assert (row.book_version, row.severity, row.notify, row.side, row.message_id) == (
        9,
        "high",
        True,
        "in",
        101,
    )


@pytest.mark.parametrize(
    ("rule", "is_held"),
    [
        (ON, True),
        ({**ON, "direction": "staff"}, True),
        ({**ON, "direction": "customer"}, False),
        ({**ON, "actions": ["record", "notify"]}, False),
        ({**ON, "actions": ["hold"]}, True),
        ({**ON, "enabled": False}, False),
        ({**ON, "scope": {"accounts": ["wx9"]}}, True),
        ({**ON, "scope": {"chats": "group"}}, False),
        ({**ON, "rate": {"count": 2, "window_s": 60}}, False),
        ({**ON, "all_of": ["转账"]}, False),
        ({**ON, "none_of": ["你好"]}, False),
        ({"on": {"behaviour": "transfer"}}, False),
    ],
)
def test_own_texts_are_held_back_by_rules_on_words(rule: dict[str, Any], is_held: bool) -> None:
    text = "你好，加个微信"
    found = [one for _, one in find_all([text])]
    assert (held_by(book(rule), text, found) is not None) is is_held


def test_an_exception_lets_an_own_text_go_unless_it_is_of_single_accounts() -> None:
    text = "请加企业微信"
    found = [one for _, one in find_all([text])]
    assert held_by(book(exceptions=[{"id": "X1", "phrase": "企业微信"}]), text, found) is None
    narrow = book(exceptions=[{"id": "X1", "phrase": "企业微信", "accounts": ["wx1"]}])
    assert held_by(narrow, text, found) is not None


def test_a_rule_that_only_holds_keeps_no_violation() -> None:
    assert checked(book({**ON, "actions": ["hold"]}), line("微信")) == []
