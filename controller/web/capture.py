"""How the chats of accounts may be read: mode, hours, pictures, bounds, and private chats."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from controller import weekhours
from controller.capturerules import CaptureRules, ExcludedChat
from controller.captures import RuleParts
from controller.core import Core
from controller.model import AccountId, PhoneId
from controller.web.accounts import account_named, zone_of
from controller.web.desk import Actor, At
from controller.web.values import Number, Text

router = APIRouter(prefix="/capture", tags=["capture"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesView:
    """How an account's chats may be read; hours as typed (mon-fri 08:00-20:00), by the clock of `time_zone`.

    `media` is facts or pictures. `first_days` and `first_pages` bound the first visit of a chat, 0: as the
    agent has it. `stands_against` says why nothing is captured now in spite of the rules; empty: nothing.
    """

    phone_id: str | None
    account_id: str
    mode: str
    hours: str
    sweep_hours: str
    time_zone: str
    media: str
    first_days: int
    first_pages: int
    private_chats: int
    stands_against: str
    set_by: str
    set_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesAsked:
    """Parts to set; null leaves a part. To keep pictures needs a reason."""

    mode: Text | None = None
    hours: Text | None = None
    sweep_hours: Text | None = None
    media: Text | None = None
    first_days: Number | None = None
    first_pages: Number | None = None
    reason: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateView:
    """A private chat of an account: nothing of it is read or kept."""

    account_id: str
    kind: str
    title: str
    reason: str
    excluded_by: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateAsked:
    """Which chat becomes private, or is captured again: its title as on the phone, its kind, and why."""

    title: Text
    kind: Text = "private"
    reason: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludedView:
    """Whether the chat was private until now."""

    was_private: bool


@router.get("", summary="List how accounts' chats may be read")
async def list_rules(at: At, phones: Text = "all") -> list[RulesView]:
    """Return the rules of the accounts bound to the phones named."""

    def rules(core: Core) -> list[RulesView]:
        chosen = core.fleet.select(phones)
        return [_view(core, phone.phone_id, phone.account_id) for phone in chosen if phone.account_id]

    return await at.ask(rules)


@router.post("/{name}", summary="Set how an account's chats may be read")
async def set_rules(at: At, actor: Actor, name: Text, asked: RulesAsked) -> RulesView:
    """Set parts of the rules; the agent hears at once. `name` is a phone's number or an account."""

    def put(core: Core) -> RulesView:
        phone_id, account_id = account_named(core, name)
        parts = RuleParts(
            mode=asked.mode,
            hours=asked.hours,
            sweep_hours=asked.sweep_hours,
            media=asked.media,
            first_days=asked.first_days,
            first_pages=asked.first_pages,
        )
        core.captures.set_rules(account_id, parts, reason=asked.reason, actor=actor)
        return _view(core, phone_id, account_id)

    return await at.ask(put)


@router.get("/{name}/private", summary="List private chats")
async def list_private(at: At, name: Text) -> list[PrivateView]:
    """Return the chats of an account of which nothing is read or kept."""

    def private(core: Core) -> list[PrivateView]:
        _, account_id = account_named(core, name)
        return [private_view(chat) for chat in core.captures.excluded(account_id)]

    return await at.ask(private)


@router.post("/{name}/private", summary="Make a chat private")
async def exclude_chat(at: At, actor: Actor, name: Text, asked: PrivateAsked) -> PrivateView:
    """Let nothing of a chat be read or kept from now on; what was archived before stays. Needs a reason."""

    def exclude(core: Core) -> PrivateView:
        _, account_id = account_named(core, name)
        chat = core.captures.exclude(
            account_id, asked.title, kind=asked.kind, reason=asked.reason, actor=actor
        )
        return private_view(chat)

    return await at.ask(exclude)


@router.post("/{name}/private/end", summary="Let a private chat be captured again")
async def include_chat(at: At, actor: Actor, name: Text, asked: PrivateAsked) -> IncludedView:
    """Let a chat be read again from now on. Needs a reason."""

    def include(core: Core) -> IncludedView:
        _, account_id = account_named(core, name)
        was_private = core.captures.include(
            account_id, asked.title, kind=asked.kind, reason=asked.reason, actor=actor
        )
        return IncludedView(was_private=was_private)

    return await at.ask(include)


def private_view(chat: ExcludedChat) -> PrivateView:
    """Show a private chat."""
    return PrivateView(
        account_id=chat.account_id,
        kind=chat.key.partition(":")[0],
        title=chat.title,
        reason=chat.reason,
        excluded_by=chat.excluded_by,
        at_ms=chat.at_ms,
    )


def _view(core: Core, phone_id: PhoneId | None, account_id: AccountId) -> RulesView:
    rules: CaptureRules = core.captures.rules(account_id)
    return RulesView(
        phone_id=phone_id,
        account_id=account_id,
        mode=rules.mode,
        hours=weekhours.shown(rules.capture_windows),
        sweep_hours=weekhours.shown(rules.sweep_windows),
        time_zone=zone_of(core, account_id),
        media=rules.media or "facts",
        first_days=rules.first_days,
        first_pages=rules.first_pages,
        private_chats=len(core.captures.excluded(account_id)),
        stands_against=_against(core, phone_id),
        set_by=rules.set_by,
        set_at_ms=rules.set_at_ms or None,
    )


def _against(core: Core, phone_id: PhoneId | None) -> str:
    if phone_id is None:
        return "no phone is bound to this account"
    holder = core.fleet.phone(phone_id).holder
    return core.notices.standing(holder).why if holder else "nobody holds this phone"
