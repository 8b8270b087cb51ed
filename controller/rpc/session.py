"""One phone's stream: what its agent says goes to the core, what the core decides goes down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from controller.batches import Batch
from controller.core import Core
from controller.corethread import CoreThread, Together
from controller.errors import BadRequest, SpoolGap, StaleEpoch
from controller.model import Held, Lease, PhoneId
from controller.rpc import wire
from controller.sessions import Admission, Greeting, PhoneSettings
from protos import fleet_pb2
from protos.channel import MAX_BATCH_EVENTS
from protos.crashpoint import reach

log = structlog.get_logger()

SUPERSEDED = "superseded"
SHUTTING_DOWN = "shutting_down"

# A superseded agent may still hand over the events it holds; then its stream ends.
_LAST_EVENTS_S = 10.0
# Another controller on the same database may have changed something that nobody here was told of.
_LOOK_AGAIN_S = 15.0
_SHORTEST_PAUSE_S = 0.05
# So many events in one transaction: more of them make it hardly cheaper, and others wait for the thread.
_GROUP_EVENTS = 4_000

Batches = Together[Batch, int]


def batches_of(core: Core, thread: CoreThread) -> Batches:
    """Return the way of all sessions' batches into the archive."""
    return Together(thread, core.archive.accept_all, max_weight=_GROUP_EVENTS)


class StreamOver(Exception):
    """The agent is gone; nothing can be sent any more."""


class Stream(Protocol):
    """The two directions of a stream."""

    async def read(self) -> fleet_pb2.Up | None:
        """Return the next frame; None at the end."""

    async def write(self, frame: fleet_pb2.Down) -> None:
        """Send a frame; waits while the agent does not read; StreamOver."""


class PhoneSession:
    """A stream after its greeting. Reads the next frame only after the last one is dealt with."""

    def __init__(
        self,
        core: Core,
        thread: CoreThread,
        batches: Batches,
        stream: Stream,
        greeting: Greeting,
        admission: Admission,
    ) -> None:
        self._core = core
        self._thread = thread
        self._batches = batches
        self._stream = stream
        self._greeting = greeting
        self._epoch = admission.phone_epoch
        self._high_water = admission.high_water
        self._settings = admission.settings
        self._sending = asyncio.Lock()
        self._wake = asyncio.Event()
        self._wants_task = False
        self._is_reconciled = False
        # An outbox older than the archive knows less of its tasks than the archive: it settles nothing.
        self._is_rolled_back = admission.high_water > greeting.spool_highest
        self._settings_may_differ = False
        self._calibrations: list[str] = []
        self._retry_at_ms: int | None = None
        self._stop_reason = ""
        self._has_number_now = False
        self.phone_id: PhoneId | None = admission.phone_id

    @property
    def serial(self) -> str:
        """Return the handset at the other end."""
        return self._greeting.facts.serial

    @property
    def epoch(self) -> int:
        """Return the fence under which this stream was let in."""
        return self._epoch

    # ---- told by others on the loop

    def stop(self, reason: str) -> None:
        """Send a Stop and end; the first reason counts."""
        self._stop_reason = self._stop_reason or reason
        self._wake.set()

    def greet_again(self) -> None:
        """End the stream so that the agent comes back and learns its number."""
        self._has_number_now = True
        self._wake.set()

    def settings_may_differ(self) -> None:
        """Look at what is allowed, and for a task."""
        self._settings_may_differ = True
        self._wake.set()

    def calibrate(self, request_id: str) -> None:
        """Ask the agent to learn the ids of its client."""
        self._calibrations.append(request_id)
        self._wake.set()

    def work_may_wait(self) -> None:
        """Look for a task."""
        if self._wants_task:
            self._wake.set()

    # ---- the life of a stream

    async def run(self) -> None:
        """Serve the stream until either side ends it; StreamOver, or FarmError if it cannot go on."""
        reader = asyncio.create_task(self._read_all())
        steering = asyncio.create_task(self._steer())
        try:
            await asyncio.wait({reader, steering}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for part in (reader, steering):
                part.cancel()
            results = await asyncio.gather(reader, steering, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _send(self, frame: fleet_pb2.Down) -> None:
        kind = frame.WhichOneof("kind")
        async with self._sending:
            reach(f"rpc.before_send.{kind}")
            await self._stream.write(frame)
            reach(f"rpc.sent.{kind}")

    async def _read_all(self) -> None:
        if self.phone_id is not None:
            await self._reconcile_when_due(self.phone_id, self._high_water)
        while (frame := await self._stream.read()) is not None:
            await self._take(frame)

    async def _take(self, frame: fleet_pb2.Up) -> None:
        reach(f"rpc.heard.{frame.WhichOneof('kind')}")
        match frame.WhichOneof("kind"):
            case "batch":
                await self._on_batch(frame.batch)
            case "want":
                self._wants_task = frame.want.tasks > 0
                self._wake.set()
            case "heartbeat":
                await self._fenced(self._on_heartbeat, frame.heartbeat)
            case "hello":
                raise BadRequest("a stream begins with one Hello only")
            case _:
                log.warning("frame of an unknown kind ignored", serial=self.serial)

    async def _fenced(
        self, act: Callable[[fleet_pb2.Heartbeat], Awaitable[None]], frame: fleet_pb2.Heartbeat
    ) -> None:
        if self._stop_reason:
            return
        try:
            await act(frame)
        except StaleEpoch:
            self.stop(SUPERSEDED)

    # ---- frames from the agent

    async def _on_batch(self, batch: fleet_pb2.Batch) -> None:
        if self.phone_id is None:
            return  # kept by the agent: without a number there is no phone to archive under
        if len(batch.events) > MAX_BATCH_EVENTS:
            raise BadRequest(f"a batch holds at most {MAX_BATCH_EVENTS} events")
        spool_id = wire.spool_of(batch)
        try:
            # Unsealed here: the core's thread is in the database meanwhile.
            taken = self._core.archive.batch(self.phone_id, spool_id, batch.first_seq, batch.events)
            reached = await self._batches.call(taken, weight=taken.size)
        except SpoolGap as gap:
            await self._send(wire.nack(spool_id, gap.expected_seq))
            return
        await self._send(wire.ack(spool_id, reached))
        if spool_id == self._greeting.spool_id:
            await self._reconcile_when_due(self.phone_id, reached)
        self._wake.set()

    async def _reconcile_when_due(self, phone_id: PhoneId, reached: int) -> None:
        if self._is_reconciled or self._is_rolled_back or self._stop_reason:
            return
        if reached < self._greeting.spool_highest:
            return
        try:
            await self._thread.call(
                self._core.jobs.reconcile,
                phone_id,
                epoch=self._epoch,
                spool_id=self._greeting.spool_id,
                open_task_ids=frozenset(self._greeting.open_task_ids),
            )
        except StaleEpoch:
            self.stop(SUPERSEDED)
            return
        self._is_reconciled = True
        self._wake.set()

    async def _on_heartbeat(self, frame: fleet_pb2.Heartbeat) -> None:
        pulse = wire.pulse_of(frame)
        if self.phone_id is None:
            if await self._thread.call(
                self._core.fleet.heartbeat_unnumbered, self._greeting.facts, pulse.account_id
            ):
                self.greet_again()
            return
        allowed = await self._thread.call(self._core.fleet.heartbeat, self.phone_id, self._epoch, pulse)
        await self._tell(allowed)
        if pulse.held_task_ids:
            renewals = await self._thread.call(
                self._core.jobs.renew, self.phone_id, epoch=self._epoch, task_ids=pulse.held_task_ids
            )
            for renewal in renewals:
                await self._send(wire.lease_renewed(renewal))

    # ---- frames to the agent

    async def _steer(self) -> None:
        while True:
            await self._pause()
            self._wake.clear()
            if self._stop_reason:
                await self._send(wire.stop(self._stop_reason))
                await asyncio.sleep(_LAST_EVENTS_S if self._stop_reason == SUPERSEDED else 0)
                return
            if self._has_number_now:
                return
            if self.phone_id is not None:
                await self._look(self.phone_id)

    async def _pause(self) -> None:
        pause_s: float | None = None
        if self._wants_task:
            pause_s = _LOOK_AGAIN_S
            if self._retry_at_ms is not None:
                until_s = (self._retry_at_ms - self._core.clock.now_ms()) / 1_000
                pause_s = min(max(until_s, _SHORTEST_PAUSE_S), _LOOK_AGAIN_S)
        try:
            async with asyncio.timeout(pause_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _look(self, phone_id: PhoneId) -> None:
        while self._calibrations:
            await self._send(wire.calibrate(self._calibrations.pop(0)))
        try:
            if self._settings_may_differ:
                self._settings_may_differ = False
                await self._tell(await self._thread.call(self._core.fleet.settings, phone_id))
            if self._wants_task and self._is_reconciled:
                await self._offer(phone_id)
        except StaleEpoch:
            self.stop(SUPERSEDED)

    async def _tell(self, allowed: PhoneSettings) -> None:
        if allowed != self._settings:
            self._settings = allowed
            await self._send(wire.settings(allowed))

    async def _offer(self, phone_id: PhoneId) -> None:
        found = await self._thread.call(
            self._core.jobs.lease, phone_id, epoch=self._epoch, spool_id=self._greeting.spool_id
        )
        self._retry_at_ms = found.retry_at_ms if isinstance(found, Held) else None
        if isinstance(found, Lease):
            self._wants_task = False
            # The lease may rest on something newer than what the agent was told: it must not refuse the task.
            await self._tell(await self._thread.call(self._core.fleet.settings, phone_id))
            await self._send(wire.task(found, self._core.settings.lease_ms))
