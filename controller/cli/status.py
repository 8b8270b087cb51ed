"""farm status: one screen."""

from __future__ import annotations

import sys
import time

import rich_click as click

from controller.cli.link import Farm, Settings
from controller.cli.options import pass_settings, printed
from controller.cli.render import Form, Record, console, counted, hint, moment, put, put_json
from controller.safe import safe

_REFRESH_S = 2.0
_CLOCKS = {
    "clock_jumped": "the clock jumped ahead, and no task is handed out",
    "clock_behind": "the clock was set back; the farm's own stands still until it is reached again",
}


@click.command()
@click.option("-w", "--watch", is_flag=True, help="Refresh until Ctrl-C.")
@printed
@pass_settings
def status(settings: Settings, watch: bool, form: Form) -> None:
    """Show the farm on one screen."""
    farm = settings.farm()
    if watch and form is Form.TABLE and sys.stdout.isatty():
        _watch(farm)
        return
    found = farm.get("/status")
    if form is not Form.TABLE:
        put_json(found, form)
        return
    for line in lines(found):
        put(line)
    hint(_next(found))


def lines(found: Record) -> list[str]:
    """Return the farm in a few lines; what holds all of it comes right after the time."""
    until = found["restored_until_ms"]
    stops = [f"HELD        the data was restored: no account acts until {moment(until)}"] if until else []
    if found["clock_cause"] in _CLOCKS:
        stops.append(f"HELD        {_CLOCKS[found['clock_cause']]}: see farm doctor")
    return [
        f"farm        {found['farm_id']}, {found['store']}, release {found['version']}",
        f"time        {moment(found['at_ms'])}",
        *stops,
        f"phones      {_counts(found['phones']) or 'none'}",
        f"waiting     {counted(found['waiting'], 'handset')} without a number",
        f"jobs        {found['jobs_running']} running; rows: {_counts(found['tasks']) or 'none'}",
        f"chats       {_captured(found)}",
        f"violations  {found['violations_new']} new",
        *_alerts(found),
    ]


def _alerts(found: Record) -> list[str]:
    """Return a line where somebody is told outside, or should have been."""
    parts = [
        counted(found["alert_targets"], "target"),
        f"{found['alerts_waiting']} waiting",
        f"{found['alerts_failing']} of them failing: see farm alerts list" if found["alerts_failing"] else "",
        f"{found['alerts_failed']} given up in the last day" if found["alerts_failed"] else "",
    ]
    has_any = any(found[name] for name in ("alert_targets", "alerts_waiting", "alerts_failed"))
    return [f"alerts      {', '.join(part for part in parts if part)}"] if has_any else []


def _counts(counts: Record) -> str:
    return ", ".join(f"{many} {name}" for name, many in counts.items() if many)


def _captured(found: Record) -> str:
    kept = f"{counted(found['messages'], 'message')}, {counted(found['gaps'], 'gap')}"
    dropped = found["refused_no_notice"]
    return kept + (f"; {counted(dropped, 'message')} not kept: the holder has no notice" if dropped else "")


def _next(found: Record) -> str:
    if found["waiting"]:
        return "Next: farm phones waiting"
    if found["violations_new"]:
        return "Next: farm violations list --state new"
    return "Next: farm phones list" if any(found["phones"].values()) else "Next: farm-agent keep, on the host"


def _watch(farm: Farm) -> None:
    from rich.live import Live
    from rich.text import Text

    def drawn() -> Text:
        return Text("\n".join(safe(line) for line in lines(farm.get("/status"))))

    with Live(drawn(), console=console(sys.stdout), auto_refresh=False, screen=False) as live:
        while True:
            time.sleep(_REFRESH_S)
            live.update(drawn(), refresh=True)
