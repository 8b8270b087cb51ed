"""A small controller behind a real gRPC server: archives in memory, leases tasks, misbehaves on request."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import suppress
from dataclasses import dataclass, field

import grpc

from protos import channel, wire
from protos.facts import Event
from protos.fleet_pb2 import Ack, Down, LeaseRenewed, Nack, Settings, Stop, Task, Up, Welcome
from protos.fleet_pb2_grpc import FleetServicer, add_FleetServicer_to_server

MAX_STREAMS = 64


def until(condition: Callable[[], object], what: str, within_s: float = 10.0) -> None:
    """Wait for a condition, poll it, and fail with what was waited for."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise AssertionError(f"{what} did not come within {within_s} s")
        time.sleep(0.01)


@dataclass
class Behaviour:
    """What the stub does wrong; each may be changed at any time."""

    refuse: grpc.StatusCode | None = None  # ends each stream at its greeting
    mute: bool = False  # accepts the stream and says nothing
    keep_acks: bool = False  # archives and does not say so
    drop_after_archive: bool = False  # ends the stream between archive and ack
    nack_once: bool = False
    poison: bytes = b""  # a batch with a body that contains this breaks the stream
    poison_code: grpc.StatusCode = grpc.StatusCode.INTERNAL
    heartbeat_ms: int = 200
    lease_ms: int = 120_000
    renew_ms: int | None = None  # None: as lease_ms
    phone_id: str = "001"
    farm_id: str = "stub"
    farm_epoch: int = 1


@dataclass
class Seen:
    """One phone as the stub knows it."""

    epoch: int = 0
    hellos: list[Up] = field(default_factory=list)
    heartbeats: list[Up] = field(default_factory=list)
    wants: list[int] = field(default_factory=list)
    # (spool, seq) -> body, and how often each came.
    archive: dict[tuple[str, int], bytes] = field(default_factory=dict)
    deliveries: dict[tuple[str, int], int] = field(default_factory=dict)
    batches: list[tuple[int, int]] = field(default_factory=list)
    streams: int = 0

    def high_water(self, spool_id: str) -> int:
        """Return the last number of the spool up to which there is no hole."""
        high = 0
        while (spool_id, high + 1) in self.archive:
            high += 1
        return high

    def events(self) -> list[Event]:
        """Return all archived events in order."""
        return [wire.unseal(body) for _, body in sorted(self.archive.items())]


class FleetStub(FleetServicer):
    """A context manager; `target` is where it listens. It can stop and come back with what it archived."""

    def __init__(self) -> None:
        self.does = Behaviour()
        self.settings = Settings(capture_allowed=True, unattended=True, account_id="", sweep_pause_ms=60_000)
        self.accounts: dict[str, str] = {}  # by serial; else the one in `settings`
        self.phones: dict[str, Seen] = {}
        self.tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self.leased: list[str] = []
        self._lock = threading.Lock()
        self._outs: dict[str, queue.SimpleQueue[Down | None]] = {}
        self._server: grpc.Server | None = None
        self._port = 0

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self._port}"

    def __enter__(self) -> FleetStub:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        server = grpc.server(futures.ThreadPoolExecutor(MAX_STREAMS), options=channel.controller_options())
        add_FleetServicer_to_server(self, server)
        self._port = server.add_insecure_port(f"127.0.0.1:{self._port}")
        server.start()
        self._server = server

    def stop(self) -> None:
        if self._server is not None:
            self.drop_all()
            self._server.stop(grace=0.2).wait()
            self._server = None

    def drop_all(self) -> None:
        for out in list(self._outs.values()):
            out.put(None)

    def phone(self, serial: str) -> Seen:
        with self._lock:
            return self.phones.setdefault(serial, Seen())

    def tell(self, serial: str, down: Down) -> None:
        self._outs[serial].put(down)

    def stop_agent(self, serial: str, reason: str) -> None:
        self.tell(serial, Down(stop=Stop(reason=reason)))

    def allow(self, serial: str, **changes: object) -> None:
        for name, value in changes.items():
            setattr(self.settings, name, value)
        self.tell(serial, Down(settings=self.settings_of(serial)))

    # ---- the service

    def Session(  # noqa: N802 -- gRPC's name
        self, request_iterator: Iterator[Up], context: grpc.ServicerContext
    ) -> Iterator[Down]:
        try:
            first = next(request_iterator)
        except (StopIteration, grpc.RpcError):
            return
        serial = first.hello.serial
        seen = self.phone(serial)
        seen.hellos.append(first)
        if self.does.refuse is not None:
            context.abort(self.does.refuse, "as asked")
        out: queue.SimpleQueue[Down | None] = queue.SimpleQueue()
        self._outs[serial] = out
        seen.streams += 1
        if not self.does.mute:
            out.put(self._welcome(serial, seen, first.hello.spool_id))
        broken: list[grpc.StatusCode] = []
        threading.Thread(target=self._hear, args=(request_iterator, seen, out, broken), daemon=True).start()
        while (down := out.get()) is not None:
            yield down
        if broken:
            context.abort(broken[0], "poison")

    def settings_of(self, serial: str) -> Settings:
        """Return what one phone is allowed."""
        mine = Settings()
        mine.CopyFrom(self.settings)
        mine.account_id = self.accounts.get(serial, mine.account_id)
        return mine

    def _welcome(self, serial: str, seen: Seen, spool_id: str) -> Down:
        seen.epoch += 1
        return Down(
            welcome=Welcome(
                farm_id=self.does.farm_id,
                farm_epoch=self.does.farm_epoch,
                phone_id=self.does.phone_id,
                phone_epoch=seen.epoch,
                high_water=seen.high_water(spool_id),
                heartbeat_ms=self.does.heartbeat_ms,
                settings=self.settings_of(serial),
            )
        )

    def _hear(
        self,
        frames: Iterator[Up],
        seen: Seen,
        out: queue.SimpleQueue[Down | None],
        broken: list[grpc.StatusCode],
    ) -> None:
        with suppress(grpc.RpcError):
            for up in frames:
                kind = up.WhichOneof("kind")
                if kind == "heartbeat":
                    seen.heartbeats.append(up)
                    self._renew(up, out)
                elif kind == "want":
                    seen.wants.append(up.want.tasks)
                elif kind == "batch" and not self._archive(up, seen, out, broken):
                    break
                self._offer(seen, out)
        out.put(None)

    def _renew(self, up: Up, out: queue.SimpleQueue[Down | None]) -> None:
        left_ms = self.does.lease_ms if self.does.renew_ms is None else self.does.renew_ms
        for task_id in up.heartbeat.held_task_ids:
            out.put(Down(lease_renewed=LeaseRenewed(task_id=task_id, lease_ms=left_ms)))

    def _offer(self, seen: Seen, out: queue.SimpleQueue[Down | None]) -> None:
        if seen.wants and seen.wants[-1] > 0 and not self.tasks.empty():
            task = self.tasks.get()
            task.phone_epoch = seen.epoch
            task.lease_ms = self.does.lease_ms
            seen.wants.append(0)
            self.leased.append(task.task_id)
            out.put(Down(task=task))

    def _archive(
        self, up: Up, seen: Seen, out: queue.SimpleQueue[Down | None], broken: list[grpc.StatusCode]
    ) -> bool:
        batch = up.batch
        seen.batches.append((batch.first_seq, len(batch.events)))
        expected = seen.high_water(batch.spool_id) + 1
        if self.does.nack_once or batch.first_seq > expected:
            self.does.nack_once = False
            out.put(Down(nack=Nack(spool_id=batch.spool_id, expected_seq=expected)))
            return True
        if self.does.poison and any(self.does.poison in body for body in batch.events):
            broken.append(self.does.poison_code)
            return False
        for seq, body in enumerate(batch.events, batch.first_seq):
            key = (batch.spool_id, seq)
            seen.deliveries[key] = seen.deliveries.get(key, 0) + 1
            assert seen.archive.setdefault(key, body) == body, "one number, two events"
        if self.does.drop_after_archive:
            self.does.drop_after_archive = False
            return False
        if not self.does.keep_acks:
            up_to = seen.high_water(batch.spool_id)
            out.put(Down(ack=Ack(spool_id=batch.spool_id, up_to_seq=up_to)))
        return True
