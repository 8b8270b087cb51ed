"""Logs of one agent: JSON lines on stderr, with the phone in each; never chat text, names or mobiles."""

from __future__ import annotations

import logging
import sys
import traceback

import structlog
from structlog.typing import EventDict, WrappedLogger


def set_up(phone: str, *, level: int = logging.INFO) -> None:
    """Let every log line of this process be JSON that names the phone (its adb address)."""

    def name_phone(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        line.setdefault("phone", phone)
        return line

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            name_phone,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def where(error: BaseException) -> list[str]:
    """Return the frames an error came through; its message may hold text from the screen and stays out."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
