"""Candidates for tables of ids, and the tables that persons accepted, as statements."""

from __future__ import annotations

import json

from controller.model import PhoneId
from controller.sessions import LearnedTable
from controller.store.base_clients import Candidate, CandidateState
from controller.store.sql_rows import Row, Statements


class ClientSql(Statements):
    """See controller.store.base_clients.ClientRows."""

    def add_candidate(self, candidate: Candidate) -> bool:
        """Keep a candidate; False if its request was answered already."""
        table = candidate.table
        added = self._do(
            "add_candidate",
            phone_id=candidate.phone_id,
            request_id=candidate.request_id,
            version_name=table.version_name,
            version_code=table.version_code,
            installer=table.installer,
            base=table.base,
            ids=json.dumps(dict(table.ids)),
            missing=json.dumps(candidate.missing),
            failure=candidate.failure,
            state=candidate.state,
            at_ms=candidate.at_ms,
        )
        return added == 1

    def candidates(self, *, limit: int) -> list[Candidate]:
        """Return the newest candidates, newest first."""
        return [_candidate(row) for row in self._all("candidates", max_rows=limit)]

    def lock_candidate(self, candidate_id: int) -> Candidate | None:
        """Return a candidate; locks."""
        row = self._one("lock_candidate", candidate_id=candidate_id)
        return _candidate(row) if row else None

    def set_candidate_state(self, candidate_id: int, state: CandidateState) -> None:
        """Keep what became of a candidate."""
        self._do("set_candidate_state", candidate_id=candidate_id, state=state)

    def accept_table(self, candidate: Candidate, *, accepted_by: str, at_ms: int) -> None:
        """Let a candidate be the table of its build, in place of an earlier one."""
        self._do(
            "accept_table",
            version_name=candidate.table.version_name,
            version_code=candidate.table.version_code,
            installer=candidate.table.installer,
            candidate_id=candidate.id,
            accepted_by=accepted_by,
            accepted_at_ms=at_ms,
        )

    def table_of_build(self, version_name: str, version_code: int, installer: str) -> LearnedTable | None:
        """Return the accepted table of exactly this build."""
        row = self._one(
            "table_of_build", version_name=version_name, version_code=version_code, installer=installer
        )
        return _table(row) if row else None

    def phones_of_build(self, version_name: str, version_code: int, installer: str) -> list[PhoneId]:
        """Return the phones that have exactly this build."""
        rows = self._all(
            "phones_of_build", version_name=version_name, version_code=version_code, installer=installer
        )
        return [PhoneId(row["phone_id"]) for row in rows]

    def set_build(self, phone_id: PhoneId, version_name: str, version_code: int, installer: str) -> None:
        """Keep which build a phone has."""
        self._do(
            "set_build",
            phone_id=phone_id,
            version_name=version_name,
            version_code=version_code,
            installer=installer,
        )


def _table(row: Row) -> LearnedTable:
    return LearnedTable(
        version_name=row["version_name"],
        version_code=row["version_code"],
        installer=row["installer"],
        base=row["base"],
        ids=tuple(sorted(json.loads(row["ids"]).items())),
    )


def _candidate(row: Row) -> Candidate:
    return Candidate(
        id=row["id"],
        phone_id=PhoneId(row["phone_id"]),
        request_id=row["request_id"],
        table=_table(row),
        missing=tuple(json.loads(row["missing"])),
        failure=row["failure"],
        state=CandidateState(row["state"]),
        at_ms=row["at_ms"],
    )
