"""The contract of the store for ids of the client: candidates, and the tables that persons accepted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from controller.model import PhoneId
from controller.sessions import LearnedTable


class CandidateState(StrEnum):
    """What became of a candidate."""

    NEW = "new"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"  # nothing was learned; `failure` says why


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Ids read off a phone; `missing` are roles that no page showed. `id` is 0 before it is kept."""

    id: int = 0
    phone_id: PhoneId
    request_id: str
    table: LearnedTable
    missing: tuple[str, ...]
    failure: str
    state: CandidateState
    at_ms: int


class ClientRows(Protocol):
    """Builds of the client that no release of the agent knows."""

    def add_candidate(self, candidate: Candidate) -> bool:
        """Keep a candidate; False if its request was answered already."""

    def candidates(self, *, limit: int) -> list[Candidate]:
        """Return the newest candidates, newest first."""

    def lock_candidate(self, candidate_id: int) -> Candidate | None:
        """Return a candidate; locks."""

    def set_candidate_state(self, candidate_id: int, state: CandidateState) -> None:
        """Keep what became of a candidate."""

    def accept_table(self, candidate: Candidate, *, accepted_by: str, at_ms: int) -> None:
        """Let a candidate be the table of its build, in place of an earlier one."""

    def table_of_build(self, version_name: str, version_code: int, installer: str) -> LearnedTable | None:
        """Return the accepted table of exactly this build."""

    def phones_of_build(self, version_name: str, version_code: int, installer: str) -> list[PhoneId]:
        """Return the phones that have exactly this build."""

    def set_build(self, phone_id: PhoneId, version_name: str, version_code: int, installer: str) -> None:
        """Keep which build a phone has."""
