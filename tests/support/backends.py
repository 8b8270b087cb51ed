"""A fresh database of either kind, and a starting line for racers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from controller.clock import FixedClock
from controller.core import Core
from controller.store import open_store
from controller.store.base import Store
from tests.support.corefarm import core_on


@dataclass
class Backend:
    """A fresh database of one kind."""

    kind: str
    url: str
    clock: FixedClock
    _opened: list[Store] = field(default_factory=list)

    def store(self) -> Store:
        """Return a store to work with; on SQLite always the one writing connection."""
        if self.kind == "sqlite" and self._opened:
            return self._opened[0]
        store = open_store(self.url)
        self._opened.append(store)
        return store

    def core(self, **settings: Any) -> Core:
        return core_on(self.store(), self.clock, **settings)

    def close(self) -> None:
        for store in self._opened:
            store.close()
        self._opened.clear()


def race(racers: list[Callable[[], Any]]) -> list[Any]:
    """Run all at once, from one starting line; returns what each returned, raises what any raised."""
    line = threading.Barrier(len(racers))
    results: list[Any] = [None] * len(racers)
    failures: list[BaseException] = []

    def run(place: int, racer: Callable[[], Any]) -> None:
        try:
            line.wait(timeout=30)
            results[place] = racer()
        except BaseException as error:  # noqa: BLE001 raised again below, on the test's thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    if failures:
        raise failures[0]
    assert not any(thread.is_alive() for thread in threads), "a racer did not come in"
    return results
