"""When a message was: within the time the screen says, else when it was read; and periods of time."""

from __future__ import annotations

from dataclasses import dataclass

from controller.clock import HOUR_MS
from controller.records import Gap, Message

FOREVER_MS = 2**63 - 1
# By so much the clock of a phone may be ahead of ours: archived earlier than read.
_SKEW_MS = HOUR_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A half-open time; the whole of time by default."""

    from_ms: int = 0
    to_ms: int = FOREVER_MS

    def touches(self, from_ms: int, to_ms: int) -> bool:
        """Tell whether a half-open time lies in this one, wholly or in part."""
        return from_ms < self.to_ms and to_ms > self.from_ms

    def has(self, message: Message) -> bool:
        """Tell whether a message may be of this time: what is not known exactly is not left out."""
        return self.touches(*when(message))

    def is_over(self, message: Message) -> bool:
        """Tell whether neither a message nor any of a lower id can be of this time.

        Ids rise with the time of archiving, and nothing is read after it was archived.
        """
        return message.archived_at_ms + _SKEW_MS < self.from_ms

    def has_gap(self, gap: Gap) -> bool:
        """Tell whether a gap lies in this time, wholly or in part."""
        return self.touches(gap.from_ms, gap.to_ms + 1)


def when(message: Message) -> tuple[int, int]:
    """Return the half-open time in which a message came, as far as it is known."""
    if message.shown_to_ms:
        return message.shown_from_ms, max(message.shown_to_ms, message.shown_from_ms + 1)
    return message.read_at_ms, message.read_at_ms + 1
