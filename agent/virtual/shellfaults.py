"""Faults of the phone's shell: "shell" strikes a line before it runs, "shell:input" one command of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.virtual.faults import Fault, Faults


class StreamCut(ConnectionResetError):
    """The stream of the shell ends here, whatever was still to be said."""


@asynccontextmanager
async def struck(faults: Faults, method: str) -> AsyncIterator[None]:
    """Run what is inside with the faults planned for it; StreamCut ends the stream without an answer."""
    if faults.take(Fault.UNPLUG, method):
        faults.pull_plug()
        raise StreamCut
    if faults.take(Fault.DROP, method):
        raise StreamCut
    if faults.take(Fault.HANG, method):
        await asyncio.Event().wait()
    if (slow := faults.take(Fault.SLOW, method)) is not None:
        await asyncio.sleep(slow.ms / 1_000)
    yield
    if faults.take(Fault.UNPLUG_AFTER_ACT, method):
        faults.pull_plug()
        raise StreamCut
    if faults.take(Fault.LOST_AFTER_ACT, method):
        raise StreamCut
    if faults.take(Fault.HANG_AFTER_ACT, method):
        await asyncio.Event().wait()
