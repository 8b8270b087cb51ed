"""The store in one SQLite file: opened and migrated through sqlite-utils, read and written beneath it."""

from __future__ import annotations

import fcntl
import functools
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from sqlite_utils import Database, Migrations

from controller.errors import FarmError, StoreBusy, StoreNewer, StoreUnreachable
from controller.store import statements
from controller.store.base import Tx
from controller.store.sql import SqlTx

_TYPES = {"database": "sqlite", "serial_id": "INTEGER PRIMARY KEY", "bytes": "BLOB"}
_STEPS_TABLE = "schema_steps"
PRAGMAS = (
    "journal_mode=WAL",
    # NORMAL lost acknowledged rows in most simulated power cuts, FULL in none.
    "synchronous=FULL",
    "busy_timeout=5000",
    "foreign_keys=ON",
    "wal_autocheckpoint=1000",
    "journal_size_limit=67108864",
    # What is erased must be gone from the file, not only from the tables.
    "secure_delete=ON",
)
# What archives by the thousand writes; 21 values a row at most, and a statement takes 32,766.
_AT_ONCE = {"put_events", "put_messages", "put_grams"}
_ROWS_AT_ONCE = 1_000
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_GONE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
}


def _translated(error: sqlite3.Error) -> FarmError | sqlite3.Error:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # extended codes keep their kind in the low byte
    if code in _BUSY:
        return StoreBusy()
    if code in _GONE:
        return StoreUnreachable(f"the database cannot be used: {getattr(error, 'sqlite_errorname', 'error')}")
    return error


class SqliteStore:
    """One file, one writing connection: a second one, here or in another program, is refused (StoreBusy)."""

    kind = "sqlite"

    def __init__(self, path: Path | None) -> None:
        self._turn = threading.RLock()
        self._lock_file = _own(path) if path else None
        self._statements = statements.for_sqlite()
        self._conn: sqlite3.Connection | None = None
        try:
            self._conn = _opened(path)
        except sqlite3.Error as error:
            self.close()
            raise _translated(error) from error
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """Open a transaction that may write: on disk at its end, rolled back on an exception."""
        with self._turn:
            if self._conn is None:
                raise StoreUnreachable("the database is closed")
            try:
                # BEGIN alone would fail with BUSY_SNAPSHOT when it turns from reading to writing.
                self._conn.execute("BEGIN IMMEDIATE")
                try:
                    yield SqlTx(self._run, self._put)
                except BaseException:
                    self._conn.rollback()
                    raise
                self._conn.execute("COMMIT")
            except sqlite3.Error as error:
                if self._conn.in_transaction:
                    self._conn.rollback()
                raise _translated(error) from error

    def close(self) -> None:
        """Give the file back; a second call does nothing."""
        with self._turn:
            if self._conn is not None:
                self._conn.close()
                self._conn = None
            if self._lock_file is not None:
                os.close(self._lock_file)
                self._lock_file = None

    def _run(self, name: str, params: dict[str, Any]) -> sqlite3.Cursor:
        if self._conn is None:
            raise StoreUnreachable("the database is closed")
        return self._conn.execute(self._statements[name], params)

    def _put(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        if self._conn is None:
            raise StoreUnreachable("the database is closed")
        statement = self._statements[name]
        waiting = list(rows)
        while name in _AT_ONCE and len(waiting) >= _ROWS_AT_ONCE:
            # Python's lock is let go for each statement, not for each row: others work meanwhile.
            part, waiting = waiting[:_ROWS_AT_ONCE], waiting[_ROWS_AT_ONCE:]
            values = list(chain.from_iterable(part))
            self._conn.execute(statements.of_rows(statement, _ROWS_AT_ONCE), values)
        if waiting:
            self._conn.executemany(statement, waiting)


def _own(path: Path) -> int:
    """Return the descriptor of the lock that says who owns this file; StoreBusy, StoreUnreachable."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        # Made before SQLite opens it, so that nobody else can ever read it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnreachable(f"the database cannot be opened: {error.strerror}: {path}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreBusy(f"another controller owns {path}") from error
    return descriptor


def _opened(path: Path | None) -> sqlite3.Connection:
    # No implicit transactions: each one is begun and ended here. Threads take turns in `transaction`.
    conn = sqlite3.connect(str(path or ":memory:"), check_same_thread=False, isolation_level=None, timeout=5)
    try:
        for pragma in PRAGMAS:
            conn.execute(f"PRAGMA {pragma}").fetchall()
        if path is None:
            conn.deserialize(_empty())
        _migrate(Database(conn))
    except BaseException:
        conn.close()
        raise
    conn.row_factory = sqlite3.Row
    return conn


@functools.cache
def _empty() -> bytes:
    """Return a database with the whole schema and nothing else: those in memory are many and short-lived."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        _migrate(Database(conn))
        return conn.serialize()


def _migrate(db: Any) -> None:
    migrations = Migrations("farm")
    migrations.migrations_table = _STEPS_TABLE
    steps = statements.steps(_TYPES)
    for step in steps:
        migrations(name=step.name)(partial(_apply, step))
    known = {step.name for step in steps}
    unknown = [done.name for done in migrations.applied(db) if done.name not in known]
    if unknown:
        raise StoreNewer(f"the database has a newer schema ({unknown[-1]}); install the release that made it")
    migrations.apply(db)


def _apply(step: statements.Step, db: Any) -> None:
    # Statement by statement: a script would commit first and leave half a step behind.
    for statement in step.statements:
        db.conn.execute(statement)
