"""The limits of one account: the farm's, and what persons set beside them; each change has its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from controller import restoring
from controller.audit import enter, named
from controller.clock import DAY_MS, HOUR_MS
from controller.errors import BadRequest, SafetyRefusal
from controller.hours import zone
from controller.ledger import CLOCK_JUMPED, CoreSettings, Ledger, Work
from controller.limits import CEILINGS, are_hours
from controller.model import Account, AccountId, Action, Held, QuotaChange, QuotaRule, QuotaUse
from controller.planning import next_free_ms
from controller.quotas import Terms, effective, rule_for, terms_of, used, verdict
from controller.roster import FROZEN, RESTING, is_frozen, is_resting
from controller.store.base import Tx
from controller.store.quota_rows import Override

_MAX_CHANGES = 500


def rule_of(tx: Tx, settings: CoreSettings, account_id: AccountId, action: Action) -> QuotaRule | None:
    """Return the rule of an account for an action: the farm's, with what persons set beside it."""
    rule = rule_for(settings.quota_rules, action)
    return None if rule is None else merged(rule, tx.override(account_id, action))


def merged(rule: QuotaRule, override: Override) -> QuotaRule:
    """Return the farm's rule with what persons set for one account."""
    return replace(rule, **dict(_set_parts(override)))


def _set_parts(override: Override) -> Iterator[tuple[str, Any]]:
    for name in _FIELDS:
        value = getattr(override, name)
        if value is not None:
            yield name, value


_FIELDS = ("per_day", "per_hour", "spacing_ms", "hours", "weekdays", "contact_pause_ms")


def loosened(before: QuotaRule, after: QuotaRule) -> list[str]:
    """Return the parts of a rule that let more happen after a change."""
    checks = {
        "per_day": after.per_day > before.per_day,
        "per_hour": after.per_hour > before.per_hour,
        "spacing_ms": after.spacing_ms < before.spacing_ms,
        "hours": after.hours[0] < before.hours[0] or after.hours[1] > before.hours[1],
        "weekdays": not after.weekdays <= before.weekdays,
        "contact_pause_ms": after.contact_pause_ms < before.contact_pause_ms,
    }
    return [name for name, is_looser in checks.items() if is_looser]


@dataclass(frozen=True, slots=True)
class _Limits:
    """An account with what its rules depend on, as one transaction sees it."""

    account: Account
    terms: Terms


class Quotas:
    """What accounts may do and have done, for people."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # ---- for readers

    def use(self, account_id: AccountId) -> list[QuotaUse]:
        """Return what an account has used of each rule at this moment, and when it may act again."""
        with self._ledger.work(keeps_time=False) as work:
            account = work.tx.account(account_id) or Account(account_id=account_id)
            limits = _Limits(account, terms_of(account, self._ledger.settings.time_zone))
            return [self._use(work, limits, rule.action) for rule in self._ledger.settings.quota_rules]

    def rules(self, account_id: AccountId) -> list[QuotaRule]:
        """Return the rules of an account as they stand without its age and probation."""
        with self._ledger.look() as tx:
            return [
                merged(rule, tx.override(account_id, rule.action))
                for rule in self._ledger.settings.quota_rules
            ]

    def restored_until_ms(self) -> int | None:
        """Return until when the farm takes no permit after a restore; None if it may."""
        with self._ledger.work(keeps_time=False) as work:
            return restoring.holds_until_ms(work)

    def history(
        self, account_id: AccountId, *, action: Action | None = None, limit: int = 100
    ) -> list[QuotaChange]:
        """Return how people changed an account's limits, newest first."""
        with self._ledger.look() as tx:
            return tx.quota_changes(account_id, action=action, limit=max(1, min(limit, _MAX_CHANGES)))

    # ---- for people who decide

    def set(
        self,
        account_id: AccountId,
        action: Action,
        *,
        per_day: int | None = None,
        per_hour: int | None = None,
        spacing_ms: int | None = None,
        hours: tuple[int, int] | None = None,
        weekdays: frozenset[int] | None = None,
        contact_pause_ms: int | None = None,
        reason: str,
        actor: str,
    ) -> QuotaRule:
        """Set limits of one account; None leaves one. What is lowered bites at once, also on leases out.

        BadRequest if a limit is raised without a reason, or for values without a meaning; SafetyRefusal above
        the ceiling that the farm sets for everybody.
        """
        named(actor)
        asked = Override(
            per_day=per_day,
            per_hour=per_hour,
            spacing_ms=spacing_ms,
            hours=hours,
            weekdays=weekdays,
            contact_pause_ms=contact_pause_ms,
        )
        _check(action, asked)
        with self._ledger.work() as work:
            tx = work.tx
            tx.ensure_account(account_id)
            tx.lock_account(account_id)
            before = rule_of(tx, self._ledger.settings, account_id, action)
            if before is None:
                raise BadRequest(f"the farm has no rule for {action}")
            after = merged(before, asked)
            looser = loosened(before, after)
            if looser and not reason.strip():
                raise BadRequest(f"say why {', '.join(looser)} of this account may be raised")
            kept = replace(tx.override(account_id, action), **dict(_set_parts(asked)))
            tx.save_override(account_id, action, kept)
            for name in _FIELDS:
                self._note(work, account_id, action, name, before, after, reason=reason, actor=actor)
            if before != after:
                told = f"{action}: {', '.join(n for n in _FIELDS if getattr(before, n) != getattr(after, n))}"
                enter(work, actor=actor, what="quota.set", object_=account_id, reason=f"{told}; {reason}")
            self._tell(work, account_id)
            return after

    def set_time_zone(self, account_id: AccountId, time_zone: str, *, reason: str, actor: str) -> Account:
        """Set the zone by which an account's hours are read ("": the farm's); BadRequest without a reason."""
        named(actor)
        if not reason.strip():
            raise BadRequest("say why the hours of this account are read by another clock")
        try:
            zone(time_zone or self._ledger.settings.time_zone)
        except ValueError as error:
            raise BadRequest(str(error)) from error
        with self._ledger.work() as work:
            tx = work.tx
            tx.ensure_account(account_id)
            tx.lock_account(account_id)
            tx.set_time_zone(account_id, time_zone)
            told = f"{time_zone}; {reason}"
            enter(work, actor=actor, what="account.time_zone", object_=account_id, reason=told)
            self._tell(work, account_id)
            return tx.account(account_id) or Account(account_id=account_id)

    def restored(self, *, reason: str, actor: str) -> int:
        """Say that the data was restored from a backup; returns until when the farm takes no permit.

        BadRequest without a reason or a name.
        """
        if not reason.strip():
            raise BadRequest("say which backup was restored")
        with self._ledger.work() as work:
            return restoring.freeze(
                work, self._ledger.settings, above=0, told=reason.strip(), actor=named(actor)
            )

    # ---- inside

    def _use(self, work: Work, limits: _Limits, action: Action) -> QuotaUse:
        account_id, after_ms = limits.account.account_id, work.now_ms - DAY_MS
        rule = rule_of(work.tx, self._ledger.settings, account_id, action)
        if rule is None:
            raise LookupError(action)
        uses = work.tx.permit_uses(account_id, action, after_ms)
        held = self._held(work, limits.account) or verdict(rule, uses, work.now_ms, terms=limits.terms)
        return QuotaUse(
            account_id=account_id,
            action=action,
            used_day=used(uses, DAY_MS, work.now_ms),
            used_hour=used(uses, HOUR_MS, work.now_ms),
            rule=effective(rule, limits.terms, work.now_ms),
            by_hand_day=len(work.tx.observed(account_id, action, after_ms)),
            free_at_ms=self._free_at_ms(work, limits, held, rule, uses),
            held=held.cause if held else "",
        )

    def _held(self, work: Work, account: Account) -> Held | None:
        if work.clock_jumped:
            return Held(cause=CLOCK_JUMPED)
        if is_resting(account):
            return Held(cause=RESTING)
        if is_frozen(account):
            return Held(cause=FROZEN)
        until_ms = restoring.holds_until_ms(work)
        return None if until_ms is None else Held(cause=restoring.RESTORED, retry_at_ms=until_ms)

    def _free_at_ms(
        self, work: Work, limits: _Limits, held: Held | None, rule: QuotaRule, uses: list[int]
    ) -> int | None:
        if held is not None and held.retry_at_ms is None:
            return None
        from_ms = restoring.holds_until_ms(work) or work.now_ms
        return next_free_ms(rule, uses, from_ms, terms=limits.terms)

    def _note(
        self,
        work: Work,
        account_id: AccountId,
        action: Action,
        name: str,
        before: QuotaRule,
        after: QuotaRule,
        *,
        reason: str,
        actor: str,
    ) -> None:
        was, is_now = _told(getattr(before, name)), _told(getattr(after, name))
        if was == is_now:
            return
        change = QuotaChange(
            id=0,
            at_ms=work.now_ms,
            account_id=account_id,
            action=action,
            field=name,
            before=was,
            after=is_now,
            reason=reason.strip(),
            actor=named(actor),
        )
        work.tx.add_quota_change(change)

    def _tell(self, work: Work, account_id: AccountId) -> None:
        phone_id = work.tx.phone_of_account(account_id)
        if phone_id is not None:
            work.touch(phone_id)
        work.offer()


def _told(value: object) -> str:
    if isinstance(value, tuple):
        return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in value)
    if isinstance(value, frozenset):
        return "".join(str(day) for day in sorted(value))
    return str(value)


def _check(action: Action, asked: Override) -> None:
    ceiling = CEILINGS[action]
    for name, value, most in (
        ("per_day", asked.per_day, ceiling.per_day),
        ("per_hour", asked.per_hour, ceiling.per_hour),
    ):
        if value is not None and value > most:
            raise SafetyRefusal(f"{name} of {action} is at most {most}")
    for number in (asked.per_day, asked.per_hour, asked.spacing_ms, asked.contact_pause_ms):
        if number is not None and not 0 <= number <= 366 * DAY_MS:
            raise BadRequest("a limit is not negative")
    if asked.hours is not None and not are_hours(asked.hours):
        raise BadRequest("hours run from an earlier to a later minute of one day")
    if asked.weekdays is not None and not (asked.weekdays and asked.weekdays <= frozenset(range(1, 8))):
        raise BadRequest("weekdays are numbers from 1 (Monday) to 7, one at least")
