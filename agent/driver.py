"""uiautomator2 and adbutils made safe: real time-outs, kept connections, mutating calls sent exactly once."""

from __future__ import annotations

import atexit
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, TypeVarTuple

import adbutils
import uiautomator2

from agent import jsonrpc
from agent.deadline import Deadline
from agent.driveradb import (
    ADB_LIMIT_S,
    SHELL_LIMIT_S,
    START_LIMIT_S,
    AdbClient,
    AdbDevice,
    translated,
    translation,
)
from agent.errors import AgentError, AnswerLost, DriverError, NotInTime, NotOurs, NotSent, PhoneGone, Refused
from agent.jsonrpc import Sick
from agent.line import Line, Reply, ready
from agent.streams import ServerOutput, ShellStream
from agent.trees import DUMP, Tree, Trees
from protos.crashpoint import reach

CALL_LIMIT_S = 8.0
# A mutating call on a connection older than this is preceded by a read, so that it is not lost to the
# server's own closing of the connection.
MOMENT_S = 1.0
STOP_LIMIT_S = 10.0
# Android keeps one object per thread of the server for ever, and the server makes a thread per connection:
# after about a day of polling it ran out of memory. It is started anew long before that.
RECYCLE_DIALS = 2_000
RECYCLE_CALLS = 100_000
RECYCLE_AGE_S = 12 * 3600.0
SERVER_PORT = 9008
# A full page of WeChat is 24 levels deep.
MAX_DEPTH = 50
RPC_PATH = "/jsonrpc/0"
_DUMP_REQUEST = ready("POST", RPC_PATH, jsonrpc.request(DUMP, [False, MAX_DEPTH]))
JAR_PATH = "/data/local/tmp/u2.jar"
START_COMMAND = f"CLASSPATH={JAR_PATH} app_process / com.wetest.uia2.Main -p {SERVER_PORT}"
T = TypeVar("T")
Args = TypeVarTuple("Args")


class _ServerDown(NotSent):
    """Nothing listens on the phone; the server has to be started."""


class _Device(uiautomator2.Device):  # type: ignore[misc]  # uiautomator2 ships no types
    """The library's device with its transport replaced; nothing starts before the first call."""

    def __init__(self, adb_device: AdbDevice, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._line = Line(self._dial, clock=clock)
        self._process: ServerOutput | None = None
        self._calls = 0
        self._started_at_s = clock()
        self._is_suspect = False
        self._trees = Trees()
        self.before_inject: Callable[[], None] = lambda: None
        self._constructed = False
        super().__init__(adb_device, port=SERVER_PORT)
        self._constructed = True
        # The library's exit handler would keep this object alive and speak to the phone at exit.
        atexit.unregister(self.stop_uiautomator)

    def jsonrpc_call(
        self,
        method: str,
        params: Any = None,
        timeout: float = CALL_LIMIT_S,
        not_after_s: float = float("inf"),
    ) -> Any:
        """Call the server: a read is repeated once after a cure, anything else is sent at most once.

        Anything else is not sent after `not_after_s` of the clock; NotSent says so.
        """
        limit_s = min(timeout, START_LIMIT_S)
        if jsonrpc.is_read(method, params or ()):
            return self._read(method, params, limit_s)
        if self._is_suspect or self._line.idle_s() > MOMENT_S:
            self._read("ping", {}, CALL_LIMIT_S)
        try:
            return self._once(limit_s, method, params, not_after_s)
        except AnswerLost:
            self._is_suspect = True
            raise

    def dump(self, limit_s: float) -> Tree:
        """Return the tree of all windows; one that came lately is the same object again."""
        return self._cured(self._look, limit_s, _DUMP_REQUEST)

    def start_uiautomator(self) -> None:
        """Have a server of our own running on the phone; NotOurs, NotSent, PhoneGone, Refused."""
        if not self._constructed:
            return  # the library's constructor starts the server; ours waits for the first call
        with self._lock:
            self._start()

    def stop_uiautomator(self, wait: bool = True) -> None:
        """End our server and forget its connection; waits until nothing listens if asked to."""
        with self._lock:
            self._line.drop()
            if self._process is not None:
                self._process.kill()
                self._process = None
            if wait:
                with suppress(AgentError):
                    Deadline.after(STOP_LIMIT_S, clock=self._clock).until(
                        lambda: not self._answers(), what="the end of the server", every_s=0.05
                    )

    def hang_up(self) -> None:
        """Close the kept connection."""
        self._line.drop()

    def is_worn(self) -> bool:
        """Tell whether the server has served long enough to be started anew at a quiet moment."""
        return (
            self._calls > RECYCLE_CALLS
            or self._line.dialled > RECYCLE_DIALS
            or self._clock() - self._started_at_s > RECYCLE_AGE_S
        )

    def _dial(self, within_s: float) -> socket.socket:
        connection = self._dev.open_transport(timeout=min(within_s, ADB_LIMIT_S))
        try:
            connection.send_command(f"tcp:{SERVER_PORT}")
            connection.check_okay()
        except adbutils.AdbTimeout:
            connection.close()
            raise NotSent("the phone did not answer in time") from None
        except (adbutils.AdbError, OSError, ValueError) as error:
            connection.close()
            if "offline" in str(error) or "Unknown data" in str(error):
                raise PhoneGone from None
            raise _ServerDown("nothing listens on the phone") from None
        sock: socket.socket = connection.conn
        return sock

    def _read(self, method: str, params: Any, limit_s: float) -> Any:
        if method == DUMP:
            request = ready("POST", RPC_PATH, jsonrpc.request(method, params))
            return self._cured(self._look, limit_s, request).xml
        return self._cured(self._once, limit_s, method, params)

    def _cured(self, read: Callable[[*Args], T], *what: *Args) -> T:
        """Return what `read` returns, called once more after a cure if there is no answer."""
        if self._process is None or self._is_suspect:
            self._cure(is_sick=False)
        try:
            return read(*what)
        except (AnswerLost, _ServerDown) as error:
            self._cure(is_sick=isinstance(error, Sick))
        return read(*what)

    def _look(self, limit_s: float, request: bytes) -> Tree:
        """Ask for a tree, at the least cost of all calls: most looks find what one before found."""
        self._calls += 1
        reach("device.before.dumpWindowHierarchy")
        status, body = self._line.resend(request, limit_s, self._trees.bodies)
        reach("device.after.dumpWindowHierarchy")
        return self._trees.of(body if status == 200 else _body(DUMP, Reply(status, body)))

    def _once(self, limit_s: float, method: str, params: Any, not_after_s: float = float("inf")) -> Any:
        self._calls += 1
        reach(f"device.before.{method}")
        reply = self._line.request(
            "POST",
            RPC_PATH,
            jsonrpc.request(method, params),
            within_s=limit_s,
            not_after_s=not_after_s,
            before_send=self.before_inject if method in jsonrpc.INJECTS else None,
        )
        reach(f"device.after.{method}")
        return jsonrpc.result(method, _body(method, reply))

    def _cure(self, *, is_sick: bool) -> None:
        """Leave a server of ours that answers, or raise why there is none."""
        if is_sick or self._process is None or self._process.is_over() or not self._answers():
            self.stop_uiautomator()
            self.start_uiautomator()
        self._is_suspect = False

    def _answers(self) -> bool:
        self._line.drop()
        try:
            return self._line.request("GET", "/ping", b"", within_s=3.0).body == b"pong"
        except PhoneGone:
            raise
        except DriverError:
            return False

    def _start(self) -> None:
        deadline = Deadline.after(START_LIMIT_S, clock=self._clock)
        self._evict(deadline)
        try:
            self._setup_jar()
        except adbutils.AdbTimeout:
            raise NotSent("the phone did not answer in time") from None
        except (adbutils.AdbError, OSError) as error:
            raise Refused("the phone took no file: is its storage full?") from error
        for pause_s in (0.2, 0.5, 1.0, 0.0):
            output = ServerOutput(self._dev.shell(START_COMMAND, stream=True).conn)
            if self._is_up(output, deadline):
                self._process = output
                self._started_at_s = self._clock()
                self._calls = self._line.dialled = 0
                return
            is_taken = output.says(b"already registered")
            output.kill()
            self._evict(deadline)
            deadline.pause(pause_s)
        if is_taken:
            raise NotOurs("another program holds uiautomation on this phone: already registered")
        raise NotSent("the server on the phone ends as soon as it is started")

    def _is_up(self, output: ServerOutput, deadline: Deadline) -> bool:
        def settled() -> str:
            if output.is_over() or output.says(b"already registered"):
                return "ended"
            return "up" if self._answers() else ""

        try:
            return deadline.until(settled, what="the start of the server", every_s=0.1) == "up"
        except NotInTime:
            output.kill()
            raise NotSent("the server on the phone did not get ready in time") from None

    def _evict(self, deadline: Deadline) -> None:
        """Ask a server that is not ours to stop, so that ours lives by our stream; NotOurs if it stays."""
        if not self._answers():
            return
        with suppress(DriverError):
            self._line.request("GET", "/stop", b"", within_s=3.0)
        try:
            Deadline.after(min(STOP_LIMIT_S, deadline.left_s()), clock=self._clock).until(
                lambda: not self._answers(), what="the end of the foreign server", every_s=0.1
            )
        except NotInTime:
            raise NotOurs("another program's server on this phone does not stop") from None


class Driver:
    """One phone through adb and the server on it. Not for flows: they get agent.phone.Phone."""

    def __init__(
        self,
        address: str,
        *,
        adb_host: str,
        adb_port: int,
        transport_id: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        client = AdbClient(host=adb_host, port=adb_port, socket_timeout=ADB_LIMIT_S)
        self._adb = AdbDevice(client, serial=address, transport_id=transport_id, clock=clock)
        self._device = _Device(self._adb, clock=clock)
        self._lock = threading.RLock()

    def ask_before_inject(self, ask: Callable[[], None]) -> None:
        """Have this asked right before each touch, key or text leaves; what it raises keeps it back."""
        self._device.before_inject = self._adb.before_inject = ask

    def call(
        self,
        method: str,
        *params: Any,
        within_s: float = CALL_LIMIT_S,
        not_after_s: float = float("inf"),
    ) -> Any:
        """Call a method of the server; NotSent, AnswerLost, Refused, PhoneGone or NotOurs.

        A call that changes something does not leave after `not_after_s` of the driver's clock: making the
        server answer first may take long, and what a touch aims at may have gone meanwhile.
        """
        with self._lock, translated():
            return self._device.jsonrpc_call(method, list(params), within_s, not_after_s)

    def dump(self, *, within_s: float = CALL_LIMIT_S) -> Tree:
        """Return the tree of all windows, the same object again if the phone sent it lately.

        Raises what a call that only reads does.
        """
        try:
            with self._lock:
                return self._device.dump(within_s)
        except (adbutils.AdbError, OSError) as error:
            raise translation(error) from None

    def shell(self, command: str, *, within_s: float = SHELL_LIMIT_S) -> str:
        """Run a shell command and return its output; AnswerLost if it does not end in time."""
        with translated():
            return str(self._adb.shell(command, timeout=within_s))

    def shell_once(
        self, command: str, *, within_s: float = SHELL_LIMIT_S, not_after_s: float = float("inf")
    ) -> str:
        """Run a shell command that changes something, once, and return its output, whole or cut off.

        NotSent or PhoneGone: it did not leave, nor does it after `not_after_s` of the driver's clock.
        AnswerLost: it may have run, whatever broke.
        """
        with translated():
            return self._adb.shell_once(command, within_s=within_s, not_after_s=not_after_s)

    def shell_bytes(self, command: str, *, within_s: float = SHELL_LIMIT_S) -> bytes:
        """Run a shell command and return its output as it came; AnswerLost if it does not end in time."""
        with translated():
            return bytes(self._adb.shell(command, timeout=within_s, encoding=None))

    def follow(self, command: str) -> ShellStream:
        """Start a shell command whose output is read as it comes."""
        with translated():
            return ShellStream(self._adb.shell(command, stream=True).conn)

    def in_front(self) -> tuple[str, str]:
        """Return package and full activity name of what has the focus, empty strings if nothing has."""
        try:
            with translated():
                app = self._adb.app_current()
        except Refused:
            return "", ""
        activity = f"{app.package}{app.activity}" if app.activity.startswith(".") else app.activity
        return app.package, activity

    def recycle_if_worn(self) -> bool:
        """Start the server on the phone anew if it has served long enough; for quiet moments."""
        with self._lock, translated():
            if not self._device.is_worn():
                return False
            self._device.reset_uiautomator()
            return True

    def hang_up(self) -> None:
        """Close the kept connection; the next call makes a new one. The server on the phone runs on."""
        with self._lock:
            self._device.hang_up()

    def close(self) -> None:
        """End our server on the phone; never raises."""
        with self._lock, suppress(AgentError):
            self._device.stop_uiautomator(wait=False)


def _body(method: str, reply: Reply) -> bytes:
    if reply.status != 200:
        raise Sick(f"the server answered {method} with HTTP {reply.status}")
    return reply.body


def selector(**fields: Any) -> dict[str, Any]:
    """Return the selector object of the server; fields as uiautomator2 names them."""
    return dict(uiautomator2.Selector(**fields))
