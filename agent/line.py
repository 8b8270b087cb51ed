"""One kept HTTP connection to the server on a phone; a request is written once, in one piece."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from agent.errors import AnswerLost, NotSent

# The server on the phone closes a connection after 5 s without a request (its own read time-out).
IDLE_LIMIT_S = 4.0
# A hierarchy of a full page is about 160 kB, a screenshot some MB: anything larger is not an answer.
REPLY_LIMIT_BYTES = 48 * 1024 * 1024

Dial = Callable[[float], socket.socket]


class Reply(NamedTuple):
    """An HTTP status and the whole body."""

    status: int
    body: bytes


class Line:
    """A keep-alive connection, dialled when needed; used by one thread at a time."""

    def __init__(self, dial: Dial, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._dial = dial
        self._clock = clock
        self._socket: socket.socket | None = None
        self._used_at_s = 0.0
        self.dialled = 0  # connections made; each costs the phone a thread it never quite forgets

    def idle_s(self) -> float:
        """Return the seconds since the last answer, infinity without a connection."""
        return self._clock() - self._used_at_s if self._socket is not None else float("inf")

    def connect(self, within_s: float) -> None:
        """Have a connection that was used less than four seconds ago; what `dial` raises goes through."""
        if self.idle_s() > IDLE_LIMIT_S:
            self.drop()
        if self._socket is None:
            self._socket = self._dial(within_s)
            self._used_at_s = self._clock()
            self.dialled += 1

    def request(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        within_s: float,
        not_after_s: float = float("inf"),
        before_send: Callable[[], None] | None = None,
    ) -> Reply:
        """Write one request and read its answer; AnswerLost once a byte may have gone out.

        NotSent if the clock has passed `not_after_s` when everything else is ready for the first byte; what
        `before_send`, called then, raises goes through.
        """
        until_s = self._clock() + within_s
        self.connect(within_s)
        if self._socket is None:  # pragma: no cover -- connect has just set it
            raise AnswerLost
        if self._clock() > not_after_s:
            raise NotSent("what the request rests on was seen too long ago")
        if before_send is not None:
            before_send()
        try:
            self._socket.settimeout(max(0.001, until_s - self._clock()))
            self._socket.sendall(_head(method, path, len(body)) + body)
            reply, keep = self._read(self._socket, until_s)
        except TimeoutError:
            self.drop()
            raise AnswerLost(f"no answer to {method} {path} within {within_s:g} s") from None
        except OSError as broken:
            self.drop()
            raise AnswerLost(f"the connection broke: {broken.strerror or type(broken).__name__}") from None
        except AnswerLost:
            self.drop()
            raise
        self._used_at_s = self._clock()
        if not keep:
            self.drop()
        return reply

    def drop(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None

    def _read(self, sock: socket.socket, until_s: float) -> tuple[Reply, bool]:
        seen = bytearray()
        while (end := seen.find(b"\r\n\r\n")) < 0:
            self._more(sock, seen, until_s)
        status, length, keep = _parse_head(bytes(seen[:end]))
        del seen[: end + 4]
        while len(seen) < length:
            self._more(sock, seen, until_s)
        if len(seen) > length:
            raise AnswerLost("the answer is longer than it says")
        return Reply(status, bytes(seen)), keep

    def _more(self, sock: socket.socket, seen: bytearray, until_s: float) -> None:
        left_s = until_s - self._clock()
        if left_s <= 0:
            raise TimeoutError
        sock.settimeout(left_s)
        piece = sock.recv(262_144)
        if not piece:
            raise AnswerLost("the connection was closed before the answer was whole")
        seen += piece


def _head(method: str, path: str, length: int) -> bytes:
    # An empty Accept-Encoding keeps the server off its leaking gzip path; without a charset it reads ASCII.
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\nAccept-Encoding: \r\n"
        f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {length}\r\n\r\n"
    ).encode("ascii")


def _parse_head(head: bytes) -> tuple[int, int, bool]:
    """Return the status, the length of the body and whether the connection stays; AnswerLost if malformed."""
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    words = first.split(" ", 2)
    length = fields.get("content-length", "")
    is_whole = words[0].startswith("HTTP/1.") and len(words) > 1 and words[1].isdigit() and length.isdigit()
    if not is_whole or int(length) > REPLY_LIMIT_BYTES:
        raise AnswerLost("the answer is no HTTP reply of a known length")
    return int(words[1]), int(length), fields.get("connection", "").lower() != "close"
