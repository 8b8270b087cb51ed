"""What becomes of findings: violations, each once, or one more of what was found before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from controller.clock import SECOND_MS
from controller.findings import Finding, rated, violation_of
from controller.store.base import Tx
from controller.store.base_ingest import NewViolation

LIVE = "live"


def keep(
    tx: Tx,
    findings: Iterable[Finding],
    book_version: int,
    *,
    found_at_ms: int,
    origin: str = LIVE,
    new_from_id: int = 0,
) -> int:
    """Make violations of findings in a transaction; returns how many there are that were not there before.

    What was found before stays one. The same text again soon counts with the violation that nobody has
    decided on yet; only live findings raise its number. Messages of these chats from `new_from_id` on were
    archived in this transaction; 0: none was.
    """
    standing = rated([one for one in findings if one.rule.keeps], _StoredMarks(tx))
    if not standing:
        return 0
    # A word in a message that was not there before was not found before either.
    doubtful = {one.key for one in standing if not 0 < new_from_id <= one.line.message_id or not one.entry_id}
    known = tx.known_keys(sorted(doubtful)) if doubtful else set()
    once = {finding.key: finding for finding in standing if finding.key not in known}
    rows = _collapsed(tx, list(once.values()), book_version, found_at_ms, origin)
    for are_new in (True, False):
        part = [row for row in rows if (row[0].dedupe_key not in doubtful) is are_new]
        if part:
            tx.put_violations(part, are_new=are_new)
    return len(rows)


def keep_once(tx: Tx, rows: Iterable[NewViolation]) -> int:
    """Keep violations as they are; returns how many there are that were not there before."""
    fresh: dict[str, NewViolation] = {}
    for row in rows:
        fresh.setdefault(row.dedupe_key, row)
    for key in tx.known_keys(sorted(fresh)) if fresh else ():
        del fresh[key]
    if fresh:
        tx.put_violations([(row, 0) for row in fresh.values()])
    return len(fresh)


def _collapsed(
    tx: Tx, findings: Sequence[Finding], book_version: int, found_at_ms: int, origin: str
) -> list[tuple[NewViolation, int]]:
    """Return the rows of findings, and how often each was found again among them."""
    chats = {one.line.conversation_id for one in findings if one.rule.collapse_s and one.entry_id}
    reach_ms = max((one.rule.collapse_s for one in findings), default=0) * SECOND_MS
    since_ms = min(one.line.said_ms for one in findings) - reach_ms if findings else 0
    alike: dict[tuple[str, str, int, int, str], list[tuple[int, int, int]]] = {}
    for old in tx.alike(sorted(chats), since_ms=since_ms) if chats else ():
        place = (old.rule_id, old.entry_id, old.conversation_id, old.start, old.text)
        alike.setdefault(place, []).append((old.violation_id, old.message_id, old.said_ms))
    rows: list[NewViolation] = []
    repeats: list[int] = []
    for one in findings:
        line = one.line
        place = (one.rule.id, one.entry_id, line.conversation_id, one.start, line.text)
        near = [
            violation_id
            for violation_id, message_id, said_ms in alike.get(place, ())
            if message_id != line.message_id
            and abs(line.said_ms - said_ms) <= one.rule.collapse_s * SECOND_MS
        ]
        if near and line.text and one.entry_id and one.rule.collapse_s:
            violation_id = near[-1]
            if violation_id < 0:
                repeats[-violation_id - 1] += 1
                continue
            if origin != LIVE or tx.add_repeats(violation_id, 1):
                continue
        rows.append(violation_of(one, book_version, origin=origin, found_at_ms=found_at_ms))
        repeats.append(0)
        # Negative: not written yet, the place among the rows.
        alike.setdefault(place, []).append((-len(rows), line.message_id, line.said_ms))
    return list(zip(rows, repeats, strict=True))


class _StoredMarks:
    """What rules with a rate have counted, in the store; see controller.findings.Marks."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def add(self, rule_id: str, subject: str, at_ms: int, message_id: int) -> None:
        """Add a mark."""
        self._tx.lock_marks(rule_id, subject)
        self._tx.add_mark(rule_id, subject, at_ms, message_id)

    def count(self, rule_id: str, subject: str, *, after_ms: int, until_ms: int) -> int:
        """Return how many marks lie within a time."""
        return self._tx.count_marks(rule_id, subject, after_ms=after_ms, until_ms=until_ms)

    def clear(self, rule_id: str, subject: str, *, until_ms: int) -> None:
        """Drop the marks up to a moment."""
        self._tx.clear_marks(rule_id, subject, until_ms=until_ms)
