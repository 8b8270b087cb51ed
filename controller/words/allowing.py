"""What makes a hit none: an allowed phrase, an ordinary longer word, a part that makes a term."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from daachorse import CharwiseDoubleArrayAhoCorasick

from controller.words.aligning import Laid, Word
from controller.words.folding import fold
from controller.words.found import Why
from controller.words.judging import is_written
from controller.words.spelling import plain_of
from controller.words.view import View
from controller.words.vocabulary import longer_words

Spans = tuple[list[tuple[int, int]], list[tuple[int, int]]]
# Bound nouns: 佣金率 and 神经病学 speak of a rate and of a science.
_TERMS = frozenset("率学法者室债论史科税险")


@dataclass(frozen=True, slots=True)
class Allowed:
    """Phrases of the lexicon, which always win, and longer words, which win over a word as written."""

    phrases: CharwiseDoubleArrayAhoCorasick | None
    longer: CharwiseDoubleArrayAhoCorasick | None

    def spans(self, view: View) -> Spans:
        """Return the kept characters (first, past the last) of phrases and of longer words in a text."""
        order = view.plain
        is_all = len(order) == len(view.kept)
        text = view.kept if is_all else "".join([view.kept[rank] for rank in order])
        return tuple(
            [
                (order[start], order[end - 1] + 1)
                for start, end, _ in (found.find_overlapping(text) if found else ())
            ]
            for found in (self.phrases, self.longer)
        )  # type: ignore[return-value]  # two automata, two lists


def silenced(view: View, laid: Laid, spans: Spans) -> Why | None:
    """Return what makes a word that lies in a text none, of its phrases and longer words; None: nothing."""
    if _is_within(laid, spans[0]):
        return Why.ALLOWED
    if is_written(laid) and (_is_within(laid, spans[1]) or _is_term(view, laid.last)):
        return Why.LONGER
    return None


def _is_within(laid: Laid, spans: list[tuple[int, int]]) -> bool:
    return any(start <= laid.first and laid.last < end for start, end in spans)


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
