"""The one place that makes a tap that lasts: of an armed task, on a screen seen right before, once."""

from __future__ import annotations

from collections.abc import Callable

from agent.errors import NotRecognised
from agent.phone import Phone
from agent.wechat.pages import Node
from agent.wechat.screens import Screen, ScreenName


class Commit:
    """The right to make the lasting taps of one task. Flows get this; nothing else makes such a tap."""

    def __init__(self, phone: Phone, *, arm: Callable[[], None], check: Callable[[], None]) -> None:
        self._phone = phone
        self._arm = arm
        self._check = check
        self._is_armed = False

    def arm(self) -> None:
        """Record durably that taps which last come next; once for a task. LeaseLost: nothing was recorded."""
        if self._is_armed:
            raise RuntimeError("this task was armed before")
        self._arm()
        self._is_armed = True

    def tap(self, name: ScreenName, find: Callable[[Screen], Node], *, what: str) -> None:
        """Make one tap that lasts, on the node that `find` picks on the screen as it stands now.

        LeaseLost and NotRecognised: it was not made. AnswerLost: whether it was made only looking tells.
        """
        if not self._is_armed:
            raise RuntimeError("a tap that lasts needs an armed task")
        self._check()
        screen = self._phone.screen()
        if screen is None or screen.name is not name:
            raise NotRecognised(f"{what}: the screen is not {name} any more")
        self._phone.commit(screen.spot(screen.page.pressable(find(screen))))
