"""Looking after one phone between its tasks: does it answer, how is its battery, what may be forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from agent import heap
from agent.errors import LoggedOut
from agent.intents import Intents
from agent.outbox import Outbox
from agent.phone import Phone
from agent.wechat.screens import ScreenName
from agent.wire import Pulse

PING_EVERY_S = 10.0
BATTERY_EVERY_S = 60.0
PURGE_EVERY_S = 3600.0
# Reading a page takes and frees much memory; a host has dozens of agents.
TRIM_EVERY_S = 2.0


class Upkeep:
    """What one phone needs from time to time; nothing of it touches the screen."""

    def __init__(
        self, outbox: Outbox, intents: Intents, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._outbox = outbox
        self._intents = intents
        self._clock = clock
        self._ping_at_s = self._battery_at_s = self._trim_at_s = 0.0
        self._purge_at_s = clock() + PURGE_EVERY_S

    def keep_in_touch(self, phone: Phone, pulse: Pulse) -> Pulse:
        """Do what is due and return the pulse with what is new in it; kinds of DriverError, LoggedOut."""
        now_s = self._clock()
        if now_s >= self._ping_at_s:
            phone.ping()
            screen = phone.screen()
            if screen is not None and screen.name is ScreenName.LOGIN:
                raise LoggedOut
            self._ping_at_s = now_s + PING_EVERY_S
        if now_s >= self._battery_at_s:
            percent, temperature = phone.battery()
            pulse = replace(pulse, battery_percent=percent, temperature_decicelsius=temperature)
            self._battery_at_s = now_s + BATTERY_EVERY_S
        if now_s >= self._purge_at_s:
            self._outbox.purge()
            self._intents.purge()
            self._purge_at_s = now_s + PURGE_EVERY_S
        return pulse

    def trim(self) -> None:
        """Give freed memory back to the host, now and then."""
        now_s = self._clock()
        if now_s >= self._trim_at_s:
            heap.trim()
            self._trim_at_s = now_s + TRIM_EVERY_S
