"""The device side of adb over TCP: connection, authentication, streams and their flow control."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import random
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self

from agent.errors import AlreadyRunning
from agent.hostlock import HostLock
from agent.virtual.faults import Fault
from agent.virtual.handset import Handset
from agent.virtual.packets import (
    HEADER,
    MAX_PAYLOAD,
    VERSION,
    AuthKind,
    BadPacket,
    Command,
    Packet,
    decode_header,
    encode,
)
from agent.virtual.services import Service, service_for

# No delayed_ack (one WRTE in flight), no abb (install uses exec:cmd), no compression in file sync.
FEATURES = "shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir,fixed_push_symlink_timestamp,apex,sendrecv_v2"


class Stream:
    """One adb stream; a Channel. Data is acknowledged when it is read: that is the back-pressure."""

    def __init__(self, transport: Transport, local_id: int, remote_id: int) -> None:
        self._transport = transport
        self.local_id, self.remote_id = local_id, remote_id
        self._incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._write_lock = asyncio.Lock()
        self._at_end = False
        self.is_closed = False
        self.on_hangup: Callable[[], None] | None = None

    async def read(self) -> bytes:
        """Return the next payload and acknowledge it; b"" when the peer has closed."""
        if self._at_end:
            return b""
        data = await self._incoming.get()
        if not data:
            self._at_end = True
        elif not self.is_closed:
            await self._transport.send(Packet(Command.OKAY, self.local_id, self.remote_id))
        return data

    async def write(self, data: bytes) -> None:
        """Send all, in pieces of the payload limit, each after the OKAY of the one before."""
        limit = self._transport.max_payload
        async with self._write_lock:
            for start in range(0, len(data), limit):
                await self._may_write.wait()
                if self.is_closed:
                    raise ConnectionResetError("the stream was closed by the host")
                self._may_write.clear()
                piece = data[start : start + limit]
                await self._transport.send(Packet(Command.WRTE, self.local_id, self.remote_id, piece))

    async def close(self) -> None:
        """Close after the last piece was acknowledged."""
        if self.is_closed:
            return
        await self._may_write.wait()
        if not self.is_closed:
            self.is_closed = True
            self._transport.forget(self)
            await self._transport.send(Packet(Command.CLSE, self.local_id, self.remote_id))

    def take(self, data: bytes) -> None:
        """Take a payload from the host."""
        if data:
            self._incoming.put_nowait(data)

    def acknowledged(self) -> None:
        """Take an OKAY from the host."""
        self._may_write.set()

    def hang_up(self) -> None:
        """Take a CLSE, or the loss of the transport."""
        self.is_closed = True
        self._may_write.set()
        self._incoming.put_nowait(b"")
        if self.on_hangup is not None:
            self.on_hangup()


class Transport:
    """One connection of an adb server."""

    def __init__(self, handset: Handset, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.handset = handset
        self.max_payload = MAX_PAYLOAD
        self._reader, self._writer = reader, writer
        self._streams: dict[int, Stream] = {}
        self._opening: dict[int, asyncio.Future[None]] = {}
        self._next_id = 1
        self._token = b""
        self._is_online = False
        self._waits_for_person = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._unmuted = asyncio.Event()
        self._unwatch = handset.faults.watch(self._faults_changed)
        self._faults_changed()

    async def run(self) -> None:
        """Serve until the connection ends."""
        try:
            while True:
                packet = await self._next_packet()
                await self._unmuted.wait()
                await self._handle(packet)
        except (asyncio.IncompleteReadError, ConnectionError, BadPacket, ValueError):
            return  # the host went, or does not speak adb
        finally:
            self.drop()

    def drop(self) -> None:
        """Cut the connection; all streams hang up."""
        self._unwatch()
        self._unwatch = lambda: None
        for stream in list(self._streams.values()):
            stream.hang_up()
        self._streams.clear()
        for future in self._opening.values():
            future.cancel()
        self._opening.clear()
        reverses = self.handset.reverses
        for local in [each for each, (_, opener) in reverses.items() if opener == self.connect_host]:
            del reverses[local]
        self._writer.transport.abort()

    async def send(self, packet: Packet) -> None:
        """Write one packet; raises ConnectionResetError when the connection is lost."""
        await self._unmuted.wait()
        if self._writer.is_closing():
            raise ConnectionResetError("the transport is gone")
        self._writer.write(encode(packet))
        await self._writer.drain()

    async def connect_host(self, address: str) -> Stream:
        """Open a stream to an address on the host's side (reverse); ConnectionRefusedError."""
        stream = self._new_stream(remote_id=0)
        future = self._opening[stream.local_id] = asyncio.get_running_loop().create_future()
        await self.send(Packet(Command.OPEN, stream.local_id, 0, address.encode() + b"\0"))
        try:
            await future
        except asyncio.CancelledError:
            self.forget(stream)
            raise ConnectionRefusedError(address) from None
        return stream

    def forget(self, stream: Stream) -> None:
        """Drop a stream's id."""
        self._streams.pop(stream.local_id, None)

    def _new_stream(self, remote_id: int) -> Stream:
        stream = Stream(self, self._next_id, remote_id)
        self._streams[self._next_id] = stream
        self._next_id += 1
        return stream

    async def _next_packet(self) -> Packet:
        command, arg0, arg1, length = decode_header(await self._reader.readexactly(HEADER.size))
        payload = await self._reader.readexactly(length) if length else b""
        return Packet(command, arg0, arg1, payload)

    async def _handle(self, packet: Packet) -> None:
        match packet.command:
            case Command.CNXN:
                self.max_payload = min(MAX_PAYLOAD, packet.arg1)
                await self._greet()
            case Command.AUTH:
                await self._authenticate(AuthKind(packet.arg0), packet.payload)
            case Command.OPEN if self._is_online:
                await self._open(packet.arg0, packet.payload.rstrip(b"\0").decode())
            case Command.OKAY:
                self._okay(packet)
            case Command.WRTE:
                await self._data(packet)
            case Command.CLSE:
                await self._close(packet)

    # --- connection and authentication

    async def _greet(self) -> None:
        keys, faults = self.handset.host_keys, self.handset.faults
        if keys.required or faults.holds(Fault.UNAUTHORIZED):
            await self._challenge()
        else:
            await self._welcome()

    async def _challenge(self) -> None:
        self._token = self.handset.host_keys.new_token()
        await self.send(Packet(Command.AUTH, AuthKind.TOKEN, 0, self._token))

    async def _authenticate(self, kind: AuthKind, data: bytes) -> None:
        keys = self.handset.host_keys
        if kind is AuthKind.PUBLIC_KEY:
            keys.offer(data)
            self._waits_for_person = True
            return
        is_denied = self.handset.faults.holds(Fault.UNAUTHORIZED)
        if not is_denied and keys.knows_signer(self._token, data):
            await self._welcome()
        else:
            await self._challenge()

    async def _welcome(self) -> None:
        phone = self.handset
        banner = (
            f"{phone.adb_state}::ro.product.name={phone.product};ro.product.model={phone.model};"
            f"ro.product.device={phone.product};features={FEATURES}"
        )
        self._is_online, self._waits_for_person = True, False
        await self.send(Packet(Command.CNXN, VERSION, MAX_PAYLOAD, banner.encode()))

    def _faults_changed(self) -> None:
        faults, keys = self.handset.faults, self.handset.host_keys
        if faults.holds(Fault.MUTE):
            self._unmuted.clear()
        else:
            self._unmuted.set()
        if faults.holds(Fault.UNAUTHORIZED):
            if self._is_online:
                self.drop()
        elif self._waits_for_person and not (keys.required and keys.offered is not None):
            self._waits_for_person = False
            self._spawn(self._welcome())

    # --- streams

    async def _open(self, remote_id: int, name: str) -> None:
        service = service_for(self.handset, self, name)
        if service is None:
            await self.send(Packet(Command.CLSE, 0, remote_id))
            return
        stream = self._new_stream(remote_id)
        await self.send(Packet(Command.OKAY, stream.local_id, remote_id))
        self._spawn(self._serve(service, stream))

    async def _serve(self, service: Service, stream: Stream) -> None:
        try:
            await service(stream)
        finally:
            await stream.close()

    def _okay(self, packet: Packet) -> None:
        stream = self._streams.get(packet.arg1)
        if stream is None:
            return
        opening = self._opening.pop(packet.arg1, None)
        if opening is None:
            stream.acknowledged()
        else:
            stream.remote_id = packet.arg0
            opening.set_result(None)

    async def _data(self, packet: Packet) -> None:
        stream = self._streams.get(packet.arg1)
        if stream is not None:
            stream.take(packet.payload)

    async def _close(self, packet: Packet) -> None:
        stream = self._streams.pop(packet.arg1, None)
        if stream is None:
            return
        opening = self._opening.pop(packet.arg1, None)
        if opening is not None:
            opening.cancel()
            return
        stream.hang_up()
        await self.send(Packet(Command.CLSE, stream.local_id, stream.remote_id))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        async def run() -> None:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await work

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


# Below the range of outgoing connections: an adb server that redials an unplugged phone on a port of that
# range can by chance dial from that very port, is then connected to itself, and the phone cannot come back.
# Those below 20,000 are left to the servers beside the phones.
QUIET_PORTS = range(20_000, 32_000)
# Of each user a folder: nobody may write to another's.
_CLAIMS = Path(tempfile.gettempdir()) / f"phonefarm-virtual-ports-{os.getuid()}"


class PhonePort:
    """The TCP side of one handset: what `adb connect` dials."""

    def __init__(self, handset: Handset, host: str) -> None:
        self.handset = handset
        self._host = host
        self._port = 0
        self._server: asyncio.Server | None = None
        # An unplugged phone listens nowhere, and yet no other farm of this host may take its port.
        self._claim: HostLock | None = None
        self._transports: set[Transport] = set()
        self._unwatch = handset.watch_reboot(self._drop_all)
        handset.faults.pull_plug = self._pull

    @classmethod
    async def open(cls, handset: Handset, *, host: str = "127.0.0.1", port: int = 0) -> Self:
        """Listen for adb servers; port 0 = a free one, kept for `plug`."""
        phone_port = cls(handset, host)
        await phone_port._listen(port)
        return phone_port

    @property
    def address(self) -> str:
        """Return "host:port"."""
        return f"{self._host}:{self._port}"

    async def unplug(self) -> None:
        """Drop all connections and refuse new ones."""
        self._pull()

    def _pull(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._drop_all()

    async def plug(self) -> None:
        """Listen again on the same port."""
        if self._server is None:
            await self._listen(self._port)

    async def close(self) -> None:
        """Unplug for good."""
        await self.unplug()
        self._unwatch()
        self._unwatch = lambda: None
        if self._claim is not None:
            self._claim.release()

    async def _listen(self, port: int) -> None:
        while self._server is None:
            chosen = port or random.choice(QUIET_PORTS)
            claim = None
            try:
                claim = None if port else HostLock.take(_CLAIMS, str(chosen))
                self._server = await asyncio.start_server(self._accept, self._host, chosen)
            except AlreadyRunning:
                continue
            except OSError as error:
                if claim is not None:
                    claim.release()
                if port or error.errno != errno.EADDRINUSE:
                    raise
            else:
                self._claim = claim or self._claim
        self._port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = Transport(self.handset, reader, writer)
        self._transports.add(transport)
        try:
            await transport.run()
        finally:
            self._transports.discard(transport)

    def _drop_all(self) -> None:
        for transport in list(self._transports):
            transport.drop()
