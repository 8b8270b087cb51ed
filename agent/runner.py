"""The life of one phone: settle what was begun, then tasks and chats in turn, until there is an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version

import msgspec

from agent import heap
from agent.capture.sweep import Sweeper, may_capture
from agent.config import AgentConfig
from agent.errands import Errands
from agent.errors import (
    DriverError,
    LoggedOut,
    PhoneGone,
    PlatformWarning,
    ScreenError,
    Unreadable,
)
from agent.exits import Exit
from agent.grip import Grip
from agent.intents import Intents
from agent.logs import get_logger
from agent.model import LeasedTask, Settings
from agent.outbox import Outbox
from agent.session import Greeting, Session
from agent.verdicts import is_lifted
from agent.wechat import identity
from agent.wechat.screens import ScreenName
from agent.wire import Pulse
from protos.facts import PhoneFacts, PhoneState, PhoneStateChanged, ScreenUnknown

log = get_logger()
Announce = Callable[[str, str], None]

# Read once: looking it up costs 1.3 MiB, in each of forty processes.
VERSION = version("phonefarm")

# How long the main thread sleeps at most: a signal sets a flag and nothing else.
NAP_S = 0.25
PING_EVERY_S = 10.0
BATTERY_EVERY_S = 60.0
# The account is read again before a task or a sweep when it was last read longer ago than this.
ACCOUNT_LIFE_S = 60.0
# Pauses while the screen cannot be read, WeChat is signed out or the account is another.
TROUBLE_PAUSES_S = (2.0, 5.0, 10.0, 30.0)
REST_S = 600.0
FLUSH_S = 1.0
PURGE_EVERY_S = 3600.0
# Reading a page takes and frees much memory; a host has dozens of agents.
TRIM_EVERY_S = 2.0


class Life:
    """One phone from here on. `live` blocks and returns how the process ends."""

    def __init__(
        self,
        settings: AgentConfig,
        phone: PhoneFacts,
        grip: Grip,
        outbox: Outbox,
        announce: Announce,
        *,
        is_stopping: Callable[[], bool],
        pause: Callable[[float], bool],
    ) -> None:
        self._settings = settings
        self._grip = grip
        self._outbox = outbox
        self._announce = announce
        self._is_stopping = is_stopping
        self._pause = pause
        self._intents = Intents(outbox)
        self._errands = Errands(grip, outbox, self._intents, may_go_on=self._may_tap, pause=pause)
        self._pulse = Pulse(state="")
        remembered = outbox.recall("settings")
        self._session = Session(
            target=settings.controller,
            greeting=Greeting(phone=phone, version=VERSION),
            outbox=outbox,
            intents=self._intents,
            pulse=lambda: self._pulse,
            # A recorded notice lasts while the controller is away; the right to act does not.
            settings=replace(msgspec.json.decode(remembered, type=Settings), unattended=False)
            if remembered
            else Settings(),
        )
        self._settings_count = 0
        self._started_s = time.monotonic()
        self._was_connected = False
        self._troubles = 0
        self._try_at_s = 0.0
        self._account_at_s = float("-inf")
        self._ping_at_s = 0.0
        self._battery_at_s = 0.0
        self._sweep_at_s = 0.0
        # The controller's words heard when the warning was archived; what it allows later is said after it.
        warned = int(outbox.recall("warned_seq") or 0)
        self._words_at_rest: int | None = 0 if 0 < warned <= outbox.acked else None
        self._sweeper = Sweeper(outbox)
        self._purge_at_s = self._started_s + PURGE_EVERY_S
        self._trim_at_s = 0.0

    def live(self) -> Exit:
        """Work until there is a reason to end; raises PhoneGone and NotOurs."""
        self._enter(PhoneState.PREPARING)
        self._session.start()
        try:
            self._settle_what_was_begun()
            while (end := self._why_end()) is None:
                self._guarded(self._turn)
                self._rest()
            self._enter(PhoneState.ABSENT, "agent stopped")
        except PhoneGone:
            self._enter(PhoneState.ABSENT, "no connection to the phone")
            raise
        finally:
            self._session.close(flush_s=FLUSH_S)
        return end

    # ---- turns

    def _guarded(self, step: Callable[[], None]) -> None:
        """Do a step; what is wrong with account, screen or connection becomes a state and a later try."""
        try:
            step()
        except PlatformWarning as warning:
            if not self._outbox.recall("warned_seq"):
                self._errands.report_warning(warning)
            self._outbox.remember("was_unattended", str(int(self._session.settings.unattended)))
            self._outbox.remember("warning", warning.warning)
            # A warning that still stands on the screen must not become an event every few seconds.
            self._try_at_s = time.monotonic() + REST_S
            self._enter(PhoneState.BACKOFF, warning.warning)
        except LoggedOut:
            self._trouble(PhoneState.LOGGED_OUT, "WeChat is signed out")
        except ScreenError as error:
            cause = "unreadable" if isinstance(error, Unreadable) else "not_recognised"
            if self._pulse.state != PhoneState.BLIND:
                self._outbox.add(ScreenUnknown(activity="", cause=cause))
            self._trouble(PhoneState.BLIND, cause)
        except DriverError as fault:
            self._enter(PhoneState.PREPARING, "connection to the phone")
            self._grip.again(fault)
            self._account_at_s = float("-inf")

    def _trouble(self, state: PhoneState, cause: str) -> None:
        """Enter a state that only a later look can end; the pauses between looks grow."""
        wait_s = TROUBLE_PAUSES_S[min(self._troubles, len(TROUBLE_PAUSES_S) - 1)]
        self._troubles += 1
        self._try_at_s = time.monotonic() + wait_s
        self._account_at_s = float("-inf")
        self._enter(state, cause)

    def _settle_what_was_begun(self) -> None:
        """Before anything else on this phone: end what a crash left open."""
        self._errands.return_unarmed("agent_restarted")
        while self._intents.armed() and self._why_end() is None:
            self._guarded(self._settle_armed)
            self._rest()

    def _settle_armed(self) -> None:
        if self._outbox.recall("warned_seq"):
            for task in self._intents.armed():
                self._errands.give_up(task, "warned")
            return
        if time.monotonic() < self._try_at_s:
            return
        expected = self._session.settings.account_id
        seen = self._read_account()
        for task in self._intents.armed():
            if expected and seen and seen != expected:
                self._errands.give_up(task, "another account is signed in")
            else:
                self._errands.settle(task)

    def _turn(self) -> None:
        self._hear_settings()
        if self._intents.armed():
            self._settle_armed()
            return
        now_s = time.monotonic()
        if self._is_resting():
            self._return_offers("resting")
            return
        if now_s < self._try_at_s:
            self._return_offers(self._pulse.state)
            return
        self._keep_in_touch(now_s)
        if self._account_at_s == float("-inf"):
            self._read_account()
        if not self._check_account():
            return
        self._work(now_s)
        if self._check_account():  # it was perhaps read again meanwhile
            self._troubles = 0
            self._enter(PhoneState.READY)

    def _work(self, now_s: float) -> None:
        task = next(iter(self._intents.open_tasks()), None)
        if task is not None:
            self._do(task)
        elif now_s >= self._sweep_at_s:
            self._sweep()

    def _do(self, task: LeasedTask) -> None:
        self._refresh_account()
        if self._errands.refuse(task, self._session.settings):
            return
        self._enter(PhoneState.BUSY)
        self._errands.do(task)

    def _sweep(self) -> None:
        """Read the chats with something new in them, until a task comes."""
        if self._may_read_next() and self._sweeper.sweep(self._grip.phone, self._may_read_next):
            self._sweep_at_s = time.monotonic() + self._session.settings.sweep_pause_ms / 1000

    def _may_read_next(self) -> bool:
        """Tell whether a chat may be opened now; another account may have signed in since the last look."""
        if self._is_stopping() or self._intents.open_tasks() or not self._may_capture():
            return False
        self._refresh_account()
        return self._may_capture()

    def _refresh_account(self) -> None:
        if time.monotonic() - self._account_at_s > ACCOUNT_LIFE_S:
            self._read_account()

    def _may_capture(self) -> bool:
        return may_capture(self._session.settings, self._outbox.account_id)

    def _return_offers(self, cause: str) -> None:
        # A task may cross with the wish that was taken back.
        self._errands.return_unarmed(cause)

    # ---- looking after the phone

    def _keep_in_touch(self, now_s: float) -> None:
        if now_s >= self._ping_at_s:
            self._grip.phone.ping()
            screen = self._grip.phone.screen()
            if screen is not None and screen.name is ScreenName.LOGIN:
                raise LoggedOut
            self._ping_at_s = now_s + PING_EVERY_S
        if now_s >= self._battery_at_s:
            percent, temperature = self._grip.phone.battery()
            self._pulse = replace(self._pulse, battery_percent=percent, temperature_decicelsius=temperature)
            self._battery_at_s = now_s + BATTERY_EVERY_S
        if now_s >= self._purge_at_s:
            self._outbox.purge()
            self._intents.purge()
            self._purge_at_s = now_s + PURGE_EVERY_S

    def _read_account(self) -> str:
        seen = identity.read_account(self._grip.phone)
        self._account_at_s = time.monotonic()
        if seen != self._outbox.account_id:
            self._outbox.account_id = seen
            self._pulse = replace(self._pulse, account_id=seen)
            self._session.beat()
        return seen

    def _check_account(self) -> bool:
        expected, seen = self._session.settings.account_id, self._outbox.account_id
        if not seen:
            self._trouble(PhoneState.PREPARING, "the account is not shown")
        elif expected and seen != expected:
            self._trouble(PhoneState.QUARANTINED, "account_mismatch")
        else:
            return True
        self._return_offers("account_mismatch")
        return False

    def _is_resting(self) -> bool:
        warned = self._outbox.recall("warned_seq")
        if not warned:
            return False
        is_archived = self._outbox.acked >= int(warned)
        if is_archived and self._words_at_rest is None:
            self._words_at_rest = self._session.settings_count
        lifted = is_lifted(
            is_archived=is_archived,
            was_unattended=self._outbox.recall("was_unattended") != "0",
            has_new_word=self._session.settings_count > (self._words_at_rest or 0),
            settings=self._session.settings,
        )
        if not lifted:
            self._enter(PhoneState.BACKOFF, self._outbox.recall("warning"))
            return True
        self._outbox.remember("warned_seq", "")
        self._words_at_rest = None
        self._account_at_s = float("-inf")
        if self._session.settings.unattended:
            self._try_at_s = 0.0  # a person has said so
        return False

    # ---- the controller

    def _may_tap(self) -> bool:
        """Tell whether nobody has taken back the right to act; asked right before each tap that lasts."""
        session = self._session
        is_ending = self._is_stopping() or bool(session.stop_reason) or session.failure is not None
        return session.settings.unattended and not is_ending

    def _hear_settings(self) -> None:
        if self._session.settings_count == self._settings_count:
            return
        self._settings_count = self._session.settings_count
        self._outbox.remember("settings", msgspec.json.encode(self._session.settings).decode())
        if self._pulse.state == PhoneState.QUARANTINED:
            self._try_at_s = 0.0  # another account may be expected now

    def _why_end(self) -> Exit | None:
        if self._session.failure is not None:
            raise self._session.failure
        if self._is_stopping():
            return Exit.ASKED
        if self._session.stop_reason:
            log.warning("controller ended this agent", reason=self._session.stop_reason)
            return Exit.ASKED
        self._was_connected = self._was_connected or self._session.is_connected
        limit_s = self._settings.controller_lost_s
        if limit_s and not self._was_connected and time.monotonic() - self._started_s >= limit_s:
            return Exit.CONTROLLER_LOST
        return None

    def _rest(self) -> None:
        is_free = self._pulse.state == PhoneState.READY and not self._intents.open_tasks()
        self._session.want(1 if is_free and self._session.settings.unattended else 0)
        if time.monotonic() >= self._trim_at_s:
            heap.trim()
            self._trim_at_s = time.monotonic() + TRIM_EVERY_S
        self._session.wake.wait(NAP_S)
        self._session.wake.clear()

    def _enter(self, state: PhoneState, cause: str = "") -> None:
        if (state, cause) == (self._pulse.state, self._pulse.cause):
            return
        self._pulse = replace(self._pulse, state=state, cause=cause)
        self._outbox.add(PhoneStateChanged(state=state, cause=cause))
        self._session.beat()
        self._announce(state, cause)
