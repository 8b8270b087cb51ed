"""Which chats are to be read, kept in the file of events: opening a chat takes its badge away."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from agent import facts
from agent.boottime import wall_ms
from agent.capture import gaps
from agent.capture.gaps import GapCause
from agent.capture.hints import Glimpse, glimpse_of, is_hint
from agent.model import ChatRow
from protos.facts import Fact

if TYPE_CHECKING:
    from agent.capture.chatlog import ChatRead
    from agent.outbox import Outbox

# Made at each opening: files of the first builds have no such table, and those builds leave it alone.
SCHEMA = """CREATE TABLE IF NOT EXISTS chat_row (
    account_id TEXT, title TEXT, preview TEXT, time_label TEXT, due_at_ms INTEGER,
    unread INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (account_id, title))"""
# Columns of later builds: the conversation's key, when to look again although its row shows nothing new, and
# what was reported of the row once and need not be said again.
_LATER_COLUMNS = (("key", "TEXT"), ("recheck_at_ms", "INTEGER"), ("told", "TEXT"))
_GONE = "gone"


def prepare(conn: sqlite3.Connection) -> None:
    """Make the table, or bring one of an earlier build up to date."""
    conn.execute(SCHEMA)
    known = {name for (name,) in conn.execute("SELECT name FROM pragma_table_info('chat_row')")}
    for column, kind in _LATER_COLUMNS:
        if column not in known:
            conn.execute(f"ALTER TABLE chat_row ADD COLUMN {column} {kind}")


def settle(conn: sqlite3.Connection, account_id: str, read: ChatRead) -> None:
    """Note, in the transaction that archives a chat, what that means for its row.

    A chat read to its end under the row that was seen is not due any more. Otherwise it stays as due as it
    was, but what its badge counted is archived or owned up to: the next visit must not count it again.
    """
    row = read.row
    if row is None or not read.is_finished or read.is_passive:
        conn.execute(
            "UPDATE chat_row SET unread = 0, key = ? WHERE account_id = ? AND title = ?",
            (read.key, account_id, read.title),
        )
        return
    shown = glimpse_of(row)
    conn.execute(
        "INSERT INTO chat_row (account_id, title, preview, time_label, key, recheck_at_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (account_id, title) DO UPDATE SET preview = excluded.preview,"
        " time_label = excluded.time_label, due_at_ms = NULL, unread = 0, key = excluded.key,"
        " recheck_at_ms = excluded.recheck_at_ms, told = NULL",
        (account_id, row.title, shown.preview, shown.time_label, read.key, read.recheck_at_ms),
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

    def is_known(self, title: str) -> bool:
        """Tell whether the list of chats bore this name once."""
        return bool(self._rows("title = ?", "rowid", title))

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

    def note_title(self, title: str) -> None:
        """Note durably that a chat is to be read of which only the name is known; nothing if it is due."""
        if title and title not in {row.title for row in self.due()}:
            self.note_due([_row(title, 0)])

    def due(self) -> list[ChatRow]:
        """Return the chats to be read, longest due first; nothing but title and count is known of them."""
        return self._rows("due_at_ms IS NOT NULL", "due_at_ms, rowid")

    def rechecks(self, now_ms: int) -> list[ChatRow]:
        """Return the chats to be looked at again, as their rows may hide something; none of them is due."""
        return self._rows("due_at_ms IS NULL AND recheck_at_ms <= ?", "recheck_at_ms", now_ms)

    def recheck_now(self) -> None:
        """Have all chats looked at again whose rows may hide something: they were out of sight."""
        account_id = self._outbox.account_id
        if not self._rows("recheck_at_ms > 0", "rowid"):
            return
        with self._outbox.transaction("recheck") as conn:
            conn.execute(
                "UPDATE chat_row SET recheck_at_ms = 0 WHERE account_id = ? AND recheck_at_ms > 0",
                (account_id,),
            )

    def give_up(self, title: str, cause: str) -> None:
        """Note that a chat is gone from the list: a gap, and it is not due any more."""
        self._report(title, _GONE, cause, strikes_off=True)

    def note_missing(self, seen: Collection[str], cause: str = GapCause.CHAT_GONE) -> None:
        """Report, each once, the chats that were read and are in the list no more; `seen` are all there."""
        for title in self.missing(seen):
            self.give_up(title, cause)

    def missing(self, seen: Collection[str]) -> list[str]:
        """Return the chats that were read once, and are neither in the list nor known to be gone."""
        with self._outbox.reading() as conn:
            rows = conn.execute(
                "SELECT title FROM chat_row WHERE account_id = ? AND preview IS NOT NULL"
                " AND COALESCE(told, '') != ?",
                (self._outbox.account_id, _GONE),
            ).fetchall()
        return [title for (title,) in rows if title not in seen]

    def say_once(self, title: str, cause: str, word: str) -> None:
        """Record a gap of a chat that stays due, unless it was recorded under this word already."""
        self._report(title, word, cause, strikes_off=False)

    def say_once_of(self, key: str, title: str, cause: str, word: str) -> None:
        """Record the same of a chat that may have no row yet, by its key."""
        with self._outbox.transaction("note_key") as conn:
            conn.execute(
                "INSERT INTO chat_row (account_id, title, key) VALUES (?, ?, ?)"
                " ON CONFLICT (account_id, title) DO UPDATE SET key = excluded.key",
                (self._outbox.account_id, title, key),
            )
        self.say_once(title, cause, word)

    def gap_for(self, title: str, cause: str) -> list[Fact]:
        """Return the gap after what is archived of a chat; of the whole phone if its key is not known."""
        now_ms = wall_ms()
        key, _ = self._known_of(title)
        if not key:
            return [facts.hole(cause, now_ms)]
        tail = self._outbox.tail_of(key)
        found: list[Fact] = []
        if cause == GapCause.CHAT_GONE:
            found.append(
                gaps.removed(
                    _GONE, key=key, title=title, last=tail.position, from_ms=tail.read_at_ms, to_ms=now_ms
                )
            )
        found.append(
            gaps.gap(
                cause,
                key=key,
                title=title,
                before=tail.position + 1,
                from_ms=tail.read_at_ms,
                to_ms=now_ms,
            )
        )
        return found

    def _report(self, title: str, word: str, cause: str, *, strikes_off: bool) -> None:
        if word and self._known_of(title)[1] == word:
            new: list[Fact] = []
        else:
            new = self.gap_for(title, cause)
        with self._outbox.transaction("give_up") as conn:
            self._outbox.append(conn, new)
            where = (self._outbox.account_id, title)
            conn.execute(
                "UPDATE chat_row SET told = ? WHERE account_id = ? AND title = ?", (word or None, *where)
            )
            if strikes_off:
                conn.execute(
                    "UPDATE chat_row SET due_at_ms = NULL, unread = 0, recheck_at_ms = NULL"
                    " WHERE account_id = ? AND title = ?",
                    where,
                )

    def _known_of(self, title: str) -> tuple[str, str]:
        """Return the key of a chat and what was reported of it, both empty if there is none."""
        with self._outbox.reading() as conn:
            row = conn.execute(
                "SELECT COALESCE(key, ''), COALESCE(told, '') FROM chat_row"
                " WHERE account_id = ? AND title = ?",
                (self._outbox.account_id, title),
            ).fetchone()
        return (str(row[0]), str(row[1])) if row else ("", "")

    def _rows(self, which: str, order: str, *values: int | str) -> list[ChatRow]:
        with self._outbox.reading() as conn:
            rows = conn.execute(
                f"SELECT title, unread FROM chat_row WHERE account_id = ? AND {which} ORDER BY {order}",  # noqa: S608 -- both are written in this module
                (self._outbox.account_id, *values),
            ).fetchall()
        return [_row(title, unread) for title, unread in rows]


def _row(title: str, unread: int) -> ChatRow:
    return ChatRow(title=title, preview="", time_label="", unread=unread, is_muted=False)
