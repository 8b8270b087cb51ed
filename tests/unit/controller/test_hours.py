"""Allowed hours in any zone, also on days on which the clock is set."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.clock import DAY_MS, MINUTE_MS
from controller.hours import ALL_WEEK, is_open, next_open_ms, zone

ZONES = (
    "Asia/Shanghai",
    "Asia/Kathmandu",  # 5:45
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Antarctica/Troll",  # two hours
    "Pacific/Apia",  # once left out a whole day
)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("zone_name", "hours", "now", "opens"),
    [
        ("Asia/Shanghai", (540, 1_080), "2026-11-21T10:30", "2026-11-22T01:00"),
        ("Asia/Shanghai", (540, 1_080), "2026-11-21T05:00", "2026-11-21T05:00"),
        # 02:00 to 03:00 does not exist on this day in Berlin: 02:30 to 04:00 begins at 03:00.
        ("Europe/Berlin", (150, 240), "2026-03-29T00:00", "2026-03-29T01:00"),
        ("Europe/Berlin", (150, 170), "2026-03-29T00:00", "2026-03-30T00:30"),
        # 02:00 to 03:00 comes twice: the hours are allowed both times.
        ("Europe/Berlin", (130, 170), "2026-10-25T00:50", "2026-10-25T01:10"),
        # On 30 December 2011 there was no day in Apia.
        ("Pacific/Apia", (0, 1_440), "2011-12-30T09:00", "2011-12-30T09:00"),
    ],
)
def test_the_next_allowed_moment(zone_name: str, hours: tuple[int, int], now: str, opens: str) -> None:
    assert next_open_ms(hours, ALL_WEEK, zone_name, at(now)) == at(opens)


def test_a_day_that_was_left_out_is_not_waited_for() -> None:
    # Fridays only; this Friday did not happen.
    assert next_open_ms((0, 1_440), frozenset({5}), "Pacific/Apia", at("2011-12-29T12:00")) == at(
        "2012-01-05T10:00"
    )


@settings(deadline=None, max_examples=60)
@given(
    zone_name=st.sampled_from(ZONES),
    start=st.integers(0, 1_380),
    length=st.integers(1, 300),
    weekdays=st.frozensets(st.integers(1, 7), min_size=1),
    now_ms=st.integers(at("2011-12-20T00:00"), at("2012-04-20T00:00")).map(lambda ms: ms // 60_000 * 60_000),
)
def test_no_allowed_minute_comes_before_the_one_that_is_named(
    zone_name: str, start: int, length: int, weekdays: frozenset[int], now_ms: int
) -> None:
    hours = (start, min(start + length, 1_440))
    opens_ms = next_open_ms(hours, weekdays, zone_name, now_ms)
    assert opens_ms is not None
    assert is_open(hours, weekdays, zone_name, opens_ms)
    minutes = range(now_ms, min(opens_ms, now_ms + 9 * DAY_MS), 15 * MINUTE_MS)
    assert not any(is_open(hours, weekdays, zone_name, minute_ms) for minute_ms in minutes)


def test_a_zone_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="Asia/Atlantis"):
        zone("Asia/Atlantis")
