"""The gRPC server of the controller: lets phones in, one session each, and sweeps behind the silent ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import structlog

from controller.answers import answer
from controller.core import Change, ChangeKind, Core
from controller.corethread import CoreThread
from controller.errors import BadRequest, ConfigWrong, FarmError
from controller.logs import log_outline
from controller.model import PhoneId
from controller.rpc import wire
from controller.rpc.session import SHUTTING_DOWN, SUPERSEDED, PhoneSession, StreamOver, batches_of
from protos import fleet_pb2, fleet_pb2_grpc
from protos.channel import PROTOCOL, controller_options
from protos.crashpoint import reach

log = structlog.get_logger()

# Beyond this many streams a further one is refused at once instead of waiting without a word.
_MAX_STREAMS = 4_000
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_GREETING_S = 30.0
_UNEXPECTED = "something unexpected happened; see the controller's log"
# After its stream ended a call still writes down the last contact.
_LAST_STEPS_S = 5.0


class _GrpcStream:
    """The two directions of one call."""

    def __init__(self, context: Any) -> None:
        self._context = context

    async def read(self) -> fleet_pb2.Up | None:
        """Return the next frame; None at the end."""
        frame = await self._context.read()
        return frame if isinstance(frame, fleet_pb2.Up) else None

    async def write(self, frame: fleet_pb2.Down) -> None:
        """Send a frame; waits while the agent does not read; StreamOver."""
        try:
            await self._context.write(frame)
        except (asyncio.InvalidStateError, grpc.aio.BaseError) as error:
            # A write to a call that has ended raises InvalidStateError, not an RPC error.
            raise StreamOver from error


class Sessions:
    """The streams of this controller; of one phone only the newest counts."""

    def __init__(self) -> None:
        self._by_serial: dict[str, PhoneSession] = {}

    def enter(self, session: PhoneSession) -> None:
        """Add a session and stop the older one of the same handset, whichever of both that is."""
        older = self._by_serial.get(session.serial)
        if older is not None and older.epoch > session.epoch:
            session.stop(SUPERSEDED)
            return
        self._by_serial[session.serial] = session
        if older is not None:
            older.stop(SUPERSEDED)

    def leave(self, session: PhoneSession) -> None:
        """Forget a session unless a newer one stands in its place."""
        if self._by_serial.get(session.serial) is session:
            del self._by_serial[session.serial]

    def all(self) -> list[PhoneSession]:
        """Return the current sessions."""
        return list(self._by_serial.values())

    def tell(self, change: Change) -> None:
        """Pass on a change to the sessions it concerns."""
        if change.kind is ChangeKind.WORK:
            for session in self.all():
                session.work_may_wait()
            return
        if change.kind is ChangeKind.CALIBRATE:
            for session in self._of_phone(change.phone_id):
                session.calibrate(change.request_id)
            return
        unnumbered = self._by_serial.get(change.serial)
        if unnumbered is not None and unnumbered.phone_id is None:
            unnumbered.greet_again()
        for session in self._of_phone(change.phone_id):
            session.settings_may_differ()

    def _of_phone(self, phone_id: PhoneId | None) -> list[PhoneSession]:
        return [s for s in self.all() if phone_id is not None and s.phone_id == phone_id]


class _Fleet(fleet_pb2_grpc.FleetServicer):
    def __init__(self, core: Core, thread: CoreThread, farm_id: str, sessions: Sessions) -> None:
        self._core = core
        self._thread = thread
        self._farm_id = farm_id
        self._sessions = sessions
        self._calls: set[asyncio.Task[Any]] = set()
        self._batches = batches_of(core, thread)

    async def finished(self, within_s: float) -> None:
        """Wait for the calls that run, so that nothing needs the core's thread any more."""
        if self._calls:
            await asyncio.wait(set(self._calls), timeout=within_s)

    async def Session(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override] # noqa: ARG002, N802 generated name; frames are read one by one from the context
        call = asyncio.current_task()
        if call is not None:
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)
        refusal: tuple[grpc.StatusCode, str] | None = None
        try:
            await self._serve(_GrpcStream(context))
        except StreamOver:
            log.info("phone went away while it was spoken to")
        except FarmError as error:
            log.warning("session refused", error=type(error).__name__)
            refusal = (grpc.StatusCode[answer(error).grpc], str(error))
        except Exception as error:  # noqa: BLE001 the library would log its message and tell it to the peer
            log_outline("session failed", error)
            refusal = (grpc.StatusCode.INTERNAL, _UNEXPECTED)
        if refusal is not None:
            await context.abort(*refusal)

    async def _serve(self, stream: _GrpcStream) -> None:
        try:
            async with asyncio.timeout(_GREETING_S):
                first = await stream.read()
        except TimeoutError:
            raise BadRequest("no Hello came") from None
        if first is None:
            return
        if first.WhichOneof("kind") != "hello":
            raise BadRequest("the first frame must be Hello")
        if not wire.check_protocol(first.hello):
            raise ConfigWrong(f"the agent speaks protocol {first.hello.protocol}, this controller {PROTOCOL}")
        greeting = wire.greeting_of(first.hello, self._farm_id)
        admission = await self._thread.call(self._core.fleet.hello, greeting)
        session = PhoneSession(self._core, self._thread, self._batches, stream, greeting, admission)
        reach("rpc.before_send.welcome")
        await stream.write(wire.welcome(admission, self._farm_id))
        reach("rpc.sent.welcome")
        self._sessions.enter(session)
        log.info("phone came", phone=session.phone_id or "", serial=session.serial, epoch=session.epoch)
        try:
            await session.run()
        finally:
            self._sessions.leave(session)
            log.info("phone left", phone=session.phone_id or "", serial=session.serial, epoch=session.epoch)
            if session.phone_id is not None:
                await self._thread.call(self._core.fleet.lost, session.phone_id, session.epoch)


class FleetServer:
    """Listens for agents on loopback; a wider address waits for certificates."""

    def __init__(self, core: Core, thread: CoreThread, farm_id: str) -> None:
        self._core = core
        self._thread = thread
        self._sessions = Sessions()
        self._fleet = _Fleet(core, thread, farm_id, self._sessions)
        self._server: grpc.aio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._unwatch: Callable[[], None] | None = None

    async def start(self, address: str) -> int:
        """Listen on 127.0.0.1:PORT (0: a free one) and return the port; ConfigWrong."""
        host, _, port = address.rpartition(":")
        if host not in _LOOPBACK or not port.isdigit():
            raise ConfigWrong(f"agents are served on 127.0.0.1:PORT only, not on {address}")
        server = grpc.aio.server(options=controller_options(), maximum_concurrent_rpcs=_MAX_STREAMS)
        fleet_pb2_grpc.add_FleetServicer_to_server(self._fleet, server)
        try:
            bound = server.add_insecure_port(address)
        except RuntimeError as error:
            raise ConfigWrong(f"cannot listen on {address}: is another controller running?") from error
        loop = asyncio.get_running_loop()

        def pass_on(change: Change) -> None:
            loop.call_soon_threadsafe(self._sessions.tell, change)

        self._unwatch = self._core.watch(pass_on)
        await server.start()
        self._server = server
        self._sweeper = asyncio.create_task(self._sweep())
        return bound

    async def stop(self, grace_s: float) -> None:
        """Tell the agents, wait at most `grace_s` for their streams, and close."""
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
            self._sweeper = None
        for session in self._sessions.all():
            session.stop(SHUTTING_DOWN)
        if self._server is not None:
            await self._server.stop(grace_s)
            self._server = None
        await self._fleet.finished(_LAST_STEPS_S)

    async def _sweep(self) -> None:
        pause_s = min(5.0, self._core.settings.lost_after_ms / 6_000)
        while True:
            await asyncio.sleep(pause_s)
            try:
                await self._thread.call(self._core.sweep)
            except FarmError as error:
                # The database may come back; the next round sweeps what this one could not.
                log.warning("sweep failed", error=type(error).__name__)
            except Exception as error:  # noqa: BLE001 nobody awaits this task: it would end without a word
                log_outline("sweep failed", error)
