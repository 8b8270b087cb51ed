"""One kept HTTP connection to the server on a phone; a request is written once, in one piece."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

from agent.errors import AnswerLost, NotSent

# The server on the phone closes a connection after 5 s without a request (its own read time-out).
IDLE_LIMIT_S = 4.0
# A hierarchy of a full page is about 160 kB, a screenshot some MB: anything larger is not an answer.
REPLY_LIMIT_BYTES = 48 * 1024 * 1024
# What is kept to receive in; pages that no answer has reached take no memory. A larger answer gets its own.
ROOM_BYTES = 256 * 1024
HEAD_LIMIT_BYTES = 16 * 1024
# Limits that differ by no more than this are one: to tell the socket takes system calls.
SLACK_S = 0.02

Dial = Callable[[float], socket.socket]


class Reply(NamedTuple):
    """An HTTP status and the whole body."""

    status: int
    body: bytes


class _Said(NamedTuple):
    """What a head says: the status, the length of the body, and whether the connection stays."""

    status: int
    length: int
    keep: bool


class Line:
    """A keep-alive connection, dialled when needed; used by one thread at a time."""

    def __init__(self, dial: Dial, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._dial = dial
        self._clock = clock
        self._socket: socket.socket | None = None
        self._used_at_s = 0.0
        self._patience_s = 0.0  # after which the socket gives up waiting
        self._room = bytearray(ROOM_BYTES)
        self._head, self._said = b"", _Said(0, -1, keep=True)  # the last head as it came, and what it says
        self.dialled = 0  # connections made; each costs the phone a thread it never quite forgets

    def idle_s(self) -> float:
        """Return the seconds since the last answer, infinity without a connection."""
        return self._clock() - self._used_at_s if self._socket is not None else float("inf")

    def connect(self, within_s: float) -> socket.socket:
        """Return a connection that was used less than four seconds ago; what `dial` raises goes through."""
        sock = self._socket
        if sock is not None and self._clock() - self._used_at_s <= IDLE_LIMIT_S:
            return sock
        self.drop()
        self._socket = sock = self._dial(within_s)
        # The kernel keeps the time: a time-out of Python's costs more system calls for each of ours.
        sock.settimeout(None)
        self._patience_s = 0.0
        self._used_at_s = self._clock()
        self.dialled += 1
        return sock

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
        sock = self.connect(within_s)
        if self._clock() > not_after_s:
            raise NotSent("what the request rests on was seen too long ago")
        if before_send is not None:
            before_send()
        self._have_patience(sock, until_s - self._clock())
        return Reply(*self._exchange(sock, ready(method, path, body), until_s, ()))

    def resend(self, request: bytes, within_s: float, known: Sequence[bytes]) -> tuple[int, bytes]:
        """Write a `ready` request and return status and body of its answer; errors as those of `request`.

        A body that equals one of the `known` is that very object: it was compared, never copied.
        """
        now_s = self._clock()
        sock = self._socket
        # The poll of an unchanged screen goes through here: nothing in it may cost what it need not.
        if sock is None or now_s - self._used_at_s > IDLE_LIMIT_S:
            sock = self.connect(within_s)
        if abs(self._patience_s - within_s) > SLACK_S:
            self._have_patience(sock, now_s + within_s - self._clock())
        return self._exchange(sock, request, now_s + within_s, known)

    def drop(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None

    def _exchange(
        self, sock: socket.socket, request: bytes, until_s: float, known: Sequence[bytes]
    ) -> tuple[int, bytes]:
        room, begin = self._room, len(self._head)
        try:
            sock.sendall(request)
            seen = sock.recv_into(room)
            # Answers of one length have one head; only its clock goes on, if it tells one.
            if seen != begin + self._said.length or not room.startswith(self._head):
                begin, seen = self._rest(sock, seen, until_s)
        except (OSError, AnswerLost) as broken:
            self.drop()
            self._room = bytearray(ROOM_BYTES)
            raise _lost(broken, request) from None
        status, length, keep = self._said
        self._used_at_s = self._clock()
        if not keep:
            self.drop()
        for body in known:
            if length == len(body) and room.startswith(body, begin):
                return status, body
        if len(room) > ROOM_BYTES:
            self._room = bytearray(ROOM_BYTES)
        with memoryview(room) as view:
            return status, bytes(view[begin:seen])

    def _rest(self, sock: socket.socket, seen: int, until_s: float) -> tuple[int, int]:
        """Receive what is missing and return where the body begins and ends."""
        room = self._room
        while (end := room.find(b"\r\n\r\n", 0, seen)) < 0:
            if not seen or seen > HEAD_LIMIT_BYTES:
                raise AnswerLost("the answer is no HTTP reply of a known length")
            seen = self._more(sock, seen, until_s)
        said = _parse_head(bytes(room[:end]))
        begin = end + 4
        whole = begin + said.length
        if whole > len(room):
            room.extend(bytes(whole - len(room)))
        while seen < whole:
            seen = self._more(sock, seen, until_s)
        if seen > whole:
            raise AnswerLost("the answer is longer than it says")
        self._head, self._said = bytes(room[:begin]), said
        return begin, seen

    def _more(self, sock: socket.socket, seen: int, until_s: float) -> int:
        """Receive behind what was seen and return where that ends; TimeoutError."""
        left_s = until_s - self._clock()
        if left_s <= 0:
            raise TimeoutError
        self._have_patience(sock, left_s)
        with memoryview(self._room) as room:
            got = sock.recv_into(room[seen:])
        if not got:
            raise AnswerLost("the connection was closed before the answer was whole")
        return seen + got

    def _have_patience(self, sock: socket.socket, left_s: float) -> None:
        """Let the socket wait this long, give or take the slack."""
        if abs(self._patience_s - left_s) > SLACK_S:
            self._patience_s = max(0.001, left_s)
            limit = struct.pack("@ll", int(self._patience_s), int(self._patience_s % 1 * 1_000_000))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


@lru_cache(maxsize=32)
def _head(method: str, path: str, length: int) -> bytes:
    # An empty Accept-Encoding keeps the server off its leaking gzip path; without a charset it reads ASCII.
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\nAccept-Encoding: \r\n"
        f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {length}\r\n\r\n"
    ).encode("ascii")


def ready(method: str, path: str, body: bytes) -> bytes:
    """Return a whole request."""
    return _head(method, path, len(body)) + body


def _lost(broken: OSError | AnswerLost, request: bytes) -> AnswerLost:
    if isinstance(broken, AnswerLost):
        return broken
    # A time-out of the kernel's says that the socket would block.
    if isinstance(broken, (TimeoutError, BlockingIOError)):
        return AnswerLost(f"no answer to {request.split(b' HTTP', 1)[0].decode('ascii', 'replace')} in time")
    return AnswerLost(f"the connection broke: {broken.strerror or type(broken).__name__}")


def _parse_head(head: bytes) -> _Said:
    """Return what a head says; AnswerLost if it is malformed."""
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    words = first.split(" ", 2)
    length = fields.get("content-length", "")
    is_whole = words[0].startswith("HTTP/1.") and len(words) > 1 and words[1].isdigit() and length.isdigit()
    if not is_whole or int(length) > REPLY_LIMIT_BYTES:
        raise AnswerLost("the answer is no HTTP reply of a known length")
    return _Said(int(words[1]), int(length), fields.get("connection", "").lower() != "close")
