"""Which phones a person means: 7 · 1-12,40 · @rack-A · state:backoff · holder:王芳 · all. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from controller.errors import BadRequest, UnknownPhone
from controller.model import Phone, PhoneId
from protos.facts import PhoneState

# As escapes, since they look like their narrow forms: full-width comma and colon, enumeration comma.
_COMMAS = re.compile("[,\uff0c\u3001]")
_WIDE_COLON = "\uff1a"
_RANGE = re.compile(r"(\d{1,6})\s*[-~–]\s*(\d{1,6})")
_GRAMMAR = "say 7, 1-12,40, @rack-A, state:backoff, holder:NAME or all"


def phone_id_of(text: str) -> PhoneId:
    """Return a painted number in its one form, 7 as 007; BadRequest if it is not a number above 0."""
    digits = text.strip()
    # isascii: full-width and other digits would make a second form of the same number.
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 6 and int(digits)):
        raise BadRequest(f"a phone number has 1 to 6 digits: {text[:20]!r}")
    return PhoneId(f"{int(digits):03}")


def pick(phones: Sequence[Phone], text: str) -> list[Phone]:
    """Return the phones that a text names, by number, each once; BadRequest, UnknownPhone."""
    terms = [term.strip() for term in _COMMAS.split(text) if term.strip()]
    if not terms:
        raise BadRequest(f"no phones named; {_GRAMMAR}")
    chosen = {phone.phone_id for term in terms for phone in _matching(phones, term)}
    return [phone for phone in sorted(phones, key=_order) if phone.phone_id in chosen]


def _order(phone: Phone) -> int:
    return int(phone.phone_id)


def _matching(phones: Sequence[Phone], term: str) -> list[Phone]:
    if term.lower() == "all":
        return list(phones)
    if term.startswith("@"):
        return _some([p for p in phones if p.rack.casefold() == term[1:].strip().casefold()], term)
    word, colon, value = (part.strip() for part in term.replace(_WIDE_COLON, ":").partition(":"))
    if colon:
        return _by_word(phones, word.lower(), value)
    if bounds := _RANGE.fullmatch(term):
        low, high = int(bounds[1]), int(bounds[2])
        return _some([p for p in phones if low <= _order(p) <= high], term)
    wanted = phone_id_of(term) if term.isdigit() else None
    if wanted is None:
        raise BadRequest(f"not understood: {term[:40]!r}; {_GRAMMAR}")
    return _some([p for p in phones if p.phone_id == wanted], term)


def _by_word(phones: Sequence[Phone], word: str, value: str) -> list[Phone]:
    if word == "state":
        if value not in set(PhoneState):
            raise BadRequest(f"no such state: {value[:40]!r}; one of {', '.join(PhoneState)}")
        return [p for p in phones if p.state == value]
    if word == "holder":
        return [p for p in phones if p.holder == value]
    raise BadRequest(f"not understood: {word[:40]!r}; {_GRAMMAR}")


def _some(found: list[Phone], term: str) -> list[Phone]:
    if not found:
        raise UnknownPhone(f"no phone is meant by {term[:40]!r}")
    return found
