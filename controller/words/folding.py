"""One plain character for each way to write it: width, style, case, traditional forms; noise is dropped."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from controller.words.hanzi import hanzi

# Letters of other scripts that a reader takes for latin ones (Unicode's confusables, single letters only).
_CONFUSABLE = dict(
    zip(
        "авсԁеһіјкӏмпорԛѕтυѵԝхуугΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβγεικνορτυχωАВСЕНІЈКМОРЅТХУɑɡıⅼſƨοɩʋ",
        "abcdehijklmnopqstuvwxyyrabezhikmnoptyxabyeiknoptuxwabcehijkmopstxyagilssoiv",
        strict=True,
    )
)
# Invisible although Unicode calls them letters; strokes that nobody writes as words of their own.
_UNSEEN_LETTERS = "\u115f\u1160\u3164\uffa0丨丶"
_LETTER_RANGES = ((0x1F150, 0x1F169), (0x1F170, 0x1F189), (0x1F1E6, 0x1F1FF), (0xE0041, 0xE005A))
_TENS = {"⑩": "十", "⑽": "十", "⒑": "十", "㈩": "十", "㊉": "十", "❿": "十", "➉": "十", "➓": "十", "⓾": "十"}
_CIRCLED = "❶❷❸❹❺❻❼❽❾", "➀➁➂➃➄➅➆➇➈", "➊➋➌➍➎➏➐➑➒", "⓵⓶⓷⓸⓹⓺⓻⓼⓽"
_HIGHEST = 0x1FBFF


def _first_ranges() -> dict[int, str]:
    table = {ord(char): other for char, other in (_CONFUSABLE | _TENS).items()}
    for first, last in _LETTER_RANGES[:3]:
        table |= {code: chr(ord("a") + code - first) for code in range(first, last + 1)}
    for row in _CIRCLED:
        table |= {ord(char): str(place) for place, char in enumerate(row, start=1)}
    table |= dict.fromkeys(map(ord, _UNSEEN_LETTERS), "")
    return table


def _fold_one(code: int, simple: dict[str, str]) -> str:
    """Return the plain form of a code point; empty for noise (marks, symbols, spaces, the invisible)."""
    char = chr(code)
    kind = unicodedata.category(char)
    if kind in ("Cn", "Cs", "Co"):
        return char
    wide = unicodedata.normalize("NFKC", char)
    core = [c for c in wide if unicodedata.category(c)[0] in "LN"] if len(wide) > 1 else [wide]
    if len(core) == 1 and unicodedata.category(core[0])[0] in "LN":
        plain = core[0].lower()[:1]
        base = unicodedata.normalize("NFD", plain)[0]
        if "a" <= base <= "z":
            return "v" if base == "u" and "\u0308" in unicodedata.normalize("NFD", plain) else base
        name = unicodedata.name(plain, "")
        if (
            name.startswith("LATIN LETTER SMALL CAPITAL ")
            and len(name) == len("LATIN LETTER SMALL CAPITAL ") + 1
        ):
            return name[-1].lower()
        return simple.get(plain, plain)
    return char if kind[0] in "LN" else ""


@lru_cache(maxsize=1)
def table() -> dict[int, str]:
    """Return the folding as a table for str.translate; absent code points stay as they are."""
    simple = hanzi().simple
    folds = {ord(char): other for char, other in simple.items()}
    for code in range(_HIGHEST + 1):
        if (
            0x3400 <= code <= 0x9FFF
            or 0xAC00 <= code <= 0xD7A3
            or 0xD800 <= code <= 0xF8FF
            or 0x17000 <= code <= 0x1AFFF
        ):
            continue
        plain = _fold_one(code, simple)
        if plain != chr(code):
            folds[code] = plain
    folds |= dict.fromkeys((*range(0xD800, 0xE000), *range(0xE0000, 0xE0080), *range(0xE0100, 0xE01F0)), "")
    return folds | {code: simple.get(plain, plain) for code, plain in _first_ranges().items()}


class Quick(dict[int, str]):
    """A table for str.translate that holds what was asked for: small, and without a miss for what stays."""

    def __init__(self, whole: dict[int, str]) -> None:
        """Draw from a whole table."""
        super().__init__()
        self._whole = whole

    def __missing__(self, code: int) -> str:
        char = self._whole.get(code)
        if char is None:
            char = chr(code)
        self[code] = char
        return char


def fold(text: str) -> str:
    """Return a text without noise, in plain characters."""
    return text.translate(table())
