"""The fork server: loads the libraries once and makes one process for each phone from that image.

Forking is safe here because nothing but the interpreter runs yet: no thread, and no gRPC object, which would
not survive it. Each agent makes its own after the fork.
"""

from __future__ import annotations

import codecs
import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agent import heap
from agent.exits import Exit
from agent.title import set_title

if TYPE_CHECKING:
    from agent.config import AgentConfig

# What an agent needs, by weight. Only modules: making objects of grpc here would break every child.
PRELOAD = (
    "agent.process",
    "agent.driver",
    "uiautomator2",
    "lxml.etree",
    "grpc",
    "grpc._channel",
    "grpc.experimental",
    "encodings.ascii",
    "protos.fleet_pb2_grpc",
    "sqlite3",
)
# Set before the interpreter starts: glibc otherwise keeps an arena for each of gRPC's threads, and gRPC's own
# fork handlers would watch over forks that happen before it exists.
ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "GRPC_ENABLE_FORK_SUPPORT": "0"}
_PR_SET_PDEATHSIG = 1
MESSAGE_BYTES = 65_536

Message = dict[str, Any]


class Threaded(RuntimeError):
    """A thread runs in the fork server: forking it could leave locks held for ever."""


def send(sock: socket.socket, message: Message, flags: int = 0) -> None:
    """Send one message; each is one packet."""
    sock.send(json.dumps(message, ensure_ascii=False).encode(), flags)


def receive(sock: socket.socket) -> Message | None:
    """Return the next message, None at the end of the connection."""
    packet = sock.recv(MESSAGE_BYTES)
    if not packet:
        return None
    message: Message = json.loads(packet)
    return message


def die_with_parent(parent_pid: int) -> None:
    """Let the kernel end this process with its parent; ends it now if the parent is gone already."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(Exit.FAILED)


def preload(names: tuple[str, ...] = PRELOAD) -> None:
    """Import what every agent needs and put it out of the garbage collector's reach."""
    # A collection writes to the head of every object, and a written page is no longer shared.
    gc.disable()
    for name in names:
        importlib.import_module(name)
    warm_up()
    gc.freeze()
    # The interpreter's cache of looked-up names refers to each: a lookup after the fork that takes another's
    # place in it would write to the page of that name.
    sys._clear_type_cache()  # noqa: SLF001 -- documented, for lack of a public name
    heap.plug()
    gc.enable()


def warm_up() -> None:
    """Do once what every agent would do again at its first use of something; measured, 1 to 1.5 MiB each."""
    from agent.wechat.clients import tables

    tables()
    codecs.lookup("idna")  # of every connect to a host named by text


def count_threads() -> int:
    """Return how many threads this process has, those of C libraries included."""
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208 -- a count of names, no paths wanted


class Nursery:
    """Serves requests of the keeper until it closes the connection: start, signal."""

    def __init__(self, control: socket.socket, live: Callable[[Message, socket.socket], int]) -> None:
        self._control = control
        self._live = live
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._pids: dict[
            str, int
        ] = {}  # by serial; a pid stays here until it is reaped, so it is never another's
        self._watched: dict[int, str] = {}  # pidfd -> serial

    def serve(self) -> None:
        """Answer until the keeper is gone."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is not self._control:
                    self._reap(key.fd)
                    continue
                message = receive(self._control)
                if message is None:
                    return
                self._obey(message)

    def close(self) -> None:
        """Stop watching; the connection is its maker's."""
        self._selector.close()

    def _obey(self, message: Message) -> None:
        serial = message["serial"]
        if message["op"] == "start" and serial not in self._pids:
            self._start(message)
        elif message["op"] == "signal" and serial in self._pids:
            with suppress(ProcessLookupError):
                os.kill(self._pids[serial], message["number"])

    def _start(self, message: Message) -> None:
        if count_threads() != 1:
            raise Threaded
        sys.stderr.flush()
        nursery_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be_born(message, nursery_pid)
        serial = message["serial"]
        watch = os.pidfd_open(pid)
        self._pids[serial] = pid
        self._watched[watch] = serial
        self._selector.register(watch, selectors.EVENT_READ)
        send(self._control, {"at": "started", "serial": serial, "pid": pid})

    def _be_born(self, message: Message, nursery_pid: int) -> None:
        """Become an agent; never returns."""
        status = int(Exit.FAILED)
        try:
            die_with_parent(nursery_pid)
            set_title(f"agent {message['serial']}", f"farm-agent run --serial {message['serial']}")
            self._selector.close()
            for watch in self._watched:
                os.close(watch)
            status = self._live(message, self._control)
        except BaseException as error:  # noqa: BLE001 -- the last frame of this process: say it and end
            # Without the message: it may hold text from the screen.
            traceback.print_tb(error.__traceback__)
            sys.stderr.write(f"agent {message['serial']}: {type(error).__name__}\n")
        finally:
            sys.stderr.flush()
            # Not sys.exit: the handlers registered in the nursery are not this process's business.
            os._exit(status)

    def _reap(self, watch: int) -> None:
        serial = self._watched.pop(watch)
        self._selector.unregister(watch)
        os.close(watch)
        _, status = os.waitpid(self._pids.pop(serial), 0)
        send(
            self._control,
            {"at": "ended", "serial": serial, "status": os.waitstatus_to_exitcode(status)},
        )


def _live(settings: AgentConfig) -> Callable[[Message, socket.socket], int]:
    def live(message: Message, control: socket.socket) -> int:
        from agent import process

        def announce(state: str, cause: str) -> None:
            # A keeper that is gone takes this process with it; one that does not read must not block a phone.
            said = {"at": "state", "serial": message["serial"], "state": state, "cause": cause}
            with suppress(OSError):
                send(control, said, socket.MSG_DONTWAIT)

        return process.run_process(
            settings,
            address=message["serial"],
            transport_id=message["transport_id"],
            slot=message["slot"],
            announce=announce,
        )

    return live


def main(arguments: list[str]) -> int:
    """Run as `python -m agent.nursery FD PARENT_PID`; the configuration comes as the first message."""
    die_with_parent(int(arguments[1]))
    with socket.socket(fileno=int(arguments[0])) as control:
        first = receive(control)
        if first is None:
            return 0
        from agent import config  # not for the keeper, which uses this module's messages

        settings = config.decode(first["config"])
        if settings.preload:
            preload()
        send(control, {"at": "ready"})
        server = Nursery(control, _live(settings))
        try:
            server.serve()
        finally:
            server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
