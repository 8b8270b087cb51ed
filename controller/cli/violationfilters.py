"""Which violations a command is about: the same options wherever violations are chosen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import rich_click as click

from controller.cli.periods import read_moment

Command = TypeVar("Command", bound=Callable[..., Any])

STATES = ("new", "confirmed", "dismissed", "escalated", "closed")
SEVERITIES = ("low", "medium", "high", "critical")

_PLAIN = (
    *("account", "holder", "state", "severity", "category", "rule", "entry", "kind", "assignee", "appeal"),
    *("conversation_id", "since_ms", "until_ms"),
)


def moment_of(*, is_end: bool = False) -> Callable[[click.Context, click.Parameter, str | None], int | None]:
    """Return how an option with a moment is read: 30d (ago), 2026-11-21."""

    def callback(_context: click.Context, _option: click.Parameter, value: str | None) -> int | None:
        if value is None:
            return None
        try:
            return max(0, read_moment(value, time.time_ns() // 1_000_000, is_end=is_end))
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def since(default: str | None = None) -> Callable[[Command], Command]:
    """Return the option --since; the command gets `since_ms`."""
    return click.option(
        "--since",
        "since_ms",
        callback=moment_of(),
        metavar="WHEN",
        default=default,
        show_default=default is not None,
        help="Found since: 2h, 30d, 2026-11-21.",
    )


_OPTIONS = (
    click.option("--phones", "selector", default="all", help="7 · 1-12,40 · @rack-A · holder:王芳 · all"),
    click.option("--account", metavar="PHONE|ACCOUNT"),
    click.option("--holder", metavar="NAME", help="About this member of staff."),
    click.option("--state", type=click.Choice(STATES)),
    click.option("--severity", type=click.Choice(SEVERITIES)),
    click.option("--category", metavar="ID"),
    click.option("--rule", metavar="ID"),
    click.option("--entry", metavar="ID", help="Of the lexicon."),
    click.option("--kind", type=click.Choice(["word", "pattern", "behaviour", "sample"])),
    click.option("--assignee", metavar="NAME", help='Who has it; "-" for nobody.'),
    click.option("--appeal", type=click.Choice(["open", "upheld", "granted"])),
    click.option("--chat", "conversation_id", type=int, metavar="CHAT"),
    since(),
    click.option("--until", "until_ms", callback=moment_of(is_end=True), metavar="WHEN", help="And before."),
)


def filtered(command: Command) -> Command:
    """Add the options that choose violations; `given` makes parameters of them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def given(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters that were said, as the API takes them."""
    said = {name: asked[name] for name in _PLAIN if asked[name] is not None}
    return {"phones": asked["selector"], **said}
