"""How long an account rests after a warning, and what it may do afterwards: pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from controller.clock import DAY_MS, MINUTE_MS

# How long the first, second, third and any later warning within a month lets an account rest. No official
# figure exists: one public SCRM product waits 72 h after a risk notice (2024-2026), a report names a freeze
# of 24 h after too many adds (nctoro.com, undated); the longer steps are ours. A rest does not end by itself:
# a named person ends it.
LADDER_MS = (DAY_MS, 3 * DAY_MS, 7 * DAY_MS, 14 * DAY_MS)
STRIKES_COUNT_MS = 30 * DAY_MS
# An agent that starts again reads the dialog that still stands: the same words soon after are one warning.
SAME_WARNING_MS = 10 * MINUTE_MS
# The cause of a task that ended by a warning; the warning itself is told by an event of its own.
ECHO = "warned"
# After its rest an account gets half of each daily limit, but one at least.
PROBATION_MS = 7 * DAY_MS


def is_new_strike(earlier: Sequence[tuple[int, str]], cause: str, now_ms: int) -> bool:
    """Tell whether a warning is another one than those before; `earlier` are (at_ms, cause), in order."""
    return all(at_ms <= now_ms - SAME_WARNING_MS or was not in (cause, ECHO) for at_ms, was in earlier)


def strikes(earlier: Sequence[tuple[int, str]], now_ms: int) -> int:
    """Return how many warnings count at a moment."""
    return sum(1 for at_ms, _ in earlier if at_ms > now_ms - STRIKES_COUNT_MS)


def cooldown_ms(strikes_now: int) -> int:
    """Return how long an account rests after its n-th warning (1 is the first)."""
    return LADDER_MS[min(max(strikes_now, 1), len(LADDER_MS)) - 1]


def early_by_ms(cooldown_until_ms: int | None, now_ms: int) -> int:
    """Return how long before its meant end a rest is lifted; 0: not before."""
    return max(0, (cooldown_until_ms or 0) - now_ms)
