"""Notices words and rules that another controller of the same database put in force, and makes them ready."""

from __future__ import annotations

import asyncio
import contextlib

from controller.core import Core
from controller.corethread import CoreThread
from controller.errors import FarmError
from controller.logs import log_outline
from controller.shelves import prepare, unpacked
from controller.web.apart import apart

# A change is in force everywhere within two seconds: this, and what ten thousand new words take.
_PAUSE_S = 0.5


class BookWatch:
    """One task; whoever takes messages in meanwhile goes on with the former version, whole."""

    def __init__(self, core: Core, thread: CoreThread) -> None:
        self._core = core
        self._thread = thread
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch; from the loop only."""
        self._core.books.has_helper(True)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop."""
        self._core.books.has_helper(False)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self._look()
            except FarmError as error:
                log_outline("newer words and rules cannot be read", error)
            await asyncio.sleep(_PAUSE_S)

    async def _look(self) -> None:
        newer = await self._thread.call(self._core.books.newer)
        if newer is None:
            return
        version, body = newer
        # Kept ready in this process: adopting it then takes no time.
        await apart(lambda: prepare(unpacked(body), version - 1))
        await self._thread.call(self._core.books.adopt)
