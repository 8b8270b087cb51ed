"""A private PostgreSQL cluster on a Unix socket: made once, a fresh database for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

_HOMES = "/usr/lib/postgresql"


def _newest_first(folder: Path) -> tuple[int, str]:
    version = folder.parent.name
    return (int(version) if version.isdigit() else 0, version)


def binary(name: str) -> str | None:
    """Return the newest installed program of this name."""
    homes = sorted(Path(_HOMES).glob("*/bin"), key=_newest_first, reverse=True)
    found = next((str(home / name) for home in homes if (home / name).exists()), None)
    return found or shutil.which(name)


def _as_owner(*args: str) -> list[str]:
    # The server refuses to run as root.
    return ["runuser", "-u", "postgres", "--", *args] if os.geteuid() == 0 else list(args)


def _run(*args: str) -> None:
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{args[0]} failed: {done.stderr[-2000:] or done.stdout[-2000:]}")


class Cluster:
    """A running server; `fresh_url` makes a database that nobody used before."""

    def __init__(self, folder: Path, user: str) -> None:
        self._folder = folder
        self._user = user
        self._numbers = itertools.count(1)

    def _url(self, database: str) -> str:
        return f"postgresql:///{database}?host={self._folder}&user={self._user}"

    def fresh_url(self) -> str:
        name = f"farm{next(self._numbers)}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name}")
        return self._url(name)


@contextmanager
def cluster(*, syncs: bool = False) -> Iterator[Cluster]:
    """Run a cluster; where PostgreSQL is missing the tests are skipped, and fail on CI.

    Without `syncs` it forgets on a power cut what it said it kept: for tests that cut none.
    """
    initdb, pg_ctl = binary("initdb"), binary("pg_ctl")
    if initdb is None or pg_ctl is None:
        message = "PostgreSQL is not installed (initdb, pg_ctl)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    # Not below pytest's folder, which is closed to the server's user; short, as a socket path must be.
    folder = Path(tempfile.mkdtemp(prefix="farmpg"))
    try:
        user = "postgres" if os.geteuid() == 0 else os.environ.get("USER", "farm")
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data = str(folder / "data")
        log = str(folder / "log")
        _run(*_as_owner(initdb, "-D", data, "-U", user, "-A", "trust", "-E", "UTF8", "--no-locale", "-N"))
        fsync = "on" if syncs else "off"
        options = f"-k {folder} -c listen_addresses='' -c fsync={fsync} -c max_connections=60"
        _run(*_as_owner(pg_ctl, "-D", data, "-l", log, "-o", options, "-w", "-t", "60", "start"))
        try:
            yield Cluster(folder, user)
        finally:
            _run(*_as_owner(pg_ctl, "-D", data, "-m", "immediate", "-w", "stop"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def on_demand() -> Iterator[Callable[[], Cluster]]:
    """Have the way to one cluster, started when it is first wanted."""
    with ExitStack() as stack:
        started: list[Cluster] = []

        def server() -> Cluster:
            if not started:
                started.append(stack.enter_context(cluster()))
            return started[0]

        yield server
