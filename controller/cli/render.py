"""What people and scripts see: tables, JSON, lines on stderr; text from outside goes through safe()."""

from __future__ import annotations

import re
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import IO, TYPE_CHECKING, Any

from controller.safe import json_text, safe

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Record = Mapping[str, Any]

# Wide enough that nothing is cut when the output goes into a file or another program.
_PIPE_WIDTH = 4_000
# A text that may be folded is readable from so many cells on.
_FOLDED_WIDTH = 24
_GAP = 2

_STATE_STYLES = {
    "ready": "green",
    "running": "green",
    "done": "green",
    "ok": "green",
    "busy": "cyan",
    "leased": "cyan",
    "armed": "cyan",
    "backoff": "bold red",
    "quarantined": "red",
    "unknown": "bold yellow",
    "fail": "bold red",
    "blind": "yellow",
    "logged_out": "yellow",
    "no_notice": "yellow",
    "unauthorized": "yellow",
    "held": "yellow",
    "warn": "yellow",
    "absent": "dim",
    "preparing": "dim",
}


class Form(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    IDS = "ids"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, how its text is made of a record, and which side it leans to.

    A spare column is left out where the terminal has no room for all of them.
    """

    title: str
    text: Callable[[Record], str]
    right: bool = False
    is_state: bool = False
    folds: bool = False
    is_spare: bool = False


def console(stream: IO[str]) -> Console:
    """Return a console that takes text as it is and honours NO_COLOR; it never cuts what goes into a pipe."""
    from rich.console import Console

    return Console(
        file=stream,
        markup=False,
        highlight=False,
        emoji=False,
        width=None if stream.isatty() else _PIPE_WIDTH,
    )


def say(line: str) -> None:
    """Print a message for the person; results never go this way."""
    sys.stderr.write("\n".join(safe(part) for part in line.split("\n")) + "\n")
    sys.stderr.flush()


def hint(line: str) -> None:
    """Print what to type next."""
    from rich.text import Text

    console(sys.stderr).print(Text(safe(line), style="dim"), soft_wrap=True)


def quoted(text: str) -> str:
    """Return an argument as it must be typed; Chinese needs no quotes."""
    return text if re.fullmatch(r"[\w@%+=:,./-]+", text) else shlex.quote(text)


def put(line: str) -> None:
    """Print one line of a result."""
    sys.stdout.write(safe(line) + "\n")


def put_json(value: object, form: Form = Form.JSON) -> None:
    """Print a value as JSON; a list in the form JSONL one element a line."""
    if form is Form.JSONL and isinstance(value, list):
        for one in value:
            sys.stdout.write(json_text(one) + "\n")
    else:
        sys.stdout.write(json_text(value, indent=2 if sys.stdout.isatty() else None) + "\n")
    sys.stdout.flush()


def put_records(records: Sequence[Record], columns: Sequence[Column], *, form: Form, id_key: str) -> None:
    """Print records in the asked form."""
    if form in {Form.JSON, Form.JSONL}:
        put_json(list(records), form)
    elif form is Form.IDS:
        for record in records:
            put(str(record[id_key]))
    elif records:
        put_table(records, columns)


def put_table(records: Sequence[Record], columns: Sequence[Column], stream: IO[str] | None = None) -> None:
    """Print a table whose columns stand straight with Chinese in them."""
    to = console(stream or sys.stdout)
    to.print(table(records, fitting(records, columns, to.width)))


def fitting(records: Sequence[Record], columns: Sequence[Column], width: int) -> Sequence[Column]:
    """Return all columns if they fit into a width, else those that are not spare."""
    if not any(column.is_spare for column in columns) or _needed(records, columns) <= width:
        return columns
    return [column for column in columns if not column.is_spare]


def _needed(records: Sequence[Record], columns: Sequence[Column]) -> int:
    from rich.cells import cell_len

    needed = 0
    for column in columns:
        widest = max([cell_len(safe(column.text(record))) for record in records], default=0)
        needed += max(cell_len(column.title), min(widest, _FOLDED_WIDTH) if column.folds else widest) + _GAP
    return needed


def table(records: Sequence[Record], columns: Sequence[Column]) -> Table:
    """Return a table without lines; cells are text, never markup."""
    from rich.table import Table
    from rich.text import Text

    has_heading = any(column.title for column in columns)
    found = Table(
        box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold", show_header=has_heading
    )
    for column in columns:
        found.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=not column.folds,
            overflow="fold" if column.folds else "ellipsis",
        )
    for record in records:
        found.add_row(
            *(Text(safe(text), style=_style(column, text)) for column, text in _cells(record, columns))
        )
    return found


def _cells(record: Record, columns: Sequence[Column]) -> list[tuple[Column, str]]:
    return [(column, column.text(record)) for column in columns]


def _style(column: Column, text: str) -> str:
    return _STATE_STYLES.get(text, "") if column.is_state else ""


def put_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Print names and values below each other; pairs without a value are left out."""
    put_table(
        [{"name": name, "value": value} for name, value in pairs if value],
        [Column("", lambda pair: str(pair["name"])), Column("", lambda pair: str(pair["value"]), folds=True)],
    )


def key(name: str) -> Callable[[Record], str]:
    """Return how a field is shown as it is; "-" if it has no value."""

    def text(record: Record) -> str:
        value = record.get(name)
        return "-" if value is None or value == "" else str(value)

    return text


def age_of(name: str, now_ms: int) -> Callable[[Record], str]:
    """Return how a field with a time is shown as an age."""
    return lambda record: age(record.get(name), now_ms)


def age(at_ms: int | None, now_ms: int) -> str:
    """Return how long ago something was: 4s, 12m, 3h, 2d; "-" if never."""
    if at_ms is None:
        return "-"
    seconds = max(0, (now_ms - at_ms) // 1000)
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def moment(at_ms: int | None) -> str:
    """Return a time as local ISO 8601 with its zone; "-" if none."""
    if at_ms is None:
        return "-"
    return datetime.fromtimestamp(at_ms / 1000).astimezone().isoformat(" ", "seconds")


def zone() -> str:
    """Return the zone of the times that are shown, as it is now: UTC+08:00."""
    return f"UTC{moment(time.time_ns() // 1_000_000)[-6:]}"


def moment_of(name: str) -> Callable[[Record], str]:
    """Return how a field with a time is shown as a time."""
    return lambda record: moment(record.get(name))


def clock_of(name: str) -> Callable[[Record], str]:
    """Return how a field with a time is shown in a narrow column: 11-21 10:41:07, local."""
    return lambda record: moment(record.get(name))[5:19] if record.get(name) is not None else "-"


def counted(many: int, one: str, plural: str = "") -> str:
    """Return "1 phone" or "3 phones"."""
    return f"{many:,} {one if many == 1 else plural or one + 's'}"
