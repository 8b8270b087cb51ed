"""What both databases promise: steps of the schema, one owner, rollback, locks that hold."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlite_utils import Database

from controller.errors import ConfigWrong, StoreBusy, StoreNewer, StoreUnreachable
from controller.model import AccountId, ActingMode, Action, PermitId, PhoneId
from controller.store import open_store, statements
from controller.store.base import Permit
from tests.support.backends import Backend, race
from tests.support.clock import START_MS, fixed_clock
from tests.support.corefarm import core_on, handset, submit
from tests.support.postgres import Cluster


def columns(backend: Backend) -> dict[str, list[str]]:
    if backend.kind == "sqlite":
        conn = sqlite3.connect(backend.url.removeprefix("sqlite:///"))
        try:
            db = Database(conn)
            return {table.name: sorted(c.name for c in table.columns) for table in db.tables}
        finally:
            conn.close()
    with psycopg.connect(backend.url) as conn:
        rows = conn.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        ).fetchall()
    found: dict[str, list[str]] = {}
    for table, column in sorted(rows):
        found.setdefault(table, []).append(column)
    return found


def test_both_databases_have_the_same_tables_and_columns(
    tmp_path: Path, servers: Callable[[], Cluster]
) -> None:
    def made(kind: str, url: str) -> dict[str, list[str]]:
        open_store(url).close()
        return columns(Backend(kind=kind, url=url, clock=fixed_clock()))

    small = made("sqlite", f"sqlite:///{tmp_path}/farm.db")
    large = made("postgresql", servers().fresh_url())
    # The search index is each database's own.
    small, large = (
        {name: names for name, names in found.items() if not name.startswith("message_grams")}
        for found in (small, large)
    )
    assert small == large
    assert "permits" in small


def everything(url: str) -> dict[str, object]:
    """Return the rows of each table and where each sequence stands."""
    with psycopg.connect(url) as conn:
        names = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        found: dict[str, object] = {
            name: conn.execute(f"SELECT * FROM {name}").fetchall()  # type: ignore[arg-type]  # names of our own schema
            for (name,) in names
        }
        sequences = conn.execute(
            "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
        )
        return found | {"sequences": sequences.fetchall()}


def test_a_database_lent_to_one_test_after_another_is_each_time_as_a_first_start_leaves_it(
    servers: Callable[[], Cluster],
) -> None:
    with servers().lent() as url:
        first = everything(url)
        store = open_store(url)
        core = core_on(store, fixed_clock())
        submit(core, 3, [handset(core, 1)])
        store.close()
        assert everything(url) != first
    with servers().lent() as again:
        assert again == url
        assert everything(again) == first
        with psycopg.connect(again) as conn:
            conn.execute("ALTER TABLE jobs ADD COLUMN of_a_test BIGINT")
    with servers().lent() as another:
        assert another != url


def test_an_up_to_date_database_opens_again_with_what_it_held(backend: Backend) -> None:
    with backend.store().transaction() as tx:
        assert tx.advance_clock(START_MS) == START_MS
    backend.close()
    with backend.store().transaction() as tx:
        assert tx.advance_clock(0) == START_MS


def test_a_newer_schema_is_refused(backend: Backend) -> None:
    backend.store()
    backend.close()
    step = "INSERT INTO schema_steps (migration_set, name, applied_at) VALUES ('farm', '9999_later', 'x')"
    if backend.kind == "sqlite":
        conn = sqlite3.connect(backend.url.removeprefix("sqlite:///"))
        conn.execute(step)
        conn.commit()
        conn.close()
    else:
        with psycopg.connect(backend.url) as conn:
            conn.execute(step)
    with pytest.raises(StoreNewer):
        backend.store()


def test_a_failing_step_leaves_nothing_behind(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    backend.store()
    backend.close()
    real = statements.steps

    def with_a_bad_one(types: dict[str, str]) -> list[statements.Step]:
        bad = statements.Step(
            number=2, name="0002_bad", statements=("CREATE TABLE half (id BIGINT)", "CREATE TABLE half")
        )
        return [*real(types), bad]

    monkeypatch.setattr(statements, "steps", with_a_bad_one)
    with pytest.raises((sqlite3.Error, psycopg.Error)):
        backend.store()
    monkeypatch.undo()
    backend.store()
    assert "half" not in columns(backend)


def test_an_exception_rolls_everything_back(backend: Backend) -> None:
    store = backend.store()

    def fail_half_way() -> None:
        with store.transaction() as tx:
            tx.ensure_account(AccountId("wx"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with store.transaction() as tx:
        assert tx.account(AccountId("wx")) is None


def test_the_clock_never_runs_backwards(backend: Backend) -> None:
    store = backend.store()
    with store.transaction() as tx:
        assert [tx.advance_clock(t) for t in (5, 9, 7, 9, 10)] == [5, 9, 9, 9, 10]


def test_an_account_keeps_its_mode_when_it_is_met_again(backend: Backend) -> None:
    account_id = AccountId("wx")
    with backend.store().transaction() as tx:
        tx.ensure_account(account_id)
        tx.set_mode(account_id, ActingMode.UNATTENDED)
        tx.ensure_account(account_id)
        found = tx.account(account_id)
        assert found is not None
        assert found.mode is ActingMode.UNATTENDED
        assert tx.rest(account_id, since_ms=1, cause="TOO_FREQUENT")
        assert not tx.rest(account_id, since_ms=2, cause="LATER")
        resting = tx.account(account_id)
        assert resting is not None
        assert (resting.resting_since_ms, resting.resting_cause) == (1, "TOO_FREQUENT")
        assert tx.lift(account_id)
        assert not tx.lift(account_id)


def test_counting_and_taking_permits_is_one_step_for_racers(backend: Backend) -> None:
    limit, racers = 2, 6
    accounts = [AccountId(f"shared{n}") for n in range(12)]
    core = backend.core()
    phone = handset(core, 1)
    job = submit(core, racers * len(accounts), [phone])
    tasks = [task.id for task in core.jobs.tasks(job.id)]
    with backend.store().transaction() as tx:
        for account_id in accounts:
            tx.ensure_account(account_id)

    line = threading.Barrier(racers)

    def taker() -> None:
        store = backend.store()
        for account_id in accounts:
            line.wait(timeout=30)
            with store.transaction() as tx:
                tx.lock_account(account_id)
                if len(tx.permit_uses(account_id, Action.FRIEND_ADD, 0)) >= limit:
                    continue
                task_id = tasks.pop()
                tx.add_permit(
                    Permit(
                        id=PermitId(f"p-{task_id}"),
                        account_id=account_id,
                        action=Action.FRIEND_ADD,
                        task_id=task_id,
                        attempt=1,
                        phone_id=phone.phone_id,
                        taken_at_ms=START_MS,
                        last_use_ms=START_MS,
                    )
                )

    race([taker] * racers)
    with backend.store().transaction() as tx:
        uses = [len(tx.permit_uses(account_id, Action.FRIEND_ADD, 0)) for account_id in accounts]
    assert uses == [limit] * len(accounts)


LOCKS = {
    "phone": lambda tx, task: tx.lock_phone(PhoneId("001")),
    "account": lambda tx, task: tx.lock_account(AccountId("wx001")),
    "task": lambda tx, task: tx.lock_task(task.id),
    "live_tasks": lambda tx, task: tx.live_tasks(PhoneId("001")),
    "spool": lambda tx, task: tx.lock_spool(PhoneId("001"), "s", START_MS),
    "job": lambda tx, task: tx.end_job_if_over(task.job_id),
    "greeting": lambda tx, task: tx.raise_epoch(PhoneId("001"), START_MS),
}


@pytest.mark.parametrize(
    ("first", "second"),
    [*((name, name) for name in LOCKS), ("phone", "greeting")],
)
def test_what_locks_makes_the_next_one_wait(backend: Backend, first: str, second: str) -> None:
    core = backend.core()
    phone = handset(core, 1)
    submit(core, 1, [phone])
    task = phone.take().task
    core.archive.accept(phone.phone_id, "s", 1, [])
    other = backend.store()
    got_through = threading.Event()

    def wait_for_it() -> None:
        with other.transaction() as tx:
            LOCKS[second](tx, task)
            got_through.set()

    waiting = threading.Thread(target=wait_for_it)
    with backend._opened[0].transaction() as tx:
        LOCKS[first](tx, task)
        waiting.start()
        assert not got_through.wait(0.3)
    waiting.join(timeout=30)
    assert got_through.is_set()


def test_the_oldest_task_goes_to_one_of_many_takers(backend: Backend) -> None:
    racers = 6
    core = backend.core()
    phones = [handset(core, n) for n in range(1, racers + 1)]
    job = submit(core, 30, phones)

    def taker(place: int) -> list[str]:
        store = backend.store()
        taken = []
        while True:
            with store.transaction() as tx:
                task = tx.take_oldest(
                    phones[place].phone_id,
                    AccountId("wx"),
                    START_MS,
                    action=Action.FRIEND_ADD,
                    paused_after_ms=START_MS,
                )
                if task is None:
                    return taken
                tx.save_task(replace(task, state=type(task.state).DONE))
                taken.append(task.id)

    taken = race([partial(taker, place) for place in range(racers)])
    every = [task_id for part in taken for task_id in part]
    assert sorted(every) == sorted(task.id for task in core.jobs.tasks(job.id))


def test_a_second_program_is_refused_on_one_sqlite_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/farm.db"
    attempt = f"from controller.store import open_store; open_store({url!r})"
    store = open_store(url)
    try:
        with pytest.raises(StoreBusy):
            open_store(url)
        second = subprocess.run(
            [sys.executable, "-c", attempt], capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 1
        assert "StoreBusy" in second.stderr
    finally:
        store.close()
    store.close()
    assert subprocess.run([sys.executable, "-c", attempt], timeout=60, check=False).returncode == 0


def test_the_sqlite_file_is_its_owners_alone_and_fully_synchronous(tmp_path: Path) -> None:
    path = tmp_path / "new" / "farm.db"
    store = open_store(f"sqlite:///{path}")
    try:
        assert path.stat().st_mode & 0o777 == 0o600
        conn = store._conn  # type: ignore[attr-defined]  # pragmas belong to the connection
        found = {
            name: conn.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")
        }
        assert found == {"synchronous": 2, "journal_mode": "wal"}
        assert conn.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    finally:
        store.close()


def test_a_file_that_is_no_database_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "farm.db"
    path.write_text("x" * 5_000)
    with pytest.raises(StoreUnreachable):
        open_store(f"sqlite:///{path}")


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(StoreUnreachable):
        open_store("postgresql:///farm?host=/nowhere/at/all")


def test_another_kind_of_address_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigWrong) as refused:
        open_store("mysql://farm:secret@127.0.0.1/farm")
    assert "secret" not in str(refused.value)


def test_a_broken_connection_is_opened_again(backend: Backend) -> None:
    if backend.kind == "sqlite":
        backend.store().close()
        with pytest.raises(StoreUnreachable), backend._opened[0].transaction():
            pass
        return
    store = backend.store()
    with psycopg.connect(backend.url, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'phonefarm'"
            " AND datname = current_database()"
        )
    with pytest.raises(StoreUnreachable), store.transaction() as tx:
        tx.farm_epoch()
    with store.transaction() as tx:
        assert tx.farm_epoch() == 1


def test_every_statement_is_used_and_every_used_statement_is_there() -> None:
    folder = Path(statements.__file__).parent
    code = "".join(path.read_text() for path in folder.glob("sql*.py"))
    names = set(statements.for_sqlite())
    assert names == {name for name in names if f'"{name}"' in code}
    assert set(statements.for_postgres()) == names
