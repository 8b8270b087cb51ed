"""Slow and pure work away from the core's thread and the loop."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Who computes gives the interpreter back so often while others want it; the usual 5 ms are waited for at
# every statement that the core runs.
_TURN_S = 0.0005


class _Turns:
    """Shortens the turns of threads while something slow runs; several may run at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._usual_s = 0.0

    @contextmanager
    def short(self) -> Iterator[None]:
        """Shorten turns within."""
        with self._lock:
            if self._running == 0:
                self._usual_s = sys.getswitchinterval()
                sys.setswitchinterval(_TURN_S)
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                if self._running == 0:
                    sys.setswitchinterval(self._usual_s)


_turns = _Turns()


async def apart(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a pure call on a thread of its own and return its result."""

    def call() -> T:
        with _turns.short():
            return fn(*args, **kwargs)

    return await asyncio.to_thread(call)
