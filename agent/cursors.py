"""How far each conversation is archived: statements for the transactions of an outbox."""

from __future__ import annotations

import sqlite3

# Note: how far some conversations were archived is lost; no position of theirs lies above this number.
LOST = "cursors_lost"


def find(conn: sqlite3.Connection, account_id: str, key: str) -> tuple[int, str, int] | None:
    """Return position, bubbles (JSON) and time of reading (ms) of a conversation; None for a new one.

    Once cursors were lost no conversation is new for certain: one without a cursor goes on above all
    positions there can be, with no bubbles and the time 0.
    """
    row: tuple[int, str, int] | None = conn.execute(
        "SELECT position, bubbles, read_at_ms FROM cursor WHERE account_id = ? AND key = ?", (account_id, key)
    ).fetchone()
    if row is None:
        lost = conn.execute("SELECT value FROM meta WHERE name = ?", (LOST,)).fetchone()
        return (int(lost[0]), "[]", 0) if lost else None
    return row


def move(conn: sqlite3.Connection, cursor: tuple[str, str, int, str, int]) -> None:
    """Keep account, key, position, bubbles (JSON) and time of reading (ms) of a conversation."""
    conn.execute(
        "INSERT INTO cursor (account_id, key, position, bubbles, read_at_ms) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (account_id, key) DO UPDATE SET position = excluded.position,"
        " bubbles = excluded.bubbles, read_at_ms = excluded.read_at_ms",
        cursor,
    )
