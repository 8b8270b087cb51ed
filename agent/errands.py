"""One task from begin to end: what is done, what is reported, and how an armed one is settled by looking."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from agent import owner, rest
from agent.assist import Ask
from agent.boottime import boot_id, boot_ms
from agent.commit import Commit
from agent.errors import (
    AgentError,
    DriverError,
    InHand,
    LeaseLost,
    LoggedOut,
    NotOwner,
    OtherFarm,
    PhoneGone,
    PlatformWarning,
    ScreenError,
    Unreadable,
)
from agent.evidence import Evidence, Picture
from agent.grip import Grip
from agent.hostlock import file_name
from agent.intents import Intents
from agent.logs import get_logger
from agent.model import Ended, FriendAddOutcome, LeasedTask, Result, Settings
from agent.outbox import Outbox
from agent.owner import Mark
from agent.verdicts import GiveBack, Look, Settle, after_error, why_not_begin
from agent.wechat import flows
from protos.crashpoint import reach
from protos.facts import PlatformWarned, ScreenUnknown

log = get_logger()
# Why a phone is not this agent's to act on, as shown to people.
OTHER_FARM, NOT_OWNER = "other_farm", "not_owner"
OWNER_EVERY_S = 10.0
# Looks in a row at a phone whose connection breaks, before somebody opens it anew.
LOOKS = 3
# So often an armed task is taken up to be looked at, with the pauses of a phone in trouble in between: a page
# that is never read must not hold the phone for ever, and each look searches for the person anew.
SETTLES = 2


class Errands:
    """Does tasks on one phone; errors that concern the phone go through once the task is taken care of."""

    def __init__(
        self,
        grip: Grip,
        outbox: Outbox,
        intents: Intents,
        evidence: Evidence,
        *,
        may_go_on: Callable[[bool], bool],
        pause: Callable[[float], bool],
        waiting: Callable[[bool], None] = lambda _: None,
        could_act: Callable[[], bool] = lambda: True,
        host: str = "",
    ) -> None:
        self._grip = grip
        self._outbox = outbox
        self._intents = intents
        self._evidence = evidence
        self._may_go_on = may_go_on
        self._pause = pause
        self._waiting = waiting
        self._could_act = could_act
        self._host = host
        self._other = ""
        self._owner_at_s = 0.0
        self._unseen: Counter[str] = Counter()  # by task: how often it was taken up and nothing was seen

    def refuse(self, task: LeasedTask, settings: Settings) -> str:
        """Give a task back that must not be begun; returns the coded reason, empty if it may be begun."""
        reason = why_not_begin(
            task,
            settings,
            phone_epoch=self._outbox.phone_epoch,
            account_seen=self._outbox.account_id,
            now_boot_ms=boot_ms(),
            boot_id=boot_id(),
        )
        reason = reason or self.why_not_owner()
        if reason:
            self._give_back(task, reason)
        return reason

    def why_not_owner(self) -> str:
        """Claim the phone, before anything is touched on it; returns the coded reason if another has it."""
        try:
            owner.claim(self._grip.phone, self._mark())
        except OtherFarm:
            return OTHER_FARM
        except NotOwner:
            return NOT_OWNER
        except LeaseLost:
            return "lease_lost"
        return ""

    def owned_by_other(self) -> str:
        """Return the coded reason if the phone bears another's mark; it is looked at again after a while."""
        now_s = time.monotonic()
        if now_s >= self._owner_at_s:
            reason = self.why_not_owner()
            self._other = reason if reason in (OTHER_FARM, NOT_OWNER) else ""
            self._owner_at_s = now_s + OWNER_EVERY_S if self._other else 0.0
        return self._other

    def _mark(self) -> Mark:
        return owner.mark_of(self._outbox, host=self._host, boot_id=boot_id())

    def do(self, task: LeasedTask, settings: Settings) -> None:
        """Do a task; in assist mode the person at the phone makes the taps that last.

        Raises what went wrong with phone, screen or account, after the task is settled.
        """
        by_machine = not settings.assist

        def arm(object_key: str) -> None:
            self._must_go_on(by_machine=by_machine)
            self._intents.arm(task, object_key)

        def check() -> None:
            self._must_go_on(by_machine=by_machine)
            self._intents.check(task)

        try:
            reach("agent.begun")
            press = self._ask(settings, check).press if settings.assist else None
            commit = Commit(self._grip.phone, arm=arm, check=check, mark=self._mark, press=press)
            self._end(task, flows.act(self._grip.phone, task.action, commit))
        except AgentError as error:
            self._recover(task, error)

    def _ask(self, settings: Settings, check: Callable[[], None]) -> Ask:
        wait_s = settings.assist_wait_ms / 1000
        return Ask(wait_s=wait_s, check=check, waiting=self._waiting, pause=self._pause)

    def settle(self, task: LeasedTask) -> None:
        """Find out by looking what came of an armed task; stays armed and raises if the phone stays away.

        Also while a person uses it, as looking takes touches: InHand; and, the first times, if the screen let
        no look come through: ScreenError. That proves nothing of the tap, and mostly passes.

        Another account sees nothing of what the one that armed it did. One that the page did not show this
        time may be the same: it is looked for again.
        """
        armed_as, seen = self._intents.armed_as(task), self._outbox.account_id
        if armed_as and not seen:
            self._not_seen(task, Unreadable("no account is shown"), self._intents.armed_key(task))
        elif armed_as != seen or not seen:
            self.give_up(task, "the account that armed it is not signed in")
        else:
            self._settle_by_looking(task)

    def _settle_by_looking(self, task: LeasedTask) -> None:
        armed_key = self._intents.armed_key(task)
        for left in reversed(range(LOOKS)):
            try:
                self._end(task, flows.look(self._grip.phone, task.action, armed_key))
            except (PlatformWarning, LoggedOut) as error:
                self._recover(task, error)
            except (PhoneGone, InHand):
                raise
            except DriverError as fault:
                self._grip.again(fault)
                if not left:
                    raise
            except ScreenError as error:
                self._not_seen(task, error, armed_key)
                return
            else:
                return

    def _not_seen(self, task: LeasedTask, error: ScreenError, armed_key: str) -> None:
        """Raise why the screen told nothing, so that it is looked at later; end the task after too often."""
        self._unseen[task.task_id] += 1
        if self._unseen[task.task_id] < SETTLES:
            raise error
        evidence = type(error).__name__
        outcome = FriendAddOutcome.SCREEN_UNREADABLE
        self._end(
            task, Ended(result=Result.UNKNOWN, outcome=outcome, evidence=evidence, object_key=armed_key)
        )

    def give_up(self, task: LeasedTask, evidence: str) -> None:
        """End an armed task that looking cannot settle any more."""
        self._end(task, Ended(result=Result.UNKNOWN, outcome=FriendAddOutcome.ANSWER_LOST, evidence=evidence))

    def return_unarmed(self, cause: str) -> None:
        """Give back every task that was received and not begun."""
        armed = {task.task_id for task in self._intents.armed()}
        for task in self._intents.open_tasks():
            if task.task_id not in armed:
                self._give_back(task, cause)

    def _must_go_on(self, *, by_machine: bool) -> None:
        # A task keeps the mode it began in: a right to ask a person is no right to tap.
        if not self._may_go_on(by_machine):
            raise LeaseLost("this agent is told to stop, or must not act any more")

    def _recover(self, task: LeasedTask, error: AgentError) -> None:
        is_armed = self._intents.is_armed(task)
        log.info("task met trouble", task=task.task_id, trouble=type(error).__name__, is_armed=is_armed)
        if isinstance(error, PlatformWarning):
            # Before the end of the task: a crash in between must not leave a warned account at work.
            self.report_warning(error, task.task_id)
        match after_error(error, is_armed=is_armed, attempt=task.attempt):
            case Settle(ended):
                self._end(task, ended)
            case GiveBack(cause):
                self._give_back(task, cause)
            case Look():
                self._look_after(task, error)
                return
        if not isinstance(error, LeaseLost | NotOwner | OtherFarm):
            raise error

    def _look_after(self, task: LeasedTask, error: AgentError) -> None:
        """Settle an armed task after an error; raises a warning that a toast gave meanwhile.

        While a person uses the phone it stays armed, and InHand goes through.
        """
        warning = None
        if isinstance(error, InHand):
            raise self._last_words(task) or error
        if isinstance(error, DriverError):
            warning = self._last_words(task)
            self._grip.again(error)
        if self.why_not_owner() in (NOT_OWNER, OTHER_FARM):
            # Where another agent works, not even looks go on.
            self.give_up(task, "another agent has the phone")
        else:
            self.settle(task)
        if warning is not None:
            raise warning

    def _last_words(self, task: LeasedTask) -> PlatformWarning | None:
        """Return the warning of a toast, recorded: opening the phone anew forgets what it said."""
        try:
            self._grip.phone.heed_toast()
        except PlatformWarning as warning:
            self.report_warning(warning, task.task_id)
            return warning
        except AgentError:
            pass
        return None

    def report_warning(self, error: PlatformWarning, task_id: str = "") -> None:
        """Record that WeChat warned the account, durably."""
        fact = PlatformWarned(warning=error.warning, surface=error.surface, text=error.text, task_id=task_id)
        rest.begin(self._outbox, fact, could_act=self._could_act())
        log.warning("platform warning", warning=error.warning, surface=error.surface)
        # The picture takes time, and is told of by a second event: the rest must not wait for it.
        picture = self._evidence.keep(self._grip.phone.screenshot, error.warning)
        if picture.name:
            self._outbox.add(replace(fact, picture=picture.name, picture_sha256=picture.sha256))

    def report_blindness(self, cause: str, detail: str, *, may_picture: bool) -> None:
        """Record that the screen cannot be read, with a picture of it for the operator if one may be kept."""
        picture = self._evidence.keep(self._grip.phone.screenshot, cause) if may_picture else Picture()
        self._outbox.add(
            ScreenUnknown(
                activity="",
                cause=cause,
                detail=detail,
                picture=picture.name,
                picture_sha256=picture.sha256,
            )
        )

    def _end(self, task: LeasedTask, ended: Ended) -> None:
        if ended.result is Result.UNKNOWN:
            # A person has to judge it: what the screen shows now may be all there is.
            picture = self._evidence.keep(self._grip.phone.screenshot, f"unknown-{file_name(task.task_id)}")
            ended = replace(ended, picture=picture.name, picture_sha256=picture.sha256)
        self._intents.end(task, ended)
        del self._unseen[task.task_id]
        log.info("task ended", task=task.task_id, result=ended.result, outcome=ended.outcome)

    def _give_back(self, task: LeasedTask, cause: str) -> None:
        self._intents.give_back(task, cause)
        log.info("task given back", task=task.task_id, cause=cause)
