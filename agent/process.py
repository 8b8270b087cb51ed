"""The process of one agent: signals, locks, files, and the code it ends with."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from functools import partial

from agent import logs, owner
from agent.ballast import Ballast, Limits
from agent.config import ADB_HOST, AgentConfig
from agent.errors import AgentError, ConfigWrong, PhoneGone
from agent.exits import Exit
from agent.grip import Grip
from agent.hostlock import HostLock, file_name
from agent.logs import get_logger
from agent.outbox import Outbox
from agent.phone import Phone
from agent.runner import NAP_S, Announce, Life
from protos.facts import PhoneFacts

log = get_logger()

# A call to the phone that hangs must not hold up the end: everything is durable at any moment.
STOP_WITHIN_S = 4.5


class _Stop:
    """The wish to end, set by a signal."""

    def __init__(self) -> None:
        self.is_set = False
        self._never = threading.Event()

    def listen(self) -> None:
        signal.signal(signal.SIGTERM, self._hear)
        signal.signal(signal.SIGINT, self._hear)
        signal.signal(signal.SIGALRM, lambda *_: os._exit(Exit.ASKED))

    def _hear(self, *_: object) -> None:
        self.is_set = True
        signal.setitimer(signal.ITIMER_REAL, STOP_WITHIN_S)

    def pause(self, wait_s: float) -> bool:
        """Sleep; False as soon as it is time to stop."""
        until_s = time.monotonic() + wait_s
        while not self.is_set and (left_s := until_s - time.monotonic()) > 0:
            self._never.wait(min(left_s, NAP_S))
        return not self.is_set


def run_process(
    settings: AgentConfig,
    *,
    address: str,
    transport_id: int | None = None,
    slot: str = "",
    announce: Announce = lambda _state, _cause: None,
) -> int:
    """Be the agent of the phone at an adb address until it ends; returns the exit code."""
    logs.set_up(address)
    stop = _Stop()
    stop.listen()
    try:
        return _run(settings, address, transport_id, slot, announce, stop)
    except PhoneGone as error:
        log.warning("phone gone", cause=str(error))
        return Exit.ASKED if stop.is_set else Exit.PHONE_GONE
    except ConfigWrong as error:
        log.critical("configuration wrong", cause=str(error))
        return Exit.CONFIG_WRONG
    except AgentError as error:
        log.critical("agent ends", cause=str(error))
        return Exit.FAILED
    except Exception as error:  # noqa: BLE001 -- the keeper restarts what ended here; this is its last word
        log.critical("agent ends of a fault", fault=type(error).__name__, where=logs.where(error))
        return Exit.FAILED


def _run(
    settings: AgentConfig, address: str, transport_id: int | None, slot: str, announce: Announce, stop: _Stop
) -> Exit:
    with HostLock.take(settings.lock_dir, f"adb-{settings.adb_port}-{address}"):
        open_phone = partial(
            Phone.open,
            address,
            adb_host=ADB_HOST,
            adb_port=settings.adb_port,
            transport_id=transport_id,
        )
        grip = Grip(open_phone, stop.pause)
        try:
            handset = replace(grip.phone.facts(), slot=slot, host=settings.host)
            if not handset.serial:
                raise PhoneGone("the handset does not tell its serial")
            # Virtual phones are no hardware: two farms on one host may use the same serials.
            name = f"{handset.serial}@{address}" if handset.is_virtual else handset.serial
            with HostLock.take(settings.lock_dir, f"phone-{name}"):
                return _live(settings, handset, grip, announce, stop)
        finally:
            grip.close()


def _live(settings: AgentConfig, handset: PhoneFacts, grip: Grip, announce: Announce, stop: _Stop) -> Exit:
    outbox = Outbox.open(
        settings.data_dir / f"outbox-{file_name(handset.serial)}.db",
        ballast=Ballast(settings.data_dir / "ballast", Limits().ballast_bytes),
    )
    try:
        if (mark := owner.read_mark(grip.phone)) is not None:
            outbox.claim_on_phone = mark.claim()
        life = Life(
            settings, handset, grip, outbox, announce, is_stopping=lambda: stop.is_set, pause=stop.pause
        )
        return life.live()
    finally:
        outbox.close()
