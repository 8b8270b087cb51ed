"""A text prepared for a close look: what is kept of it, and where each kept character stood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from controller.words.folding import Quick, table
from controller.words.symbols import MEANINGS

_NOISE = "\x00"
_NOISE_RUN = re.compile(f"{_NOISE}+")
_LONE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class View:
    """A text's kept characters, their places in it, and the text with its characters folded (same length).

    `plain` are the kept characters that are no symbols, in order.
    """

    text: str
    marks: str
    kept: str
    places: list[int]
    plain: list[int]

    @property
    def many(self) -> int:
        """Return how many characters are kept."""
        return len(self.places)


def view_of(text: str) -> View:
    """Return the view of a text; symbols that may stand for words are kept beside letters and digits."""
    marks = text.translate(_kept_noise())
    if _NOISE not in marks:
        places = list(range(len(text)))
        return View(text, marks, marks, places, places)
    runs = [(run.start(), run.end()) for run in _NOISE_RUN.finditer(marks)]
    seen = _LONE.sub("\ufffd", text) if _LONE.search(text) else text
    noises = [seen[start:end] for start, end in runs]
    signs = _filled(marks, runs, noises)
    if MEANINGS.keys().isdisjoint("".join(noises)):
        places, done = [], 0
        for start, end in runs:
            places += range(done, start)
            done = end
        places += range(done, len(marks))
        return View(text, signs, marks.replace(_NOISE, ""), places, list(range(len(places))))
    places = [place for place, mark in enumerate(marks) if mark != _NOISE or text[place] in MEANINGS]
    plain = [rank for rank, place in enumerate(places) if marks[place] != _NOISE]
    return View(text, signs, "".join([signs[place] for place in places]), places, plain)


def _filled(marks: str, runs: list[tuple[int, int]], noises: list[str]) -> str:
    """Return marks with the noise as it stands."""
    pieces, done = [], 0
    for (start, end), noise in zip(runs, noises, strict=True):
        pieces += [marks[done:start], noise]
        done = end
    return "".join([*pieces, marks[done:]])


@lru_cache(maxsize=1)
def _kept_noise() -> Quick:
    return Quick({code: plain or _NOISE for code, plain in table().items()} | {0: _NOISE})
