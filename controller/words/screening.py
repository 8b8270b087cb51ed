"""The second look, still cheap: which pairs of characters cannot be the watched word that they sound like.

It only says no where the close look would: the same costs, with no text around or with a few neighbours.
"""

from __future__ import annotations

import math
from functools import lru_cache

from controller.words.aligning import BETWEEN, NONE, OPEN, Sign, Word, kind_alone, sign_of, sounds_like
from controller.words.hanzi import VALUE
from controller.words.judging import (
    CROSSED,
    MIN_HEARD_PAIR,
    TORN_BY,
    cost_of_gaps,
    cost_of_kinds,
    is_latin,
)
from controller.words.ordinary import SYMBOL_INSIDE
from controller.words.sieve import PREFIX
from controller.words.stream import CLAUSE_MARKS, Stream
from controller.words.symbols import MEANINGS
from controller.words.vocabulary import MAX_CHARS, SYMBOL, UNKNOWN_CHAR, noise_cost, vocabulary

PAIR = 2
_KEYCAPS = frozenset("\ufe0f\u20e3")


@lru_cache(maxsize=65536)
def pair_cost(pair: str) -> float:
    """Return what two characters cost in an ordinary reading of these alone."""
    book = vocabulary()
    return min(book.cost(pair), sum(book.singles.get(char, UNKNOWN_CHAR) for char in pair))


def is_hopeless(pair: str) -> bool:
    """Tell whether two characters that only sound like a watched pair are ordinary by themselves."""
    return pair.isalpha() and not pair.isascii() and pair_cost(pair) <= MIN_HEARD_PAIR


@lru_cache(maxsize=65536)
def reading_cost(text: str) -> float:
    """Return what the cheapest ordinary reading of some characters costs, with nothing around them."""
    book = vocabulary()
    costs = [0.0]
    for end in range(1, len(text) + 1):
        first = max(0, end - MAX_CHARS)
        costs.append(min(costs[start] + book.cost(text[start:end]) for start in range(first, end)))
    return costs[-1]


def is_hopeless_in_parts(word: Word, folded: str, gaps: bytes, start: int, end: int) -> bool:
    """Tell whether Chinese characters in a row, more than a word has, cost no more as they stand.

    A longer word than this is only begun by them, so that nothing is known of what it costs.
    """
    if not word.size < end - start or word.size > PREFIX or any(gaps[start : end - 1]):
        return False
    surface = folded[start:end]
    if not surface.isalpha() or any(map(str.isascii, surface)) or any(map(str.__eq__, surface, surface[1:])):
        return False
    # At least one of its characters is in parts; each other one that is not there itself is changed.
    changed = sum(sign.char not in surface and not sign.value for sign in word.signs) - 1
    kinds = ["split"] + ["homophone"] * min(max(0, changed), word.size - 1)
    return reading_cost(surface) <= cost_of_kinds(word.size, kinds)


def is_out_of_place(word: Word, stream: Stream, start: int) -> bool:
    """Tell whether a word cannot be what its characters, one by one, stand for, whatever is around.

    Either one of them stands for none of it, or all together and the signs between are cheaper read as
    ordinary words: what stands around makes the difference only smaller. Whatever is not as simple as that is
    left open.
    """
    size = word.size
    surface = stream.folded[start : start + size]
    gaps = stream.gaps[start : start + size - 1]
    kinds = list(map(kind_alone, surface, word.text))
    for place, kind in enumerate(kinds):
        if kind == OPEN or (kind != "exact" and place and surface[place] == surface[place - 1]):
            return size == PAIR and is_inside_letters(word, stream, start)
        if kind == NONE and not has_symbols(stream, start, place):
            return True
    if len(kinds) < size:
        return not any(gaps)
    if not any(gaps):
        if surface == word.text:
            return False
        return reading_cost(surface) <= cost_of_kinds(size, kinds)
    if word.own_gaps or NONE in kinds:
        return False
    return _is_cheaper_apart(stream, start, surface, kinds)


def has_symbols(stream: Stream, start: int, many: int) -> bool:
    """Tell whether signs between so many characters and the next might stand for characters themselves."""
    gaps = stream.gaps
    return any(gaps[at] and noise_bound(stream.noise(at)) == math.inf for at in range(start, start + many))


def _is_cheaper_apart(stream: Stream, start: int, surface: str, kinds: list[str]) -> bool:
    """Tell whether characters with signs between cost less read as they stand than as a word with noise."""
    cost, begin, noises = 0.0, 0, []
    for at in range(len(surface) - 1):
        if stream.gaps[start + at]:
            noises.append(stream.noise(start + at))
            cost += noise_bound(noises[-1]) + reading_cost(surface[begin : at + 1])
            begin = at + 1
    if cost == math.inf:
        return False
    if len(noises) == 1 and not CLAUSE_MARKS.isdisjoint(noises[0]):
        return True
    cost += reading_cost(surface[begin:])
    return cost <= cost_of_kinds(len(surface), kinds) + cost_of_gaps(len(noises), len(surface) - 1)


@lru_cache(maxsize=16384)
def noise_bound(noise: str) -> float:
    """Return what signs between two characters cost at most; infinite if one may stand for a word."""
    if not _KEYCAPS.isdisjoint(noise) or any(sign in MEANINGS for sign in noise):
        return math.inf
    return sum(noise_cost(sign) + SYMBOL_INSIDE * (noise_cost(sign) == SYMBOL) for sign in noise)


def is_inside_letters(word: Word, stream: Stream, start: int) -> bool:
    """Tell whether a letter that may only stand by its sound for an end of a pair goes on as a latin run."""
    folded, gaps = stream.folded, stream.gaps
    first, last = folded[start : start + 1], folded[start + 1 : start + 2]
    if not last or gaps[start] or first == last:
        return False
    if not (_is_single(folded, start, word.signs[0]) and _is_single(folded, start + 1, word.signs[1])):
        return False
    if start and not gaps[start - 1] and first.isascii():
        before = folded[start - 1]
        if is_latin(before) and before != first:
            return True
    if start + 2 < len(folded) and not gaps[start + 1] and last.isascii():
        after = folded[start + 2]
        return is_latin(after) and after != last
    return False


def _is_single(folded: str, place: int, sign: Sign) -> bool:
    """Tell whether a character can be laid in one way only: a letter for its sound, or a Chinese one."""
    if sign.is_latin:
        return False
    if "a" <= folded[place] <= "z":
        return not any(folded.startswith(spelled, place) for spelled in sign.spelled)
    return "\u3400" <= folded[place] < BETWEEN


@lru_cache(maxsize=65536)
def pull(pair: str) -> float:
    """Return how much cheaper two neighbours are as a word than each alone; 0 if they are no word."""
    book = vocabulary()
    cost = book.cost(pair)
    alone = sum(book.singles.get(char, UNKNOWN_CHAR) for char in pair)
    return max(0.0, alone - cost)


def is_torn_apart(folded: str, gaps: bytes, start: int, end: int, cost: float) -> bool:
    """Tell whether a watched word in folded[start:end] is torn by an ordinary word across an end of it.

    Such a word pulls more than any that its outer character could go with instead, and more than any inside
    that it breaks. A pair, read at this cost, must besides be worth less than the doubt it leaves.
    """
    word = folded[start:end]
    tears = 0.0
    if start and not gaps[start - 1]:
        left = pull(folded[start - 1 : start + 1])
        if left and left > _best_pull(word[:4], False):
            first = start
            while first > max(0, start - 4) and not gaps[first - 1]:
                first -= 1
            tears = left - _best_pull(folded[first:start], True) - _best_pull(word[:4], False)
    if end < len(folded) and not gaps[end - 1]:
        right = pull(folded[end - 1 : end + 1])
        if right and right - tears > _best_pull(word[-4:], True):
            last = end + 1
            while last < min(len(folded), end + 4) and not gaps[last - 1]:
                last += 1
            tears = max(tears, right - _best_pull(folded[end:last], False) - _best_pull(word[-4:], True))
    if tears <= 0:
        return False
    return end - start > 2 or pair_alone(word) - tears < cost + CROSSED + TORN_BY


def may_follow(word: Word, folded: str, at: int) -> bool:
    """Tell whether a kept character may go on with a longer word after its first three characters."""
    if at >= len(folded):
        return False
    char = folded[at]
    return char == folded[at - 1] or _may_stand(char, word.signs[3].char)


@lru_cache(maxsize=262144)
def _may_stand(char: str, meant: str) -> bool:
    sign = sign_of(meant)
    if char == meant or char.isascii() or char in sign.looks or char in VALUE:
        return True
    return sounds_like(char, sign) or any(way[0] == char for way in sign.ways)


@lru_cache(maxsize=65536)
def _best_pull(text: str, at_end: bool) -> float:
    """Return the most that a word at the end (or at the begin) of a text pulls."""
    parts = [text[-size:] if at_end else text[:size] for size in range(2, len(text) + 1)]
    return max(map(pull, parts), default=0.0)


def pair_alone(pair: str) -> float:
    """Return what two characters cost each alone."""
    singles = vocabulary().singles
    return sum(singles.get(char, UNKNOWN_CHAR) for char in pair)
