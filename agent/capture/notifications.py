"""What `dumpsys notification --noredact` tells of messages: in which chat, how many, and the last one. Pure.

No real output of it with WeChat in it was seen: the parser follows Android's general form, in which every
posted notification is a record of indented lines, and takes what it cannot read for nothing. A notification
is a hint only: there is none for muted chats and for the open one, and of a burst it keeps the last message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PACKAGE = "com.tencent.mm"
# Channels of messages: 7.0 and later, before, and the one of the client's own do-not-disturb.
CHANNELS = frozenset({"message_channel_new_id", "message", "message_dnd_mode_channel_id"})
_RECORD = re.compile(r"^\s*NotificationRecord\(", re.MULTILINE)
_PACKAGE = re.compile(r"\bpkg=(\S+)")
_CHANNEL = re.compile(r"\bchannel=([A-Za-z0-9_]+)")
# "android.title=String (小满)": a value may hold brackets and line breaks; it ends where a line ends with a
# bracket and the next one begins another key or closes the list.
_TITLE, _TEXT = (
    re.compile(rf"^\s*android\.{name}=\w+ ?\((.*?)\)[ \t]*\n(?=\s*(?:[\w.]+=|\}}))", re.MULTILINE | re.DOTALL)
    for name in ("title", "text")
)
_COUNT = re.compile(r"\[(\d{1,3})(?:条|則|则)?\] ?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """A chat in which something came: its name, how many messages at least, and the last one as shown."""

    title: str
    count: int
    text: str


def read_hints(dump: str) -> list[Hint]:
    """Return the messages that stand in the shade, in the order of the dump; nothing for anything else."""
    starts = [match.start() for match in _RECORD.finditer(dump)]
    pieces = (dump[a:b] for a, b in zip(starts, [*starts[1:], len(dump)], strict=False))
    return [hint for hint in map(_hint, pieces) if hint is not None]


def _hint(record: str) -> Hint | None:
    package, channel = _PACKAGE.search(record), _CHANNEL.search(record)
    if package is None or package[1] != PACKAGE or channel is None or channel[1] not in CHANNELS:
        return None
    title, text = _TITLE.search(record), _TEXT.search(record)
    if title is None or not title[1].strip():
        return None
    said = text[1] if text is not None else ""
    counted = _COUNT.fullmatch(said)
    if counted is None:
        return Hint(title=title[1], count=1, text=said)
    return Hint(title=title[1], count=int(counted[1]), text=counted[2])
