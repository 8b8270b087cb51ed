"""Accounts at rest or frozen: what brings them there, and the named person who brings them back."""

from __future__ import annotations

from dataclasses import dataclass

from controller.audit import enter
from controller.cooldowns import (
    ECHO,
    PROBATION_MS,
    STRIKES_COUNT_MS,
    cooldown_ms,
    early_by_ms,
    is_new_strike,
    strikes,
)
from controller.errors import BadRequest
from controller.ledger import Work
from controller.model import Account, AccountId, Phone

_MAX_CAUSE_CHARS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What a person's word changed: how early it came, and until when the account gets less."""

    phone: Phone
    early_by_ms: int = 0
    probation_until_ms: int | None = None


def warn(work: Work, account_id: AccountId, *, cause: str) -> None:
    """Let an account rest after a warning; each lets it rest longer, also one that comes while it rests.

    An echo (see controller.cooldowns) counts only if the warning itself did not come before.
    """
    tx = work.tx
    cause = cause[:_MAX_CAUSE_CHARS]
    tx.ensure_account(account_id)
    account = tx.lock_account(account_id)
    rests = account is not None and account.resting_since_ms is not None
    tx.rest(account_id, since_ms=work.now_ms, cause=cause)
    earlier = tx.strikes(account_id, work.now_ms - STRIKES_COUNT_MS)
    if (cause == ECHO and rests) or not is_new_strike(earlier, cause, work.now_ms):
        return
    tx.add_strike(account_id, at_ms=work.now_ms, cause=cause)
    count = strikes(earlier, work.now_ms) + 1
    tx.set_cooldown(account_id, strikes=count, until_ms=work.now_ms + cooldown_ms(count))


def lift(work: Work, account: Account, *, reason: str, actor: str) -> tuple[int, int | None]:
    """End rest and freeze of an account; BadRequest if it neither rests nor is frozen.

    Returns how early that is and until when the account gets less (None: it does not).
    """
    tx = work.tx
    rested = tx.lift(account.account_id)
    thawed = tx.thaw(account.account_id)
    if not rested and not thawed:
        raise BadRequest("this account neither rests nor is frozen")
    early_ms = early_by_ms(account.cooldown_until_ms, work.now_ms) if rested else 0
    until_ms = work.now_ms + PROBATION_MS if rested else None
    if until_ms is not None:
        tx.set_probation(account.account_id, until_ms)
    told = reason.strip()
    if early_ms:
        told = f"early by {early_ms // 60_000} min; {told}"
    enter(work, actor=actor, what="account.clear", object_=account.account_id, reason=told)
    return early_ms, until_ms
