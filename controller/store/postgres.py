"""The store in PostgreSQL, for fleets that outgrow one machine: several controllers may share it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from controller.errors import FarmError, StoreBusy, StoreNewer, StoreUnreachable
from controller.store import statements
from controller.store.base import Tx
from controller.store.sql_slices import SlicedTx

_TYPES = {
    "database": "postgres",
    "serial_id": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "bytes": "BYTEA",
}
_STEPS_TABLE = """
CREATE TABLE IF NOT EXISTS schema_steps (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  migration_set TEXT,
  name TEXT,
  applied_at TEXT,
  UNIQUE (migration_set, name)
)
"""
_PLANNED_EACH_TIME = {"search_newest", "search_slices"}
# Any number does, as long as all controllers take the same: they migrate one after another.
_MIGRATION_LOCK = 7443001
_SESSION = (
    # The locks of the contract are row locks; a stricter level would turn waiting into failing.
    "SET default_transaction_isolation = 'read committed'",
    "SET synchronous_commit = on",
    "SET lock_timeout = '10s'",
    "SET statement_timeout = '30s'",
    # A controller that froze inside a transaction must not hold an account for ever.
    "SET idle_in_transaction_session_timeout = '30s'",
    # No statement is so long that it is worth being compiled, which takes half a second.
    "SET jit = off",
)
_TRY_AGAIN = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.QueryCanceled,
)


def _translated(error: psycopg.Error) -> FarmError | psycopg.Error:
    if isinstance(error, _TRY_AGAIN):
        return StoreBusy()
    if isinstance(error, psycopg.errors.ProgramLimitExceeded):
        return error  # this statement asks for too much: others are taken
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return StoreUnreachable(f"the database cannot be used: {type(error).__name__}")
    return error


class PostgresStore:
    """One connection, opened again after it broke; threads take turns on it."""

    kind = "postgresql"

    def __init__(self, url: str) -> None:
        self._url = url
        self._turn = threading.RLock()
        self._statements = statements.for_postgres()
        self._is_closed = False
        self._conn: psycopg.Connection[DictRow] | None = None
        try:
            _migrate(self._connected())
        except psycopg.Error as error:
            self.close()
            raise _translated(error) from error
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """Open a transaction that may write: on disk at its end, rolled back on an exception."""
        with self._turn:
            try:
                conn = self._connected()
                if conn.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                    raise RuntimeError("a transaction is open on this store")
                with conn.transaction():
                    yield SlicedTx(self._run, self._put, self._run_many)
            except psycopg.Error as error:
                raise _translated(error) from error

    def close(self) -> None:
        """Give the connection back; a second call does nothing."""
        with self._turn:
            self._is_closed = True
            if self._conn is not None:
                self._conn.close()
                self._conn = None

    def _connected(self) -> psycopg.Connection[DictRow]:
        if self._is_closed:
            raise StoreUnreachable("the database is closed")
        if self._conn is None or self._conn.closed:
            self._conn = psycopg.connect(
                self._url,
                autocommit=True,
                row_factory=dict_row,
                connect_timeout=10,
                application_name="phonefarm",
            )
            for setting in _SESSION:
                self._conn.execute(setting)
        return self._conn

    def _run(self, name: str, params: dict[str, Any]) -> psycopg.Cursor[DictRow]:
        # A plan made for a small archive would be kept while it grows.
        prepare = False if name in _PLANNED_EACH_TIME else None
        return self._connected().execute(self._statements[name], params, prepare=prepare)

    def _run_many(self, name: str, parameter: str, values: Sequence[str]) -> list[DictRow]:
        statement = statements.many(self._statements[name], parameter)
        return self._connected().execute(statement, {"values": json.dumps(list(values))}).fetchall()

    def _put(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        statement = self._statements[name]
        if "%(rows)s" in statement:
            # One statement for all of them: each one more costs a way to the server and back.
            self._connected().execute(statement, {"rows": json.dumps([list(row) for row in rows])})
            return
        with self._connected().cursor() as cursor:
            if not statement.lstrip().startswith("COPY"):
                cursor.executemany(statement, rows)
                return
            with cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)


def _migrate(conn: psycopg.Connection[DictRow]) -> None:
    conn.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
    try:
        conn.execute(_STEPS_TABLE)
        done = {
            row["name"]
            for row in conn.execute("SELECT name FROM schema_steps WHERE migration_set = 'farm'").fetchall()
        }
        steps = statements.steps(_TYPES)
        unknown = sorted(done - {step.name for step in steps})
        if unknown:
            raise StoreNewer(
                f"the database has a newer schema ({unknown[-1]}); install the release that made it"
            )
        for step in steps:
            if step.name not in done:
                _apply(conn, step)
    finally:
        conn.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])


def _apply(conn: psycopg.Connection[DictRow], step: statements.Step) -> None:
    with conn.transaction():
        for statement in step.statements:
            conn.execute(statement)
        conn.execute(
            "INSERT INTO schema_steps (migration_set, name, applied_at) VALUES ('farm', %s, now()::text)",
            [step.name],
        )
