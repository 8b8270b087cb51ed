"""Output of commands that run on a phone for long: drained by a thread, or read as it comes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

KEPT_BYTES = 16_384


class ServerOutput:
    """The stream the server on the phone lives by: always drained, its last words kept."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._tail = bytearray()
        self._ended = threading.Event()
        # No read time-out: silence for hours is this stream's normal state, and a server whose output
        # nobody reads may block.
        sock.settimeout(None)
        threading.Thread(target=self._drain, name="server-output", daemon=True).start()

    def _drain(self) -> None:
        with suppress(OSError):
            while piece := self._socket.recv(4096):
                self._tail += piece
                del self._tail[:-KEPT_BYTES]
        self._ended.set()

    def is_over(self) -> bool:
        """Tell whether the server has ended."""
        return self._ended.is_set()

    def says(self, words: bytes) -> bool:
        """Tell whether the last words of the server hold these."""
        return words in bytes(self._tail)

    def kill(self) -> None:
        """Close the stream; the phone ends the server with it."""
        _close(self._socket)
        self._ended.wait(timeout=1.0)


class ShellStream:
    """Output of a running shell command; closing it ends the command."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        sock.settimeout(None)

    def __iter__(self) -> Iterator[bytes]:
        """Yield pieces until the command ends or `close` is called from another thread."""
        with suppress(OSError):
            while piece := self._socket.recv(4096):
                yield piece

    def close(self) -> None:
        """End the command."""
        _close(self._socket)


def _close(sock: socket.socket) -> None:
    # The shutdown wakes a thread that waits in recv; a close alone does not.
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
