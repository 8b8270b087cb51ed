"""Grams: whatever contains a text has all its grams."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller import grams

TEXTS = st.text(
    st.one_of(st.sampled_from("微信红包你好 ，。aBéＡ１😀¥~*\"':&\u0301\ufe0f"), st.characters()), max_size=30
)


def has_all(text: str, wanted: str) -> bool:
    """Tell whether a text's grams have all that a query asks for, as both databases read them."""
    there = grams.of_text(text).split()
    return all(
        any(gram.startswith(want.removesuffix(grams.PREFIX)) for gram in there)
        if want.endswith(grams.PREFIX)
        else want in there
        for want in grams.of_query(wanted)
    )


@given(before=TEXTS, wanted=TEXTS, after=TEXTS)
def test_what_contains_a_text_has_all_its_grams(before: str, wanted: str, after: str) -> None:
    text = before + wanted + after
    if grams.contains(text, wanted):
        assert has_all(text, wanted)


@given(TEXTS)
def test_grams_hold_nothing_that_a_database_reads_as_something_else(text: str) -> None:
    for gram in grams.of_text(text).split():
        assert 1 <= len(gram) <= 2
        assert not set(gram) & set("~*\"'\\:&|!()<> \0")


def test_texts_are_cut_into_pairs_within_their_runs() -> None:
    assert set(grams.of_text("加微信，OK").split()) == {"加微", "微信", "信", "ok", "k"}
    assert grams.of_text("……  ") == ""
    assert grams.of_text("红包", "包") == grams.of_text("红包")


def test_a_query_is_its_pairs_or_a_single_character() -> None:
    assert grams.of_query("微信号") == ["微信", "信号"]
    assert grams.of_query("包") == ["包*"]
    assert grams.of_query("包 微信") == ["微信"]
    assert grams.of_queries(["微信", "微信号"]) == ["微信", "信号"]
    assert grams.of_query("?!") == []


def test_tokens_of_places_are_no_grams_of_texts() -> None:
    tokens = [grams.of_phone("017"), grams.of_account("wx_1-a"), grams.of_conversation(7)]
    assert all(token.startswith("~") and token[1:].isalnum() for token in tokens)
    assert grams.of_phone("01") != grams.of_phone("001")
