"""Why something of a chat may be missing: the closed list of the agent's causes, and where each one lies."""

from __future__ import annotations

from enum import StrEnum

from protos.facts import ChatRemoved, GapSeen


class GapCause(StrEnum):
    """Every cause an agent gives; the controller has some of its own."""

    EARLIER_NOT_READ = "earlier_not_read"
    NO_OVERLAP = "no_overlap"
    FEWER_THAN_COUNTED = "fewer_than_counted"
    PAGES_DO_NOT_JOIN = "pages_do_not_join"
    CHAT_NOT_READ = "chat_not_read"
    CHAT_GONE = "chat_gone"
    TWO_CHATS_ONE_NAME = "two_chats_one_name"
    PASSIVE_JUMP = "passive_jump"
    FIRST_VISIT_BOUND = "first_visit_bound"
    OUTBOX_DAMAGED = "outbox_damaged"
    OUTBOX_BEHIND = "outbox_behind"
    DISK_FULL = "disk_full"


def gap(cause: str, *, key: str, title: str, before: int, from_ms: int, to_ms: int) -> GapSeen:
    """Return the gap just before a position of one conversation, between two moments in UTC ms."""
    return GapSeen(
        conversation_key=key,
        conversation_title=title,
        before_position=before,
        cause=cause,
        from_ms=from_ms,
        to_ms=to_ms,
    )


def removed(what: str, *, key: str, title: str, last: int, from_ms: int, to_ms: int) -> ChatRemoved:
    """Return that a chat, or what stood in it, is gone; `last` is the last position archived of it."""
    return ChatRemoved(
        conversation_key=key,
        conversation_title=title,
        what=what,
        last_position=last,
        from_ms=from_ms,
        to_ms=to_ms,
    )
