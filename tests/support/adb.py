"""A real adb server of one's own: free port, own home, mDNS off, ended by `adb kill-server` on that port."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SYSTEM_ADB = Path("/usr/bin/adb")
QUIET_PORTS = range(16_000, 20_000)


def bundled_adb() -> Path:
    """Return the adb of the adbutils wheel."""
    import adbutils

    return Path(adbutils.__file__).parent / "binaries" / "adb"


def adb_binaries() -> dict[str, Path]:
    """Return the installed adb versions by name."""
    found = {"debian": SYSTEM_ADB, "bundled": bundled_adb()}
    return {name: path for name, path in found.items() if path.is_file()}


def free_port() -> int:
    """Return a free TCP port that no adb server scans and that no outgoing connection can have.

    A client that dials a port of the outgoing range before its server listens can be connected to itself.
    """
    while True:
        port = random.choice(QUIET_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True)
class AdbServer:
    """A running adb server; `environment` makes any adb client use it."""

    binary: Path
    port: int
    environment: dict[str, str]

    def run(
        self, *args: str, timeout_s: float = 20, stdin: bytes | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run an adb client against this server."""
        return subprocess.run(
            [str(self.binary), *args],
            env=self.environment,
            capture_output=True,
            timeout=timeout_s,
            input=b"" if stdin is None else stdin,
        )

    def popen(self, *args: str) -> subprocess.Popen[bytes]:
        """Start an adb client that runs on."""
        return subprocess.Popen(
            [str(self.binary), *args],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def text(self, *args: str) -> str:
        """Return the output of an adb client, both streams, stripped."""
        done = self.run(*args)
        return (done.stdout + done.stderr).decode(errors="replace").strip()

    def shell(self, serial: str, command: str) -> str:
        """Return the stdout of a shell command."""
        return self.run("-s", serial, "shell", command).stdout.decode(errors="replace")

    def connect(self, address: str) -> str:
        """Connect a TCP phone and return what adb says; adb exits 0 in any case."""
        return self.text("connect", address)

    def states(self) -> dict[str, str]:
        """Return state by serial, as `adb devices` shows it."""
        lines = self.text("devices").splitlines()
        rows = [re.match(r"(\S+)\t(.+)", line) for line in lines]
        return {row[1]: row[2].strip() for row in rows if row}

    def wait_state(self, serial: str, state: str, within_s: float = 15) -> None:
        """Wait until a phone is in a state; AssertionError when it never is."""
        until(lambda: self.states().get(serial) == state, f"{serial} {state}", within_s)


def until(condition: Callable[[], bool], what: str, within_s: float = 10) -> None:
    """Poll a condition to a deadline; AssertionError says what was waited for."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(0.05)


@contextmanager
def adb_server(binary: Path) -> Iterator[AdbServer]:
    """Run a private adb server with this binary."""
    home = Path(tempfile.mkdtemp(prefix="adb-home-"))
    port = free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("ANDROID_", "ADB_"))
    }
    environment |= {
        "ANDROID_ADB_SERVER_PORT": str(port),
        "ADBUTILS_ADB_PATH": str(binary),
        "ADB_MDNS": "0",
        "ADB_LIBUSB": "0",
        "HOME": str(home),
        "ANDROID_SDK_HOME": str(home),
        "TMPDIR": str(home),
    }
    server = AdbServer(binary, port, environment)
    try:
        started = server.run("start-server")
        assert started.returncode == 0, started.stderr
        yield server
    finally:
        server.run("kill-server")
        shutil.rmtree(home, ignore_errors=True)
