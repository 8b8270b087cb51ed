"""One owner per name on this host: a lock on an open file, which ends with the process that holds it."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.errors import AlreadyRunning

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def file_name(name: str) -> str:
    """Return a name without path separators and blanks; different names stay different."""
    # %XX like in addresses: two names must not meet in one file.
    return _UNSAFE.sub(lambda m: "".join(f"%{b:02X}" for b in m[0].encode()), name) or "%"


class HostLock:
    """A held lock; `release` or the end of the process frees it."""

    def __init__(self, fd: int, path: Path) -> None:
        self._fd = fd
        self.path = path

    @classmethod
    def take(cls, folder: Path, name: str) -> Self:
        """Take the lock or raise AlreadyRunning with the owner's process id."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{file_name(name)}.lock"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise AlreadyRunning(f"{name} is owned by process {owner} on this host") from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        return cls(fd, path)

    def release(self) -> None:
        """Free the lock; a second time does nothing."""
        # The file stays: removing it would let two owners lock two files of one name.
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
