"""What a job would do: phones, the calendar, and the question before it starts."""

from __future__ import annotations

from controller.cli.link import Farm
from controller.cli.render import (
    Column,
    Form,
    Record,
    counted,
    hint,
    key,
    put_json,
    put_table,
    say,
)
from controller.cli.watch import follow


def _clock(name: str, *, zone_too: bool = False) -> Column:
    """Return a column with a time by the account's own clock."""

    def text(record: Record) -> str:
        at = record.get(name)
        if not at:
            return "-"
        shown = f"{at[:10]} {at[11:16]}"
        return f"{shown} {at[19:]}" if zone_too else shown

    return Column("ENDS ABOUT" if zone_too else "ABOUT", text)


_LINES = (
    Column("NO", key("phone_id")),
    Column("ACCOUNT", key("account_id")),
    Column("ROWS", key("rows"), right=True),
    Column("NOW", key("now"), right=True),
    Column("A DAY", key("per_day"), right=True),
    _clock("ends_at", zone_too=True),
    Column("WAITS FOR", key("held"), folds=True),
)
_CALENDAR = (
    Column("ROW", key("row_no"), right=True),
    Column("NO", key("phone_id")),
    _clock("at"),
)
_MOST_SHOWN = 10


def tell_plan(plan: Record, form: Form, *, one: str, nothing: str) -> int:
    """Print a dry run: each phone's share and the first rows of the calendar; all of it as JSON."""
    if form is not Form.TABLE:
        put_json(plan, form)
        return 0
    put_table(plan["lines"], _LINES)
    calendar = plan["calendar"]
    if calendar:
        put_table(calendar[:_MOST_SHOWN], _CALENDAR)
    if len(calendar) > _MOST_SHOWN:
        say(f"… and {counted(len(calendar) - _MOST_SHOWN, 'row')} more; all of them: --json")
    say_plan(plan, one=one)
    say(nothing)
    hint("To start: the same command without --dry-run")
    return 0


def say_plan(plan: Record, *, one: str) -> None:
    """Say how many of what from how many phones, when that ends, and what is left out."""
    working = [line for line in plan["lines"] if line["rows"]]
    ends = [line for line in working if line["ends_at_ms"] == plan["ends_at_ms"]]
    at = ends[0]["ends_at"] if ends else ""
    end = f", ends about {at[:10]} {at[11:16]} ({ends[0]['time_zone']})" if at else ""
    say(f"{counted(plan['rows'] - plan['unplaced'], one)} from {counted(len(working), 'phone')}{end}.")
    if plan["unplaced"]:
        say(f"{counted(plan['unplaced'], 'row')} can go to none of these phones now and will wait.")
    if plan["skipped"]:
        say(f"{counted(len(plan['skipped']), 'row')} left out: {plan['skipped'][0]['problem']} …")
    if plan["problems"]:
        say(f"{counted(len(plan['problems']), 'bad row')} left out.")


def tell_made(farm: Farm, made: Record, form: Form, *, watch: bool, nothing: str) -> int | None:
    """Say which job came of it, follow it if asked; the exit code of following."""
    job = made["job"]
    if form is Form.TABLE:
        _say_made(made, job, nothing=nothing)
    left = follow(farm, job["job_id"]) if watch else None
    if form is not Form.TABLE:
        put_json({**made, "job": farm.get(f"/jobs/{job['job_id']}")} if watch else made, form)
    elif not watch:
        hint(f"Next: farm jobs watch {job['job_id']}")
    return left


def _say_made(made: Record, job: Record, *, nothing: str) -> None:
    if made["is_new"]:
        say(f"Job {job['job_id']} started: {counted(job['rows'], 'row')}.")
    else:
        done = f"{job['state']}, {job['ended']} of {job['rows']} rows ended"
        say(f"Same content as job {job['job_id']}, {done}. {nothing}")
    if made["skipped"]:
        say(f"{counted(len(made['skipped']), 'row')} left out; why: --json, or --dry-run before a start")
