"""What a heartbeat tells of the file of events: it goes ahead of all that waits in that file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.outbox import Outbox
    from agent.wire import Pulse

# Fewer are on their way in a few batches: nothing to tell anybody.
_MANY_EVENTS = 1_000


def told(pulse: Pulse, outbox: Outbox) -> Pulse:
    """Return a pulse that names the plight of the file as its cause, unless the phone's own state has one."""
    if pulse.cause:
        return pulse
    waiting = outbox.backlog
    return replace(pulse, cause=outbox.plight or (f"backlog {waiting}" if waiting > _MANY_EVENTS else ""))
