"""Texts made ready for the automata, one by one or many at once: folded, and as classes of sound."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from controller.words.aligning import BETWEEN
from controller.words.folding import table
from controller.words.sieve import sounds_of_folded

NOISE, CLAUSE = "\x00", "\x01"
CLAUSE_MARKS = frozenset("，。！？；：\n!?;")
OTHER = "\ufffe"  # in the stream of many: a character beyond the basic plane, a private one, half of one
_NOISE_RUN = re.compile(f"[{NOISE}{CLAUSE}]+")
CODES = 0x110000
NO_GAP, SOME_GAP, CLAUSE_GAP = 0, 1, 2


@dataclass(slots=True)
class Stream:
    """Kept characters of one text or of many in a row, and what stands after each: NO_GAP and others."""

    folded: str
    sounds: str
    gaps: bytes
    text: str = ""
    places: str | list[int] | npt.NDArray[np.intp] = ""  # of the kept characters, or the marks to see them by

    def noise(self, place: int) -> str:
        """Return what stands between a kept character and the next."""
        if isinstance(self.places, str):
            # Most texts are never asked: their places are counted when one is.
            self.places = [at for at, mark in enumerate(self.places) if mark > CLAUSE]
        return self.text[self.places[place] + 1 : self.places[place + 1]]


class _Both(dict[int, str]):
    """For str.translate: each code point's folded character or mark, and its class of sound after it."""

    def __missing__(self, code: int) -> str:
        plain = _marks().get(code) or chr(code)
        both = self[code] = plain + sounds_of_folded().get(ord(plain), plain)
        return both


_both = _Both()


@lru_cache(maxsize=1)
def _marks() -> dict[int, str]:
    marks = {code: plain or NOISE for code, plain in table().items()}
    return marks | {ord(char): CLAUSE for char in CLAUSE_MARKS} | {0: NOISE, 1: NOISE}


def stream_of(text: str) -> Stream:
    """Return the stream of one text."""
    # One look at each character instead of two: that is most of what a short text costs.
    both = text.translate(_both)
    marks, sounds = both[::2], both[1::2]
    folded = marks.replace(NOISE, "").replace(CLAUSE, "")
    if len(folded) == len(marks):
        return Stream(folded, sounds, bytes(len(folded)))
    sounds = sounds.replace(NOISE, "").replace(CLAUSE, "")
    return Stream(folded, sounds, _gaps(marks, len(folded)), text, marks)


def _gaps(marks: str, many: int) -> bytes:
    gaps = bytearray(many + 1)
    dropped = 1
    for run in _NOISE_RUN.finditer(marks):
        start, end = run.span()
        gaps[start - dropped] = SOME_GAP if marks.find(CLAUSE, start, end) < 0 else CLAUSE_GAP
        dropped += end - start
    return bytes(gaps[:many])


@lru_cache(maxsize=1)
def _arrays() -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    folds = np.full(CODES, ord(OTHER), dtype=np.uint16)
    folds[:0x10000] = np.arange(0x10000)
    folds[0xD800:0xF900] = ord(OTHER)
    for code, plain in _marks().items():
        folds[code] = ord(plain) if ord(plain) < 0x10000 else ord(OTHER)
    folds[ord(OTHER)] = ord(OTHER)
    sounds = np.arange(0x10000, dtype=np.uint16)
    for code, char in sounds_of_folded().items():
        sounds[code] = ord(char)
    return folds, sounds


def _text(codes: npt.NDArray[np.uint16]) -> str:
    return codes.tobytes().decode("utf-16-le", "surrogatepass")


def stream_of_all(
    texts: Sequence[str],
) -> tuple[Stream, npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.uint32]]:
    """Return the stream of many texts with a sign between them that is in no word.

    With it: the place of each kept character in the joined text, where each text begins, the code points.
    """
    joined = BETWEEN.join(texts)
    folds, sounds = _arrays()
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = folds[points]
    keep = np.flatnonzero(codes > 1)
    kept = codes[keep]
    gaps = np.zeros(len(keep), dtype=np.uint8)
    if len(keep) > 1:
        noisy = np.flatnonzero(np.diff(keep) > 1)
        clauses = np.cumsum(codes == 1)
        gaps[noisy] = np.where(clauses[keep[noisy + 1]] > clauses[keep[noisy]], CLAUSE_GAP, SOME_GAP)
    begins = np.cumsum([0, *(len(text) + 1 for text in texts)], dtype=np.intp)
    stream = Stream(_text(kept), _text(sounds[kept]), gaps.tobytes(), joined, keep)
    return stream, keep, begins, points
