"""Named places at which a test ends this process, or does something else; else nothing happens there.

FARM_CRASH_AT=name:n ends the process the n-th time it reaches a place of that name, at once and with code
137, as SIGKILL would. FARM_CRASH_LOG=file appends the name of each place as it is reached: the list of all
places is made by running, not by hand.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

KILLED = 137

Act = Callable[[], object]


def die() -> NoReturn:
    """End this process without any of its last steps."""
    os._exit(KILLED)


class _Watch:
    """Counts the places reached and acts at the ones that were asked for; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()
        self._acts: dict[tuple[str, int], list[Act]] = {}
        self._listeners: list[Callable[[str], object]] = []

    def at(self, name: str, n: int, act: Act) -> None:
        with self._lock:
            self._acts.setdefault((name, self._seen[name] + n), []).append(act)

    def listen(self, listener: Callable[[str], object]) -> None:
        with self._lock:
            self._listeners.append(listener)

    def reached(self, name: str) -> None:
        with self._lock:
            self._seen[name] += 1
            acts = self._acts.pop((name, self._seen[name]), ())
            for listener in self._listeners:
                listener(name)
        for act in acts:
            act()


_watch: _Watch | None = None
_place = threading.local()  # `scope`: what the thread is about


def reach(name: str) -> None:
    """Be at a named place; costs one comparison unless a test watches this process."""
    if _watch is not None:
        scope = getattr(_place, "scope", "")
        _watch.reached(f"{name}.{scope}" if scope else name)


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Add a name to all places that this thread reaches inside."""
    before = getattr(_place, "scope", "")
    _place.scope = name
    try:
        yield
    finally:
        _place.scope = before


def arm(name: str, n: int = 1, act: Act = die) -> None:
    """Do something, by default end the process, the n-th time from now that a place is reached."""
    _watching().at(name, n, act)


def record(listener: Callable[[str], object]) -> None:
    """Tell each place by its name as it is reached; called under a lock, from any thread."""
    _watching().listen(listener)


def _watching() -> _Watch:
    global _watch  # noqa: PLW0603 -- None is what makes `reach` cost nothing
    if _watch is None:
        _watch = _Watch()
    return _watch


def obey(environment: Mapping[str, str]) -> None:
    """Do what FARM_CRASH_AT and FARM_CRASH_LOG ask for; ValueError for one that is not name:n."""
    if path := environment.get("FARM_CRASH_LOG"):
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        record(lambda name: os.write(log, f"{name}\n".encode()))
    if wanted := environment.get("FARM_CRASH_AT"):
        name, _, n = wanted.rpartition(":")
        if not name or not n.isdigit() or int(n) < 1:
            raise ValueError(f"FARM_CRASH_AT is not name:n: {wanted}")
        arm(name, int(n))


obey(os.environ)
