"""The pattern classes: mobile, bank card, resident id, WeChat id, link, e-mail, in any common disguise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt

from controller.words.entry import Allow, Entry, EntryType
from controller.words.found import Found, How
from controller.words.pattern_checks import BANKCARD, IDCARD, PHONE, mobile_of
from controller.words.pattern_links import EMAIL, Link, links_in
from controller.words.pattern_numbers import HAN_DIGITS, numbers_in
from controller.words.pattern_view import digits_like, letters_like, view_of
from controller.words.pattern_wechat import WECHATID, ids_in

_NUMBERS = frozenset({PHONE, BANKCARD, IDCARD})
_DIGITS = "0-9" + digits_like()
_HAN = "".join(map(chr, HAN_DIGITS))
_STYLED = letters_like()
_UNSEEN = r"(?:[^\w\n]|[_\u3164\u115f\u1160\uffa0])*+"
# The first look costs a fraction of a microsecond and ends most Chinese messages.
_GLANCE = re.compile(rf"[{_DIGITS}{_HAN}A-Za-z@/\\{_STYLED}]")
# The fewest digits of a class are eleven, with signs and invisible characters between them.
_MANY_DIGITS = re.compile(rf"[{_DIGITS}{_HAN}OolI](?:{_UNSEEN}[{_DIGITS}{_HAN}OolI]){{10}}")
_SIX_LETTERS = re.compile(r"[A-Za-z](?:(?:[^\w\n-]|[\u3164\u115f\u1160\uffa0])*+[A-Za-z0-9_-]){5}")
_SIGNS = re.compile(rf"[/@\\艾{_STYLED}]")
_AT = re.compile(rf"[Aa爱圈]{_UNSEEN}[Tt特Aa]")


_FEWEST_DIGITS = 11
_A_DIGIT, _A_SIGN, _A_LETTER, _BEFORE_AT, _IN_AT = 1, 2, 4, 8, 16
_KINDS = (
    (_A_DIGIT, re.compile(rf"[{_DIGITS}{_HAN}OolI]")),
    (_A_SIGN, _SIGNS),
    (_A_LETTER, re.compile("[A-Za-z]")),
    (_BEFORE_AT, re.compile("[Aa爱圈]")),
    (_IN_AT, re.compile("[Tt特Aa]")),
)


@lru_cache(maxsize=1)
def _kinds_of_char() -> npt.NDArray[np.uint8]:
    """Return of each code point what it may be in a pattern."""
    kinds = np.zeros(0x110000, dtype=np.uint8)
    text = "".join(map(chr, range(0x20000)))
    for kind, chars in _KINDS:
        kinds[[match.start() for match in chars.finditer(text)]] |= kind
    return kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Patterns:
    """The pattern entries of a lexicon, ready to look for."""

    entries: Mapping[str, str]
    phones: frozenset[str]
    domains: frozenset[str]
    emails: frozenset[str]

    @classmethod
    def of(cls, entries: Iterable[Entry], allow: Allow) -> Self:
        """Return the matcher of the entries that are patterns; the first of a class names its hits."""
        ids: dict[str, str] = {}
        for entry in entries:
            if entry.type is EntryType.PATTERN:
                ids.setdefault(entry.word, entry.id)
        return cls(
            entries=ids,
            phones=frozenset(_phone(one) for one in allow.phones),
            domains=frozenset(_domain(one) for one in allow.domains),
            emails=frozenset(one.lower() for one in allow.emails),
        )

    def may_hold(self, text: str) -> bool:
        """Tell, very cheaply, whether find() could find anything in a text; never a false no."""
        if not self.entries or not _GLANCE.search(text):
            return False
        return any(look.search(text) for look in (_MANY_DIGITS, _SIGNS, _SIX_LETTERS, _AT))

    def may_count(self, text: str) -> bool:
        """Tell what may_hold() does of Chinese characters and punctuation, without 艾, 爱 and 圈."""
        return bool(self.entries) and bool(_MANY_DIGITS.search(text))

    def held_by(
        self, texts: Sequence[str], codes: npt.NDArray[np.uint32], begins: npt.NDArray[np.intp]
    ) -> set[int]:
        """Return which of many texts may_hold() is true of.

        With them the code points of all, one more between each and the next, and where each begins in these.
        """
        if not self.entries:
            return set()
        last = begins[: len(texts)]
        kinds = np.append(_kinds_of_char()[codes], np.uint8(0))
        every = np.bitwise_or.reduceat(kinds, last)
        at_digits = np.flatnonzero(kinds & _A_DIGIT)
        digits = np.bincount(np.searchsorted(last, at_digits, side="right") - 1, minlength=len(texts))
        open_to = ((every & _A_SIGN) > 0) | (digits >= _FEWEST_DIGITS)
        open_to |= (every & _A_LETTER) > 0
        open_to |= (every & (_BEFORE_AT | _IN_AT)) == _BEFORE_AT | _IN_AT
        return {place for place in np.flatnonzero(open_to).tolist() if self.may_hold(texts[place])}

    def find(self, text: str) -> list[Found]:
        """Return the hits of the patterns in a text, in order; none overlaps another."""
        return self.look(text) if self.may_hold(text) else []

    def look(self, text: str) -> list[Found]:
        """Return what find() does without the cheap look before."""
        view = view_of(text)
        hits: list[Found] = []
        taken = 0
        for kind, start, end, allowed in self._candidates(view.text):
            if start < taken:
                continue
            taken = end
            if kind in self.entries and not allowed:
                begin, stop = view.original(start, end)
                hits.append(Found(self.entries[kind], kind, begin, stop, How.PATTERN))
        return hits

    def _candidates(self, text: str) -> list[tuple[str, int, int, bool]]:
        """Return every class's spans of the folded text in order, each with whether a list allows it.

        Links and addresses come before the numbers and names in them.
        """
        linked = links_in(text)
        hidden = _without(text, [(link.start, link.end) for link in linked])
        found = [(link.kind, link.start, link.end, self._known(link)) for link in linked]
        wanted = _NUMBERS.intersection(self.entries)
        if wanted:
            found += [
                (one.kind, one.start, one.end, one.kind == PHONE and one.digits in self.phones)
                for one in numbers_in(hidden, wanted)
            ]
        if WECHATID in self.entries:
            found += [(WECHATID, start, end, False) for start, end in ids_in(hidden)]
        return sorted(found, key=lambda one: one[1])

    def _known(self, link: Link) -> bool:
        labels = link.host.split(".")
        if any(".".join(labels[place:]) in self.domains for place in range(len(labels))):
            return True
        return link.kind == EMAIL and link.address in self.emails


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """Return a text of the same length whose spans hold nothing that a number or a name could be made of."""
    pieces = []
    done = 0
    for start, end in spans:
        pieces += [text[done:start], "\n" * (end - start)]
        done = end
    return "".join([*pieces, text[done:]])


def _phone(written: str) -> str:
    digits = "".join(char for char in view_of(written).text.translate(HAN_DIGITS) if char.isdigit())
    return mobile_of(digits) or digits


def _domain(written: str) -> str:
    return (
        re.split(r"[/?#:]", written.lower().split("://", 1)[-1], maxsplit=1)[0].strip(".").removeprefix("*.")
    )
