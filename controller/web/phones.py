"""Phones: the list, numbers, assignments, and the end of a rest."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from fastapi import APIRouter

from controller.core import Core
from controller.model import Account, Action, Phone, PhoneId, QuotaUse, Sighting
from controller.web.desk import Actor, At
from controller.web.evidence import ScreenView, WarningView, screen_view, warning_view
from controller.web.quotas import AccountView, account_view

router = APIRouter(prefix="/phones", tags=["phones"])

_LAST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneView:
    """A numbered phone with its account's use of the friend-add quota."""

    phone_id: str
    state: str
    cause: str
    rack: str
    holder: str
    account_id: str | None
    account_seen: str
    acting_mode: str | None
    resting_since_ms: int | None
    resting_cause: str
    strikes: int
    cooldown_until_ms: int | None
    probation_until_ms: int | None
    frozen_since_ms: int | None
    frozen_cause: str
    adds_day: int | None
    adds_hour: int | None
    adds_per_day: int | None
    adds_per_hour: int | None
    battery_percent: int | None
    temperature_decicelsius: int | None
    last_seen_ms: int | None
    numbered_at_ms: int
    serial: str
    slot: str
    host: str
    brand: str
    model: str
    android_version: str
    wechat_version: str
    wechat_version_code: int
    wechat_installer: str
    is_virtual: bool


def phone_view(phone: Phone, account: Account | None, use: QuotaUse | None) -> PhoneView:
    """Show a phone."""
    facts = phone.facts
    return PhoneView(
        phone_id=phone.phone_id,
        state=phone.state,
        cause=phone.cause,
        rack=phone.rack,
        holder=phone.holder,
        account_id=phone.account_id,
        account_seen=phone.account_seen,
        acting_mode=account.mode if account else None,
        resting_since_ms=account.resting_since_ms if account else None,
        resting_cause=account.resting_cause if account else "",
        strikes=account.strikes if account else 0,
        cooldown_until_ms=phone.cooldown_until_ms,
        probation_until_ms=account.probation_until_ms if account else None,
        frozen_since_ms=account.frozen_since_ms if account else None,
        frozen_cause=account.frozen_cause if account else "",
        adds_day=use.used_day if use else None,
        adds_hour=use.used_hour if use else None,
        adds_per_day=use.rule.per_day if use else None,
        adds_per_hour=use.rule.per_hour if use else None,
        battery_percent=phone.battery_percent if phone.battery_percent >= 0 else None,
        temperature_decicelsius=phone.temperature_decicelsius or None,
        last_seen_ms=phone.last_seen_ms,
        numbered_at_ms=phone.numbered_at_ms,
        serial=facts.serial,
        slot=facts.slot,
        host=facts.host,
        brand=facts.brand,
        model=facts.model,
        android_version=facts.android_version,
        wechat_version=facts.wechat_version,
        wechat_version_code=facts.wechat_version_code,
        wechat_installer=facts.wechat_installer,
        is_virtual=facts.is_virtual,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneDetail:
    """One phone with its account's quotas, and its last warnings and unreadable screens, newest first."""

    phone: PhoneView
    account: AccountView | None
    warnings: list[WarningView]
    screens: list[ScreenView]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearedView(PhoneView):
    """The phone after its account may act again, and how long before the meant end of the rest that was."""

    early_by_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingView:
    """A handset that reported and has no number yet."""

    serial: str
    slot: str
    host: str
    brand: str
    model: str
    android_version: str
    wechat_version: str
    account_seen: str
    is_virtual: bool
    first_seen_ms: int
    last_seen_ms: int


def waiting_view(seen: Sighting) -> WaitingView:
    """Show a handset without a number."""
    facts = seen.facts
    return WaitingView(
        serial=facts.serial,
        slot=facts.slot,
        host=facts.host,
        brand=facts.brand,
        model=facts.model,
        android_version=facts.android_version,
        wechat_version=facts.wechat_version,
        account_seen=seen.account_seen,
        is_virtual=facts.is_virtual,
        first_seen_ms=seen.first_seen_ms,
        last_seen_ms=seen.last_seen_ms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """Which handset gets the number, and the rack it stands in."""

    serial: str
    rack: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What changes: None leaves a part as it is, "" takes it away."""

    holder: str | None = None
    account_id: str | None = None
    unattended: bool | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """Why an account may act again after a warning."""

    reason: str


@router.get("", summary="List the phones that a selector names")
async def list_phones(at: At, select: str = "all") -> list[PhoneView]:
    """Return phones by number; selectors: 7 · 1-12,40 · @rack-A · state:backoff · holder:NAME · all."""
    return await at.ask(_selected, select)


@router.get("/waiting", summary="List handsets without a number")
async def list_waiting(at: At) -> list[WaitingView]:
    """Return the handsets that reported and have no number, longest known first."""
    return await at.ask(lambda core: [waiting_view(seen) for seen in core.fleet.sightings()])


@router.get("/{phone_id}", summary="Show one phone")
async def show_phone(at: At, phone_id: str) -> PhoneView:
    """Return one phone; 7 and 007 are the same."""
    return await at.ask(lambda core: _view(core, core.fleet.phone(PhoneId(phone_id))))


@router.get("/{phone_id}/detail", summary="Show all of one phone")
async def show_detail(at: At, phone_id: str) -> PhoneDetail:
    """Return one phone with its account's quotas, its last warnings and what its agent could not read."""
    return await at.ask(_detail, PhoneId(phone_id))


@router.post("/{phone_id}/number", summary="Give a handset its number")
async def number_phone(at: At, actor: Actor, phone_id: str, asked: Numbering) -> PhoneView:
    """Bind a painted number to a handset; the same pair twice is no error."""

    def number(core: Core) -> PhoneView:
        return _view(core, core.fleet.number(PhoneId(phone_id), asked.serial, rack=asked.rack, actor=actor))

    return await at.ask(number)


@router.post("/{phone_id}/assignment", summary="Set holder, account and who taps")
async def assign_phone(at: At, actor: Actor, phone_id: str, asked: Assignment) -> PhoneView:
    """Assign a phone; with no account named, the one seen on the phone is bound."""

    def assign(core: Core) -> PhoneView:
        phone = core.fleet.assign(
            PhoneId(phone_id),
            holder=asked.holder,
            account_id=asked.account_id,
            unattended=asked.unattended,
            reason=asked.reason,
            actor=actor,
        )
        return _view(core, phone)

    return await at.ask(assign)


@router.post("/{phone_id}/clearing", summary="End the rest after a warning")
async def clear_phone(at: At, actor: Actor, phone_id: str, asked: Clearing) -> ClearedView:
    """Let the phone's account act again: a named person decides, with a reason."""

    def clear(core: Core) -> ClearedView:
        done = core.fleet.clear(PhoneId(phone_id), reason=asked.reason, actor=actor)
        return ClearedView(**asdict(_view(core, done.phone)), early_by_ms=done.early_by_ms)

    return await at.ask(clear)


def _selected(core: Core, select: str) -> list[PhoneView]:
    return [_view(core, phone) for phone in core.fleet.select(select)]


def _detail(core: Core, phone_id: PhoneId) -> PhoneDetail:
    phone = core.fleet.phone(phone_id)
    host = phone.facts.host
    warned = core.archive.warnings(phone_id=phone.phone_id, limit=_LAST)
    blind = core.archive.blind_screens(phone.phone_id, limit=_LAST)
    return PhoneDetail(
        phone=_view(core, phone),
        account=account_view(core, phone.phone_id, phone.account_id) if phone.account_id else None,
        warnings=[warning_view(one, host) for one in warned],
        screens=[screen_view(one, host) for one in blind],
    )


def _view(core: Core, phone: Phone) -> PhoneView:
    if phone.account_id is None:
        return phone_view(phone, None, None)
    uses = {use.action: use for use in core.quotas.use(phone.account_id)}
    return phone_view(phone, core.fleet.account(phone.account_id), uses.get(Action.FRIEND_ADD))
