"""Grams made in arrays are those made text by text, whatever the texts consist of."""

from __future__ import annotations

import random
import unicodedata

import pytest

from controller import grams, gramtable
from tests.support.wordload import reviews

KINDS = {
    "every character of the table": (0, 0xFFFF),
    "latin with marks": (0x20, 0x36F),
    "korean": (0x1100, 0x11FF),
    "kana and half widths": (0x3041, 0x30FF),
    "forms": (0xFE00, 0xFFFD),
    "indic": (0x900, 0xDFF),
    "emoji": (0x1F300, 0x1FAFF),
}


MANY = [""] * 20  # a few texts are cut one by one


def same(texts: list[str]) -> None:
    found = gramtable.of_texts(texts + MANY)
    assert found[len(texts) :] == MANY
    del found[len(texts) :]
    for text, told in zip(texts, found, strict=True):
        assert set(told.split()) == set(grams.of_text(text).split()), ascii(text)
        # What a store takes: one blank between two.
        assert told.split(" ") == told.split() or not told


@pytest.mark.parametrize("kind", KINDS)
def test_grams_of_many_texts_are_those_of_each(kind: str) -> None:
    low, high = KINDS[kind]
    chance = random.Random(kind)
    same(
        [
            "".join(chr(chance.choice((chance.randint(low, high), 0x6211, 0x61))) for _ in range(length))
            for length in range(120)
            for _ in range(5)
        ]
    )


def test_each_character_beside_others_is_folded_as_alone_or_left_to_the_long_way() -> None:
    same([f"a{chr(code)}我" for code in range(0x10000)])
    same([f"か{chr(code)}" for code in range(0x3000, 0x10000)])


def test_talk_and_what_it_is_made_of() -> None:
    talk = [*reviews()[:500], "", "加微信，OK", "……", "\n", "a\nb", "é", unicodedata.normalize("NFD", "é我")]
    same(talk)
    same([""])
    same(["嗯"])
    assert gramtable.of_texts([]) == []
    assert gramtable.of_texts(["嗯", ""]) == ["嗯", ""]


def test_a_long_text_is_cut_as_ever() -> None:
    same(["我" + "们a" * 40_000, "在"])


def test_what_joins_with_its_neighbours_is_left_to_the_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def of_text(text: str) -> str:
        asked.append(text)
        return ""

    monkeypatch.setattr(grams, "of_text", of_text)
    gramtable.of_texts(["加微信", "e\u0301", "\U0001f600", "a\u200bb", "ok", *MANY])
    assert asked == ["e\u0301", "\U0001f600", "a\u200bb"]
