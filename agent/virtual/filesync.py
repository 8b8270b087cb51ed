"""The file sync protocol of adb: STAT, LIST, SEND, RECV and their second versions."""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Awaitable, Callable

from agent.virtual.channel import Channel
from agent.virtual.files import Chunk, Entry, FileError, FileSystem, share

DATA_MAX = 65_536
MAX_PATH_BYTES = 1_024
NOT_FOUND = 2  # ENOENT
_STAT2 = struct.Struct("<I2Q4IQ3q")


class SyncEnded(Exception):
    """The host ended the session or does not speak the protocol."""


class SyncSession:
    """One `sync:` stream; several requests until QUIT."""

    def __init__(self, files: FileSystem, channel: Channel) -> None:
        self._files, self._channel = files, channel
        self._buffer = bytearray()
        self._verbs: dict[bytes, Callable[[str], Awaitable[None]]] = {
            b"STAT": self._stat,
            b"STA2": lambda path: self._stat2(b"STA2", path),
            b"LST2": lambda path: self._stat2(b"LST2", path),
            b"LIST": self._list,
            b"LIS2": self._list2,
            b"SEND": self._send,
            b"SND2": self._send2,
            b"RECV": self._receive,
            b"RCV2": self._receive2,
        }

    async def run(self) -> None:
        """Serve requests until QUIT or the end of the stream."""
        try:
            while True:
                verb, length = await self._head()
                if verb == b"QUIT" or verb not in self._verbs or length > MAX_PATH_BYTES:
                    return
                path = (await self._take(length)).decode("utf-8", "replace")
                await self._verbs[verb](path)
        except SyncEnded:
            return

    async def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            data = await self._channel.read()
            if not data:
                raise SyncEnded
            self._buffer += data
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    async def _head(self) -> tuple[bytes, int]:
        raw = await self._take(8)
        return raw[:4], int.from_bytes(raw[4:], "little")

    async def _stat(self, path: str) -> None:
        # All 16 bytes in one write: adbutils takes the 12 after the id with one recv.
        await self._channel.write(b"STAT" + _stat1(self._files.get(path)))

    async def _stat2(self, verb: bytes, path: str) -> None:
        await self._channel.write(verb + _stat2(self._files.get(path)))

    async def _list(self, path: str) -> None:
        for name, entry in _listing(self._files, path):
            raw = name.encode()
            # A whole entry in one write: adbutils reads its 16 bytes with one recv.
            await self._channel.write(b"DENT" + _stat1(entry) + struct.pack("<I", len(raw)) + raw)
        await self._channel.write(b"DONE" + bytes(16))

    async def _list2(self, path: str) -> None:
        for name, entry in _listing(self._files, path):
            raw = name.encode()
            await self._channel.write(b"DNT2" + _stat2(entry) + struct.pack("<I", len(raw)) + raw)
        await self._channel.write(b"DONE" + bytes(72))

    async def _send(self, path_and_mode: str) -> None:
        path, _, mode = path_and_mode.rpartition(",")
        await self._receive_file(path, int(mode) if mode.isdigit() else 0o644)

    async def _send2(self, path: str) -> None:
        _, mode = await self._head()
        await self._take(4)  # flags: no compression was offered
        await self._receive_file(path, mode)

    async def _receive_file(self, path: str, mode: int) -> None:
        chunks: list[Chunk] = []
        while True:
            verb, length = await self._head()
            if verb == b"DONE":
                break
            if verb != b"DATA" or length > DATA_MAX:
                raise SyncEnded
            chunks.append(share(await self._take(length)))
        try:
            entry = self._files.write(path, tuple(chunks), mode=mode)
        except FileError as error:
            await self._fail(error.reason)
            return
        entry.mtime_s = length
        await self._channel.write(b"OKAY" + bytes(4))

    async def _receive(self, path: str) -> None:
        try:
            content = self._files.read(path)
        except FileError as error:
            await self._fail(error.reason)
            return
        for start in range(0, len(content), DATA_MAX):
            piece = content[start : start + DATA_MAX]
            await self._channel.write(b"DATA" + struct.pack("<I", len(piece)) + piece)
        await self._channel.write(b"DONE" + bytes(4))

    async def _receive2(self, path: str) -> None:
        await self._head()
        await self._receive(path)

    async def _fail(self, reason: str) -> None:
        raw = reason.encode()
        await self._channel.write(b"FAIL" + struct.pack("<I", len(raw)) + raw)


async def serve_sync(files: FileSystem, channel: Channel) -> None:
    """Serve one `sync:` stream to its end."""
    await SyncSession(files, channel).run()


def _listing(files: FileSystem, path: str) -> list[tuple[str, Entry]]:
    where = files.get(path)
    if where is None or not where.is_dir:
        return []
    return [(".", where), ("..", where), *files.names(path)]


def _stat1(entry: Entry | None) -> bytes:
    if entry is None:
        return bytes(12)
    return struct.pack("<3I", entry.mode, entry.size, entry.mtime_s)


def _stat2(entry: Entry | None) -> bytes:
    if entry is None:
        return _STAT2.pack(NOT_FOUND, *(0,) * 10)
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    inode = zlib.crc32(repr(id(entry)).encode())
    times = (entry.mtime_s,) * 3
    return _STAT2.pack(0, 1, inode, entry.mode, links, 2_000, 2_000, entry.size, *times)
