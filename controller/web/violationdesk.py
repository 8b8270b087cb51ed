"""The desk beside single decisions: exceptions, statistics, export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from controller.core import Core
from controller.deskstats import By, Line
from controller.periods import FOREVER_MS
from controller.verdicts import Reason
from controller.violationexport import record_of
from controller.waivers import Preview, Waived
from controller.web.chatviews import MessageView, message_view
from controller.web.desk import Actor, At
from controller.web.values import Number, Text
from controller.web.violations import Filters, told, wanted_of
from controller.web.violationviews import DecisionView, ViolationView, decision_view, violation_view

router = APIRouter(prefix="/violations", tags=["violations"])


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewAsked:
    """A phrase that stands in the message of a violation around what was found; no accounts: all."""

    phrase: Text
    accounts: list[Text] | None = None
    reason: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewView:
    """What else an exception would silence: violations of the same rule and word, messages with its phrase.

    `open_ids` wait for a verdict; `confirmed_ids` were judged right before, so it may go too far. `past`: how
    many others stand how. `messages`: of the last 30 days. Not `is_complete`: there are more.
    `silences_whole_word`: nothing of this word would be found any more.
    """

    violation_id: int
    phrase: str
    accounts: list[str]
    open_ids: list[int]
    confirmed_ids: list[int]
    past: dict[str, int]
    examples: list[ViolationView]
    messages: int
    message_examples: list[MessageView]
    is_complete: bool
    silences_whole_word: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionAsked:
    """A phrase that is no violation, and why this one is dismissed."""

    phrase: Text
    accounts: list[Text] | None = None
    reason: Text = Reason.NOT_A_VIOLATION.value
    note: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionView:
    """An exception in force from this version of the book on, and the decision that made it."""

    waiver_id: str
    book_version: int
    decision: DecisionView


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsView:
    """Violations of one name, found in a time, as they stand now; closed ones count by their verdict.

    `open` waits for a verdict, `escalated` for its two persons. `false_alarm_share`: of those with a verdict,
    0 to 1, null: none has one. Times are from found to the first verdict.
    """

    key: str
    hits: int
    repeats: int
    open: int
    escalated: int
    confirmed: int
    dismissed: int
    false_alarm_share: float | None
    appeals: int
    granted: int
    median_ms: int | None
    p90_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAsked:
    """Which violations are exported and why, null: all. `is_revealed`: mobiles are not masked; recorded."""

    reason: Text = ""
    filters: Filters | None = None
    is_revealed: bool = False
    before_id: Number | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportView:
    """The next violations with all that was decided; `next_before_id` null: that was all."""

    entries: list[dict[str, Any]]
    next_before_id: int | None


@router.get("/stats", summary="Count violations")
async def show_stats(
    at: At,
    by: By = By.RULE,
    since_ms: Number = 0,
    until_ms: Number = FOREVER_MS,
) -> list[StatsView]:
    """Return hits, verdicts, false alarms, appeals and time to verdict of each name, most hits first."""
    lines = await at.ask(lambda core: core.violations.stats.by(by, since_ms=since_ms, until_ms=until_ms))
    return [stats_view(line) for line in lines]


@router.post("/export", summary="Export violations")
async def export(at: At, actor: Actor, asked: ExportAsked) -> ExportView:
    """Return the next violations, newest first; each page is recorded, so it needs a reason."""

    def page(core: Core) -> ExportView:
        filters = asked.filters or Filters()
        said = f"{told(filters)}{', mobiles in full' if asked.is_revealed else ''}"
        found = core.violations.exports.page(
            wanted_of(core, filters),
            before_id=asked.before_id,
            told=said,
            reason=asked.reason,
            actor=actor,
        )
        return ExportView(
            entries=[record_of(entry, is_revealed=asked.is_revealed) for entry in found.entries],
            next_before_id=found.next_before_id,
        )

    return await at.ask(page)


@router.post("/{violation_id}/exception/preview", summary="Show what an exception would silence")
async def preview_exception(at: At, actor: Actor, violation_id: Number, asked: PreviewAsked) -> PreviewView:
    """Return what else would not be found any more; the look is recorded, so it needs a reason."""

    def preview(core: Core) -> PreviewView:
        found = core.violations.waivers.preview(
            violation_id,
            asked.phrase,
            accounts=tuple(asked.accounts or ()),
            reason=asked.reason,
            actor=actor,
        )
        return preview_view(found)

    return await at.ask(preview)


@router.post("/{violation_id}/exception", summary="Dismiss a violation and make it an exception")
async def make_exception(at: At, actor: Actor, violation_id: Number, asked: ExceptionAsked) -> ExceptionView:
    """Dismiss a violation and put the exception in force, both or nothing. Recorded."""

    def waive(core: Core) -> Waived:
        return core.violations.waivers.dismiss(
            violation_id,
            asked.phrase,
            accounts=tuple(asked.accounts or ()),
            reason=asked.reason,
            note=asked.note,
            actor=actor,
        )

    waived = await at.ask(waive)
    return ExceptionView(
        waiver_id=waived.waiver_id,
        book_version=waived.book_version,
        decision=decision_view(waived.decision),
    )


def preview_view(found: Preview) -> PreviewView:
    """Show what an exception would silence."""
    return PreviewView(
        violation_id=found.violation.id,
        phrase=found.phrase,
        accounts=list(found.accounts),
        open_ids=list(found.open_ids),
        confirmed_ids=list(found.confirmed_ids),
        past=found.past,
        examples=[violation_view(violation) for violation in found.examples],
        messages=found.messages,
        message_examples=[message_view(message, host="") for message in found.message_examples],
        is_complete=found.is_complete,
        silences_whole_word=found.silences_whole_word,
    )


def stats_view(line: Line) -> StatsView:
    """Show violations of one name."""
    return StatsView(
        key=line.key,
        hits=line.hits,
        repeats=line.repeats,
        open=line.open,
        escalated=line.escalated,
        confirmed=line.confirmed,
        dismissed=line.dismissed,
        false_alarm_share=line.false_alarm_share,
        appeals=line.appeals,
        granted=line.granted,
        median_ms=line.median_ms,
        p90_ms=line.p90_ms,
    )
