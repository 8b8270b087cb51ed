"""Exceptions: what stands inside of a phrase, however it is written, is no finding. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from controller import grams
from controller.rules import Waiver


def waived(
    waivers: Iterable[Waiver],
    text: str,
    start: int,
    end: int,
    *,
    rule_id: str,
    entry_id: str,
    account_id: str,
) -> bool:
    """Tell whether an exception says that what a rule finds at a stretch of a text is none."""
    return any(
        waiver.rule in ("", rule_id)
        and waiver.entry in ("", entry_id)
        and (not waiver.accounts or account_id in waiver.accounts)
        and covers(waiver.phrase, text, start, end)
        for waiver in waivers
    )


def covers(phrase: str, text: str, start: int, end: int) -> bool:
    """Tell whether a stretch of a text stands inside of a phrase; an empty phrase covers everything."""
    if not phrase or _within(text, phrase, start, end):
        return True
    folded, places = _folded(text)
    first = next((place for place, at in enumerate(places) if at >= start), len(folded))
    last = sum(at < end for at in places)
    return last > first and _within(folded, grams.fold(phrase), first, last)


def _within(text: str, phrase: str, start: int, end: int) -> bool:
    low = max(0, end - len(phrase))
    at = text.find(phrase, low, start + len(phrase))
    return bool(phrase) and 0 <= at <= start


def _folded(text: str) -> tuple[str, list[int]]:
    """Return a text folded character by character, with the place of each in the original."""
    folded, places = [], []
    for at, char in enumerate(text):
        for one in grams.fold(char):
            folded.append(one)
            places.append(at)
    return "".join(folded), places
