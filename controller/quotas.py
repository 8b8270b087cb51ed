"""How much an account may still do: a sliding count of permits by their last possible use. Pure functions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from controller.clock import DAY_MS, HOUR_MS
from controller.hours import FARM_ZONE, closed_by, next_open_ms
from controller.model import Account, Action, Held, QuotaRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What of an account a rule depends on: its zone, its age, and a probation after a rest."""

    time_zone: str = FARM_ZONE
    first_bound_ms: int | None = 0  # None: no phone was ever bound to it; it is as new as can be
    probation_until_ms: int | None = None


def terms_of(account: Account, farm_zone: str) -> Terms:
    """Return what rules depend on of an account."""
    return Terms(
        time_zone=account.time_zone or farm_zone,
        first_bound_ms=account.first_bound_ms,
        probation_until_ms=account.probation_until_ms,
    )


# An old account in the farm's own zone.
SETTLED = Terms()


def rule_for(rules: Iterable[QuotaRule], action: Action) -> QuotaRule | None:
    """Return the rule of an action."""
    return {rule.action: rule for rule in rules}.get(action)


def used(uses: Sequence[int], window_ms: int, now_ms: int) -> int:
    """Return how many of `uses` (ascending) lie in the window that ends now, those still to come included."""
    return len(uses) - bisect_right(uses, now_ms - window_ms)


def per_day_at(rule: QuotaRule, terms: Terms, at_ms: int) -> tuple[int, int | None]:
    """Return how many a day the account's age and probation leave, and when that number may change."""
    limit, changes = rule.per_day, []
    for days, at_most in rule.ramp:
        grown_ms = (at_ms if terms.first_bound_ms is None else terms.first_bound_ms) + days * DAY_MS
        if at_ms < grown_ms:
            limit = min(limit, at_most)
            changes.append(grown_ms)
    if terms.probation_until_ms is not None and at_ms < terms.probation_until_ms and limit > 0:
        limit = max(1, limit // 2)
        changes.append(terms.probation_until_ms)
    return limit, min(changes, default=None)


def effective(rule: QuotaRule, terms: Terms, at_ms: int) -> QuotaRule:
    """Return a rule with the daily limit that age and probation leave at a moment."""
    return replace(rule, per_day=per_day_at(rule, terms, at_ms)[0])


def verdict(
    rule: QuotaRule | None, uses: Sequence[int], now_ms: int, *, terms: Terms = SETTLED
) -> Held | None:
    """Return why no permit may be taken now, and when one may; None if one may. `uses` ascend."""
    if rule is None:
        return Held(cause="no_quota_rule")
    if rule.per_day <= 0 or rule.per_hour <= 0:
        return Held(cause="quota_day" if rule.per_day <= 0 else "quota_hour")
    waits = [*_day(rule, uses, now_ms, terms), *_hour(rule, uses, now_ms)]
    if uses and now_ms < uses[-1] + rule.spacing_ms:
        waits.append((uses[-1] + rule.spacing_ms, "spacing"))
    closed = closed_by(rule.hours, rule.weekdays, terms.time_zone, now_ms)
    if closed:
        opens_ms = next_open_ms(rule.hours, rule.weekdays, terms.time_zone, now_ms)
        if opens_ms is None:
            return Held(cause=closed)
        waits.append((opens_ms, closed))
    if not waits:
        return None
    retry_at_ms, cause = max(waits)
    return Held(cause=cause, retry_at_ms=retry_at_ms)


def _day(rule: QuotaRule, uses: Sequence[int], now_ms: int, terms: Terms) -> list[tuple[int, str]]:
    limit, changes_ms = per_day_at(rule, terms, now_ms)
    count = used(uses, DAY_MS, now_ms)
    if count < limit:
        return []
    # The limit may grow, with the account's age, before the window lets go.
    ends = [] if changes_ms is None else [changes_ms]
    if limit > 0:
        ends.append(uses[-limit] + DAY_MS)
    return [(min(ends), "quota_day" if count >= rule.per_day else "ramp")]


def _hour(rule: QuotaRule, uses: Sequence[int], now_ms: int) -> list[tuple[int, str]]:
    if used(uses, HOUR_MS, now_ms) < rule.per_hour:
        return []
    return [(uses[-rule.per_hour] + HOUR_MS, "quota_hour")]


def most_in_window(moments: Iterable[int], window_ms: int) -> int:
    """Return how many of some moments the fullest window of this length holds."""
    ordered = sorted(moments)
    first = most = 0
    for place, moment in enumerate(ordered):
        while ordered[first] <= moment - window_ms:
            first += 1
        most = max(most, place - first + 1)
    return most
