"""Clocks of this host: wall time for people, boot time for leases."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path


def wall_ms() -> int:
    """Return the time of day in milliseconds UTC."""
    return time.time_ns() // 1_000_000


def boot_ms() -> int:
    """Return milliseconds since this host booted; unlike the monotonic clock it goes on in suspend."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


@cache
def boot_id() -> str:
    """Return the random name of this boot; a time of another boot means nothing in this one."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
