"""The adb server of this host: asked over a plain socket, started when missing, refused off loopback."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path

from agent.errors import AdbUnusable

HOST = "127.0.0.1"
CONNECT_S = 3.0
# A started server scans the bus first; on a full rack this takes seconds.
START_S = 20.0
_LISTEN = "0A"  # TCP_LISTEN in /proc/net/tcp
_LOOPBACK4 = "0100007F"
_LOOPBACK6 = ("00000000000000000000000001000000", "0000000000000000FFFF00000100007F")


def environment(port: int, adb_path: str) -> dict[str, str]:
    """Return an environment in which every adb client on this host means this server and this program."""
    return {
        **os.environ,
        "ANDROID_ADB_SERVER_PORT": str(port),
        "ADBUTILS_ADB_PATH": adb_path,
        "ADB_MDNS": "0",  # phones are never looked for in the network
    }


def connect(port: int, within_s: float = CONNECT_S) -> socket.socket:
    """Return a connection to the server; AdbUnusable if none answers the port."""
    try:
        return socket.create_connection((HOST, port), timeout=within_s)
    except OSError as error:
        raise AdbUnusable(f"no adb server on {HOST}:{port}: {error.strerror or 'no answer'}") from None


def ask(sock: socket.socket, request: str) -> None:
    """Send a request and read its OKAY; AdbUnusable with the server's own words otherwise."""
    try:
        sock.sendall(f"{len(request):04x}{request}".encode())
        status = read_exactly(sock, 4)
        if status == b"FAIL":
            raise AdbUnusable(f"adb refused {request}: {read_block(sock).decode('utf-8', 'replace')}")
    except OSError as error:
        raise AdbUnusable(f"no answer to {request}: {error.strerror or 'too late'}") from None
    if status != b"OKAY":
        raise AdbUnusable(f"the program on this port is no adb server (it answered {status!r})")


def query(port: int, request: str, within_s: float = CONNECT_S) -> str:
    """Return the body that answers one request; AdbUnusable if none comes in time."""
    with connect(port, within_s) as sock:
        ask(sock, request)
        try:
            return read_block(sock).decode("utf-8", "replace")
        except OSError as error:
            raise AdbUnusable(f"no answer to {request}: {error.strerror or 'too late'}") from None


def version(port: int) -> int:
    """Return the protocol version of the server, e.g. 41."""
    text = query(port, "host:version")
    try:
        return int(text, 16)
    except ValueError:
        raise AdbUnusable(f"the program on this port is no adb server (version {text[:8]!r})") from None


def read_exactly(sock: socket.socket, length: int) -> bytes:
    """Return so many bytes; ConnectionError when the stream ends before."""
    seen = bytearray()
    while len(seen) < length:
        piece = sock.recv(length - len(seen))
        if not piece:
            raise ConnectionError("the adb server closed the stream")
        seen += piece
    return bytes(seen)


def read_block(sock: socket.socket) -> bytes:
    """Return a body that is preceded by its length in four hex digits."""
    head = read_exactly(sock, 4)
    try:
        length = int(head, 16)
    except ValueError:
        raise AdbUnusable(f"the program on this port is no adb server (length {head!r})") from None
    return read_exactly(sock, length)


def ensure(port: int, adb_path: str) -> None:
    """Have a server that answers on loopback only; AdbUnusable otherwise."""
    try:
        version(port)
    except AdbUnusable:
        _start(port, adb_path)
        version(port)
    strangers = open_addresses(port)
    if strangers:
        raise AdbUnusable(
            f"the adb server on port {port} also listens on {', '.join(strangers)}: whoever reaches it "
            "owns every phone. Stop it (adb kill-server) and start it without -a"
        )


def _start(port: int, adb_path: str) -> None:
    if not adb_path:
        raise AdbUnusable("no adb program: install adb or set adb_path in [agent]")
    try:
        done = subprocess.run(
            [adb_path, "-P", str(port), "start-server"],
            env=environment(port, adb_path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
            close_fds=True,
        )
    except subprocess.TimeoutExpired:
        raise AdbUnusable(f"adb start-server took longer than {START_S:g} s") from None
    except OSError as error:
        raise AdbUnusable(f"{adb_path} cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise AdbUnusable(f"adb start-server failed: {words[-1] if words else done.returncode}")


def open_addresses(port: int) -> tuple[str, ...]:
    """Return the addresses beyond loopback on which this host listens on a port."""
    found: list[str] = []
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(name).read_text(encoding="ascii").splitlines()
        except FileNotFoundError:  # a host without IPv6
            continue
        found += beyond_loopback(lines[1:], port)
    return tuple(dict.fromkeys(found))


def beyond_loopback(lines: Iterable[str], port: int) -> list[str]:
    """Return the listeners of a port in lines of /proc/net/tcp that others than this host can reach."""
    found = []
    for line in lines:
        fields = line.split()
        address, _, hex_port = fields[1].partition(":")
        if fields[3] != _LISTEN or int(hex_port, 16) != port:
            continue
        if address == _LOOPBACK4 or address in _LOOPBACK6:
            continue
        found.append("all addresses" if not address.strip("0") else address)
    return found
