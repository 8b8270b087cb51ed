"""Chats out of the archive, chat by chat in order: messages, gaps in their places, and what was removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from controller.audit import enter
from controller.errors import BadRequest, UnknownConversation
from controller.ledger import Ledger
from controller.model import AccountId, PhoneId
from controller.periods import Period
from controller.records import ChatRemoval, Conversation, Gap, Message
from controller.store.base import Tx

_CHATS = 100
_MESSAGES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where an export goes on: in a chat after a message, or with the first chat after one.

    `is_begun`: the chat itself was handed out already.
    """

    conversation_id: int = 0
    position: int = -1
    message_id: int = 0
    is_begun: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which chats are exported; nothing named: all."""

    conversation_id: int | None = None
    phone_ids: tuple[PhoneId, ...] = ()
    account_id: AccountId | None = None
    period: Period = field(default_factory=Period)

    def has(self, chat: Conversation) -> bool:
        """Tell whether a chat is wanted."""
        return (
            self.conversation_id in {None, chat.id}
            and self.account_id in {None, chat.account_id}
            and (not self.phone_ids or chat.phone_id in self.phone_ids)
        )


Item = Message | Gap | ChatRemoval


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Part of one chat in order; `begins`: it is the first part. A gap stands before what came after it."""

    chat: Conversation
    begins: bool
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The next parts; `cursor` None: that was all."""

    parts: tuple[Part, ...]
    cursor: Cursor | None


def placed(messages: Sequence[Message], gaps: Sequence[Gap], removals: Sequence[ChatRemoval]) -> list[Item]:
    """Return messages with each gap before the message it stands before, each removal behind its last one."""
    ranked: list[tuple[int, int, int, Item]] = [
        *((one.position, 1, one.id, one) for one in messages),
        *((gap.before_position, 0, gap.id, gap) for gap in gaps),
        *((removal.last_position, 2, removal.id, removal) for removal in removals),
    ]
    return [item for *_, item in sorted(ranked, key=lambda rank: rank[:3])]


class Exports:
    """Exports of chats; every page handed out is recorded."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def page(self, wanted: Wanted, cursor: Cursor | None, *, told: str, reason: str, actor: str) -> Pages:
        """Return the next parts; `told` says in the diary what is exported.

        BadRequest without a reason; UnknownConversation if one chat is asked for that is not there.
        """
        if not reason.strip():
            raise BadRequest("say why you export chats (reason); the export is recorded")
        with self._ledger.work() as work:
            if wanted.conversation_id is not None and work.tx.conversation(wanted.conversation_id) is None:
                raise UnknownConversation
            at = cursor or Cursor()
            page_told = told if cursor is None else f"{told}, on from chat {at.conversation_id}"
            enter(work, actor=actor, what="chat.export", object_=page_told, reason=reason)
            return _next_page(work.tx, wanted, at)


def _next_page(tx: Tx, wanted: Wanted, at: Cursor) -> Pages:
    parts: list[Part] = []
    left = _MESSAGES
    while True:
        chats = _chats(tx, wanted, at)
        for chat in chats:
            is_same = at.is_begun and chat.id == at.conversation_id
            after = at if is_same else Cursor(conversation_id=chat.id)
            part, reached, read = _part(tx, wanted.period, chat, after, left)
            parts.append(part)
            if reached is not None:
                return Pages(parts=tuple(parts), cursor=reached)
            # A chat without messages is work as well.
            left -= max(read, 1)
            at = Cursor(conversation_id=chat.id + 1)
            if left <= 0:
                return Pages(parts=tuple(parts), cursor=at)
        if not chats:
            return Pages(parts=tuple(parts), cursor=None)


def _chats(tx: Tx, wanted: Wanted, at: Cursor) -> list[Conversation]:
    """Return the next chats that are wanted, the one at the cursor first; empty: there are no more."""
    if wanted.conversation_id is not None:
        chat = tx.conversation(wanted.conversation_id)
        return [chat] if chat is not None and chat.id >= at.conversation_id else []
    from_id = at.conversation_id
    while True:
        found = tx.conversations_from(from_id, account_id=wanted.account_id, limit=_CHATS)
        chosen = [chat for chat in found if wanted.has(chat)]
        if chosen or len(found) < _CHATS:
            return chosen
        from_id = found[-1].id + 1


def _part(
    tx: Tx, period: Period, chat: Conversation, after: Cursor, most: int
) -> tuple[Part, Cursor | None, int]:
    """Return the next messages of a chat and what stands between, where to go on, and how many they are."""
    ids = tx.message_ids_after(chat.id, position=after.position, message_id=after.message_id, limit=most)
    messages = tx.messages_by_id(ids)
    is_last = len(ids) < most
    low = after.position if after.is_begun else None
    high = None if is_last else messages[-1].position
    kept = [message for message in messages if period.has(message)]
    gaps = [
        gap for gap in tx.gaps(chat.id) if _is_within(gap.before_position, low, high) and period.has_gap(gap)
    ]
    removals = [
        removal
        for removal in tx.removals(chat.id)
        # Behind its last message, which may be the last one of this page: then it comes with the next.
        if _is_within(removal.last_position + 1, low, high)
        and period.touches(removal.from_ms, removal.to_ms + 1)
    ]
    part = Part(chat=chat, begins=not after.is_begun, items=tuple(placed(kept, gaps, removals)))
    if is_last:
        return part, None, len(ids)
    last = messages[-1]
    reached = Cursor(conversation_id=chat.id, position=last.position, message_id=last.id, is_begun=True)
    return part, reached, len(ids)


def _is_within(position: int, low: int | None, high: int | None) -> bool:
    return (low is None or position > low) and (high is None or position <= high)
