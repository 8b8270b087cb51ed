"""One address outside that can be told something: the only place that knows apprise."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Callable

from controller.errors import ConfigWrong

# Says a title and a text; returns why that did not succeed, empty if it did.
Say = Callable[[str, str], str]

_LOGGER = "apprise"
_CONNECT_S = 5.0
_READ_S = 10.0
_STATUS = re.compile(r"error=(\d{3})\b")
_NO_LINK = "connection error"


class _Heard(logging.Handler):
    """Keeps of what the library warns about only the number of an answer: the rest may hold secrets."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._causes: dict[int, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Remember the cause by the thread that failed."""
        said = record.getMessage()
        if status := _STATUS.search(said):
            self._causes[threading.get_ident()] = f"http_{status[1]}"
        elif _NO_LINK in said.lower():
            self._causes[threading.get_ident()] = "no_connection"

    def take(self) -> str:
        """Return the last cause of this thread, and forget it."""
        return self._causes.pop(threading.get_ident(), "")


_heard = _Heard()


def notifier(address: str) -> Say:
    """Return the way to an address of apprise; ConfigWrong if it is none. Nothing is sent yet."""
    with warnings.catch_warnings():
        # One of its hundred services still asks for a module that a later Python leaves out.
        warnings.filterwarnings("ignore", message=".*imghdr.*", category=DeprecationWarning)
        import apprise
        from apprise.conversion import convert_between

        _silence()
        asset = apprise.AppriseAsset(app_id="Phonefarm", app_desc="", app_url="", storage_mode="memory")
        service = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if service is None:
        # The address is a secret as a whole.
        raise ConfigWrong("is no address that apprise understands")
    service.socket_connect_timeout, service.socket_read_timeout = _CONNECT_S, _READ_S

    def say(title: str, body: str) -> str:
        _heard.take()
        # A name out of a chat must not become a link or a heading there.
        text = convert_between(apprise.NotifyFormat.TEXT, service.notify_format, content=body)  # type: ignore[no-untyped-call] # typed in part
        try:
            # Not through its pool: that would keep this process from ending while a target hangs.
            was_told = bool(service.notify(body=text, title=title))
        except Exception as error:  # noqa: BLE001 any of its services may raise anything; its words may be secret
            return type(error).__name__
        return "" if was_told else _heard.take() or "refused"

    return say


def _silence() -> None:
    logger = logging.getLogger(_LOGGER)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    if _heard not in logger.handlers:
        logger.addHandler(_heard)
