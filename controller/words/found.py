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


class Why(StrEnum):
    """Why a place where an entry can be read is no hit."""

    ALLOWED = "allowed"  # inside a phrase of the allow list
    LONGER = "longer"  # part of a longer ordinary word, or of a term
    ORDINARY = "ordinary"  # better read as the ordinary words that stand there
    MENTION = "mention"  # only spoken of: forbidden, warned of, denied, asked about, reported
    COVERED = "covered"  # another hit, a number or a link takes the place


class Passed(NamedTuple):
    """A place where an entry can be read that is no hit, and why."""

    entry_id: str
    word: str
    start: int
    end: int
    why: str
