"""The kernel's input events as `getevent` writes them: was it touched, and where did the finger come down.

Injected events do not pass the kernel: whatever stands here was done by a person. Forms: the Linux input
protocol, types A and B; a value that is as in the event before it is not written again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# Compiled before the fork, once for all phones. The list of devices at the start has another form.
_EVENT = re.compile(rb"^(/dev/input/event\d+): (000[013]) ([0-9a-f]{4}) ([0-9a-f]{8})\r*$", re.MULTILINE)
_DEVICE = re.compile(r"^add device \d+: (\S+)", re.MULTILINE)
_RANGE = re.compile(r"\b00(35|36)\s*: value -?\d+, min -?\d+, max (\d+)")
_SYN, _KEY, _ABS = b"0000", b"0001", b"0003"
_BUTTON_TOUCH, _TRACKING, _X, _Y = b"014a", b"0039", b"0035", b"0036"
# Fingers on glass; the codes of acceleration, light and distance are others.
_FINGER = frozenset({b"002f", *(b"%04x" % code for code in range(0x30, 0x3E))})
_LIFTED = b"ffffffff"
# Longer than any line: of a stream without line ends nothing more is kept.
LINE_LIMIT = 4_096


@dataclass(frozen=True, slots=True)
class Point:
    """Where a finger came down, in units of the touch panel that is named."""

    device: str
    x: int
    y: int


Panels = Mapping[str, tuple[int, int]]  # device: the largest x and y


def panels_of(said: str) -> dict[str, tuple[int, int]]:
    """Return the touch panels in the answer to `getevent -p`."""
    found: dict[str, tuple[int, int]] = {}
    starts = [*_DEVICE.finditer(said)]
    ends = [start.start() for start in starts[1:]] + [len(said)]
    for start, end in zip(starts, ends, strict=False):  # no device: one end more
        most = {code: int(value) for code, value in _RANGE.findall(said, start.end(), end)}
        if most.get("35") and most.get("36"):
            found[start[1]] = (most["35"], most["36"])
    return found


class Reader:
    """Reads a stream piece by piece. `point` is where the last touch began, None if that is not known."""

    def __init__(self) -> None:
        self.point: Point | None = None
        self._kept = b""
        self._places: dict[bytes, dict[bytes, int]] = {}  # by device, what its axes said last
        self._began = b""

    def take(self, piece: bytes) -> bool:
        """Take what came; tells whether a person touched the glass or a key."""
        lines = self._kept + piece
        whole, self._kept = lines[: lines.rfind(b"\n") + 1], lines[lines.rfind(b"\n") + 1 :][-LINE_LIMIT:]
        is_touched = False
        for device, kind, code, value in _EVENT.findall(whole):
            if kind == _SYN:
                self._end_frame(device)
            elif kind == _KEY or code in _FINGER:
                is_touched = True
                self._take(device, kind, code, value)
        return is_touched

    def _take(self, device: bytes, kind: bytes, code: bytes, value: bytes) -> None:
        if kind == _KEY and code != _BUTTON_TOUCH:
            self.point = None  # a key
        elif (kind == _KEY and int(value, 16)) or (code == _TRACKING and value != _LIFTED):
            self._began = device
        elif code in (_X, _Y):
            self._places.setdefault(device, {})[code] = int(value, 16)

    def _end_frame(self, device: bytes) -> None:
        if self._began == device:
            self._began = b""
            place = self._places.get(device, {})
            is_known = _X in place and _Y in place
            self.point = Point(device.decode(), place[_X], place[_Y]) if is_known else None
