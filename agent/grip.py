"""Holding one phone: opened with patience, opened again after a fault, given up when it is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from agent.errors import AnswerLost, DriverError, NotSent, PhoneGone, Refused
from agent.hand import Hand, HandWatch, Touches
from agent.kernelinput import Panels
from agent.logs import get_logger
from agent.phone import Phone

log = get_logger()
T = TypeVar("T")

# A phone that just came needs some seconds until its services run.
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)


class Grip:
    """`phone` is the handset as last opened; `pause` sleeps seconds, False says that it is time to stop."""

    def __init__(self, open_phone: Callable[[], Phone], pause: Callable[[float], bool]) -> None:
        self._open = open_phone
        self._pause = pause
        self.hand = Hand()
        self.phone = self._patiently()

    def again(self, fault: DriverError) -> None:
        """Open the phone anew after a fault; PhoneGone when it stays away, NotOurs when another has it."""
        if isinstance(fault, PhoneGone):
            raise fault
        log.warning("phone is opened again", fault=type(fault).__name__)
        learned = self.phone.client.learned
        self.phone.close()
        self.phone = self._patiently()
        self.phone.client.learn(learned)

    def watch_hand(self, *, changed: Callable[[], None]) -> HandWatch:
        """Return a watch of this phone's touches, not begun yet, however often the phone is opened again."""

        def follow() -> Touches:
            return self.phone.touches()

        def panels() -> Panels:
            return self.phone.panels()

        return HandWatch(self.hand, follow, panels, changed=changed)

    def close(self) -> None:
        """End what runs on the phone for us."""
        self.phone.close()

    def _patiently(self) -> Phone:
        last: DriverError = PhoneGone()
        for wait_s in PAUSES_S:
            try:
                phone = self._open()
            except (NotSent, AnswerLost, Refused) as fault:
                last = fault
                log.info("phone does not answer yet", fault=type(fault).__name__)
            else:
                # Whichever way the phone is spoken to, its person is the same.
                phone.heed(self.hand)
                return phone
            if not self._pause(wait_s):
                break
        raise PhoneGone(f"the phone cannot be opened: {last}") from last
