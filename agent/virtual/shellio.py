"""Standard input and output of the phone's shell commands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

Sink = Callable[[bytes], Awaitable[None]]
FLUSH_AT_BYTES = 65_536


class Input(Protocol):
    """Where a command reads from."""

    async def read(self) -> bytes:
        """Return what has come, b"" at the end."""


class NoInput:
    """An input that is at its end."""

    async def read(self) -> bytes:
        """Return b""."""
        return b""


class BytesInput:
    """An input of fixed content."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self) -> bytes:
        """Return the content once, then b""."""
        data, self._data = self._data, b""
        return data


class QueueInput:
    """An input that is fed by another task; feed b"" to end it. Holds at most `limit` pieces."""

    def __init__(self, limit: int = 16) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(limit)
        self._is_at_end = False

    async def feed(self, data: bytes) -> None:
        """Add a piece; waits when the reader is behind."""
        await self._queue.put(data)

    async def read(self) -> bytes:
        """Return the next piece, b"" at the end."""
        if self._is_at_end:
            return b""
        data = await self._queue.get()
        self._is_at_end = not data
        return data


class Output:
    """Where a command writes to: gathered until `flush`."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = bytearray()

    def write(self, data: bytes | str) -> None:
        """Add bytes or text."""
        self._buffer += data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape")

    def line(self, text: str) -> None:
        """Add a line of text."""
        self.write(text + "\n")

    def discard(self) -> None:
        """Forget what is not handed on yet."""
        self._buffer.clear()

    async def flush(self) -> None:
        """Hand all on to the sink."""
        if self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            await self._sink(data)


async def read_all(source: Input) -> bytes:
    """Read an input to its end."""
    pieces = []
    while piece := await source.read():
        pieces.append(piece)
    return b"".join(pieces)
