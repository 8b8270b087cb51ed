"""The person at the phone: when it was touched last, and that nothing is injected for a while after."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from agent.errors import AgentError, InHand
from agent.kernelinput import Panels, Point, Reader
from agent.logs import get_logger

log = get_logger()

# Until a controller says otherwise.
QUIET_S = 30.0
# A stream that ended is begun again after so long, the last one for ever.
AGAIN_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class Touches(Protocol):
    """Lines of the kernel's input events as they come; ends when the phone or `close` ends it."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield pieces."""

    def close(self) -> None:
        """End it, from any thread."""


class Hand:
    """What is known of the person at one phone; all methods may be called from any thread.

    `is_watched`: touches are being listened to. While they are not, a person may use the phone unseen.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.quiet_s = QUIET_S
        self.is_watched = False
        self.touched_at_s = float("-inf")
        self.panels: Panels = {}
        self._point: Point | None = None
        self._forgiven_to_s = float("-inf")
        self._is_relied_on = False

    def touch(self, point: Point | None = None) -> None:
        """Note a touch by a person and, if that is known, where the finger came down."""
        self._point = point
        self.touched_at_s = self._clock()

    def is_on(self) -> bool:
        """Tell whether the phone was touched so short a time ago that nothing may be injected."""
        touched_at_s = self.touched_at_s
        return touched_at_s > self._forgiven_to_s and self._clock() - touched_at_s < self.quiet_s

    def ask(self) -> None:
        """Raise InHand if nothing may be injected now."""
        if self.is_on() or (self._is_relied_on and not self.is_watched):
            raise InHand

    @contextmanager
    def relied_on(self) -> Iterator[None]:
        """Let nothing be injected in this block while touches are not listened to."""
        self._is_relied_on = True
        try:
            yield
        finally:
            self._is_relied_on = False

    def now_s(self) -> float:
        """Return the seconds of the clock by which touches are timed."""
        return self._clock()

    def forgive(self, to_s: float) -> None:
        """Let touches up to then count for nothing: they were asked for."""
        self._forgiven_to_s = to_s

    def came_down(self, width: int, height: int) -> tuple[int, int] | None:
        """Return where on a screen of this size the last touch began, None if that is not known."""
        point = self._point
        if point is None or point.device not in self.panels:
            return None
        most_x, most_y = self.panels[point.device]
        return point.x * width // (most_x + 1), point.y * height // (most_y + 1)


class HandWatch:
    """Listens to a phone's touches on a connection of its own, again and again, until `close`."""

    def __init__(
        self,
        hand: Hand,
        follow: Callable[[], Touches],
        panels: Callable[[], Panels] = dict,
        *,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._hand = hand
        self._follow = follow
        self._panels = panels
        self._changed = changed  # a touch came, or the watch began or ended; called on the watch's thread
        self._closing = threading.Event()
        self._stream: Touches | None = None
        self._thread = threading.Thread(target=self._run, name="hand-watch", daemon=True)

    def start(self) -> None:
        """Begin to listen; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """End it; waits a second at most."""
        self._closing.set()
        if (stream := self._stream) is not None:
            stream.close()
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            try:
                failures = 0 if self._listen() else failures + 1
            except Exception as error:  # noqa: BLE001 -- an unwatched phone is worse than a fault that comes again
                failures += 1
                if not isinstance(error, AgentError):
                    log.warning("watch of the hand failed", fault=type(error).__name__)
            self._be_watched(is_watched=False)
            self._closing.wait(AGAIN_S[min(failures, len(AGAIN_S) - 1)])

    def _listen(self) -> bool:
        """Listen until the stream ends; tells whether it ever said a word."""
        self._hand.panels = self._panels()
        stream = self._follow()
        self._stream = stream
        reader = Reader()
        try:
            if self._closing.is_set():
                return True
            for piece in stream:
                # It names its devices as it begins: from there on touches are seen.
                self._be_watched(is_watched=True)
                if reader.take(piece):
                    self._hand.touch(reader.point)
                    self._changed()
            return self._hand.is_watched
        finally:
            self._stream = None
            with suppress(OSError):
                stream.close()

    def _be_watched(self, *, is_watched: bool) -> None:
        if self._hand.is_watched != is_watched:
            self._hand.is_watched = is_watched
            if not self._closing.is_set():
                log.info("touches are watched" if is_watched else "touches are not watched")
            self._changed()
