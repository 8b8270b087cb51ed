"""The numbered events of a file: statements for the transactions of its outbox."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

_NEVER_MS = 2**62


def used_bytes(conn: sqlite3.Connection) -> int:
    """Return how much of the file holds something."""
    pages, free, size = (
        int(conn.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def purge(conn: sqlite3.Connection, *, below: int, before_ms: int | None, most: int) -> int:
    """Delete the oldest events archived before a time (None: at any), at most so many; returns how many.

    Only a prefix goes, and nothing from `below` on: numbers must have no hole and must not begin again.
    """
    (kept,) = conn.execute(
        "SELECT MIN(seq) FROM event WHERE acked_at_ms IS NULL OR acked_at_ms >= ?",
        (_NEVER_MS if before_ms is None else before_ms,),
    ).fetchone()
    if before_ms is not None:
        conn.execute("DELETE FROM set_aside WHERE at_ms < ?", (before_ms,))
    return conn.execute(
        "DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE seq < ? ORDER BY seq LIMIT ?)",
        (below if kept is None else kept, most),
    ).rowcount


def emptied(conn: sqlite3.Connection, archived: int) -> list[bytes]:
    """Delete all events; returns those that are not archived, neither by their note nor up to a number."""
    bodies = conn.execute(
        "SELECT body FROM event WHERE acked_at_ms IS NULL AND seq > ? ORDER BY seq", (archived,)
    ).fetchall()
    conn.execute("DELETE FROM event")
    return [body for (body,) in bodies]


def extend(conn: sqlite3.Connection, highest: int, bodies: Sequence[bytes]) -> int:
    """Number sealed events after the highest; returns the highest then."""
    conn.executemany("INSERT INTO event (seq, body) VALUES (?, ?)", list(enumerate(bodies, highest + 1)))
    return highest + len(bodies)


def set_aside(conn: sqlite3.Connection, seq: int, note: bytes, *, cause: str, now_ms: int) -> None:
    """Keep an event beside the others, with a note in its place."""
    conn.execute(
        "INSERT INTO set_aside (seq, body, cause, at_ms) SELECT seq, body, ?, ? FROM event"
        " WHERE seq = ? ON CONFLICT (seq) DO NOTHING",
        (cause, now_ms, seq),
    )
    conn.execute("UPDATE event SET body = ? WHERE seq = ?", (note, seq))


def put_back(conn: sqlite3.Connection, seq: int) -> None:
    """Give an event that was set aside its place again."""
    conn.execute(
        "UPDATE event SET body = (SELECT body FROM set_aside s WHERE s.seq = event.seq)"
        " WHERE seq = ? AND seq IN (SELECT seq FROM set_aside)",
        (seq,),
    )
    conn.execute("DELETE FROM set_aside WHERE seq = ?", (seq,))
