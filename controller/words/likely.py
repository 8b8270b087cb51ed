"""The look at many texts at once: which of them, and which places in them, are worth a look one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt

from controller.words.hanzi import VALUE, hanzi
from controller.words.judging import MIN_HEARD_PAIR, cost_of_kinds
from controller.words.sieve import Sieve
from controller.words.stream import CLAUSE_GAP, CODES, NO_GAP, Stream
from controller.words.variants import LATIN
from controller.words.vocabulary import UNKNOWN_CHAR, vocabulary

MANY = 64  # fewer candidates are looked at sooner one by one
_BASIC = 0x10000
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


def codes_of(text: str) -> npt.NDArray[np.uint32]:
    """Return the code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class Likely:
    """Which candidates of the automaton of sounds are worth a look: not the pairs that are hopeless."""

    is_pair: npt.NDArray[np.bool_]
    exact: npt.NDArray[np.uint32]
    meant: npt.NDArray[np.uint32]  # the only word of each pattern that is a pair

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
        return cls(is_pair, np.array(sorted(basic), dtype=np.uint32), meant)

    def among(self, places: list[tuple[int, int, int]], stream: Stream) -> list[tuple[int, int, int]]:
        """Return candidates without those pairs that a clause ends in, or that are ordinary by themselves."""
        table = np.array(places, dtype=np.intp)
        pairs = np.flatnonzero(self.is_pair[table[:, 2]])
        starts = table[pairs, 0]
        gaps = np.frombuffer(stream.gaps, dtype=np.uint8)[starts]
        codes = codes_of(stream.folded)
        one, two = codes[starts], codes[starts + 1]
        is_basic = (one < _BASIC) & (two < _BASIC)
        one, two = np.where(is_basic, one, 0), np.where(is_basic, two, 0)
        is_cheap = _alone()[one] + _alone()[two] <= MIN_HEARD_PAIR
        meant = self.meant[table[pairs, 2]]
        changed = (meant >> 16 != one).astype(np.intp) + (meant & 0xFFFF != two)
        simple = _alone_for_itself()
        cheaper = simple[one] + simple[two] <= _PAIR_COSTS[changed]
        is_cheap |= (meant > 0) & (changed > 0) & (one != two) & cheaper
        is_out = is_cheap & (gaps == NO_GAP) & ~np.isin(one << 16 | two, self.exact)
        out = set(pairs[is_out | (gaps == CLAUSE_GAP)].tolist())
        return [place for rank, place in enumerate(places) if rank not in out]


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
