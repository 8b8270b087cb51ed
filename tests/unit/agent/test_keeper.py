"""What the keeper decides, with time as a value; and what it tells the operator."""

from __future__ import annotations

from dataclasses import replace
from signal import SIGKILL, SIGTERM

import pytest

from agent import keepertalk
from agent.adbwatch import Attached, Change
from agent.exits import Exit, meaning
from agent.roster import Ended, Note, Roster, Signal, Start, decide, pause_ms


def phone(serial: str = "a", state: str = "device", number: int = 1, slot: str = "1-1") -> Attached:
    return Attached(serial=serial, state=state, slot=slot, transport_id=number)


A = phone()


def running(now_ms: int = 0) -> Roster:
    return decide(Roster(), (A,), (), now_ms).roster


def after_exit(status: int, *, lived_ms: int = 1_000) -> tuple[Roster, Note]:
    decision = decide(running(), (A,), (Ended(serial="a", status=status),), lived_ms)
    (note,) = decision.actions
    assert isinstance(note, Note)
    return decision.roster, note


def test_an_attached_phone_gets_one_agent() -> None:
    first = decide(Roster(), (A,), (), 0)
    assert first.actions == (Start(phone=A),)
    assert decide(first.roster, (A,), (), 10).actions == ()


@pytest.mark.parametrize("state", ["offline", "unauthorized", "no permissions (x)"])
def test_a_phone_that_cannot_be_used_gets_none(state: str) -> None:
    assert decide(Roster(), (phone(state=state),), (), 0).actions == ()


def test_starts_are_spaced() -> None:
    phones = tuple(phone(f"p{n}", slot=f"1-{n}") for n in range(3))
    now, roster, started = 0, Roster(), []
    while len(started) < 3:
        decision = decide(roster, phones, (), now)
        started += [(now, a.phone.serial) for a in decision.actions if isinstance(a, Start)]
        roster = decision.roster
        now = decision.wake_at_ms if decision.wake_at_ms is not None else now
    assert started == [(0, "p0"), (100, "p1"), (200, "p2")]


def test_pauses_grow_to_a_minute() -> None:
    assert [pause_ms(n) for n in range(1, 9)] == [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]
    assert pause_ms(1000) == 60_000


@pytest.mark.parametrize("status", [Exit.FAILED, Exit.PHONE_GONE, Exit.CONTROLLER_LOST, -9])
def test_an_agent_that_ended_is_started_again_after_a_pause(status: int) -> None:
    roster, note = after_exit(status)
    assert note.again_in_ms == 1000
    early = decide(roster, (A,), (), 1_999)
    assert early.actions == ()
    assert early.wake_at_ms == 2_000
    assert decide(early.roster, (A,), (), 2_000).actions == (Start(phone=A),)


def test_failures_in_a_row_count_until_a_quiet_time() -> None:
    roster, now = running(), 0
    waits = []
    for lived_ms in (1_000, 1_000, 1_000, 600_000, 1_000):
        now += lived_ms
        decision = decide(roster, (A,), (Ended(serial="a", status=1),), now)
        (note,) = decision.actions
        assert isinstance(note, Note)
        assert note.again_in_ms is not None
        waits.append(note.again_in_ms)
        now += note.again_in_ms
        roster = decide(decision.roster, (A,), (), now).roster
    assert waits == [1000, 2000, 4000, 1000, 2000]


@pytest.mark.parametrize("status", [Exit.ASKED, Exit.CONFIG_WRONG])
def test_what_a_restart_would_not_change_is_left_alone_until_the_next_plug(status: int) -> None:
    roster, note = after_exit(status)
    assert note.again_in_ms is None
    later = decide(roster, (A,), (), 10_000_000)
    assert later.actions == ()
    assert later.wake_at_ms is None
    again = phone(number=2)
    assert decide(later.roster, (again,), (), 10_000_001).actions == (Start(phone=again),)


def test_unplugging_ends_the_agent_with_term_and_then_kill() -> None:
    gone = decide(running(), (), (), 5_000)
    assert gone.actions == (Signal(serial="a", number=SIGTERM),)
    assert gone.wake_at_ms == 15_000
    assert decide(gone.roster, (), (), 14_999).actions == ()
    killed = decide(gone.roster, (), (), 15_000)
    assert killed.actions == (Signal(serial="a", number=SIGKILL),)
    assert decide(killed.roster, (), (), 60_000).actions == ()
    ended = decide(killed.roster, (), (Ended(serial="a", status=-9),), 60_001)
    assert ended.actions == ()
    assert ended.roster.entries == {}


@pytest.mark.parametrize("now_seen", [phone(number=2), phone(state="offline")])
def test_another_plug_in_or_an_offline_phone_ends_what_runs(now_seen: Attached) -> None:
    assert decide(running(), (now_seen,), (), 10).actions == (Signal(serial="a", number=SIGTERM),)


def test_replugged_phone_starts_without_a_pause_once_the_old_agent_ended() -> None:
    again = phone(number=2)
    ending = decide(running(), (again,), (), 10)
    assert decide(ending.roster, (again,), (), 500).actions == ()
    ended = decide(ending.roster, (again,), (Ended(serial="a", status=0),), 600)
    assert ended.actions == (Start(phone=again),)


def test_two_handsets_with_one_serial_are_not_driven() -> None:
    twin = replace(A, slot="1-2", transport_id=2)
    assert decide(Roster(), (A, twin), (), 0).actions == ()
    assert decide(running(), (A, twin), (), 10).actions == (Signal(serial="a", number=SIGTERM),)


def test_stopping_ends_all_and_starts_none() -> None:
    stopping = decide(running(), (A, phone("b", slot="1-2")), (), 200, stopping=True)
    assert stopping.actions == (Signal(serial="a", number=SIGTERM),)
    ended = decide(stopping.roster, (A,), (Ended(serial="a", status=0),), 300, stopping=True)
    assert ended.actions == ()
    assert ended.roster.entries == {}


def test_without_a_fork_server_nothing_is_started() -> None:
    assert decide(Roster(), (A,), (), 0, can_start=False).actions == ()


def test_exit_of_a_phone_nobody_knows_changes_nothing() -> None:
    assert decide(running(), (A,), (Ended(serial="z", status=1),), 10).actions == ()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            Change(before=None, after=phone(state="unauthorized")),
            "+ a slot 1-1 unauthorized → accept the key on the phone",
        ),
        (Change(before=A, after=None), "- a slot 1-1 gone"),
        (
            Change(before=A, after=phone(state="offline")),
            "~ a slot 1-1 offline → wait; if it stays, plug it in again",
        ),
        (
            Change(
                before=None, after=phone(state="no permissions (user x is not in the plugdev group); see [y]")
            ),
            "+ a slot 1-1 no permissions → add the udev rule and plug it in again",
        ),
        (Change(before=None, after=A), ""),
    ],
)
def test_lines_for_changes(change: Change, line: str) -> None:
    assert keepertalk.of_change(change) == line


@pytest.mark.parametrize(
    ("before", "state", "cause", "line"),
    [
        ("", "preparing", "", ""),
        ("preparing", "ready", "", "+ a slot 1-1 ready"),
        ("ready", "busy", "", ""),
        ("busy", "ready", "", ""),
        ("ready", "blind", "unreadable", "~ a slot 1-1 blind (unreadable)"),
        ("blind", "ready", "", "~ a slot 1-1 ready"),
    ],
)
def test_lines_for_states(before: str, state: str, cause: str, line: str) -> None:
    assert keepertalk.of_state(A, before, state, cause) == line


def test_lines_for_ends_and_twins() -> None:
    assert keepertalk.of_note(Note(phone=A, status=3, again_in_ms=4000)) == (
        "! a slot 1-1 agent ended: phone gone; again in 4 s"
    )
    assert keepertalk.of_note(Note(phone=A, status=4, again_in_ms=None)).endswith(
        "configuration wrong; left alone"
    )
    twins = keepertalk.twice((A, replace(A, slot="1-2")))
    assert keepertalk.of_twice("a", twins["a"]) == (
        "! a is the serial of 2 handsets (1-1, 1-2): none of them is driven"
    )
    assert (meaning(-9), meaning(77)) == ("killed by signal 9", "status 77")
