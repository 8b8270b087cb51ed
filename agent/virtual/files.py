"""The file system of a virtual phone, in memory; equal contents are kept once for all phones."""

from __future__ import annotations

import hashlib
import posixpath
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

DIRECTORY_MODE = stat.S_IFDIR | 0o771
FILE_MODE = stat.S_IFREG | 0o644


class Chunk:
    """A piece of content, shared by all files that hold the same bytes."""

    __slots__ = ("__weakref__", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data


# Fifty phones get the same 3.7 MB server at once: pieces are shared as they arrive.
_shared: WeakValueDictionary[bytes, Chunk] = WeakValueDictionary()


def share(data: bytes) -> Chunk:
    """Return the one chunk of this content."""
    chunk = _shared.get(data)
    if chunk is None:
        chunk = _shared[data] = Chunk(data)
    return chunk


class FileError(Exception):
    """A file operation failed; `reason` is the text of errno."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Entry:
    """A file or a directory; `mtime_s` is seconds UTC, a directory has no chunks."""

    mode: int
    mtime_s: int
    chunks: tuple[Chunk, ...] = ()
    _md5: str = field(default="", repr=False)

    @property
    def is_dir(self) -> bool:
        """Tell a directory from a file."""
        return stat.S_ISDIR(self.mode)

    @property
    def size(self) -> int:
        """Return the length in bytes; 4096 for a directory."""
        return 4096 if self.is_dir else sum(len(chunk.data) for chunk in self.chunks)

    def read(self) -> bytes:
        """Return the whole content."""
        return b"".join(chunk.data for chunk in self.chunks)

    def md5(self) -> str:
        """Return the MD5 of the content in hex, computed once."""
        if not self._md5:
            digest = hashlib.md5(usedforsecurity=False)
            for chunk in self.chunks:
                digest.update(chunk.data)
            self._md5 = digest.hexdigest()
        return self._md5


def normal(path: str, cwd: str = "/") -> str:
    """Return an absolute path without dots; /sdcard stands for the shared storage."""
    full = posixpath.normpath(posixpath.join(cwd, path))
    full = "/" + full.lstrip("/")
    if full == "/sdcard" or full.startswith("/sdcard/"):
        return "/storage/emulated/0" + full[len("/sdcard") :]
    return full


class FileSystem:
    """Files by absolute path; parents are made as needed, permissions are not enforced."""

    def __init__(self, clock: Callable[[], int], is_full: Callable[[], bool]) -> None:
        self._clock, self._is_full = clock, is_full
        self._entries: dict[str, Entry] = {}
        self._generated: dict[str, Callable[[], bytes]] = {}
        for path in ("/data/local/tmp", "/storage/emulated/0/Download", "/system/bin", "/proc/sys"):
            self.make_dir(path)

    def get(self, path: str) -> Entry | None:
        """Return what stands at a path or None."""
        where = normal(path)
        content = self._generated.get(where)
        if content is not None:
            return Entry(mode=FILE_MODE, mtime_s=self._clock() // 1_000, chunks=(Chunk(content()),))
        return self._entries.get(where)

    def generate(self, path: str, content: Callable[[], bytes]) -> None:
        """Let a path of /proc give its content when it is read."""
        self._generated[normal(path)] = content

    def names(self, path: str) -> Iterator[tuple[str, Entry]]:
        """Yield name and entry of what lies in a directory, by name; FileError if it is none."""
        where = normal(path)
        entry = self._entries.get(where)
        if entry is None:
            raise FileError("No such file or directory")
        if not entry.is_dir:
            raise FileError("Not a directory")
        prefix = where.rstrip("/") + "/"
        for full in sorted(self._entries):
            if full.startswith(prefix) and "/" not in full[len(prefix) :] and full != where:
                yield full[len(prefix) :], self._entries[full]

    def read(self, path: str) -> bytes:
        """Return a file's content; FileError."""
        entry = self.get(path)
        if entry is None:
            raise FileError("No such file or directory")
        if entry.is_dir:
            raise FileError("Is a directory")
        return entry.read()

    def check_writable(self, path: str) -> None:
        """Raise FileError when a file cannot be written there."""
        entry = self.get(path)
        if entry is not None and entry.is_dir:
            raise FileError("Is a directory")
        if self._is_full():
            raise FileError("No space left on device")

    def write(self, path: str, data: bytes | tuple[Chunk, ...], *, mode: int = FILE_MODE) -> Entry:
        """Put a file in place, now; FileError."""
        self.check_writable(path)
        where = normal(path)
        chunks = (share(data),) if isinstance(data, bytes) else data
        entry = Entry(mode=stat.S_IFREG | stat.S_IMODE(mode), mtime_s=self._clock() // 1_000, chunks=chunks)
        self.make_dir(posixpath.dirname(where))
        self._entries[where] = entry
        return entry

    def make_dir(self, path: str) -> None:
        """Make a directory and its parents; FileError when a file is in the way."""
        where = normal(path)
        while where not in self._entries:
            self._entries[where] = Entry(mode=DIRECTORY_MODE, mtime_s=self._clock() // 1_000)
            where = posixpath.dirname(where)
        if not self._entries[where].is_dir:
            raise FileError("Not a directory")

    def remove(self, path: str, *, recursive: bool = False) -> None:
        """Remove a file, or a directory with all below it if `recursive`; FileError."""
        where = normal(path)
        entry = self._entries.get(where)
        if entry is None:
            raise FileError("No such file or directory")
        if entry.is_dir and not recursive:
            raise FileError("is a directory")
        del self._entries[where]
        for below in [full for full in self._entries if full.startswith(where.rstrip("/") + "/")]:
            del self._entries[below]

    def move(self, source: str, target: str) -> None:
        """Rename a file; FileError."""
        entry = self.get(source)
        if entry is None:
            raise FileError("No such file or directory")
        where = normal(target)
        there = self._entries.get(where)
        if there is not None and there.is_dir:
            where = posixpath.join(where, posixpath.basename(normal(source)))
        self._entries[where] = entry
        del self._entries[normal(source)]
