"""The on-phone server of uiautomator2: HTTP/1.1 on a port of the phone, as long as its process lives."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.virtual.channel import Channel
from agent.virtual.faults import Fault
from agent.virtual.handset import Handset
from agent.virtual.paint import jpeg
from agent.virtual.rpc import Rpc
from agent.virtual.rpcdevice import RunCommand

# NanoHTTPD's read time-out, after which it closes a kept connection.
IDLE_CLOSE_S = 5.0
MAX_HEAD_BYTES = 65_536


class Died(Exception):
    """The server's process was killed."""


class Dropped(Exception):
    """The connection is closed without a (whole) answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request; header names in small letters."""

    verb: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def keeps_open(self) -> bool:
        """Tell whether the client keeps the connection."""
        return self.headers.get("connection", "").lower() != "close"


class UiServer:
    """One running server; it holds the phone's UiAutomation until `kill` or GET /stop."""

    def __init__(self, handset: Handset, port: int, run_command: RunCommand) -> None:
        self.handset = handset
        self.rpc = Rpc(handset, run_command)
        self._address = f"tcp:{port}"
        self._ended = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Listen until stopped or killed, then let the port and the UiAutomation go."""
        self.handset.clear_toast()
        self.handset.listeners[self._address] = self._accept
        try:
            await self._ended.wait()
        finally:
            if self.handset.listeners.get(self._address) == self._accept:
                del self.handset.listeners[self._address]
            for task in list(self._connections):
                task.cancel()

    def kill(self) -> None:
        """End at once; calls in flight are cut off."""
        self._ended.set()
        self.handset.listeners.pop(self._address, None)
        for task in list(self._connections):
            task.cancel()

    async def _accept(self, channel: Channel) -> None:
        # A task of the server's own: what a client asked for is done even if the client hangs up.
        task = asyncio.create_task(self._connection(channel))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            await asyncio.wait([task])
        finally:
            with contextlib.suppress(ConnectionError):
                await channel.close()

    async def _connection(self, channel: Channel) -> None:
        reader = _HttpReader(channel)
        try:
            while (request := await reader.next()) is not None:
                await channel.write(await self._answer(request))
                if not request.keeps_open:
                    break
        except (ConnectionError, Dropped, TimeoutError):
            return
        except _Half as half:
            with contextlib.suppress(ConnectionError):
                await channel.write(half.data)
        except Died:
            self.kill()

    async def _answer(self, request: Request) -> bytes:
        match request.verb, request.path:
            case "GET", "/ping":
                return _response(200, "text/plain", b"pong")
            case "GET", "/stop":
                asyncio.get_running_loop().call_later(0.05, self.kill)
                return _response(200, "text/plain", b"Server stopped")
            case "GET", "/screenshot/0":
                return _response(200, "image/jpeg", jpeg(self.handset, 80))
            case "POST", "/jsonrpc/0":
                return await self._call(request)
            case _:
                return _response(404, "text/plain", b"Not Found")

    async def _call(self, request: Request) -> bytes:
        kind = request.headers.get("content-type", "")
        # Without a charset the server decodes US-ASCII.
        text = request.body.decode("utf-8" if "charset=utf-8" in kind.lower() else "ascii", "replace")
        try:
            call = json.loads(text)
            method, params, call_id = call["method"], call.get("params") or [], call.get("id")
        except (ValueError, KeyError, TypeError, AttributeError):
            return _json({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "parse error"}})
        method = str(method)
        await self._before(method)
        answer = {"jsonrpc": "2.0", "id": call_id, **await self.rpc.call(method, params)}
        return await self._after(method, answer, call_id)

    async def _before(self, method: str) -> None:
        faults = self.handset.faults
        if faults.take(Fault.SERVER_KILLED, method):
            raise Died
        if faults.take(Fault.DROP, method):
            raise Dropped
        if faults.take(Fault.HANG, method):
            await asyncio.Event().wait()
        if (slow := faults.take(Fault.SLOW, method)) is not None:
            await asyncio.sleep(slow.ms / 1_000)

    async def _after(self, method: str, answer: dict[str, Any], call_id: Any) -> bytes:
        faults = self.handset.faults
        if faults.take(Fault.LOST_AFTER_ACT, method):
            raise Dropped
        if faults.take(Fault.HANG_AFTER_ACT, method):
            await asyncio.Event().wait()
        if faults.take(Fault.HTTP_500, method):
            return _response(500, "text/plain", b"Internal Server Error")
        for fault, message in (
            (Fault.NOT_CONNECTED, "java.lang.IllegalStateException: UiAutomation not connected!"),
            (Fault.DEAD_OBJECT, "android.os.DeadObjectException"),
        ):
            if faults.take(fault, method):
                error = {"code": -32001, "message": message, "data": f"{message}\n\tat android.os.Binder"}
                return _json({"jsonrpc": "2.0", "id": call_id, "error": error})
        whole = _json(answer)
        if faults.take(Fault.HALF_REPLY, method):
            raise _Half(whole[: len(whole) - max(1, len(whole) // 4)])
        return whole


class _Half(Exception):
    """Part of an answer goes out, then the connection is closed."""

    def __init__(self, data: bytes) -> None:
        super().__init__(len(data))
        self.data = data


class _HttpReader:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._buffer = bytearray()

    async def next(self) -> Request | None:
        """Return the next request, None at the end; TimeoutError after 5 s of silence."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD_BYTES or not await self._more():
                return None
        head = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        first = head[0].split(" ")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:])
        }
        length = headers.get("content-length", "0")
        size = int(length) if length.isdigit() else 0
        while len(self._buffer) < size:
            if not await self._more():
                return None
        body = bytes(self._buffer[:size])
        del self._buffer[:size]
        return Request(verb=first[0], path=[*first, ""][1].split("?")[0], headers=headers, body=body)

    async def _more(self) -> bool:
        data = await asyncio.wait_for(self._channel.read(), IDLE_CLOSE_S)
        self._buffer += data
        return bool(data)


_REASONS = {200: "OK", 404: "Not Found", 500: "Internal Server Error"}


def _response(status: int, kind: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\n"
        f"Connection: keep-alive\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _json(value: Mapping[str, Any]) -> bytes:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return _response(200, "application/json; charset=utf-8", body)
