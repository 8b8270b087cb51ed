"""Accepting those who ask an account: its policy, off until a person switches it on with a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fastapi import APIRouter

from controller.core import Core
from controller.model import AccountId, PhoneId
from controller.people import AcceptPolicy
from controller.web.accounts import account_named, zone_of
from controller.web.desk import Actor, At

router = APIRouter(prefix="/friends/accepting", tags=["friends"])


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """Whether an account accepts who asks it; hours are minutes of its own day."""

    phone_id: str | None
    account_id: str
    time_zone: str
    is_on: bool
    hours: tuple[int, int]
    weekdays: list[int]
    reply: str
    tags: list[str]
    set_by: str
    set_at_ms: int | None


def policy_view(core: Core, phone_id: PhoneId | None, account_id: AccountId) -> PolicyView:
    """Show whether and how an account accepts."""
    policy = core.accepting.policy(account_id)
    return PolicyView(
        phone_id=phone_id,
        account_id=account_id,
        time_zone=zone_of(core, account_id),
        is_on=policy.is_on,
        hours=policy.hours,
        weekdays=sorted(policy.weekdays),
        reply=policy.reply,
        tags=list(policy.tags),
        set_by=policy.set_by,
        set_at_ms=policy.set_at_ms or None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """What changes; null leaves a part as it is, an empty reply or list takes it away."""

    is_on: bool | None = None
    hours: tuple[int, int] | None = None
    weekdays: list[int] | None = None
    reply: str | None = None
    tags: list[str] | None = None
    reason: str = ""


@router.get("/{name}", summary="Show whether an account accepts requests")
async def show_policy(at: At, name: str) -> PolicyView:
    """Return the policy of an account; `name` is a phone's number or an account's id."""
    return await at.ask(lambda core: policy_view(core, *account_named(core, name)))


@router.post("/{name}", summary="Set whether an account accepts requests")
async def set_policy(at: At, actor: Actor, name: str, asked: PolicyChange) -> PolicyView:
    """Switch accepting on or off, and say when, with which reply and tags; needs a reason."""

    def keep(core: Core) -> PolicyView:
        phone_id, account_id = account_named(core, name)
        policy = changed(core.accepting.policy(account_id), asked)
        core.accepting.set(account_id, policy, reason=asked.reason, actor=actor)
        return policy_view(core, phone_id, account_id)

    return await at.ask(keep)


def changed(policy: AcceptPolicy, asked: PolicyChange) -> AcceptPolicy:
    """Return a policy with what was asked."""
    return replace(
        policy,
        is_on=policy.is_on if asked.is_on is None else asked.is_on,
        hours=policy.hours if asked.hours is None else asked.hours,
        weekdays=policy.weekdays if asked.weekdays is None else frozenset(asked.weekdays),
        reply=policy.reply if asked.reply is None else asked.reply,
        tags=policy.tags if asked.tags is None else tuple(asked.tags),
    )
