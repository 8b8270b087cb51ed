"""Violations out of the store with all that was decided: records without loss, and rows for sheets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from controller.audit import enter
from controller.errors import BadRequest
from controller.ledger import Ledger
from controller.records import Violation, ViolationState
from controller.safe import masked, masked_number
from controller.store.base_supervision import Wanted
from controller.verdicts import Decision, verdict_of
from controller.violationcontext import shown_text, with_texts

_PAGE = 500

# The columns of a sheet, in this order; a new one is added at the end only.
COLUMNS = (
    *(
        "violation",
        "found_at",
        "said_at",
        "phone_id",
        "account_id",
        "holder",
        "side",
        "kind",
        "rule",
        "entry",
    ),
    *("word", "category", "severity", "how", "detail", "text", "state", "assignee", "verdict", "judged_by"),
    *("judged_at", "reason", "appeal", "repeats", "book_version", "origin", "chat", "message_id", "history"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A violation with its history, oldest first."""

    violation: Violation
    history: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The next violations, newest first; `next_before_id` None: that was all."""

    entries: tuple[Entry, ...]
    next_before_id: int | None


class ViolationExports:
    """Exports of violations; every page handed out is recorded."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def page(
        self, wanted: Wanted, *, before_id: int | None = None, told: str, reason: str, actor: str
    ) -> Page:
        """Return the next violations; recorded, `told` as what was asked for. BadRequest without a reason."""
        if not reason.strip():
            raise BadRequest("say why you export violations (reason); the export is recorded")
        with self._ledger.work() as work:
            page_told = told if before_id is None else f"{told}, on below violation {before_id}"
            enter(work, actor=actor, what="violations.export", object_=page_told, reason=reason)
            found = with_texts(work.tx, work.tx.violations(wanted, before_id=before_id, limit=_PAGE))
            histories = work.tx.decisions([one.id for one in found])
        entries = tuple(Entry(violation=one, history=tuple(histories[one.id])) for one in found)
        is_last = len(found) < _PAGE
        return Page(entries=entries, next_before_id=None if is_last else found[-1].id)


def record_of(entry: Entry, *, is_revealed: bool = False) -> dict[str, Any]:
    """Return everything about a violation as plain values for JSON; mobiles are masked unless revealed."""
    record = asdict(entry.violation)
    record["violation_id"] = record.pop("id")
    record["history"] = [asdict(one) for one in entry.history]
    is_open = entry.violation.state in {ViolationState.NEW, ViolationState.ESCALATED}
    verdict = None if is_open else verdict_of(entry.history)
    record["verdict"] = "" if verdict is None else str(verdict.to_state)
    record["judged"] = None if verdict is None else asdict(verdict)
    if is_revealed:
        return record
    record["text"] = shown_text(entry.violation, entry.violation.text)
    is_number = entry.violation.kind == "pattern"
    for name in ("word", "detail"):
        record[name] = masked_number(record[name]) if is_number else masked(record[name])
    for decision in (*record["history"], record["judged"]):
        if decision is not None:
            decision["note"] = masked(decision["note"])
    return record


def row_of(record: Mapping[str, Any], moment: Callable[[int | None], str]) -> list[str]:
    """Return the cells of a record in the order of COLUMNS; `moment` shows a time. Write them by csv_text."""
    judged = record["judged"]
    cells = {
        **record,
        "violation": record["violation_id"],
        "found_at": moment(record["found_at_ms"]),
        "said_at": moment(record["at_ms"]),
        "rule": record["rule_id"],
        "entry": record["entry_id"],
        "chat": record["conversation_id"],
        "judged_by": judged["actor"] if judged else "",
        "judged_at": moment(judged["at_ms"]) if judged else "",
        "reason": judged["reason"] if judged else "",
        "history": "\n".join(_told(one, moment) for one in record["history"]),
    }
    return ["" if cells[name] is None else str(cells[name]) for name in COLUMNS]


def _told(decision: Mapping[str, Any], moment: Callable[[int | None], str]) -> str:
    parts = [
        moment(decision["at_ms"]),
        decision["actor"],
        decision["act"],
        decision["reason"],
        decision["note"],
    ]
    return " · ".join(part for part in parts if part)
