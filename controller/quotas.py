"""How much an account may still do: a sliding count of permits by their last possible use."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from controller.clock import DAY_MS, HOUR_MS
from controller.ledger import Ledger
from controller.model import AccountId, Action, Held, QuotaRule, QuotaUse


def rule_for(rules: Iterable[QuotaRule], action: Action) -> QuotaRule | None:
    """Return the rule of an action."""
    return {rule.action: rule for rule in rules}.get(action)


def used(uses: Sequence[int], window_ms: int, now_ms: int) -> int:
    """Return how many of `uses` (ascending) lie in the window that ends now, those still to come included."""
    return len(uses) - bisect_right(uses, now_ms - window_ms)


def verdict(rule: QuotaRule | None, uses: Sequence[int], now_ms: int) -> Held | None:
    """Return why no permit may be taken now, and when one may; None if one may. `uses` ascend."""
    if rule is None:
        return Held(cause="no_quota_rule")
    waits = []
    for cause, limit, window_ms in (
        ("quota_day", rule.per_day, DAY_MS),
        ("quota_hour", rule.per_hour, HOUR_MS),
    ):
        if limit <= 0:
            return Held(cause=cause)
        if used(uses, window_ms, now_ms) >= limit:
            waits.append((uses[-limit] + window_ms, cause))
    if uses and now_ms < uses[-1] + rule.spacing_ms:
        waits.append((uses[-1] + rule.spacing_ms, "spacing"))
    if not waits:
        return None
    retry_at_ms, cause = max(waits)
    return Held(cause=cause, retry_at_ms=retry_at_ms)


class Quotas:
    """What accounts have used of the rules."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def use(self, account_id: AccountId) -> list[QuotaUse]:
        """Return what an account has used of each rule at this moment."""
        with self._ledger.work(keeps_time=False) as work:
            return [
                QuotaUse(
                    account_id=account_id,
                    action=rule.action,
                    used_day=used(uses, DAY_MS, work.now_ms),
                    used_hour=used(uses, HOUR_MS, work.now_ms),
                    rule=rule,
                )
                for rule in self._ledger.settings.quota_rules
                for uses in [work.tx.permit_uses(account_id, rule.action, work.now_ms - DAY_MS)]
            ]
