"""Errors of the controller: each is one thing a caller can act on; its docstring is its message."""

from __future__ import annotations


class FarmError(Exception):
    """Something about the farm's state stands against this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class UnknownPhone(FarmError):
    """No phone has this number."""


class UnknownJob(FarmError):
    """No job has this id."""


class UnknownConversation(FarmError):
    """No conversation was captured under this name."""


class NumberTaken(FarmError):
    """This number belongs to another phone."""


class SerialTaken(FarmError):
    """This handset already has a number."""


class BadRequest(FarmError):
    """The request cannot be understood."""


class BookWrong(BadRequest):
    """The words and rules cannot be used; the message names the entry, rule or exception."""


class BadRows(FarmError):
    """The list has rows that cannot be used."""


class BookChanged(FarmError):
    """Somebody else changed the words and rules meanwhile; read them again."""


class SafetyRefusal(FarmError):
    """A safety rule stands against this; no flag lifts it."""


class NotAllowed(FarmError):
    """The caller is not signed in or lacks the right."""


class SpoolGap(FarmError):
    """The batch began beyond the next expected event."""

    def __init__(self, message: str | None = None, *, expected_seq: int) -> None:
        super().__init__(message)
        self.expected_seq = expected_seq


class StaleEpoch(FarmError):
    """A newer agent owns this phone."""


class StoreBusy(FarmError):
    """The database is locked by another program."""


class StoreNewer(FarmError):
    """The database was made by a newer release; install that release."""


class StoreUnreachable(FarmError):
    """The database cannot be opened."""


class ConfigWrong(FarmError):
    """The configuration cannot be used."""


class ControllerUnreachable(FarmError):
    """No controller answers at this address."""
