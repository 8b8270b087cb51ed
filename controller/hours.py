"""When the local time of an account allows acting: pure functions, for any zone and its clock changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from controller.clock import DAY_MS, SECOND_MS

FARM_ZONE = "Asia/Shanghai"
WHOLE_DAY = (0, 1_440)
ALL_WEEK = frozenset(range(1, 8))

# A week with one allowed day, the day on which the clock skips just these hours, and one more.
_DAYS_AHEAD = 16


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name; ValueError if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"no time zone {name}") from error


def is_open(hours: tuple[int, int], weekdays: frozenset[int], zone_name: str, at_ms: int) -> bool:
    """Tell whether the local clock shows an allowed weekday and minute at a moment."""
    return closed_by(hours, weekdays, zone_name, at_ms) == ""


def closed_by(hours: tuple[int, int], weekdays: frozenset[int], zone_name: str, at_ms: int) -> str:
    """Return what stands against a moment: outside_weekdays, outside_hours, or nothing."""
    if hours == WHOLE_DAY and weekdays == ALL_WEEK:
        return ""
    local = datetime.fromtimestamp(at_ms / SECOND_MS, tz=zone(zone_name))
    if local.isoweekday() not in weekdays:
        return "outside_weekdays"
    return "" if hours[0] <= local.hour * 60 + local.minute < hours[1] else "outside_hours"


def next_open_ms(
    hours: tuple[int, int], weekdays: frozenset[int], zone_name: str, from_ms: int
) -> int | None:
    """Return the first allowed moment from `from_ms` on; None if there is none in two weeks."""
    if is_open(hours, weekdays, zone_name, from_ms):
        return from_ms
    found = (
        at_ms
        for at_ms in (
            *_starts(hours[0], zone(zone_name), from_ms),
            *_clock_changes(zone(zone_name), from_ms),
        )
        if at_ms > from_ms and is_open(hours, weekdays, zone_name, at_ms)
    )
    return min(found, default=None)


def _starts(minute: int, local: ZoneInfo, from_ms: int) -> Iterator[int]:
    """Yield the moments at which the clock shows a minute of the day; twice where an hour comes twice."""
    today = datetime.fromtimestamp(from_ms / SECOND_MS, tz=local).date()
    for days in range(-1, _DAYS_AHEAD):
        for fold in (0, 1):
            yield _moment(today + timedelta(days=days), minute, local, fold)


def _moment(day: date, minute: int, local: ZoneInfo, fold: int) -> int:
    clock = time(minute // 60, minute % 60, fold=fold)
    return round(datetime.combine(day, clock, tzinfo=local).timestamp() * SECOND_MS)


def _clock_changes(local: ZoneInfo, from_ms: int) -> Iterator[int]:
    """Yield the moments at which the clock is set: it may land inside the allowed hours."""
    for days in range(_DAYS_AHEAD):
        low, high = from_ms + days * DAY_MS, from_ms + (days + 1) * DAY_MS
        before = _offset(local, low)
        if before == _offset(local, high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(local, middle) == before else (low, middle)
        yield high


def _offset(local: ZoneInfo, at_ms: int) -> timedelta | None:
    return datetime.fromtimestamp(at_ms / SECOND_MS, tz=UTC).astimezone(local).utcoffset()
