"""Options that many commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import IO, Any, TypeVar

import rich_click as click

from controller.cli.link import Settings
from controller.cli.render import Form
from controller.errors import BadRows, FarmError

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


def list_bytes(file: Path) -> bytes:
    """Return the bytes of a list; BadRows before anything is sent if it is larger than the farm takes."""
    from controller.sheets import MAX_BYTES

    size = file.stat().st_size
    if size > MAX_BYTES:
        mib = 1024 * 1024
        raise BadRows(f"{file} has {size // mib} MiB; {MAX_BYTES // mib} MiB at most. Split it")
    return file.read_bytes()


def private_file(output: Path) -> IO[bytes]:
    """Open a file that only its owner may read, emptied; FarmError if it cannot be written."""
    try:
        number = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise FarmError(f"{output} cannot be written: {(error.strerror or str(error)).lower()}") from None
    return os.fdopen(number, "wb")


def text_of(file: Path) -> str:
    """Return the text of a file without surrounding blanks; UsageError if it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError:
        raise click.UsageError(f"{file} is not UTF-8 text.") from None


yes = click.option("--yes", is_flag=True, help="Do not ask. Lifts no quota and no check.")
