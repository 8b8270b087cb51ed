"""Waiting for a condition until one point in time, and saying what was waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from agent.errors import NotInTime

T = TypeVar("T")
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in monotonic time; `clock` returns seconds, `pause` sleeps them."""

    at_s: float
    clock: Clock = time.monotonic
    pause: Callable[[float], None] = time.sleep

    @classmethod
    def after(
        cls, within_s: float, *, clock: Clock = time.monotonic, pause: Callable[[float], None] = time.sleep
    ) -> Deadline:
        """Return the deadline that lies `within_s` seconds from now."""
        return cls(clock() + within_s, clock, pause)

    def left_s(self) -> float:
        """Return the seconds left, 0.0 once it has passed."""
        return max(0.0, self.at_s - self.clock())

    def is_over(self) -> bool:
        """Tell whether no time is left."""
        return self.clock() >= self.at_s

    def until(self, condition: Callable[[], T | None], *, what: str, every_s: float = 0.05) -> T:
        """Return the first true value of `condition`, asked at least once; NotInTime names `what`."""
        while True:
            found = condition()
            if found:
                return found
            if self.is_over():
                raise NotInTime(what=what)
            self.pause(min(every_s, self.left_s()))
