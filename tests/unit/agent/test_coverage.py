"""Spans of coverage: nothing twice, nothing that was not watched, a minute at most lost to a crash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.coverage import HOUR_MS, SILENCE_MS, TELL_EVERY_MS, Coverage, Span, by_hours
from agent.errors import OutboxFull
from agent.outbox import Outbox
from protos import wire
from protos.facts import CoverageSeen, CoverageState

NOON_MS = 1_760_000_400_000 // HOUR_MS * HOUR_MS
SEEN, PAUSED, PASSIVE = CoverageState.SEEN, CoverageState.PAUSED, CoverageState.PASSIVE


@dataclass
class Desk:
    """One outbox and the two clocks of a host."""

    outbox: Outbox
    wall_ms: int = NOON_MS
    ran_s: float = 100.0
    coverage: Coverage = field(init=False)

    def __post_init__(self) -> None:
        self.outbox.account_id = "wx"
        self.restart()

    def restart(self) -> None:
        """Begin as a new process would: nothing but the file is known."""
        self.coverage = Coverage(self.outbox, wall=lambda: self.wall_ms, clock=lambda: self.ran_s)
        self.coverage.recover()

    def run(self, ms: int) -> None:
        self.wall_ms += ms
        self.ran_s += ms / 1000

    def watch(self, ms: int, state: CoverageState = SEEN, cause: str = "", step_ms: int = 250) -> None:
        """Watch for a while as the life of a phone does."""
        end_ms = self.wall_ms + ms
        self.coverage.be(state, cause)
        while self.wall_ms < end_ms:
            self.run(min(step_ms, end_ms - self.wall_ms))
            self.coverage.be(state, cause)

    def spans(self) -> list[tuple[int, int, str, str]]:
        """Return what was told, by milliseconds since noon."""
        facts = [wire.unseal(body).fact for body in self.outbox.batch(1)]
        return [
            (one.from_ms - NOON_MS, one.to_ms - NOON_MS, one.state, one.cause)
            for one in facts
            if isinstance(one, CoverageSeen)
        ]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    outbox = Outbox.open(tmp_path / "a.db")
    yield Desk(outbox)
    outbox.close()


def test_a_change_of_state_or_cause_ends_a_span_and_begins_the_next(desk: Desk) -> None:
    desk.watch(5_000)
    desk.watch(3_000, PAUSED, "busy")
    desk.watch(2_000, PAUSED, "outside_hours")
    desk.coverage.end()
    assert desk.spans() == [
        (0, 5_000, "seen", ""),
        (5_000, 8_000, "paused", "busy"),
        (8_000, 10_000, "paused", "outside_hours"),
    ]


def test_a_span_that_goes_on_is_told_every_few_minutes(desk: Desk) -> None:
    desk.wall_ms += 1_790_000
    desk.watch(2 * HOUR_MS, step_ms=7_000)
    begins = [1_790_000, *range(1_800_000, 2 * HOUR_MS + 1_790_000, TELL_EVERY_MS)]
    assert desk.spans() == [(begin, end, "seen", "") for begin, end in pairwise(begins)]
    assert HOUR_MS in begins


def test_one_long_span_over_two_hours_is_cut_at_both() -> None:
    told = [(0, HOUR_MS), (HOUR_MS, 2 * HOUR_MS), (2 * HOUR_MS, 2 * HOUR_MS + 10)]
    span = Span("wx", SEEN, "", 0, 2 * HOUR_MS + 10)
    assert [(one.from_ms, one.to_ms) for one in by_hours(span)] == told


def test_a_process_that_stood_still_watched_nothing_meanwhile(desk: Desk) -> None:
    desk.watch(30_000)
    desk.run(SILENCE_MS + 1)  # stopped: its clocks run on, both of them
    desk.watch(5_000)
    desk.coverage.end()
    woke_ms = 30_000 + SILENCE_MS + 1
    assert desk.spans() == [(0, 30_000, "seen", ""), (woke_ms, woke_ms + 5_000, "seen", "")]


def test_a_crash_loses_a_minute_at_most_and_the_time_after_it_is_nobodys(desk: Desk) -> None:
    desk.watch(150_000)
    assert desk.spans() == []
    desk.run(500_000)  # nobody is there
    desk.restart()
    desk.watch(1_000)
    desk.coverage.end()
    (from_ms, to_ms, *_), after = desk.spans()
    assert from_ms == 0
    assert 90_000 <= to_ms <= 150_000
    assert after == (650_000, 651_000, "seen", "")


def test_what_a_crash_left_is_told_of_the_account_it_was_seen_with(desk: Desk) -> None:
    desk.watch(70_000)
    desk.outbox.account_id = ""
    desk.restart()
    (event,) = [wire.unseal(body) for body in desk.outbox.batch(1)]
    assert (event.account_id, desk.outbox.account_id) == ("wx", "")


def test_another_account_begins_another_span(desk: Desk) -> None:
    desk.watch(1_000)
    desk.outbox.account_id = "other"
    desk.watch(1_000)
    desk.coverage.end()
    events = [wire.unseal(body) for body in desk.outbox.batch(1)]
    assert [event.account_id for event in events] == ["wx", "other"]


def test_a_host_that_slept_watched_nothing_meanwhile(desk: Desk) -> None:
    desk.watch(10_000)
    desk.wall_ms += 600_000  # the running time stands still
    desk.watch(5_000)
    desk.coverage.end()
    assert [span[:2] for span in desk.spans()] == [(0, 10_000), (610_000, 615_000)]


def test_a_clock_that_is_set_back_tells_nothing_twice(desk: Desk) -> None:
    desk.watch(100_000)
    desk.wall_ms -= 60_000
    before = desk.outbox.highest
    desk.watch(50_000)
    assert desk.outbox.highest == before + 1
    desk.watch(30_000)
    desk.coverage.end()
    assert [span[:2] for span in desk.spans()] == [(0, 100_000), (100_000, 120_000)]


def test_without_room_what_is_over_waits_and_nothing_of_it_is_stretched(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> list[int]:
        raise OutboxFull

    desk.watch(5_000)
    with monkeypatch.context() as full:
        full.setattr(desk.outbox, "add_with_note", no_room)
        desk.watch(4_000, PAUSED, "disk_full")
        desk.watch(1_000, PASSIVE, "in_hand")
        assert desk.spans() == []
    desk.watch(2_000)
    desk.coverage.end()
    assert desk.spans() == [
        (0, 5_000, "seen", ""),
        (5_000, 9_000, "paused", "disk_full"),
        (9_000, 10_000, "passive", "in_hand"),
        (10_000, 12_000, "seen", ""),
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["watch", "slept", "set", "crash", "end"]),
            st.integers(-3 * HOUR_MS, 3 * HOUR_MS),
            st.sampled_from([SEEN, PASSIVE, PAUSED]),
        ),
        max_size=12,
    )
)
def test_spans_never_overlap_whatever_happens(tmp_path: Path, steps: list[tuple[str, int, str]]) -> None:
    path = tmp_path / "b.db"
    path.unlink(missing_ok=True)
    outbox = Outbox.open(path)
    try:
        desk = Desk(outbox)
        for what, ms, state in steps:
            match what:
                case "watch":
                    desk.watch(abs(ms) // 10, CoverageState(state), step_ms=60_000)
                case "slept":
                    desk.wall_ms += abs(ms)
                case "set":
                    desk.wall_ms += ms
                case "crash":
                    desk.restart()
                case _:
                    desk.coverage.end()
        desk.coverage.end()
        spans = desk.spans()
        assert all(from_ms < to_ms for from_ms, to_ms, *_ in spans)
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
        assert all(from_ms // HOUR_MS == (to_ms - 1) // HOUR_MS for from_ms, to_ms, *_ in spans)
    finally:
        outbox.close()
