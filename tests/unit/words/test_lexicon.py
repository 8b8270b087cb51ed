"""Lexicons from JSON and tables: what is taken, what is refused and how clearly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import controller.words
from controller.words.lexicon import (
    Allow,
    EntryType,
    LexiconWrong,
    Severity,
    parse,
    parse_csv,
    read,
    to_document,
)

DEFAULT = Path(controller.words.__file__).with_name("default.json").read_text(encoding="utf-8")


def document(**changes: Any) -> dict[str, Any]:
    entry = {
        "id": "L001",
        "word": "飞单",
        "category": "offpay",
        "severity": "high",
        "type": "word",
        "initials": True,
    }
    return {
        "version": 3,
        "note": "example",
        "categories": {"offpay": {"label": "飞单", "severity": "critical"}},
        "entries": [entry | changes],
        "allow": {"phrases": ["飞单元"], "phones": ["4000000000"], "domains": ["example.com"], "emails": []},
    }


def test_a_document_is_read_whole() -> None:
    lexicon = read(document())
    assert lexicon.version == 3
    assert lexicon.categories["offpay"].severity is Severity.CRITICAL
    (entry,) = lexicon.entries
    assert (entry.id, entry.word, entry.severity, entry.type) == (
        "L001",
        "飞单",
        Severity.HIGH,
        EntryType.WORD,
    )
    assert entry.initials
    assert lexicon.allow == Allow(phrases=("飞单元",), phones=("4000000000",), domains=("example.com",))


def test_what_is_written_is_read_again_the_same() -> None:
    for lexicon in (read(document(boundary="latin", describe="x")), parse(DEFAULT)):
        assert read(json.loads(json.dumps(to_document(lexicon)))) == lexicon


def test_the_default_lexicon_is_in_order() -> None:
    lexicon = parse(DEFAULT)
    words = [entry.word for entry in lexicon.entries]
    assert len(words) == len(set(words))
    assert {entry.category for entry in lexicon.entries} == set(lexicon.categories)
    assert {entry.word for entry in lexicon.entries if entry.type is EntryType.PATTERN} == {
        "@PHONE", "@BANKCARD", "@IDCARD", "@WECHATID", "@URL", "@EMAIL",
    }  # fmt: skip
    assert all(len(entry.word) >= 2 for entry in lexicon.entries)


def test_what_is_left_out_has_a_default() -> None:
    lexicon = read({"entries": [{"word": "  飞单 "}, {"word": "@PHONE"}], "rules": ["a book's other parts"]})
    first, second = lexicon.entries
    assert (first.word, first.severity, first.boundary) == ("飞单", Severity.MEDIUM, "")
    assert second.type is EntryType.PATTERN
    assert first.id != second.id
    assert first.id == read({"entries": [{"word": "飞单"}]}).entries[0].id
    assert read({}).entries == ()


def test_an_entry_without_severity_has_its_category_s() -> None:
    assert read(document(severity=None)).entries[0].severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"word": ""}, "entry 'L001': the word is empty"),
        ({"word": " \u3000\t"}, "entry 'L001': the word is empty"),
        ({"word": None}, "entry 'L001': the word is empty"),
        ({"word": 5}, "entry 'L001': word must be text"),
        ({"word": "长" * 65}, "entry 'L001': the word has 65 characters, at most 64 are allowed"),
        ({"word": "。。"}, "entry 'L001': the word holds no letter, digit or symbol"),
        ({"word": "\u200b"}, "entry 'L001': the word holds no letter, digit or symbol"),
        ({"word": "a\nb"}, "entry 'L001': the word holds a control character"),
        ({"word": "a\ud800"}, "entry 'L001': the word holds a control character"),
        ({"category": "none"}, "entry 'L001': the category 'none' is not among the categories"),
        ({"severity": "grave"}, "entry 'L001': severity must be one of low, medium, high, critical"),
        ({"severity": []}, "entry 'L001': severity must be one of low, medium, high, critical"),
        ({"type": "regex"}, "entry 'L001': type must be word or pattern"),
        ({"type": "pattern"}, "entry 'L001': a pattern must be one of @BANKCARD"),
        ({"initials": "yes"}, "entry 'L001': initials must be true or false"),
        ({"boundary": "han"}, "entry 'L001': boundary must be \"latin\" or left out"),
        ({"id": 7}, "entry 1: id must be text"),
        ({"id": "L" * 65}, "entry 1: the id is longer than 64 characters"),
    ],
)
def test_a_wrong_entry_is_named_with_its_fault(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(LexiconWrong) as raised:
        read(document(**changes))
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "word", ["飞.*", "返点(私", "a|b", "[券]", "券\\d", "$9", "➕", "v信", "c++", "a  b"]
)
def test_characters_of_patterns_are_ordinary_in_a_word(word: str) -> None:
    assert read(document(word=word)).entries[0].word == word


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([], "the lexicon must be an object"),
        ({"version": "1"}, "version must be a whole number"),
        ({"version": True}, "version must be a whole number"),
        ({"note": 1}, "the lexicon: note must be text"),
        ({"entries": {}}, "entries must be a list"),
        ({"entries": ["飞单"]}, "entry 1 must be an object"),
        (
            {"entries": [{"word": "a", "id": "x"}, {"word": "b", "id": "x"}]},
            "entry 2: the id 'x' is given twice",
        ),
        ({"entries": [{"word": "a"}] * 200_001}, "the lexicon has 200001 entries"),
        ({"categories": []}, "categories must be an object"),
        ({"categories": {"a": 1}}, "category 'a' must be an object"),
        ({"categories": {" ": {}}}, "a category needs a name"),
        ({"categories": {"a": {"severity": "x"}}}, "category 'a': severity must be one of"),
        ({"allow": []}, "allow must be an object"),
        ({"allow": {"phrases": "飞单元"}}, "allow.phrases must be a list of texts"),
        ({"allow": {"phones": [400]}}, "allow.phones must be a list of texts"),
        ({"allow": {"emails": ["\ud800"]}}, "allow.emails holds a character that cannot be stored"),
    ],
)
def test_a_wrong_lexicon_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(LexiconWrong, match="^" + message.replace("(", r"\(")):
        read(wrong)


def test_text_that_is_no_json_is_refused_and_a_mark_before_it_is_not() -> None:
    assert parse("\ufeff" + DEFAULT) == parse(DEFAULT)
    for text in ("", "{", "[" * 100_000):
        with pytest.raises(LexiconWrong, match="not JSON"):
            parse(text)


KEYS = ["version", "entries", "categories", "allow", "word", "id", "phrases", "type", "severity"]
LEAVES = st.none() | st.booleans() | st.integers() | st.text()
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner)
)


def refusal(read_it: Callable[[], object]) -> str:
    """Return why something was refused; empty if it was taken."""
    try:
        read_it()
    except LexiconWrong as wrong:
        return str(wrong)
    return ""


@given(DOCUMENTS)
def test_any_document_is_read_or_refused_in_one_line(document: Any) -> None:
    message = refusal(lambda: read(document))
    assert "\n" not in message
    if not message:
        assert read(to_document(read(document))) == read(document)


def test_a_table_needs_only_words() -> None:
    assert [entry["word"] for entry in parse_csv("word\n飞单\n\n私单\n飞单\n")] == ["飞单", "私单"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_with_every_column_is_read(delimiter: str) -> None:
    rows = [
        ["id", "word", "category", "severity", "initials", "boundary"],
        ["L1", "飞单", "offpay", "critical", "true", ""],
        ["L2", "vip", "", "", "", "latin"],
        ["P1", "@PHONE", "poach", "high", "0", ""],
    ]
    text = "\ufeff" + "\r\n".join(delimiter.join(row) for row in rows)
    first = {"id": "L1", "word": "飞单", "category": "offpay", "severity": "critical", "initials": True}
    number = {"id": "P1", "word": "@PHONE", "category": "poach", "severity": "high", "initials": False}
    assert parse_csv(text) == (
        {**first, "type": "word"},
        {"id": "L2", "word": "vip", "boundary": "latin", "type": "word"},
        {**number, "type": "pattern"},
    )


def test_a_chinese_header_and_quotes_are_read() -> None:
    (entry,) = parse_csv('敏感词,等级,首字母\n"私单,飞单",严重,是\n')
    assert (entry["word"], entry["severity"], entry["initials"]) == ("私单,飞单", "critical", True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("飞单\n私单\n", "the first line must name the columns"),
        ("word,severity\n飞单,grave\n", "line 2: severity must be low"),
        ("word,initials\n飞单,maybe\n", "line 2: initials must be true or false"),
        ("word,boundary\n飞单,han\n", "line 2: boundary must be latin or empty"),
        ("word,severity\n飞单,low,more\n", "line 2: there are more columns"),
        ("id,word\na,飞单\na,私单\n", "line 3: the id 'a' is given twice"),
        ("id,word\na,\n", "line 2: the word is empty"),
        ("word\n" + "长" * 65, "line 2: the word has 65 characters"),
        ("word\n" + "长" * 200_000, "line "),
    ],
)
def test_a_wrong_table_names_its_line(text: str, message: str) -> None:
    with pytest.raises(LexiconWrong, match="^" + message):
        parse_csv(text)


@given(st.text(alphabet='word飞单,;\t\n\r"\ufeffid 低高\x00', max_size=40))
def test_any_table_is_read_or_refused_in_one_line(text: str) -> None:
    message = refusal(lambda: parse_csv(text))
    assert "\n" not in message
    if not message:
        entries = parse_csv(text)
        assert len({entry["id"] for entry in entries}) == len(entries)
