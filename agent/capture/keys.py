"""What stands for a conversation, for one that may be any of its kinds, and what must not be touched."""

from __future__ import annotations

from collections.abc import Collection

from protos.facts import conversation_key

__all__ = ["KINDS", "conversation_key", "may_be_excluded"]

KINDS = ("private", "group", "service")


def may_be_excluded(title: str, excluded: Collection[str]) -> bool:
    """Tell whether a row of the list of chats may be one of those: a row does not tell its kind."""
    return bool(excluded) and any(conversation_key(title, kind) in excluded for kind in KINDS)
