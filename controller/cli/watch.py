"""Following a job until it ends: one bar on a terminal, one line for each change elsewhere."""

from __future__ import annotations

import sys
import time

from controller.answers import INTERRUPTED
from controller.cli.link import Farm
from controller.cli.render import Record, hint, moment, say
from controller.safe import safe

_POLL_S = 1.0


def follow(farm: Farm, job_id: str) -> int | None:
    """Show a job's progress on stderr until it ends; 130 if the person leaves, which changes nothing."""
    try:
        if sys.stderr.isatty():
            _bar(farm, job_id)
        else:
            _lines(farm, job_id)
    except KeyboardInterrupt:
        say(f"\nStill running on the controller. Come back: farm jobs watch {job_id}")
        return INTERRUPTED
    hint(f"Next: farm jobs export {job_id} -o result.csv")
    return None


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


def _lines(farm: Farm, job_id: str) -> None:
    last = ""
    while True:
        job = farm.get(f"/jobs/{job_id}")
        line = f"{job['job_id']} {job['state']} {job['ended']}/{job['rows']}  {told(job)}"
        if line != last:
            say(line)
            last = line
        if job["state"] != "running":
            return
        time.sleep(_POLL_S)


def _bar(farm: Farm, job_id: str) -> None:
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

    job = farm.get(f"/jobs/{job_id}")
    with Live(drawn(job), console=console(sys.stderr), auto_refresh=False) as live:
        while job["state"] == "running":
            time.sleep(_POLL_S)
            job = farm.get(f"/jobs/{job_id}")
            live.update(drawn(job), refresh=True)
