"""A copy of a database's rows, as a backup holds them, and the way back to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from controller.store.base import Store
from controller.store.postgres import PostgresStore
from controller.store.sqlite import SqliteStore
from tests.support.postgres import EMPTY_TABLES

# Puts the rows back as they were when the copy was made.
Restore = Callable[[], None]


def backup(store: Store) -> Restore:
    """Copy everything a store holds; nothing else may use the store while it is put back."""
    if isinstance(store, SqliteStore):
        return _of_sqlite(store)
    assert isinstance(store, PostgresStore)
    return _of_postgres(store)


def _of_sqlite(store: SqliteStore) -> Restore:
    assert store._conn is not None
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    store._conn.backup(copy)

    def restore() -> None:
        assert store._conn is not None
        copy.backup(store._conn)

    return restore


def _of_postgres(store: PostgresStore) -> Restore:
    conn = store._connected()
    names = [
        str(row["table_name"])
        for row in conn.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
        ).fetchall()
        if row["table_name"] != "schema_steps"
    ]
    rows: dict[str, list[dict[str, Any]]] = {
        name: conn.execute(f"SELECT * FROM {name}").fetchall()  # type: ignore[arg-type]  # names of our own schema
        for name in names
    }

    def restore() -> None:
        with conn.transaction():
            # References are not checked while rows come back in the order of their tables' names.
            conn.execute("SET LOCAL session_replication_role = replica")
            conn.execute(EMPTY_TABLES)
            for name, kept in rows.items():
                if not kept:
                    continue
                columns = ", ".join(kept[0])
                places = ", ".join(["%s"] * len(kept[0]))
                with conn.cursor() as cursor:
                    cursor.executemany(
                        f"INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({places})",  # type: ignore[arg-type]  # names of our own schema
                        [tuple(row.values()) for row in kept],
                    )

    return restore
