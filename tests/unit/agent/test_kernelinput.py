"""Kernel input events: touches in every form and cut, where they came down, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.kernelinput import Point, Reader, panels_of

GLASS = "/dev/input/event2"
PROPERTIES = """add device 1: /dev/input/event2
  name:     "touch"
  events:
    KEY (0001): 014a
    ABS (0003): 002f  : value 0, min 0, max 9, fuzz 0, flat 0, resolution 0
                0035  : value 0, min 0, max 1079, fuzz 0, flat 0, resolution 0
                0036  : value 0, min 0, max 2339, fuzz 0, flat 0, resolution 0
  input props:
    INPUT_PROP_DIRECT
add device 2: /dev/input/event0
  name:     "gpio-keys"
  events:
    KEY (0001): 0072  0073  0074
add device 3: /dev/input/event5
  name:     "accelerometer"
  events:
    ABS (0003): 0000  : value 12, min -4096, max 4096, fuzz 0, flat 0, resolution 0
"""


def said(*events: tuple[int, int, int], end: str = "\n", device: str = GLASS) -> bytes:
    return "".join(
        f"{device}: {kind:04x} {code:04x} {value:08x}{end}" for kind, code, value in events
    ).encode()


DOWN = ((3, 0x39, 7), (1, 0x14A, 1), (3, 0x35, 100), (3, 0x36, 2000), (3, 0x3A, 48), (0, 0, 0))
UP = ((3, 0x39, 0xFFFFFFFF), (1, 0x14A, 0), (0, 0, 0))


def test_panels_are_the_devices_with_two_axes_of_fingers() -> None:
    assert panels_of(PROPERTIES) == {GLASS: (1079, 2339)}
    assert panels_of("") == {}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_finger_comes_down_where_its_first_frame_says(end: str) -> None:
    reader = Reader()
    assert reader.take(said(*DOWN, end=end))
    assert reader.point == Point(GLASS, 100, 2000)
    # It moves and is lifted: where it came down stays what it was.
    assert reader.take(said((3, 0x35, 900), (0, 0, 0), *UP, end=end))
    assert reader.point == Point(GLASS, 100, 2000)


def test_a_place_that_is_as_before_is_not_written_again() -> None:
    reader = Reader()
    reader.take(said(*DOWN, *UP))
    reader.take(said((3, 0x39, 8), (1, 0x14A, 1), (3, 0x36, 50), (0, 0, 0)))
    assert reader.point == Point(GLASS, 100, 50)


def test_a_key_is_a_touch_without_a_place() -> None:
    reader = Reader()
    reader.take(said(*DOWN, *UP))
    assert reader.take(said((1, 0x74, 1), (0, 0, 0), device="/dev/input/event0"))
    assert reader.point is None


@pytest.mark.parametrize(
    "words",
    [
        PROPERTIES.encode(),
        said((3, 0, 7), (3, 1, 9), (3, 0x19, 1), (0, 0, 0), device="/dev/input/event5"),
        said((5, 0, 1), (0, 0, 0), device="/dev/input/event0"),
        b"could not get driver version for /dev/input/mouse0, Not a typewriter\n",
    ],
    ids=["properties", "sensors", "a switch", "a complaint"],
)
def test_what_no_person_did_is_no_touch(words: bytes) -> None:
    assert not Reader().take(words)


@given(st.lists(st.integers(1, 40), max_size=30))
def test_however_the_stream_is_cut_it_says_the_same(sizes: list[int]) -> None:
    words = said(*DOWN, *UP, *DOWN[:2], (3, 0x35, 5), (0, 0, 0), *UP)
    reader, at, is_touched = Reader(), 0, False
    for size in [*sizes, len(words)]:
        is_touched |= reader.take(words[at : at + size])
        at += size
    assert is_touched
    assert reader.point == Point(GLASS, 5, 2000)


@given(st.binary(max_size=300))
def test_any_bytes_are_read(words: bytes) -> None:
    reader = Reader()
    reader.take(words)
    assert reader.take(b"\n" + said(*DOWN))
