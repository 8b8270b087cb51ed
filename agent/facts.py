"""What the agent saw, as the facts that are archived."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from protos.facts import AddObserved, Fact, GapSeen, MessageSeen, peer_key

if TYPE_CHECKING:
    from agent.capture.chats import ChatRead

# The client's line in the chat of somebody this account added, or whose request it accepted. The name is free
# text: it ends where the fixed words begin.
_ADDED = re.compile(r"你已添加了(?P<name>.+)，现在可以开始聊天了。?", re.DOTALL)
# Time lines of today and yesterday: anything older is no news for a quota of 24 hours.
_RECENT = re.compile(r"(昨天|凌晨|早上|上午|中午|下午|晚上)?\s*(\d{1,2}:\d{2})?")


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


def adds_of_chat(read: ChatRead, account_id: str) -> list[Fact]:
    """Return the adds that lines of a conversation tell of, if they may be younger than a day."""
    return [
        AddObserved(peer_key=peer_key(account_id, told["name"]), how="system_line", kind="added")
        for seen in read.new
        if seen.bubble.side == "system"
        and _RECENT.fullmatch(seen.bubble.time_label)
        and (told := _ADDED.fullmatch(seen.bubble.text))
    ]
