"""Changes of a book: what they leave alone, and that no file whatever brings more than a refusal."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller import bookedits, bookfiles
from controller.bookdiff import Act, diff, told
from controller.errors import BadRequest, BadRows
from controller.rulebook import read_book
from controller.wordbooks import default_document

BASE = bookedits.normal(
    {
        "version": 3,
        "categories": {"offpay": {"label": "飞单", "severity": "critical"}},
        "entries": [
            {"id": "L1", "word": "飞单", "category": "offpay", "severity": "critical"},
            {"id": "L2", "word": "私单", "category": "offpay", "severity": "high", "initials": True},
        ],
        "allow": {"phrases": ["飞单机"]},
        "rules": [{"id": "R1", "on": {"categories": ["*"]}}],
        "groups": {"sales": ["王芳"]},
        "exceptions": [{"id": "X2", "phrase": "私单号"}],
    }
)


def entries(document: Any) -> dict[str, dict[str, Any]]:
    return {entry["id"]: entry for entry in document["entries"]}


def test_the_default_book_is_whole_and_somebody_looks_for_all_of_it() -> None:
    document = default_document()
    book = read_book(document, 1)
    assert set(book.rules_on) == set(book.entries)
    assert bookedits.normal(document) == document
    # The classes that every supervisor asks for first.
    assert {"red_packet", "transfer", "contact_card", "friend_deleted", "chat_cleared", "slow_reply"} <= {
        str(behaviour) for behaviour in book.rules_of
    }


def test_a_word_that_is_there_keeps_its_id_and_takes_the_rest() -> None:
    made = bookedits.merged(
        BASE, {"entries": [{"id": "N9", "word": "飞单", "category": "offpay", "severity": "low"}]}
    )
    assert entries(made).keys() == {"L1", "L2"}
    assert entries(made)["L1"]["severity"] == "low"


def test_empty_cells_of_a_table_change_nothing_of_a_known_word() -> None:
    table = bookfiles.read("word,category,severity,initials\n私单,,low,\n飞单,,,\n甲单,offpay,,\n".encode())
    made = entries(bookedits.merged(BASE, table))
    assert made["L2"] == {**entries(BASE)["L2"], "severity": "low"}
    assert made["L1"] == entries(BASE)["L1"]
    (fresh,) = (entry for entry in made.values() if entry["word"] == "甲单")
    assert (fresh["category"], fresh["severity"], fresh["initials"]) == ("offpay", "critical", False)
    # Standing alone the table says all there is.
    alone = bookedits.merged(BASE, table, replaces=True)
    assert {entry["word"]: entry["initials"] for entry in alone["entries"]} == dict.fromkeys(
        ("私单", "飞单", "甲单"), False
    )


def test_a_word_that_goes_to_another_category_has_its_severity() -> None:
    table = bookfiles.read("word,category\n飞单,own\n私单,offpay\n".encode())
    made = entries(bookedits.merged(BASE, table))
    assert (made["L1"]["category"], made["L1"]["severity"]) == ("own", "high")
    assert made["L2"] == entries(BASE)["L2"]


def test_another_word_under_a_known_id_takes_its_place() -> None:
    made = bookedits.merged(BASE, {"entries": [{"id": "L1", "word": "飞单子"}]})
    assert [entry["word"] for entry in made["entries"]] == ["飞单子", "私单"]


def test_parts_are_joined_and_nothing_given_is_changed() -> None:
    given_part = {
        "entries": [{"word": "红单"}],
        "allow": {"phrases": ["飞单机", "飞单纸"], "phones": ["13800138000"]},
        "rules": [{"id": "R1", "on": {"words": ["红单"]}}, {"id": "R2", "on": {"words": ["飞单"]}}],
        "groups": {"east": []},
        "exceptions": [{"id": "X3", "phrase": "红单子"}],
    }
    before, base = copy.deepcopy(given_part), copy.deepcopy(BASE)
    made = bookedits.merged(BASE, given_part)
    assert (given_part, base) == (before, BASE)
    assert made["allow"]["phrases"] == ["飞单机", "飞单纸"]
    assert [rule["id"] for rule in made["rules"]] == ["R1", "R2"]
    assert made["rules"][0]["on"] == {"words": ["红单"]}
    assert made["groups"].keys() == {"sales", "east"}
    assert [one["id"] for one in made["exceptions"]] == ["X2", "X3"]
    # Nobody gave it a category: a rule on all of them finds it all the same.
    assert made["entries"][2]["category"] == "own"
    assert "W" + "红单" not in read_book(made, 4).entries


def test_asking_for_a_word_changes_only_what_is_asked() -> None:
    row = bookedits.asked_row(BASE, "私单", {"severity": "low"})
    assert row == {**entries(BASE)["L2"], "severity": "low"}
    # Another category without a severity: the severity is that category's.
    moved = bookedits.merged(BASE, {"entries": [bookedits.asked_row(BASE, "私单", {"category": "own"})]})
    assert (entries(moved)["L2"]["category"], entries(moved)["L2"]["severity"]) == ("own", "high")
    assert bookedits.asked_row(BASE, " 新词 ", {}) == {"category": "own", "word": "新词"}


def test_a_rule_that_nobody_wrote_can_be_switched_off() -> None:
    bare = {name: part for name, part in BASE.items() if name != "rules"}
    off = bookedits.switched(bare, "R000", is_enabled=False)
    assert read_book(off, 4).rules_on == {}
    on = bookedits.switched(off, "R000", is_enabled=True)
    assert {**on, "rules": None} == {**off, "rules": None}
    # Written out it is what it was.
    written, implied = read_book(on, 4).rules[0], read_book(bare, 4).rules[0]
    assert written == implied


def test_differences_name_every_part() -> None:
    made = bookedits.merged(
        BASE,
        {
            "entries": [
                {"id": "L1", "word": "飞单", "category": "offpay", "severity": "low"},
                {"word": "红单"},
            ],
            "allow": {"phrases": ["飞单机"]},
            "rules": [],
            "groups": {},
            "exceptions": [],
            "categories": {"offpay": {"label": "走单", "severity": "critical"}},
        },
        replaces=True,
    )
    found = {(one.part, one.act, one.name or one.id) for one in diff(BASE, made)}
    assert found == {
        ("word", Act.CHANGED, "飞单"),
        ("word", Act.ADDED, "红单"),
        ("word", Act.REMOVED, "私单"),
        ("category", Act.CHANGED, "offpay"),
        ("rule", Act.REMOVED, "R1"),
        ("group", Act.REMOVED, "sales"),
        ("exception", Act.REMOVED, "私单号"),
    }
    assert diff(BASE, copy.deepcopy(BASE)) == ()
    assert "1 category changed: offpay" in told(diff(BASE, made))
    assert len(told(diff({}, {"entries": [{"id": f"{n}", "word": "长" * 60} for n in range(500)]}))) <= 400


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("飞单") | st.just("L1"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "word", "category", "on", "words", "phrases", "severity", "phrase", "x"]),
            inner,
        )
    ),
    max_leaves=8,
)
BOOKS = st.dictionaries(st.sampled_from([*bookedits.PARTS, "note", "version", "other"]), ANYTHING) | ANYTHING


def outcome(act: Callable[[], Any]) -> tuple[Any, str | None]:
    """Return what an act returns, or how it refuses."""
    try:
        return act(), None
    except (BadRequest, BadRows) as refused:
        return None, str(refused)


@settings(max_examples=400, deadline=None)
@given(BOOKS, st.booleans())
def test_any_document_is_taken_whole_or_refused_in_one_line(document: Any, replaces: bool) -> None:
    made, refusal = outcome(lambda: bookedits.merged(BASE, document, replaces=replaces))
    if made is not None:
        assert bookedits.normal(made) == made
        _, refusal = outcome(lambda: read_book(made, 4))
    assert refusal is None or (refusal and "\n" not in refusal)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | ANYTHING.map(lambda one: json.dumps(one).encode()))
def test_any_file_is_parts_of_a_book_or_refused(raw: bytes) -> None:
    read, refusal = outcome(lambda: bookfiles.read(raw))
    assert isinstance(read, dict) or refusal


def test_a_deeply_nested_file_is_refused() -> None:
    with pytest.raises(BadRequest, match="deep"):
        bookfiles.read(b'{"entries":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
