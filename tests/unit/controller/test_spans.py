"""Spans of time as people type and read them."""

from __future__ import annotations

import pytest

from controller.cli import spans


@pytest.mark.parametrize(
    ("text", "ms"),
    [("90s", 90_000), ("90", 90_000), ("2m", 120_000), ("12h", 43_200_000), ("7D", 604_800_000), ("0", 0)],
)
def test_a_length_is_read(text: str, ms: int) -> None:
    assert spans.read_span(text) == ms


@pytest.mark.parametrize("text", ["", "-1s", "soon", "1w", "1e9", "s"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="90s"):
        spans.read_span(text)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("9-18", (540, 1_080)),
        ("09:00-18:30", (540, 1_110)),
        ("0-24", (0, 1_440)),
        ("23:59-24:00", (1_439, 1_440)),
    ],
)
def test_hours_are_read_and_shown(text: str, minutes: tuple[int, int]) -> None:
    assert spans.read_hours(text) == minutes
    shown = spans.hours(minutes)
    assert shown == "always" or spans.read_hours(shown) == minutes


@pytest.mark.parametrize("text", ["", "9", "18-9", "9-9", "9-25", "9:60-10", "22-6", "24:01-24:02"])
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="9-18"):
        spans.read_hours(text)


@pytest.mark.parametrize(
    ("text", "days", "shown"),
    [
        ("1-5", [1, 2, 3, 4, 5], "Mon-Fri"),
        ("1,3", [1, 3], "Mon Wed"),
        ("7", [7], "Sun"),
        ("1-7", [1, 2, 3, 4, 5, 6, 7], "every day"),
    ],
)
def test_weekdays_are_read_and_shown(text: str, days: list[int], shown: str) -> None:
    assert spans.read_weekdays(text) == days
    assert spans.weekdays(days) == shown


@pytest.mark.parametrize("text", ["", "0", "8", "5-1", "Mon", "1,,2"])
def test_what_are_no_weekdays_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Monday"):
        spans.read_weekdays(text)


def test_lengths_are_shown_in_the_unit_they_fill() -> None:
    assert [spans.span(ms) for ms in (0, 1_500, 90_000, 120_000, 86_400_000)] == [
        "-",
        "1.5s",
        "90s",
        "2m",
        "1d",
    ]
    assert [spans.about(ms) for ms in (1, 3_600_000, 5 * 3_600_000, 3 * 86_400_000)] == [
        "1 min",
        "60 min",
        "5 h",
        "3 d",
    ]
