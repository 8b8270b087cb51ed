"""Logs on stderr: key=value for a person, JSON for a collector; events and numbers, never private text."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from types import TracebackType

import structlog

_MAX_FRAMES = 12


def log_to_stderr() -> None:
    """Send our events and the libraries' warnings to stderr."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    # uvicorn warns about each broken request of a client; that is the client's business.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(pad_event_to=28)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def log_outline(event: str, error: BaseException, **about: str) -> None:
    """Log an error nobody expected: its type and where it came from, innermost last; never its message.

    A message may quote a customer: a database's own words name the values of the row that it refused.
    """
    frames = [*_frames(error.__traceback__)][-_MAX_FRAMES:]
    structlog.get_logger().error(event, **about, error=type(error).__name__, frames=frames)


def _frames(at: TracebackType | None) -> Iterator[str]:
    while at is not None:
        frame = at.tb_frame
        yield f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_name}:{at.tb_lineno}"
        at = at.tb_next
