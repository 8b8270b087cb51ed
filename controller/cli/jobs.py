"""farm jobs: list, show, watch, export; pause, resume, cancel, retry."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import rich_click as click

from controller.cli import steering
from controller.cli.link import Settings
from controller.cli.options import listed, pass_settings, printed
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
    put_pairs,
    put_records,
    put_table,
    say,
)
from controller.cli.watch import follow, holds, next_of, told, why
from controller.safe import csv_cell, json_text
from controller.workbooks import write_workbook

_JOBS = (
    Column("JOB", key("job_id")),
    Column("STATE", key("state"), is_state=True),
    Column("ENDED", lambda job: f"{job['ended']}/{job['rows']}", right=True),
    Column("STARTED", clock_of("created_at_ms")),
    Column("BY", key("created_by")),
    Column("LIST", key("source_name")),
    Column("ROWS", told, folds=True),
    Column("WHY", why, folds=True),
)


def result(task: Record) -> str:
    """Return a row's outcome, or its state while there is none."""
    return str(task["outcome"] or task["state"])


_TASKS = (
    Column("ROW", key("row_no"), right=True),
    Column("WHO", key("query")),
    Column("REMARK", key("remark")),
    Column("NO", key("phone_id")),
    Column("RESULT", result, is_state=True),
    Column("AT", clock_of("ended_at_ms")),
    Column("DETAIL", lambda task: str(task["evidence"] or task["cause"]), folds=True),
)

# The columns of an export, in this order; a new one is added at the end only.
_EXPORTED = (
    *(
        "row_no",
        "query",
        "query_kind",
        "remark",
        "basis",
        "basis_at",
        "state",
        "outcome",
        "phone_id",
        "account_id",
    ),
    *("ended_at", "attempt", "cause", "evidence", "task_id", "job_id"),
)


@click.group()
def jobs() -> None:
    """Jobs and what became of each row."""


for command in (steering.pause_job, steering.resume_job, steering.cancel_job, steering.retry_job):
    jobs.add_command(command)


@jobs.command("list")
@listed
@pass_settings
def list_jobs(settings: Settings, form: Form) -> None:
    """List jobs, newest first."""
    found = settings.farm().get("/jobs")
    put_records(found, _JOBS, form=form, id_key="job_id")
    if form is not Form.TABLE:
        return
    say(counted(len(found), "job"))
    if found:
        hint(f"Next: farm jobs show {found[0]['job_id']}")
    else:
        hint("Next: farm friends check FILE")


@jobs.command("show")
@click.argument("job_id", metavar="JOB")
@click.option("--failed", is_flag=True, help="Only rows that were not done, or may not have been.")
@printed
@pass_settings
def show_job(settings: Settings, job_id: str, failed: bool, form: Form) -> None:
    """Show a job and its rows."""
    farm = settings.farm()
    job = farm.get(f"/jobs/{job_id}")
    tasks = farm.get(f"/jobs/{job_id}/tasks")
    if failed:
        tasks = [task for task in tasks if task["state"] in {"not_done", "unknown", "expired"}]
    if form is not Form.TABLE:
        put_json({**job, "tasks": tasks} if form is Form.JSON else tasks, form)
        return
    put_pairs(
        [
            ("job", f"{job['job_id']} {job['state']}, {job['ended']} of {job['rows']} rows ended"),
            ("action", job["action"]),
            ("list", job["source_name"]),
            ("greeting", job["greeting"]),
            ("phones", ", ".join(job["phones"])),
            ("posts", f"at most {counted(job['max_age_days'], 'day')} old" if job["max_age_days"] else ""),
            ("started", f"{moment(job['created_at_ms'])} by {job['created_by']}"),
            (job["state"], why(job)),
            ("rows", told(job)),
        ]
    )
    if tasks:
        put_table(tasks, _TASKS)
    for line in holds(job):
        say(line)
    hint(f"Next: {next_of(job)}")


@jobs.command("watch")
@click.argument("job_id", metavar="JOB")
@pass_settings
def watch_job(settings: Settings, job_id: str) -> int | None:
    """Follow a job until it ends; leaving with Ctrl-C leaves it running."""
    return follow(settings.farm(), job_id)


@jobs.command("export")
@click.argument("job_id", metavar="JOB")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write; else stdout.")
@click.option(
    "--jsonl", "as_jsonl", is_flag=True, help="One JSON object a line: nothing is changed for spreadsheets."
)
@pass_settings
def export_job(settings: Settings, job_id: str, output: Path | None, as_jsonl: bool) -> None:
    """Write the rows of a job as CSV or a workbook (FILE.xlsx), or as JSONL without loss."""
    tasks = settings.farm().get(f"/jobs/{job_id}/tasks")
    if output is not None and output.suffix.lower() == ".xlsx":
        output.write_bytes(write_workbook(job_id, _EXPORTED, map(_cells, tasks)))
        _tell_written(tasks, output, job_id)
        return
    is_jsonl = as_jsonl or (output is not None and output.suffix == ".jsonl")
    text = "".join(json_text(task) + "\n" for task in tasks) if is_jsonl else _csv(tasks)
    if output is None or str(output) == "-":
        sys.stdout.write(text)
        return
    # Excel takes CSV without a mark for GBK.
    output.write_text(text, encoding="utf-8" if is_jsonl else "utf-8-sig", newline="")
    _tell_written(tasks, output, job_id)


def _tell_written(tasks: list[Record], output: Path, job_id: str) -> None:
    say(f"Wrote {counted(len(tasks), 'row')} to {output}")
    hint(f"Next: farm jobs show {job_id} --failed")


def _cells(task: Record) -> list[str]:
    values = {**task, "ended_at": moment(task["ended_at_ms"]) if task["ended_at_ms"] else ""}
    return ["" if values[name] is None else str(values[name]) for name in _EXPORTED]


def _csv(tasks: list[Record]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_EXPORTED)
    for task in tasks:
        writer.writerow([csv_cell(cell) for cell in _cells(task)])
    return out.getvalue()
