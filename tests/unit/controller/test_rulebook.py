"""Books: what of a document is understood, and what is refused with the name of what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.rulebook import Behaviour, Book, BookWrong, Direction, RuleAction, digest_of, read_book

WORDS: dict[str, Any] = {
    "categories": {"offpay": {"label": "私下收款", "severity": "critical"}, "empty": {"label": "无"}},
    "entries": [
        {"id": "L1", "word": "私下转账", "category": "offpay"},
        {"id": "L2", "word": "红包", "severity": "low"},
        {"id": "P1", "word": "@WECHATID", "category": "offpay"},
    ],
}


def book(rules: list[dict[str, Any]] | None = None, **parts: Any) -> Book:
    document = {**WORDS, **parts}
    if rules is not None:
        document["rules"] = rules
    return read_book(document, 7)


def on(**parts: Any) -> dict[str, Any]:
    return {"id": "R1", "on": parts}


def test_a_book_without_rules_has_one_on_every_entry() -> None:
    made = book()
    (rule,) = made.rules
    assert (made.version, rule.id, rule.direction) == (7, "R000", Direction.ANY)
    assert set(made.rules_on) == {"L1", "L2", "P1"}
    assert [rule.notifies(s) for s in ("low", "medium", "high", "critical")] == [False, False, True, True]
    assert rule.actions == {RuleAction.RECORD, RuleAction.HOLD}


def test_a_book_with_an_empty_list_of_rules_finds_nothing() -> None:
    assert book([]).rules_on == {}


def test_words_categories_and_patterns_become_entries() -> None:
    assert book([on(words=["红包"])]).rules[0].on.entries == {"L2"}
    assert book([on(words=["L1"])]).rules[0].on.entries == {"L1"}
    assert book([on(categories=["offpay"])]).rules[0].on.entries == {"L1", "P1"}
    assert book([on(patterns=["@WECHATID"])]).rules[0].on.entries == {"P1"}
    assert book([on(categories=["empty"])]).rules[0].on.entries == frozenset()


def test_the_sending_of_a_wechat_id_is_a_rule_on_its_pattern() -> None:
    (rule,) = book([on(behaviour="wechat_id")]).rules
    assert (rule.on.entries, rule.on.behaviour) == ({"P1"}, None)


def test_a_rule_that_is_off_finds_nothing() -> None:
    made = book([{**on(words=["L1"]), "enabled": False}, {"id": "R2", "on": {"behaviour": "transfer"}}])
    assert made.rules_on == {}
    assert list(made.rules_of) == [Behaviour.TRANSFER]


def test_an_empty_group_is_nobody_and_not_everybody() -> None:
    made = book([{**on(words=["L1"]), "scope": {"groups": ["sales"]}}], groups={"sales": []})
    assert not made.rules[0].scope.has("wx1", "王芳", "private")
    named = book([{**on(words=["L1"]), "scope": {"groups": ["sales"]}}], groups={"sales": ["王芳"]})
    assert named.rules[0].scope.has("wx1", "王芳", "private")
    assert not named.rules[0].scope.has("wx1", "李娜", "private")


def test_named_actions_are_all_there_are() -> None:
    (rule,) = book([{**on(words=["L1"]), "actions": ["record"]}]).rules
    assert not rule.notifies("critical")
    (only_held,) = book([{**on(words=["L1"]), "actions": ["hold"]}]).rules
    assert not only_held.keeps


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"on": {"words": ["L1"]}}, "rule 1: an id is 1 to 64"),
        (on(), "rule R1: on needs words"),
        (on(words=["没有"]), "rule R1: no entry or word '没有'"),
        (on(words=["L1"], behaviour="transfer"), "rule R1: on needs words, categories or patterns, or else"),
        (on(categories=["nothing"]), "rule R1: no category 'nothing'"),
        (on(patterns=["@FAX"]), "rule R1: '@FAX' is none of"),
        (on(patterns=["@PHONE"]), "rule R1: no entry or word '@PHONE'"),
        (on(behaviour="dancing"), "rule R1: on: behaviour is one of"),
        (on(behaviour="slow_reply"), "rule R1: minutes belong to slow_reply"),
        (on(words=["L1"], minutes=3), "rule R1: minutes belong to slow_reply"),
        (on(behaviour="night"), "rule R1: hours"),
        (on(behaviour="night", hours="22-6"), "rule R1: hours are said as"),
        (on(behaviour="night", hours="24:00-00:00"), "rule R1: the hours have no length"),
        (on(behaviour="contact_card", min_amount_fen=1), "rule R1: min_amount_fen is for"),
        ({**on(words=["L1"]), "severity": "awful"}, "rule R1: severity is one of"),
        ({**on(words=["L1"]), "actions": ["shout"]}, "rule R1: actions are some of"),
        ({**on(words=["L1"]), "actions": []}, "rule R1: actions are some of"),
        ({**on(words=["L1"]), "withinmessages": 3}, "rule R1: 'withinmessages' is no key"),
        ({**on(words=["L1"]), "within_messages": 0}, "rule R1: within_messages must be a whole number"),
        ({**on(words=["L1"]), "within_messages": True}, "rule R1: within_messages must be a whole number"),
        ({**on(words=["L1"]), "rate": {"count": 1, "window_s": 5}}, "rule R1: rate: count must be"),
        ({**on(words=["L1"]), "scope": {"groups": ["x"]}}, "rule R1: no group 'x'"),
        ({**on(behaviour="transfer"), "all_of": ["红包"]}, "rule R1: all_of, none_of"),
        ({"id": "a:b", "on": {"words": ["L1"]}}, "rule a:b: an id is"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(rule: dict[str, Any], says: str) -> None:
    with pytest.raises(BookWrong, match="^" + says.replace("(", r"\(")):
        book([rule])


@pytest.mark.parametrize(
    ("waiver", "says"),
    [
        ({"id": "X1"}, "exception X1: say a phrase"),
        ({"id": "X1", "rule": "R1"}, "exception X1: say a phrase"),
        ({"id": "X1", "phrase": 3}, "exception X1: phrase must be text"),
        ("no", "exception 1 must be an object"),
    ],
)
def test_an_exception_from_everything_is_refused(waiver: Any, says: str) -> None:
    with pytest.raises(BookWrong, match="^" + says):
        book(exceptions=[waiver])


def test_what_is_given_twice_is_refused() -> None:
    with pytest.raises(BookWrong, match="rule 'R1' is given twice"):
        book([on(words=["L1"]), on(words=["L2"])])
    with pytest.raises(BookWrong, match="exception 'X1' is given twice"):
        book(exceptions=[{"id": "X1", "phrase": "a"}, {"id": "X1", "phrase": "b"}])


def test_a_wrong_entry_is_refused_by_its_id() -> None:
    with pytest.raises(BookWrong, match="entry 'L9'"):
        read_book({"entries": [{"id": "L9", "word": ""}]}, 1)


def test_the_digest_is_of_the_content() -> None:
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
rule_keys = st.sampled_from(
    ["id", "name", "on", "direction", "scope", "all_of", "within_messages", "rate", "severity", "actions"]
)


@given(st.lists(st.dictionaries(rule_keys, json_values), max_size=3), json_values, json_values)
def test_whatever_a_person_writes_is_read_or_refused(rules: Any, groups: Any, exceptions: Any) -> None:
    said = "read"
    try:
        book(rules, groups=groups, exceptions=exceptions)
    except BookWrong as wrong:
        said = str(wrong)
    assert said
    assert "\n" not in said
