"""How tasks end: the forms of an end, and how an armed one is settled by looking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from agent.errors import AgentError, DialogOpen, LeaseLost, PlatformWarning, ScreenError
from agent.model import Ended, FriendAddOutcome, Result
from agent.phone import Phone
from agent.wechat.steps import leave_dialog
from agent.wechat.warnings import Unknown

# What was just done may not be shown yet: what is absent is looked for again after this pause.
ABSENT_AGAIN_S = 4.0
# A page that moved under a look, as when a message comes or the peer accepts, says nothing: so often it is
# looked at anew.
LOOKS = 3
LOOK_PAUSE_S = 1.0

T = TypeVar("T")
Look = Callable[[], Ended]


def done(outcome: str, evidence: str, peer_name: str = "") -> Ended:
    """Return the end of a task that had its effect."""
    return Ended(result=Result.DONE, outcome=outcome, evidence=evidence, peer_name=peer_name)


def not_done(outcome: str, evidence: str, peer_name: str = "") -> Ended:
    """Return the end of a task that had no effect."""
    return Ended(result=Result.NOT_DONE, outcome=outcome, evidence=evidence, peer_name=peer_name)


def unknown(outcome: str, evidence: str, peer_name: str = "") -> Ended:
    """Return the end of a task whose effect is not known."""
    return Ended(result=Result.UNKNOWN, outcome=outcome, evidence=evidence, peer_name=peer_name)


def coded(dialog: DialogOpen) -> str:
    """Return what a dialog was, without its words: they may name a person."""
    return f"dialog: {dialog.kind or 'unknown words'}"


def before_arming(phone: Phone, work: Callable[[], Ended | None]) -> Ended | None:
    """Do what comes before arming; a dialog known to be harmless ends the task. None: go on."""
    try:
        return work()
    except DialogOpen as dialog:
        leave_dialog(phone)
        return not_done(dialog.outcome or FriendAddOutcome.UNEXPECTED_DIALOG, coded(dialog))


def settled(phone: Phone, work: Callable[[], Ended], look: Look) -> Ended:
    """Return how armed work ended; what goes wrong on the screen is settled by looking, never by a tap.

    Raises PlatformWarning, with what was done if that could be seen, LoggedOut, DriverError, and ScreenError
    if no look came through.
    """
    with _settling(phone, look):
        try:
            return work()
        except DialogOpen as dialog:
            leave_dialog(phone)
            return after_dialog(phone, dialog, look)
        except (ScreenError, LeaseLost):
            return look_twice(phone, look)


def settled_by_looking(phone: Phone, look: Look) -> Ended:
    """Return what came of an armed task of which nothing is known; raises as `settled`."""
    with _settling(phone, look):
        return look_twice(phone, look)


def after_dialog(phone: Phone, dialog: DialogOpen, look: Look) -> Ended:
    """Return what came of an armed task met by a dialog; one that is no answer proves nothing."""
    if dialog.outcome:
        return not_done(dialog.outcome, coded(dialog))
    with suppress(ScreenError):
        seen = look_twice(phone, look)
        if seen.result is Result.DONE:
            return seen
    return unknown(FriendAddOutcome.UNEXPECTED_DIALOG, coded(dialog))


def look_twice(phone: Phone, look: Look) -> Ended:
    """Look, and look again after a pause before saying that nothing was done; ScreenError as `patiently`."""
    ended = _looked(phone, look)
    if ended.outcome == FriendAddOutcome.NOT_SENT:
        phone.rest(ABSENT_AGAIN_S)
        ended = _looked(phone, look)
    return ended


def patiently(phone: Phone, look: Callable[[], T]) -> T:
    """Return what a look tells, begun again where the screen did not let it come to its end.

    ScreenError: none of them came through, which proves nothing. DialogOpen: it is closed, and came each
    time or is an answer about the person.
    """
    for left in reversed(range(LOOKS)):
        try:
            return look()
        except DialogOpen as dialog:
            leave_dialog(phone)
            if dialog.outcome or not left:
                raise
        except ScreenError:
            if not left:
                raise
        phone.rest(LOOK_PAUSE_S)
    raise AssertionError


@contextmanager
def _settling(phone: Phone, look: Look) -> Iterator[None]:
    """Look what came of an armed task before an unknown dialog or page stops the account."""
    try:
        yield
    except PlatformWarning as warning:
        if warning.warning in set(Unknown) and warning.settled is None:
            leave_dialog(phone)
            # The warning counts more than what keeps us from looking; without a look nothing is proved.
            with suppress(AgentError):
                warning.settled = look_twice(phone, look)
        raise


def _looked(phone: Phone, look: Look) -> Ended:
    try:
        return patiently(phone, look)
    except DialogOpen as dialog:
        return unknown(FriendAddOutcome.UNEXPECTED_DIALOG, coded(dialog))
