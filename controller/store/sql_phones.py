"""Phones, handsets without a number, and accounts, as statements."""

from __future__ import annotations

from controller.model import Account, AccountId, ActingMode, Phone, PhoneId, Sighting, Tenure
from controller.sessions import Pulse
from controller.store.sql_rows import Row, Statements, facts_of, facts_params, tenure_of
from protos.facts import PhoneFacts, PhoneState


class PhoneSql(Statements):
    """See controller.store.base.PhoneRows."""

    def phone(self, phone_id: PhoneId) -> Phone | None:
        """Return a phone by its number."""
        row = self._one("phone", phone_id=phone_id)
        return _phone(row) if row else None

    def lock_phone(self, phone_id: PhoneId) -> Phone | None:
        """Return a phone by its number; locks."""
        row = self._one("lock_phone", phone_id=phone_id)
        return _phone(row) if row else None

    def phone_by_serial(self, serial: str) -> Phone | None:
        """Return the phone that a handset is."""
        row = self._one("phone_by_serial", serial=serial)
        return _phone(row) if row else None

    def phones(self) -> list[Phone]:
        """Return all phones by number."""
        return [_phone(row) for row in self._all("phones")]

    def phone_of_account(self, account_id: AccountId) -> PhoneId | None:
        """Return the phone to which an account is bound."""
        row = self._one("phone_of_account", account_id=account_id)
        return PhoneId(row["phone_id"]) if row else None

    def add_phone(self, phone: Phone) -> bool:
        """Add a phone; False if its number or its handset is taken."""
        added = self._do(
            "add_phone",
            phone_id=phone.phone_id,
            serial=phone.facts.serial,
            **facts_params(phone.facts),
            state=phone.state,
            cause=phone.cause,
            rack=phone.rack,
            holder=phone.holder,
            account_id=phone.account_id,
            account_seen=phone.account_seen,
            epoch=phone.epoch,
            battery_percent=phone.battery_percent,
            temperature_decicelsius=phone.temperature_decicelsius,
            last_seen_ms=phone.last_seen_ms,
            numbered_at_ms=phone.numbered_at_ms,
        )
        return added == 1

    def set_facts(self, phone_id: PhoneId, facts: PhoneFacts) -> None:
        """Keep what a handset says of itself."""
        self._do("set_facts", phone_id=phone_id, **facts_params(facts))

    def raise_epoch(self, phone_id: PhoneId, now_ms: int, *, above: int = 0) -> int:
        """Raise the fence of a phone above itself and another one; an absent phone is preparing now."""
        return int(self._the("raise_epoch", phone_id=phone_id, now_ms=now_ms, above=above)["epoch"])

    def set_pulse(self, phone_id: PhoneId, state: PhoneState, pulse: Pulse, now_ms: int) -> None:
        """Keep a heartbeat; an account or a battery it does not know leaves the known one."""
        self._do(
            "set_pulse",
            phone_id=phone_id,
            state=state,
            cause=pulse.cause,
            agent_at_ms=pulse.agent_at_ms,
            now_ms=now_ms,
            battery_percent=pulse.battery_percent,
            temperature_decicelsius=pulse.temperature_decicelsius,
            account_seen=pulse.account_id,
        )

    def set_state(self, phone_id: PhoneId, state: PhoneState, cause: str, at_ms: int) -> None:
        """Keep a reported state unless a later one (by the agent's clock) is kept already."""
        self._do("set_state", phone_id=phone_id, state=state, cause=cause, at_ms=at_ms)

    def set_contact(self, phone_id: PhoneId, now_ms: int) -> None:
        """Keep the moment of the last contact."""
        self._do("set_contact", phone_id=phone_id, now_ms=now_ms)

    def mark_absent(self, *, before_ms: int, cause: str) -> list[PhoneId]:
        """Mark the phones absent that were last heard before `before_ms`; return them."""
        rows = self._all("mark_absent", before_ms=before_ms, cause=cause)
        return sorted(PhoneId(row["phone_id"]) for row in rows)

    def assign(self, phone_id: PhoneId, *, holder: str, account_id: AccountId | None, since_ms: int) -> None:
        """Keep who holds a phone and which account is bound to it, from a moment on."""
        told = {"phone_id": phone_id, "holder": holder, "account_id": account_id, "since_ms": since_ms}
        self._do("assign", **told)
        self._do("add_tenure", **told)

    def tenures(self, phone_id: PhoneId) -> list[Tenure]:
        """Return who held a phone and which account was bound to it, oldest first."""
        return [tenure_of(row) for row in self._all("tenures", phone_id=phone_id)]

    def count_refused(self, phone_id: PhoneId, events: int) -> None:
        """Count chat events that were dropped because no notice is recorded."""
        self._do("count_refused", phone_id=phone_id, events=events)

    def see(self, facts: PhoneFacts, account_seen: str, now_ms: int) -> None:
        """Keep that a handset without a number reported."""
        self._do("see", serial=facts.serial, **facts_params(facts), account_seen=account_seen, now_ms=now_ms)

    def sightings(self) -> list[Sighting]:
        """Return the handsets without a number, longest known first."""
        return [_sighting(row) for row in self._all("sightings")]

    def sighting(self, serial: str) -> Sighting | None:
        """Return one handset without a number."""
        row = self._one("sighting", serial=serial)
        return _sighting(row) if row else None

    def forget_sighting(self, serial: str) -> None:
        """Forget a handset that has its number now."""
        self._do("forget_sighting", serial=serial)

    def account(self, account_id: AccountId) -> Account | None:
        """Return an account."""
        row = self._one("account", account_id=account_id)
        return _account(row) if row else None

    def lock_account(self, account_id: AccountId) -> Account | None:
        """Return an account; locks, so that its permits can be counted and taken as one step."""
        row = self._one("lock_account", account_id=account_id)
        return _account(row) if row else None

    def ensure_account(self, account_id: AccountId) -> None:
        """Make an account known; a known one stays as it is."""
        self._do("ensure_account", account_id=account_id, mode=ActingMode.ASSIST)

    def set_mode(self, account_id: AccountId, mode: ActingMode) -> None:
        """Keep who makes the irreversible tap for an account."""
        self._do("set_mode", account_id=account_id, mode=mode)

    def rest(self, account_id: AccountId, *, since_ms: int, cause: str) -> bool:
        """Let an account rest; False if it rests already."""
        return self._do("rest", account_id=account_id, since_ms=since_ms, cause=cause) == 1

    def lift(self, account_id: AccountId) -> bool:
        """End the rest of an account; False if it does not rest."""
        return self._do("lift", account_id=account_id) == 1


def _phone(row: Row) -> Phone:
    return Phone(
        phone_id=PhoneId(row["phone_id"]),
        facts=facts_of(row),
        state=PhoneState(row["state"]),
        cause=row["cause"],
        rack=row["rack"],
        holder=row["holder"],
        account_id=AccountId(row["account_id"]) if row["account_id"] else None,
        account_seen=row["account_seen"],
        epoch=row["epoch"],
        battery_percent=row["battery_percent"],
        temperature_decicelsius=row["temperature_decicelsius"],
        last_seen_ms=row["last_seen_ms"],
        numbered_at_ms=row["numbered_at_ms"],
        held_since_ms=row["held_since_ms"],
    )


def _sighting(row: Row) -> Sighting:
    return Sighting(
        facts=facts_of(row),
        account_seen=row["account_seen"],
        first_seen_ms=row["first_seen_ms"],
        last_seen_ms=row["last_seen_ms"],
    )


def _account(row: Row) -> Account:
    return Account(
        account_id=AccountId(row["account_id"]),
        mode=ActingMode(row["mode"]),
        resting_since_ms=row["resting_since_ms"],
        resting_cause=row["resting_cause"],
        time_zone=row["time_zone"],
        first_bound_ms=row["first_bound_ms"],
        strikes=row["strikes"],
        cooldown_until_ms=row["cooldown_until_ms"],
        probation_until_ms=row["probation_until_ms"],
        frozen_since_ms=row["frozen_since_ms"],
        frozen_cause=row["frozen_cause"],
    )
