"""The real `farm` program as a process, in a home of its own."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.farmfork import Forked, farm_forks

LIMIT_S = 60.0
FARM = shutil.which("farm", path=str(Path(sys.executable).parent)) or "farm"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said and how it left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the result as JSON."""
        return json.loads(self.out)


@dataclass(slots=True)
class Home:
    """A user's home folder with a configuration on free ports."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "LANG": "C.UTF-8",
            "TZ": "Asia/Shanghai",
        }

    @property
    def config(self) -> Path:
        """Return the configuration file."""
        return self.folder / "config" / "farm" / "config.toml"

    @property
    def data(self) -> Path:
        """Return the data folder."""
        return self.folder / "data" / "farm"

    def farm(self, *args: str, **env: str) -> Said:
        """Run a command to its end, forked from a process that has its imports done."""
        run = farm_forks().run(args, folder=self.folder, env=self.env | env, within_s=LIMIT_S)
        return _said(*run)

    def farm_alone(self, *args: str, **env: str) -> Said:
        """Run a command to its end as people start it: the installed program."""
        done = subprocess.run(
            [FARM, *args],
            cwd=self.folder,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
        return _said(done.returncode, done.stdout, done.stderr)

    def begin(self, *args: str, **env: str) -> subprocess.Popen[bytes]:
        """Start a command."""
        return subprocess.Popen(
            [FARM, *args],
            cwd=self.folder,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A test run in the background of a shell ignores the interrupt, and so would its children.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 -- nothing here holds a lock at a fork
        )

    def begin_forked(self, *args: str) -> Forked:
        """Start a command, forked from a process that has its imports done."""
        return farm_forks().begin(args, folder=self.folder, env=self.env)

    def init(self) -> Said:
        """Write the configuration on ports the system chooses."""
        return self.farm("init", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")


class Serving:
    """`farm serve` in a home; its commands know where it is. Forked, if it is not to be the installed one."""

    process: subprocess.Popen[bytes] | Forked

    def __init__(self, home: Home, *, is_installed: bool = False) -> None:
        self.home, self._is_installed = home, is_installed

    def __enter__(self) -> Self:
        self.process = self.home.begin("serve") if self._is_installed else self.home.begin_forked("serve")
        try:
            line = first_line(self.process)
        except BaseException:
            self.process.kill()
            raise
        found = re.search(r"Agents: (\S+) .*programs: (\S+) ", line)
        assert found is not None, line
        self.grpc, self.url = found[1], found[2]
        self.home.env["FARM_URL"] = self.url
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> Said:
        """Ask the controller to stop and return what it said."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        try:
            out, err = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return Said(self.process.returncode, out.decode(), err.decode())


def _said(code: int, out: bytes, err: bytes) -> Said:
    return Said(code, out.decode(), err.decode())


def first_line(process: subprocess.Popen[bytes] | Forked, within_s: float = 30) -> str:
    """Return the first line on stdout; fails with stderr if the process ends before."""
    assert process.stdout is not None
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        ready, _, _ = select.select([process.stdout], [], [], 0.2)
        if ready:
            line = process.stdout.readline()
            if line:
                return line.decode()
            _, err = process.communicate(timeout=10)
            raise AssertionError(f"ended with {process.returncode}: {err.decode()}")
    raise AssertionError("no line came")
