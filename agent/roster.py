"""Which phones have an agent, and what to do about it next: values in, decisions out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from signal import SIGKILL, SIGTERM

from agent.adbwatch import Attached, Listing
from agent.exits import Exit

# Restart pauses 1, 2, 4 … 60 s; a quiet time means that the trouble was another one.
LONGEST_PAUSE_MS = 60_000
QUIET_MS = 600_000
# An agent that does not end on TERM hangs in a call to its phone.
KILL_AFTER_MS = 10_000
# Forty phones at once would start forty servers on forty phones in one moment.
START_SPACING_MS = 100
# Ended by a person or by its configuration: nothing that a restart would change.
_FINAL = (Exit.ASKED, Exit.CONFIG_WRONG)


class Phase(StrEnum):
    """Where the process of one phone stands."""

    RUNNING = "running"
    ENDING = "ending"  # TERM was sent
    WAITING = "waiting"  # ended, will be started again at `again_ms`
    STOPPED = "stopped"  # ended, will not be started again before the phone is plugged in anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The agent of one phone; `since_ms` is when its phase began."""

    phone: Attached
    phase: Phase
    since_ms: int
    failures: int = 0
    again_ms: int = 0
    is_killed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """All entries by serial, and when the last process was started."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    started_ms: int = -START_SPACING_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A process ended; `status` is negative for a signal."""

    serial: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start an agent for this phone."""

    phone: Attached


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Send a signal to the agent of a phone."""

    serial: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """An agent ended unasked; `again_in_ms` is None when it is left alone."""

    phone: Attached
    status: int
    again_in_ms: int | None


Action = Start | Signal | Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the roster becomes, what to do, and when to decide again at the latest (None: on news)."""

    roster: Roster
    actions: tuple[Action, ...]
    wake_at_ms: int | None


def pause_ms(failures: int) -> int:
    """Return the pause after so many failures in a row, counted from 1."""
    return min(LONGEST_PAUSE_MS, 1000 << min(failures - 1, 10))


def drivable(listing: Listing) -> dict[str, Attached]:
    """Return the phones that get an agent: usable, and alone with their serial."""
    # Two handsets with one serial cannot be told apart later: neither is driven.
    twice = {serial for serial, n in Counter(a.serial for a in listing).items() if n > 1}
    return {a.serial: a for a in listing if a.is_usable and a.serial not in twice}


def decide(
    roster: Roster,
    listing: Listing,
    ended: Sequence[Ended],
    now_ms: int,
    *,
    stopping: bool = False,
    can_start: bool = True,
) -> Decision:
    """Return the next step for every phone."""
    entries = dict(roster.entries)
    actions: list[Action] = []
    wanted = {} if stopping else drivable(listing)
    for one in ended:
        if one.serial in entries:
            actions += _after_end(entries, one, now_ms)
    for serial in list(entries):
        actions += _tend(entries, serial, wanted.get(serial), now_ms)
    started_ms = roster.started_ms
    waiting_ms: list[int] = []
    for phone in wanted.values() if can_start else ():
        due_ms = _due_ms(entries.get(phone.serial), now_ms)
        if due_ms is None:
            continue
        due_ms = max(due_ms, started_ms + START_SPACING_MS)
        if due_ms > now_ms:
            waiting_ms.append(due_ms)
            continue
        started_ms = now_ms
        failures = entries[phone.serial].failures if phone.serial in entries else 0
        entries[phone.serial] = Entry(phone=phone, phase=Phase.RUNNING, since_ms=now_ms, failures=failures)
        actions.append(Start(phone=phone))
    waiting_ms += [
        e.since_ms + KILL_AFTER_MS for e in entries.values() if e.phase is Phase.ENDING and not e.is_killed
    ]
    return Decision(
        roster=Roster(entries=entries, started_ms=started_ms),
        actions=tuple(actions),
        wake_at_ms=min(waiting_ms, default=None),
    )


def _after_end(entries: dict[str, Entry], ended: Ended, now_ms: int) -> list[Action]:
    entry = entries[ended.serial]
    if entry.phase is not Phase.RUNNING:
        del entries[ended.serial]  # as asked: a phone that is attached again starts without a pause
        return []
    if ended.status in _FINAL:
        entries[ended.serial] = replace(entry, phase=Phase.STOPPED, since_ms=now_ms)
        return [Note(phone=entry.phone, status=ended.status, again_in_ms=None)]
    failures = 1 if now_ms - entry.since_ms >= QUIET_MS else entry.failures + 1
    wait_ms = pause_ms(failures)
    entries[ended.serial] = replace(
        entry, phase=Phase.WAITING, since_ms=now_ms, failures=failures, again_ms=now_ms + wait_ms
    )
    return [Note(phone=entry.phone, status=ended.status, again_in_ms=wait_ms)]


def _tend(entries: dict[str, Entry], serial: str, phone: Attached | None, now_ms: int) -> list[Action]:
    entry = entries[serial]
    is_same = phone is not None and phone.transport_id == entry.phone.transport_id
    if entry.phase is Phase.RUNNING and not is_same:
        entries[serial] = replace(entry, phase=Phase.ENDING, since_ms=now_ms)
        return [Signal(serial=serial, number=SIGTERM)]
    if entry.phase is Phase.ENDING and not entry.is_killed and now_ms - entry.since_ms >= KILL_AFTER_MS:
        entries[serial] = replace(entry, is_killed=True)
        return [Signal(serial=serial, number=SIGKILL)]
    if entry.phase in (Phase.WAITING, Phase.STOPPED) and not is_same:
        del entries[serial]  # another plug-in is another chance
    return []


def _due_ms(entry: Entry | None, now_ms: int) -> int | None:
    if entry is None:
        return now_ms
    return entry.again_ms if entry.phase is Phase.WAITING else None
