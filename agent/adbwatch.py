"""Which phones the adb server sees: our own reader of full lists, because clients hide states and slots."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent import adbserver
from agent.errors import AdbUnusable

DEVICE = "device"
# A plug passes through offline and authorizing within this time; lists are complete, the last one counts.
SETTLE_S = 1.0
# adb before 31 announces neither `unauthorized` nor an unplugged TCP phone, so a list is also asked for.
ASK_AGAIN_S = 5.0
RETRY_S = (1.0, 2.0, 5.0, 10.0)
_TAGS = ("usb", "product", "model", "device", "transport_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """One line of the list; `slot` is the USB port path, empty on TCP; each plug makes a `transport_id`."""

    serial: str
    state: str
    slot: str = ""
    product: str = ""
    model: str = ""
    device: str = ""
    transport_id: int | None = None

    @property
    def is_usable(self) -> bool:
        """Tell whether adb says that commands can be sent."""
        return self.state == DEVICE


Listing = tuple[Attached, ...]


def parse(text: str) -> Listing:
    """Return the phones of one `devices-l` list; lines that are none are left out."""
    return tuple(found for line in text.splitlines() if (found := _parse_line(line)))


def _parse_line(line: str) -> Attached | None:
    # SERIAL, a state that may contain blanks, then key:value tags. Tags are read from the end, because the
    # state `no permissions (…); see [http://…]` contains a colon too.
    words = line.split()
    if len(words) < 2:
        return None
    tags: dict[str, str] = {}
    end = len(words)
    while end > 2:
        key, colon, value = words[end - 1].partition(":")
        if not colon or key not in _TAGS:
            break
        tags[key] = value
        end -= 1
    number = tags.get("transport_id", "")
    return Attached(
        serial=words[0],
        state=" ".join(words[1:end]),
        slot=tags.get("usb", ""),
        product=tags.get("product", ""),
        model=tags.get("model", ""),
        device=tags.get("device", ""),
        transport_id=int(number) if number.isdigit() else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One phone between two lists: `before` is None for a new one, `after` for one that is gone."""

    before: Attached | None
    after: Attached | None


def diff(before: Listing, after: Listing) -> tuple[Change, ...]:
    """Return what differs, by serial and slot; the gone ones first."""
    was = {(a.serial, a.slot): a for a in before}
    now = {(a.serial, a.slot): a for a in after}
    gone = [Change(before=a, after=None) for key, a in was.items() if key not in now]
    other = [Change(before=was.get(key), after=a) for key, a in now.items() if was.get(key) != a]
    return (*gone, *other)


class AdbWatch:
    """A blocking reader for one thread; `close` from any thread ends it."""

    def __init__(
        self, *, port: int, adb_path: str, complain: Callable[[str], None], settle_s: float = SETTLE_S
    ) -> None:
        self._port = port
        self._adb_path = adb_path
        self._complain = complain
        self._settle_s = settle_s
        self._closed = False
        self._wake, self._waker = socket.socketpair()

    def close(self) -> None:
        """End `listings`, at once."""
        self._closed = True
        self._waker.close()  # the other end becomes readable

    def listings(self) -> Iterator[Listing]:
        """Yield the complete list after each change that lasts; starts the server if none answers."""
        with self._wake:
            yield from self._lists()

    def _lists(self) -> Iterator[Listing]:
        last: Listing | None = None
        failures = 0
        while not self._closed:
            try:
                adbserver.ensure(self._port, self._adb_path)
                for listing in self._stream():
                    failures = 0
                    if listing != last:
                        last = listing
                        yield listing
            except AdbUnusable as error:
                self._complain(str(error))
            if failures > 0 and last != ():
                # Without a server no phone can be reached; what is remembered of them is not the truth.
                last = ()
                yield last
            self._pause(RETRY_S[min(failures, len(RETRY_S) - 1)])
            failures += 1

    def _stream(self) -> Iterator[Listing]:
        with adbserver.connect(self._port) as sock:
            adbserver.ask(sock, "host:track-devices-l")
            first = self._next(sock, adbserver.CONNECT_S)
            if first is not None:
                yield first
            while not self._closed:
                announced = self._next(sock, ASK_AGAIN_S)
                if announced is not None:
                    yield self._settled(sock, announced)
                elif not self._closed:
                    yield parse(adbserver.query(self._port, "host:devices-l"))

    def _settled(self, sock: socket.socket, listing: Listing) -> Listing:
        """Return the list that no other followed for `settle_s`, or the newest after three times that."""
        last_s = time.monotonic() + 3 * self._settle_s
        while (left_s := last_s - time.monotonic()) > 0:
            newer = self._next(sock, min(self._settle_s, left_s))
            if newer is None:
                break
            listing = newer
        return listing

    def _next(self, sock: socket.socket, wait_s: float) -> Listing | None:
        """Return the next announced list, None when none came within `wait_s`."""
        if self._closed or not self._readable(sock, wait_s):
            return None
        try:
            sock.settimeout(adbserver.CONNECT_S)
            return parse(adbserver.read_block(sock).decode("utf-8", "replace"))
        except OSError:
            raise AdbUnusable("the adb server ended the stream of changes") from None

    def _pause(self, wait_s: float) -> None:
        if not self._closed:
            select.select([self._wake], [], [], wait_s)

    def _readable(self, sock: socket.socket, wait_s: float) -> bool:
        """Wait until `sock` has bytes; False when `close` was called or the time is over."""
        ready, _, _ = select.select([sock, self._wake], [], [], wait_s)
        return sock in ready and self._wake not in ready
