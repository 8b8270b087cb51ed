"""The one thread on which the core runs: the edges await it, and no decision is interleaved with another."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Generic, ParamSpec, TypeVar

from protos import crashpoint

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")


def collect_rarely() -> None:
    """Let this process look for cycles seldom: taking events in makes many values, and no cycles."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class CoreThread:
    """Runs calls one after another; who awaits waits for its turn, so callers bound what is waiting."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="core")

    async def call(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call on the core's thread and return its result; cancelling does not stop one that runs."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, _named, partial(fn, *args, **kwargs))

    def submit(self, fn: Callable[[], None]) -> None:
        """Let a call have its turn; nobody hears what comes of it, so it raises nothing."""
        self._executor.submit(fn)

    def close(self) -> None:
        """Wait for the running call and end the thread; calls that had no turn yet are dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    weight: int
    future: asyncio.Future[Result]
    loop: asyncio.AbstractEventLoop


class Together(Generic[Item, Result]):
    """Gives what waits for the core's thread to one call: many small transactions become a large one.

    Nobody waits for a group to fill: it is what came while the thread was busy. `run` returns for each item
    its result, or the exception to raise where it is awaited.
    """

    def __init__(
        self,
        thread: CoreThread,
        run: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        *,
        max_weight: int,
    ) -> None:
        self._thread = thread
        self._run = run
        self._max_weight = max_weight
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting[Item, Result]] = deque()
        self._has_turn = False  # a call for what waits is on its way

    async def call(self, item: Item, *, weight: int = 1) -> Result:
        """Have an item dealt with among others and return its result; cancelling does not take it back."""
        loop = asyncio.get_running_loop()
        # Not _Waiting[...](...): that writes on the frozen value.
        waiting: _Waiting[Item, Result] = _Waiting(item, weight, loop.create_future(), loop)
        with self._lock:
            self._waiting.append(waiting)
            needs_turn, self._has_turn = not self._has_turn, True
        if needs_turn:
            self._thread.submit(self._turn)
        return await waiting.future

    def _turn(self) -> None:
        with self._lock:
            group = self._next_group()
        try:
            with crashpoint.scope(getattr(self._run, "__name__", "")):
                results = self._run([waiting.item for waiting in group])
        except Exception as error:  # noqa: BLE001 raised where each item is awaited
            results = [error] * len(group)
        for waiting, result in zip(group, results, strict=True):
            _tell(waiting, result)
        with self._lock:
            self._has_turn = bool(self._waiting)
            goes_on = self._has_turn
        if goes_on:
            # Behind whoever came meanwhile: what is taken in must not keep decisions waiting.
            self._thread.submit(self._turn)

    def _next_group(self) -> list[_Waiting[Item, Result]]:
        group, weight = [self._waiting.popleft()], 0
        weight = group[0].weight
        while self._waiting and weight + self._waiting[0].weight <= self._max_weight:
            weight += self._waiting[0].weight
            group.append(self._waiting.popleft())
        return group


def _tell(waiting: _Waiting[Item, Result], result: Result | Exception) -> None:
    def settle() -> None:
        if waiting.future.done():
            return  # whoever waited went away
        if isinstance(result, Exception):
            waiting.future.set_exception(result)
        else:
            waiting.future.set_result(result)

    try:
        waiting.loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the loop ended meanwhile: nobody waits there any more


def _named(call: partial[T]) -> T:
    # The places at which a test can end this process are told apart by the call they are reached in.
    with crashpoint.scope(getattr(call.func, "__name__", "")):
        return call()
