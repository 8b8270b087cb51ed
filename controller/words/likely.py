"""The look at many texts at once: which of them, and which places in them, are worth a look one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from typing import Self

import numpy as np
import numpy.typing as npt

from controller.words.aligning import sign_of
from controller.words.hanzi import VALUE, hanzi
from controller.words.judging import MIN_HEARD_PAIR, cost_of_kinds
from controller.words.sieve import PREFIX, Sieve
from controller.words.stream import CLAUSE_GAP, CODES, NO_GAP, Stream
from controller.words.variants import LATIN
from controller.words.vocabulary import UNKNOWN_CHAR, vocabulary

PAIR = 2
MANY = 64  # fewer candidates are looked at sooner one by one
_BASIC = 0x10000
_NO_CODE = np.uint32(0)
_BREAK = 0xFFFE  # in no form of a word
_SHORT = 400  # characters that take less one by one than all at once
_NEAR = 2  # a form reaches so far from a repeat in it
_HAN = (0x3400, 0xA000)
# Neither a letter, a digit or a symbol, nor a sign or a character that says @.
_PAIR_COSTS = np.array([cost_of_kinds(2, ["exact"] * (2 - many) + ["homophone"] * many) for many in range(3)])
_PLAIN = re.compile("[\u4e00-\u9fff，。！？、；：“”…《》（）\u3000 ,!~～—]*+\\Z")
_SAYS_AT = re.compile("[艾爱圈]")
_TWICE = re.compile(r"(.)\1")


def is_plain(text: str) -> bool:
    """Tell whether a text has Chinese characters and common punctuation alone, and none that may say @."""
    return bool(_PLAIN.match(text)) and not _SAYS_AT.search(text)


def owners_of(at: npt.NDArray[np.intp], begins: npt.NDArray[np.intp]) -> list[int]:
    """Return which texts some places of the joined text are in."""
    return (np.searchsorted(begins, at, side="right") - 1).tolist() if len(at) else []


@lru_cache(maxsize=1)
def is_letter() -> npt.NDArray[np.bool_]:
    """Return of each code point whether it is a latin letter in some style."""
    letters = np.zeros(CODES, dtype=np.bool_)
    letters[[ord(match[0]) for match in LATIN.finditer("".join(map(chr, range(0x20000))))]] = True
    return letters


@lru_cache(maxsize=1)
def _alone() -> npt.NDArray[np.float64]:
    """Return what each character costs alone in an ordinary reading; infinite unless it is Chinese."""
    costs = np.full(_BASIC, np.inf)
    singles = vocabulary().singles
    for code in range(*_HAN):
        if chr(code).isalpha():
            costs[code] = singles.get(chr(code), UNKNOWN_CHAR)
    return costs


@lru_cache(maxsize=1)
def _alone_for_itself() -> npt.NDArray[np.float64]:
    """Return the same; infinite too for numerals and for what may begin the parts of another character."""
    costs = _alone().copy()
    parts = {way[0] for ways in hanzi().parts.values() for way in ways}
    costs[[ord(char) for char in (*parts, *VALUE) if ord(char) < _BASIC]] = np.inf
    return costs


@lru_cache(maxsize=1)
def _word_costs() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float64]]:
    """Return the ordinary words of two characters, as codes in order, and what each costs."""
    book = vocabulary()
    words = [word for word in book.numbers if len(word) == PAIR and max(word) <= "\uffff"]
    codes = np.array([ord(word[0]) << 16 | ord(word[1]) for word in words], dtype=np.uint32)
    costs = np.array([book.cost(word) for word in words])
    order = np.argsort(codes)
    return codes[order], costs[order]


def _as_words(pairs: npt.NDArray[np.uint32]) -> npt.NDArray[np.float64]:
    """Return what pairs of characters, as codes, cost as ordinary words; infinite if they are none."""
    codes, costs = _word_costs()
    at = np.minimum(np.searchsorted(codes, pairs), len(codes) - 1)
    return np.where(codes[at] == pairs, costs[at], np.inf)


def _is_among(codes: npt.NDArray[np.uint32], known: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Tell of each code whether it is among those known, in order: a search, where isin() sorts."""
    if not len(known):
        return np.zeros(len(codes), dtype=np.bool_)
    is_known: npt.NDArray[np.bool_] = (
        known[np.minimum(np.searchsorted(known, codes), len(known) - 1)] == codes
    )
    return is_known


@lru_cache(maxsize=1)
def _by_sound() -> dict[str, str]:
    """Return of each syllable the characters that have it among their sounds."""
    by_sound: dict[str, list[str]] = {}
    for char, sounds in hanzi().readings.items():
        for sound in sounds:
            by_sound.setdefault(sound, []).append(char)
    return {sound: "".join(chars) for sound, chars in by_sound.items()}


@cache
def _standing_for(meant: str) -> npt.NDArray[np.uint32]:
    """Return what may stand for a character by itself, as codes of both, but for letters and numerals."""
    sign = sign_of(meant)
    chars = {meant, *sign.looks, *(way[0] for way in sign.ways)}
    chars.update(*(_by_sound().get(sound, "") for sound in sign.sounds))
    return np.array([ord(meant) << 16 | ord(char) for char in chars if ord(char) < _BASIC], dtype=np.uint32)


@lru_cache(maxsize=1)
def _is_open() -> npt.NDArray[np.bool_]:
    """Return of each character whether it may stand for what its look and sound do not say."""
    is_open = np.zeros(_BASIC, dtype=np.bool_)
    is_open[:128] = True
    is_open[[ord(char) for char in VALUE if ord(char) < _BASIC]] = True
    return is_open


def codes_of(text: str) -> npt.NDArray[np.uint32]:
    """Return the code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class Likely:
    """Which candidates of the automaton of sounds are worth a look: not the pairs that are hopeless."""

    is_pair: npt.NDArray[np.bool_]
    exact: npt.NDArray[np.uint32]
    meant: npt.NDArray[np.uint32]  # the only word of each pattern that is a pair
    fourth: npt.NDArray[np.uint32]  # the fourth character of the only word of each pattern that is none
    standing: npt.NDArray[np.uint32]  # what may stand for these fourth characters

    @classmethod
    def of(cls, sieve: Sieve, pairs: frozenset[str]) -> Self:
        """Return the look of a sieve whose words of two characters are these."""
        basic = [ord(pair[0]) << 16 | ord(pair[1]) for pair in pairs if max(map(ord, pair)) < _BASIC]
        meant = np.zeros(len(sieve.is_pair), dtype=np.uint32)
        is_pair = np.frombuffer(sieve.is_pair, dtype=np.bool_)
        for pattern in np.flatnonzero(is_pair).tolist():
            words = sieve.words[pattern]
            if len(words) == 1 and words[0].text.isalpha() and not words[0].text.isascii():
                one, two = map(ord, words[0].text)
                if _HAN[0] <= one < _HAN[1] and _HAN[0] <= two < _HAN[1]:
                    meant[pattern] = one << 16 | two
        fourth = np.zeros(len(sieve.is_pair), dtype=np.uint32)
        for pattern in np.flatnonzero(np.frombuffer(sieve.is_whole, dtype=np.bool_)).tolist():
            words = sieve.words[pattern]
            if len(words) == 1 and words[0].size > PREFIX and ord(words[0].text[PREFIX]) < _BASIC:
                fourth[pattern] = ord(words[0].text[PREFIX])
        standing = [_standing_for(chr(code)) for code in np.unique(fourth[fourth > 0]).tolist()]
        return cls(
            is_pair,
            np.array(sorted(basic), dtype=np.uint32),
            meant,
            fourth,
            np.unique(np.concatenate(standing)) if standing else np.zeros(0, dtype=np.uint32),
        )

    def among(self, places: list[tuple[int, int, int]], stream: Stream) -> list[tuple[int, int, int]]:
        """Return candidates without those that are none, whatever is around.

        Those are pairs that a clause ends in or that are ordinary by themselves, and longer words of whose
        fourth character there is nothing.
        """
        table = np.fromiter(chain.from_iterable(places), np.intp, 3 * len(places)).reshape(-1, 3)
        codes = np.append(codes_of(stream.folded), np.uint32(_BREAK))
        is_out = self._is_ordinary_pair(table, stream, codes) | self._ends_otherwise(table, codes)
        return [places[rank] for rank in np.flatnonzero(~is_out).tolist()]

    def _is_ordinary_pair(
        self, table: npt.NDArray[np.intp], stream: Stream, codes: npt.NDArray[np.uint32]
    ) -> npt.NDArray[np.bool_]:
        pairs = np.flatnonzero(self.is_pair[table[:, 2]])
        starts = table[pairs, 0]
        gaps = np.frombuffer(stream.gaps, dtype=np.uint8)[starts]
        one, two = codes[starts], codes[starts + 1]
        is_basic = (one < _BASIC) & (two < _BASIC)
        one, two = np.where(is_basic, one, _NO_CODE), np.where(is_basic, two, _NO_CODE)
        pair = one << np.uint32(16) | two
        as_word = _as_words(pair)
        is_cheap = np.minimum(_alone()[one] + _alone()[two], as_word) <= MIN_HEARD_PAIR
        meant = self.meant[table[pairs, 2]]
        changed = (meant >> 16 != one).astype(np.intp) + (meant & 0xFFFF != two)
        simple = _alone_for_itself()[one] + _alone_for_itself()[two]
        cheaper = np.minimum(simple, np.where(simple < np.inf, as_word, np.inf)) <= _PAIR_COSTS[changed]
        is_cheap |= (meant > 0) & (changed > 0) & (one != two) & cheaper
        out = np.zeros(len(table), dtype=np.bool_)
        out[pairs] = (is_cheap & (gaps == NO_GAP) & ~_is_among(pair, self.exact)) | (gaps == CLAUSE_GAP)
        return out

    def _ends_otherwise(
        self, table: npt.NDArray[np.intp], codes: npt.NDArray[np.uint32]
    ) -> npt.NDArray[np.bool_]:
        fourth = self.fourth[table[:, 2]]
        longer = np.flatnonzero(fourth)
        char = codes[table[longer, 1]]
        is_basic = char < _BASIC
        basic = np.where(is_basic, char, _NO_CODE)
        standing = _is_among(fourth[longer] << np.uint32(16) | basic, self.standing)
        is_again = char == codes[table[longer, 1] - 1]
        out = np.zeros(len(table), dtype=np.bool_)
        out[longer] = is_basic & ~standing & ~is_again & ~_is_open()[basic]
        return out


def is_repeated(stream: Stream) -> bool:
    """Tell whether a kept character stands twice in a row."""
    return bool(_TWICE.search(stream.folded))


def without_repeats(stream: Stream) -> tuple[str, list[int], bytes]:
    """Return the classes of sound around repeated characters, each run of one character made one.

    With it: the kept character that each stands for, and 1 for each that is a run.
    """
    folded = stream.folded
    if len(folded) < _SHORT:
        starts = [at for at, char in enumerate(folded) if not at or folded[at - 1] != char]
        ends = [*starts[1:], len(folded)]
        is_run = bytes([end - start > 1 for start, end in zip(starts, ends, strict=True)])
        return "".join([stream.sounds[start] for start in starts]), starts, is_run
    codes, sounds = codes_of(folded), codes_of(stream.sounds)
    firsts = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
    longer = np.diff(np.append(firsts, len(codes))) > 1
    runs = np.flatnonzero(longer)
    is_near = np.zeros(len(firsts) + 1, dtype=np.bool_)
    for step in range(-_NEAR, _NEAR + 1):
        is_near[np.clip(runs + step, 0, len(firsts) - 1)] = True
    is_taken = is_near[:-1].copy()
    is_taken[1:] |= is_near[:-2]
    taken = np.flatnonzero(is_taken)
    classes = np.where(is_near[taken], sounds[firsts[taken]], _BREAK).astype(np.uint32)
    text = classes.tobytes().decode("utf-32-le", "surrogatepass")
    return text, firsts[taken].tolist(), longer[taken].astype(np.uint8).tobytes()
