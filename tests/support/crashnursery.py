"""The process that forks agents and controllers, as the rig holds it."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
from contextlib import suppress
from typing import Any

from tests.support.crashchild import ROOT, command, hear


class Child:
    """A forked process and its connection."""

    def __init__(self, nursery: Nursery, message: dict[str, Any]) -> None:
        self.link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = nursery.fork(message, theirs)
        theirs.close()
        self._pidfd = os.pidfd_open(self.pid)
        self.is_over = False

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, number)

    def end(self) -> None:
        self.signal(signal.SIGKILL)
        select.select([self._pidfd], [], [], 5)
        self.link.close()
        os.close(self._pidfd)


class Nursery:
    """The process that has the imports done; see tests.support.crashchild."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        strange = ("ANDROID_", "ADB", "FARM_", "XDG_")
        clean = {name: value for name, value in environment.items() if not name.startswith(strange)}
        self._process = subprocess.Popen(
            command(theirs.fileno()),
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
            env=clean
            | {"GRPC_ENABLE_FORK_SUPPORT": "0", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
        )
        theirs.close()
        assert hear(self._control) == {"at": "ready"}

    def fork(self, message: dict[str, Any], link: socket.socket) -> int:
        socket.send_fds(self._control, [json.dumps(message).encode()], [link.fileno()])
        answer = hear(self._control)
        assert answer is not None, "the nursery ended"
        return int(answer["pid"])

    def close(self) -> None:
        self._control.close()
        self._process.wait(10)
