"""Lists of the adb server: states with blanks, duplicates, differences, and who else can reach its port."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agent import adbserver
from agent.adbwatch import AdbWatch, Attached, Change, Listing, diff, parse
from agent.errors import AdbUnusable
from tests.support.fleetstub import until

LIST = """\
R5CT10ABCDE            device usb:1-4.3 product:a52qnsxx model:SM_A525F device:a52q transport_id:7
emulator-5554          offline transport_id:2
192.0.2.7:5555         unauthorized transport_id:12
0123456789ABCDEF       no permissions (user in plugdev group; are your udev rules wrong?); \
see [http://developer.android.com/tools/device.html] usb:1-1.2 transport_id:3
"""


def test_each_line_gives_serial_state_slot_and_transport() -> None:
    first, offline, key, rights = parse(LIST)
    assert first == Attached(
        serial="R5CT10ABCDE",
        state="device",
        slot="1-4.3",
        product="a52qnsxx",
        model="SM_A525F",
        device="a52q",
        transport_id=7,
    )
    assert (offline.state, offline.slot, offline.transport_id) == ("offline", "", 2)
    assert (key.serial, key.state) == ("192.0.2.7:5555", "unauthorized")
    assert rights.state.startswith("no permissions (user")
    assert rights.state.endswith("device.html]")
    assert (rights.slot, rights.transport_id) == ("1-1.2", 3)
    assert [a.is_usable for a in (first, offline, key, rights)] == [True, False, False, False]


@pytest.mark.parametrize("text", ["", "\n", "lonely\n"])
def test_what_is_no_phone_is_left_out(text: str) -> None:
    assert parse(text) == ()


def phone(serial: str, state: str = "device", slot: str = "", number: int = 1) -> Attached:
    return Attached(serial=serial, state=state, slot=slot, transport_id=number)


def test_difference_names_what_came_went_and_changed() -> None:
    a, b, c = phone("a"), phone("b"), phone("c")
    b2 = phone("b", "offline")
    assert diff((a, b), (b2, c)) == (
        Change(before=a, after=None),
        Change(before=b, after=b2),
        Change(before=None, after=c),
    )
    assert diff((a,), (a,)) == ()


def test_two_handsets_with_one_serial_are_told_apart_by_slot() -> None:
    one, two = phone("s", slot="1-1"), phone("s", slot="1-2")
    assert diff((one, two), (one,)) == (Change(before=two, after=None),)


def test_only_loopback_listeners_are_private() -> None:
    head = "  sl  local_address rem_address   st"
    lines = [
        "   0: 0100007F:13AD 00000000:0000 0A 00000000",
        "   1: 00000000:13AD 00000000:0000 0A 00000000",
        "   2: 0B00A8C0:13AD 00000000:0000 01 00000000",
        "   3: 00000000000000000000000001000000:13AD 0:0 0A 0",
        "   4: 0000000000000000FFFF00000100007F:13AD 0:0 0A 0",
        "   5: 00000000:0016 00000000:0000 0A 00000000",
    ]
    assert head
    assert adbserver.beyond_loopback(lines, 0x13AD) == ["all addresses"]


def test_server_that_listens_to_everybody_is_refused() -> None:
    # A server of ours on all addresses of this machine; nothing beyond it is asked.
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        assert adbserver.open_addresses(port) == ("all addresses",)
        with fake_adb(server), pytest.raises(AdbUnusable, match="owns every phone"):
            adbserver.ensure(port, "")


@contextmanager
def fake_adb(
    server: socket.socket, lists: list[str] | None = None, streams: list[socket.socket] | None = None
) -> Iterator[None]:
    """Answer host:version, host:devices-l (the last of `lists`) and the tracker (kept in `streams`)."""
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                sock, _ = server.accept()
            except OSError:
                return
            request = sock.recv(int(sock.recv(4), 16)).decode()
            body = {"host:version": "0029"}.get(request)
            if request == "host:devices-l":
                body = (lists or [""])[-1]
            if body is not None:
                sock.sendall(f"OKAY{len(body.encode()):04x}{body}".encode())
                sock.close()
            elif request == "host:track-devices-l" and streams is not None:
                text = (lists or [""])[-1]
                sock.sendall(f"OKAY{len(text.encode()):04x}{text}".encode())
                streams.append(sock)
            else:
                sock.sendall(b"FAIL0003bad")
                sock.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        for sock in streams or ():
            sock.close()
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


class Watched:
    """A watch on a thread of its own, and what it said."""

    def __init__(self, port: int, settle_s: float) -> None:
        self.seen: list[Listing] = []
        self.complaints: list[str] = []
        self.watch = AdbWatch(port=port, adb_path="", complain=self.complaints.append, settle_s=settle_s)
        self.thread = threading.Thread(target=lambda: self.seen.extend(self.watch.listings()), daemon=True)
        self.thread.start()


def tell(sock: socket.socket, text: str) -> None:
    sock.sendall(f"{len(text.encode()):04x}{text}".encode())


def test_states_passed_through_while_plugging_are_not_reported() -> None:
    lists = [""]
    streams: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server, fake_adb(server, lists, streams):
        watched = Watched(server.getsockname()[1], settle_s=0.2)
        until(lambda: watched.seen == [()], "the first list")
        for state in ("offline", "authorizing", "offline"):
            tell(streams[0], f"S1 {state} usb:1-1 transport_id:1\n")
        lists.append("S1 device usb:1-1 transport_id:1\n")
        tell(streams[0], lists[-1])
        until(lambda: len(watched.seen) == 2, "the settled list")
        assert [a.state for a in watched.seen[1]] == ["device"]
        watched.watch.close()
        watched.thread.join(5)
        assert not watched.thread.is_alive()


def test_end_of_the_stream_is_followed_by_a_new_one() -> None:
    lists = ["S1 device transport_id:1\n"]
    streams: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server, fake_adb(server, lists, streams):
        watched = Watched(server.getsockname()[1], settle_s=0.05)
        until(lambda: len(watched.seen) == 1, "the first list")
        lists.append("S1 device transport_id:2\n")
        streams[0].close()
        until(lambda: len(watched.seen) == 2, "the list after the reconnect")
        assert watched.seen[1][0].transport_id == 2
        assert watched.complaints == ["the adb server ended the stream of changes"]
        watched.watch.close()
        watched.thread.join(5)


def test_program_that_is_no_adb_server_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def answer() -> None:
            sock, _ = server.accept()
            sock.recv(100)
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            sock.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(AdbUnusable, match="no adb server"):
            adbserver.version(port)


def test_server_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(AdbUnusable, match="no answer"):
        adbserver.query(server.getsockname()[1], "host:version", within_s=0.2)
