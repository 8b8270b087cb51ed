"""What makes plain digits a mobile number, a bank card or a resident id."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress

PHONE = "@PHONE"
BANKCARD = "@BANKCARD"
IDCARD = "@IDCARD"

_MOBILE = re.compile(r"(?:86|086|0086)?(1[3-9][0-9]{9})")
_ID_DATE = slice(6, 14)
_ID_CHARS = 18
# GB 11643: weights of the first 17 digits and the check characters by remainder.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_OLDEST_YEAR = 1900
_NEWEST_YEAR = 2099
_CARD_LENGTHS = range(16, 20)
# No card begins with 0; 19 and 20 before a month and a day begin the numbers that shops stamp with a date.
_STAMPED = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_FEWEST_DIFFERENT = 3
_DOUBLED = str.maketrans("0123456789", "0246813579")


def mobile_of(digits: str) -> str:
    """Return the eleven digits of a mainland mobile number without its country code; empty if it is none."""
    match = _MOBILE.fullmatch(digits)
    return match[1] if match else ""


def is_bank_card(digits: str) -> bool:
    """Tell whether 16 to 19 digits can be a bank card: Luhn's sum, no date stamp, not two digits repeated."""
    if len(digits) not in _CARD_LENGTHS or digits[0] == "0" or len(set(digits)) < _FEWEST_DIFFERENT:
        return False
    return not _STAMPED.match(digits) and luhn(digits)


def luhn(digits: str) -> bool:
    """Tell whether digits pass Luhn's check."""
    odd = sum(map(int, digits[-1::-2]))
    even = sum(map(int, digits[-2::-2].translate(_DOUBLED)))
    return (odd + even) % 10 == 0


def is_resident_id(chars: str) -> bool:
    """Tell whether 18 characters are a resident id: a real birth date and the check character of GB 11643."""
    if len(chars) != _ID_CHARS or chars[0] == "0" or not has_birth_date(chars):
        return False
    remainder = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, chars[:17], strict=True)) % 11
    return _CHECKS[remainder] == chars[17].upper()


def has_birth_date(chars: str) -> bool:
    """Tell whether characters 7 to 14 are a date that a living person was born at."""
    digits = chars[_ID_DATE]
    with suppress(ValueError):
        return (
            _OLDEST_YEAR <= dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).year <= _NEWEST_YEAR
        )
    return False
