"""What the word monitor says of a text."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class How(StrEnum):
    """By which disguise a word stood in a text; MIXED is several at once."""

    PLAIN = "plain"
    FOLDED = "folded"
    NOISE = "noise"
    REPEAT = "repeat"
    HOMOPHONE = "homophone"
    SHAPE = "shape"
    PINYIN = "pinyin"
    INITIALS = "initials"
    NUMERAL = "numeral"
    SPLIT = "split"
    EMOJI = "emoji"
    MIXED = "mixed"
    PATTERN = "pattern"


class Found(NamedTuple):
    """One occurrence of an entry; text[start:end] is what a reader should see marked."""

    entry_id: str
    word: str
    start: int
    end: int
    how: str
