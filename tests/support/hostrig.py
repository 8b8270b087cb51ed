"""A host as operators have it: virtual phones, a private adb server, a stub controller, a real keeper."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from agent.virtual.farm import VirtualFarm, VirtualPhone
from agent.virtual.scenario import parse_scenario
from tests.support.adb import bundled_adb, free_port
from tests.support.fleetstub import FleetStub, until

SCENARIO = """
[phones_like]
count = {count}
"""


@dataclass
class Running:
    """A process of ours whose stdout is read line by line."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for stream, into in ((self.process.stdout, self.lines), (self.process.stderr, self.errors)):
            threading.Thread(target=self._read, args=(stream, into), daemon=True).start()

    def _read(self, stream: IO[str], into: list[str]) -> None:
        with stream:
            into.extend(line.rstrip("\n") for line in stream)

    def said(self, part: str) -> int:
        """Return how many lines contain a text."""
        return sum(part in line for line in self.lines)

    def wait_said(self, part: str, times: int = 1, within_s: float = 20) -> None:
        """Wait until so many lines contain a text."""
        try:
            until(lambda: self.said(part) >= times, f"{part!r}", within_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(self.lines + self.errors[-20:])) from None

    def descendants(self) -> list[psutil.Process]:
        """Return all processes below this one."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: int = signal.SIGTERM, within_s: float = 15) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(within_s)


@dataclass
class Host:
    """What one test has."""

    folder: Path
    farm: VirtualFarm
    stub: FleetStub
    adb_port: int
    environment: dict[str, str]

    @property
    def phones(self) -> list[VirtualPhone]:
        return self.farm.phones

    def write_config(self, **more: object) -> Path:
        path = self.folder / "config.toml"
        lines = [
            "[agent]",
            f'controller = "{self.stub.target}"',
            'data_dir = "data"',
            'lock_dir = "locks"',
            'host = "test-host"',
            f"adb_port = {self.adb_port}",
            f'adb_path = "{bundled_adb()}"',
            *(f"{name} = {value}" for name, value in more.items()),
        ]
        path.write_text("\n".join(lines) + "\n")
        return path

    def program(self, *words: str) -> Running:
        """Start `farm-agent` with these words."""
        return Running(
            subprocess.Popen(
                [sys.executable, "-m", "agent", *words],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )

    @contextmanager
    def keeper(self, connect: Sequence[VirtualPhone] = ()) -> Iterator[Running]:
        """Run the keeper for a while; whatever is left of it at the end is killed."""
        words = [word for phone in connect for word in ("--connect", phone.address)]
        running = self.program("keep", *words)
        known: list[psutil.Process] = []
        try:
            yield running
            with suppress(psutil.NoSuchProcess):
                known = running.descendants()
        finally:
            if running.process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    running.end()
            if running.process.poll() is None:
                running.process.kill()
            for process in known:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            running.process.wait(5)


def adb(host: Host, *words: str) -> None:
    """Run the adb client against this host's own server."""
    subprocess.run(
        [str(bundled_adb()), "-P", str(host.adb_port), *words],
        env=host.environment,
        check=True,
        capture_output=True,
        timeout=20,
    )


@contextmanager
def host(folder: Path, count: int, scenario: str = SCENARIO) -> Iterator[Host]:
    """Run virtual phones and a stub controller; adb is ended on its own port."""
    home = folder / "home"
    home.mkdir()
    strange = ("ANDROID_", "ADB", "FARM_", "XDG_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    environment |= {
        "HOME": str(home),
        "TMPDIR": str(home),
        "ADB_MDNS": "0",
        "ADB_LIBUSB": "0",
        "PYTHONWARNINGS": "error",
    }
    port = free_port()
    plan = parse_scenario(scenario.format(count=count).encode(), name="test")
    with VirtualFarm(plan, time_scale=0.1) as farm, FleetStub() as stub:
        made = Host(folder, farm, stub, port, environment)
        made.write_config()
        try:
            yield made
        finally:
            subprocess.run(
                [str(bundled_adb()), "-P", str(port), "kill-server"],
                env=environment,
                capture_output=True,
                timeout=20,
            )
