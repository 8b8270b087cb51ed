"""The part of the store's contract that keeps books of words and rules, and histories searched again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from controller.model import AccountId, PhoneId, Tenure
from controller.records import Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLine:
    """One version of the words and rules: who made it, when, and what they changed."""

    version: int
    at_ms: int
    actor: str
    act: str
    note: str
    sha256: str  # of the whole document


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBook:
    """A version with its document, as controller.shelves packs it."""

    line: BookLine
    packed: bytes


class ScanState(StrEnum):
    """How a search of the history stands."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # by a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A history that is searched by one version of the book: messages after one id, up to another."""

    id: int
    book_version: int
    since_ms: int
    after_message_id: int  # so far it came
    last_message_id: int
    looked_at: int
    found: int  # violations that were not there before
    state: ScanState
    asked_by: str
    at_ms: int
    ended_at_ms: int | None


class BookRows(Protocol):
    """Versions of the book; the newest is in force."""

    def book_version(self) -> int:
        """Return the newest version; 0 if there is none."""

    def book(self, version: int) -> StoredBook | None:
        """Return a version."""

    def books(self, *, before_version: int | None, limit: int) -> list[BookLine]:
        """Return the newest versions below one, newest first."""

    def add_book(self, book: StoredBook) -> bool:
        """Keep a version; False if one of this number is there."""


class HistoryRows(Protocol):
    """Searches of the history, and the history as they read it."""

    def add_scan(self, scan: Scan) -> Scan:
        """Keep a search (its id is ignored) and return it with its id."""

    def lock_scan(self, scan_id: int) -> Scan | None:
        """Return a search; locks."""

    def scans(self, *, state: ScanState | None, limit: int) -> list[Scan]:
        """Return searches, newest first."""

    def save_scan(self, scan: Scan) -> None:
        """Keep how far a search came."""

    def last_message_id(self) -> int:
        """Return the highest id of a message; 0 if there is none."""

    def message_from(self, message_id: int) -> tuple[int, int] | None:
        """Return the first message from an id on and when it was archived; None: there is none."""

    def message_ids_between(self, after_id: int, last_id: int, *, limit: int) -> list[int]:
        """Return the first ids of messages above one, up to another."""

    def count_messages_between(self, after_id: int, last_id: int) -> int:
        """Return how many messages have ids above one, up to another."""

    def conversations_by_id(self, conversation_ids: Sequence[int]) -> dict[int, Conversation]:
        """Return those of these chats that are there, by id."""

    def tenures_of_account(self, account_id: AccountId) -> Mapping[PhoneId, Sequence[Tenure]]:
        """Return all tenures of the phones that an account was ever bound to, oldest first."""
