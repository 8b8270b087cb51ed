"""The stream to the controller: greets, sends events until they are archived, takes tasks, beats.

Two threads: one reads and connects again, gRPC's own runs `_Stream.frames`. Neither touches the phone.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import grpc

from agent import wire
from agent.boottime import boot_id, boot_ms, wall_ms
from agent.epochs import Claim, Standing
from agent.intents import Intents
from agent.logs import get_logger
from agent.model import Settings
from agent.outbox import Outbox
from agent.plight import told
from agent.poison import Poison
from protos import channel
from protos.crashpoint import reach
from protos.facts import PhoneFacts, TaskReturned
from protos.fleet_pb2 import Down, Up
from protos.fleet_pb2_grpc import FleetStub

log = get_logger()

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# A controller that accepts the stream answers the greeting at once; a database that is busy takes seconds.
WELCOME_WITHIN_S = 20.0
# An archive that has not committed after this time does not come back on this stream.
ACK_WITHIN_S = 60.0
# A stream without a heartbeat for this long slept, with its process or its host: what it still holds is old.
SLEPT_MS = 30_000
# What a controller answers because of what it was sent, not because of how it is.
_BLAMES_CONTENT = frozenset(
    grpc.StatusCode[name] for name in ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "INTERNAL", "UNKNOWN")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What the agent says of itself at each connect; `phone` may change with an update of the client."""

    phone: PhoneFacts
    version: str


class Session:
    """Runs from `start` to `close`; `wake` is set when something came that the phone's thread should see."""

    def __init__(
        self,
        *,
        target: str,
        greeting: Greeting,
        outbox: Outbox,
        intents: Intents,
        pulse: Callable[[], wire.Pulse],
        settings: Settings,
    ) -> None:
        self._target = target
        self.greeting = greeting
        self.outbox = outbox
        self.intents = intents
        self.pulse = pulse
        self.settings = settings  # the last word of the controller, or what was remembered of it
        self.settings_count = 0  # grows with each word; 0 = none since this process began
        self.stop_reason: str = ""
        self.failure: BaseException | None = None  # a fault of this program: the process should end of it
        self.calibration = ""  # request of an operator to learn the client's ids, "" if there is none
        self.wanted = 0
        self.poison = Poison()
        self.wake = threading.Event()
        self._stream: _Stream | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="session", daemon=True)

    @property
    def is_connected(self) -> bool:
        """Tell whether the controller has welcomed this agent and the stream stands."""
        stream = self._stream
        return stream is not None and stream.welcome is not None

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self.outbox.on_growth = self.poke
        self._thread.start()

    def want(self, tasks: int) -> None:
        """Say how many tasks the phone can take now: 0 or 1."""
        if tasks != self.wanted:
            self.wanted = tasks
            self.poke()

    def beat(self) -> None:
        """Send a heartbeat soon: the phone's state changed."""
        if stream := self._stream:
            stream.beat_at_s = 0.0
            stream.wake.set()

    def poke(self) -> None:
        """Let the sender look for work."""
        if stream := self._stream:
            stream.wake.set()

    def close(self, flush_s: float = 0.0) -> None:
        """End the stream, after a last chance of `flush_s` for what is not archived yet."""
        until_s = time.monotonic() + flush_s
        while self.is_connected and self.outbox.acked < self.outbox.highest:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                break
            self.wake.wait(min(left_s, 0.05))
            self.wake.clear()
        self._closing.set()
        if stream := self._stream:
            stream.cancel()
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        try:
            while not self._closing.is_set() and not self.stop_reason:
                if self._connect_once():
                    pause_s = FIRST_PAUSE_S
                # Full jitter: a controller that comes back is not met by all agents in one moment.
                self._closing.wait(random.uniform(0, pause_s))
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        except BaseException as error:  # noqa: BLE001 -- carried to the phone's thread, which ends the process of it
            self.failure = error
        self.wake.set()

    def _connect_once(self) -> bool:
        """Hold one stream until it ends; tells whether it was welcomed."""
        with grpc.insecure_channel(self._target, options=channel.agent_options()) as link:
            stream = _Stream(self, link)
            self._stream = stream
            try:
                stream.read()
            except grpc.RpcError as error:
                self._broken(stream, error)
            finally:
                self._stream = None
                stream.cancel()
                self.wake.set()
            if stream.failure is not None:
                raise stream.failure
            return stream.welcome is not None

    def _broken(self, stream: _Stream, error: grpc.RpcError) -> None:
        code = error.code()
        log.info("stream ended", code=code.name, was_welcome=stream.welcome is not None)
        flight = stream.flight
        if flight is None or code not in _BLAMES_CONTENT or stream.failure is not None:
            return
        self.poison.blame(flight, self.outbox, code.name)


def is_overslept(beat_boot_ms: int, now_boot_ms: int, every_ms: int) -> bool:
    """Tell whether a heartbeat that is due every so often was put off by sleep, by CLOCK_BOOTTIME."""
    return now_boot_ms - beat_boot_ms > every_ms + SLEPT_MS


def _passed(frame: Up) -> Iterator[Up]:
    """Yield a frame between the two places at which a test can end this process."""
    kind = frame.WhichOneof("kind")
    reach(f"agent.before_send.{kind}")
    yield frame
    reach(f"agent.sent.{kind}")


class _Stream:
    """One call. `read` runs on the session's thread, `frames` on gRPC's."""

    def __init__(self, session: Session, link: grpc.Channel) -> None:
        self._session = session
        self._outbox = session.outbox
        self.wake = threading.Event()
        self.welcome: wire.Welcome | None = None
        self.failure: BaseException | None = None
        self.flight: tuple[int, int] | None = None  # first and last number of the batch without an answer
        self.beat_at_s = 0.0
        self._flight_at_s = 0.0
        self._next_seq = 1
        self._want_sent = 0
        self._is_ended = False
        self._started_s = time.monotonic()
        self._standing = Standing(session.outbox)
        # When this host last said something. A lease runs from there: the frame that brings it may have
        # waited in a buffer since then, while the host slept.
        self._beat_boot_ms = boot_ms()
        self._call = FleetStub(link).Session(self.frames())

    def cancel(self) -> None:
        """End the call; `read` and `frames` come to their ends."""
        self._is_ended = True
        self._call.cancel()
        self.wake.set()

    # ---- up

    def frames(self) -> Iterator[Up]:
        """Yield what goes up, the greeting first; a fault ends the call and is kept in `failure`."""
        try:
            yield from _passed(self._hello())
            while not self._is_ended:
                frame = self._next_frame()
                if frame is not None:
                    yield from _passed(frame)
                    continue
                self.wake.wait(self._idle_s())
                self.wake.clear()
                self._watch()
        except Exception as error:  # noqa: BLE001 -- gRPC would print it and end the call for no visible reason
            self.failure = error
            self.cancel()

    def _hello(self) -> Up:
        outbox = self._outbox
        told = self._standing.greet()
        return wire.hello_up(
            self._session.greeting.phone,
            version=self._session.greeting.version,
            boot_id=boot_id(),
            spool_id=outbox.spool_id,
            lowest=outbox.lowest,
            highest=outbox.highest,
            open_task_ids=[task.task_id for task in self._session.intents.open_tasks()],
            last_farm_id=told.farm_id,
            last_farm_epoch=told.farm_epoch,
            last_phone_epoch=told.phone_epoch,
            acked=outbox.acked,
        )

    def _next_frame(self) -> Up | None:
        welcome = self.welcome
        if welcome is None:
            return None
        now_s = time.monotonic()
        if now_s >= self.beat_at_s:
            if is_overslept(self._beat_boot_ms, boot_ms(), welcome.heartbeat_ms):
                log.info("stream slept, greeting anew")
                self.cancel()
                return None
            self._beat_boot_ms = boot_ms()
            self.beat_at_s = now_s + welcome.heartbeat_ms / 1000
            held = [task.task_id for task in self._session.intents.open_tasks()]
            pulse = told(self._session.pulse(), self._outbox)
            return wire.heartbeat_up(pulse, held_task_ids=held, at_ms=wall_ms())
        if not welcome.phone_id:
            return None  # a handset without a number: nothing of it is archived and no task is for it
        if self._session.wanted != self._want_sent:
            self._want_sent = self._session.wanted
            return wire.want_up(self._want_sent)
        return self._next_batch(now_s)

    def _next_batch(self, now_s: float) -> Up | None:
        # One batch at a time: what is written meanwhile becomes the next, so a slow archive gets large ones.
        if self.flight is not None or self._outbox.highest < self._next_seq:
            return None
        first = self._next_seq
        bodies = self._outbox.batch(first, most=self._session.poison.most())
        if not bodies:
            return None
        self.flight = (first, first + len(bodies) - 1)
        self._flight_at_s = now_s
        return wire.batch_up(self._outbox.spool_id, first, bodies)

    def _idle_s(self) -> float:
        if self.welcome is None:
            return max(0.05, self._started_s + WELCOME_WITHIN_S - time.monotonic())
        return max(0.0, self.beat_at_s - time.monotonic())

    def _watch(self) -> None:
        now_s = time.monotonic()
        is_mute = self.welcome is None and now_s - self._started_s >= WELCOME_WITHIN_S
        is_stuck = self.flight is not None and now_s - self._flight_at_s >= ACK_WITHIN_S
        if is_mute or is_stuck:
            log.info("controller does not answer", since="greeting" if is_mute else "batch")
            self.cancel()

    # ---- down

    def read(self) -> None:
        """Take what comes down until the call ends; raises grpc.RpcError."""
        for down in self._call:
            if self._is_ended:
                return
            self._hear(down)
            self._session.wake.set()
            self.wake.set()

    def _hear(self, down: Down) -> None:
        kind = down.WhichOneof("kind")
        if self.welcome is None and kind not in ("welcome", "stop"):
            return
        hear = getattr(self, f"_hear_{kind}", None)
        if hear is None:
            log.info("frame of an unknown kind")
        else:
            reach(f"agent.heard.{kind}")
            hear(down)
            reach(f"agent.took.{kind}")

    def _hear_welcome(self, down: Down) -> None:
        welcome = wire.welcome_of(down)
        if welcome.phone_id:
            claim = Claim(welcome.farm_id, welcome.farm_epoch, welcome.phone_epoch)
            if not self._standing.hear(claim):
                self.cancel()
                return
            if not self._outbox.hear_high_water(welcome.high_water, may_renumber=not self._standing.is_stale):
                log.warning("outbox behind the archive, new spool")
                self.cancel()
                return
        self._next_seq = max(welcome.high_water + 1, self._outbox.lowest)
        self.welcome = welcome
        self._allow(welcome.settings)
        log.info(
            "welcomed", number=welcome.phone_id, epoch=welcome.phone_epoch, high_water=welcome.high_water
        )

    def _allow(self, settings: Settings) -> None:
        if self._standing.is_stale or self._outbox.actions_in_doubt:
            settings = replace(settings, unattended=False, assist=False)
        self._session.settings = settings
        self._session.settings_count += 1

    def _hear_settings(self, down: Down) -> None:
        self._allow(wire.settings_of(down.settings))

    def _hear_calibrate(self, down: Down) -> None:
        self._session.calibration = down.calibrate.request_id

    def _hear_lease_renewed(self, down: Down) -> None:
        if self._standing.is_stale:
            return
        renewed = down.lease_renewed
        until_boot_ms = self._beat_boot_ms + renewed.lease_ms if renewed.lease_ms else 0
        self._session.intents.renew(renewed.task_id, until_boot_ms)

    def _hear_ack(self, down: Down) -> None:
        spool_id, up_to = down.ack.spool_id, down.ack.up_to_seq
        if spool_id != self._outbox.spool_id:
            return
        self._outbox.ack(up_to)
        self._session.poison.acked(up_to)
        if self.flight is not None and up_to >= self.flight[1]:
            self.flight = None
        self._next_seq = max(self._next_seq, up_to + 1)

    def _hear_nack(self, down: Down) -> None:
        spool_id, expected = down.nack.spool_id, down.nack.expected_seq
        if spool_id != self._outbox.spool_id:
            return
        log.info("batch refused", expected=expected)
        if expected < self._outbox.lowest or (self.flight is not None and expected == self.flight[0]):
            self.cancel()  # what it asks for cannot be sent; greeting anew tells it what there is
            return
        self._outbox.rewind(expected - 1)
        self._next_seq = expected
        self.flight = None

    def _hear_task(self, down: Down) -> None:
        pb = down.task
        # The credit is used up; the phone's thread asks again when it has time again.
        self._want_sent = self._session.wanted = 0
        if self._standing.is_stale:
            self._outbox.add(TaskReturned(task_id=pb.task_id, attempt=pb.attempt, cause="stale_farm"))
            return
        try:
            task = wire.task_of(pb, from_boot_ms=self._beat_boot_ms, boot_id=boot_id())
        except wire.UnknownAction:
            self._outbox.add(TaskReturned(task_id=pb.task_id, attempt=pb.attempt, cause="unknown_action"))
            return
        # Durable before anything is done with it: what is not in the file was never received.
        is_new = self._session.intents.receive(task)
        log.info("task offered", task=task.task_id, attempt=task.attempt, is_new=is_new)

    def _hear_stop(self, down: Down) -> None:
        reason = down.stop.reason
        log.info("controller says stop", reason=reason)
        if reason in set(wire.StopReason):
            # The phone's thread ends the session; what is not archived yet may go out until then.
            self._session.stop_reason = reason
            self._session.wanted = 0
        else:
            self.cancel()
