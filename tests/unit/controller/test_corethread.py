"""The core's thread: what waits for it is dealt with together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from controller.corethread import CoreThread, Together


def test_what_comes_while_the_thread_is_busy_becomes_one_group() -> None:
    groups: list[list[int]] = []
    busy, go = threading.Event(), threading.Event()

    def run(items: Sequence[int]) -> list[int]:
        groups.append(list(items))
        busy.set()
        assert go.wait(10)
        return [item * 10 for item in items]

    async def scene() -> list[int]:
        thread = CoreThread()
        together = Together(thread, run, max_weight=3)
        first = asyncio.create_task(together.call(1))
        await asyncio.to_thread(busy.wait, 10)
        others = [asyncio.create_task(together.call(n)) for n in range(2, 7)]
        await asyncio.sleep(0)
        go.set()
        found = await asyncio.gather(first, *others)
        thread.close()
        return found

    assert asyncio.run(scene()) == [10, 20, 30, 40, 50, 60]
    assert groups == [[1], [2, 3, 4], [5, 6]]


def test_each_item_raises_its_own_exception_and_a_failing_run_raises_for_all() -> None:
    def run(items: Sequence[int]) -> list[int | Exception]:
        if 0 in items:
            raise ZeroDivisionError
        return [KeyError(item) if item % 2 else item for item in items]

    async def scene() -> None:
        thread = CoreThread()
        together = Together(thread, run, max_weight=10)
        assert await together.call(2) == 2
        with pytest.raises(KeyError):
            await together.call(3)
        with pytest.raises(ZeroDivisionError):
            await together.call(0)
        assert await together.call(4) == 4
        thread.close()

    asyncio.run(scene())


def test_one_that_is_heavier_than_a_group_may_be_goes_alone_and_one_given_up_stops_none() -> None:
    def run(items: Sequence[int]) -> list[int]:
        return list(items)

    async def scene() -> None:
        thread = CoreThread()
        together = Together(thread, run, max_weight=3)
        assert await together.call(1, weight=99) == 1
        given_up = asyncio.create_task(together.call(2))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await together.call(3) == 3
        thread.close()

    asyncio.run(scene())
