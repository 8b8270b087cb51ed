"""The part of the store's contract that keeps what is told to whom outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from controller.alerts import Alert, AlertCounts, AlertState


class AlertRows(Protocol):
    """Alerts; whoever has one in hands is named by the end of that, in ms, which is nobody else's."""

    def lock_alert_target(self, target: str) -> None:
        """Let nobody else decide what a target is told until this transaction ends; locks."""

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
        """Make the alerts of violations found live since a moment that have none yet; return how many.

        `notified`: also of those whose rule asks to tell somebody, whatever their severity.
        """

    def alert_due(self, target: str, now_ms: int) -> Alert | None:
        """Return the most severe alert whose turn it is, or that was in hands for too long."""

    def alerts_told_since(self, target: str, *, since_ms: int, now_ms: int) -> list[int]:
        """Return the moments after one at which alerts were told one by one; of those in hands it is now."""

    def take_alert(self, alert_id: int, *, until_ms: int) -> None:
        """Take an alert in hands until a moment, and count one try."""

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
        """Keep what became of the alert in hands until a moment; False if it is in nobody's hands so."""

    def hold_alerts(self, target: str, until_ms: int) -> None:
        """Let no waiting alert of a target have its turn before a moment."""

    def release_alerts(self, target: str, now_ms: int) -> None:
        """Let all waiting alerts of a target have their turn from a moment on."""

    def put_beyond(self, target: str, *, now_ms: int, until_ms: int) -> int:
        """Put all whose turn it is beyond the number of an hour that ends then; return how many."""

    def beyond_due(self, target: str, now_ms: int) -> int:
        """Return how many alerts beyond the number wait for an hour that is over."""

    def take_beyond(self, target: str, *, now_ms: int, until_ms: int) -> int:
        """Take all alerts beyond the number in hands until a moment; return how many."""

    def summing(self, target: str, until_ms: int) -> tuple[dict[tuple[str, str], int], int]:
        """Return those in hands until a moment, counted by severity and category, and the most tries."""

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
        """Keep what became of the line about those in hands until a moment; return how many they are."""

    def give_up_alerts(self, *, before_ms: int, now_ms: int) -> int:
        """Let those fail that were made before a moment, and were not told; return how many."""

    def alerts(
        self, *, state: AlertState | None, target: str, before_id: int | None, limit: int
    ) -> list[Alert]:
        """Return alerts below an id, newest first; an empty target is any."""

    def alert_counts(self, since_ms: int) -> dict[str, AlertCounts]:
        """Return how the alerts of targets stand; failed are those that did since a moment."""

    def retry_alerts(self, ids: Sequence[int] | None, *, target: str, now_ms: int) -> int:
        """Let alerts that failed have their turn now; None is all of them, an empty target any."""
