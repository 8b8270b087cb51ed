"""Sends alerts: one thread for each target, so that none waits for another, and the core for none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

import structlog

from controller.alertbook import Outgoing
from controller.alerts import Target
from controller.core import Core
from controller.corethread import CoreThread
from controller.errors import ConfigWrong, FarmError
from controller.logs import log_outline
from controller.notifier import Say, notifier

T = TypeVar("T")

log = structlog.get_logger()

_PAUSE_S = 2.0
# Longer than the library's own time-outs: for names that do not resolve, and answers that drip.
_DEADLINE_S = 30.0
_TIMEOUT = "timeout"
_UNKNOWN = "unknown target"


class _Stopped(Exception):
    """The controller ends."""


class Alerting:
    """The senders of this controller; without targets there are none, and nothing is loaded."""

    def __init__(
        self,
        core: Core,
        thread: CoreThread,
        addresses: Mapping[str, str],
        *,
        make: Callable[[str], Say] = notifier,
        pause_s: float = _PAUSE_S,
        deadline_s: float = _DEADLINE_S,
    ) -> None:
        self._core = core
        self._thread = thread
        self._pause_s = pause_s
        self._deadline_s = deadline_s
        self._ways = {name: _way(name, address, make) for name, address in addresses.items()}
        self._hanging: dict[str, threading.Thread] = {}
        self._stop = threading.Event()
        self._senders: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to send what waits."""
        for name in self._ways:
            sender = threading.Thread(target=self._send_all, args=(name,), name=f"alerts-{name}", daemon=True)
            self._senders.append(sender)
            sender.start()

    def stop(self, within_s: float) -> None:
        """Send nothing more, and wait for what is on its way; what hangs longer is sent again later."""
        self._stop.set()
        for sender in self._senders:
            sender.join(within_s / len(self._senders))

    def try_out(self, target: Target) -> str:
        """Tell a target that this is a test; returns why it could not be told, empty if it was."""
        if target.language == "zh":
            return self._say(target.name, "违规告警（测试）", "这是一条测试消息，没有发生违规。")
        return self._say(target.name, "Violation (test)", "This is a test: nothing was found.")

    def _send_all(self, name: str) -> None:
        while not self._stop.is_set():
            try:
                is_idle = not self._send_one(name)
            except _Stopped:
                return
            except FarmError as error:
                log.warning("alerts wait", target=name, error=type(error).__name__)
                is_idle = True
            except Exception as error:  # noqa: BLE001 nobody awaits this thread: it would end without a word
                log_outline("alerts wait", error, target=name)
                is_idle = True
            if is_idle:
                self._stop.wait(self._pause_s)

    def _send_one(self, name: str) -> bool:
        outgoing = self._on_core(partial(self._core.alerts.take, name))
        if outgoing is None:
            return False
        error = self._say(name, outgoing.title, outgoing.body)
        self._on_core(partial(self._tell, outgoing, error))
        if error:
            log.warning("alert not sent", target=name, error=error, tries=outgoing.tries)
        return True

    def _tell(self, outgoing: Outgoing, error: str) -> None:
        if error:
            self._core.alerts.not_sent(outgoing, error)
        else:
            self._core.alerts.sent(outgoing)

    def _say(self, name: str, title: str, body: str) -> str:
        """Say something within the deadline; a call that hangs is left alone, and no second one begins."""
        if name not in self._ways:
            return _UNKNOWN
        hanging = self._hanging.get(name)
        if hanging is not None and hanging.is_alive():
            return _TIMEOUT
        told: list[str] = []
        call = threading.Thread(
            target=lambda: told.append(self._ways[name](title, body)), name=f"alert-to-{name}", daemon=True
        )
        call.start()
        call.join(self._deadline_s)
        if call.is_alive():
            self._hanging[name] = call
            return _TIMEOUT
        return told[0] if told else "failed"

    def _on_core(self, call: Callable[[], T]) -> T:
        done: Future[T] = Future()

        def turn() -> None:
            try:
                done.set_result(call())
            except BaseException as error:  # noqa: BLE001 raised where it is waited for
                done.set_exception(error)

        try:
            self._thread.submit(turn)
        except RuntimeError:
            raise _Stopped from None  # the core's thread has ended
        while True:
            try:
                return done.result(timeout=1.0)
            except TimeoutError:
                if done.done():
                    raise
                if self._stop.is_set():
                    raise _Stopped from None


def _way(name: str, address: str, make: Callable[[str], Say]) -> Say:
    try:
        return make(address)
    except ConfigWrong as error:
        raise ConfigWrong(f"alert target {name}: {error}") from None
