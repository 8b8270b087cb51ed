"""Which account a person means: by the number of its phone, or by its own id."""

from __future__ import annotations

from controller.core import Core
from controller.errors import BadRequest, UnknownPhone
from controller.model import AccountId, PhoneId


def account_named(core: Core, name: str) -> tuple[PhoneId | None, AccountId]:
    """Return an account and the phone it works on; UnknownPhone, BadRequest for a phone without account."""
    text = name.strip()
    bound = {phone.account_id: phone.phone_id for phone in core.fleet.phones() if phone.account_id}
    account_id = AccountId(text)
    if account_id in bound:
        return bound[account_id], account_id
    if not (text.isascii() and text.isdigit()):
        if core.fleet.account(account_id).first_bound_ms is None:
            raise UnknownPhone(f"no phone and no account {text[:40]!r}")
        return None, account_id
    phone = core.fleet.phone(PhoneId(text))
    if phone.account_id is None:
        raise BadRequest(
            f"no account is bound to phone {phone.phone_id}; bind one: farm phones assign {phone.phone_id}"
        )
    return phone.phone_id, phone.account_id


def zone_of(core: Core, account_id: AccountId | None) -> str:
    """Return the zone by which the hours of an account are read: its own, else the farm's."""
    own = core.fleet.account(account_id).time_zone if account_id else ""
    return own or core.settings.time_zone
