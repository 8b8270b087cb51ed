"""Quotas: what accounts used and may still do, how people set limits, and the freeze after a restore."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from controller.core import Core
from controller.errors import BadRequest
from controller.model import AccountId, Action, PhoneId, QuotaChange, QuotaRule, QuotaUse
from controller.web.accounts import account_named, zone_of
from controller.web.desk import Actor, At

router = APIRouter(prefix="/quotas", tags=["quotas"])

_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class UseView:
    """One action of one account: `per_day` is the limit now, `per_day_full` that of an old account."""

    action: str
    used_day: int
    used_hour: int
    by_hand_day: int
    per_day: int
    per_day_full: int
    per_hour: int
    spacing_ms: int
    hours: tuple[int, int]
    weekdays: list[int]
    ramp: list[tuple[int, int]]
    contact_pause_ms: int
    free_at_ms: int | None
    held: str
    origin: str


def use_view(use: QuotaUse, rule: QuotaRule) -> UseView:
    """Show what was used of a rule, which is given as it stands without age and probation."""
    return UseView(
        action=use.action,
        used_day=use.used_day,
        used_hour=use.used_hour,
        by_hand_day=use.by_hand_day,
        per_day=use.rule.per_day,
        per_day_full=rule.per_day,
        per_hour=use.rule.per_hour,
        spacing_ms=use.rule.spacing_ms,
        hours=use.rule.hours,
        weekdays=sorted(use.rule.weekdays),
        ramp=list(use.rule.ramp),
        contact_pause_ms=use.rule.contact_pause_ms,
        free_at_ms=use.free_at_ms,
        held=use.held,
        origin=use.rule.origin,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account with what holds it back, and its use of each action; hours are minutes of its own day."""

    account_id: str
    phone_id: str | None
    time_zone: str
    resting_since_ms: int | None
    resting_cause: str
    strikes: int
    cooldown_until_ms: int | None
    probation_until_ms: int | None
    frozen_since_ms: int | None
    frozen_cause: str
    restored_until_ms: int | None
    actions: list[UseView]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """One limit as a person changed it."""

    change_id: int
    at_ms: int
    account_id: str
    action: str
    field: str
    before: str
    after: str
    reason: str
    actor: str


def change_view(change: QuotaChange) -> ChangeView:
    """Show a change of a limit."""
    return ChangeView(
        change_id=change.id,
        at_ms=change.at_ms,
        account_id=change.account_id,
        action=change.action,
        field=change.field,
        before=change.before,
        after=change.after,
        reason=change.reason,
        actor=change.actor,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits to set; null leaves one as it is. To raise one, or to widen the hours, needs a reason."""

    per_day: int | None = None
    per_hour: int | None = None
    spacing_ms: int | None = None
    hours: tuple[int, int] | None = None
    weekdays: list[int] | None = None
    contact_pause_ms: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """By which clock the hours of an account are read: an IANA name, "" for the farm's own."""

    time_zone: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """Which backup was restored."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Until when the whole farm takes no permit."""

    restored_until_ms: int


@router.get("", summary="Show what accounts used of their quotas")
async def show_quotas(at: At, select: str = "all") -> list[AccountView]:
    """Return the accounts of the phones that a selector names (or one account by its id), by phone."""
    return await at.ask(_shown, select)


@router.post("/restored", summary="Say that the data was restored from a backup")
async def say_restored(at: At, actor: Actor, asked: Restore) -> Frozen:
    """Freeze the permits of the whole farm until everything the backup does not know is past."""
    return await at.ask(
        lambda core: Frozen(restored_until_ms=core.quotas.restored(reason=asked.reason, actor=actor))
    )


@router.get("/{name}/history", summary="List how people changed the limits of an account")
async def list_changes(
    at: At,
    name: str,
    action: Action | None = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> list[ChangeView]:
    """Return changes, newest first; `name` is a phone's number or an account's id."""

    def changes(core: Core) -> list[ChangeView]:
        _, account_id = account_named(core, name)
        found = core.quotas.history(account_id, action=action, limit=limit)
        return [change_view(change) for change in found]

    return await at.ask(changes)


@router.post("/{name}/zone", summary="Set the time zone of an account")
async def set_zone(at: At, actor: Actor, name: str, asked: Zone) -> AccountView:
    """Read the allowed hours of an account by another clock: a named person decides, with a reason."""

    def keep(core: Core) -> AccountView:
        phone_id, account_id = account_named(core, name)
        core.quotas.set_time_zone(account_id, asked.time_zone, reason=asked.reason, actor=actor)
        return account_view(core, phone_id, account_id)

    return await at.ask(keep)


@router.post("/{name}/{action}", summary="Set limits of an account")
async def set_limits(at: At, actor: Actor, name: str, action: Action, asked: Limits) -> AccountView:
    """Set limits of one action; what is lowered bites at once. No value lifts what stands above."""
    if all(getattr(asked, part) is None for part in Limits.__dataclass_fields__ if part != "reason"):
        raise BadRequest("say which limit: per_day, per_hour, spacing, hours, weekdays or contact_pause")

    def keep(core: Core) -> AccountView:
        phone_id, account_id = account_named(core, name)
        core.quotas.set(
            account_id,
            action,
            per_day=asked.per_day,
            per_hour=asked.per_hour,
            spacing_ms=asked.spacing_ms,
            hours=asked.hours,
            weekdays=None if asked.weekdays is None else frozenset(asked.weekdays),
            contact_pause_ms=asked.contact_pause_ms,
            reason=asked.reason,
            actor=actor,
        )
        return account_view(core, phone_id, account_id)

    return await at.ask(keep)


def _shown(core: Core, select: str) -> list[AccountView]:
    phones = core.fleet.phones()
    if select.strip() in {phone.account_id for phone in phones}:
        return [account_view(core, *account_named(core, select))]
    return [
        account_view(core, phone.phone_id, phone.account_id)
        for phone in core.fleet.select(select)
        if phone.account_id is not None
    ]


def account_view(core: Core, phone_id: PhoneId | None, account_id: AccountId) -> AccountView:
    """Show an account with its use of each action."""
    account = core.fleet.account(account_id)
    full = {rule.action: rule for rule in core.quotas.rules(account_id)}
    return AccountView(
        account_id=account_id,
        phone_id=phone_id,
        time_zone=zone_of(core, account_id),
        resting_since_ms=account.resting_since_ms,
        resting_cause=account.resting_cause,
        strikes=account.strikes,
        cooldown_until_ms=account.cooldown_until_ms if account.resting_since_ms is not None else None,
        probation_until_ms=_still(core, account.probation_until_ms),
        frozen_since_ms=account.frozen_since_ms,
        frozen_cause=account.frozen_cause,
        restored_until_ms=core.quotas.restored_until_ms(),
        actions=[use_view(use, full[use.action]) for use in core.quotas.use(account_id)],
    )


def _still(core: Core, until_ms: int | None) -> int | None:
    return until_ms if until_ms is not None and until_ms > core.clock.now_ms() else None
