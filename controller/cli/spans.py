"""Spans of time as people type and read them: 90s, 7d, 9-18, 1-5. Pure functions but for click's errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import rich_click as click

_UNITS_MS = {"": 1_000, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SPAN = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)\s*([smhd]?)")
_HOURS = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*[-–]\s*(\d{1,2})(?::(\d{2}))?")
_DAY_MINUTES = 1_440
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def read_span(text: str) -> int:
    """Return milliseconds for 90s, 2m, 12h, 7d or a bare number of seconds; ValueError."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError("say 90s, 2m, 12h or 7d")
    return round(float(found[1]) * _UNITS_MS[found[2]])


def read_hours(text: str) -> tuple[int, int]:
    """Return minutes of the day for 9-18 or 09:00-18:30, the last one not included; ValueError."""
    found = _HOURS.fullmatch(text.strip())
    first, last = _minutes(found, 1), _minutes(found, 3)
    if found is None or first is None or last is None or first >= last:
        raise ValueError("say 9-18 or 09:00-18:30, from an earlier to a later hour; 0-24 is the whole day")
    return first, last


def _minutes(found: re.Match[str] | None, group: int) -> int | None:
    if found is None:
        return None
    hour, minute = int(found[group]), int(found[group + 1] or 0)
    total = hour * 60 + minute
    return total if minute < 60 and total <= _DAY_MINUTES else None


def read_weekdays(text: str) -> list[int]:
    """Return ISO weekdays for 1-5 or 1,3,7 (Monday is 1); ValueError."""
    days: set[int] = set()
    for part in text.replace(" ", "").split(","):
        found = re.fullmatch(r"([1-7])(?:[-–]([1-7]))?", part)
        if found is None or (found[2] and found[2] < found[1]):
            raise ValueError("say 1-5 or 1,3,7; Monday is 1, Sunday is 7")
        days.update(range(int(found[1]), int(found[2] or found[1]) + 1))
    return sorted(days)


def read_by(read: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """Return how an option is read by one of the functions above."""

    def callback(_context: click.Context, _option: click.Parameter, value: str | None) -> Any:
        try:
            return None if value is None else read(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def span(ms: int) -> str:
    """Return a length of time: 90s, 2m, 26h, 7d; "-" for none."""
    if ms <= 0:
        return "-"
    for unit in ("d", "h", "m"):
        if ms % _UNITS_MS[unit] == 0:
            return f"{ms // _UNITS_MS[unit]}{unit}"
    return f"{ms / 1000:g}s"


def about(ms: int) -> str:
    """Return a length of time roughly, for people: 3 min, 5 h, 2 d."""
    for unit, name in (("d", "d"), ("h", "h")):
        if ms >= 2 * _UNITS_MS[unit]:
            return f"{ms // _UNITS_MS[unit]} {name}"
    return f"{max(1, ms // _UNITS_MS['m'])} min"


def hours(minutes: Sequence[int]) -> str:
    """Return the allowed hours: 08:00-22:00, or always."""
    first, last = minutes
    if (first, last) == (0, _DAY_MINUTES):
        return "always"
    return f"{first // 60:02}:{first % 60:02}-{last // 60:02}:{last % 60:02}"


def weekdays(days: Sequence[int]) -> str:
    """Return the allowed weekdays: Mon-Fri, Mon Wed, or every day."""
    found = sorted(days)
    if len(found) == len(_DAYS):
        return "every day"
    if len(found) > 2 and found[-1] - found[0] == len(found) - 1:
        return f"{_DAYS[found[0] - 1]}-{_DAYS[found[-1] - 1]}"
    return " ".join(_DAYS[day - 1] for day in found)
