"""What the agent saw, as the facts that are archived."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from agent.capture import gaps
from agent.capture.gaps import GapCause
from protos.facts import AddObserved, Fact, GapSeen, MessageChanged, MessageSeen, peer_key

if TYPE_CHECKING:
    from agent.capture.changes import Change
    from agent.capture.chatlog import ChatRead, SeenBubble

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


def hole(cause: str, now_ms: int, *, from_ms: int = 0) -> GapSeen:
    """Return the gap of a whole phone: which conversations are concerned is not known."""
    return GapSeen(
        conversation_key="",
        conversation_title="",
        before_position=0,
        cause=cause,
        from_ms=from_ms,
        to_ms=now_ms,
    )


def of_chat(read: ChatRead, *, from_ms: int, to_ms: int) -> list[Fact]:
    """Return what a visit found: chat cleared, gap, new messages in order, what became of earlier ones.

    `from_ms` is when the chat was read before (0: never), `to_ms` now. Where it goes on at a position
    though nobody knows when it was read, what was archived is not known: all of it may be there twice.
    """
    found: list[Fact] = []
    is_lost = bool(read.last_position) and not from_ms
    cause = read.gap_cause or (GapCause.OUTBOX_DAMAGED if is_lost and read.new else "")
    if read.removed:
        found.append(
            gaps.removed(
                read.removed,
                key=read.key,
                title=read.title,
                last=read.last_position,
                from_ms=from_ms,
                to_ms=to_ms,
            )
        )
    if cause:
        before = read.new[0].position if read.new else read.tail.position + 1
        found.append(
            gaps.gap(cause, key=read.key, title=read.title, before=before, from_ms=from_ms, to_ms=to_ms)
        )
    found += [_message(read, seen, is_doubtful=is_lost) for seen in read.new]
    found += [_changed(read, change) for change in read.changes]
    return found


def _message(read: ChatRead, seen: SeenBubble, *, is_doubtful: bool) -> MessageSeen:
    bubble = seen.bubble
    return MessageSeen(
        conversation_key=read.key,
        conversation_title=read.title,
        conversation_kind=read.kind,
        position=seen.position,
        side=bubble.side,
        kind=bubble.kind,
        text=bubble.text,
        time_label=bubble.time_label,
        ambiguous=seen.ambiguous or is_doubtful,
        sender=bubble.sender,
        shown_from_ms=bubble.shown_from_ms,
        shown_to_ms=bubble.shown_to_ms,
        amount_fen=bubble.amount_fen,
        state=bubble.state,
        length_s=bubble.length_s,
        detail=bubble.detail,
        fragment=bubble.fragment,
        media_sha256=bubble.media_sha256,
    )


def _changed(read: ChatRead, change: Change) -> MessageChanged:
    now = change.now
    is_recall = change.what == "recalled"
    text = {"transcript": now.detail, "unfolded": now.text}.get(change.what, "")
    return MessageChanged(
        conversation_key=read.key,
        position=change.position,
        what=change.what,
        line=now.text if is_recall else "",
        state="" if is_recall else now.state,
        text=text,
        amount_fen=-1 if is_recall else now.amount_fen,
    )


def adds_of_chat(read: ChatRead, account_id: str) -> list[Fact]:
    """Return the adds that lines of a conversation tell of, if they may be younger than a day."""
    return [
        AddObserved(peer_key=peer_key(account_id, told["name"]), how="system_line", kind="added")
        for seen in read.new
        if seen.bubble.side == "system"
        and _RECENT.fullmatch(seen.bubble.time_label)
        and (told := _ADDED.fullmatch(seen.bubble.text))
    ]
