"""Text of phones and customers made harmless for terminals, JSON on terminals, and spreadsheets."""

from __future__ import annotations

import json
import re
import unicodedata

# Cc: control, Cf: bidi and zero-width, Cs: lone surrogates, Zl and Zp: line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

# A spreadsheet runs a cell that begins with one of these; full-width forms are folded by some programs.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")

# Hidden, yet no terminal is steered by them: ends of lines, tabs, and what joins or parts emoji.
_HARMLESS = frozenset("\n\t\u200b\u200c\u200d\u2060\ufeff")

# With or without country code, in one piece or as people group it: 138 0013 8000, 138-0013-8000.
_MOBILE = re.compile(r"(?<!\d)((?:(?:00)?86[ -]?)?1[3-9]\d[ -]?)\d{4}([ -]?\d{4})(?!\d)")
_FULL_MOBILE_DIGITS = 11


def is_hidden(char: str) -> bool:
    r"""Tell whether a character steers a terminal or is not seen: \x1b, bidi marks, zero-width characters."""
    return unicodedata.category(char) in _HIDDEN


def safe(text: str) -> str:
    r"""Return text with every hidden character written out as \n, \x1b or \u202e."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if is_hidden(char) else char for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def json_text(value: object, *, indent: int | None = None) -> str:
    """Return JSON in UTF-8 with hidden characters as escapes: lossless, and harmless on a terminal."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(json.dumps(char)[1:-1] if char != "\n" and is_hidden(char) else char for char in text)


def csv_text(text: str) -> str:
    r"""Return a cell for spreadsheets and terminals: no formula, and what steers a terminal is written out.

    Ends of lines stay, and the joiners of emoji.
    """
    shown = text if text.isprintable() else "".join(map(_unsteered, text))
    return csv_cell(shown)


def _unsteered(char: str) -> str:
    steers = is_hidden(char) and char not in _HARMLESS
    return _escaped(char) if steers else char


def csv_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; JSONL is the lossless format."""
    return "'" + text if text.startswith(_FORMULA) else text


def masked(text: str) -> str:
    """Return text in which mainland mobiles read 138****8000; the length does not change."""
    return _MOBILE.sub(r"\1****\2", text)


def masked_number(cell: str) -> str:
    """Return a cell of a column of mobiles with all but the first three and last four digits hidden."""
    digits = [at for at, char in enumerate(cell) if char.isdecimal()]
    hidden = set(digits[3:-4]) if len(digits) >= _FULL_MOBILE_DIGITS else set()
    return "".join("*" if at in hidden else char for at, char in enumerate(cell))


def masked_id(wechat_id: str) -> str:
    """Return a WeChat id with its middle hidden."""
    return wechat_id[:3] + "*" * max(len(wechat_id) - 5, 1) + wechat_id[-2:]
