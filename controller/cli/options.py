"""Options that many commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import rich_click as click

from controller.cli.link import Settings
from controller.cli.render import Form

Command = TypeVar("Command", bound=Callable[..., Any])

pass_settings = click.make_pass_decorator(Settings, ensure=True)


def printed(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --json and --jsonl; the command gets `form`."""
    return _with_form(command, ids=False)


def listed(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --json, --jsonl and -q; the command gets `form`."""
    return _with_form(command, ids=True)


def _with_form(command: Callable[..., Any], *, ids: bool) -> Callable[..., Any]:
    @wraps(command)
    def call(*args: Any, as_json: bool, as_jsonl: bool, as_ids: bool = False, **kwargs: Any) -> Any:
        chosen = [
            form
            for form, is_asked in ((Form.JSON, as_json), (Form.JSONL, as_jsonl), (Form.IDS, as_ids))
            if is_asked
        ]
        if len(chosen) > 1:
            raise click.UsageError("Use one of --json, --jsonl and -q.")
        return command(*args, form=chosen[0] if chosen else Form.TABLE, **kwargs)

    with_form: Callable[..., Any] = call
    if ids:
        with_form = click.option("-q", "--quiet", "as_ids", is_flag=True, help="Print ids only.")(with_form)
    with_form = click.option("--jsonl", "as_jsonl", is_flag=True, help="Print one JSON object a line.")(
        with_form
    )
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(with_form)


def ask(question: str) -> None:
    """Ask before something begins; Abort if the answer is no, UsageError if nobody is there."""
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody is there to ask: say --yes.")
    click.confirm(question, abort=True, err=True)


yes = click.option("--yes", is_flag=True, help="Do not ask. Lifts no quota and no check.")
