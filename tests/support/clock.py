"""The moment at which tests begin: a day that is not today, in the middle of an hour."""

from __future__ import annotations

from controller.clock import FixedClock

# 2026-11-21 10:30:00 UTC
START_MS = 1_795_257_000_000


def fixed_clock() -> FixedClock:
    """Return a clock that stands at the beginning of tests."""
    return FixedClock(START_MS)
