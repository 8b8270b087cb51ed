"""What is shown and allowed of a phone, from what it reports and what is decided: pure functions."""

from __future__ import annotations

from dataclasses import replace

from controller.model import Account, ActingMode, Held, Phone
from controller.sessions import PhoneSettings
from protos.facts import PhoneState

MISMATCH = "account_mismatch"
RESTING = "resting"
FROZEN = "frozen"
_MAX_CAUSE_CHARS = 120
_AT_WORK = frozenset({PhoneState.READY, PhoneState.BUSY, PhoneState.NO_NOTICE, PhoneState.BACKOFF})
# Whether an account rests is decided here, so the agent's own `backoff` does not stop it; capture waits for a
# notice, acting does not.
_USABLE = _AT_WORK


def reported(state: str, cause: str) -> tuple[PhoneState, str]:
    """Return a reported state; a text that this release does not know becomes the cause of `preparing`."""
    short = cause[:_MAX_CAUSE_CHARS]
    if state in set(PhoneState):
        return PhoneState(state), short
    return PhoneState.PREPARING, f"unknown state {state[:40]}"


def is_mismatched(phone: Phone) -> bool:
    """Tell whether another account is signed in than the one bound to this phone."""
    return bool(phone.account_id and phone.account_seen and phone.account_seen != phone.account_id)


def is_resting(account: Account | None) -> bool:
    """Tell whether an account rests after a warning."""
    return account is not None and account.resting_since_ms is not None


def is_frozen(account: Account | None) -> bool:
    """Tell whether an account is frozen until a named person looked at it."""
    return account is not None and account.frozen_since_ms is not None


def overlaid(phone: Phone, account: Account | None, *, why_untold: str) -> Phone:
    """Return a phone as people should see it: what the controller knows stands over what the agent says.

    `why_untold` is what stands against reading the holder's chats; empty if nothing does, or nobody holds it.
    """
    if account is not None and is_resting(account):
        phone = replace(phone, cooldown_until_ms=account.cooldown_until_ms)
    if phone.state not in _AT_WORK:
        return phone
    if is_mismatched(phone):
        return replace(phone, state=PhoneState.QUARANTINED, cause=MISMATCH)
    if account is not None and account.resting_since_ms is not None:
        return replace(phone, state=PhoneState.BACKOFF, cause=account.resting_cause)
    if account is not None and account.frozen_since_ms is not None:
        return replace(phone, state=PhoneState.BACKOFF, cause=f"{FROZEN}: {account.frozen_cause}")
    if phone.state in {PhoneState.READY, PhoneState.NO_NOTICE} and why_untold:
        return replace(phone, state=PhoneState.NO_NOTICE, cause=why_untold)
    return phone


def allowed(phone: Phone, account: Account | None, *, has_notice: bool, sweep_pause_ms: int) -> PhoneSettings:
    """Return what a phone is allowed: capture of the bound account with a notice; who taps by decision."""
    stands_still = account is None or is_resting(account) or is_frozen(account)
    mode = None if account is None or stands_still else account.mode
    return PhoneSettings(
        capture_allowed=bool(phone.holder and phone.account_id) and has_notice and not is_mismatched(phone),
        unattended=mode is ActingMode.UNATTENDED,
        assist=mode is ActingMode.ASSIST,
        account_id=phone.account_id or "",
        sweep_pause_ms=sweep_pause_ms,
    )


def standing(phone: Phone, account: Account | None) -> Held | None:
    """Return why a phone may take no task now whatever is queued; None if it may."""
    if phone.account_id is None or account is None:
        return Held(cause="no_account")
    if phone.state not in _USABLE:
        return Held(cause=f"phone_{phone.state}")
    if is_mismatched(phone):
        return Held(cause=MISMATCH)
    if is_resting(account):
        return Held(cause=RESTING)
    return Held(cause=FROZEN) if is_frozen(account) else None
