"""What follows from an error in the middle of a task, and whether a task may be begun: pure decisions."""

from __future__ import annotations

from dataclasses import dataclass

from agent.errors import (
    AgentError,
    DriverError,
    InHand,
    InTheWay,
    LeaseLost,
    LoggedOut,
    NotNow,
    NotOwner,
    OtherFarm,
    PlatformWarning,
    ScreenError,
    UnknownVersion,
    Unreadable,
    WrongLanguage,
)
from agent.intents import LEASE_MARGIN_MS
from agent.model import Ended, FriendAddOutcome, LeasedTask, Result, Settings

# A row that leads to a screen we do not know would otherwise come back for ever.
TRIES_ON_UNKNOWN_SCREENS = 3


@dataclass(frozen=True, slots=True)
class Settle:
    """The task is over."""

    ended: Ended


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Nothing irreversible was done: the task goes back."""

    cause: str


@dataclass(frozen=True, slots=True)
class Look:
    """The tap may have been made: the screen has to tell."""


Verdict = Settle | GiveBack | Look


def after_error(error: AgentError, *, is_armed: bool, attempt: int = 1) -> Verdict:
    """Return what becomes of a task that ended with an error."""
    if isinstance(error, PlatformWarning):
        return Settle(_warned(error, is_armed=is_armed))
    return _after_arming(error) if is_armed else _before_arming(error, attempt)


def _warned(error: PlatformWarning, *, is_armed: bool) -> Ended:
    if isinstance(error.settled, Ended):
        return error.settled
    # A warning after the tap proves nothing about the tap.
    result = Result.UNKNOWN if is_armed else Result.NOT_DONE
    return Ended(result=result, outcome=FriendAddOutcome.WARNED, evidence=error.warning)


def _after_arming(error: AgentError) -> Verdict:
    if isinstance(error, LoggedOut):
        # Whether and when somebody signs in again is not known; nothing is repeated meanwhile.
        return Settle(
            Ended(result=Result.UNKNOWN, outcome=FriendAddOutcome.ANSWER_LOST, evidence="signed out")
        )
    return Look()


_CAUSES = {NotOwner: "not_owner", OtherFarm: "other_farm", LoggedOut: "logged_out", InHand: "in_hand"}


def _before_arming(error: AgentError, attempt: int) -> Verdict:
    match error:
        case LeaseLost() | NotOwner() | OtherFarm() | LoggedOut() | InHand():
            return GiveBack(_CAUSES.get(type(error), "lease_lost"))
        case Unreadable() | UnknownVersion() | WrongLanguage() | InTheWay():
            # The phone's fault, not the task's, however often it comes back.
            return GiveBack("screen_unreadable")
        case NotNow():
            return GiveBack("not_now")
        case ScreenError() if attempt >= TRIES_ON_UNKNOWN_SCREENS:
            return Settle(
                Ended(
                    result=Result.NOT_DONE,
                    outcome=FriendAddOutcome.SCREEN_UNREADABLE,
                    evidence=type(error).__name__,
                )
            )
        case ScreenError():
            return GiveBack("screen_not_recognised")
        case DriverError():
            return GiveBack(f"phone_{type(error).__name__}")
        case _:
            return GiveBack(type(error).__name__)


def why_not_begin(
    task: LeasedTask,
    settings: Settings,
    *,
    phone_epoch: int,
    account_seen: str,
    now_boot_ms: int,
    boot_id: str,
) -> str:
    """Return the coded reason why a task must not be begun, empty if it may."""
    if not may_act(settings):
        return "must_not_act"
    if task.boot_id != boot_id or task.until_boot_ms - now_boot_ms < LEASE_MARGIN_MS:
        return "lease_lost"
    if task.phone_epoch != phone_epoch:
        return "stale_epoch"
    if not settings.account_id or settings.account_id != account_seen:
        return "account_mismatch"
    return ""


def may_act(settings: Settings) -> bool:
    """Tell whether tasks may be done at all, whoever makes the taps that last."""
    return settings.unattended or settings.assist


def is_lifted(*, is_archived: bool, could_act: bool, has_new_word: bool, settings: Settings) -> bool:
    """Tell whether the controller has let an account act again after a warning.

    While an account rests it may not act in any mode, so a word that allows it, said after the warning was
    archived, is that of the person who lifted the rest. An account that could not act gets no task anyway.
    """
    if not is_archived:
        return False
    return not could_act or (has_new_word and may_act(settings))
