"""A controller's gRPC edge in a thread of its own, and a blocking agent that speaks frame by frame."""

from __future__ import annotations

import asyncio
import itertools
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc

from controller.core import Core
from controller.corethread import CoreThread
from controller.rpc.service import FleetServer
from protos.channel import PROTOCOL, agent_options
from protos.fleet_pb2 import Batch, Down, Heartbeat, Hello, PhoneFacts, Up, Want
from protos.fleet_pb2_grpc import FleetStub

T = TypeVar("T")
_END = object()


class Edge:
    """The running server; `call` runs something on the core's thread as the HTTP side would."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.thread = CoreThread()
        self.server = FleetServer(core, self.thread, "test-farm")
        self.loop = asyncio.new_event_loop()
        self.port = 0
        self._runner = threading.Thread(target=self.loop.run_forever, name="edge")

    def start(self, port: int = 0) -> None:
        self._runner.start()
        self.port = self.on_loop(self.server.start(f"127.0.0.1:{port}"))

    def on_loop(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=30)

    def call(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        result: T = self.on_loop(self.thread.call(fn, *args, **kwargs))
        return result

    def stop(self, grace_s: float = 1.0) -> None:
        self.on_loop(self.server.stop(grace_s))

    def close(self) -> None:
        self.stop(0.2)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._runner.join(timeout=10)
        self.thread.close()
        self.loop.close()


@contextmanager
def serving(core: Core) -> Iterator[Edge]:
    edge = Edge(core)
    edge.start()
    try:
        yield edge
    finally:
        edge.close()


class Agent:
    """One stream, as an agent opens it."""

    _names = itertools.count(1)

    def __init__(self, port: int, serial: str, *, spool_id: str = "spool-1") -> None:
        self.serial = serial
        self.spool_id = spool_id
        self._up: queue.Queue[Any] = queue.Queue()
        self._down: queue.Queue[Any] = queue.Queue()
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=agent_options())
        self._call = FleetStub(self._channel).Session(iter(self._up.get, _END))
        self._reader = threading.Thread(target=self._read, name=f"agent-{next(self._names)}")
        self._reader.start()
        self.details = ""

    def _read(self) -> None:
        try:
            for frame in self._call:
                self._down.put(frame)
            code = grpc.StatusCode.OK
        except grpc.RpcError as error:
            code = error.code()
            self.details = error.details()
        self._down.put(code)

    # ---- up

    def send(self, **kind: Any) -> None:
        self._up.put(Up(**kind))

    def hello(self, **claims: Any) -> Any:
        """Greet and return the Welcome."""
        values: dict[str, Any] = {"protocol": PROTOCOL, "serial": self.serial, "spool_id": self.spool_id}
        self.send(hello=Hello(phone=PhoneFacts(brand="phonefarm", is_virtual=True), **{**values, **claims}))
        return self.next("welcome")

    def batch(self, first_seq: int, bodies: Sequence[bytes]) -> None:
        self.send(batch=Batch(spool_id=self.spool_id, first_seq=first_seq, events=bodies))

    def beat(self, state: str = "ready", **parts: Any) -> None:
        self.send(heartbeat=Heartbeat(state=state, battery_percent=-1, **parts))

    def want(self, tasks: int = 1) -> None:
        self.send(want=Want(tasks=tasks))

    # ---- down

    def next(self, kind: str, within_s: float = 10.0) -> Any:
        """Return the next frame, which must be of this kind."""
        frame = self._down.get(timeout=within_s)
        assert isinstance(frame, Down), f"wanted {kind}, the stream ended: {frame}"
        found = frame.WhichOneof("kind")
        assert found == kind, f"wanted {kind}, got {found}"
        return getattr(frame, kind)

    def end(self, within_s: float = 15.0) -> grpc.StatusCode:
        """Return how the stream ended, which must be next."""
        frame = self._down.get(timeout=within_s)
        assert isinstance(frame, grpc.StatusCode), frame
        return frame

    @property
    def is_quiet(self) -> bool:
        """Tell whether nothing came that was not asked for."""
        return self._down.empty()

    def hang_up(self) -> None:
        self._up.put(_END)

    def close(self) -> None:
        self._up.put(_END)
        self._call.cancel()
        self._reader.join(timeout=10)
        self._channel.close()
