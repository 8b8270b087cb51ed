import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sessions import Window
from controller.weekhours import (
    DAY_MINUTES,
    WEEK_MINUTES,
    is_within,
    joined,
    read_windows,
    shown,
    shown_chinese,
)

MONDAY_MS = 1_795_363_200_000  # 2026-11-23 00:00 in Shanghai
SHANGHAI = "Asia/Shanghai"

minutes = st.integers(0, WEEK_MINUTES - 1)


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, ...]:
    found = []
    for _ in range(draw(st.integers(0, 5))):
        start = draw(minutes)
        end = draw(st.integers(start + 1, WEEK_MINUTES))
        found.append(Window(start_min=start, end_min=end))
    return joined(found)


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("mon-fri 08:00-20:00", "mon-fri 08:00-20:00"),
        ("1-5 8-20", "mon-fri 08:00-20:00"),
        ("Mon, Wed 9-12; sat 9:30-10", "mon,wed 09:00-12:00; sat 09:30-10:00"),
        ("9-18", "mon-sun 09:00-18:00"),
        ("sat-mon 9-10", "mon,sat,sun 09:00-10:00"),
        ("always", "always"),
        ("0-24", "always"),
        ("mon 0-24", "mon 00:00-24:00"),
        ("fri 22-6", "fri 22:00-24:00; sat 00:00-06:00"),
        ("sun 22-6", "mon 00:00-06:00; sun 22:00-24:00"),
    ],
)
def test_hours_are_read_and_shown_as_typed(text: str, back: str) -> None:
    assert shown(read_windows(text)) == back


@pytest.mark.parametrize(
    "text", ["", ";", "9", "mon", "mon-fri", "x 9-10", "9-9", "25-26", "9:75-10", "8 9-10"]
)
def test_what_is_no_part_of_a_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_windows(text)


@given(windows())
def test_what_is_shown_can_be_typed_again(some: tuple[Window, ...]) -> None:
    assert read_windows(shown(some)) == some


@given(windows(), minutes)
def test_a_minute_is_within_if_a_window_has_it(some: tuple[Window, ...], minute: int) -> None:
    expected = not some or any(one.start_min <= minute < one.end_min for one in some)
    assert is_within(some, SHANGHAI, MONDAY_MS + minute * 60_000 + 59_999) == expected


def test_hours_are_those_of_the_zone() -> None:
    office = read_windows("mon 8-9")
    assert is_within(office, SHANGHAI, MONDAY_MS + 8 * 3_600_000)
    assert not is_within(office, "UTC", MONDAY_MS + 8 * 3_600_000)


def test_the_phone_says_the_hours_in_chinese() -> None:
    assert (
        shown_chinese(read_windows("mon-fri 08:00-20:00; sat 9-12"))
        == "周一至周五 08:00-20:00；周六 09:00-12:00"
    )
    assert shown_chinese(read_windows("mon,wed 9-10")) == "周一、三 09:00-10:00"
    assert shown_chinese(()) == ""
    assert DAY_MINUTES * 7 == WEEK_MINUTES
