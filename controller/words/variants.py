"""Other ways to read the latin runs and the symbols of a text, as strings of sound classes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate, product

from controller.words.aligning import MAX_NOISE, Word
from controller.words.folding import fold
from controller.words.hanzi import hanzi, syllables
from controller.words.sieve import classes
from controller.words.symbols import MEANINGS
from controller.words.view import View

_LETTERS = (
    "a-zA-Z\u00c0-\u024f\u0370-\u052f\u1d00-\u1dbf\u2460-\u24ff\uff21-\uff5a"
    "\U0001d400-\U0001d7ff\U0001f130-\U0001f1ff"
)
LATIN = re.compile(f"[{_LETTERS}]")
LATIN_RUN = re.compile(f"[{_LETTERS}]{{2,}}")
SPELLED = re.compile(f"(?<![{_LETTERS}])[{_LETTERS}](?:[\\W_]{{1,3}}[{_LETTERS}](?![{_LETTERS}])){{2,}}")
Reading = tuple[str, tuple[int, ...]]  # classes, and how far from its begin each begins
_LONGEST_RUN = 96
_MOST_VARIANTS, _MOST_TOGETHER = 6, 30


def symbols_for(words: Iterable[Word]) -> frozenset[str]:
    """Return the symbols that may stand in one of these words."""
    chars: set[str] = set()
    sounds: set[str] = set()
    for word in words:
        for sign in word.signs:
            chars.add(sign.char)
            sounds |= sign.sounds
    known = hanzi().readings

    def fits(char: str) -> bool:
        return char in chars or not sounds.isdisjoint(known.get(char, ()))

    return frozenset(
        s for s, meanings in MEANINGS.items() if any(all(map(fits, meaning)) for meaning in meanings)
    )


def may_be_pinyin(text: str) -> bool:
    """Tell whether a text may have syllables in latin letters, in a run or one by one."""
    if not LATIN.search(text):
        return False
    return any(is_read(run) for run in LATIN_RUN.findall(text)) or bool(SPELLED.search(text))


@lru_cache(maxsize=8192)
def is_read(run: str) -> bool:
    """Tell whether a latin run as it stands can be read as syllables."""
    return bool(parses(fold(run)))


@lru_cache(maxsize=8192)
def parses(letters: str) -> tuple[tuple[str, ...], ...]:
    """Return ways to read a latin run as syllables: the longest first from the left, then from the right."""
    if len(letters) > _LONGEST_RUN:
        return ()
    known = syllables()
    size = len(letters)
    forward: list[tuple[str, ...] | None] = [None] * size + [()]
    for start in range(size - 1, -1, -1):
        for end in range(min(size, start + 6), start, -1):
            rest = forward[end]
            if rest is not None and letters[start:end] in known:
                forward[start] = (letters[start:end], *rest)
                break
    backward: list[tuple[str, ...] | None] = [(), *[None] * size]
    for end in range(1, size + 1):
        for start in range(max(0, end - 6), end):
            rest = backward[start]
            if rest is not None and letters[start:end] in known:
                backward[end] = (*rest, letters[start:end])
                break
    return tuple(dict.fromkeys(way for way in (forward[0], backward[size]) if way))


def _classed(sounds: Iterable[str]) -> str:
    table = classes().by_syllable
    return "".join(table[sound] for sound in sounds)


def _letters(run: str) -> list[Reading]:
    """Return the readings of a latin run, or the run itself; a long one has no other and is not kept."""
    return _readings(run) if len(run) <= _LONGEST_RUN else [(run, tuple(range(len(run))))]


@lru_cache(maxsize=8192)
def _readings(run: str) -> list[Reading]:
    found = [(_classed(way), tuple(accumulate(map(len, way[:-1]), initial=0))) for way in parses(run)]
    return found or [(run, tuple(range(len(run))))]


def variants(view: View) -> Iterator[tuple[str, list[int]]]:
    """Return class strings of a text with its latin runs and symbols read as syllables.

    With each the kept character that each of its classes begins at.
    """
    units = list(_units(view))
    for choice in _choices([len(readings) for _, readings in units]):
        out: list[str] = []
        starts: list[int] = []
        for (begin, readings), picked in zip(units, choice, strict=True):
            read, offsets = readings[picked]
            out.append(read)
            starts += [begin + offset for offset in offsets]
        yield "".join(out), starts


def _units(view: View) -> Iterator[tuple[int, list[Reading]]]:
    """Return (kept character it begins at, its readings) of each latin run, symbol and other character."""
    sound_of, kept = classes().sound_of, view.kept
    at, many = 0, view.many
    while at < many:
        char, begin = kept[at], at
        at += 1
        if char in MEANINGS:
            ways = ["".join([sound_of.get(c, c) for c in meaning]) for meaning in MEANINGS[char]]
            yield begin, [(way, (0,) * len(way)) for way in (*ways, "")]
        elif "a" <= char <= "z":
            at = _run_end(view, begin)
            yield begin, _letters(kept[begin:at])
        else:
            yield begin, [(sound_of.get(char, char), (0,))]


def _run_end(view: View, begin: int) -> int:
    """Return where a latin run ends; single letters one after the other are a run too (w e i x i n)."""
    kept, places, many = view.kept, view.places, view.many
    end = begin + 1
    while end < many and "a" <= kept[end] <= "z" and places[end] == places[end - 1] + 1:
        end += 1
    if end > begin + 1:
        return end
    while end < many and "a" <= kept[end] <= "z" and places[end] - places[end - 1] <= MAX_NOISE + 1:
        goes_on = end + 1 < many and "a" <= kept[end + 1] <= "z"
        if goes_on and places[end + 1] == places[end] + 1:
            return end
        end += 1
    return end


def _choices(sizes: list[int]) -> Iterator[list[int]]:
    """Return which reading to take of each unit: all ways together if they are few, else the same of each."""
    open_places = [place for place, size in enumerate(sizes) if size > 1]
    if math.prod(sizes[place] for place in open_places) <= _MOST_TOGETHER:
        for picked in product(*(range(sizes[place]) for place in open_places)):
            choice = [0] * len(sizes)
            for place, which in zip(open_places, picked, strict=True):
                choice[place] = which
            yield choice
        return
    for which in range(min(max(sizes), _MOST_VARIANTS)):
        yield [min(which, size - 1) for size in sizes]
