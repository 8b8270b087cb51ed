"""From the entries of a lexicon to words that can be laid along a text; numbers also in the other style."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from controller.words.aligning import Word, sign_of
from controller.words.entry import Entry
from controller.words.symbols import MEANINGS
from controller.words.view import view_of

_DIGITS = "零一二三四五六七八九"
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
_ARABIC = re.compile(r"\d{1,5}")
_CHINESE = re.compile(rf"[{_DIGITS}{''.join(_UNITS)}]*[{''.join(_UNITS)}][{_DIGITS}{''.join(_UNITS)}]*")


def chinese(number: int) -> list[str]:
    """Return how a number below 100,000 is written in Chinese: 10 is 十 and 一十, 100 is 一百 and 百."""
    text, rest, is_open = "", number, False
    for unit, worth in reversed(_UNITS.items()):
        digit, rest = divmod(rest, worth)
        if digit:
            text += ("零" if is_open else "") + _DIGITS[digit] + unit
            is_open = False
        elif text and rest:
            is_open = True
    text += ("零" if is_open and rest else "") + (_DIGITS[rest] if rest or not text else "")
    return [text, text[1:]] if text.startswith("一") and len(text) > 1 else [text]


def value_of(text: str) -> int | None:
    """Return the number that Chinese numerals with units say; None if they say none (万一)."""
    total = part = digit = 0
    last = 100_000
    for char in text:
        if char in _DIGITS:
            if digit:
                return None
            digit = _DIGITS.index(char)
        elif char == "万":
            total, part, digit, last = (total + part + digit or 1) * 10_000, 0, 0, 10_000
        else:
            worth = _UNITS[char]
            if worth >= last:
                return None
            part, digit, last = part + (digit or 1) * worth, 0, worth
    return total + part + digit


def spellings(word: str) -> list[str]:
    """Return a folded word and the same with its numbers written in the other style."""
    found = [word]
    for match in _ARABIC.finditer(word):
        if not match[0].startswith("0"):
            found += [word[: match.start()] + text + word[match.end() :] for text in chinese(int(match[0]))]
    for match in _CHINESE.finditer(word):
        number = value_of(match[0])
        if number is not None and number < 100_000 and match[0] in chinese(number):
            found.append(f"{word[: match.start()]}{number}{word[match.end() :]}")
    return list(dict.fromkeys(found))


def _word(number: int, place: int, entry: Entry, text: str) -> Word | None:
    view = view_of(text)
    ranks = [rank for rank, char in enumerate(view.kept) if char not in MEANINGS]
    signs = tuple(sign_of(view.kept[rank]) for rank in ranks)
    if not signs:
        return None
    places = [view.places[rank] for rank in ranks]
    gaps = tuple(unicodedata.normalize("NFKC", text[a + 1 : b]) for a, b in pairwise(places))
    return Word(
        number,
        place,
        signs,
        entry.initials,
        entry.boundary == "latin",
        gaps if any(gaps) else (),
        text != entry.word,
    )


def words_of(entries: Sequence[Entry]) -> tuple[Word, ...]:
    """Return the words of entries; an entry of signs alone has none."""
    words: list[Word] = []
    for place, entry in enumerate(entries):
        for text in spellings(entry.word):
            word = _word(len(words), place, entry, text)
            if word:
                words.append(word)
    return tuple(words)


def plain_of(words: Iterable[Word]) -> Iterator[str]:
    """Return the folded characters of words."""
    return ("".join(sign.char for sign in word.signs) for word in words)
