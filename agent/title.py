"""What `ps` shows for a forked process: the kernel goes on showing its parent's command line."""

from __future__ import annotations

import ctypes
from pathlib import Path

_PR_SET_NAME = 15
# An argument of this length is given to the parent only to make room for its children's command lines.
ROOM = "-" * 120
# Fields of /proc/self/stat after the command's name, which may contain blanks and brackets.
_ARG_START, _ARG_END = 45, 46


def set_title(name: str, command: str) -> None:
    """Show `command` as command line, cut to the room there is, and `name` (15 bytes) as short name."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)
    fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    start, end = int(fields[_ARG_START]), int(fields[_ARG_END])
    room = end - start
    if room <= 1:
        return
    words = command.encode().replace(b" ", b"\0")[: room - 1]
    ctypes.memmove(start, words.ljust(room, b"\0"), room)
