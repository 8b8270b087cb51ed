"""What the demo prints: one line a step, the table of outcomes, the verdict."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parts import Parts
from rich.console import Console
from rich.table import Table
from verdict import Row

_out = Console(highlight=False, soft_wrap=True)


def line(text: str) -> None:
    """Print one plain line."""
    _out.print(text, markup=False)


def step(text: str) -> None:
    """Print what was reached."""
    _out.print(f"[green]✓[/] {text}")


def warn(text: str) -> None:
    """Print a trouble that was made on purpose."""
    _out.print(f"[yellow]![/] {text}")


def failed(why: str, folder: Path) -> None:
    """Print why the demo could not go on, and where its logs are."""
    Console(stderr=True, highlight=False).print(f"[red]demo failed:[/] {why}\nlogs: {folder}/logs")


def outcomes(
    table: Sequence[Row], truth: Mapping[str, Any], phones: Sequence[Mapping[str, Any]], per_day: int
) -> None:
    """Print outcomes and phones, belief beside truth."""
    believed, expected = (
        Counter(row.outcome or row.state for row in table),
        Counter(row.expected for row in table),
    )
    first = Table(title="Customers", title_justify="left")
    first.add_column("outcome")
    for name in ("controller says", "world expects", "requests that went out"):
        first.add_column(name, justify="right")
    for outcome in sorted(believed | expected, key=lambda one: -believed[one]):
        sent = sum(row.requests for row in table if (row.outcome or row.state) == outcome)
        first.add_row(outcome, str(believed[outcome]), str(expected[outcome]), str(sent))
    _out.print(first)
    counted = {phone["serial"]: phone for phone in truth["phones"]}
    second = Table(title="Phones", title_justify="left")
    for name in ("no", "holder", "state"):
        second.add_column(name)
    for name in ("permits used", "quota 24 h", "requests in the world"):
        second.add_column(name, justify="right")
    for phone in phones:
        real = counted[phone["serial"]]
        went_out = sum(entry["count"] for entry in [*real["requests"], *real["added"]])
        second.add_row(
            phone["phone_id"],
            phone["holder"],
            phone["state"],
            str(phone["adds_day"]),
            str(per_day),
            str(went_out),
        )
    _out.print(second)


def summary(
    table: Sequence[Row],
    *,
    lines: int,
    chats: int,
    violations: Sequence[Mapping[str, Any]],
    told: Sequence[str],
    took_s: float,
) -> None:
    """Print what came of everything in a few lines."""
    right = sum(row.agrees for row in table)
    line(f"{right} of {len(table)} customers with the right outcome; {lines} chat lines in {chats} chats")
    for one in violations:
        line(f"violation on {one['phone_id']} {one['holder']}: 【{one['word']}】")
    for one in told:
        warn(one)
    line(f"took {took_s:.0f} s after set-up")


def findings(found: Sequence[str]) -> None:
    """Print the verdict."""
    if not found:
        _out.print(
            "[bold green]Controller and world agree.[/] Nothing was done twice, no phone went over its quota."
        )
        return
    _out.print("[bold red]Controller and world differ:[/]")
    for one in found:
        line("  " + one)


def try_next(farm: Parts) -> None:
    """Print what to type in another terminal while the farm stays up."""
    config = farm.folder / "config.toml"
    where = Path(sys.executable).parent
    line(f"\nThe farm stays up. In another terminal:\n  export PATH={where}:$PATH FARM_CONFIG={config}")
    for command, what in (
        ("farm status -w", "the farm at a glance"),
        ("farm phones list", "the rack"),
        ("farm jobs list", "what was done"),
        ("farm violations list", "what the word list found"),
        ("farm chats list", "what was captured"),
        ("farm doctor", "is everything well?"),
    ):
        line(f"  {command:<24}# {what}")
    line("Ctrl-C stops it.")
