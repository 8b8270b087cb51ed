"""The book of red packets and transfers, as the screens showed them: read only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from controller.core import Core
from controller.moneybook import Asked, Entry
from controller.periods import FOREVER_MS, when
from controller.web.chatsearch import ChatName, account_or_none, chat_name, period, phones_named
from controller.web.desk import Actor, At
from controller.web.values import Number, Text

router = APIRouter(prefix="/ledger", tags=["ledger"])

_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """One red packet or transfer: `direction` out is from the account, in is to it.

    It came within `from_ms` and `to_ms` (half-open). `amount_fen` null: the screen never showed it.
    A transfer that was taken may show twice, once by each side: nothing here is a sum.
    """

    chat: ChatName
    message_id: int
    position: int
    kind: str
    direction: str
    sender: str
    amount_fen: int | None
    state: str
    is_recalled: bool
    from_ms: int
    to_ms: int
    read_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookView:
    """Entries, newest first; `next_before_id` null: there is no more."""

    entries: list[EntryView]
    next_before_id: int | None


def entry_view(entry: Entry) -> EntryView:
    """Show an entry."""
    message = entry.message
    from_ms, to_ms = when(message)
    return EntryView(
        chat=chat_name(entry.chat),
        message_id=message.id,
        position=message.position,
        kind=message.kind,
        direction=message.side,
        sender=message.sender,
        amount_fen=message.amount_fen_now if message.amount_fen_now >= 0 else None,
        state=message.state_now,
        is_recalled=message.is_recalled,
        from_ms=from_ms,
        to_ms=to_ms,
        read_at_ms=message.read_at_ms,
    )


@router.get("", summary="List red packets and transfers")
async def list_entries(
    at: At,
    actor: Actor,
    phones: Text = "all",
    account: Text = "",
    from_ms: Number = 0,
    to_ms: Number = FOREVER_MS,
    before_id: Number | None = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 200,
) -> BookView:
    """Return what the screens showed of money, newest first; it is of chats, so the look is recorded."""

    def page(core: Core) -> BookView:
        asked = Asked(
            phone_ids=phones_named(core, phones),
            account_id=account_or_none(core, account),
            period=period(from_ms, to_ms),
            before_id=before_id,
            limit=limit,
        )
        core.audit.record(actor=actor, what="ledger.read", object=account.strip() or phones)
        found = core.moneybook.page(asked)
        return BookView(
            entries=[entry_view(entry) for entry in found.entries], next_before_id=found.next_before_id
        )

    return await at.ask(page)
