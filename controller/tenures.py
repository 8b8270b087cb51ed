"""Who held a phone, and with which account, when something was read on it: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from controller.model import AccountId, Phone, Tenure


def as_of(phone: Phone, tenures: Sequence[Tenure], at_ms: int) -> Phone:
    """Return a phone with the holder and the account of a moment; `tenures` are all of it, oldest first.

    Before the first one nobody held it, and its account is the first one.
    """
    if at_ms >= phone.held_since_ms or not tenures:
        return phone
    then = next((one for one in reversed(tenures) if one.since_ms <= at_ms), None)
    if then is None:
        return replace(phone, holder="", account_id=tenures[0].account_id)
    return replace(phone, holder=then.holder, account_id=then.account_id)


def was_bound(tenures: Sequence[Tenure], account_id: AccountId, from_ms: int, to_ms: int) -> bool:
    """Tell whether an account was bound to a phone at some moment from one to another, both included."""
    ends = [*(one.since_ms for one in tenures[1:]), to_ms + 1]
    return any(
        one.account_id == account_id and one.since_ms <= to_ms and end > from_ms and end > one.since_ms
        for one, end in zip(tenures, ends, strict=True)
    )
