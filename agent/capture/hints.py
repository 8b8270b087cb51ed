"""What in the list of chats tells that a chat should be read. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.model import ChatRow

# Whether a chat that was never read is read although it shows nothing unread: what it holds is new to us.
READ_AT_FIRST_SIGHT = True
# Muted chats show their count before the text; it goes when the chat is opened and is no change.
_MUTED_COUNT = re.compile(r"\[\d+条\] ?")


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a row showed just before its chat was last read."""

    preview: str
    time_label: str


def glimpse_of(row: ChatRow) -> Glimpse:
    """Return what of a row changes with every message, whoever wrote it."""
    preview = _MUTED_COUNT.sub("", row.preview, count=1) if row.is_muted else row.preview
    return Glimpse(preview, row.time_label)


def has_badge(row: ChatRow) -> bool:
    """Tell whether a row shows something unread."""
    return row.unread != 0


def is_hint(row: ChatRow, last: Glimpse | None, *, at_first_sight: bool = READ_AT_FIRST_SIGHT) -> bool:
    """Tell whether a chat should be read; `last` is None if it never was.

    A badge tells of incoming messages only, and only of those that nobody has looked at.
    """
    if has_badge(row):
        return True
    return at_first_sight if last is None else glimpse_of(row) != last
