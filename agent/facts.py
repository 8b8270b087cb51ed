"""What the agent saw, as the facts that are archived."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from protos.facts import Fact, GapSeen, MessageSeen

if TYPE_CHECKING:
    from agent.capture.chats import ChatRead


def new_uid(now_ms: int) -> str:
    """Return a version 7 UUID: unique, and sorted by time for people who read lists."""
    number = (now_ms << 80) | (7 << 76) | (secrets.randbits(12) << 64) | (2 << 62) | secrets.randbits(62)
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def hole(cause: str, now_ms: int) -> GapSeen:
    """Return the gap of a whole phone: which conversations are concerned is not known."""
    return GapSeen(
        conversation_key="", conversation_title="", before_position=0, cause=cause, from_ms=0, to_ms=now_ms
    )


def of_chat(read: ChatRead, *, from_ms: int, to_ms: int) -> list[Fact]:
    """Return the gap, if there is one, and the new messages of a conversation, in screen order."""
    found: list[Fact] = []
    if read.gap_cause:
        before = read.new[0].position if read.new else read.tail.position + 1
        found.append(
            GapSeen(
                conversation_key=read.key,
                conversation_title=read.title,
                before_position=before,
                cause=read.gap_cause,
                from_ms=from_ms,
                to_ms=to_ms,
            )
        )
    found += [
        MessageSeen(
            conversation_key=read.key,
            conversation_title=read.title,
            conversation_kind=read.kind,
            position=seen.position,
            side=seen.bubble.side,
            kind=seen.bubble.kind,
            text=seen.bubble.text,
            time_label=seen.bubble.time_label,
            ambiguous=seen.ambiguous,
        )
        for seen in read.new
    ]
    return found
