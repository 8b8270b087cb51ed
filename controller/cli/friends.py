"""farm friends: check, add. The controller reads the list, so that every program gets the same checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from controller.answers import SOME_ROWS
from controller.cli.link import Farm, Settings
from controller.cli.options import ask, pass_settings, printed, yes
from controller.cli.render import (
    Column,
    Form,
    Record,
    clock_of,
    counted,
    hint,
    key,
    moment,
    put_json,
    put_table,
    quoted,
    say,
)
from controller.cli.watch import follow

_PROBLEMS = (
    Column("ROW", key("row_no"), right=True),
    Column("COLUMN", key("column")),
    Column("VALUE", key("value")),
    Column("PROBLEM", key("problem"), folds=True),
)
_LINES = (
    Column("NO", key("phone_id")),
    Column("ACCOUNT", key("account_id")),
    Column("ROWS", key("rows"), right=True),
    Column("NOW", key("now"), right=True),
    Column("A DAY", key("per_day"), right=True),
    Column("ENDS ABOUT", clock_of("ends_at_ms")),
    Column("WAITS FOR", key("held"), folds=True),
)
_MOST_SHOWN = 50

a_list = click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A CSV file."
)
mapped = click.option("--map", "mapping", multiple=True, metavar="COLUMN=HEADING", help="mobile=收货电话")


@click.group()
def friends() -> None:
    """Friend adds from a list, each with its basis, within the quotas."""


@friends.command("check")
@a_list
@mapped
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write a copy with a 问题 column.")
@printed
@pass_settings
def check_list(settings: Settings, /, **asked: Any) -> int:
    """Say what is wrong with a list; nothing is stored or sent."""
    farm = settings.farm()
    raw, form = asked["file"].read_bytes(), asked["form"]
    found = farm.upload("/friends/check", raw, map=asked["mapping"])
    if asked["output"]:
        asked["output"].write_bytes(farm.upload("/friends/marked", raw, map=asked["mapping"]))
    if form is not Form.TABLE:
        put_json(found, form)
    else:
        _tell_check(found, asked["file"], asked["output"])
    return SOME_ROWS if found["problems"] else 0


def _tell_check(found: Record, file: Path, output: Path | None) -> None:
    columns = ", ".join(f"{heading} → {name}" for name, heading in found["columns"].items())
    say(f"Read {counted(found['rows'], 'row')} ({found['encoding']}). Columns: {columns}")
    _put_problems(found["problems"])
    bad = len(found["problems"])
    say(f"{counted(found['usable'], 'row')} can be added, {bad} cannot.")
    if output:
        say(f"Copy with a 问题 column: {output}")
    elif bad:
        copy = file.with_suffix(".checked.csv")
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
@click.option("-n", "--dry-run", is_flag=True, help="Show the plan; store and send nothing.")
@click.option("--skip-bad", is_flag=True, help="Leave bad rows out instead of refusing the list.")
@yes
@click.option("--watch", "-w", is_flag=True, help="Follow the job until it ends.")
@printed
@pass_settings
def add_list(settings: Settings, /, **asked: Any) -> int | None:
    """Make a job that adds the people of a list."""
    farm, form = settings.farm(), asked["form"]
    raw = asked["file"].read_bytes()
    wanted = {
        "phones": asked["selector"],
        "greeting": _greeting(asked["greeting"]),
        "map": asked["mapping"],
    }
    plan = farm.upload("/friends/plan", raw, **wanted)
    if plan["problems"] and not asked["skip_bad"]:
        return _refuse(plan, form)
    if asked["dry_run"]:
        return _tell_plan(plan, form)
    if plan["rows"] and not asked["yes"]:
        _ask(plan)
    made = farm.upload("/friends/jobs", raw, **wanted, source=asked["file"].name, skip_bad=asked["skip_bad"])
    return _tell_made(farm, made, form, watch=asked["watch"])


def _greeting(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError:
        raise click.UsageError(f"{file} is not UTF-8 text.") from None


def _refuse(plan: Record, form: Form) -> int:
    if form is not Form.TABLE:
        put_json(plan, form)
    else:
        _put_problems(plan["problems"])
    say(f"{counted(len(plan['problems']), 'row')} cannot be added. Nothing was sent.")
    hint("Correct the list, or leave these rows out: the same command with --skip-bad")
    return SOME_ROWS


def _tell_plan(plan: Record, form: Form) -> int:
    if form is not Form.TABLE:
        put_json(plan, form)
        return 0
    put_table(plan["lines"], _LINES)
    _say_plan(plan)
    say("Nothing was sent.")
    hint("To start: the same command without --dry-run")
    return 0


def _say_plan(plan: Record) -> None:
    working = [line for line in plan["lines"] if line["rows"]]
    end = f", ends about {moment(plan['ends_at_ms'])[:16]}" if plan["ends_at_ms"] else ""
    say(f"{counted(plan['rows'], 'friend request')} from {counted(len(working), 'phone')}{end}.")
    if plan["unplaced"]:
        say(f"{counted(plan['unplaced'], 'row')} can go to none of these phones now and will wait.")
    if plan["skipped"]:
        say(f"{counted(len(plan['skipped']), 'row')} left out: these people were added or are being added.")
    if plan["problems"]:
        say(f"{counted(len(plan['problems']), 'bad row')} left out.")


def _ask(plan: Record) -> None:
    _say_plan(plan)
    ask(f"Start {counted(plan['rows'], 'friend request')}?")


def _tell_made(farm: Farm, made: Record, form: Form, *, watch: bool) -> int | None:
    job = made["job"]
    if form is Form.TABLE:
        _say_made(made, job)
    left = follow(farm, job["job_id"]) if watch else None
    if form is not Form.TABLE:
        put_json({**made, "job": farm.get(f"/jobs/{job['job_id']}")} if watch else made, form)
    elif not watch:
        hint(f"Next: farm jobs watch {job['job_id']}")
    return left


def _say_made(made: Record, job: Record) -> None:
    if made["is_new"]:
        say(f"Job {job['job_id']} started: {counted(job['rows'], 'row')}.")
    else:
        done = f"{job['ended']} of {job['rows']} rows ended"
        say(f"Same content as job {job['job_id']}, {done}. Nothing new was sent.")
    if made["skipped"]:
        say(f"{counted(len(made['skipped']), 'row')} left out.")
