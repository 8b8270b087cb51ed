"""The alerts of the farm: made of violations, handed to whoever sends them, and what became of each."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass, replace

from controller.alerts import (
    IN_HANDS_MS,
    TOLD_WITHIN_MS,
    Alert,
    AlertCounts,
    AlertState,
    Target,
    line_of,
    next_try_ms,
    room_at_ms,
    summary_of,
    summary_title,
    title_of,
)
from controller.audit import enter
from controller.clock import DAY_MS, HOUR_MS
from controller.errors import BadRequest
from controller.ledger import Ledger, Work
from controller.violationcontext import shown_text, with_texts

_MAX_ROWS = 1_000
# A transaction that archives takes less than this: what it found shows late, with an earlier time.
_SHOWS_WITHIN_MS = 60_000
# So many alerts of one target a sweep makes; the next one goes on.
_MOST_AT_ONCE = 2_000
_MAX_ERROR_CHARS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What is to be said to a target now; hand it back with what became of it."""

    target: str
    title: str
    body: str
    until_ms: int  # it is in these hands alone until then
    tries: int  # with this one
    is_summary: bool = False


class Alerts:
    """Alerts for those who send them, and for their readers."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._targets = {target.name: target for target in ledger.settings.alerts}
        # By target: violations found before were looked at.
        self._looked_ms: dict[str, int] = {}

    @property
    def targets(self) -> tuple[Target, ...]:
        """Return who is told."""
        return tuple(self._targets.values())

    def sweep(self) -> None:
        """Make the alerts of what was found, and give up those of yesterday; call it every few seconds."""
        with self._ledger.work(keeps_time=False) as work:
            for target in self._targets.values():
                self._add(work, target)
            # Of targets that are not configured any more too.
            work.tx.give_up_alerts(before_ms=work.now_ms - TOLD_WITHIN_MS, now_ms=work.now_ms)

    def _add(self, work: Work, target: Target) -> None:
        # After a start all of the last day: what was found right before an end of the process counts too.
        since_ms = self._looked_ms.get(target.name, work.now_ms - TOLD_WITHIN_MS)
        made = work.tx.add_alerts(
            target.name,
            severities=target.severities,
            notified=target.notified,
            since_ms=since_ms,
            now_ms=work.now_ms,
            limit=_MOST_AT_ONCE,
        )
        work.keeps_time = work.keeps_time or made > 0
        if made < _MOST_AT_ONCE:
            self._looked_ms[target.name] = work.now_ms - _SHOWS_WITHIN_MS

    def take(self, name: str) -> Outgoing | None:
        """Return what a target is to be told now, None if nothing; BadRequest if nobody is called so."""
        target = self.target(name)
        with self._ledger.work(keeps_time=False) as work:
            if work.tx.alert_due(name, work.now_ms) is None and not work.tx.beyond_due(name, work.now_ms):
                return None
            # Two controllers must not both find room for the last one of an hour.
            work.tx.lock_alert_target(name)
            until_ms = work.read_time() + IN_HANDS_MS
            work.keeps_time = True
            return _summary(work, target, until_ms) or _next(work, target, until_ms)

    def sent(self, outgoing: Outgoing) -> None:
        """Keep that a target was told."""
        with self._ledger.work() as work:
            end = work.tx.end_summary if outgoing.is_summary else work.tx.end_alert
            end(
                outgoing.target,
                until_ms=outgoing.until_ms,
                state=AlertState.SUMMED if outgoing.is_summary else AlertState.SENT,
                next_at_ms=work.now_ms,
                ended_at_ms=work.now_ms,
                error="",
            )
            # It answers: what failed before need not wait for its next try.
            work.tx.release_alerts(outgoing.target, work.now_ms)

    def not_sent(self, outgoing: Outgoing, error: str) -> None:
        """Keep that a target could not be told, and why; nothing else is tried before its next try."""
        with self._ledger.work() as work:
            until_ms = next_try_ms(outgoing.tries, work.now_ms)
            end = work.tx.end_summary if outgoing.is_summary else work.tx.end_alert
            ended = end(
                outgoing.target,
                until_ms=outgoing.until_ms,
                state=AlertState.BEYOND if outgoing.is_summary else AlertState.WAITING,
                next_at_ms=until_ms,
                ended_at_ms=None,
                error=error[:_MAX_ERROR_CHARS],
            )
            if ended:
                work.tx.hold_alerts(outgoing.target, until_ms)

    def target(self, name: str) -> Target:
        """Return a target; BadRequest if nobody is called so."""
        if name not in self._targets:
            known = ", ".join(self._targets) or "none: see [[controller.alerts.targets]] of the configuration"
            raise BadRequest(f"no alert target {name}; there are: {known}")
        return self._targets[name]

    def list(
        self,
        *,
        state: AlertState | None = None,
        target: str = "",
        before_id: int | None = None,
        limit: int = 100,
    ) -> builtins.list[Alert]:
        """Return alerts, newest first."""
        with self._ledger.look() as tx:
            return tx.alerts(
                state=state, target=target, before_id=before_id, limit=max(1, min(limit, _MAX_ROWS))
            )

    def counts(self) -> dict[str, AlertCounts]:
        """Return how the alerts of each target stand, of those no longer configured too."""
        with self._ledger.look() as tx:
            now_ms = max(self._ledger.clock.now_ms(), tx.clock_ms())
            found = tx.alert_counts(now_ms - DAY_MS)
        return {name: found.get(name, AlertCounts()) for name in dict.fromkeys([*self._targets, *found])}

    def retry(self, ids: Sequence[int] | None, *, target: str = "", actor: str) -> int:
        """Let alerts that failed have their turn now, None for all; return how many."""
        with self._ledger.work() as work:
            many = work.tx.retry_alerts(ids, target=target, now_ms=work.now_ms)
            which = "all" if ids is None else ", ".join(map(str, ids[:20]))
            enter(work, actor=actor, what="alerts.retry", object_=f"{target} {which}".strip())
        return many


def _summary(work: Work, target: Target, until_ms: int) -> Outgoing | None:
    if not work.tx.beyond_due(target.name, work.now_ms):
        return None
    work.tx.take_beyond(target.name, now_ms=work.now_ms, until_ms=until_ms)
    counts, tries = work.tx.summing(target.name, until_ms)
    return Outgoing(
        target=target.name,
        title=summary_title(target, sum(counts.values())),
        body=summary_of(target, counts),
        until_ms=until_ms,
        tries=tries,
        is_summary=True,
    )


def _next(work: Work, target: Target, until_ms: int) -> Outgoing | None:
    alert = work.tx.alert_due(target.name, work.now_ms)
    if alert is None:
        return None
    told_ms = work.tx.alerts_told_since(target.name, since_ms=work.now_ms - HOUR_MS, now_ms=work.now_ms)
    room_ms = room_at_ms(target.per_hour, told_ms, work.now_ms)
    if room_ms is not None:
        work.tx.put_beyond(target.name, now_ms=work.now_ms, until_ms=room_ms)
        return None
    violation = work.tx.violation(alert.violation_id)
    if violation is None:
        raise LookupError(alert.violation_id)  # the store refers to it
    if not target.masked:
        (found,) = with_texts(work.tx, [violation])
        violation = replace(found, text=shown_text(found, found.text))
    work.tx.take_alert(alert.id, until_ms=until_ms)
    return Outgoing(
        target=target.name,
        title=title_of(target, alert.severity),
        body=line_of(target, violation),
        until_ms=until_ms,
        tries=alert.tries + 1,
    )
