"""Logs of one agent: JSON lines on stderr, with the phone in each; never chat text, names or mobiles.

A logger of a few lines: a library for it would cost each of the many agents of a host 1.5 MiB.
"""

from __future__ import annotations

import json
import sys
import traceback
from datetime import UTC, datetime

from agent.boottime import wall_ms

_encode = json.JSONEncoder(ensure_ascii=False, default=repr).encode
_always: dict[str, object] = {}


class Logger:
    """Writes an event, a few constant words, with its facts as one line; from any thread."""

    def info(self, event: str, **facts: object) -> None:
        """Say what happened."""
        _write("info", event, facts)

    def warning(self, event: str, **facts: object) -> None:
        """Say what should not happen often."""
        _write("warning", event, facts)

    def error(self, event: str, **facts: object) -> None:
        """Say what somebody should look into."""
        _write("error", event, facts)

    def critical(self, event: str, **facts: object) -> None:
        """Say what this process ends of."""
        _write("critical", event, facts)


_logger = Logger()


def get_logger() -> Logger:
    """Return the logger of this process."""
    return _logger


def set_up(phone: str) -> None:
    """Let every later line of this process name the phone (its adb address)."""
    _always["phone"] = phone


def _write(level: str, event: str, facts: dict[str, object]) -> None:
    now = datetime.fromtimestamp(wall_ms() / 1000, UTC).isoformat(timespec="milliseconds")
    line = _encode(
        {**facts, "event": event, "level": level, "timestamp": now.replace("+00:00", "Z"), **_always}
    )
    # One write: lines of all agents of a host arrive in one stream.
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def where(error: BaseException) -> list[str]:
    """Return the frames an error came through; its message may hold text from the screen and stays out."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
