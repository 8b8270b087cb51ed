"""What an ordinary reading of a text costs: the cheapest way to cut it into ordinary words."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from controller.words.vocabulary import CLAUSE_SIGNS, MAX_CHARS, SYMBOL, UNKNOWN_CHAR, noise_cost, vocabulary

_LATIN_RUN, _LATIN_LETTER = 11.0, 1.5
_DIGIT_RUN, _DIGIT = 6.0, 1.0
_RIGHT = 1e-6
_LATIN_OR_DIGIT = re.compile("[a-z\\d]")
_CLAUSE_SIGN = re.compile(f"[{re.escape(''.join(sorted(CLAUSE_SIGNS)))}]")
SYMBOL_INSIDE = 3.0  # a symbol that text goes on right after


@dataclass(frozen=True, slots=True)
class Ordinary:
    """The cheapest cost of text[:i] and of text[i:], in nats, for every place i."""

    before: list[float]
    after: list[float]
    steps: list[int]

    @property
    def whole(self) -> float:
        """Return the cost of the whole text."""
        return self.after[0]

    def is_border(self, place: int) -> bool:
        """Tell whether some cheapest reading has a word's border at a place."""
        return self.before[place] + self.after[place] <= self.whole + _RIGHT

    def word_over(self, place: int) -> tuple[int, int] | None:
        """Return the word of the cheapest reading that a place is inside of; None at a border."""
        if self.is_border(place):
            return None
        for start in range(max(0, place - MAX_CHARS), place):
            if self.is_border(start) and start + self.steps[start] > place:
                return start, start + self.steps[start]
        return None


class _Costs(dict[str, float]):
    """What each character costs alone, of those that were asked for."""

    def __missing__(self, mark: str) -> float:
        cost = self[mark] = _single(mark)
        return cost


_costs = _Costs()


def _single(mark: str) -> float:
    cost = vocabulary().singles.get(mark)
    if cost is not None and not mark.isascii():
        return cost
    if "a" <= mark <= "z":
        return _LATIN_RUN
    if mark.isdigit():
        return _DIGIT_RUN
    return UNKNOWN_CHAR if mark.isalpha() else noise_cost(mark)


def _singles(marks: str) -> list[float]:
    """Return what each character costs alone; a letter or digit after another of its kind costs less."""
    costs = list(map(_costs.__getitem__, marks))
    if marks.isalpha() and not _LATIN_OR_DIGIT.search(marks):
        return costs
    for place in range(1, len(marks)):
        cost, last = costs[place], costs[place - 1]
        if cost == _LATIN_RUN and last in (_LATIN_RUN, _LATIN_LETTER):
            costs[place] = _LATIN_LETTER
        elif cost == _DIGIT_RUN and last in (_DIGIT_RUN, _DIGIT):
            costs[place] = _DIGIT
        elif last == SYMBOL and marks[place].isalnum():
            costs[place - 1] += SYMBOL_INSIDE
    return costs


def ordinary(marks: str) -> Ordinary:
    """Read a text: one folded character for each of its characters, noise as it stands."""
    book, costs = vocabulary(), _singles(marks)
    words = book.words_in(marks)
    after, steps = _backward(costs, words)
    return Ordinary(_forward(costs, words), after, steps)


class Readings:
    """The ordinary readings of one text, clause by clause.

    No word reaches over a sign that ends a clause, nor does a cost depend on what is beyond it: a clause
    reads the same alone.
    """

    def __init__(self, marks: str) -> None:
        """Read nothing yet of a text (one folded character for each of its characters)."""
        self._marks = marks
        self._ends = [sign.end() for sign in _CLAUSE_SIGN.finditer(marks)]
        self._read: dict[tuple[int, int], Ordinary] = {}

    def around(self, start: int, end: int) -> tuple[int, Ordinary]:
        """Return the reading of the clauses that text[start:end] is in, and the place where they begin."""
        ends = self._ends
        before, behind = bisect_right(ends, start), bisect_left(ends, end)
        begin = ends[before - 1] if before else 0
        stop = ends[behind] if behind < len(ends) else len(self._marks)
        reading = self._read.get((begin, stop))
        if reading is None:
            reading = self._read[begin, stop] = ordinary(self._marks[begin:stop])
        return begin, reading


def _forward(costs: list[float], words: list[tuple[int, int, float]]) -> list[float]:
    before = [0.0]
    at, many = 0, len(words)
    for place, cost in enumerate(costs, start=1):
        best = before[-1] + cost
        while at < many and words[at][1] == place:
            best = min(best, before[words[at][0]] + words[at][2])
            at += 1
        before.append(best)
    return before


def _backward(costs: list[float], words: list[tuple[int, int, float]]) -> tuple[list[float], list[int]]:
    after, steps = [0.0] * (len(costs) + 1), [1] * len(costs)
    words = sorted(words, reverse=True)
    at, many = 0, len(words)
    for place in range(len(costs) - 1, -1, -1):
        best = after[place + 1] + costs[place]
        while at < many and words[at][0] == place:
            cost = after[words[at][1]] + words[at][2]
            if cost < best:
                best, steps[place] = cost, words[at][1] - place
            at += 1
        after[place] = best
    return after, steps
