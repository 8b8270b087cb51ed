"""Books of words and rules, and searches of the history, as statements."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from controller.model import AccountId, PhoneId, Tenure
from controller.records import Conversation
from controller.store.base_books import BookLine, Scan, ScanState, StoredBook
from controller.store.sql_rows import Row, Statements, tenure_of

_AFTER_LAST = 2**63 - 1


class BookSql(Statements):
    """See controller.store.base_books.BookRows and HistoryRows."""

    def book_version(self) -> int:
        """Return the newest version; 0 if there is none."""
        return self._count("book_version")

    def book(self, version: int) -> StoredBook | None:
        """Return a version."""
        row = self._one("book", version=version)
        return StoredBook(line=_line(row), packed=bytes(row["body"])) if row else None

    def books(self, *, before_version: int | None, limit: int) -> list[BookLine]:
        """Return the newest versions below one, newest first."""
        before = _AFTER_LAST if before_version is None else before_version
        return [_line(row) for row in self._all("books", before_version=before, max_rows=limit)]

    def add_book(self, book: StoredBook) -> bool:
        """Keep a version; False if one of this number is there."""
        line = book.line
        kept = self._do(
            "add_book",
            version=line.version,
            at_ms=line.at_ms,
            actor=line.actor,
            act=line.act,
            note=line.note,
            sha256=line.sha256,
            body=book.packed,
        )
        return kept == 1

    def add_scan(self, scan: Scan) -> Scan:
        """Keep a search (its id is ignored) and return it with its id."""
        row = self._the(
            "add_scan",
            book_version=scan.book_version,
            since_ms=scan.since_ms,
            after_message_id=scan.after_message_id,
            last_message_id=scan.last_message_id,
            state=scan.state,
            asked_by=scan.asked_by,
            at_ms=scan.at_ms,
        )
        return replace(scan, id=int(row["id"]))

    def lock_scan(self, scan_id: int) -> Scan | None:
        """Return a search; locks."""
        row = self._one("lock_scan", id=scan_id)
        return _scan(row) if row else None

    def scans(self, *, state: ScanState | None, limit: int) -> list[Scan]:
        """Return searches, newest first."""
        return [_scan(row) for row in self._all("scans", state=state or "", max_rows=limit)]

    def save_scan(self, scan: Scan) -> None:
        """Keep how far a search came."""
        self._do(
            "save_scan",
            id=scan.id,
            after_message_id=scan.after_message_id,
            looked_at=scan.looked_at,
            found=scan.found,
            state=scan.state,
            ended_at_ms=scan.ended_at_ms,
        )

    def last_message_id(self) -> int:
        """Return the highest id of a message; 0 if there is none."""
        return self._count("last_message_id")

    def message_from(self, message_id: int) -> tuple[int, int] | None:
        """Return the first message from an id on and when it was archived; None: there is none."""
        row = self._one("message_from", message_id=message_id)
        return (int(row["id"]), int(row["archived_at_ms"])) if row else None

    def message_ids_between(self, after_id: int, last_id: int, *, limit: int) -> list[int]:
        """Return the first ids of messages above one, up to another."""
        rows = self._all("message_ids_between", after_id=after_id, last_id=last_id, max_rows=limit)
        return [int(row["id"]) for row in rows]

    def count_messages_between(self, after_id: int, last_id: int) -> int:
        """Return how many messages have ids above one, up to another."""
        return self._count("count_messages_between", after_id=after_id, last_id=last_id)

    def conversations_by_id(self, conversation_ids: Sequence[int]) -> dict[int, Conversation]:
        """Return those of these chats that are there, by id."""
        rows = self._all("conversations_by_id", ids=json.dumps(list(conversation_ids)))
        return {row["id"]: Conversation(**dict(row)) for row in rows}

    def tenures_of_account(self, account_id: AccountId) -> Mapping[PhoneId, Sequence[Tenure]]:
        """Return all tenures of the phones that an account was ever bound to, oldest first."""
        found: dict[PhoneId, list[Tenure]] = {}
        for row in self._all("tenures_of_account", account_id=account_id):
            found.setdefault(PhoneId(row["phone_id"]), []).append(tenure_of(row))
        return found


def _line(row: Row) -> BookLine:
    return BookLine(
        version=row["version"],
        at_ms=row["at_ms"],
        actor=row["actor"],
        act=row["act"],
        note=row["note"],
        sha256=row["sha256"],
    )


def _scan(row: Row) -> Scan:
    return Scan(**{**dict(row), "state": ScanState(row["state"])})
