"""The file of an outbox: its tables, how it is opened, and what is done with a damaged one."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent import chatbook
from agent.errors import OutboxFull, OutboxNewer

SCHEMA_VERSION = 1
_PRAGMAS = (
    "PRAGMA cache_size=-256",  # KiB; one such file is open for each phone
    "PRAGMA journal_mode=WAL",
    # With NORMAL, rows already acknowledged were lost in simulated power cuts; with FULL none.
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA wal_autocheckpoint=1000",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA secure_delete=ON",
)
_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, body BLOB NOT NULL, acked_at_ms INTEGER)",
    """CREATE TABLE set_aside (
        seq INTEGER PRIMARY KEY, body BLOB NOT NULL, cause TEXT NOT NULL, at_ms INTEGER NOT NULL)""",
    """CREATE TABLE cursor (
        account_id TEXT, key TEXT, position INTEGER NOT NULL, bubbles TEXT NOT NULL,
        read_at_ms INTEGER NOT NULL, PRIMARY KEY (account_id, key))""",
    """CREATE TABLE lease (
        task_id TEXT, attempt INTEGER, job_id TEXT NOT NULL, permit_id TEXT NOT NULL,
        phone_epoch INTEGER NOT NULL, until_boot_ms INTEGER NOT NULL, boot_id TEXT NOT NULL,
        state TEXT NOT NULL, received_at_ms INTEGER NOT NULL, kind TEXT NOT NULL, action TEXT NOT NULL,
        PRIMARY KEY (task_id, attempt))""",
    """CREATE TABLE intent (
        task_id TEXT, attempt INTEGER, state TEXT NOT NULL, armed_at_ms INTEGER NOT NULL,
        boot_id TEXT NOT NULL, result TEXT NOT NULL, outcome TEXT NOT NULL, settled_at_ms INTEGER,
        account_id TEXT NOT NULL DEFAULT '', object_key TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (task_id, attempt))""",
)


def set_meta(conn: sqlite3.Connection, name: str, value: str) -> None:
    """Keep a note inside a transaction of the caller."""
    conn.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def damage(conn: sqlite3.Connection) -> str:
    """Return what is wrong with a file, empty if nothing is."""
    try:
        found = str(conn.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # not readable just now is not damage
            raise
        return str(error)
    return "" if found == "ok" else found


def is_full(error: BaseException) -> bool:
    """Tell whether SQLite says by this that the disk is full."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


@contextmanager
def full_by_name() -> Iterator[None]:
    """Raise OutboxFull where SQLite says that the disk is full."""
    try:
        yield
    except sqlite3.Error as error:
        if is_full(error):
            raise OutboxFull from error
        raise


def move_aside(path: Path, now_ms: int) -> Path:
    """Rename a file and what SQLite keeps beside it, and return its new name; nothing is deleted."""
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.name}.damaged-{now_ms}{suffix}"))
    return path.with_name(f"{path.name}.damaged-{now_ms}")


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, or an empty one that only its owner can read; nothing is read of it yet."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=32)


def prepare(conn: sqlite3.Connection, name: str) -> None:
    """Make the tables of an empty file; OutboxNewer for a file of a later release."""
    for pragma in _PRAGMAS:
        conn.execute(pragma).fetchall()
    if conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() is None:
        conn.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            conn.execute(statement)
        set_meta(conn, "schema_version", str(SCHEMA_VERSION))
        set_meta(conn, "spool_id", secrets.token_hex(16))
        conn.execute("COMMIT")
    (version,) = conn.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()
    if int(version) > SCHEMA_VERSION:
        raise OutboxNewer(f"{name} has schema {version}, this release knows {SCHEMA_VERSION}")
    chatbook.prepare(conn)
    known = {name for (name,) in conn.execute("SELECT name FROM pragma_table_info('intent')")}
    for column in ("account_id", "object_key"):
        if column not in known:
            # Files of earlier builds. A release that does not know the column can still write its rows.
            conn.execute(f"ALTER TABLE intent ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")
