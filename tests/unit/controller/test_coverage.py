"""Hours out of spans and gaps: every millisecond is in exactly one state, and none is better than it was."""

from hypothesis import given
from hypothesis import strategies as st

from controller.clock import HOUR_MS, MINUTE_MS
from controller.coverage import UNWATCHED, Hole, Hour, by_hours, summed
from controller.model import AccountId, PhoneId
from controller.records import CoverageSpan
from protos.facts import CoverageState

ACCOUNT = AccountId("a")
START = 1_795_363_200_000


def span(from_min: int, to_min: int, state: str = "seen", cause: str = "") -> CoverageSpan:
    return CoverageSpan(
        id=0,
        phone_id=PhoneId("001"),
        account_id=ACCOUNT,
        from_ms=START + from_min * MINUTE_MS,
        to_ms=START + to_min * MINUTE_MS,
        state=state,
        cause=cause,
    )


def hours(
    *spans: CoverageSpan, holes: tuple[Hole, ...] = (), from_min: int = 0, to_min: int = 120
) -> list[Hour]:
    return by_hours(ACCOUNT, spans, holes, START + from_min * MINUTE_MS, START + to_min * MINUTE_MS)


def minutes(hour: Hour) -> dict[str, int]:
    return {state: ms // MINUTE_MS for state, ms in hour.ms.items() if ms}


def test_what_no_span_covers_is_unwatched() -> None:
    first, second = hours(span(10, 70), span(80, 90, "paused", "outside_hours"))
    assert minutes(first) == {"unwatched": 10, "seen": 50}
    assert minutes(second) == {"seen": 10, "paused": 10, "unwatched": 40}
    assert second.causes == {"paused: outside_hours": 10 * MINUTE_MS}
    assert minutes(summed([first, second])) == {"unwatched": 50, "seen": 60, "paused": 10}


def test_hours_are_cut_to_the_period() -> None:
    assert [minutes(hour) for hour in hours(span(0, 120), from_min=50, to_min=70)] == [
        {"seen": 10},
        {"seen": 10},
    ]
    assert hours(from_min=5, to_min=5) == []


def test_a_state_of_a_later_release_is_not_taken_for_watching() -> None:
    (hour,) = hours(span(0, 60, "levitating"), to_min=60)
    assert minutes(hour) == {"paused": 60}


def test_gaps_count_in_every_hour_they_lie_in_and_one_without_a_beginning_in_its_last() -> None:
    long = Hole(cause="no_overlap", from_ms=START + 50 * MINUTE_MS, to_ms=START + 70 * MINUTE_MS)
    old = Hole(cause="earlier_not_read", from_ms=0, to_ms=START + 70 * MINUTE_MS)
    before = Hole(cause="x", from_ms=START - HOUR_MS, to_ms=START - 1)
    first, second = hours(holes=(long, old, before))
    assert first.gap_causes == {"no_overlap": 1}
    assert second.gap_causes == {"no_overlap": 1, "earlier_not_read": 1}
    assert (first.gaps, second.gaps) == (1, 2)


@given(
    st.lists(
        st.tuples(st.integers(-90, 400), st.integers(1, 200), st.sampled_from([*CoverageState, "new"])),
        max_size=12,
    ),
    st.integers(0, 100),
    st.integers(1, 300),
)
def test_every_moment_is_counted_once(parts: list[tuple[int, int, str]], from_min: int, length: int) -> None:
    found = hours(
        *(span(start, start + long, state) for start, long, state in parts),
        from_min=from_min,
        to_min=from_min + length,
    )
    assert sum(sum(hour.ms.values()) for hour in found) == length * MINUTE_MS
    assert all(sum(hour.ms.values()) == hour.to_ms - hour.from_ms for hour in found)
    assert all(ms >= 0 for hour in found for ms in hour.ms.values())
    covered = {
        minute
        for start, long, _ in parts
        for minute in range(max(start, from_min), min(start + long, from_min + length))
    }
    assert sum(hour.ms[UNWATCHED] for hour in found) == (length - len(covered)) * MINUTE_MS
