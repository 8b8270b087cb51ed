"""What is known of single Chinese characters: simplified forms, readings, parts, look-alikes.

The table hanzi.tsv beside this file is made by scripts/gen-hanzi: readings from pypinyin, simplified forms
from OpenCC, parts from kfcd/chaizi (CC BY 3.0), likeness measured on the glyphs of a free font.
See docs/licences.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

# Values of numerals in their styles; the ordinary digit is the key that all of them share.
_NUMERALS = ("0零〇", "1一壹弌幺", "2二贰弍", "3三叁弎", "4四肆", "5五伍", "6六陆", "7七柒", "8八捌", "9九玖")
VALUE = {char: style[0] for style in _NUMERALS for char in style} | dict(zip("拾佰仟", "十百千", strict=True))
_DIGITS = ("ling", "yi", "er", "san", "si", "wu", "liu", "qi", "ba", "jiu")
_FORMAL_READINGS = {"陆": "liu", "〇": "ling"}


@dataclass(frozen=True, slots=True)
class Hanzi:
    """The table of characters; every text in it is of simplified characters without tones."""

    simple: dict[str, str]
    readings: dict[str, tuple[str, ...]]
    parts: dict[str, tuple[str, ...]]
    looks: dict[str, str]


@lru_cache(maxsize=1)
def hanzi() -> Hanzi:
    """Return the table, read once per process (about 0.1 s and 8 MB)."""
    simple: dict[str, str] = {}
    readings: dict[str, tuple[str, ...]] = {}
    parts: dict[str, tuple[str, ...]] = {}
    looks: dict[str, str] = {}
    known: dict[str, tuple[str, ...]] = {}
    text = (files(__package__) / "hanzi.tsv").read_text("utf-8")
    for line in text.splitlines():
        char, other, sounds, ways, alike = line.split("\t")
        if other:
            simple[char] = other
        if sounds:
            readings[char] = known.setdefault(sounds, tuple(sounds.split(",")))
        if ways:
            parts[char] = tuple(ways.split(" "))
        if alike:
            looks[char] = alike
    readings |= {str(digit): (sound,) for digit, sound in enumerate(_DIGITS)}
    readings |= {char: (*readings.get(char, ()), sound) for char, sound in _FORMAL_READINGS.items()}
    return Hanzi(simple, readings, parts, looks)


@lru_cache(maxsize=1)
def syllables() -> frozenset[str]:
    """Return the toneless syllables that ordinary characters have."""
    return frozenset(sound for sounds in hanzi().readings.values() for sound in sounds)


@lru_cache(maxsize=1)
def alike() -> dict[str, dict[str, int]]:
    """Return the look-alikes of each character with how near they are (0 is nearest), both ways."""
    both: dict[str, dict[str, int]] = {}
    for char, others in hanzi().looks.items():
        for rank, other in enumerate(others):
            for one, two in ((char, other), (other, char)):
                ranks = both.setdefault(one, {})
                ranks[two] = min(rank, ranks.get(two, rank))
    return both
