"""Violations and the decisions about them, as statements."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from controller.model import AccountId, PhoneId
from controller.records import Violation, ViolationState
from controller.store.base_supervision import By, Counted, Stretch, Wanted
from controller.store.sql_rows import Row, Statements
from controller.verdicts import Act, Appeal, Decision

_AFTER_LAST_ID = 2**63 - 1


class ViolationSql(Statements):
    """See controller.store.base_supervision.ViolationRows."""

    def violations(self, wanted: Wanted, *, before_id: int | None, limit: int) -> list[Violation]:
        """Return violations below an id, newest first."""
        # Each has an index that ends with the id, so that the newest are found without looking at all.
        name = "violations"
        if wanted.holder:
            name = "violations_of_holder"
        elif wanted.state is not None:
            name = "violations_in_state"
        rows = self._all(
            name,
            since_ms=wanted.since_ms,
            until_ms=wanted.until_ms,
            state=wanted.state or "",
            phones=json.dumps(list(wanted.phone_ids)),
            account_id=wanted.account_id or "",
            holder=wanted.holder,
            rule_id=wanted.rule_id,
            entry_id=wanted.entry_id,
            severity=wanted.severity,
            category=wanted.category,
            kind=wanted.kind,
            any_assignee=wanted.assignee is None,
            assignee=wanted.assignee or "",
            appeal=wanted.appeal,
            conversation_id=wanted.conversation_id or 0,
            before_id=_AFTER_LAST_ID if before_id is None else before_id,
            max_rows=limit,
        )
        return [_violation(row) for row in rows]

    def violation(self, violation_id: int) -> Violation | None:
        """Return a violation."""
        row = self._one("violation", violation_id=violation_id)
        return _violation(row) if row else None

    def violation_by_key(self, dedupe_key: str) -> Violation | None:
        """Return the violation that a finding became."""
        row = self._one("violation_by_key", dedupe_key=dedupe_key)
        return _violation(row) if row else None

    def lock_violations(self, violation_ids: Sequence[int]) -> dict[int, Violation]:
        """Return those of these violations that are there; locks, in the order of their ids."""
        rows = self._all("lock_violations", ids=json.dumps(list(violation_ids)))
        return {row["id"]: _violation(row) for row in rows}

    def stand(
        self, violation_id: int, *, state: ViolationState, assignee: str, appeal: Appeal, at_ms: int
    ) -> None:
        """Keep how a violation stands; the caller keeps the decision that says so."""
        self._do(
            "stand", violation_id=violation_id, state=state, assignee=assignee, appeal=appeal, at_ms=at_ms
        )

    def add_decision(self, decision: Decision) -> Decision:
        """Append a decision (its id is ignored) and return it with its id."""
        row = self._the(
            "add_decision",
            violation_id=decision.violation_id,
            at_ms=decision.at_ms,
            actor=decision.actor,
            act=decision.act,
            from_state=decision.from_state,
            to_state=decision.to_state,
            assignee=decision.assignee,
            reason=decision.reason,
            note=decision.note,
        )
        return replace(decision, id=int(row["id"]))

    def decisions(self, violation_ids: Sequence[int]) -> Mapping[int, list[Decision]]:
        """Return all decisions about these violations, oldest first, by violation."""
        found: dict[int, list[Decision]] = {violation_id: [] for violation_id in violation_ids}
        for row in self._all("decisions", ids=json.dumps(list(violation_ids))):
            found[row["violation_id"]].append(_decision(row))
        return found

    def ids_found(self, since_ms: int) -> tuple[int, int]:
        """Return the id of the violation that was found first since a moment, and the last id; 0: none."""
        row = self._the("ids_found", since_ms=since_ms)
        return int(row["first_id"]), int(row["last_id"])

    def count_by(self, by: By, stretch: Stretch) -> list[Counted]:
        """Return how many violations stand how, by name."""
        return [Counted(**dict(row)) for row in self._all("count_by", by=by, **asdict(stretch))]

    def times_to_verdict(self, by: By, stretch: Stretch) -> list[tuple[str, int]]:
        """Return name and milliseconds to the first verdict of the violations that have one."""
        rows = self._all("times_to_verdict", by=by, **asdict(stretch))
        return [(row["name"], int(row["ms"])) for row in rows]


def _decision(row: Row) -> Decision:
    return Decision(
        **{
            **dict(row),
            "act": Act(row["act"]),
            "from_state": ViolationState(row["from_state"]),
            "to_state": ViolationState(row["to_state"]),
        }
    )


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
