"""Parts of a week as typed (mon-fri 08:00-20:00) and as minutes from Monday 00:00: pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from controller.clock import SECOND_MS
from controller.hours import zone
from controller.sessions import Window

DAY_MINUTES = 1_440
WEEK_MINUTES = 7 * DAY_MINUTES
ALWAYS = "always"

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CHINESE_DAYS = "一二三四五六日"
_NUMBERS = {**{name: at for at, name in enumerate(_DAYS)}, **{str(at + 1): at for at in range(7)}}
_DAY = r"[a-z]{3}|[1-7]"
_PART = re.compile(
    rf"(?:(?P<days>(?:{_DAY})(?:\s*[-–]\s*(?:{_DAY}))?(?:\s*,\s*(?:{_DAY})(?:\s*[-–]\s*(?:{_DAY}))?)*)\s+)?"
    r"(?P<from_h>\d{1,2})(?::(?P<from_m>\d{2}))?\s*[-–]\s*(?P<to_h>\d{1,2})(?::(?P<to_m>\d{2}))?"
)
_GRAMMAR = 'say "mon-fri 08:00-20:00; sat 9-12", or "always"'


def read_windows(text: str) -> tuple[Window, ...]:
    """Return the parts of the week a text names, in order and joined; none is the whole week; ValueError.

    Parts stand apart by semicolons; without days a part is of every day; 22:00-06:00 goes into the next day.
    """
    said = text.strip().lower()
    if said == ALWAYS:
        return ()
    parts = [part.strip() for part in said.split(";") if part.strip()]
    if not parts:
        raise ValueError(f"no hours are named; {_GRAMMAR}")
    return joined(window for part in parts for window in _part(part))


def _part(text: str) -> list[Window]:
    found = _PART.fullmatch(text)
    if found is None:
        raise ValueError(f"not understood: {text[:40]!r}; {_GRAMMAR}")
    first = _minutes(found["from_h"], found["from_m"])
    last = _minutes(found["to_h"], found["to_m"])
    if first == last:
        raise ValueError(f"{text[:40]!r} has no length; 0-24 is the whole day")
    length = (last - first) % DAY_MINUTES or DAY_MINUTES
    windows: list[Window] = []
    for day in _days(found["days"]):
        start = day * DAY_MINUTES + first
        end = start + length
        windows.append(Window(start_min=start, end_min=min(end, WEEK_MINUTES)))
        if end > WEEK_MINUTES:
            windows.append(Window(start_min=0, end_min=end - WEEK_MINUTES))
    return windows


def _minutes(hour: str, minute: str | None) -> int:
    total = int(hour) * 60 + int(minute or 0)
    if int(minute or 0) > 59 or total > DAY_MINUTES:
        raise ValueError(f"no such time of day: {hour}:{minute or '00'}")
    return total


def _days(text: str | None) -> list[int]:
    if text is None:
        return list(range(7))
    days: set[int] = set()
    for part in text.replace(" ", "").split(","):
        first, _, last = part.replace("–", "-").partition("-")
        low, high = _day(first), _day(last or first)
        # fri-mon goes over the end of the week.
        days.update((low + step) % 7 for step in range((high - low) % 7 + 1))
    return sorted(days)


def _day(name: str) -> int:
    if name not in _NUMBERS:
        raise ValueError(f"no such day: {name!r}; mon tue wed thu fri sat sun, or 1 to 7")
    return _NUMBERS[name]


def joined(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Return windows in order with those joined that touch; the whole week is none at all."""
    found: list[Window] = []
    for window in sorted(windows, key=lambda one: one.start_min):
        if found and window.start_min <= found[-1].end_min:
            end = max(found[-1].end_min, window.end_min)
            found[-1] = Window(start_min=found[-1].start_min, end_min=end)
        else:
            found.append(window)
    whole = (Window(start_min=0, end_min=WEEK_MINUTES),)
    return () if tuple(found) == whole else tuple(found)


def is_within(windows: Sequence[Window], zone_name: str, at_ms: int) -> bool:
    """Tell whether the local clock shows a minute of the windows at a moment; no windows: always.

    A moment that no clock shows lies in no window.
    """
    if not windows:
        return True
    try:
        local = datetime.fromtimestamp(at_ms / SECOND_MS, tz=zone(zone_name))
    except (OverflowError, ValueError, OSError):
        return False
    minute = local.weekday() * DAY_MINUTES + local.hour * 60 + local.minute
    return any(window.start_min <= minute < window.end_min for window in windows)


def shown(windows: Sequence[Window]) -> str:
    """Return windows as they are typed: mon-fri 08:00-20:00; sat 09:00-12:00."""
    return "; ".join(f"{_names(days, _DAYS, '-')} {hours}" for hours, days in _by_hours(windows)) or ALWAYS


def shown_chinese(windows: Sequence[Window]) -> str:
    """Return windows for the screen of a phone: 周一至周五 08:00-20:00; empty for the whole week."""
    return "；".join(
        f"周{_names(days, _CHINESE_DAYS, '至周')} {hours}".replace(",", "、")
        for hours, days in _by_hours(windows)
    )


def _by_hours(windows: Sequence[Window]) -> list[tuple[str, list[int]]]:
    """Return the hours of a day and the days on which they hold, each part within one day."""
    days_of: dict[str, list[int]] = {}
    for window in windows:
        for day in range(window.start_min // DAY_MINUTES, (window.end_min - 1) // DAY_MINUTES + 1):
            first = max(window.start_min - day * DAY_MINUTES, 0)
            last = min(window.end_min - day * DAY_MINUTES, DAY_MINUTES)
            hours = f"{first // 60:02}:{first % 60:02}-{last // 60:02}:{last % 60:02}"
            days_of.setdefault(hours, []).append(day)
    return list(days_of.items())


def _names(days: Sequence[int], names: Sequence[str], to: str) -> str:
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{names[days[0]]}{to}{names[days[-1]]}"
    return ",".join(names[day] for day in days)
