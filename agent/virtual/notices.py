"""Scripted warnings: what the platform will say to an account, when, where, and for how long."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.virtual.accounts import Account
    from agent.virtual.scenario import Warn
    from agent.virtual.truth import Truth


class Surface(StrEnum):
    """Where a platform warning is shown."""

    DIALOG = "dialog"
    PAGE = "page"  # whole: a web page, or the activity its class has of its own
    TOAST = "toast"
    TEXT = "text"  # under the search box, in place of a result
    BANNER = "banner"  # below the bar of the list of chats and of each chat, until it is called off
    SYSTEM_LINE = "system_line"  # grey, in the chat just written in, else in that of 微信团队
    LOGIN = "login"  # the page to sign in; so it stays until somebody does
    VERIFY = "verify"  # a page that demands a proof of who is there


class Moment(StrEnum):
    """What brings a warning about."""

    NOW = "now"
    HOME = "home"  # the list of chats comes to the front
    SEARCH = "search"
    ADD = "add"  # a tap on 添加到通讯录
    SEND = "send"  # sending a friend request
    LIKE = "like"
    ACCEPT = "accept"
    REPLY = "reply"  # sending a message


# They speak of the account, not of one act: whoever asks again is told again.
OF_THE_ACCOUNT = frozenset({"TOO_FREQUENT", "RISK_ACCOUNT", "REALNAME", "VERSION_TOO_LOW", "WECOM_ERRORS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A platform warning that waits to be shown."""

    warning: str
    surface: Surface
    text: str = ""  # in place of the usual wording
    form: int = 0  # which of the wordings seen, the usual one first
    at: Moment = Moment.NOW
    is_standing: bool = False  # shown each time until it is called off
    until_ms: int | None = None  # a standing one is over then

    def stops(self, moment: Moment) -> bool:
        """Tell whether it stands in place of what was asked for."""
        if self.surface in (Surface.BANNER, Surface.SYSTEM_LINE):
            return False
        return self.surface is not Surface.TOAST or moment is not Moment.SEARCH


def planned(warn: Warn, until_ms: int | None = None) -> list[Notice]:
    """Return what a scripted warning puts up; without a moment it comes at once, as `text` at a search.

    At a moment warnings of the account stand, others come once. One that is to stand from now on is shown
    now, and again whenever the home page comes to the front. ValueError: a `text` that is not of a search.
    """
    surface = Surface(warn.surface)
    at = Moment(warn.at or (Moment.SEARCH if surface is Surface.TEXT else Moment.NOW))
    if surface is Surface.TEXT and at is not Moment.SEARCH:
        raise ValueError("text stands under the search box: it comes at a search")
    is_of_moment = at is not Moment.NOW and (warn.warning in OF_THE_ACCOUNT or surface is Surface.TEXT)
    one = Notice(
        warning=warn.warning,
        surface=surface,
        text=warn.text,
        form=warn.form,
        at=at,
        is_standing=is_of_moment or until_ms is not None if warn.standing is None else warn.standing,
        until_ms=until_ms,
    )
    if at is Moment.NOW and one.is_standing and surface is not Surface.BANNER:
        return [replace(one, is_standing=False), replace(one, at=Moment.HOME)]
    return [one]


def take(notices: deque[Notice], moment: Moment, now_ms: int) -> list[Notice]:
    """Return what is due at this moment, as it is shown now; what comes once is taken off the list."""
    over = [one for one in notices if one.until_ms is not None and one.until_ms <= now_ms]
    for one in over:
        notices.remove(one)
    due = [one for one in notices if one.at is moment]
    for one in due:
        if not one.is_standing:
            notices.remove(one)
    return [replace(one, at=Moment.NOW, is_standing=False) for one in due]


class Notices:
    """What the platform says to accounts; it counts as said once it is shown."""

    def __init__(self, truth: Truth, clock: Callable[[], int], time_scale: float) -> None:
        self._truth, self._clock, self._time_scale = truth, clock, time_scale

    def script(self, account: Account, warn: Warn) -> None:
        """Plan a warning of an account; ValueError if it cannot be shown like that."""
        lasts_ms = None if warn.lasts_s is None else round(warn.lasts_s * 1000 * self._time_scale)
        for notice in planned(warn, None if lasts_ms is None else self._clock() + lasts_ms):
            account.notices.append(notice)
            if notice.at is Moment.NOW:
                self._said(account, notice)

    def calm(self, account: Account) -> None:
        """Call all warnings of an account off; if it was signed out, somebody signs in."""
        account.notices.clear()
        account.banner, account.is_logged_out = None, False
        account.calmed += 1
        self._truth.calmed(account.account_id)

    def is_warned_off(self, account: Account, moment: Moment) -> bool:
        """Tell whether a warning answers a tap that lasts; it is shown by that."""
        self._truth.tapped(account.account_id)
        stops, _ = self.meet(account, moment)
        if stops:
            self._truth.refused(account.account_id, moment)
        return bool(stops)

    def meet(self, account: Account, moment: Moment) -> tuple[list[Notice], list[Notice]]:
        """Show what is due at this moment; return what stands in place of what was asked for, and the rest.

        What stands under the search box is for the caller to show.
        """
        due = take(account.notices, moment, self._clock())
        for notice in due:
            if notice.surface is not Surface.TEXT:
                account.notices.append(notice)
            self._said(account, notice)
        stops = [one for one in due if one.stops(moment)]
        return stops, [one for one in due if one not in stops]

    def _said(self, account: Account, notice: Notice) -> None:
        self._truth.warned(account.account_id, notice.warning, notice.surface, self._clock())
