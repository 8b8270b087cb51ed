"""Violations and the decisions about them, as statements."""

from __future__ import annotations

from controller.model import AccountId, PhoneId
from controller.records import Violation, ViolationState
from controller.store.sql_rows import Row, Statements


class ViolationSql(Statements):
    """See controller.store.base_supervision.ViolationRows."""

    def violations(
        self, *, since_ms: int, state: ViolationState | None, phone_id: PhoneId | None, limit: int
    ) -> list[Violation]:
        """Return violations found since a moment, newest first."""
        rows = self._all(
            "violations", since_ms=since_ms, state=state or "", phone_id=phone_id or "", max_rows=limit
        )
        return [_violation(row) for row in rows]

    def violation(self, violation_id: int) -> Violation | None:
        """Return a violation."""
        row = self._one("violation", violation_id=violation_id)
        return _violation(row) if row else None


def _violation(row: Row) -> Violation:
    return Violation(
        id=row["id"],
        kind=row["kind"],
        rule_id=row["rule_id"],
        entry_id=row["entry_id"],
        word=row["word"],
        category=row["category"],
        severity=row["severity"],
        how=row["how"],
        detail=row["detail"],
        book_version=row["book_version"],
        origin=row["origin"],
        repeats=row["repeats"],
        notify=bool(row["notify"]),
        state=ViolationState(row["state"]),
        assignee=row["assignee"],
        appeal=row["appeal"],
        message_id=row["message_id"],
        conversation_id=row["conversation_id"],
        phone_id=PhoneId(row["phone_id"]),
        account_id=AccountId(row["account_id"]),
        holder=row["holder"],
        side=row["side"],
        start=row["start_index"],
        end=row["end_index"],
        text=row["text"],
        at_ms=row["at_ms"],
        found_at_ms=row["found_at_ms"],
        changed_at_ms=row["changed_at_ms"],
    )
