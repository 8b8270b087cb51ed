"""Moments and periods as people type them: 2026-11-21, "2026-11-21 10:00", 2h (ago); local time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import rich_click as click

from controller.cli import spans

Command = TypeVar("Command", bound=Callable[..., Any])

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_AGO = re.compile(r"\d{1,6}[smhd]")


def read_moment(text: str, now_ms: int, *, is_end: bool = False) -> int:
    """Return a moment in ms UTC; a day alone is its beginning, as the end of a period its end; ValueError."""
    said = text.strip()
    if _AGO.fullmatch(said):
        return now_ms - spans.read_span(said)
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise ValueError('say 2026-11-21, "2026-11-21 10:00", or 2h for two hours ago') from None
    if is_end and _DAY.fullmatch(said):
        moment += timedelta(days=1)
    # Without a zone of its own it is the local time of who types.
    return round(moment.timestamp() * 1000)


def _read(*, is_end: bool) -> Callable[[click.Context, click.Parameter, str | None], int | None]:
    def callback(_context: click.Context, _option: click.Parameter, value: str | None) -> int | None:
        try:
            now_ms = time.time_ns() // 1_000_000
            return None if value is None else read_moment(value, now_ms, is_end=is_end)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def within(command: Command) -> Command:
    """Add --from and --to; the command gets `from_ms` and `to_ms`, None if not said."""
    to = click.option(
        "--to", "to_ms", callback=_read(is_end=True), metavar="WHEN", help="A day counts to its end."
    )
    since = click.option(
        "--from",
        "from_ms",
        callback=_read(is_end=False),
        metavar="WHEN",
        help='2026-11-21, "2026-11-21 10:00", 2h',
    )
    return since(to(command))
