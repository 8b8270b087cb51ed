"""adbutils made safe: one plug-in of one phone through an adb server that is never started from here."""

from __future__ import annotations

import re
import shlex
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import adbutils

from agent.errors import AnswerLost, DriverError, NotSent, PhoneGone, Refused
from protos.crashpoint import reach

# Reaching the adb server, one exchange with it, a shell command, the start of the server on the phone.
CONNECT_LIMIT_S = 3.0
ADB_LIMIT_S = 5.0
SHELL_LIMIT_S = 10.0
START_LIMIT_S = 30.0


# Commands that act on the glass or the keys.
_INJECTS = re.compile(r"(?:^|[;&|] ?|then )(?:input|monkey|sendevent) ")


class Connection(adbutils.AdbConnection):  # type: ignore[misc]  # adbutils ships no types
    """A connection to the adb server that never starts one and sends without delay."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        super().__init__(host, port)

    def _safe_connect(self) -> socket.socket:
        # The library would run "adb start-server" here, without its own host and port.
        try:
            sock = socket.create_connection(self._address, timeout=CONNECT_LIMIT_S)
        except OSError as error:
            raise NotSent("the adb server does not answer") from error
        # Without it a request in two writes waits 40 ms for the other side's delayed acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def close(self) -> None:
        """Shut down, which ends the command on the phone, and close; the library sleeps 10 ms between."""
        if not self.closed:
            sock = self.conn
            with suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
            sock.close()
        super().close()


class AdbClient(adbutils.AdbClient):  # type: ignore[misc]  # adbutils ships no types
    """An adb server whose every exchange ends within a limit."""

    def make_connection(self, timeout: float | None = None) -> Connection:
        """Connect; NotSent if there is no adb server."""
        connection = Connection(self.host, self.port)
        connection.conn.settimeout(min(timeout or ADB_LIMIT_S, START_LIMIT_S))
        return connection


class AdbDevice(adbutils.AdbDevice):  # type: ignore[misc]  # adbutils ships no types
    """One plug-in of one phone: found once by its serial, then addressed by its transport id."""

    _transport_id: int | None

    def __init__(
        self, client: AdbClient, *, serial: str, transport_id: int | None, clock: Callable[[], float]
    ) -> None:
        self._now_s = clock
        self.before_inject: Callable[[], None] = lambda: None
        super().__init__(client, serial=serial, transport_id=transport_id)

    def open_transport(self, command: str | None = None, timeout: float | None = None) -> Connection:
        """Return a connection switched to this phone; PhoneGone if the adb server has it no more."""
        connection: Connection = self._client.make_connection(timeout=timeout)
        try:
            self._switch(connection, command)
        except adbutils.AdbTimeout:
            connection.close()
            raise NotSent("the adb server did not answer in time") from None
        except (adbutils.AdbError, OSError, ValueError) as error:
            connection.close()
            raise _gone(str(error)) from None
        return connection

    def _switch(self, connection: Connection, command: str | None) -> None:
        address = f"transport-id:{self._transport_id}" if self._transport_id else f"serial:{self._serial}"
        if command is not None:
            connection.send_command(f"host-{address}:{command}")
            connection.check_okay()
            return
        connection.send_command(f"host:{address}" if self._transport_id else f"host:tport:{address}")
        connection.check_okay()
        if not self._transport_id:
            self._transport_id = int.from_bytes(connection.read_exact(8), "little")

    def open_shell(self, cmdargs: Any) -> Connection:
        """Start a shell command; the library leaves the connection open when the phone refuses."""
        connection = self.open_transport()
        try:
            connection.send_command(f"shell:{cmdargs if isinstance(cmdargs, str) else shlex.join(cmdargs)}")
            connection.check_okay()
        except BaseException:
            connection.close()
            raise
        return connection

    def shell(self, cmdargs: Any, stream: bool = False, timeout: float | None = None, **how: Any) -> Any:
        """Run a shell command as the library does, within ten seconds of silence unless told otherwise."""
        word = str(cmdargs if isinstance(cmdargs, str) else cmdargs[0]).split(maxsplit=1)[0]
        reach(f"device.before.shell_{word}")
        self._ask_before(cmdargs if isinstance(cmdargs, str) else shlex.join(cmdargs))
        output = super().shell(cmdargs, stream, timeout=timeout or SHELL_LIMIT_S, **how)
        reach(f"device.after.shell_{word}")
        return output

    def shell_once(self, command: str, *, within_s: float, not_after_s: float) -> str:
        """Run a shell command once and return its output; see Driver.shell_once."""
        until_s = self._now_s() + within_s
        reach("device.before.shell_once")
        connection = self.open_transport(timeout=min(within_s, ADB_LIMIT_S))
        try:
            if self._now_s() > not_after_s:
                raise NotSent("what the command rests on was seen too long ago")
            self._ask_before(command)
            reach("device.sending.shell_once")
            connection.send_command(f"shell:{command}")
            connection.check_okay()
            output = self._read_all(connection.conn, until_s)
        except (adbutils.AdbError, OSError) as broken:
            # Whoever refuses here may have handed the command on before.
            raise AnswerLost(f"the connection to the phone broke: {type(broken).__name__}") from None
        finally:
            connection.close()
        reach("device.after.shell_once")
        return output

    def _ask_before(self, command: str) -> None:
        if _INJECTS.search(command):
            self.before_inject()

    def _read_all(self, sock: socket.socket, until_s: float) -> str:
        """Read to the end of a stream; TimeoutError when it does not come in time."""
        output = bytearray()
        while (left_s := until_s - self._now_s()) > 0:
            sock.settimeout(left_s)
            piece = sock.recv(4096)
            if not piece:
                return output.decode("utf-8", "replace")
            output += piece
        raise TimeoutError


@contextmanager
def translated() -> Iterator[None]:
    """Turn what adbutils raises into kinds of DriverError."""
    try:
        yield
    except (adbutils.AdbError, OSError) as error:
        raise translation(error) from None


def translation(error: adbutils.AdbError | OSError) -> DriverError:
    """Return the kind of DriverError that stands for what adbutils raised."""
    if isinstance(error, adbutils.AdbTimeout):
        return AnswerLost("the phone did not answer in time")
    if isinstance(error, OSError):
        return AnswerLost(f"the connection to the phone broke: {type(error).__name__}")
    if "offline" in str(error) or "not found" in str(error):
        return PhoneGone()
    return Refused(f"adb: {error}")


def _gone(reason: str) -> DriverError:
    """Return what the adb server's refusal of a phone means."""
    if "Unknown data" in reason or "Expected" in reason:
        return NotSent("the adb server closed the connection")
    return PhoneGone(f"adb: {reason.splitlines()[0] if reason else 'no such phone'}")
