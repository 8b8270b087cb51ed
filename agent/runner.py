"""The life of one phone: settle what was begun, then tasks and chats in turn, until there is an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version

from agent import lastword
from agent.capture.sweep import may_capture
from agent.config import AgentConfig
from agent.ending import Ending
from agent.errands import Errands
from agent.errors import (
    DriverError,
    InHand,
    LoggedOut,
    NotNow,
    OutboxFull,
    PhoneGone,
    PlatformWarning,
    ScreenError,
)
from agent.evidence import Evidence
from agent.exits import Exit
from agent.grip import Grip
from agent.hostlock import file_name
from agent.intents import Intents
from agent.logs import get_logger
from agent.model import LeasedTask
from agent.observe import Observer
from agent.outbox import Outbox
from agent.rest import Rest
from agent.session import Greeting, Session
from agent.signedin import SignedIn
from agent.upkeep import Upkeep
from agent.verdicts import may_act
from agent.watch import ChatWatch
from agent.wechat.calibration import calibrate
from agent.wechat.sense import blindness
from agent.wire import Pulse
from protos.facts import PhoneFacts, PhoneState, PhoneStateChanged

log = get_logger()
Announce = Callable[[str, str], None]

# Read once: looking it up costs 1.3 MiB, in each of forty processes.
VERSION = version("phonefarm")

# How long the main thread sleeps at most: a signal sets a flag and nothing else.
NAP_S = 0.25
# Pauses while the screen cannot be read, WeChat is signed out or the account is another.
TROUBLE_PAUSES_S = (2.0, 5.0, 10.0, 30.0)
REST_S = 600.0
FLUSH_S = 1.0
# Cause of `busy` while the person at the phone is asked for a tap.
WAITS_FOR_TAP = "waits_for_tap"
# The watch of touches needs a moment to begin; without it for longer the state says so.
UNWATCHED_S = 5.0
# What a person who uses the phone is told of all the same: only a person can end it.
_STAYS = (PhoneState.LOGGED_OUT, PhoneState.QUARANTINED)


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
        self._grip = grip
        self._outbox = outbox
        self._announce = announce
        self._is_stopping = is_stopping
        self._pause = lambda wait_s: self._still() and pause(wait_s)
        self._intents = Intents(outbox)
        self._errands = Errands(
            grip,
            outbox,
            self._intents,
            Evidence(settings.data_dir / "evidence" / file_name(phone.serial)),
            may_go_on=self._may_tap,
            pause=self._pause,
            waiting=lambda on: self._enter(PhoneState.BUSY, WAITS_FOR_TAP if on else ""),
            could_act=lambda: not self._session.settings_count or may_act(self._session.settings),
            host=settings.host,
        )
        self._pulse = Pulse(state="")
        self._session = Session(
            target=settings.controller,
            greeting=Greeting(phone=phone, version=VERSION),
            outbox=outbox,
            intents=self._intents,
            pulse=lambda: self._pulse,
            settings=lastword.recall(outbox),
        )
        grip.phone.client.learn(self._session.settings.tables)
        self._settings_count = 0
        self._ending = Ending(self._session, is_stopping, settings.controller_lost_s)
        self._troubles = 0
        self._try_at_s = 0.0
        self._account = SignedIn(outbox, self._heard_account)
        self._watched_at_s = time.monotonic()
        self._rest_after_warning = Rest(outbox)
        self._observer = Observer(outbox)
        self._upkeep = Upkeep(outbox, self._intents)
        self._hand = grip.hand
        self._hand_watch = grip.watch_hand(changed=self._session.wake.set)
        self._watch = ChatWatch(
            outbox, lambda: self._session.settings, self._hand, self._account, media=settings.media
        )

    def live(self) -> Exit:
        """Work until there is a reason to end; raises PhoneGone and NotOurs."""
        self._watch.coverage.recover()
        self._enter(PhoneState.PREPARING)
        self._session.start()
        self._hand_watch.start()
        try:
            self._settle_what_was_begun()
            while (end := self._ending.why()) is None:
                self._guarded(self._turn)
                self._rest()
            self._watch.end(self._grip.phone)
            self._enter(PhoneState.ABSENT, "agent stopped")
        except PhoneGone:
            self._watch.coverage.end()
            self._enter(PhoneState.ABSENT, "no connection to the phone")
            raise
        finally:
            self._hand_watch.close()
            self._session.close(flush_s=FLUSH_S)
        return end

    # ---- turns

    def _guarded(self, step: Callable[[], None]) -> None:
        """Do a step; what is wrong with account, screen or connection becomes a state and a later try."""
        try:
            step()
        except PlatformWarning as warning:
            if not self._rest_after_warning.is_on:
                self._errands.report_warning(warning)
            # A warning that still stands on the screen must not become an event every few seconds.
            self._try_at_s = time.monotonic() + REST_S
            self._enter(PhoneState.BACKOFF, warning.warning)
        except InHand:
            self._let_go()
        except (LoggedOut, ScreenError, OutboxFull) as error:
            self._trouble(*self._seen_trouble(error))
        except DriverError as fault:
            self._enter(PhoneState.PREPARING, "connection to the phone")
            self._grip.again(fault)
            self._account.wear_out()

    def _seen_trouble(self, error: LoggedOut | ScreenError | OutboxFull) -> tuple[PhoneState, str]:
        """Return the state an error puts the phone in, and why; a new blindness is told with a picture."""
        if isinstance(error, LoggedOut):
            return PhoneState.LOGGED_OUT, "WeChat is signed out"
        if isinstance(error, OutboxFull):
            return PhoneState.PREPARING, "disk_full"
        if isinstance(error, NotNow):
            return PhoneState.PREPARING, error.kind
        why = blindness(error)
        if (self._pulse.state, self._pulse.cause) != (PhoneState.BLIND, why.cause):
            self._errands.report_blindness(why.cause, why.detail, may_picture=self._watch.may_picture())
        return PhoneState.BLIND, why.cause

    def _trouble(self, state: PhoneState, cause: str) -> None:
        """Enter a state that only a later look can end; the pauses between looks grow."""
        wait_s = TROUBLE_PAUSES_S[min(self._troubles, len(TROUBLE_PAUSES_S) - 1)]
        self._troubles += 1
        self._try_at_s = time.monotonic() + wait_s
        self._account.wear_out()
        self._enter(state, cause)

    def _settle_what_was_begun(self) -> None:
        """Before anything else on this phone: end what a crash left open."""
        self._errands.return_unarmed("agent_restarted")
        while self._intents.armed() and self._ending.why() is None:
            self._hear_settings()
            self._guarded(self._settle_armed)
            self._rest()

    def _settle_armed(self) -> None:
        if self._rest_after_warning.is_on:
            for task in self._intents.armed():
                self._errands.give_up(task, "warned")
            return
        if self._session.calibration:
            # A build that nobody knows yet would keep the task armed for ever.
            self._calibrate()
            return
        if time.monotonic() < self._try_at_s:
            return
        if self._hand.is_on():
            self._be_in_hand()  # looking takes touches
            return
        expected = self._session.settings.account_id
        seen = self._account.read(self._grip.phone)
        for task in self._intents.armed():
            if expected and seen and seen != expected:
                self._errands.give_up(task, "another account is signed in")
            else:
                self._errands.settle(task)

    def _turn(self) -> None:
        self._hear_settings()
        if self._intents.armed():
            self._settle_armed()
        elif self._is_resting():
            self._errands.return_unarmed("resting")
        elif self._hand.is_on() and self._pulse.state not in _STAYS:
            self._be_in_hand()
        elif self._session.calibration:
            self._errands.return_unarmed("calibrating")
            self._calibrate()
        elif time.monotonic() < self._try_at_s:
            self._errands.return_unarmed(self._pulse.state)
        else:
            self._serve(time.monotonic())

    def _let_go(self) -> None:
        self._enter(PhoneState.IN_HAND)
        self._errands.return_unarmed("in_hand")

    def _be_in_hand(self) -> None:
        """Let go of the phone; what its person has in front is read, without a touch."""
        self._let_go()
        self._pulse = self._upkeep.keep_in_touch(self._grip.phone, self._pulse)
        self._watch.read_passively(self._grip.phone)

    def _leave_hand(self) -> None:
        """Begin anew where a person has left the phone; who is signed in has to be seen again."""
        self._observer.wear_out()
        if self._session.settings.capture_mode == "sweep" or self._account.is_doubtful:
            self._account.wear_out()

    def _serve(self, now_s: float) -> None:
        if self._pulse.state == PhoneState.IN_HAND:
            self._leave_hand()
        self._pulse = self._upkeep.keep_in_touch(self._grip.phone, self._pulse)
        self._account.know(self._grip.phone)
        if not self._check_account():
            return
        is_ours = self._is_ours()
        self._work(is_ours=is_ours)
        if self._check_account() and is_ours:  # it was perhaps read again meanwhile
            self._troubles = 0
            self._enter(PhoneState.READY, self._why_unwatched(now_s))

    def _why_unwatched(self, now_s: float) -> str:
        if self._hand.is_watched:
            self._watched_at_s = now_s
        return "hand_not_watched" if now_s - self._watched_at_s > UNWATCHED_S else ""

    def _work(self, *, is_ours: bool) -> None:
        task = next(iter(self._intents.open_tasks()), None)
        if task is not None:
            self._do(task)
        elif is_ours and may_act(self._session.settings) and not self._is_observed():
            self._observe()
        else:
            self._watch.look(self._grip.phone, self._may_read_next)

    def _do(self, task: LeasedTask) -> None:
        # Who is signed in and which build of the client runs is seen anew for each task.
        self._grip.phone.client.wear_out()
        self._account.read(self._grip.phone)
        if self._errands.refuse(task, self._session.settings):
            return
        self._enter(PhoneState.BUSY)
        if self._session.settings.assist:
            self._observe()
        self._observer.wear_out()
        self._errands.do(task, self._session.settings)

    def _is_observed(self) -> bool:
        """Tell whether adds made by hand are known; in assist mode nobody leafs through without a task."""
        return self._session.settings.assist or self._observer.is_fresh()

    def _observe(self) -> None:
        self._observer.observe(self._grip.phone, may_name=self._may_capture())

    def _may_read_next(self) -> bool:
        """Tell whether a chat may be opened now; another account may have signed in since the last look."""
        self._still()
        if self._is_stopping() or self._intents.open_tasks() or not self._watch.may_open():
            return False
        self._account.refresh(self._grip.phone)
        return self._watch.may_open()

    def _may_capture(self) -> bool:
        return may_capture(self._session.settings, self._outbox.account_id)

    # ---- looking after the phone

    def _heard_account(self, seen: str) -> None:
        self._pulse = replace(self._pulse, account_id=seen)
        self._session.beat()

    def _check_account(self) -> bool:
        expected, seen = self._session.settings.account_id, self._outbox.account_id
        if not seen:
            self._trouble(PhoneState.PREPARING, "the account is not shown")
        elif expected and seen != expected:
            self._trouble(PhoneState.QUARANTINED, "account_mismatch")
        else:
            return True
        self._errands.return_unarmed("account_mismatch")
        return False

    def _is_ours(self) -> bool:
        """Tell whether the phone's mark leaves it to this agent to act; its chats are read in any case."""
        other = self._errands.owned_by_other() if may_act(self._session.settings) else ""
        if other:
            self._enter(PhoneState.QUARANTINED, other)
            self._errands.return_unarmed(other)
        return not other

    def _is_resting(self) -> bool:
        if not self._rest_after_warning.is_on:
            return False
        settings = self._session.settings
        if not self._rest_after_warning.has_ended(settings, self._session.settings_count):
            self._enter(PhoneState.BACKOFF, self._rest_after_warning.cause)
            return True
        # Toasts carry no time: the one that warned must not stop the account a second time.
        self._grip.phone.forget_toast()
        self._account.wear_out()
        if may_act(settings):
            self._try_at_s = 0.0  # a person has said so
        return False

    # ---- the controller

    def _may_tap(self, by_machine: bool) -> bool:
        """Tell whether nobody has taken back the right to act; asked right before each tap that lasts."""
        session = self._session
        is_ending = self._is_stopping() or bool(session.stop_reason) or session.failure is not None
        allowed = session.settings.unattended if by_machine else session.settings.assist
        return allowed and not is_ending

    def _calibrate(self) -> None:
        """Learn the ids of the client as an operator asked, and tell what came of it; once for a request."""
        request_id, self._session.calibration = self._session.calibration, ""
        self._enter(PhoneState.BUSY, "calibrating")
        # What the phone is after it only a look tells; it may be as blind as before.
        self._try_at_s = 0.0
        self._account.wear_out()
        calibrate(self._grip.phone, request_id, self._outbox.add)

    def _hear_settings(self) -> None:
        if self._session.settings_count == self._settings_count:
            return
        if self._session.settings.tables != self._grip.phone.client.learned:
            self._grip.phone.client.learn(self._session.settings.tables)
            self._try_at_s = 0.0
        self._settings_count = self._session.settings_count
        self._hand.quiet_s = self._session.settings.hand_quiet_ms / 1000
        lastword.remember(self._outbox, self._session.settings)
        if self._pulse.state == PhoneState.QUARANTINED:
            self._try_at_s = 0.0  # another account may be expected now
        if self._pulse.state == PhoneState.BACKOFF and may_act(self._session.settings):
            # A warning met before the first word of the controller leaves nothing to lift but this pause.
            self._try_at_s = 0.0

    def _rest(self) -> None:
        is_free = self._pulse.state == PhoneState.READY and not self._intents.open_tasks()
        self._session.want(1 if is_free and may_act(self._session.settings) and self._is_observed() else 0)
        self._upkeep.trim()
        self._watch.cover(self._pulse.state, self._pulse.cause)
        self._session.wake.wait(NAP_S)
        self._session.wake.clear()

    def _still(self) -> bool:
        """Note, in the middle of something long, that this process lives; always True."""
        self._watch.coverage.still()
        return True

    def _enter(self, state: PhoneState, cause: str = "") -> None:
        if (state, cause) == (self._pulse.state, self._pulse.cause):
            return
        self._pulse = replace(self._pulse, state=state, cause=cause)
        with suppress(OutboxFull):  # a heartbeat says it all the same
            self._outbox.add(PhoneStateChanged(state=state, cause=cause))
        self._session.beat()
        self._watch.cover(state, cause)
        self._announce(state, cause)
