"""What is told to whom outside, as statements."""

from __future__ import annotations

import json
from collections.abc import Sequence

from controller.alerts import Alert, AlertCounts, AlertState
from controller.store.sql_rows import Row, Statements

_AFTER_LAST_ID = 2**63 - 1


class AlertSql(Statements):
    """See controller.store.base_alerts.AlertRows."""

    def lock_alert_target(self, target: str) -> None:
        """Let nobody else decide what a target is told until this transaction ends."""
        self._the("lock_alert_target", target=target)

    def add_alerts(
        self,
        target: str,
        *,
        severities: Sequence[str],
        notified: bool,
        since_ms: int,
        now_ms: int,
        limit: int,
    ) -> int:
        """Make the alerts of violations found live since a moment that have none yet."""
        return self._do(
            "add_alerts",
            target=target,
            severities=json.dumps(list(severities)),
            notified=notified,
            since_ms=since_ms,
            now_ms=now_ms,
            max_rows=limit,
        )

    def alert_due(self, target: str, now_ms: int) -> Alert | None:
        """Return the most severe alert whose turn it is, or that was in hands for too long."""
        row = self._one("alert_due", target=target, now_ms=now_ms)
        return _alert(row) if row else None

    def alerts_told_since(self, target: str, *, since_ms: int, now_ms: int) -> list[int]:
        """Return the moments after one at which alerts were told one by one."""
        rows = self._all("alerts_told_since", target=target, since_ms=since_ms, now_ms=now_ms)
        return [row["at_ms"] for row in rows]

    def take_alert(self, alert_id: int, *, until_ms: int) -> None:
        """Take an alert in hands until a moment, and count one try."""
        self._do("take_alert", alert_id=alert_id, until_ms=until_ms)

    def end_alert(
        self,
        target: str,
        *,
        until_ms: int,
        state: AlertState,
        next_at_ms: int,
        ended_at_ms: int | None,
        error: str,
    ) -> bool:
        """Keep what became of the alert in hands until a moment."""
        return (
            self._do(
                "end_alert",
                target=target,
                until_ms=until_ms,
                state=state,
                next_at_ms=next_at_ms,
                ended_at_ms=ended_at_ms,
                error=error,
            )
            > 0
        )

    def hold_alerts(self, target: str, until_ms: int) -> None:
        """Let no waiting alert of a target have its turn before a moment."""
        self._do("hold_alerts", target=target, until_ms=until_ms)

    def release_alerts(self, target: str, now_ms: int) -> None:
        """Let all waiting alerts of a target have their turn from a moment on."""
        self._do("release_alerts", target=target, now_ms=now_ms)

    def put_beyond(self, target: str, *, now_ms: int, until_ms: int) -> int:
        """Put all whose turn it is beyond the number of an hour that ends then."""
        return self._do("put_beyond", target=target, now_ms=now_ms, until_ms=until_ms)

    def beyond_due(self, target: str, now_ms: int) -> int:
        """Return how many alerts beyond the number wait for an hour that is over."""
        return self._count("beyond_due", target=target, now_ms=now_ms)

    def take_beyond(self, target: str, *, now_ms: int, until_ms: int) -> int:
        """Take all alerts beyond the number in hands until a moment."""
        return self._do("take_beyond", target=target, now_ms=now_ms, until_ms=until_ms)

    def summing(self, target: str, until_ms: int) -> tuple[dict[tuple[str, str], int], int]:
        """Return those in hands until a moment, counted by severity and category, and the most tries."""
        rows = self._all("summing", target=target, until_ms=until_ms)
        counts = {(row["severity"], row["category"]): int(row["found"]) for row in rows}
        return counts, max((row["tries"] for row in rows), default=0)

    def end_summary(
        self,
        target: str,
        *,
        until_ms: int,
        state: AlertState,
        next_at_ms: int,
        ended_at_ms: int | None,
        error: str,
    ) -> int:
        """Keep what became of the line about those in hands until a moment."""
        return self._do(
            "end_summary",
            target=target,
            until_ms=until_ms,
            state=state,
            next_at_ms=next_at_ms,
            ended_at_ms=ended_at_ms,
            error=error,
        )

    def give_up_alerts(self, *, before_ms: int, now_ms: int) -> int:
        """Let those fail that were made before a moment, and were not told."""
        return self._do("give_up_alerts", before_ms=before_ms, now_ms=now_ms)

    def alerts(
        self, *, state: AlertState | None, target: str, before_id: int | None, limit: int
    ) -> list[Alert]:
        """Return alerts below an id, newest first."""
        before = _AFTER_LAST_ID if before_id is None else before_id
        rows = self._all("alerts", state=state or "", target=target, before_id=before, max_rows=limit)
        return [_alert(row) for row in rows]

    def alert_counts(self, since_ms: int) -> dict[str, AlertCounts]:
        """Return how the alerts of targets stand."""
        return {
            row["target"]: AlertCounts(
                waiting=row["waiting"], failing=row["failing"], beyond=row["beyond"], failed=row["failed"]
            )
            for row in self._all("alert_counts", since_ms=since_ms)
        }

    def retry_alerts(self, ids: Sequence[int] | None, *, target: str, now_ms: int) -> int:
        """Let alerts that failed have their turn now."""
        return self._do(
            "retry_alerts",
            everything=ids is None,
            ids=json.dumps(list(ids or ())),
            target=target,
            now_ms=now_ms,
        )


def _alert(row: Row) -> Alert:
    return Alert(
        id=row["id"],
        violation_id=row["violation_id"],
        target=row["target"],
        severity=row["severity"],
        state=AlertState(row["state"]),
        tries=row["tries"],
        next_at_ms=row["next_at_ms"],
        at_ms=row["at_ms"],
        ended_at_ms=row["ended_at_ms"],
        error=row["error"],
    )
