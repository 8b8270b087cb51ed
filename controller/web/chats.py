"""Captured chats: every look at one is written down with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from controller.core import Core
from controller.errors import BadRequest
from controller.records import Conversation
from controller.web.chatviews import (
    ChatView,
    ConversationView,
    conversation_view,
    gap_view,
    message_view,
    removal_view,
)
from controller.web.desk import Actor, At
from controller.web.values import Number, Text

router = APIRouter(prefix="/chats", tags=["chats"])

_MOST = 500


@router.get("", summary="List captured chats")
async def list_chats(
    at: At,
    phones: Text = "all",
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> list[ConversationView]:
    """Return chats without their messages, the most recently archived first."""
    return await at.ask(_chats, phones, limit)


@router.get("/{conversation_id}", summary="Read a chat")
async def read_chat(
    at: At,
    actor: Actor,
    conversation_id: Number,
    reason: Text = "",
    before_position: Number | None = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 50,
) -> ChatView:
    """Return the last messages of a chat and what is missing; the look is recorded, so it needs a reason."""
    if not reason.strip():
        raise BadRequest("say why you read this chat (reason); the look is recorded")
    return await at.ask(_read, conversation_id, before_position, limit, actor, reason)


def _chats(core: Core, phones: str, limit: int) -> list[ConversationView]:
    if phones == "all":
        return _views(core, core.archive.conversations(limit=limit))
    wanted = {phone.phone_id for phone in core.fleet.select(phones)}
    found = [
        chat for phone_id in wanted for chat in core.archive.conversations(phone_id=phone_id, limit=limit)
    ]
    found.sort(key=lambda chat: (-(chat.last_at_ms or 0), chat.id))
    return _views(core, found[:limit])


def _views(core: Core, chats: Sequence[Conversation]) -> list[ConversationView]:
    watched = core.coverage.of_chats([(chat.id, chat.account_id, chat.key) for chat in chats])
    return [conversation_view(chat, how) for chat, how in zip(chats, watched, strict=True)]


def _read(
    core: Core, conversation_id: int, before_position: int | None, limit: int, actor: str, reason: str
) -> ChatView:
    chat = core.archive.conversation(conversation_id)
    # Written down before the first word is handed out: a look that failed half-way was a look.
    core.audit.record(actor=actor, what="chat.read", object=str(conversation_id), reason=reason)
    messages = core.archive.messages(conversation_id, before_position=before_position, limit=limit)
    host = core.fleet.phone(chat.phone_id).facts.host
    return ChatView(
        conversation=_views(core, [chat])[0],
        messages=[message_view(message, host=host) for message in messages],
        gaps=[gap_view(gap) for gap in core.archive.gaps(conversation_id)],
        removals=[removal_view(removal) for removal in core.archive.removals(conversation_id)],
    )
