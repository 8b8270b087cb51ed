"""The controller's last word on one phone, kept in the agent's file for the time it is away."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from agent.model import Settings
from agent.outbox import Outbox

_NOTE = "settings"


def recall(outbox: Outbox) -> Settings:
    """Return what the controller allowed last, without the right to act; nothing if it never said a word."""
    noted = outbox.recall(_NOTE)
    if not noted:
        return Settings()
    # A recorded notice lasts while the controller is away; the right to act does not.
    return replace(msgspec.json.decode(noted, type=Settings), unattended=False, assist=False)


def remember(outbox: Outbox, settings: Settings) -> None:
    """Keep a word of the controller, durably."""
    outbox.remember(_NOTE, msgspec.json.encode(settings).decode())
