"""Matchers that everybody writes first: what ours is compared with, and what the scorer must tell from it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import ahocorasick_rs
from opencc import OpenCC
from pypinyin import lazy_pinyin

from tests.support.wordlabels import Message

Match = Callable[[str], list[tuple[str, int, int]]]


def words_of(lexicon: Mapping[str, Any]) -> list[str]:
    """Return the words of a lexicon without its patterns."""
    return [entry["word"] for entry in lexicon["entries"] if entry["type"] == "word"]


def substring(lexicon: Mapping[str, Any]) -> Match:
    """Find words as they stand, wherever they stand."""
    words = words_of(lexicon)
    engine = ahocorasick_rs.AhoCorasick(words, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)

    def match(text: str) -> list[tuple[str, int, int]]:
        return [(words[i], start, end) for i, start, end in engine.find_matches_as_indexes(text)]

    return match


@cache
def _simplified() -> dict[int, str]:
    # Character by character: as a whole, text by text, it would be many times slower.
    simple = OpenCC("t2s")
    return {code: simple.convert(chr(code)) for code in range(0x4E00, 0xA000)}


def stripped(text: str) -> tuple[str, list[int]]:
    """Fold width, case, tradition, drop all but letters and digits; with the places in the original."""
    chars: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        for folded in unicodedata.normalize("NFKC", char).lower():
            if folded.isalnum():
                chars.append(folded)
                places.append(place)
    folded_text = "".join(chars)
    return folded_text.translate(_simplified()), places


def strip_all(lexicon: Mapping[str, Any]) -> Match:
    """Find words after everything was folded and stripped."""
    words = words_of(lexicon)
    engine = ahocorasick_rs.AhoCorasick(
        [stripped(word)[0] for word in words], matchkind=ahocorasick_rs.MatchKind.LeftmostLongest
    )

    def match(text: str) -> list[tuple[str, int, int]]:
        folded, places = stripped(text)
        found = engine.find_matches_as_indexes(folded)
        return [(words[i], places[start], places[end - 1] + 1) for i, start, end in found]

    return match


def strip_all_pinyin(lexicon: Mapping[str, Any]) -> Match:
    """Find words after stripping, and what sounds like them: the naive way to find homophones."""
    words = words_of(lexicon)
    plain = strip_all(lexicon)
    sounds = ["".join(lazy_pinyin(stripped(word)[0])) for word in words]
    engine = ahocorasick_rs.AhoCorasick(sounds, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)

    def match(text: str) -> list[tuple[str, int, int]]:
        found = {(start, end): word for word, start, end in plain(text)}
        folded, places = stripped(text)
        begins: dict[int, int] = {}
        ends: dict[int, int] = {}
        spoken = ""
        # Characters without pinyin come one by one, as its documentation allows.
        syllables = lazy_pinyin(folded, errors=list)  # type: ignore[arg-type]  # typed as if only str came back
        for place, syllable in zip(places, syllables, strict=True):
            begins[len(spoken)] = place
            spoken += syllable
            ends[len(spoken)] = place + 1
        for i, start, end in engine.find_matches_as_indexes(spoken):
            if start in begins and end in ends:
                found.setdefault((begins[start], ends[end]), words[i])
        return [(word, start, end) for (start, end), word in sorted(found.items())]

    return match


def oracle(messages: Iterable[Message]) -> Match:
    """Find exactly what the labels say."""
    known = {m.text: m.hits for m in messages}

    def match(text: str) -> list[tuple[str, int, int]]:
        return [(word, start, end) for word, start, end in known.get(text, ())]

    return match


def not_literal(found: Sequence[tuple[str, int, int]], text: str) -> list[tuple[str, int, int]]:
    """Return the hits whose surface is not the word itself, character by character, in any case and width."""
    return [
        (word, start, end)
        for word, start, end in found
        if end - start != len(word) or stripped(text[start:end])[0] != stripped(word)[0]
    ]
