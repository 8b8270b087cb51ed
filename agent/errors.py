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


class InHand(NotSent):
    """A person uses the phone: nothing is injected until it was left alone for a while."""


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

    def __init__(self, message: str | None = None, *, health: str = "scrambled") -> None:
        super().__init__(message)
        self.health = health  # what is wrong with it: empty, scrambled or webview


class NotRecognised(ScreenError):
    """No known page was recognised in time."""


class NotInTime(NotRecognised):
    """What was waited for did not come in time."""

    def __init__(self, message: str | None = None, *, what: str) -> None:
        super().__init__(message or f"{what} did not come in time")
        self.what = what


class Moved(NotRecognised):
    """What was to be touched is not where it was a moment before; it was not touched."""


class UnknownVersion(NotRecognised):
    """This build of WeChat is not known to the agent; it is read by nobody and nothing is tapped."""

    def __init__(
        self, message: str | None = None, *, version_name: str, version_code: int, installer: str
    ) -> None:
        super().__init__(message)
        self.version_name = version_name
        self.version_code = version_code
        self.installer = installer  # package that installed the client, "" if none is named


class WrongLanguage(NotRecognised):
    """WeChat speaks another language than the one the agent reads."""


class InTheWay(NotRecognised):
    """A window of another program stands over WeChat and does not go away."""

    def __init__(self, message: str | None = None, *, package: str) -> None:
        super().__init__(message)
        self.package = package


class ChatNotListed(NotRecognised):
    """The list of chats has no such row."""


class TwoChatsOneName(NotRecognised):
    """In the list of chats two chats bear this name; which is which it does not tell."""


class ChatExcluded(NotRecognised):
    """This chat is one that is not to be read; nothing of it was."""


class NotNow(ScreenError):
    """WeChat says that it cannot be reached now; this passes by itself."""

    def __init__(self, message: str | None = None, *, kind: str) -> None:
        super().__init__(message)
        self.kind = kind  # class of its words


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


class NotOwner(AgentError):
    """Another agent holds this phone: its mark stands there. The tap was not made."""


class OtherFarm(AgentError):
    """The phone belongs to another farm until an operator takes it over: farm-agent claim --take-over."""


class TooLate(LeaseLost):
    """The tap reached the phone when its time was over; it was not made."""


class LoggedOut(AgentError):
    """WeChat on this phone is signed out; a person signs in."""


class AlreadyRunning(AgentError):
    """Another agent on this host owns this phone."""


class ConfigWrong(AgentError):
    """The configuration cannot be used."""


class AdbUnusable(AgentError):
    """No usable adb server."""


class OutboxFull(AgentError):
    """There is no room for more events; nothing was kept of this. Chats stay as they are until there is."""


class OutboxNewer(ConfigWrong):
    """The file of events was written by a newer release; install that release."""
