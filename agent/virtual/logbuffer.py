"""What `logcat` shows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

LINES_KEPT = 300
_CHINA = timezone(timedelta(hours=8))


class LogBuffer:
    """The last lines, in the form of `logcat -v time`; never private text."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._watchers: list[Callable[[str], None]] = []

    def add(self, tag: str, text: str) -> None:
        """Add a line of level I."""
        at = datetime.fromtimestamp(self._clock() / 1_000, _CHINA)
        line = f"{at:%m-%d %H:%M:%S}.{self._clock() % 1_000:03d} I/{tag:<8}( 1000): {text}"
        self._lines.append(line)
        for watcher in list(self._watchers):
            watcher(line)

    def lines(self) -> list[str]:
        """Return all kept lines, oldest first."""
        return list(self._lines)

    def clear(self) -> None:
        """Forget all lines."""
        self._lines.clear()

    def watch(self, watcher: Callable[[str], None]) -> Callable[[], None]:
        """Call back with each new line; returns the function that ends it."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)
