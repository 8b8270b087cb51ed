"""Which chats are to be read, kept in the file of events: opening a chat takes its badge away."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent import facts
from agent.boottime import wall_ms
from agent.capture.hints import Glimpse, glimpse_of, is_hint
from agent.model import ChatRow

if TYPE_CHECKING:
    from agent.outbox import Outbox

# Made at each opening: files of the first builds have no such table, and those builds leave it alone.
SCHEMA = """CREATE TABLE IF NOT EXISTS chat_row (
    account_id TEXT, title TEXT, preview TEXT, time_label TEXT, due_at_ms INTEGER,
    unread INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (account_id, title))"""


def cover(conn: sqlite3.Connection, account_id: str, row: ChatRow) -> None:
    """Note, in the transaction that archives a chat, what its row showed before; it is not due any more."""
    shown = glimpse_of(row)
    conn.execute(
        "INSERT INTO chat_row (account_id, title, preview, time_label) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (account_id, title) DO UPDATE SET preview = excluded.preview,"
        " time_label = excluded.time_label, due_at_ms = NULL, unread = 0",
        (account_id, row.title, shown.preview, shown.time_label),
    )


class ChatBook:
    """The rows of the list of chats of the account that is on the phone, over the outbox's file."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def is_hint(self, row: ChatRow) -> bool:
        """Tell whether a row in sight asks to be read."""
        return is_hint(row, self.glimpse_of(row.title))

    def glimpse_of(self, title: str) -> Glimpse | None:
        """Return what a row showed when its chat was last read, None if it never was."""
        with self._outbox.reading() as conn:
            row = conn.execute(
                "SELECT preview, time_label FROM chat_row"
                " WHERE account_id = ? AND title = ? AND preview IS NOT NULL",
                (self._outbox.account_id, title),
            ).fetchone()
        return Glimpse(*row) if row else None

    def note_due(self, rows: Sequence[ChatRow]) -> None:
        """Note durably that chats are to be read; to be called before the first of them is opened."""
        if not rows:
            return
        with self._outbox.transaction("note_due") as conn:
            conn.executemany(
                "INSERT INTO chat_row (account_id, title, due_at_ms, unread) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (account_id, title) DO UPDATE SET"
                " due_at_ms = COALESCE(due_at_ms, excluded.due_at_ms), unread = MAX(unread, excluded.unread)",
                [(self._outbox.account_id, row.title, wall_ms(), row.unread) for row in rows],
            )

    def due(self) -> list[ChatRow]:
        """Return the chats to be read, longest due first; nothing but title and count is known of them."""
        with self._outbox.reading() as conn:
            rows = conn.execute(
                "SELECT title, unread FROM chat_row WHERE account_id = ? AND due_at_ms IS NOT NULL"
                " ORDER BY due_at_ms, rowid",
                (self._outbox.account_id,),
            ).fetchall()
        return [
            ChatRow(title=title, preview="", time_label="", unread=unread, is_muted=False)
            for title, unread in rows
        ]

    def give_up(self, title: str, cause: str) -> None:
        """Note that a chat is gone from the list: a gap, and it is not due any more."""
        with self._outbox.transaction("give_up") as conn:
            self._outbox.append(conn, [facts.hole(cause, wall_ms())])
            conn.execute(
                "UPDATE chat_row SET due_at_ms = NULL, unread = 0 WHERE account_id = ? AND title = ?",
                (self._outbox.account_id, title),
            )
