"""What the controller believes, compared with what really happened in the world; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One customer: what the controller says, what should have come, what the world counted."""

    row_no: int
    phone_id: str
    state: str
    outcome: str
    expected: str
    requests: int
    accepts: bool = False
    evidence: str = ""

    @property
    def agrees(self) -> bool:
        """Tell whether belief, expectation and truth are one."""
        acted = int(self.expected in ("requested", "added"))
        # Who accepts is seen on the page of new friends; a request settled late may find a friend already.
        befriended = self.accepts and self.expected == "requested" and self.outcome in ("accepted", "added")
        return (self.outcome == self.expected or befriended) and self.requests == acted

    def __str__(self) -> str:
        """Return belief beside truth in one line, with what the belief rests on."""
        why = f" ({self.evidence})" if self.evidence else ""
        believed = f"{self.state} {self.outcome}".strip() + why
        went_out = f"requests that went out: {self.requests}"
        return f"row {self.row_no}: {believed}, expected {self.expected}, {went_out}"


def rows(
    tasks: Sequence[Mapping[str, Any]],
    queries: Mapping[int, str],
    truth: Mapping[str, Any],
    accepting: Collection[str] = (),
) -> list[Row]:
    """Return one row per customer; `queries`: row to who was looked up, `accepting`: those who accept."""
    by_row = {task["row_no"]: task for task in tasks}
    counted: dict[str, int] = {}
    for phone in truth["phones"]:
        for entry in [*phone["requests"], *phone["added"]]:
            for key in {entry["query"], entry["peer"]}:
                counted[key] = counted.get(key, 0) + entry["count"]
    return [
        Row(
            row_no=row_no,
            phone_id=by_row.get(row_no, {}).get("phone_id") or "",
            state=by_row.get(row_no, {}).get("state", "missing"),
            outcome=by_row.get(row_no, {}).get("outcome", ""),
            expected=_expected(truth, by_row.get(row_no, {}).get("account_id"), query),
            requests=counted.get(query, 0),
            accepts=query in accepting,
            evidence=by_row.get(row_no, {}).get("evidence") or "",
        )
        for row_no, query in sorted(queries.items())
    ]


def _expected(truth: Mapping[str, Any], account: str | None, query: str) -> str:
    # Who is a friend of one account is a stranger to another.
    own = truth["expected_by_account"].get(account, {})
    return str(own.get(query, truth["expected"][query]))


def twice(table: Sequence[Row]) -> list[int]:
    """Return the rows of customers who got more than one request."""
    return [row.row_no for row in table if row.requests > 1]


def over_quota(truth: Mapping[str, Any], per_day: int) -> list[str]:
    """Return the serials of phones that did more than their quota allows."""
    return [
        phone["serial"]
        for phone in truth["phones"]
        if sum(entry["count"] for entry in [*phone["requests"], *phone["added"]]) > per_day
    ]


Line = tuple[str, str]  # side, text


def conversations(truth: Mapping[str, Any]) -> dict[tuple[str, str], list[Line]]:
    """Return what was really said, per (account, title), in order; system lines left out."""
    said: dict[tuple[str, str], list[Line]] = {}
    for message in truth["messages"]:
        if message["side"] != "system":
            said.setdefault((message["account"], message["title"]), []).append(
                (message["side"], message["text"])
            )
    return said


def chat_findings(
    said: Mapping[tuple[str, str], Sequence[Line]], archived: Mapping[tuple[str, str], Sequence[Line]]
) -> Iterator[str]:
    """Yield a line for each conversation that the archive does not hold exactly once and in order."""
    for key, lines in said.items():
        have = list(archived.get(key, []))
        if have != list(lines):
            yield f"{key[0]}: {len(have)} lines archived, {len(lines)} were said"
    for key in archived.keys() - said.keys():
        if archived[key]:
            yield f"{key[0]}: a conversation was archived that nobody had"
