"""Grams of many texts at once: characters folded by a table, pairs made in arrays.

Only for characters that fold one by one, of which nearly all texts consist; others are left to
controller.grams.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from controller import grams

# Those of the languages that are spoken here; emoji and rare characters lie beyond.
_TABLE_SIZE = 0x10000
# Between texts; no gram goes over it.
_BORDER = "\n"
_BLANK = ord(" ")
_PARTS = 3  # of a pair: two characters and the blank behind them
# A text that is longer is cut elsewhere.
_MOST_CHARS = 10_000
# Fewer texts are sooner cut one by one.
_FEWEST = 12
# Ideographs and the syllables of Korea: letters that fold to themselves. To ask for each takes a second.
_AS_THEY_ARE = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3))
# Vowels and ends of Korean syllables: they join with what stands before them, by a rule and not by a table.
_JOINING_JAMO = frozenset({*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)})


class _Table(NamedTuple):
    folded: npt.NDArray[np.uint32]
    is_run: npt.NDArray[np.bool_]  # of a folded character: it belongs to grams
    is_alone: npt.NDArray[np.bool_]  # it folds to one character, whatever stands beside it


def of_texts(texts: Sequence[str]) -> list[str]:
    """Return for each text what controller.grams.of_text does, in another order; some grams come twice."""
    if len(texts) < _FEWEST:
        return [grams.of_text(text) for text in texts]
    joined = _BORDER.join(texts) + _BORDER
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    ends = np.cumsum([len(text) + 1 for text in texts])
    table = _table()
    near = np.minimum(codes, _TABLE_SIZE - 1)
    folded = table.folded[near]
    is_run = table.is_run[near]
    is_strange = ~table.is_alone[near] | (codes >= _TABLE_SIZE)
    cells = np.full((len(codes), _PARTS), _BLANK, dtype=np.uint32)
    cells[:, 0] = folded
    cells[:-1, 1] = folded[1:]
    is_kept = np.repeat(is_run[:, np.newaxis], _PARTS, axis=1)
    is_kept[:-1, 1] &= is_run[1:]
    told = cells[is_kept].tobytes().decode("utf-32-le", "surrogatepass")
    until = np.cumsum(is_kept.sum(axis=1))[ends - 1].tolist()
    # In which texts something has to be folded with its neighbours.
    strange = np.add.reduceat(is_strange, np.concatenate(([0], ends[:-1])), dtype=np.intp).tolist()
    found = []
    start = 0
    for text, end, how_many in zip(texts, until, strange, strict=True):
        if how_many or len(text) > _MOST_CHARS:
            found.append(grams.of_text(text))
        else:
            found.append(told[start : end - 1] if end > start else "")
        start = end
    return found


@lru_cache(maxsize=1)
def _table() -> _Table:
    joining = _joining()
    folded = np.arange(_TABLE_SIZE, dtype=np.uint32)
    is_run = np.zeros(_TABLE_SIZE, dtype=np.bool_)
    is_alone = np.zeros(_TABLE_SIZE, dtype=np.bool_)
    for first, last in _AS_THEY_ARE:
        is_run[first : last + 1] = is_alone[first : last + 1] = True
    for code in np.flatnonzero(~is_alone).tolist():
        text = grams.fold(chr(code))
        if len(text) == 1 and ord(text) not in joining and code not in joining:
            folded[code], is_alone[code] = ord(text), True
            is_run[code] = bool(grams.runs(text))
    return _Table(folded, is_run, is_alone)


def _joining() -> frozenset[int]:
    """Return the characters that may become one with, or change places with, what stands before them."""
    found = set(_JOINING_JAMO)
    for code in range(_TABLE_SIZE):
        char = chr(code)
        if unicodedata.combining(char):
            found.add(code)
        parts = unicodedata.decomposition(char).split()
        if len(parts) > 1 and not parts[0].startswith("<"):
            found.update(int(part, 16) for part in parts[1:])
    return frozenset(found)
