"""farm friends: check, add, accept. The controller reads lists: the same checks for every program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rich_click as click

from controller.answers import SOME_ROWS
from controller.cli import accepting
from controller.cli.link import Settings
from controller.cli.options import ask, list_bytes, pass_settings, printed, text_of, yes
from controller.cli.plans import say_plan, tell_made, tell_plan
from controller.cli.render import Column, Form, Record, counted, hint, key, put_json, put_table, quoted, say

_PROBLEMS = (
    Column("ROW", key("row_no"), right=True),
    Column("COLUMN", key("column")),
    Column("VALUE", key("value")),
    Column("PROBLEM", key("problem"), folds=True),
)
_MOST_SHOWN = 50

a_list = click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A CSV file or a workbook."
)
mapped = click.option("--map", "mapping", multiple=True, metavar="COLUMN=HEADING", help="mobile=收货电话")


@click.group()
def friends() -> None:
    """Friend adds from a list, each with its basis, within the quotas."""


friends.add_command(accepting.accept)


@friends.command("check")
@a_list
@mapped
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write a copy with a 问题 column.")
@printed
@pass_settings
def check_list(settings: Settings, /, **asked: Any) -> int:
    """Say what is wrong with a list; nothing is stored or sent."""
    farm = settings.farm()
    raw, form = list_bytes(asked["file"]), asked["form"]
    found = farm.upload("/friends/check", raw, map=asked["mapping"])
    if asked["output"]:
        asked["output"].write_bytes(_marked(raw, asked["mapping"], found["problems"]))
    if form is not Form.TABLE:
        put_json(found, form)
    else:
        _tell_check(found, asked["file"], asked["output"])
    return SOME_ROWS if found["problems"] else 0


def _marked(raw: bytes, mapping: Sequence[str], problems: list[Record]) -> bytes:
    """Return a list with what the controller found wrong; its own copy would mean to check it all again."""
    from controller.columns import Column as Meaning
    from controller.model import RowProblem
    from controller.sheets import read_sheet
    from controller.web.marked import marked_copy

    named = {Meaning(name): heading for name, _, heading in (pair.partition("=") for pair in mapping)}
    return marked_copy(read_sheet(raw, named), [RowProblem(**problem) for problem in problems])


def _tell_check(found: Record, file: Path, output: Path | None) -> None:
    columns = ", ".join(f"{heading} → {name}" for name, heading in found["columns"].items())
    say(f"Read {counted(found['rows'], 'row')} ({found['encoding']}). Columns: {columns}")
    _put_problems(found["problems"])
    bad = len(found["problems"])
    say(f"{counted(found['usable'], 'row')} can be added, {bad} cannot.")
    if output:
        say(f"Copy with a 问题 column: {output}")
    elif bad:
        kind = file.suffix if file.suffix.lower() == ".xlsx" else ".csv"
        copy = file.with_suffix(f".checked{kind}")
        hint(f"A copy with a 问题 column: farm friends check {quoted(str(file))} -o {quoted(str(copy))}")
    if found["usable"]:
        skip = " --skip-bad" if bad else ""
        hint(f"Next: farm friends add {quoted(str(file))} --phones SELECTOR --greeting FILE --dry-run{skip}")


def _put_problems(problems: list[Record]) -> None:
    if problems:
        put_table(problems[:_MOST_SHOWN], _PROBLEMS)
    if len(problems) > _MOST_SHOWN:
        say(f"… and {len(problems) - _MOST_SHOWN:,} more; all of them: --json or -o FILE")


@friends.command("add")
@a_list
@click.option(
    "--phones", "selector", required=True, help="7 · 1-12,40 · @rack-A · state:ready · holder:王芳 · all"
)
@click.option(
    "--greeting", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A UTF-8 text file."
)
@mapped
@click.option("--tag", "tags", multiple=True, help="A tag that everybody of the list gets; again for more.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the plan; store and send nothing.")
@click.option("--skip-bad", is_flag=True, help="Leave bad rows out instead of refusing the list.")
@yes
@click.option("--watch", "-w", is_flag=True, help="Follow the job until it ends.")
@printed
@pass_settings
def add_list(settings: Settings, /, **asked: Any) -> int | None:
    """Make a job that adds the people of a list."""
    farm, form = settings.farm(), asked["form"]
    raw = list_bytes(asked["file"])
    wanted = {
        "phones": asked["selector"],
        "greeting": text_of(asked["greeting"]) if asked["greeting"] else "",
        "map": asked["mapping"],
        "tag": asked["tags"],
    }
    plan = farm.upload("/friends/plan", raw, **wanted)
    if plan["problems"] and not asked["skip_bad"]:
        return _refuse(plan, form)
    if asked["dry_run"]:
        return tell_plan(plan, form, one="friend request", nothing="Nothing was sent.")
    if plan["rows"] and not asked["yes"]:
        say_plan(plan, one="friend request")
        ask(f"Start {counted(plan['rows'], 'friend request')}?")
    made = farm.upload("/friends/jobs", raw, **wanted, source=asked["file"].name, skip_bad=asked["skip_bad"])
    return tell_made(farm, made, form, watch=asked["watch"], nothing="Nothing new was sent.")


def _refuse(plan: Record, form: Form) -> int:
    if form is not Form.TABLE:
        put_json(plan, form)
    else:
        _put_problems(plan["problems"])
    say(f"{counted(len(plan['problems']), 'row')} cannot be added. Nothing was sent.")
    hint("Correct the list, or leave these rows out: the same command with --skip-bad")
    return SOME_ROWS
