"""Assist mode: the screen is prepared, the person at the phone makes the tap, or does not in time."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent.errors import LeaseLost
from agent.hand import Hand
from agent.phone import Phone
from agent.wechat.screens import Screen
from agent.wechat.spots import Spot

LOOK_EVERY_S = 0.5
# A touch is heard of on another connection than what it did. Buttons act when the finger is lifted: nothing
# of the touch itself comes after it.
HEARD_S = 0.1
# A finger that means the edge of a button may come down so far beside it.
SLOP_PX = 24
OVER = "不用再点了，这一步已取消 No need to tap any more: this step is given up"


class NotPressed(LeaseLost):
    """Nobody made the tap in time."""


class Ask:
    """Asks the person at the phone for one tap at a time and waits for it; makes none itself."""

    def __init__(
        self,
        *,
        wait_s: float,
        check: Callable[[], None],
        waiting: Callable[[bool], None],
        pause: Callable[[float], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wait_s = wait_s
        self._check = check
        self._waiting = waiting
        self._pause = pause
        self._clock = clock

    def press(self, phone: Phone, screen: Screen, spot: Spot, what: str) -> None:  # noqa: ARG002 -- as a machine's tap
        """Say what to tap and wait until the screen shows that it was, or another page came.

        NotPressed when the time is over; LeaseLost as soon as the task must not go on. What the person did is
        for the flow to see.
        """
        label = label_at(screen, spot)
        phone.tell(f"请点一下“{label}” Please tap “{label}” ({round(self._wait_s)} s)")
        self._waiting(True)
        try:
            until_s = self._clock() + self._wait_s
            while self._clock() < until_s:
                self._check()
                seen = phone.screen()
                if seen is not None and (seen.name is not screen.name or label_at(seen, spot) != label):
                    self._pause(HEARD_S)
                    if is_at(phone.hand, screen, spot):
                        # It was asked for: no sign that the person wants the phone. Any other touch is one.
                        phone.hand.forgive(phone.hand.now_s())
                    phone.tell("谢谢，已收到 Thank you")
                    return
                if not self._pause(LOOK_EVERY_S):
                    break
            raise NotPressed
        except LeaseLost:
            phone.tell(OVER)
            raise
        finally:
            self._waiting(False)


def is_at(hand: Hand, screen: Screen, spot: Spot) -> bool:
    """Tell whether the last touch came down on what is under a spot; one of unknown place is thought to."""
    roots = list(screen.page.roots())
    width, height = max(root.box.right for root in roots), max(root.box.bottom for root in roots)
    came_down = hand.came_down(width, height)
    if came_down is None:
        return True
    x, y = came_down
    under = [node.box for node in screen.nodes() if node.clickable and node.box.holds(spot.x, spot.y)]
    box = min(under, key=lambda one: one.width * one.height, default=screen.root.box)
    return box.left - SLOP_PX <= x < box.right + SLOP_PX and box.top - SLOP_PX <= y < box.bottom + SLOP_PX


def label_at(screen: Screen, spot: Spot) -> str:
    """Return the words of the smallest node with words under a spot, empty if there are none."""
    found = [
        node
        for node in screen.nodes()
        if node.label
        and node.box.left <= spot.x < node.box.right
        and node.box.top <= spot.y < node.box.bottom
    ]
    return min(found, key=lambda node: node.box.width * node.box.height).label if found else ""
