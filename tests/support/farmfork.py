"""Forks the `farm` program: a process with the imports done, which are most of what a short command costs.

Run as `python -m tests.support.farmfork FD`. Each request comes with the descriptors for stdout and stderr
and of a connection, over which the exit code comes back. What a child runs is the program's own `main`, in
the folder and with the environment asked for.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
MESSAGE_BYTES = 1 << 20
FILES = 3
SERVE = "serve"
PRELOAD = (
    "controller.cli.program",
    "controller.config",
    "controller.sheets",
    "httpx2",
    "rich.console",
    "rich.table",
    "encodings.idna",
)


class Forked:
    """A command that runs on, in the hands of a test as `subprocess.Popen` would be."""

    def __init__(self, pid: int, link: socket.socket, stdout: IO[bytes], stderr: IO[bytes]) -> None:
        self.pid, self.stdout = pid, stdout
        self.returncode: int | None = None
        self._link, self._stderr = link, stderr

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        if self.returncode is None and select.select([self._link], [], [], 0)[0]:
            self.returncode = int(self._link.recv(MESSAGE_BYTES))
            self._link.close()
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Wait for its end and return the exit code; subprocess.TimeoutExpired."""
        if self.returncode is None:
            select.select([self._link], [], [], timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired("farm", timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal while it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float) -> tuple[bytes, bytes]:
        """Wait for its end and return what it said and was not read; subprocess.TimeoutExpired."""
        self.wait(timeout)
        if self.stdout.closed:
            return b"", b""
        with self.stdout, self._stderr:
            return self.stdout.read(), _written(self._stderr.fileno())


class FarmForks:
    """The process that forks, as tests hold it."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.farmfork", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)},
        )
        theirs.close()

    def run(
        self, args: Sequence[str], *, folder: Path, env: Mapping[str, str], within_s: float
    ) -> tuple[int, bytes, bytes]:
        """Run a command to its end; returns exit code, stdout and stderr. TimeoutError if it takes longer."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            ours, pid = self._fork(args, folder, env, out.fileno(), err.fileno())
            with ours:
                if not select.select([ours], [], [], within_s)[0]:
                    os.kill(pid, signal.SIGKILL)
                    raise TimeoutError(f"farm {args[0] if args else ''} took longer than {within_s} s")
                code = int(ours.recv(MESSAGE_BYTES))
            return code, _written(out.fileno()), _written(err.fileno())

    def begin(self, args: Sequence[str], *, folder: Path, env: Mapping[str, str]) -> Forked:
        """Start a command that runs on; what it says on stdout is to be little, or to be read."""
        err = tempfile.TemporaryFile()  # noqa: SIM115 -- the process that is returned closes it
        reading, writing = os.pipe()
        try:
            link, pid = self._fork(args, folder, env, writing, err.fileno())
        finally:
            os.close(writing)
        return Forked(pid, link, os.fdopen(reading, "rb"), err)

    def _fork(
        self, args: Sequence[str], folder: Path, env: Mapping[str, str], out: int, err: int
    ) -> tuple[socket.socket, int]:
        """Return the connection that tells how the command ended, and its process id."""
        asked = json.dumps({"args": list(args), "folder": str(folder), "env": dict(env)})
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            socket.send_fds(self._control, [asked.encode()], [out, err, theirs.fileno()])
        return ours, int(ours.recv(MESSAGE_BYTES))

    def close(self) -> None:
        """End the process."""
        self._control.close()
        self._process.wait(10)


@functools.cache
def farm_forks() -> FarmForks:
    """Return the one of this process, started when it is first wanted."""
    made = FarmForks()
    atexit.register(made.close)
    return made


def _written(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


# ---- the other side


def main() -> None:
    """Fork until nobody asks any more."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in PRELOAD:
        importlib.import_module(name)
    # Nobody asks how those ended that wait for a command.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        packet, files, _, _ = socket.recv_fds(control, MESSAGE_BYTES, FILES)
        if not packet:
            return
        asked = json.loads(packet)
        if SERVE in asked["args"]:
            importlib.import_module("controller.server")
        if os.fork() == 0:
            control.close()
            _wait_for(asked, *files)
        for file in files:
            os.close(file)


def _wait_for(asked: dict[str, object], out: int, err: int, answer: int) -> None:
    """Fork the command, and tell its process id and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(answer)
        _become_farm(asked, out, err)
    link = socket.socket(fileno=answer)
    link.send(str(pid).encode())
    link.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
    os._exit(0)


def _become_farm(asked: dict[str, object], out: int, err: int) -> None:
    for file, place in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
        os.dup2(file, place)
        os.close(file)
    # A test run in the background of a shell ignores the interrupt, and so would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(str(asked["folder"]))
    os.environ.clear()
    os.environ.update(asked["env"])  # type: ignore[call-overload]  # a mapping of texts, as it was sent
    time.tzset()
    sys.argv = ["farm", *asked["args"]]  # type: ignore[misc]  # a list of texts, as it was sent
    code: object = 1
    try:
        importlib.import_module("controller.cli").main()
    except SystemExit as end:
        code = end.code
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    main()
