"""Hours of the week by the clock of a zone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model import Window
from agent.windows import is_open, minute_of_week

SHANGHAI = "Asia/Shanghai"
WORK = tuple(Window(start_min=day * 1440 + 480, end_min=day * 1440 + 1200) for day in range(5))


def at(text: str, zone: str = SHANGHAI) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        ("2026-03-02T08:00", True),  # Monday
        ("2026-03-02T07:59:59.999", False),
        ("2026-03-02T19:59:59.999", True),
        ("2026-03-02T20:00", False),
        ("2026-03-06T12:00", True),  # Friday
        ("2026-03-07T12:00", False),  # Saturday
    ],
)
def test_windows_are_half_open_and_of_the_zone(moment: str, opened: bool) -> None:
    assert is_open(WORK, SHANGHAI, at(moment)) is opened


def test_without_windows_every_moment_is_open() -> None:
    assert is_open((), SHANGHAI, 0)
    assert is_open((), "No/Where", 0)


def test_with_windows_an_unknown_zone_opens_nothing() -> None:
    whole_week = (Window(start_min=0, end_min=7 * 1440),)
    assert is_open(whole_week, SHANGHAI, 0)
    for zone in ("No/Where", "", "../etc/passwd"):
        assert not is_open(whole_week, zone, 0)


def test_a_clock_that_is_put_forward_skips_what_lies_in_between() -> None:
    night = (Window(start_min=6 * 1440 + 120, end_min=6 * 1440 + 180),)  # Sunday 02:00 to 03:00
    first_ms = at("2026-03-29T00:00", "Europe/Berlin")
    assert not any(is_open(night, "Europe/Berlin", first_ms + minute * 60_000) for minute in range(1440))


@given(st.integers(0, 4_000_000_000_000))
def test_minutes_of_a_week_come_round(at_ms: int) -> None:
    minute = minute_of_week(SHANGHAI, at_ms)
    assert minute is not None
    assert 0 <= minute < 7 * 1440
    assert minute_of_week(SHANGHAI, at_ms + 7 * 86_400_000) == minute or at_ms < 800_000_000_000
