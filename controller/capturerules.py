"""How the chats of an account may be read, under which notice, and the gate: values and pure decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from controller.clock import MINUTE_MS
from controller.model import AccountId, Notice
from controller.sessions import Window
from controller.weekhours import is_within

NO_NOTICE = "no_notice"
EXCLUDED = "excluded"
OUTSIDE_HOURS = "outside_hours"
CAPTURE_OFF = "capture_off"
# Nothing is dated so far away.
_LONG_AGO_MS = 2**63
OTHER_ACCOUNT = "other_account"  # signed in was another account than the one bound to the phone


class CaptureMode(StrEnum):
    """Who opens chats: sweeps of the agent (which mark them as read), only a person, or nobody reads."""

    SWEEP = "sweep"
    PASSIVE = "passive"
    OFF = "off"


class MediaPolicy(StrEnum):
    """What of pictures is kept beside the fact that they are there."""

    FACTS = ""
    PICTURES = "pictures"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRules:
    """What a person decided for an account; windows are minutes of the week of its zone, none is always."""

    account_id: AccountId
    mode: CaptureMode = CaptureMode.SWEEP
    capture_windows: tuple[Window, ...] = ()
    sweep_windows: tuple[Window, ...] = ()
    media: MediaPolicy = MediaPolicy.FACTS
    first_days: int = 0  # 0: the agent's own
    first_pages: int = 0
    set_by: str = ""
    set_at_ms: int = 0  # 0: nobody ever decided


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedChat:
    """A private conversation of an account: nothing of it is read or kept."""

    account_id: AccountId
    key: str
    title: str
    reason: str
    excluded_by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class OnceExcluded:
    """A conversation was private for a time, half-open, that is over."""

    key: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class VersionInForce:
    """The notice that holders must have been given from a moment on."""

    version: str
    since_ms: int


def version_at(versions: Sequence[VersionInForce], at_ms: int) -> str:
    """Return the version in force at a moment, of versions in the order of their moments; "" is any."""
    for one in reversed(versions):  # a generator takes twice as long, for each event
        if one.since_ms <= at_ms:
            return one.version
    return ""


def told_by(records: Sequence[Notice], versions: Sequence[VersionInForce], at_ms: int) -> Notice | None:
    """Return the newest record under which chats could be read at a moment; None: there is none."""
    wanted = version_at(versions, at_ms)
    for record in reversed(records):
        if _covers(record, wanted, at_ms):
            return record
    return None


def _covers(record: Notice, wanted: str, at_ms: int) -> bool:
    is_withdrawn = record.withdrawn_at_ms is not None and record.withdrawn_at_ms <= at_ms
    return record.at_ms <= at_ms and not is_withdrawn and wanted in {"", record.version}


def why_not_told(records: Sequence[Notice], versions: Sequence[VersionInForce], now_ms: int) -> str:
    """Return what stands against reading now, for people; "" if nothing does."""
    if told_by(records, versions, now_ms) is not None:
        return ""
    if not records:
        return "no notice recorded for the holder"
    last, wanted = records[-1], version_at(versions, now_ms)
    if last.withdrawn_at_ms is not None and last.withdrawn_at_ms <= now_ms:
        return "the holder's notice was withdrawn"
    return f"the holder was told version {last.version}, current is {wanted}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What is decided on one account now, for all events of a batch."""

    records: tuple[Notice, ...]  # of the holder, oldest first
    versions: tuple[VersionInForce, ...]
    rules: CaptureRules
    excluded: frozenset[str]
    zone: str
    former_rules: tuple[CaptureRules, ...] = ()  # before `rules`, oldest first
    once_excluded: tuple[OnceExcluded, ...] = ()

    def verdict(self, key: str, at_ms: int) -> str:
        """Return "" if what was read of a chat at a moment may be kept, else the cause of the gap."""
        if told_by(self.records, self.versions, at_ms) is None:
            return NO_NOTICE
        # Whenever it was read: a private chat is private from the beginning.
        if key in self.excluded or (
            self.once_excluded
            and any(one.key == key and one.from_ms <= at_ms < one.to_ms for one in self.once_excluded)
        ):
            return EXCLUDED
        rules = self._rules_at(at_ms)
        if rules is None:
            return ""
        if rules.mode is CaptureMode.OFF:
            return CAPTURE_OFF
        return "" if is_within(rules.capture_windows, self.zone, at_ms) else OUTSIDE_HOURS

    def steady(self, at_ms: int) -> tuple[int, int]:
        """Return a time around a moment, half-open, in which nothing changes the verdict on any chat."""
        changes = {record.at_ms for record in self.records}
        changes |= {one.withdrawn_at_ms for one in self.records if one.withdrawn_at_ms is not None}
        changes |= {one.since_ms for one in self.versions}
        changes |= {at for one in self.once_excluded for at in (one.from_ms, one.to_ms)}
        changes |= {rules.set_at_ms for rules in (self.rules, *self.former_rules)}
        if any(rules.capture_windows for rules in (self.rules, *self.former_rules)):
            # Windows begin and end with a minute.
            changes |= {at_ms // MINUTE_MS * MINUTE_MS, (at_ms // MINUTE_MS + 1) * MINUTE_MS}
        return (
            max((at for at in changes if at <= at_ms), default=-_LONG_AGO_MS),
            min((at for at in changes if at > at_ms), default=_LONG_AGO_MS),
        )

    def is_open(self, at_ms: int) -> bool:
        """Tell whether something of a moment may be kept of which nobody knows of what chat it is."""
        was_private = any(one.from_ms <= at_ms < one.to_ms for one in self.once_excluded)
        return not self.excluded and not was_private and not self.verdict("", at_ms)

    def _rules_at(self, at_ms: int) -> CaptureRules | None:
        # Rules hold from when they were set: what was read before was allowed by the rules of then.
        if at_ms >= self.rules.set_at_ms:
            return self.rules
        return next((one for one in reversed(self.former_rules) if one.set_at_ms <= at_ms), None)
