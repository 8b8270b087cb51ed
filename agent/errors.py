"""Errors of the agent, typed by what may happen next; the docstring is the message."""

from __future__ import annotations


class AgentError(Exception):
    """The agent cannot go on with this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class DriverError(AgentError):
    """The phone did not do as asked."""


class NotSent(DriverError):
    """Nothing was sent to the phone; repeating is safe."""


class AnswerLost(DriverError):
    """The request went out, no usable answer came: its effect is unknown. Only reads may be repeated."""


class Refused(DriverError):
    """The phone answered with an error that names its cause."""


class PhoneGone(DriverError):
    """The phone is unplugged, offline, or another plug-in than before."""


class NotOurs(DriverError):
    """Another program holds uiautomation on this phone."""


class ScreenError(AgentError):
    """The screen is not what this step needs."""


class Unreadable(ScreenError):
    """The tree of the screen is empty or without sense; nothing may be tapped."""


class NotRecognised(ScreenError):
    """No known page was recognised in time."""


class NotInTime(NotRecognised):
    """What was waited for did not come in time."""

    def __init__(self, message: str | None = None, *, what: str) -> None:
        super().__init__(message or f"{what} did not come in time")
        self.what = what


class ChatNotListed(NotRecognised):
    """The list of chats has no such row."""


class DialogOpen(ScreenError):
    """A dialog stands in the way."""

    def __init__(self, message: str | None = None, *, text: str, outcome: str = "", kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind  # class of its words, "" if none is known
        self.text = text  # kept out of the message: it may name a person
        self.outcome = outcome  # what it answers about the person looked for, "" if it is not known


class PlatformWarning(AgentError):
    """WeChat warned this account; it must stop."""

    def __init__(
        self, message: str | None = None, *, warning: str, surface: str, text: str, settled: object = None
    ) -> None:
        super().__init__(message or f"WeChat showed {warning} on a {surface}")
        self.warning = warning
        self.surface = surface
        self.text = text  # the platform's words; kept out of the message on purpose
        self.settled = settled  # an agent.model.Ended if the armed tap's outcome was seen all the same


class LeaseLost(AgentError):
    """The lease of this task is over or too near its end; no commit tap may follow."""


class LoggedOut(AgentError):
    """WeChat on this phone is signed out; a person signs in."""


class AlreadyRunning(AgentError):
    """Another agent on this host owns this phone."""


class ConfigWrong(AgentError):
    """The configuration cannot be used."""


class AdbUnusable(AgentError):
    """No usable adb server."""


class OutboxNewer(ConfigWrong):
    """The file of events was written by a newer release; install that release."""
