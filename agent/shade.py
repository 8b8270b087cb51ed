"""The notification shade of a phone: what we put there for its holder, and what stands there."""

from __future__ import annotations

import shlex
from contextlib import suppress

from agent.driver import Driver
from agent.errors import Refused


class Shade:
    """Notifications of one phone; all methods raise kinds of DriverError."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def post(self, tag: str, title: str, text: str) -> None:
        """Show a notification; it replaces the one of this tag. Android 10 and newer; others show none."""
        words = shlex.join(["-t", title, tag, text])
        with suppress(Refused):
            self._driver.shell(f"cmd notification post -S bigtext {words}")

    def has(self, tag: str) -> bool:
        """Tell whether a notification of ours with this tag stands there."""
        with suppress(Refused):
            return f"|{tag}|" in self._driver.shell("cmd notification list")
        return False
