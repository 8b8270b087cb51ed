"""Power cuts by simulation: an apsw VFS logs what SQLite writes and syncs, and each moment is played again.

`Recorder.connect` stands in for `sqlite3.connect`, so that the product's own code makes the writes. A cut
keeps, of each file, what was synced before it; of what was not, nothing, everything, any part of it in
any order, or torn sectors. `crashes` yields the folders that a power cut could have left.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import pytest

SECTOR = 512
_SYNCS_FOLDER = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that SQLite asked of a file, or `said`: a moment at which the product had said something."""

    what: str  # create, write, truncate, delete, sync, said
    name: str = ""
    offset: int = 0
    data: bytes = b""
    syncs_folder: bool = False


@dataclass
class Recorder:
    """A log of all files below one folder; `said` counts the moments that a cut must not undo."""

    folder: Path
    steps: list[Step] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._vfs = _Vfs(f"cuts-{id(self)}", self)

    def connect(self, path: str | Path, **_: Any) -> Connection:
        """Open a file as `sqlite3.connect` does; only what the product uses of it is there."""
        return Connection(str(path), self._vfs.vfs_name)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Send each `sqlite3.connect` of this process through the log."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sqlite3, "connect", self.connect)
            yield

    def say(self, path: Path) -> None:
        """Take note that the product says: what this file holds now is durable."""
        # Not through the log; yet by the same library: two of them in one process lose each other's locks.
        self.states.append(contents(Connection(str(path))))
        self.steps.append(Step("said"))


class _Vfs(apsw.VFS):
    def __init__(self, name: str, log: Recorder) -> None:
        self.vfs_name = name
        self._log = log
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802 -- apsw's name
        return _File(self._log, name, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802 -- apsw's name
        super().xDelete(name, syncdir)
        self._log.steps.append(Step("delete", Path(name).name, syncs_folder=syncdir))


class _File(apsw.VFSFile):
    def __init__(self, log: Recorder, name: Any, flags: list[int]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._log = log
        self._name = Path(path).name if path else ""  # a temporary file has no name and no future
        self._syncs_folder = bool(flags[0] & _SYNCS_FOLDER)
        is_new = bool(path) and not Path(path).exists()
        super().__init__("", name, flags)
        if is_new:
            self._note(Step("create", self._name))

    def _note(self, step: Step) -> None:
        if self._name:
            self._log.steps.append(step)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 -- apsw's name
        super().xWrite(data, offset)
        self._note(Step("write", self._name, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802 -- apsw's name
        super().xTruncate(size)
        self._note(Step("truncate", self._name, size))

    def xSync(self, flags: int) -> None:  # noqa: N802 -- apsw's name
        super().xSync(flags)
        self._note(Step("sync", self._name, syncs_folder=self._syncs_folder))


# ---- what a cut leaves


@dataclass
class _Disk:
    """Files as they are on the platter, and what waits in memory for each of them."""

    synced: dict[str, bytes] = field(default_factory=dict)
    waiting: list[Step] = field(default_factory=list)  # in the order in which they were asked for

    def do(self, step: Step) -> None:
        if step.what == "sync":
            self._settle([w for w in self.waiting if self._goes_with(w, step)])
        elif step.what != "said":
            self.waiting.append(step)
            if step.what == "delete" and step.syncs_folder:
                self._settle([w for w in self.waiting if w.name == step.name])

    def _goes_with(self, waiting: Step, sync: Step) -> bool:
        # A file whose own entry is not on disk yet gets it with its first sync; journals sync their folder.
        is_entry = waiting.what in ("create", "delete")
        return waiting.name == sync.name or (is_entry and sync.syncs_folder)

    def _settle(self, steps: list[Step]) -> None:
        self.synced = _after(self.synced, steps)
        gone = {id(step) for step in steps}
        self.waiting = [step for step in self.waiting if id(step) not in gone]

    def left(self, chance: random.Random, how: str) -> dict[str, bytes]:
        match how:
            case "nothing":
                kept = []
            case "all":
                kept = self.waiting
            case "some":
                kept = [step for step in self.waiting if chance.random() < 0.5]
            case _:
                kept = [torn for step in self.waiting for torn in _torn(step, chance)]
        return _after(self.synced, _possible(self.waiting, kept))


def _possible(waiting: list[Step], kept: list[Step]) -> list[Step]:
    """Leave out what was written to a file whose older namesake is not gone."""
    stays = {step.name for step in waiting if step.what == "delete"}
    stays -= {step.name for step in kept if step.what == "delete"}
    return [step for step in kept if step.name not in stays]


def _torn(step: Step, chance: random.Random) -> Iterator[Step]:
    if step.what != "write":
        if chance.random() < 0.5:
            yield step
        return
    at = 0
    while at < len(step.data):
        # Sectors of the file, not of the write: a write in the middle of one shares it with its neighbours.
        upto = min(len(step.data), at + SECTOR - (step.offset + at) % SECTOR)
        if chance.random() < 0.5:
            yield Step("write", step.name, step.offset + at, step.data[at:upto])
        at = upto


def _after(files: dict[str, bytes], steps: list[Step]) -> dict[str, bytes]:
    made: dict[str, bytes | bytearray] = dict(files)
    for step in steps:
        if step.what == "delete":
            made.pop(step.name, None)
            continue
        held = made.get(step.name, b"")
        held = held if isinstance(held, bytearray) else bytearray(held)
        made[step.name] = held
        if step.what == "write":
            if len(held) < step.offset:
                held.extend(bytes(step.offset - len(held)))
            held[step.offset : step.offset + len(step.data)] = step.data
        elif step.what == "truncate":
            del held[step.offset :]
    return {name: bytes(held) for name, held in made.items()}


@dataclass(frozen=True, slots=True)
class Crash:
    """A folder as a cut left it; `said` moments came before the cut, so that many states are promised."""

    folder: Path
    said: int
    how: str
    at: int


def crashes(
    log: Recorder,
    scratch: Path,
    *,
    seed: int = 0,
    hows: tuple[str, ...] = ("nothing", "all", "some", "torn"),
    before_first: int = 1,
) -> Iterator[Crash]:
    """Yield each different folder a cut could have left, once.

    Before anything was said, only one step in `before_first` is looked at.
    """
    chance = random.Random(seed)
    disk = _Disk()
    said = 0
    tried: set[bytes] = set()
    for at, step in enumerate(log.steps):
        disk.do(step)
        said += step.what == "said"
        if not said and at % before_first:
            continue
        following = log.steps[at + 1].what if at + 1 < len(log.steps) else "sync"
        for how in hows:
            # Without its unsynced part a folder stays the same up to the next sync.
            if how == "nothing" and following not in ("sync", "delete"):
                continue
            files = disk.left(chance, how)
            mark = _mark(files, said)
            if mark in tried:
                continue
            tried.add(mark)
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            for name, data in files.items():
                (scratch / name).write_bytes(data)
            yield Crash(scratch, said, how, at)


def _mark(files: dict[str, bytes], said: int) -> bytes:
    found = hashlib.blake2b(str(said).encode())
    for name in sorted(files):
        found.update(name.encode() + hashlib.blake2b(files[name]).digest())
    return found.digest()


# ---- what a file holds


def contents(conn: Any) -> dict[str, Any]:
    """Return all rows of all ordinary tables of a connection, and close it."""
    try:
        names = [
            str(name)
            for (name,) in conn.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                " AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
            ).fetchall()
        ]
        return {
            name: sorted((tuple(row) for row in conn.execute(f'SELECT * FROM "{name}"').fetchall()), key=repr)
            for name in names
        }
    finally:
        conn.close()


def kept_in(path: Path) -> dict[str, Any]:
    """Return what an ordinary reader finds in a file after a cut; sqlite3.Error, AssertionError."""
    conn = sqlite3.connect(path)
    try:
        found = conn.execute("PRAGMA integrity_check").fetchone()[0]
        assert found == "ok", found
    except BaseException:
        conn.close()
        raise
    return contents(conn)


# ---- apsw spoken to as sqlite3


class Row:
    """A row by name or place."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: tuple[str, ...], values: tuple[Any, ...]) -> None:
        self._names, self._values = names, values

    def __getitem__(self, key: str | int | slice) -> Any:
        return self._values[self._names.index(key) if isinstance(key, str) else key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def keys(self) -> list[str]:
        return list(self._names)


class Cursor:
    """The whole answer of one statement, read to its end at once."""

    def __init__(self, rows: list[Any], changes: int, last_id: int, names: tuple[str, ...]) -> None:
        self._rows = iter(rows)
        self.rowcount, self.lastrowid = changes, last_id
        self.description = [(name, None, None, None, None, None, None) for name in names] or None

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def close(self) -> None:
        self._rows = iter(())


class Connection:
    """What the product uses of sqlite3.Connection, over apsw; errors are those of sqlite3."""

    def __init__(self, path: str, vfs: str | None = None) -> None:
        with _translated():
            self._db = apsw.Connection(path, vfs=vfs)
        self._db.exec_trace = self._look
        self._names: tuple[str, ...] = ()
        self.row_factory: Any = None

    @property
    def in_transaction(self) -> bool:
        return bool(self._db.in_transaction)

    def execute(self, sql: str, params: Any = ()) -> Cursor:
        with _translated():
            before = self._db.total_changes()
            cursor = self._db.execute(sql, params)
            names = self._names
            rows: list[Any] = [tuple(row) for row in cursor]
            if self.row_factory is not None:
                rows = [Row(names, row) for row in rows]
            # Cascades count too, which no caller here asks about.
            return Cursor(
                rows,
                self._db.total_changes() - before and self._db.changes(),
                self._db.last_insert_rowid(),
                names,
            )

    def executemany(self, sql: str, all_params: Any) -> Cursor:
        with _translated():
            before = self._db.total_changes()
            self._db.executemany(sql, all_params).fetchall()
            return Cursor([], self._db.total_changes() - before, self._db.last_insert_rowid(), ())

    def _look(self, cursor: Any, _sql: str, _params: Any) -> bool:
        # Names of columns are known before the first row only here, and without a row nowhere else.
        self._names = tuple(column[0] for column in cursor.get_description())
        return True

    def create_function(self, name: str, n: int, fn: Any, **_: Any) -> None:
        self._db.create_scalar_function(name, fn, n)

    def commit(self) -> None:
        if self.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.in_transaction:
            self.execute("ROLLBACK")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            self.commit()
        else:
            self.rollback()

    def close(self) -> None:
        self._db.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        kind: type[sqlite3.Error] = sqlite3.OperationalError
        if isinstance(error, apsw.ConstraintError):
            kind = sqlite3.IntegrityError
        elif isinstance(error, apsw.CorruptError | apsw.NotADBError):
            kind = sqlite3.DatabaseError
        made = kind(str(error))
        made.sqlite_errorcode = getattr(error, "extendedresult", 0)
        made.sqlite_errorname = type(error).__name__
        raise made from error
