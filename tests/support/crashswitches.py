"""The guards of the road of a lasting tap, each of them switched off: what the crash test has to notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent import runner
from agent.capture.chatlog import Tail
from agent.driver import CALL_LIMIT_S, SHELL_LIMIT_S, Driver
from agent.errors import AnswerLost
from agent.fence import Fence
from agent.intents import Intents
from agent.outbox import Outbox
from agent.phone import Phone
from controller import leases
from controller.transitions import queued_again

# Share of the driver's own time limits; a call that hangs is over after 8 s x this.
PATIENCE = 1 / 4


class HastyDriver(Driver):
    """The driver, in less patience."""

    def call(self, method, *params, within_s=CALL_LIMIT_S, not_after_s=float("inf")):
        return super().call(method, *params, within_s=within_s * PATIENCE, not_after_s=not_after_s)

    def shell(self, command, *, within_s=SHELL_LIMIT_S):
        return super().shell(command, within_s=within_s * PATIENCE)

    def shell_once(self, command, *, within_s=SHELL_LIMIT_S, not_after_s=float("inf")):
        return super().shell_once(command, within_s=within_s * PATIENCE, not_after_s=not_after_s)


class RepeatingFence(Fence):
    """Repeats a tap whose answer was lost, as the stock library repeats every call after a fault."""

    def tap(self, spot, mark):
        try:
            super().tap(spot, mark)
        except AnswerLost:
            super().tap(spot, mark)


class RepeatingPhone(Phone):
    """A phone that taps again when it heard nothing."""

    def __init__(self, driver, **how):
        super().__init__(driver, **how)
        self.fence = RepeatingFence(driver, clock=self.fence.now_s)


class ForgetfulIntents(Intents):
    """Arms without a record: what a crash leaves looks as if it had never been begun."""

    def arm(self, task, object_key=""):
        """Record nothing."""

    def check(self, task):
        """Find nothing wrong."""


class OpenFence(Fence):
    """Taps without a question to the phone."""

    def tap_line(self, spot, hold):
        return f"input tap {spot.x} {spot.y}; echo tapped:0"


class UnfencedPhone(Phone):
    """A phone whose taps do not look at the owner mark."""

    def __init__(self, driver, **how):
        super().__init__(driver, **how)
        self.fence = OpenFence(driver, clock=self.fence.now_s)


def _forget() -> None:
    runner.Intents = ForgetfulIntents


def _refund() -> None:
    """Take an expired lease for one that was never used."""

    def give_up(work, settings):
        for task in work.tx.tasks_without_word(work.now_ms - settings.give_up_ms):
            work.tx.return_permit(task.id, task.attempt)
            work.tx.save_task(queued_again(task, cause="expired", not_before_ms=work.now_ms))
            work.offer()

    leases.give_up = give_up


def _read_all_as_new() -> None:
    """Forget how far a chat was read."""
    Outbox.tail_of = lambda _self, _key: Tail(position=0, bubbles=())


def _lose_the_first() -> None:
    """Write down how far a chat was read, and not all of what was read."""
    whole = Outbox.add_chat

    def add_chat(self, read):
        return whole(self, replace(read, new=read.new[1:]) if len(read.new) > 1 else read)

    Outbox.add_chat = add_chat


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The driver and the phone a process works with, and what is done to it before it begins."""

    driver: type[Driver] = HastyDriver
    phone: type[Phone] = Phone
    apply: Callable[[], None] = lambda: None


SWITCHES: dict[str, Switch] = {
    "": Switch(),
    "no one-shot rule": Switch(phone=RepeatingPhone),
    "no intent": Switch(apply=_forget),
    "no fence": Switch(phone=UnfencedPhone),
    "expiry returns permits": Switch(apply=_refund),
    "no cursor": Switch(apply=_read_all_as_new),
    "a message lost": Switch(apply=_lose_the_first),
}
