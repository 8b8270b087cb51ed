"""The seam of the word matcher: places in the original text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.words import make_plain, version_of


def places(words: list[str], text: str) -> list[tuple[str, int, int]]:
    return [(hit.word, hit.start, hit.end) for hit in make_plain(words)(text)]


def test_each_occurrence_of_each_word_is_found_in_order() -> None:
    assert places(["红包", "微信"], "微信红包,红包") == [("微信", 0, 2), ("红包", 2, 4), ("红包", 5, 7)]


def test_words_may_overlap_each_other_but_not_themselves() -> None:
    assert places(["aa", "aab"], "aaab") == [("aa", 0, 2), ("aab", 1, 4)]


def test_emoji_before_a_word_do_not_shift_its_place() -> None:
    text = "😀👩‍👩‍👧红包"
    assert [text[start:end] for _, start, end in places(["红包"], text)] == ["红包"]


def test_empty_words_find_nothing() -> None:
    assert places(["", " "], "a b") == []


def test_a_list_is_known_by_its_content() -> None:
    assert version_of(["b", "a", ""]) == version_of(["a", "b"])
    assert version_of(["a"]) != version_of(["b"])


@given(st.lists(st.text(min_size=1, max_size=3), max_size=5), st.text(max_size=40))
def test_every_hit_stands_where_it_says(words: list[str], text: str) -> None:
    hits = make_plain(words)(text)
    assert all(text[hit.start : hit.end] == hit.word for hit in hits)
    assert {hit.word for hit in hits} == {word for word in words if word.strip() and word in text}
