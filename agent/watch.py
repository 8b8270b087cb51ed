"""Watching the chats of one phone: whether they may be read, when they are opened, what was covered."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from agent.boottime import wall_ms
from agent.capture.passive import Passive
from agent.capture.sweep import Sweeper, may_capture
from agent.coverage import Coverage
from agent.errors import DriverError, InHand, ScreenError
from agent.hand import Hand
from agent.model import Settings
from agent.outbox import Outbox
from agent.phone import Phone
from agent.shownnotice import ShownNotice
from agent.signedin import SignedIn
from agent.wechat.pages import Page
from agent.wechat.screens import ScreenName
from agent.wechat.sense import blindness
from agent.windows import is_open
from protos.facts import CoverageState, PhoneState

if TYPE_CHECKING:
    from agent.capture.pictures import Pictures

# How often the screen is looked at while nothing is due. A message that shows in between is in the store
# within this time, the nap of the thread (0.25 s) and one visit to its chat (about 0.3 s): within 1.5 s also
# where fifty phones share two cores. A look costs this host 0.3 ms and a phone about 100 ms.
LOOK_EVERY_S = 0.5
# Changes that were no messages make looks lead to a sweep less and less often, up to the pause of sweeps.
FRUITLESS_GROWTH = 2.0
# Sweeps whose last end lies further back do not count as watching; nor does a task that takes so long.
SEEN_LIFE_S = 600.0
# Words of the pages on which WeChat changes the account; private and group chats never bear them as labels.
_SWITCH_WORDS = frozenset({"切换账号", "切换帐号", "切換帳號", "登录其他账号", "Switch Account"})


class ChatWatch:
    """Reads chats as the controller's settings allow; used by the thread of the phone.

    `media` is the folder for pictures and how many bytes it may hold; without one none are taken.
    """

    def __init__(
        self,
        outbox: Outbox,
        settings: Callable[[], Settings],
        hand: Hand,
        account: SignedIn,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], int] = wall_ms,
        media: tuple[Path, int] | None = None,
    ) -> None:
        self._outbox = outbox
        self._media = media
        self._pictures: Pictures | None = None
        self._settings = settings
        self._hand = hand
        self._account = account
        self._clock = clock
        self._wall = wall
        self._sweeper = Sweeper(
            outbox, settings, clock=clock, pictures=self.pictures, may_keep=self._may_keep
        )
        self._passive = Passive(outbox, settings, self.pictures)
        self.coverage = Coverage(outbox, wall=wall, clock=clock)
        self._notice = ShownNotice()
        self._glimpse = b""
        self._look_at_s = 0.0
        self._sweep_at_s = 0.0
        self._cue_at_s = 0.0
        self._cue_pause_s = LOOK_EVERY_S
        self._swept_at_s = float("-inf")
        self._busy_from_s: float | None = None
        self._blind = ""

    # ---- what may be done

    def why_unread(self) -> str:
        """Return the coded reason why no chat may be read now, empty if they may."""
        settings = self._settings()
        if not settings.capture_allowed:
            return "no_notice"
        if not may_capture(settings, self._outbox.account_id):
            is_known = settings.account_id and self._outbox.account_id
            return "account_mismatch" if is_known else "account_unknown"
        if settings.capture_mode == "off":
            return "off"
        if self._outbox.is_full:
            return "disk_full"
        if not is_open(settings.capture_windows, settings.time_zone, self._wall()):
            return "outside_hours"
        return "account_not_checked" if self._account.is_doubtful else ""

    def why_unopened(self) -> str:
        """Return the coded reason why chats that may be read must not be opened now, empty if they may."""
        settings = self._settings()
        if settings.capture_mode != "sweep":
            return "passive_mode"
        if not is_open(settings.sweep_windows, settings.time_zone, self._wall()):
            return "outside_sweep_hours"
        # Who cannot see a person's touches would tap against them.
        return "" if self._hand.is_watched else "hand_not_watched"

    def may_open(self) -> bool:
        """Tell whether a chat may be opened now."""
        return not self.why_unread() and not self.why_unopened()

    def pictures(self) -> Pictures | None:
        """Return what takes pictures of chats, None unless the policy allows it: nothing is loaded then."""
        if self._media is None or self._settings().media != "pictures" or self.why_unread():
            self._pictures = None
        elif self._pictures is None:
            from agent.capture.pictures import Pictures
            from agent.media import Media

            folder, limit_bytes = self._media
            self._pictures = Pictures(
                Media(folder, limit_bytes=limit_bytes), self._settings, lambda: not self.why_unread()
            )
        return self._pictures

    def may_picture(self) -> bool:
        """Tell whether a picture of the whole screen may be kept as evidence: of what may be read only."""
        return self.why_unread() in ("", "disk_full", "account_unknown")

    def _may_keep(self) -> bool:
        """Tell whether what is being read may still be kept: hours end, and notices are taken back."""
        return self.why_unread() in ("", "disk_full")

    # ---- doing it

    def look(self, phone: Phone, may_go_on: Callable[[], bool]) -> None:
        """Do what is due while the phone is left alone: look, and sweep if that or the time calls for it.

        `may_go_on` is asked before each chat. Raises kinds of DriverError and ScreenError, LoggedOut and
        PlatformWarning.
        """
        if not self._is_shown(phone):
            return
        if self.why_unopened():
            self.read_passively(phone)
            return
        now_s = self._clock()
        has_changed = self._has_changed(phone)
        is_cued = now_s >= self._cue_at_s and (has_changed or self._sweeper.is_due())
        if (is_cued or now_s >= self._sweep_at_s) and may_go_on():
            self._sweep(phone, may_go_on, is_cued=is_cued)

    def _sweep(self, phone: Phone, may_go_on: Callable[[], bool], *, is_cued: bool) -> None:
        highest = self._outbox.highest
        try:
            with self._hand.relied_on():
                is_whole = self._sweeper.sweep(phone, may_go_on)
        except InHand:
            if self._hand.is_on():
                raise
            self.wear_out()  # nobody sees touches any more: what was begun is left as it stands
            return
        now_s = self._clock()
        pause_s = self._settings().sweep_pause_ms / 1000
        if is_whole:
            self._sweep_at_s = now_s + pause_s
            self._swept_at_s = now_s
        self._blind = ""
        self._glimpse = phone.glimpse()
        self._look_at_s = now_s + LOOK_EVERY_S
        if self._outbox.highest > highest:
            self._cue_pause_s = LOOK_EVERY_S
        elif is_cued:
            self._cue_pause_s = min(self._cue_pause_s * FRUITLESS_GROWTH, max(pause_s, LOOK_EVERY_S))
        self._cue_at_s = now_s + self._cue_pause_s

    def read_passively(self, phone: Phone) -> None:
        """Read what a person has in front, without a touch, if anything there has changed.

        A screen that cannot be read is no error here: it is covered as blind. Raises kinds of DriverError,
        LoggedOut and PlatformWarning.
        """
        if not self._is_shown(phone) or not self._has_changed(phone):
            return
        # Until it was read to its end it counts as changed, whatever breaks.
        glimpse, self._glimpse = self._glimpse, b""
        try:
            screen = phone.screen()
            is_read = True
            if screen is None or screen.name not in (ScreenName.CHAT, ScreenName.CHATS):
                # Who signs in where somebody was signed out may be anybody.
                is_signing_in = screen is not None and screen.name is ScreenName.LOGIN
                self._account.is_doubtful |= is_signing_in or has_switch(phone.page())
            else:
                self._passive.look(phone)
                is_read = self._passive.is_read
        except ScreenError as error:
            self._blind = blindness(error).cause
        else:
            self._blind = ""
            self._glimpse = glimpse if is_read else b""

    def wear_out(self) -> None:
        """Let the next look count as one that found something: the phone was used for something else."""
        self._glimpse = b""

    def _has_changed(self, phone: Phone) -> bool:
        """Tell whether it is time to look and the screen is not as at the last look."""
        now_s = self._clock()
        if now_s < self._look_at_s:
            return False
        self._look_at_s = now_s + LOOK_EVERY_S
        glimpse = phone.glimpse()
        has_changed, self._glimpse = glimpse != self._glimpse, glimpse
        return has_changed

    def _is_shown(self, phone: Phone) -> bool:
        """Have the phone show whether its chats are read; tells whether they may be."""
        if self.why_unread():
            self._notice.end(phone.shade)
            return False
        self._notice.keep(phone.shade, self._settings().shown_notice, self._clock())
        return True

    # ---- what was covered

    def cover(self, state: str, cause: str) -> None:
        """Note how well the chats are watched while the phone is in this state."""
        now_s = self._clock()
        if state != PhoneState.BUSY:
            self._busy_from_s = None
        elif self._busy_from_s is None:
            self._busy_from_s = now_s
        self.coverage.be(
            *standing(
                state,
                cause,
                why_unread=self.why_unread(),
                why_unopened=self.why_unopened(),
                blind=self._blind,
                swept_ago_s=now_s - self._swept_at_s,
                busy_s=now_s - self._busy_from_s if self._busy_from_s is not None else 0.0,
            )
        )

    def end(self, phone: Phone) -> None:
        """Close what is open: the chats are not watched from here on; never raises for the phone."""
        self.coverage.end()
        with suppress(DriverError):
            self._notice.end(phone.shade)


_PAUSED = (PhoneState.BACKOFF, PhoneState.LOGGED_OUT, PhoneState.NO_NOTICE, PhoneState.UNAUTHORIZED)


def standing(
    state: str,
    cause: str,
    *,
    why_unread: str,
    why_unopened: str,
    blind: str,
    swept_ago_s: float,
    busy_s: float,
) -> tuple[CoverageState, str]:
    """Return how well chats are watched in a state of the phone, and why no better. Pure."""
    paused = why_unread or (str(state) if state in _PAUSED else "")
    if state == PhoneState.BUSY and busy_s > SEEN_LIFE_S:
        paused = paused or "busy"
    if paused:
        return CoverageState.PAUSED, paused
    if state in (PhoneState.PREPARING, PhoneState.ABSENT):
        return CoverageState.BLIND, "preparing"
    if state == PhoneState.BLIND or blind:
        return CoverageState.BLIND, blind or cause
    if state == PhoneState.IN_HAND or why_unopened:
        return CoverageState.PASSIVE, "in_hand" if state == PhoneState.IN_HAND else why_unopened
    if swept_ago_s > SEEN_LIFE_S:
        return CoverageState.PAUSED, "not_swept"
    return CoverageState.SEEN, ""


def has_switch(page: Page, words: Collection[str] = _SWITCH_WORDS) -> bool:
    """Tell whether a page offers to change the account that is signed in."""
    return any(node.text in words or node.desc in words for node in page.nodes)
