"""Runs the searches of the history that were asked for: reading and writing on the core, the rest apart."""

from __future__ import annotations

import asyncio
import contextlib

from controller.core import Core
from controller.corethread import CoreThread
from controller.errors import FarmError
from controller.logs import log_outline
from controller.rescans import Running
from controller.shelves import Shelf, prepare
from controller.store.base_books import Scan
from controller.web.apart import apart

# Between two stretches whoever waits for the core has it.
_PAUSE_S = 0.005
# After the database was away.
_RETRY_S = 5.0


class Scanning:
    """One task that goes on with whatever search waits; it ends when none does, until it is woken."""

    def __init__(self, core: Core, thread: CoreThread) -> None:
        self._core = core
        self._thread = thread
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Go on with searches that wait; from the loop only."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop; what was kept stays, and the next start goes on there."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                scan = await self._thread.call(self._core.rescans.next)
                if scan is None:
                    return
                await self._work_off(self._core.rescans.resumed(scan, await self._shelf(scan)))
            except FarmError as error:
                log_outline("search of the history waits", error)
                await asyncio.sleep(_RETRY_S)

    async def _shelf(self, scan: Scan) -> Shelf:
        current = self._core.books.current()
        if current.version == scan.book_version:
            return current
        document = await self._thread.call(self._core.books.document, scan.book_version)
        return (await apart(prepare, document, scan.book_version - 1)).shelf

    async def _work_off(self, running: Running) -> None:
        goes_on = True
        while goes_on:
            stretch = await self._thread.call(self._core.rescans.read, running)
            findings = await apart(running.found_in, stretch)
            goes_on = await self._thread.call(self._core.rescans.keep, running, stretch, findings)
            await asyncio.sleep(_PAUSE_S)
