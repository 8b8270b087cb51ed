"""Decisions about violations inside a transaction: each locked, decided, kept, and written into the diary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from controller.audit import enter
from controller.errors import BadRequest, FarmError
from controller.ledger import Work
from controller.records import Violation
from controller.verdicts import Act, Decision, appeal_after, decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an act on one violation: a decision, or the error that stands against it."""

    violation_id: int
    decision: Decision | None = None
    error: FarmError | None = None

    @property
    def refusal(self) -> str:
        """Return why it was refused; empty if it was not."""
        return "" if self.error is None else str(self.error)


def rule_on(
    work: Work,
    violation_ids: Sequence[int],
    act: Act,
    actor: str,
    *,
    reason: str = "",
    note: str = "",
    assignee: str = "",
    typed_by: str = "",
) -> list[Outcome]:
    """Return what became of an act on each of these violations; a refused one leaves the others alone.

    `typed_by` is in the diary if it was another person than who acts.
    """
    found = work.tx.lock_violations(violation_ids)
    histories = work.tx.decisions(list(found))
    outcomes = []
    for violation_id in violation_ids:
        try:
            violation = known(found, violation_id)
            decision = decide(
                violation,
                histories[violation_id],
                act,
                actor,
                reason=reason,
                note=note,
                assignee=assignee,
                now_ms=work.now_ms,
            )
        except FarmError as error:
            outcomes.append(Outcome(violation_id=violation_id, error=error))
            continue
        kept = _keep(work, violation, decision, typed_by=typed_by or actor)
        outcomes.append(Outcome(violation_id=violation_id, decision=kept))
    return outcomes


def rule_on_one(
    work: Work,
    violation_id: int,
    act: Act,
    actor: str,
    *,
    reason: str = "",
    note: str = "",
    typed_by: str = "",
) -> Decision:
    """Return the decision about one violation; BadRequest or SafetyRefusal if it is refused."""
    (outcome,) = rule_on(work, [violation_id], act, actor, reason=reason, note=note, typed_by=typed_by)
    if outcome.decision is None:
        raise outcome.error or BadRequest()
    return outcome.decision


def known(found: dict[int, Violation], violation_id: int) -> Violation:
    """Return one of these violations; BadRequest if it is not among them."""
    violation = found.get(violation_id)
    if violation is None:
        raise BadRequest(f"no violation {violation_id}")
    return violation


def _keep(work: Work, violation: Violation, decision: Decision, *, typed_by: str) -> Decision:
    kept = work.tx.add_decision(decision)
    work.tx.stand(
        violation.id,
        state=decision.to_state,
        assignee=decision.assignee,
        appeal=appeal_after(violation, decision.act),
        at_ms=decision.at_ms,
    )
    # The note is in the history: it may quote what somebody said.
    enter(
        work,
        actor=typed_by,
        what=f"violation.{decision.act}",
        object_=str(violation.id),
        reason=decision.reason,
    )
    return kept
