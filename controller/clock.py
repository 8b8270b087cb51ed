"""Time as a value that is asked for once per piece of work."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


class Clock(Protocol):
    """Where the controller gets its time from."""

    def now_ms(self) -> int:
        """Return the time in milliseconds UTC; it may jump, the farm's clock does not."""


class SystemClock:
    """This machine's wall clock."""

    def now_ms(self) -> int:
        """Return the wall clock in milliseconds UTC."""
        return time.time_ns() // 1_000_000


class FixedClock:
    """A clock that moves only when told; for tests and dry runs."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return the time it was set to."""
        return self._now_ms

    def advance(self, ms: int) -> None:
        """Move by so many milliseconds; a negative number is a jump back."""
        self._now_ms += ms


def day_of(at_ms: int) -> str:
    """Return the UTC calendar day of a moment as 20261121."""
    return datetime.fromtimestamp(at_ms / SECOND_MS, tz=UTC).strftime("%Y%m%d")
