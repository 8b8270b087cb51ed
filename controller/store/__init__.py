"""The store: one contract over SQLite (embedded default) and PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from controller.errors import ConfigWrong
from controller.store.base import Store

__all__ = ["open_store"]


def open_store(url: str) -> Store:
    """Open a database, its schema brought up to date: sqlite:///PATH, sqlite:// (in memory), postgresql://...

    StoreBusy if another program owns it, StoreNewer, StoreUnreachable; ConfigWrong for other addresses.
    """
    if url == "sqlite://":
        from controller.store.sqlite import SqliteStore

        return SqliteStore(None)
    if url.startswith("sqlite:///"):
        from controller.store.sqlite import SqliteStore

        return SqliteStore(Path(url.removeprefix("sqlite:///")))
    if url.startswith(("postgresql://", "postgres://")):
        from controller.store.postgres import PostgresStore

        return PostgresStore(url)
    # The address may hold a password: only its kind is shown.
    raise ConfigWrong(
        f"the store is sqlite:///PATH or postgresql://..., not {url.partition(':')[0][:20]}:..."
    )
