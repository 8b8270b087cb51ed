"""How the process of an agent ends: the keeper acts on the number."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of `farm-agent run`."""

    ASKED = 0
    FAILED = 1  # also: another agent owns this phone
    PHONE_GONE = 3
    CONFIG_WRONG = 4
    CONTROLLER_LOST = 100


_MEANINGS = {
    Exit.ASKED: "asked to stop",
    Exit.FAILED: "failed, see its log",
    Exit.PHONE_GONE: "phone gone",
    Exit.CONFIG_WRONG: "configuration wrong",
    Exit.CONTROLLER_LOST: "controller lost",
}


def meaning(status: int) -> str:
    """Return what a status says, for people; negative ones are signals."""
    if status < 0:
        return f"killed by signal {-status}"
    try:
        return _MEANINGS[Exit(status)]
    except ValueError:
        return f"status {status}"
