"""What makes a hit none: an allowed phrase, an ordinary longer word, a part that makes a term."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

from daachorse import CharwiseDoubleArrayAhoCorasick

from controller.words.aligning import Laid, Word
from controller.words.folding import fold
from controller.words.found import Why
from controller.words.judging import is_written
from controller.words.spelling import plain_of
from controller.words.view import View
from controller.words.vocabulary import longer_words

# Bound nouns: 佣金率 and 神经病学 speak of a rate and of a science.
_TERMS = frozenset("率学法者室债论史科税险")


@dataclass(frozen=True, slots=True)
class Spans:
    """Stretches of a text, by where they begin: how far any that has begun by then reaches."""

    begins: list[int]
    reaches: list[int]

    @classmethod
    def of(cls, spans: Iterable[tuple[int, int]]) -> Self:
        """Return stretches of kept characters (first, past the last)."""
        ordered = sorted(spans)
        return cls([begin for begin, _ in ordered], list(accumulate((end for _, end in ordered), max)))

    def cover(self, first: int, last: int) -> bool:
        """Tell whether one stretch has both of these characters and what is between."""
        before = bisect_right(self.begins, first)
        return before > 0 and self.reaches[before - 1] > last


@dataclass(frozen=True, slots=True)
class Allowed:
    """Phrases of the lexicon, which always win, and longer words, which win over a word as written."""

    phrases: CharwiseDoubleArrayAhoCorasick | None
    longer: CharwiseDoubleArrayAhoCorasick | None

    def spans(self, view: View) -> tuple[Spans, Spans]:
        """Return where phrases and where longer words stand in a text."""
        order = view.plain
        is_all = len(order) == len(view.kept)
        text = view.kept if is_all else "".join([view.kept[rank] for rank in order])
        phrases, longer = (
            Spans.of(
                (order[start], order[end - 1] + 1)
                for start, end, _ in (found.find_overlapping(text) if found else ())
            )
            for found in (self.phrases, self.longer)
        )
        return phrases, longer


def silenced(view: View, laid: Laid, spans: tuple[Spans, Spans]) -> Why | None:
    """Return what makes a word that lies in a text none, of its phrases and longer words; None: nothing."""
    phrases, longer = spans
    if phrases.cover(laid.first, laid.last):
        return Why.ALLOWED
    if is_written(laid) and (longer.cover(laid.first, laid.last) or _is_term(view, laid.last)):
        return Why.LONGER
    return None


def _is_term(view: View, last: int) -> bool:
    """Tell whether the character after a hit makes a term of its own with it."""
    place = view.places[last] + 1
    return view.marks[place : place + 1] in _TERMS and bool(view.marks[place : place + 1])


def allowed(phrases: Sequence[str], words: Iterable[Word]) -> Allowed:
    """Return what is allowed beside these words."""
    kept = list(dict.fromkeys(folded for phrase in phrases if (folded := fold(phrase))))
    longer = longer_words({text for text in plain_of(words) if len(text) >= 2 and not text.isascii()})
    return Allowed(
        CharwiseDoubleArrayAhoCorasick(kept) if kept else None,
        CharwiseDoubleArrayAhoCorasick(longer) if longer else None,
    )
