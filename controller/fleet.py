"""The numbered phones: their numbers, holders and accounts, what they report, and what they are allowed."""

from __future__ import annotations

from dataclasses import replace

from controller import restoring, rests
from controller.audit import enter, named
from controller.captures import filled
from controller.clock import MINUTE_MS
from controller.errors import BadRequest, NumberTaken, SafetyRefusal, SerialTaken, StaleEpoch, UnknownPhone
from controller.ledger import CoreSettings, Ledger, Work
from controller.model import Account, AccountId, ActingMode, Phone, PhoneId, Sighting, TaskState
from controller.notices import standing_of
from controller.roster import allowed, overlaid, reported
from controller.selection import phone_id_of, pick
from controller.sessions import Admission, Greeting, PhoneSettings, Pulse
from controller.store.base import Tx
from controller.transitions import ended
from protos.facts import PhoneFacts, PhoneState

_NO_HEARTBEAT = "no_heartbeat"
_CLOCK_KEPT_EACH_MS = 10 * MINUTE_MS


def known_phone(tx: Tx, phone_id: PhoneId, *, locks: bool = False) -> Phone:
    """Return a phone by its number; UnknownPhone."""
    phone = tx.lock_phone(phone_id) if locks else tx.phone(phone_id)
    if phone is None:
        raise UnknownPhone(f"no phone {phone_id}")
    return phone


def current_phone(tx: Tx, phone_id: PhoneId, epoch: int) -> Phone:
    """Return a phone and lock it if its agent is the newest; UnknownPhone, StaleEpoch."""
    phone = tx.lock_phone(phone_id)
    if phone is None:
        raise UnknownPhone(f"no phone {phone_id}")
    if phone.epoch != epoch:
        raise StaleEpoch
    return phone


def settings_of(tx: Tx, phone: Phone, settings: CoreSettings, now_ms: int) -> PhoneSettings:
    """Return what a phone is allowed now."""
    account = tx.account(phone.account_id) if phone.account_id else None
    told = allowed(
        phone, account, has_notice=not _why_untold(tx, phone, now_ms), sweep_pause_ms=settings.sweep_pause_ms
    )
    told = replace(filled(told, tx, phone, settings.time_zone), hand_quiet_ms=settings.hand_quiet_ms)
    facts = phone.facts
    table = tx.table_of_build(facts.wechat_version, facts.wechat_version_code, facts.wechat_installer)
    return replace(told, tables=(table,)) if table else told


def _why_untold(tx: Tx, phone: Phone, now_ms: int) -> str:
    return standing_of(tx, phone.holder, now_ms).why if phone.holder else "nobody holds this phone"


class Fleet:
    """The roster of phones, for people and for the agents' sessions."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # ---- for readers

    def phones(self) -> list[Phone]:
        """Return all phones by number, with the state as people should see it."""
        with self._ledger.look() as tx:
            return [self._shown(tx, phone) for phone in tx.phones()]

    def phone(self, phone_id: PhoneId) -> Phone:
        """Return a phone by its number, also written short (7 for 007); UnknownPhone, BadRequest."""
        with self._ledger.look() as tx:
            return self._shown(tx, known_phone(tx, phone_id_of(phone_id)))

    def select(self, text: str) -> list[Phone]:
        """Return the phones a text names (see controller.selection); BadRequest, UnknownPhone."""
        return pick(self.phones(), text)

    def sightings(self) -> list[Sighting]:
        """Return the handsets that spoke and have no number."""
        with self._ledger.look() as tx:
            return tx.sightings()

    def account(self, account_id: AccountId) -> Account:
        """Return an account; one that no phone was ever bound to is in assist mode."""
        with self._ledger.look() as tx:
            return tx.account(account_id) or Account(account_id=account_id)

    # ---- for people who decide

    def number(self, phone_id: PhoneId, serial: str, *, rack: str = "", actor: str) -> Phone:
        """Give a handset its painted number; the same twice is fine. NumberTaken, SerialTaken, BadRequest."""
        phone_id, serial = phone_id_of(phone_id), serial.strip()
        if not serial:
            raise BadRequest("say which handset (its serial)")
        named(actor)
        with self._ledger.work() as work:
            tx = work.tx
            if (there := tx.phone(phone_id)) is not None:
                if there.facts.serial == serial:
                    return self._shown(tx, there)
                raise NumberTaken(f"{phone_id} is the number of another handset")
            seen = tx.sighting(serial)
            phone = Phone(
                phone_id=phone_id,
                facts=seen.facts if seen else PhoneFacts(serial=serial),
                state=PhoneState.ABSENT if seen is None else PhoneState.PREPARING,
                rack=rack.strip(),
                account_seen=seen.account_seen if seen else "",
                last_seen_ms=seen.last_seen_ms if seen else None,
                numbered_at_ms=work.now_ms,
            )
            if not tx.add_phone(phone):
                raise SerialTaken("this handset already has a number")
            tx.forget_sighting(serial)
            enter(work, actor=actor, what="phone.number", object_=phone_id, reason=serial)
            work.touch(phone_id, serial)
            return self._shown(tx, phone)

    def assign(
        self,
        phone_id: PhoneId,
        *,
        holder: str | None = None,
        account_id: str | None = None,
        unattended: bool | None = None,
        reason: str = "",
        actor: str,
    ) -> Phone:
        """Set who holds a phone, its account and who taps; None leaves a part, "" takes it away.

        With no account bound, the account seen on the phone is bound. UnknownPhone; BadRequest if the account
        is bound to another phone; SafetyRefusal if a real phone is to tap by itself without a reason.
        """
        named(actor)
        with self._ledger.work() as work:
            tx = work.tx
            phone = tx.lock_phone(phone_id_of(phone_id))
            if phone is None:
                raise UnknownPhone(f"no phone {phone_id}")
            bound = phone.account_id if account_id is None else AccountId(account_id.strip())
            bound = bound or (AccountId(phone.account_seen) if account_id is None else None) or None
            kept_holder = phone.holder if holder is None else holder.strip()
            if bound:
                self._bind(tx, phone.phone_id, bound, work.now_ms)
                self._set_mode(work, phone, bound, unattended, reason)
            elif unattended is not None:
                raise BadRequest("no account is bound to this phone, and none was seen on it")
            if (kept_holder, bound) != (phone.holder, phone.account_id):
                tx.assign(phone.phone_id, holder=kept_holder, account_id=bound, since_ms=work.now_ms)
            told = f"holder={kept_holder} account={bound or ''} unattended={unattended}; {reason.strip()}"
            enter(work, actor=actor, what="phone.assign", object_=phone.phone_id, reason=told)
            work.touch(phone.phone_id)
            work.offer()
            return self._shown(tx, known_phone(tx, phone.phone_id))

    def clear(self, phone_id: PhoneId, *, reason: str, actor: str) -> rests.Cleared:
        """End rest and freeze of a phone's account; BadRequest without a reason or a name.

        It may come before the meant end of the rest: that is kept in the diary, and told to who did it.
        """
        if not reason.strip():
            raise BadRequest("say why this account may act again")
        named(actor)
        with self._ledger.work() as work:
            tx = work.tx
            phone = tx.lock_phone(phone_id_of(phone_id))
            if phone is None:
                raise UnknownPhone(f"no phone {phone_id}")
            account = tx.lock_account(phone.account_id) if phone.account_id else None
            if account is None:
                raise BadRequest(f"no account is bound to phone {phone.phone_id}")
            early_ms, probation_until_ms = rests.lift(work, account, reason=reason, actor=actor)
            work.touch(phone.phone_id)
            work.offer()
            return rests.Cleared(
                phone=self._shown(tx, known_phone(tx, phone.phone_id)),
                early_by_ms=early_ms,
                probation_until_ms=probation_until_ms,
            )

    # ---- for sessions

    def hello(self, greeting: Greeting) -> Admission:
        """Let a handset in: its fence rises by one, so that older sessions of it can do nothing more."""
        with self._ledger.work(keeps_time=False) as work:
            tx = work.tx
            phone = tx.phone_by_serial(greeting.facts.serial)
            self._doubt(work, phone, greeting)
            if phone is None:
                tx.see(greeting.facts, "", work.now_ms)
                return Admission(
                    phone_id=None,
                    phone_epoch=0,
                    farm_epoch=tx.farm_epoch(),
                    high_water=0,
                    at_ms=work.now_ms,
                    settings=PhoneSettings(sweep_pause_ms=self._ledger.settings.sweep_pause_ms),
                )
            above = restoring.claimed(greeting.last_phone_epoch)
            epoch = tx.raise_epoch(phone.phone_id, work.now_ms, above=above)
            tx.set_facts(phone.phone_id, greeting.facts)
            return Admission(
                phone_id=phone.phone_id,
                phone_epoch=epoch,
                farm_epoch=tx.farm_epoch(),
                high_water=self._begin(work, phone.phone_id, greeting),
                at_ms=work.now_ms,
                settings=settings_of(tx, phone, self._ledger.settings, work.now_ms),
            )

    def _doubt(self, work: Work, phone: Phone | None, greeting: Greeting) -> None:
        """Freeze the farm's permits if this agent knows more than the data."""
        found = restoring.evidence(work, phone, greeting)
        if found:
            told = f"{found}; phone {phone.phone_id}" if phone else f"{found}; a handset without a number"
            above = restoring.claimed(greeting.last_farm_epoch)
            restoring.freeze(work, self._ledger.settings, above=above, told=told)

    def _begin(self, work: Work, phone_id: PhoneId, greeting: Greeting) -> int:
        high_water = work.tx.lock_spool(phone_id, greeting.spool_id, work.now_ms)
        if high_water > greeting.spool_highest:
            self._rolled_back(work, phone_id, greeting, high_water)
            return high_water
        first_kept = greeting.spool_lowest
        if first_kept <= high_water + 1:
            return high_water
        # What the agent no longer has can never come; waiting for it would stop the spool for ever.
        work.tx.add_event_gap(
            phone_id,
            greeting.spool_id,
            from_seq=high_water + 1,
            to_seq=first_kept - 1,
            cause="not_kept",
            at_ms=work.now_ms,
        )
        work.tx.set_high_water(phone_id, greeting.spool_id, first_kept - 1)
        return first_kept - 1

    def _rolled_back(self, work: Work, phone_id: PhoneId, greeting: Greeting, high_water: int) -> None:
        """Record an outbox older than the archive; what it says of its open tasks is as old as itself."""
        work.tx.add_event_gap(
            phone_id,
            greeting.spool_id,
            from_seq=greeting.spool_highest + 1,
            to_seq=high_water,
            cause="rolled_back",
            at_ms=work.now_ms,
        )
        for task in work.tx.live_tasks(phone_id):
            if task.spool_id == greeting.spool_id:
                work.tx.save_task(ended(task, TaskState.UNKNOWN, work.now_ms, cause="spool_lost"))
                work.jobs_to_close.add(task.job_id)

    def heartbeat(self, phone_id: PhoneId, epoch: int, pulse: Pulse) -> PhoneSettings:
        """Keep what a phone says of itself and return what it is allowed; UnknownPhone, StaleEpoch."""
        with self._ledger.work(keeps_time=False) as work:
            phone = current_phone(work.tx, phone_id, epoch)
            state, cause = reported(pulse.state, pulse.cause)
            kept = Pulse(
                state=state,
                cause=cause,
                agent_at_ms=pulse.agent_at_ms,
                battery_percent=pulse.battery_percent,
                temperature_decicelsius=pulse.temperature_decicelsius,
                account_id=pulse.account_id,
            )
            work.tx.set_pulse(phone_id, state, kept, work.now_ms)
            if (state, pulse.account_id or phone.account_seen) != (phone.state, phone.account_seen):
                work.touch(phone_id)
            # As it stands after this heartbeat: another account signed in ends capture at once.
            phone = known_phone(work.tx, phone_id)
            return settings_of(work.tx, phone, self._ledger.settings, work.now_ms)

    def heartbeat_unnumbered(self, facts: PhoneFacts, account_seen: str) -> bool:
        """Keep that a handset without a number is there; True if it has one by now and should greet again."""
        with self._ledger.work(keeps_time=False) as work:
            if work.tx.phone_by_serial(facts.serial) is not None:
                return True
            work.tx.see(facts, account_seen, work.now_ms)
            return False

    def settings(self, phone_id: PhoneId) -> PhoneSettings:
        """Return what a phone is allowed now; UnknownPhone."""
        with self._ledger.look() as tx:
            now_ms = max(self._ledger.clock.now_ms(), tx.clock_ms())
            return settings_of(tx, known_phone(tx, phone_id), self._ledger.settings, now_ms)

    def lost(self, phone_id: PhoneId, epoch: int) -> None:
        """Keep the moment at which the newest session of a phone ended; an older one changes nothing."""
        with self._ledger.work(keeps_time=False) as work:
            phone = work.tx.lock_phone(phone_id)
            if phone is not None and phone.epoch == epoch:
                work.tx.set_contact(phone_id, work.now_ms)

    def sweep(self) -> None:
        """Mark the phones absent that were silent for too long."""
        with self._ledger.work(keeps_time=False) as work:
            before_ms = work.now_ms - self._ledger.settings.lost_after_ms
            for phone_id in work.tx.mark_absent(before_ms=before_ms, cause=_NO_HEARTBEAT):
                work.touch(phone_id)
            # Asking costs no write; yet after a restart the clock must not have been set back unseen.
            work.keeps_time = work.now_ms - work.tx.clock_ms() > _CLOCK_KEPT_EACH_MS

    # ---- inside

    def _shown(self, tx: Tx, phone: Phone) -> Phone:
        account = tx.account(phone.account_id) if phone.account_id else None
        now_ms = max(self._ledger.clock.now_ms(), tx.clock_ms())
        return overlaid(phone, account, why_untold=_why_untold(tx, phone, now_ms) if phone.holder else "")

    def _bind(self, tx: Tx, phone_id: PhoneId, account_id: AccountId, now_ms: int) -> None:
        other = tx.phone_of_account(account_id)
        if other not in (None, phone_id):
            raise BadRequest(f"this account is bound to phone {other}; unbind it there first")
        tx.ensure_account(account_id)
        tx.set_first_bound(account_id, now_ms)
        # Only this account sees what an earlier attempt may have sent: its rows go where it goes.
        tx.repin(account_id, phone_id)

    def _set_mode(
        self, work: Work, phone: Phone, account_id: AccountId, unattended: bool | None, reason: str
    ) -> None:
        is_new = phone.account_id != account_id
        if unattended is None:
            if not is_new:
                return
            # A virtual phone reaches nobody; a real one taps by itself only after a person decided so.
            mode = ActingMode.UNATTENDED if phone.facts.is_virtual else ActingMode.ASSIST
        elif unattended:
            if not phone.facts.is_virtual and not reason.strip():
                raise SafetyRefusal("letting a real phone tap by itself needs a reason")
            mode = ActingMode.UNATTENDED
        else:
            mode = ActingMode.ASSIST
        work.tx.set_mode(account_id, mode)
