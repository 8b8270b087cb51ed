"""The demo's processes: started in order, logged to files, stopped by id in the reverse order."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

BIN = Path(sys.executable).parent

T = TypeVar("T")


class DemoFailed(Exception):
    """The demo cannot go on; the message says why and which log to read."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now and that no outgoing connection can have.

    A client that dials a port of the outgoing range before its server listens can be connected to itself.
    """
    while True:
        port = random.choice(range(16_000, 20_000))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def until(what: str, condition: Callable[[], T | None], within_s: float) -> T:
    """Return the first value of `condition` that is true; DemoFailed naming what was waited for."""
    end = time.monotonic() + within_s
    while True:
        if found := condition():
            return found
        if time.monotonic() > end:
            raise DemoFailed(f"waited {within_s:.0f} s for {what}")
        time.sleep(0.1)


class Parts:
    """The processes of one demo farm in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.adb_port, self.grpc_port, http_port = free_port(), free_port(), free_port()
        self.http = f"http://127.0.0.1:{http_port}"
        self.environ = {
            **os.environ,
            "ANDROID_ADB_SERVER_PORT": str(self.adb_port),
            "ADB_MDNS": "0",  # adb 36 would announce and look around on the network
            "FARM_CONFIG": str(folder / "config.toml"),
            "HOME": str(folder),  # adb keeps its key there
        }
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a part; its output goes to logs/NAME.log."""
        log = (self.folder / "logs" / f"{name}.log").open("ab")
        with log:
            part = subprocess.Popen(
                [str(BIN / command[0]), *command[1:]],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self.environ,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C reaches the demo, which then stops the parts in order
            )
        self._running.append((name, part))
        return part

    def log(self, name: str) -> str:
        """Return what a part printed so far."""
        return (self.folder / "logs" / f"{name}.log").read_text(errors="replace")

    def alive(self) -> None:
        """Raise DemoFailed naming the first part that ended by itself."""
        for name, part in self._running:
            if part.poll() is not None:
                tail = "\n".join(self.log(name).splitlines()[-5:])
                raise DemoFailed(f"{name} ended with {part.returncode}:\n{tail}")

    def farm(self, *words: str, ok: tuple[int, ...] = (0,)) -> str:
        """Run a `farm` command and return what it printed; DemoFailed on another exit code."""
        done = subprocess.run(
            [str(BIN / "farm"), *words],
            check=False,
            env=self.environ,
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        if done.returncode not in ok:
            raise DemoFailed(f"farm {' '.join(words)} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def ask(self, *words: str) -> Any:
        """Run a `farm` command with --json and return the value."""
        return json.loads(self.farm(*words, "--json"))

    def get(self, path: str, **query: str) -> Any:
        """Ask the controller's HTTP API, as any other program would; DemoFailed if it does not answer."""
        url = f"{self.http}/api/v1{path}?{urllib.parse.urlencode(query)}"
        token = (self.folder / "controller" / "token").read_text().strip()
        request = urllib.request.Request(
            url, headers={"Authorization": f"Bearer {token}", "X-Farm-Actor": "demo"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except OSError as error:
            raise DemoFailed(f"the controller did not answer {path}: {error}") from error

    def agent_pid(self, address: str) -> int | None:
        """Return the process of the agent of a phone, named by its adb address."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                title = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                if title == f"farm-agent run --serial {address}":
                    return int(entry.name)
        return None

    def follow(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a `farm` command that writes to this terminal."""
        return subprocess.Popen([str(BIN / "farm"), *words], env=self.environ, cwd=self.folder)

    def stop(self) -> None:
        """End every part that this demo started, the last one first, and its adb server."""
        for _, part in reversed(self._running):
            if part.poll() is None:
                part.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                part.wait(15)
            if part.poll() is None:
                part.kill()
                part.wait()
        self._running.clear()
        # The keeper starts an adb server if there is none and leaves it to others; this one is only ours.
        self.adb("kill-server")

    def adb(self, *words: str) -> str:
        """Run adb against this demo's own server and return what it printed."""
        import adbutils

        command = [str(adbutils.adb_path()), "-P", str(self.adb_port), *words]
        done = subprocess.run(
            command, check=False, env=self.environ, capture_output=True, text=True, timeout=30
        )
        return done.stdout


@contextlib.contextmanager
def parts(folder: Path) -> Iterator[Parts]:
    """Give the parts of one demo; they end with the block, whatever happens in it."""
    (folder / "logs").mkdir(parents=True)
    these = Parts(folder)
    try:
        yield these
    finally:
        # A second Ctrl-C would leave behind what is not stopped yet.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        these.stop()
