"""What can still be read of a damaged file of events goes on in a new one, under the same numbers."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from agent import cursors, facts, outboxfile
from agent.logs import get_logger
from protos import wire
from protos.facts import Event

log = get_logger()

# Notes in the file: the first number that no controller can have yet; why no action is made on this phone.
UNSENT_FROM = "unsent_from"
IN_DOUBT = "actions_in_doubt"

DAMAGED = "outbox_damaged"
_ACTIONS = ("lease", "intent")
_REST = ("set_aside", "chat_row")
# More numbers than this between two events are damage themselves.
_FARTHEST = 10_000_000

_Row = tuple[object, ...]


def opened(path: Path, clock: Callable[[], int]) -> sqlite3.Connection:
    """Open a file for its outbox; what can be read of a damaged one is taken over, it stays beside.

    Raises OutboxNewer, or sqlite3.OperationalError if it cannot be read or written just now.
    """
    _finish(path, clock())
    conn = outboxfile.connect(path)
    try:
        if outboxfile.damage(conn):
            conn.close()
            _rebuild(path, clock())
            conn = outboxfile.connect(path)
        outboxfile.prepare(conn, path.name)
    except BaseException:
        conn.close()
        raise
    return conn


def _rebuilt(path: Path) -> Path:
    return path.with_name(f"{path.name}.rebuilt")


def _finish(path: Path, now_ms: int) -> None:
    """Do what a rebuilding that was cut short had still to do."""
    made = _rebuilt(path)
    if not made.exists():
        return
    if path.exists():
        for suffix in ("", "-wal", "-shm"):  # not finished: it is made again
            made.with_name(made.name + suffix).unlink(missing_ok=True)
        return
    _replace(path, now_ms)


def _replace(path: Path, now_ms: int) -> None:
    outboxfile.move_aside(path, now_ms)
    _rebuilt(path).rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _rebuild(path: Path, now_ms: int) -> None:
    conn = outboxfile.connect(_rebuilt(path))
    try:
        outboxfile.prepare(conn, path.name)
        old = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            conn.execute("BEGIN IMMEDIATE")
            _take_over(old, conn, now_ms)
            conn.execute("COMMIT")
        finally:
            old.close()
    finally:
        conn.close()
    _replace(path, now_ms)


def _take_over(old: sqlite3.Connection, conn: sqlite3.Connection, now_ms: int) -> None:
    notes, _ = _rows(old, "meta")
    for note in notes:
        # A number that is too high for this release is read again, and refused, when the file is opened.
        outboxfile.set_meta(conn, str(note["name"]), str(note["value"]))
    last = _events(old, conn, now_ms)
    if not any(note["name"] == "spool_id" for note in notes):
        last = _renumber(conn)
    are_whole = [_copy(old, conn, table) for table in _ACTIONS]
    if not _copy(old, conn, "cursor"):
        outboxfile.set_meta(conn, cursors.LOST, str(last + _FARTHEST))
    for table in _REST:
        _copy(old, conn, table)
    if not all(are_whole):
        outboxfile.set_meta(conn, IN_DOUBT, DAMAGED)
    # The end may be lost, and a controller may have it: what is numbered from here on is for its first word.
    outboxfile.set_meta(conn, UNSENT_FROM, str(last + 1))
    conn.execute("INSERT INTO event (seq, body) VALUES (?, ?)", (last + 1, _hole(now_ms)))
    log.error("file of events was damaged", last=last, are_actions_known=all(are_whole))


def _events(old: sqlite3.Connection, conn: sqlite3.Connection, now_ms: int) -> int:
    """Copy the events, with a gap in the place of each that cannot be read; returns the last number."""
    for row in _both_ways(old, "event"):
        _put(conn, row[1:4])
    there = [seq for (seq,) in conn.execute("SELECT seq FROM event ORDER BY seq")]
    if not there:
        return 0
    (acked,) = conn.execute(
        "SELECT COALESCE(MAX(seq), 0) FROM event WHERE acked_at_ms IS NOT NULL"
    ).fetchone()
    missing = set(range(there[0], there[-1])).difference(there) if there[-1] - there[0] < _FARTHEST else set()
    for seq in sorted(missing):
        with suppress(sqlite3.DatabaseError):
            for row in old.execute("SELECT seq, body, acked_at_ms FROM event WHERE seq = ?", (seq,)):
                _put(conn, row)
        _put(conn, (seq, _hole(now_ms), now_ms if seq <= acked else None))
    return int(there[-1])


def _put(conn: sqlite3.Connection, row: _Row) -> None:
    seq, body, _ = row
    if isinstance(seq, int) and seq > 0 and isinstance(body, bytes):
        conn.execute(
            "INSERT INTO event (seq, body, acked_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row
        )


def _renumber(conn: sqlite3.Connection) -> int:
    """Number the events that are not archived from 1: the name of their spool is lost."""
    conn.execute("DELETE FROM event WHERE acked_at_ms IS NOT NULL")
    seqs = [seq for (seq,) in conn.execute("SELECT seq FROM event ORDER BY seq")]
    # Upwards in order: a new number is never above the old one, and those below are gone already.
    conn.executemany("UPDATE event SET seq = ? WHERE seq = ?", list(enumerate(seqs, 1)))
    return len(seqs)


def _copy(old: sqlite3.Connection, conn: sqlite3.Connection, table: str) -> bool:
    """Copy the rows of a table that can be read; tells whether these are all."""
    rows, is_whole = _rows(old, table)
    known = {name for (name,) in conn.execute("SELECT name FROM pragma_table_info(?)", (table,))}
    for row in rows:
        names = [name for name in row if name in known]
        try:
            conn.execute(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",  # noqa: S608 -- names of our own tables
                [row[name] for name in names],
            )
        except sqlite3.IntegrityError:
            is_whole = False
    return is_whole


def _rows(old: sqlite3.Connection, table: str) -> tuple[list[dict[str, object]], bool]:
    """Return the rows of a table that can be read, and whether these are all."""
    is_whole = True

    def broke() -> None:
        nonlocal is_whole
        is_whole = False

    found = {row[0]: row[1:] for row in _both_ways(old, table, broke)}
    names: list[str] = []
    with suppress(sqlite3.DatabaseError):
        names = [name for (name,) in old.execute("SELECT name FROM pragma_table_info(?)", (table,))]
    return [dict(zip(names, row, strict=False)) for row in found.values()], is_whole


def _both_ways(
    old: sqlite3.Connection, table: str, broke: Callable[[], None] = lambda: None
) -> Iterator[_Row]:
    """Yield the rows of a table with their rowid, and where damage ends that, those behind it."""
    for order in ("ASC", "DESC"):
        try:
            # By the table alone: an index may be what is damaged.
            yield from old.execute(f"SELECT rowid, * FROM {table} NOT INDEXED ORDER BY rowid {order}")  # noqa: S608 -- names of our own tables
        except sqlite3.DatabaseError:
            broke()
        else:
            return


def _hole(now_ms: int) -> bytes:
    gap = facts.hole(DAMAGED, now_ms)
    return wire.seal(Event(uid=facts.new_uid(now_ms), at_ms=now_ms, phone_epoch=0, account_id="", fact=gap))
