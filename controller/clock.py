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

    def steady_ms(self) -> int:
        """Return milliseconds since some moment of this machine's run; nobody can set it."""


class SystemClock:
    """This machine's clocks."""

    def now_ms(self) -> int:
        """Return the wall clock in milliseconds UTC."""
        return time.time_ns() // 1_000_000

    def steady_ms(self) -> int:
        """Return the milliseconds since boot, time asleep included, which CLOCK_MONOTONIC leaves out."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class FixedClock:
    """A clock that moves only when told; for tests and dry runs."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._steady_ms = 0

    def now_ms(self) -> int:
        """Return the time it was set to."""
        return self._now_ms

    def steady_ms(self) -> int:
        """Return how far it was advanced."""
        return self._steady_ms

    def advance(self, ms: int) -> None:
        """Let so many milliseconds pass."""
        self._now_ms += ms
        self._steady_ms += ms

    def jump(self, ms: int) -> None:
        """Set the wall clock forward, or back by a negative number; no time passes."""
        self._now_ms += ms


class WatchedClock:
    """The wall clock, watched by the steady one: of a large jump nothing is believed.

    Ahead, a jump by a day would free a whole quota, and the farm's clock, which never goes back, would stand
    still for that day once somebody corrects it. Back, what is used meanwhile would be dated too early, and
    let go too early after the correction. A difference of more than an hour between both clocks against the
    start counts as a jump until it is gone. A new start believes the wall clock: so a person confirms it.
    """

    MAX_JUMP_MS = HOUR_MS

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ms = clock.now_ms() - clock.steady_ms()

    def read(self) -> tuple[int, bool]:
        """Return the time to work with, and whether the wall clock jumped away from it."""
        wall_ms = self._clock.now_ms()
        steady_ms = self._clock.steady_ms() + self._offset_ms
        has_jumped = abs(wall_ms - steady_ms) > self.MAX_JUMP_MS
        return (steady_ms if has_jumped else wall_ms), has_jumped


def day_of(at_ms: int) -> str:
    """Return the UTC calendar day of a moment as 20261121."""
    return datetime.fromtimestamp(at_ms / SECOND_MS, tz=UTC).strftime("%Y%m%d")
