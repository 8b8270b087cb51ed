"""The one place that makes a tap that lasts: of an armed task, on a screen seen right before, once."""

from __future__ import annotations

from collections.abc import Callable

from agent import owner
from agent.errors import NotRecognised, TooLate
from agent.owner import Mark
from agent.phone import SIGHT_LIFE_S, Phone
from agent.wechat.pages import Node
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.spots import Spot
from protos.crashpoint import reach

# A dump that took longer than a sight may be old is made again so often.
LOOKS = 3

# Who makes the tap instead of the machine: gets the phone, the screen as just seen, where and what for.
Press = Callable[[Phone, Screen, Spot, str], None]


class Commit:
    """The right to make the lasting taps of one task. Flows get this; nothing else makes such a tap.

    `arm` records that they come next, and on which object; `check` raises LeaseLost when there must be none
    any more; `mark` is this agent's owner mark in the present epoch; `press` has a person make them, else the
    machine does.
    """

    def __init__(
        self,
        phone: Phone,
        *,
        arm: Callable[[str], None],
        check: Callable[[], None],
        mark: Callable[[], Mark],
        press: Press | None = None,
    ) -> None:
        self._phone = phone
        self._arm = arm
        self._check = check
        self._mark = mark
        self._press = press
        self._is_armed = False

    def arm(self, object_key: str = "") -> None:
        """Claim the phone, then record durably that taps which last come next; once for a task.

        `object_key` is the digest of what is acted on, for who settles this task after a crash.
        LeaseLost, NotOwner, OtherFarm, InHand: nothing was recorded.
        """
        if self._is_armed:
            raise RuntimeError("this task was armed before")
        self._phone.heed_toast()
        owner.claim(self._phone, self._mark())
        # Where a person is at work, nothing is begun that cannot be taken back.
        self._phone.hand.ask()
        self._arm(object_key)
        self._is_armed = True

    def tap(self, name: ScreenName, find: Callable[[Screen], Node], *, what: str) -> None:
        """Make one tap that lasts, on the node that `find` picks on the screen as it stands now.

        LeaseLost, NotOwner, NotRecognised, InHand and PlatformWarning: it was not made. AnswerLost: only
        looking tells whether it was.
        """
        if not self._is_armed:
            raise RuntimeError("a tap that lasts needs an armed task")
        mark = self._mark()
        owner.claim(self._phone, mark)
        # A toast fades while the page it came over goes on as if nothing had been said.
        self._phone.heed_toast()
        screen = self._sight(name, what)
        spot = screen.spot(screen.page.pressable(find(screen)))
        # Last of all: what came before may have taken some of the lease.
        self._check()
        reach("agent.before_tap")
        if self._press is not None:
            self._press(self._phone, screen, spot, what)
        else:
            self._machine_tap(spot, mark)
        reach("agent.after_tap")

    def _machine_tap(self, spot: Spot, mark: Mark) -> None:
        try:
            self._phone.commit(spot, mark)
        except TooLate:
            # Who slept that long may have been replaced: then not even looks go on, NotOwner says so.
            owner.claim(self._phone, self._mark())
            raise

    def _sight(self, name: ScreenName, what: str) -> Screen:
        """Return the screen as it stands now, seen so short a time ago that it may be tapped on."""
        for _ in range(LOOKS):
            screen = self._phone.screen()
            if screen is None or screen.name is not name:
                raise NotRecognised(f"{what}: the screen is not {name} any more")
            if self._phone.age_s(screen) < SIGHT_LIFE_S:
                return screen
        raise NotRecognised(f"{what}: looking at the screen takes longer than a sight may be old")
