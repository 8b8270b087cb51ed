"""Violations for those who judge them: lists, context, decisions, appeals. Every look is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from controller.answers import code
from controller.core import Core
from controller.errors import BadRequest
from controller.periods import FOREVER_MS
from controller.records import ViolationState
from controller.rulings import Outcome
from controller.store.base_supervision import Wanted
from controller.verdicts import REASONS, Act
from controller.web.chatsearch import account_or_none, phones_named
from controller.web.desk import Actor, At
from controller.web.values import Number, Text
from controller.web.violationviews import (
    ContextView,
    DecisionView,
    ViolationView,
    context_view,
    decision_view,
    violation_view,
)

router = APIRouter(prefix="/violations", tags=["violations"])

_MOST = 500
_NOBODY = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which violations are wanted; what is left out is any. `assignee` "-": nobody's."""

    phones: Text = "all"
    account: Text = ""
    holder: Text = ""
    state: ViolationState | None = None
    severity: Text = ""
    category: Text = ""
    rule: Text = ""
    entry: Text = ""
    kind: Text = ""
    assignee: Text | None = None
    appeal: Text = ""
    conversation_id: Number | None = None
    since_ms: Number = 0
    until_ms: Number = FOREVER_MS


def wanted_of(core: Core, filters: Filters) -> Wanted:
    """Return which violations are wanted; BadRequest if the time ends before it begins."""
    if filters.since_ms >= filters.until_ms:
        raise BadRequest("the period ends before it begins")
    return Wanted(
        since_ms=filters.since_ms,
        until_ms=filters.until_ms,
        state=filters.state,
        phone_ids=phones_named(core, filters.phones),
        account_id=account_or_none(core, filters.account),
        holder=filters.holder,
        rule_id=filters.rule,
        entry_id=filters.entry,
        severity=filters.severity,
        category=filters.category,
        kind=filters.kind,
        assignee="" if filters.assignee == _NOBODY else filters.assignee,
        appeal=filters.appeal,
        conversation_id=filters.conversation_id,
    )


def told(filters: Filters) -> str:
    """Return what was asked for, in one line for the diary."""
    plain = Filters()
    names = Filters.__slots__
    said = [
        f"{name} {getattr(filters, name)}"
        for name in names
        if getattr(filters, name) != getattr(plain, name) and name != "phones"
    ]
    return ", ".join([filters.phones, *said])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAsked:
    """What is done about violations: `act` is one of assign, confirm, dismiss, escalate, close, reopen, note.

    `reason` is one of the list of the act, see /violations/reasons. `assignee` is for assign, empty: nobody.
    """

    violation_ids: list[Number]
    act: Act
    reason: Text = ""
    note: Text = ""
    assignee: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeView:
    """What became of one violation: a decision, or why it was refused; `error` is that refusal's name."""

    violation_id: int
    decision: DecisionView | None
    refusal: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealAsked:
    """Who objects, and what they say."""

    by: Text
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerAsked:
    """How an appeal is answered: uphold or grant, with a text for who appealed."""

    act: Act
    text: Text = ""
    reason: Text = ""


@router.get("", summary="List violations")
async def list_violations(
    at: At,
    actor: Actor,
    filters: Annotated[Filters, Depends()],
    before_id: Number | None = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
    reason: Text = "",
) -> list[ViolationView]:
    """Return violations, newest first; they quote chats, so the look is recorded."""

    def found(core: Core) -> list[ViolationView]:
        violations = core.violations.read(
            wanted_of(core, filters),
            before_id=before_id,
            limit=limit,
            told=told(filters),
            reason=reason,
            actor=actor,
        )
        return [violation_view(violation) for violation in violations]

    return await at.ask(found)


@router.get("/reasons", summary="List the reasons of each act")
async def list_reasons() -> dict[str, list[str]]:
    """Return the closed list of reasons of each act; an act without one takes none."""
    return {str(act): [str(reason) for reason in REASONS.get(act, ())] for act in Act}


@router.post("/review", summary="Decide about violations")
async def review(at: At, actor: Actor, asked: ReviewAsked) -> list[OutcomeView]:
    """Do one thing about violations in one transaction; what is refused leaves the others alone. Recorded."""

    def decided(core: Core) -> list[OutcomeView]:
        outcomes = core.violations.decide(
            asked.violation_ids,
            asked.act,
            actor=actor,
            reason=asked.reason,
            note=asked.note,
            assignee=asked.assignee,
        )
        return [outcome_view(outcome) for outcome in outcomes]

    return await at.ask(decided)


@router.get("/{violation_id}", summary="Show a violation with its context")
async def show_violation(
    at: At,
    actor: Actor,
    violation_id: Number,
    reason: Text = "",
    reach: Annotated[int, Query(ge=0, le=50)] = 5,
) -> ContextView:
    """Return a violation with the messages around it; the look is recorded, so it needs a reason."""

    def shown(core: Core) -> ContextView:
        return context_view(
            core, core.violations.context(violation_id, reach=reach, reason=reason, actor=actor)
        )

    return await at.ask(shown)


@router.post("/{violation_id}/appeal", summary="Appeal against a verdict")
async def appeal(at: At, actor: Actor, violation_id: Number, asked: AppealAsked) -> DecisionView:
    """Keep that the person a violation is about objects, once and within 30 days of the verdict. Recorded."""
    kept = await at.ask(
        lambda core: core.violations.appeal(violation_id, by=asked.by, text=asked.text, actor=actor)
    )
    return decision_view(kept)


@router.post("/{violation_id}/answer", summary="Answer an appeal")
async def answer(at: At, actor: Actor, violation_id: Number, asked: AnswerAsked) -> DecisionView:
    """Uphold a verdict or grant the appeal against it; by a person who has not judged it before. Recorded."""
    kept = await at.ask(
        lambda core: core.violations.answer(
            violation_id, asked.act, text=asked.text, reason=asked.reason, actor=actor
        )
    )
    return decision_view(kept)


def outcome_view(outcome: Outcome) -> OutcomeView:
    """Show what became of one violation."""
    return OutcomeView(
        violation_id=outcome.violation_id,
        decision=None if outcome.decision is None else decision_view(outcome.decision),
        refusal=outcome.refusal,
        error="" if outcome.error is None else code(type(outcome.error)),
    )
