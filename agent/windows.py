"""Hours of the week in which something may be done, by the agent's own clock. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from agent.model import Window

DAY_MIN = 24 * 60


def is_open(windows: Sequence[Window], zone: str, at_ms: int) -> bool:
    """Tell whether a moment lies in one of the windows; without windows every moment does.

    With windows and a zone that this host does not know nothing is open: it cannot be told.
    """
    if not windows:
        return True
    minute = minute_of_week(zone, at_ms)
    return minute is not None and any(window.start_min <= minute < window.end_min for window in windows)


def minute_of_week(zone: str, at_ms: int) -> int | None:
    """Return the minutes since Monday 00:00 by the clock of a zone, None if the zone is not known."""
    place = _zone(zone)
    if place is None:
        return None
    there = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(place)
    return there.weekday() * DAY_MIN + there.hour * 60 + there.minute


@lru_cache(maxsize=4)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found, no name of a zone, no file of one
        return None
