"""Captured chats: every look at one is written down with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from controller.core import Core
from controller.errors import BadRequest
from controller.records import Conversation, Gap, Message
from controller.safe import masked
from controller.web.desk import Actor, At

router = APIRouter(prefix="/chats", tags=["chats"])

_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """A captured chat of a work account."""

    conversation_id: int
    phone_id: str
    account_id: str
    title: str
    kind: str
    messages: int
    last_at_ms: int | None


def conversation_view(chat: Conversation) -> ConversationView:
    """Show a chat without its messages."""
    return ConversationView(
        conversation_id=chat.id,
        phone_id=chat.phone_id,
        account_id=chat.account_id,
        title=masked(chat.title),
        kind=chat.kind,
        messages=chat.messages,
        last_at_ms=chat.last_at_ms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message with its three times: shown on the phone, read by the agent, archived."""

    message_id: int
    position: int
    side: str
    kind: str
    text: str
    time_label: str
    ambiguous: bool
    read_at_ms: int
    archived_at_ms: int


def message_view(message: Message) -> MessageView:
    """Show a message; mobiles in its text are masked, its length stays."""
    return MessageView(
        message_id=message.id,
        position=message.position,
        side=message.side,
        kind=message.kind,
        text=masked(message.text),
        time_label=message.time_label,
        ambiguous=message.ambiguous,
        read_at_ms=message.read_at_ms,
        archived_at_ms=message.archived_at_ms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GapView:
    """What could not be captured; it stands before the message at `before_position`."""

    before_position: int
    cause: str
    from_ms: int
    to_ms: int


def gap_view(gap: Gap) -> GapView:
    """Show a gap."""
    return GapView(before_position=gap.before_position, cause=gap.cause, from_ms=gap.from_ms, to_ms=gap.to_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatView:
    """A chat with its last messages in order, and its gaps."""

    conversation: ConversationView
    messages: list[MessageView]
    gaps: list[GapView]


@router.get("", summary="List captured chats")
async def list_chats(
    at: At,
    phones: str = "all",
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> list[ConversationView]:
    """Return chats without their messages, the most recently archived first."""
    return await at.ask(_chats, phones, limit)


@router.get("/{conversation_id}", summary="Read a chat")
async def read_chat(
    at: At,
    actor: Actor,
    conversation_id: int,
    reason: str = "",
    before_position: int | None = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 50,
) -> ChatView:
    """Return the last messages of a chat and its gaps; the look is recorded, so it needs a reason."""
    if not reason.strip():
        raise BadRequest("say why you read this chat (reason); the look is recorded")
    return await at.ask(_read, conversation_id, before_position, limit, actor, reason)


def _chats(core: Core, phones: str, limit: int) -> list[ConversationView]:
    if phones == "all":
        return [conversation_view(chat) for chat in core.archive.conversations(limit=limit)]
    wanted = {phone.phone_id for phone in core.fleet.select(phones)}
    found = [
        chat for phone_id in wanted for chat in core.archive.conversations(phone_id=phone_id, limit=limit)
    ]
    found.sort(key=lambda chat: (-(chat.last_at_ms or 0), chat.id))
    return [conversation_view(chat) for chat in found[:limit]]


def _read(
    core: Core, conversation_id: int, before_position: int | None, limit: int, actor: str, reason: str
) -> ChatView:
    chat = core.archive.conversation(conversation_id)
    # Written down before the first word is handed out: a look that failed half-way was a look.
    core.audit.record(actor=actor, what="chat.read", object=str(conversation_id), reason=reason)
    messages = core.archive.messages(conversation_id, before_position=before_position, limit=limit)
    return ChatView(
        conversation=conversation_view(chat),
        messages=[message_view(message) for message in messages],
        gaps=[gap_view(gap) for gap in core.archive.gaps(conversation_id)],
    )
