"""Search, export and coverage of chats; every search and every export is written down with its reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from controller import chatexport, search
from controller.clock import DAY_MS
from controller.core import Core
from controller.errors import BadRequest
from controller.model import AccountId, PhoneId
from controller.periods import FOREVER_MS, Period
from controller.records import ChatRemoval, Conversation, Gap, Message
from controller.safe import masked
from controller.web.accounts import account_named
from controller.web.chatviews import (
    GapView,
    HourView,
    MessageView,
    RemovalView,
    gap_view,
    hour_view,
    message_view,
    removal_view,
)
from controller.web.desk import Actor, At
from controller.web.values import Number, Text

router = APIRouter(prefix="/chats", tags=["chats"])

_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatName:
    """Which chat something is of."""

    conversation_id: int
    phone_id: str
    account_id: str
    title: str
    kind: str


def chat_name(chat: Conversation, *, is_revealed: bool = False) -> ChatName:
    """Name a chat."""
    return ChatName(
        conversation_id=chat.id,
        phone_id=chat.phone_id,
        account_id=chat.account_id,
        title=chat.title if is_revealed else masked(chat.title),
        kind=chat.kind,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAsked:
    """Words that must all be there, where to look, and why; `before_id` goes on below an earlier answer."""

    text: Text
    reason: Text = ""
    phones: Text = "all"
    account: Text = ""
    conversation_id: Number | None = None
    from_ms: Number = 0
    to_ms: Number = FOREVER_MS
    before_id: Number | None = None
    limit: Number = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class HitView:
    """A message that matches, and its chat."""

    chat: ChatName
    message: MessageView


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchView:
    """What was found, newest first; `next_before_id` null: there is no more."""

    hits: list[HitView]
    next_before_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorView:
    """Where an export goes on: send it back as it came."""

    conversation_id: Number
    position: Number
    message_id: Number
    is_begun: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAsked:
    """Which chats are exported and why; nothing named: all. `is_revealed`: mobiles are not masked."""

    reason: Text = ""
    conversation_id: Number | None = None
    phones: Text = "all"
    account: Text = ""
    from_ms: Number = 0
    to_ms: Number = FOREVER_MS
    is_revealed: bool = False
    cursor: CursorView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One thing of a chat in its place: exactly one of the three is set."""

    message: MessageView | None = None
    gap: GapView | None = None
    removal: RemovalView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """Part of one chat in order; `begins`: its first part."""

    chat: ChatName
    begins: bool
    items: list[ItemView]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportView:
    """The next parts; `cursor` null: that was all."""

    parts: list[PartView]
    cursor: CursorView | None


@router.get("/coverage", summary="Show how accounts were watched, by the hour")
async def show_coverage(
    at: At,
    phones: Text = "all",
    from_ms: Annotated[Number | None, Query(ge=0)] = None,
    to_ms: Annotated[Number | None, Query(ge=0)] = None,
) -> list[HourView]:
    """Return the hours of the accounts bound to phones, by account and time; without times the last day."""

    def hours(core: Core) -> list[HourView]:
        until_ms = core.clock.now_ms() if to_ms is None else to_ms
        since_ms = max(until_ms - DAY_MS, 0) if from_ms is None else from_ms
        if since_ms >= until_ms:
            raise BadRequest("the period ends before it begins")
        account_ids = [phone.account_id for phone in core.fleet.select(phones) if phone.account_id]
        found = core.coverage.hours(account_ids, from_ms=since_ms, to_ms=until_ms)
        return [hour_view(hour) for hour in found]

    return await at.ask(hours)


@router.post("/search", summary="Search chats")
async def search_chats(at: At, actor: Actor, asked: SearchAsked) -> SearchView:
    """Return messages that have all words, newest first; the search is recorded, so it needs a reason."""
    return await at.ask(_search, asked, actor)


@router.post("/export", summary="Export chats")
async def export_chats(at: At, actor: Actor, asked: ExportAsked) -> ExportView:
    """Return the next parts of chats, by chat and position; each page is recorded, so it needs a reason."""
    return await at.ask(_export, asked, actor)


def _search(core: Core, asked: SearchAsked, actor: str) -> SearchView:
    query = search.Query(
        words=search.words_of(asked.text),
        phone_ids=phones_named(core, asked.phones),
        account_id=account_or_none(core, asked.account),
        conversation_id=asked.conversation_id,
        period=period(asked.from_ms, asked.to_ms),
        before_id=asked.before_id,
        limit=max(1, min(asked.limit, _MOST)),
    )
    found = core.search.find(query, reason=asked.reason, actor=actor)
    hosts = _hosts(core)
    chats = [found.chats[message.conversation_id] for message in found.messages]
    return SearchView(
        hits=[
            HitView(chat=chat_name(chat), message=message_view(message, host=hosts[chat.phone_id]))
            for chat, message in zip(chats, found.messages, strict=True)
        ],
        next_before_id=found.next_before_id,
    )


def _hosts(core: Core) -> dict[PhoneId, str]:
    return {phone.phone_id: phone.facts.host for phone in core.fleet.phones()}


def _export(core: Core, asked: ExportAsked, actor: str) -> ExportView:
    wanted = chatexport.Wanted(
        conversation_id=asked.conversation_id,
        phone_ids=phones_named(core, asked.phones),
        account_id=account_or_none(core, asked.account),
        period=period(asked.from_ms, asked.to_ms),
    )
    cursor = None if asked.cursor is None else chatexport.Cursor(**asdict(asked.cursor))
    which = f"chat {asked.conversation_id}" if asked.conversation_id else asked.account or asked.phones
    told = f"{which}{', mobiles in full' if asked.is_revealed else ''}"
    pages = core.exports.page(wanted, cursor, told=told, reason=asked.reason, actor=actor)
    hosts = _hosts(core)
    return ExportView(
        parts=[
            _part_view(part, host=hosts[part.chat.phone_id], is_revealed=asked.is_revealed)
            for part in pages.parts
        ],
        cursor=None if pages.cursor is None else CursorView(**asdict(pages.cursor)),
    )


def _part_view(part: chatexport.Part, *, host: str, is_revealed: bool) -> PartView:
    return PartView(
        chat=chat_name(part.chat, is_revealed=is_revealed),
        begins=part.begins,
        items=[_item_view(item, host=host, is_revealed=is_revealed) for item in part.items],
    )


def _item_view(item: chatexport.Item, *, host: str, is_revealed: bool) -> ItemView:
    match item:
        case Message():
            return ItemView(message=message_view(item, host=host, is_revealed=is_revealed))
        case Gap():
            return ItemView(gap=gap_view(item))
        case ChatRemoval():
            return ItemView(removal=removal_view(item))


def phones_named(core: Core, phones: str) -> tuple[PhoneId, ...]:
    """Return the phones that a text names; none for all of them."""
    if phones == "all":
        return ()
    # A state that no phone has names none of them, and not all: no phone has this number.
    return tuple(phone.phone_id for phone in core.fleet.select(phones)) or (PhoneId("none"),)


def account_or_none(core: Core, name: str) -> AccountId | None:
    """Return the account that a text names; None for no text."""
    return account_named(core, name)[1] if name.strip() else None


def period(from_ms: int, to_ms: int) -> Period:
    """Return a time; BadRequest if it ends before it begins."""
    if from_ms >= to_ms:
        raise BadRequest("the period ends before it begins")
    return Period(from_ms=from_ms, to_ms=to_ms)
