"""A private PostgreSQL cluster on a Unix socket: made once, an empty database for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from controller.store import open_store

_HOMES = "/usr/lib/postgresql"
# So long the server may take to see that a test's connections are closed.
_GOODBYE_S = 2.0
# Everything a test can change but rows: what stands here is compared before a database is lent again.
_SHAPE = """
SELECT md5(concat_ws('|',
  (SELECT string_agg(concat(relname, relkind), ',' ORDER BY relname) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace),
  (SELECT string_agg(concat(relname, '.', attname, atttypid, attnotnull), ',' ORDER BY relname, attnum)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace),
  (SELECT string_agg(concat(conname, pg_get_constraintdef(oid)), ',' ORDER BY conname) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace),
  (SELECT string_agg(tgname, ',' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal),
  (SELECT string_agg(concat(migration_set, name), ',' ORDER BY name) FROM schema_steps)
))
"""
# Deleting few rows costs little; new files for all tables and their indexes cost more than a test.
EMPTY_TABLES = """
DO $$
DECLARE found record;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR found IN
    SELECT oid::regclass AS name, pg_relation_size(oid) AS bytes FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'schema_steps'
  LOOP
    IF found.bytes > 262144 THEN
      EXECUTE format('TRUNCATE %s CASCADE', found.name);
    ELSIF found.bytes > 0 THEN
      EXECUTE format('DELETE FROM %s', found.name);
    END IF;
  END LOOP;
END $$
"""
_AS_BORN = """
DO $$
DECLARE found record;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR found IN
    SELECT oid::regclass AS name FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'S' AND relname NOT LIKE 'schema_steps%'
  LOOP
    PERFORM setval(found.name, 1, false);
  END LOOP;
  FOR found IN
    SELECT relname AS name FROM pg_class WHERE relnamespace = 'born'::regnamespace AND relkind = 'r'
  LOOP
    EXECUTE format('INSERT INTO public.%I SELECT * FROM born.%I', found.name, found.name);
  END LOOP;
END $$
"""
# The rows that the schema itself brings.
_BORN = """
DO $$
DECLARE found record;
BEGIN
  CREATE SCHEMA born;
  FOR found IN
    SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      AND relname <> 'schema_steps' AND pg_relation_size(oid) > 0
  LOOP
    EXECUTE format('CREATE TABLE born.%I AS TABLE public.%I', found.name, found.name);
  END LOOP;
END $$
"""


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
    """A running server; `fresh_url` makes a database that nobody used before, `lent` has one for a while."""

    def __init__(self, folder: Path, user: str) -> None:
        self._folder = folder
        self._user = user
        self._numbers = itertools.count(1)
        self._clean: list[str] = []
        self._shapes: dict[str, str] = {}

    def _url(self, database: str) -> str:
        return f"postgresql:///{database}?host={self._folder}&user={self._user}"

    def fresh_url(self) -> str:
        name = f"farm{next(self._numbers)}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Have a database as a first start leaves it, for tests that are not about its making.

        It is emptied and lent again, but not if its schema was changed or somebody is still connected.
        """
        url = self._clean.pop() if self._clean else self._migrated()
        yield url
        if self._is_emptied(url):
            self._clean.append(url)

    @contextmanager
    def lent_again(self) -> Iterator[Callable[[], str]]:
        """Have the way to one such database after another: each call gives the one before back."""
        with ExitStack() as stack:

            def url() -> str:
                stack.close()
                return stack.enter_context(self.lent())

            yield url

    def _migrated(self) -> str:
        url = self.fresh_url()
        open_store(url).close()
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(_BORN)
            self._shapes[url] = _shape(conn)
        return url

    def _is_emptied(self, url: str) -> bool:
        with psycopg.connect(url, autocommit=True) as conn:
            if not _is_alone(conn) or _shape(conn) != self._shapes[url]:
                return False
            conn.execute(EMPTY_TABLES)
            conn.execute(_AS_BORN)
        return True


def _shape(conn: psycopg.Connection[TupleRow]) -> str:
    row = conn.execute(_SHAPE).fetchone()
    assert row is not None
    return str(row[0])


def _is_alone(conn: psycopg.Connection[TupleRow]) -> bool:
    """Tell whether no other client is connected; those that just left are waited for."""
    until_s = time.monotonic() + _GOODBYE_S
    others = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend' LIMIT 1"
    )
    while conn.execute(others).fetchone() is not None:
        if time.monotonic() > until_s:
            return False
        time.sleep(0.005)
    return True


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
