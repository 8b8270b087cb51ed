"""A text as the pattern classes read it: styled letters and digits are plain, invisible ones are gone."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

# Blocks with letters and digits of another style: Latin-1 to CJK compatibility, full width, mathematical,
# enclosed and segmented ones, Arabic to Mathematical digits of other scripts included.
_BLOCKS = (
    (0x80, 0x3400),
    (0xA620, 0xAC00),
    (0xFB00, 0xFFF0),
    (0x1D400, 0x1D800),
    (0x1F100, 0x1F200),
)
_LAST_BASIC = 0xFFFF
_ASTRAL = "\\U0001d400-\\U0001f1ff"
# Compatibility forms of these signs carry numbers, links and addresses; other punctuation ends them.
_SIGNS = frozenset("@./:_-+%=?&#~|")
# The enclosed letters that have no compatibility form; each range holds A to Z.
_ENCLOSED = (0x1F150, 0x1F170, 0x1F1E6)
_DASHES = "‐‑‒–—―−－﹣﹘"
# Letters of other scripts that look like Latin ones (Unicode's confusables lists them).
_LOOKALIKES = dict(
    zip(
        "аеорсухікмвнтАВЕКМНОРСТУХІαοειυνκρτΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "aeopcyxikmbhtABEKMHOPCTYXIaoeiuvkptABEZHIKMNOPTYX",
        strict=True,
    )
)
# Seen where nobody reads them: Hangul fillers are letters to Unicode, the keycap encloses the digit before.
_FILLERS = (0x115F, 0x1160, 0x3164, 0xFFA0, 0x20E3, 0x034F)
# What follows a digit to make it an emoji belongs to it.
_ENCLOSING = frozenset({0xFE0E, 0xFE0F, 0x20E3})
_RINGS = "⭕◯○〇"


class View(NamedTuple):
    """The folded text and, unless places are equal, the place of each of its characters in the original.

    After its last character, places holds the length of the original.
    """

    text: str
    places: Sequence[int] | None
    original_text: str

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original text that a span of the folded one (not empty) came from."""
        if self.places is None:
            return start, end
        last = self.places[end - 1] + 1
        while last < self.places[end] and ord(self.original_text[last]) in _ENCLOSING:
            last += 1
        return self.places[start], last


def view_of(text: str) -> View:
    """Return the folded view of a text; it is never longer than the text."""
    if text.isascii():
        return View(text, None, text)
    folded = text.translate(_FOLDS)
    if len(folded) == len(text):
        return View(folded, None, text)
    places = [place for place, char in enumerate(text) if _FOLDS.get(ord(char), "") is not None]
    return View(folded, [*places, len(text)], text)


def digits_like() -> str:
    """Return, for a class of a regular expression, at least the characters that fold to a digit."""
    return _class(char for char in _FOLDS.items() if char[1] is not None and char[1].isdigit())


def letters_like() -> str:
    """Return, for a class of a regular expression, at least the characters that fold to a letter, @ or /."""
    return _class(
        char for char in _FOLDS.items() if char[1] is not None and (char[1].isalpha() or char[1] in "@/")
    )


def _class(folds: Iterable[tuple[int, object]]) -> str:
    # Each range beyond the basic plane costs every character of every text a comparison: one range holds all.
    return "".join(f"\\u{code:04x}" for code, _ in folds if code <= _LAST_BASIC) + _ASTRAL


def _fold(code: int) -> str | None:
    char = chr(code)
    kind = unicodedata.category(char)
    if kind in ("Mn", "Me", "Cf"):
        return None
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    plain = unicodedata.normalize("NFKC", char).strip("()")
    if kind in ("Ll", "Lu") and len(plain) == 1:
        plain = unicodedata.normalize("NFD", plain)[0]
    if len(plain) == 1 and (plain in _SIGNS or (plain.isascii() and plain.isalnum())):
        return plain
    return char


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    for begin, end in _BLOCKS:
        for code in range(begin, end):
            if (char := _fold(code)) != chr(code):
                table[code] = char
    for begin in _ENCLOSED:
        table |= {begin + place: chr(ord("A") + place) for place in range(26)}
    table |= {ord(dash): "-" for dash in _DASHES}
    table |= {ord(other): latin for other, latin in _LOOKALIKES.items()}
    table |= {ord(ring): "0" for ring in _RINGS}
    table |= dict.fromkeys((*_FILLERS, *range(0xE0000, 0xE0200), *range(0x1F3FB, 0x1F400)))
    return table


_FOLDS = _table()
