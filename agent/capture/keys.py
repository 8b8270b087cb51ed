"""What stands for a conversation, for one that may be any of its kinds, and what must not be touched."""

from __future__ import annotations

from collections.abc import Collection

from protos.facts import conversation_key

__all__ = ["KINDS", "conversation_key", "is_excluded", "may_be_excluded"]

KINDS = ("private", "group", "service")


def is_excluded(key: str, excluded: Collection[str]) -> bool:
    """Tell whether a conversation is one of those that are never opened and never read."""
    return key in excluded


def may_be_excluded(title: str, excluded: Collection[str]) -> bool:
    """Tell whether a row of the list of chats may be one of those: a row does not tell its kind."""
    return bool(excluded) and any(conversation_key(title, kind) in excluded for kind in KINDS)
