"""What is said to a phone about its owner, and the tap it guards; for agent.owner and Phone.commit only."""

from __future__ import annotations

from collections.abc import Callable

from agent import owner
from agent.driver import Driver
from agent.errors import LeaseLost, NotOwner
from agent.owner import Hold, Mark
from agent.wechat.spots import Spot

# Starting `input` takes a slow phone some seconds.
TAP_LIMIT_S = 8.0


class Fence:
    """One connection's view of the owner mark; `hold` is None until the phone is claimed through it."""

    def __init__(self, driver: Driver, *, clock: Callable[[], float]) -> None:
        self._driver = driver
        self.now_s = clock  # the clock that sights are timed by
        self.hold: Hold | None = None

    def look(self) -> str:
        """Return the phone's uptime and, on the next line, its owner mark as it stands there."""
        return self._driver.shell_once(owner.LOOK_LINE)

    def put(self, found: Mark | None, mark: Mark) -> str:
        """Put a mark in the place of the one found; return the mark that stands there then."""
        return self._driver.shell_once(owner.put_line(found, mark))

    def drop(self) -> None:
        """Take the mark off."""
        self._driver.shell_once(owner.DROP_LINE)

    def tap(self, spot: Spot, mark: Mark) -> None:
        """Tap once if the phone bears this mark and by its clock the sight is fresh; see Phone.commit."""
        if self.hold is None or self.hold.mark != mark:
            raise NotOwner("this connection has not claimed the phone")
        line = self.tap_line(spot, self.hold)
        not_after_s = spot.read_at_s + owner.TAP_LIFE_S
        try:
            owner.hear_tap(self._driver.shell_once(line, within_s=TAP_LIMIT_S, not_after_s=not_after_s))
        except (LeaseLost, NotOwner):
            # Who holds the phone, or how its clock stands, is not as was thought: the next claim finds out.
            self.hold = None
            raise

    def tap_line(self, spot: Spot, hold: Hold) -> str:
        """Return the shell line that checks and taps."""
        from_s, to_s = owner.window(hold, spot.read_at_s)
        return owner.tap_line(hold.mark, spot.x, spot.y, from_s=from_s, to_s=to_s)
