"""What stands on a phone's screen: each tree is read once, however often it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from agent.driver import Driver
from agent.trees import Tree
from agent.wechat.pages import Box, Health, Page, read_page
from agent.wechat.truetext import Sighting

DUMP_LIMIT_S = 8.0
NOTHING = Page("", "", (), Health.OK, 0.0)


class Glass:
    """Looks at one phone; used by one thread at a time. `clock` gives seconds."""

    def __init__(self, driver: Driver, *, clock: Callable[[], float]) -> None:
        self._driver = driver
        self._clock = clock
        self._read: tuple[str, str, Tree | None] = ("", "", None)
        self._page = NOTHING

    def page(self) -> Page:
        """Return what is on the screen now, whatever it is."""
        # A dump may take seconds, and shows what was there at its begin.
        read_at_s = self._clock()
        # In this order: a new activity is in front before its page is drawn, so that what is drawn when it is
        # asked for belongs to it. The other way round the first sight of a page would not be recognised, and
        # another page that took its place after that sight would be taken for the first.
        tree = self._driver.dump(within_s=DUMP_LIMIT_S)
        package, activity = self._driver.in_front()
        read = (package, activity, tree)
        if read != self._read:
            self._page = read_page(tree.xml, package=package, activity=activity, read_at_s=read_at_s)
            self._read = read
        # To see that a tree is the same is far cheaper than to read it again.
        return replace(self._page, read_at_s=read_at_s)

    def glimpse(self) -> bytes:
        """Return a digest of what is on the screen without the system's own bars: the cheapest look.

        Equal ones tell that nothing changed; a text that changes from one emoji to another is not seen.
        """
        return self._driver.dump(within_s=DUMP_LIMIT_S).glimpse()


def sighting(record: dict[str, Any]) -> Sighting:
    """Return a text and where it stands from what the server on the phone tells of a view."""
    bounds = record.get("visibleBounds") or record.get("bounds") or {}
    left, top, right, bottom = (int(bounds.get(side, 0)) for side in ("left", "top", "right", "bottom"))
    return Sighting(Box(left, top, right, bottom), str(record.get("text") or ""))
