"""The rules under which the farm of the crash rig works, the same in every process of it."""

from __future__ import annotations

from typing import Any

from controller.model import Action, QuotaRule

# Small, so that one request too many is seen at once.
PER_DAY = 3


# Longer than an agent's margin before the end of a lease, which the rig shortens for such leases.
SHORT_LEASE_MS = 3_000
SHORT_MARGIN_MS = 500


def settings(
    *,
    per_day: int = PER_DAY,
    expires: bool = False,
    sweep_pause_ms: int = 3_600_000,
    hand_quiet_ms: int = 30_000,
) -> dict[str, Any]:
    """Return the settings of a core that waits for its quota only; `expires`: not for a silent agent."""
    soon = {"lease_ms": SHORT_LEASE_MS, "give_up_ms": 0, "lost_after_ms": 600} if expires else {}
    return soon | {
        "words_default": False,
        "quota_rules": tuple(
            QuotaRule(action=action, per_day=per_day, per_hour=per_day, spacing_ms=0) for action in Action
        ),
        "retry_pause_ms": 0,
        "not_sent_pause_ms": 0,
        "sweep_pause_ms": sweep_pause_ms,
        "hand_quiet_ms": hand_quiet_ms,
    }
