"""Touches of a virtual phone: what reaches the app, what it cost in time, and the truth about it."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

PRESS_MS = 100  # the shortest click of the on-phone server
LONG_PRESS_MS = 500
SWIPE_STEP_MS = 5
TOUCH_SLOP_PX = 24
TOUCHES_KEPT = 2_000
ACTION_DOWN, ACTION_UP, ACTION_MOVE = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One touch that reached an app; `kind` is tap, long_tap or swipe, `by` is "injected" or "hand"."""

    at_ms: int
    kind: str
    x: float
    y: float
    by: str
    package: str


class Surface(Protocol):
    """What lies under the glass: system windows and the app in front."""

    package: str

    def tap(self, x: float, y: float) -> None:
        """A short touch."""

    def long_tap(self, x: float, y: float) -> None:
        """A long touch."""

    def swipe(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """A drag."""


class Touchscreen:
    """Turns gestures into touches. `surface` returns what to touch, None while the screen is off."""

    def __init__(
        self, surface: Callable[[], Surface | None], clock: Callable[[], int], time_scale: float
    ) -> None:
        self._surface, self._clock = surface, clock
        self.time_scale = time_scale
        self.counters: Counter[str] = Counter()
        self.touches: deque[Touch] = deque(maxlen=TOUCHES_KEPT)
        # time.monotonic() of all that was injected, keys and texts too, and of all that a hand did
        self.injected_at_s: deque[float] = deque(maxlen=TOUCHES_KEPT)
        self.hand_at_s: deque[float] = deque(maxlen=TOUCHES_KEPT)
        self._down: tuple[float, float, int] | None = None
        self._hand_watchers: list[Callable[[float, float], None]] = []

    async def pause(self, ms: float) -> None:
        """Let simulated milliseconds pass; none at a time scale of 0."""
        if self.time_scale > 0 and ms > 0:
            await asyncio.sleep(ms * self.time_scale / 1_000)

    async def click(self, x: float, y: float, hold_ms: int = PRESS_MS) -> None:
        """Press and release at a point; half a second or more is a long touch."""
        self.injected()
        await self.pause(max(hold_ms, PRESS_MS))
        self.injected()
        self._touch("long_tap" if hold_ms >= LONG_PRESS_MS else "tap", x, y, by="injected")

    async def swipe(self, x1: float, y1: float, x2: float, y2: float, steps: int) -> None:
        """Drag in steps of 5 ms; a drag that stays in place is a touch."""
        if math.hypot(x2 - x1, y2 - y1) <= TOUCH_SLOP_PX:
            await self.click(x1, y1, steps * SWIPE_STEP_MS)
            return
        self.injected()
        await self.pause(steps * SWIPE_STEP_MS)
        self.injected()
        self._drag(x1, y1, x2, y2, by="injected")

    def injected(self) -> None:
        """Note that an event was injected now."""
        self.injected_at_s.append(time.monotonic())

    def inject(self, action: int, x: float, y: float) -> bool:
        """Take one motion event (0 down, 1 up, 2 move); False if it does not fit."""
        self.injected()
        if action == ACTION_DOWN:
            self._down = (x, y, self._clock())
            return True
        if self._down is None or action not in (ACTION_UP, ACTION_MOVE):
            return False
        if action == ACTION_UP:
            (x1, y1, at_ms), self._down = self._down, None
            if math.hypot(x - x1, y - y1) > TOUCH_SLOP_PX:
                self._drag(x1, y1, x, y, by="injected")
            else:
                is_long = self._clock() - at_ms >= LONG_PRESS_MS
                self._touch("long_tap" if is_long else "tap", x1, y1, by="injected")
        return True

    def by_hand(self, x: float, y: float) -> None:
        """Take a person's touch: the kernel reports it (`getevent`), and it reaches the app."""
        self.feel(x, y)
        self._touch("tap", x, y, by="hand")

    def hold_by_hand(self, x: float, y: float) -> None:
        """Take a person's long touch."""
        self.feel(x, y)
        self._touch("long_tap", x, y, by="hand")

    def swipe_by_hand(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Take a person's drag."""
        self.feel(x1, y1)
        self._drag(x1, y1, x2, y2, by="hand")

    def feel(self, x: float, y: float) -> None:
        """Let the kernel see a person's touch that no app takes: gestures of the system, the keyboard."""
        self.hand_at_s.append(time.monotonic())
        for watcher in list(self._hand_watchers):
            watcher(x, y)

    def watch_hand(self, watcher: Callable[[float, float], None]) -> Callable[[], None]:
        """Call back at each touch by hand; returns the function that ends it."""
        self._hand_watchers.append(watcher)
        return lambda: self._hand_watchers.remove(watcher)

    def _touch(self, kind: str, x: float, y: float, *, by: str) -> None:
        surface = self._surface()
        if surface is None:
            self.counters["dark"] += 1
            return
        self._note(kind, x, y, by, surface.package)
        if kind == "tap":
            surface.tap(x, y)
        else:
            surface.long_tap(x, y)

    def _drag(self, x1: float, y1: float, x2: float, y2: float, *, by: str) -> None:
        surface = self._surface()
        if surface is None:
            self.counters["dark"] += 1
            return
        self._note("swipe", x1, y1, by, surface.package)
        surface.swipe(x1, y1, x2, y2)

    def _note(self, kind: str, x: float, y: float, by: str, package: str) -> None:
        self.counters[kind if by == "injected" else f"hand_{kind}"] += 1
        self.touches.append(Touch(at_ms=self._clock(), kind=kind, x=x, y=y, by=by, package=package))
