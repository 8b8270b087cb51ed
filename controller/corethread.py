"""The one thread on which the core runs: the edges await it, and no decision is interleaved with another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from protos import crashpoint

P = ParamSpec("P")
T = TypeVar("T")


class CoreThread:
    """Runs calls one after another; who awaits waits for its turn, so callers bound what is waiting."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="core")

    async def call(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call on the core's thread and return its result; cancelling does not stop one that runs."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, _named, partial(fn, *args, **kwargs))

    def close(self) -> None:
        """Wait for the running call and end the thread; calls that had no turn yet are dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)


def _named(call: partial[T]) -> T:
    # The places at which a test can end this process are told apart by the call they are reached in.
    with crashpoint.scope(getattr(call.func, "__name__", "")):
        return call()
