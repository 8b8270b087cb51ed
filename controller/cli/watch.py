"""Following a job until nothing of it moves: one bar on a terminal, one line for each change elsewhere."""

from __future__ import annotations

import sys
import time

from controller.answers import INTERRUPTED, REFUSED
from controller.cli.link import Farm
from controller.cli.render import Record, hint, moment, say
from controller.safe import safe

_POLL_S = 1.0
_STOPS = {
    "stop_loss_not_found": "too many of the last rows were not found; is the list old?",
    "stop_loss_acceptance": "too few of those asked accepted",
}


def follow(farm: Farm, job_id: str) -> int | None:
    """Show a job's progress on stderr until nothing of it moves; 5 if the job stopped itself.

    130 if the person leaves, which changes nothing.
    """
    try:
        job = _bar(farm, job_id) if sys.stderr.isatty() else _lines(farm, job_id)
    except KeyboardInterrupt:
        say(f"\nStill running on the controller. Come back: farm jobs watch {job_id}")
        say(f"Or: farm jobs pause {job_id} --reason TEXT, farm jobs cancel {job_id} --reason TEXT")
        return INTERRUPTED
    if job["state"] != "ended":
        say(f"{job_id} is {job['state']}: {why(job)}")
    hint(f"Next: {next_of(job)}")
    return REFUSED if job["is_stopped"] else None


def why(job: Record) -> str:
    """Return why and by whom a job is paused or cancelled; empty for one that runs or ended."""
    if job["state"] not in {"paused", "cancelled"}:
        return ""
    if job["is_stopped"]:
        return f"stopped itself: {_STOPS.get(job['state_cause'], job['state_cause'])}"
    return f"{job['state_cause']} (by {job['state_by'] or 'the controller'})"


def next_of(job: Record) -> str:
    """Return the command that a person would type next."""
    job_id = job["job_id"]
    match job["state"]:
        case "running":
            return f"farm jobs watch {job_id}"
        case "paused":
            return f"farm jobs resume {job_id} --reason TEXT"
        case _:
            return f"farm jobs export {job_id} -o result.csv"


def _is_over(job: Record) -> bool:
    """Tell whether nothing of a job moves: it runs no more, and no phone has a row in hand."""
    return job["state"] != "running" and not any(job["counts"].get(state) for state in ("leased", "armed"))


def told(job: Record) -> str:
    """Return what became of the rows: requested 102  not_found 6  queued 10."""
    return "  ".join(
        f"{name} {many}" for name, many in sorted(job["counts"].items(), key=lambda pair: -pair[1])
    )


def holds(job: Record) -> list[str]:
    """Return one line for each phone that takes no row now."""
    return [
        f"{hold['phone_id']} waits: {hold['cause']}"
        + (f", until {moment(hold['retry_at_ms'])[11:19]}" if hold["retry_at_ms"] else "")
        for hold in job["holds"]
    ]


def _lines(farm: Farm, job_id: str) -> Record:
    last = ""
    while True:
        job: Record = farm.get(f"/jobs/{job_id}")
        line = f"{job['job_id']} {job['state']} {job['ended']}/{job['rows']}  {told(job)}"
        if line != last:
            say(line)
            last = line
        if _is_over(job):
            return job
        time.sleep(_POLL_S)


def _bar(farm: Farm, job_id: str) -> Record:
    from rich.console import Group
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    from controller.cli.render import console

    def drawn(job: Record) -> Group:
        line = Table.grid(padding=(0, 1))
        line.add_row(
            Text(f"  {job['job_id']}"),
            ProgressBar(total=max(job["rows"], 1), completed=job["ended"], width=30),
            Text(f"{job['ended']}/{job['rows']}"),
            Text(safe(told(job))),
        )
        return Group(line, *(Text(safe(f"  {hold}"), style="yellow") for hold in holds(job)))

    job: Record = farm.get(f"/jobs/{job_id}")
    with Live(drawn(job), console=console(sys.stderr), auto_refresh=False) as live:
        while not _is_over(job):
            time.sleep(_POLL_S)
            job = farm.get(f"/jobs/{job_id}")
            live.update(drawn(job), refresh=True)
    return job
