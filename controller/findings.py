"""Messages as rules see them, and what rules find in them: values, rates, and the row of a finding. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from controller.clock import SECOND_MS
from controller.model import AccountId, PhoneId
from controller.rules import Rule
from controller.store.base_ingest import NewViolation
from controller.words.lexicon import Severity

SYSTEM = "system"


class Line(NamedTuple):
    """A message as rules see it; `from_ms`–`to_ms` is when the screen places it, both 0: not known."""

    message_id: int
    conversation_id: int
    position: int
    chat_kind: str
    phone_id: PhoneId
    account_id: AccountId
    holder: str
    side: str
    kind: str
    text: str
    read_at_ms: int
    detail: str = ""
    sender: str = ""
    amount_fen: int = -1
    from_ms: int = 0
    to_ms: int = 0

    @property
    def said_ms(self) -> int:
        """Return when it was said at the earliest, as far as is known; else when it was read."""
        return self.from_ms or self.read_at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule fires on a line; `key` is the same whenever the same thing is found again."""

    rule: Rule
    line: Line
    kind: str  # word | pattern | behaviour
    entry_id: str
    word: str
    category: str
    severity: Severity
    how: str
    detail: str
    start: int
    end: int
    key: str

    @property
    def subject(self) -> str:
        """Return for whom the rate of its rule counts."""
        per = self.rule.rate.per if self.rule.rate else ""
        return {"holder": self.line.holder, "chat": str(self.line.conversation_id)}.get(
            per, self.line.account_id
        )


class Marks(Protocol):
    """What rules with a rate have counted."""

    def count(self, rule_id: str, subject: str, *, after_ms: int, until_ms: int) -> int:
        """Return how many marks lie within a time."""

    def add(self, rule_id: str, subject: str, at_ms: int, message_id: int) -> None:
        """Add a mark."""

    def clear(self, rule_id: str, subject: str, *, until_ms: int) -> None:
        """Drop the marks up to a moment: they have led to a violation."""


class Tally:
    """Marks in memory, for history that is searched again."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, str], list[int]] = {}

    def count(self, rule_id: str, subject: str, *, after_ms: int, until_ms: int) -> int:
        """Return how many marks lie within a time."""
        return sum(after_ms < at_ms <= until_ms for at_ms in self._at.get((rule_id, subject), ()))

    def add(self, rule_id: str, subject: str, at_ms: int, message_id: int) -> None:  # noqa: ARG002 as the store's
        """Add a mark."""
        self._at.setdefault((rule_id, subject), []).append(at_ms)

    def clear(self, rule_id: str, subject: str, *, until_ms: int) -> None:
        """Drop the marks up to a moment."""
        kept = [at_ms for at_ms in self._at.get((rule_id, subject), ()) if at_ms > until_ms]
        self._at[rule_id, subject] = kept


def rated(findings: Iterable[Finding], marks: Marks) -> list[Finding]:
    """Return the findings that stand: of a rule with a rate those that complete it.

    They come in order of time; of one message a rule counts one.
    """
    standing = []
    counted: set[tuple[str, int]] = set()
    for finding in findings:
        rate = finding.rule.rate
        if rate is None:
            standing.append(finding)
            continue
        rule_id, subject, at_ms = finding.rule.id, finding.subject, finding.line.said_ms
        message = (rule_id, finding.line.message_id)
        if finding.line.message_id and message in counted:
            continue
        counted.add(message)
        marks.add(rule_id, subject, at_ms, finding.line.message_id)
        after_ms = at_ms - rate.window_s * SECOND_MS
        if marks.count(rule_id, subject, after_ms=after_ms, until_ms=at_ms) >= rate.count:
            # What was counted once leads to one violation.
            marks.clear(rule_id, subject, until_ms=at_ms)
            standing.append(finding)
    return standing


def violation_of(finding: Finding, book_version: int, *, origin: str, found_at_ms: int) -> NewViolation:
    """Return the row of a finding; its message is archived."""
    line = finding.line
    return NewViolation(
        kind=finding.kind,
        rule_id=finding.rule.id,
        entry_id=finding.entry_id,
        word=finding.word,
        category=finding.category,
        severity=finding.severity,
        how=finding.how,
        detail=finding.detail,
        book_version=book_version,
        phone_id=line.phone_id,
        account_id=line.account_id,
        holder=line.holder,
        side=line.side,
        start=finding.start,
        end=finding.end,
        origin=origin,
        dedupe_key=finding.key,
        notify=finding.rule.notifies(finding.severity),
        at_ms=line.read_at_ms,
        found_at_ms=found_at_ms,
        message_id=line.message_id or None,
        conversation_id=line.conversation_id,
    )
