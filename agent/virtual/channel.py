"""Byte streams between programs on the phone and their peers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol


class Channel(Protocol):
    """A byte stream between a program on the phone and its peer."""

    async def read(self) -> bytes:
        """Return what has come, b"" at the end."""

    async def write(self, data: bytes) -> None:
        """Send all; raises ConnectionResetError when the peer is gone."""

    async def close(self) -> None:
        """Close both directions."""


Listener = Callable[[Channel], Awaitable[None]]
Opener = Callable[[str], Awaitable[Channel]]


class LocalEnd:
    """One end of a socket between two programs on the phone."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self.is_closed = False
        self.peer: LocalEnd = self

    async def read(self) -> bytes:
        """Return what has come, b"" at the end."""
        if self.is_closed and self.incoming.empty():
            return b""
        data = await self.incoming.get()
        self.is_closed = self.is_closed or not data
        return data

    async def write(self, data: bytes) -> None:
        """Send all; raises ConnectionResetError when the peer is gone."""
        if self.peer.is_closed:
            raise ConnectionResetError("the other end is closed")
        if data:
            self.peer.incoming.put_nowait(data)

    async def close(self) -> None:
        """Close both directions."""
        if not self.is_closed:
            self.is_closed = True
            self.peer.incoming.put_nowait(b"")


def socket_pair() -> tuple[LocalEnd, LocalEnd]:
    """Return two connected ends."""
    one, other = LocalEnd(), LocalEnd()
    one.peer, other.peer = other, one
    return one, other


async def relay(one: Channel, other: Channel) -> None:
    """Carry bytes both ways until both sides have ended."""

    async def carry(source: Channel, target: Channel) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read():
                await target.write(data)
        with contextlib.suppress(ConnectionError):
            await target.close()

    try:
        await asyncio.gather(carry(one, other), carry(other, one))
    finally:
        for end in (one, other):
            with contextlib.suppress(ConnectionError):
                await end.close()
