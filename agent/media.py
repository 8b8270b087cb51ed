"""Pictures out of chats as objects by hash: one folder of this host, for its owner only, within limits."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.boottime import wall_ms
from agent.logs import get_logger

log = get_logger()

OBJECT_LIMIT_BYTES = 2 * 1024 * 1024
# What is asked first of a disk: room for the events, without which no picture means anything.
FREE_BYTES = 512 * 1024 * 1024
# All agents of a host fill one folder: what the others kept is counted again so often.
COUNT_EVERY_S = 60.0
# A file under its temporary name that is older was left by an agent that ended while it wrote.
LEFT_MS = 3_600_000
_NAME = re.compile(r"[0-9a-f]{64}\.png")
_AGE = re.compile(r"(\d{1,5})([hdw])")
_UNITS_MS = {"h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


@dataclass(frozen=True, slots=True)
class Kept:
    """One object; `seen_at_ms` is when it was last kept for a message, UTC."""

    sha256: str
    path: Path
    size: int
    seen_at_ms: int


class Media:
    """The folder of objects. `clock` gives seconds, `free` the bytes the disk has left."""

    def __init__(
        self,
        folder: Path,
        *,
        limit_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._clock = clock
        self._free = free
        self._used = 0
        self._counted_at_s = float("-inf")
        self._said: set[str] = set()

    def keep(self, content: bytes) -> str:
        """Keep a PNG and return its SHA-256; "" if a limit is reached or the disk does not take it.

        It is on the disk when this returns. One that is there is not written again; it counts as seen.
        """
        if len(content) > OBJECT_LIMIT_BYTES:
            self._say("a picture is larger than one may be", limit_bytes=OBJECT_LIMIT_BYTES)
            return ""
        sha256 = hashlib.sha256(content).hexdigest()
        path = place_of(self._folder, sha256)
        try:
            if path.exists():
                os.utime(path)
                return sha256
            self._make_folders(path.parent)
            if not self._has_room(len(content)):
                return ""
            _write(path, content)
        except OSError as error:
            self._say("pictures are not kept", error=error.strerror)
            return ""
        self._used += len(content)
        return sha256

    def _make_folders(self, folder: Path) -> None:
        for one in (self._folder, folder):
            with suppress(FileExistsError):
                one.mkdir(mode=0o700)
                _sync(one.parent)

    def _has_room(self, size: int) -> bool:
        if self._free(self._folder) < FREE_BYTES + size:
            self._say("no picture is kept any more: the disk is nearly full", free_bytes=FREE_BYTES)
            return False
        now_s = self._clock()
        if now_s - self._counted_at_s >= COUNT_EVERY_S:
            self._used = sum(one.size for one in kept(self._folder))
            self._counted_at_s = now_s
            remove_left(self._folder)
        if self._used + size > self._limit:
            self._say("no picture is kept any more: the folder is full", limit_bytes=self._limit)
            return False
        return True

    def _say(self, what: str, **facts: object) -> None:
        """Once in the life of an agent is enough."""
        if what not in self._said:
            self._said.add(what)
            log.warning(what, **facts)


def place_of(folder: Path, sha256: str) -> Path:
    """Return where an object is."""
    return folder / sha256[:2] / f"{sha256}.png"


def kept(folder: Path) -> Iterator[Kept]:
    """Yield the objects of a folder, in no order; none if there is no folder."""
    for path in _files(folder):
        if _NAME.fullmatch(path.name) and path.parent.name == path.name[:2]:
            with suppress(FileNotFoundError):
                stat = path.stat()
                yield Kept(path.stem, path, stat.st_size, round(stat.st_mtime * 1000))


def older_than(found: Iterable[Kept], age_ms: int, now_ms: int) -> list[Kept]:
    """Return the objects no message was given for so long, the oldest first."""
    old = [one for one in found if one.seen_at_ms <= now_ms - age_ms]
    return sorted(old, key=lambda one: (one.seen_at_ms, one.sha256))


def delete(found: Iterable[Kept]) -> list[Kept]:
    """Delete objects and return those that were there."""
    gone = []
    for one in found:
        with suppress(FileNotFoundError):
            one.path.unlink()
            gone.append(one)
    for folder in {one.path.parent for one in gone}:
        _sync(folder)
        with suppress(OSError):
            folder.rmdir()  # only if it is empty
    return gone


def remove_left(folder: Path, now_ms: int | None = None) -> int:
    """Remove what agents left that ended while they wrote; return how many files."""
    before_s = ((wall_ms() if now_ms is None else now_ms) - LEFT_MS) / 1000
    count = 0
    for path in _files(folder):
        with suppress(FileNotFoundError):
            if path.name.startswith(".") and path.suffix == ".tmp" and path.stat().st_mtime < before_s:
                path.unlink()
                count += 1
    return count


def age_ms(text: str) -> int | None:
    """Return an age like 12h, 30d or 4w in ms, None if it is none."""
    match = _AGE.fullmatch(text.strip())
    return int(match[1]) * _UNITS_MS[match[2]] if match else None


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for inner in folder.iterdir():
            if inner.is_dir():
                yield from inner.iterdir()


def _write(path: Path, content: bytes) -> None:
    """Write under a temporary name first: what bears its hash as a name is whole."""
    made = path.with_name(f".{path.stem}.{os.getpid()}.tmp")
    try:
        fd = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        made.rename(path)
    except OSError:
        with suppress(OSError):
            made.unlink()
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
