"""One task from begin to end: what is done, what is reported, and how an armed one is settled by looking."""

from __future__ import annotations

from collections.abc import Callable

from agent.boottime import boot_id, boot_ms
from agent.commit import Commit
from agent.errors import (
    AgentError,
    DriverError,
    LeaseLost,
    LoggedOut,
    PhoneGone,
    PlatformWarning,
    ScreenError,
)
from agent.grip import Grip
from agent.intents import Intents
from agent.logs import get_logger
from agent.model import Ended, FriendAddOutcome, LeasedTask, Result, Settings
from agent.outbox import Outbox
from agent.verdicts import GiveBack, Look, Settle, after_error, why_not_begin
from agent.wechat import flows
from protos.facts import PlatformWarned

log = get_logger()
LOOKS = 3
LOOK_PAUSE_S = 1.0


class Errands:
    """Does tasks on one phone; errors that concern the phone go through once the task is taken care of."""

    def __init__(
        self,
        grip: Grip,
        outbox: Outbox,
        intents: Intents,
        *,
        may_go_on: Callable[[], bool],
        pause: Callable[[float], bool],
    ) -> None:
        self._grip = grip
        self._outbox = outbox
        self._intents = intents
        self._may_go_on = may_go_on
        self._pause = pause

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
        if reason:
            self._give_back(task, reason)
        return reason

    def do(self, task: LeasedTask) -> None:
        """Do a task. Raises what went wrong with phone, screen or account, after the task is settled."""

        def arm() -> None:
            self._must_go_on()
            self._intents.arm(task)

        def check() -> None:
            self._must_go_on()
            self._intents.check(task)

        try:
            commit = Commit(self._grip.phone, arm=arm, check=check)
            self._end(task, flows.act(self._grip.phone, task.action, commit))
        except AgentError as error:
            self._recover(task, error)

    def settle(self, task: LeasedTask) -> None:
        """Find out by looking what came of an armed task; stays armed if the phone stays away, and raises.

        Another account, or one that is not known, sees nothing of what the one that armed it did.
        """
        armed_as = self._intents.armed_as(task)
        if not armed_as or armed_as != self._outbox.account_id:
            self.give_up(task, "the account that armed it is not signed in")
        else:
            self._settle_by_looking(task)

    def _settle_by_looking(self, task: LeasedTask) -> None:
        last: AgentError | None = None
        for _ in range(LOOKS):
            try:
                self._end(task, flows.look(self._grip.phone, task.action))
            except (PlatformWarning, LoggedOut) as error:
                self._recover(task, error)
            except PhoneGone:
                raise
            except DriverError as fault:
                last = fault
                self._grip.again(fault)
            except ScreenError as error:
                last = error
                self._pause(LOOK_PAUSE_S)
            else:
                return
        if isinstance(last, DriverError):
            raise last
        self._end(
            task,
            Ended(
                result=Result.UNKNOWN,
                outcome=FriendAddOutcome.SCREEN_UNREADABLE,
                evidence=type(last).__name__,
            ),
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

    def _must_go_on(self) -> None:
        if not self._may_go_on():
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
                if isinstance(error, DriverError):
                    self._grip.again(error)
                self.settle(task)
                return
        if not isinstance(error, LeaseLost):
            raise error

    def report_warning(self, error: PlatformWarning, task_id: str = "") -> None:
        """Record that WeChat warned the account, durably."""
        (seq,) = self._outbox.add(
            PlatformWarned(warning=error.warning, surface=error.surface, text=error.text, task_id=task_id)
        )
        self._outbox.remember("warned_seq", str(seq))
        log.warning("platform warning", warning=error.warning, surface=error.surface)

    def _end(self, task: LeasedTask, ended: Ended) -> None:
        self._intents.end(task, ended)
        log.info("task ended", task=task.task_id, result=ended.result, outcome=ended.outcome)

    def _give_back(self, task: LeasedTask, cause: str) -> None:
        self._intents.give_back(task, cause)
        log.info("task given back", task=task.task_id, cause=cause)
