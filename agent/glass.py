"""What stands on a phone's screen: each tree is read once, however often it is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from agent.driver import Driver
from agent.wechat.pages import Box, Health, Page, read_page
from agent.wechat.truetext import Sighting

# A full page of WeChat is 24 levels deep.
MAX_DEPTH = 50
DUMP_LIMIT_S = 8.0
# What the system itself shows: its clock changes for nothing. Compiled before the fork, once for all phones.
_SYSTEM = re.compile(r'<node [^>]*package="com\.android\.systemui"[^>]*>')
NOTHING = Page("", "", (), Health.OK, 0.0)


class Glass:
    """Looks at one phone; used by one thread at a time. `clock` gives seconds."""

    def __init__(self, driver: Driver, *, clock: Callable[[], float]) -> None:
        self._driver = driver
        self._clock = clock
        self._read: tuple[str, str, bytes] = ("", "", b"")
        self._page = NOTHING
        self._seen, self._glimpse = "", b""

    def page(self) -> Page:
        """Return what is on the screen now, whatever it is."""
        # A dump may take seconds, and shows what was there at its begin.
        read_at_s = self._clock()
        package, activity = self._driver.in_front()
        xml = self._dump()
        read = (package, activity, _digest(xml))
        if read != self._read:
            self._page = read_page(xml, package=package, activity=activity, read_at_s=read_at_s)
            self._read = read
        # To see that a tree is the same is far cheaper than to read it again.
        return replace(self._page, read_at_s=read_at_s)

    def glimpse(self) -> bytes:
        """Return a digest of what is on the screen without the system's own bars: the cheapest look.

        Equal ones tell that nothing changed; a text that changes from one emoji to another is not seen.
        """
        xml = self._dump()
        if xml is not self._seen:  # the driver gives the same tree again if the phone sent the same bytes
            self._seen, self._glimpse = xml, _digest(_SYSTEM.sub("", xml))
        return self._glimpse

    def _dump(self) -> str:
        return str(self._driver.call("dumpWindowHierarchy", False, MAX_DEPTH, within_s=DUMP_LIMIT_S) or "")


def _digest(xml: str) -> bytes:
    return blake2b(xml.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def sighting(record: dict[str, Any]) -> Sighting:
    """Return a text and where it stands from what the server on the phone tells of a view."""
    bounds = record.get("visibleBounds") or record.get("bounds") or {}
    left, top, right, bottom = (int(bounds.get(side, 0)) for side in ("left", "top", "right", "bottom"))
    return Sighting(Box(left, top, right, bottom), str(record.get("text") or ""))
