"""farm violations: list, show; its other commands stand in the files beside this one."""

from __future__ import annotations

from typing import Any

import rich_click as click

from controller.cli import violationdesk, violationreview, violationsamples
from controller.cli.link import Settings
from controller.cli.options import listed, pass_settings, printed
from controller.cli.render import (
    Column,
    Form,
    clock_of,
    counted,
    hint,
    key,
    moment,
    put,
    put_json,
    put_records,
    say,
)
from controller.cli.violationfilters import filtered, given
from controller.cli.violationlines import (
    beside,
    by_whom,
    context_lines,
    coverage_line,
    heading,
    history_lines,
    marked,
    next_of,
    what,
)

_COLUMNS = (
    Column("ID", key("violation_id"), right=True),
    Column("FOUND", clock_of("found_at_ms")),
    Column("SEVERITY", key("severity")),
    Column("RULE", key("rule_id"), is_spare=True),
    Column("WHAT", what, is_spare=True),
    Column("NO", key("phone_id")),
    Column("HOLDER", key("holder")),
    Column("SIDE", by_whom, is_spare=True),
    Column("STATE", key("state"), is_state=True),
    Column("WITH", key("assignee"), is_spare=True),
    Column("CHAT", key("conversation_id"), right=True, is_spare=True),
    Column("TEXT", lambda found: marked(found) or what(found), folds=True),
)


@click.group()
def violations() -> None:
    """What rules found in chats, and what people decided about it."""


for command in (
    *(violationreview.review, violationreview.appeal, violationreview.answer, violationreview.reasons),
    *(violationdesk.stats, violationdesk.export, violationsamples.sample),
):
    violations.add_command(command)


@violations.command("list")
@filtered
@click.option("--before", "before_id", type=int, metavar="ID", help="Go on below this violation.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@click.option("--reason", default="", help="Why you look; recorded with your name either way.")
@listed
@pass_settings
def list_violations(settings: Settings, /, **asked: Any) -> None:
    """List violations, newest first. The look is recorded."""
    more = {name: asked[name] for name in ("before_id", "limit", "reason")}
    found = settings.farm().get("/violations", **given(asked), **more)
    put_records(found, _COLUMNS, form=asked["form"], id_key="violation_id")
    if asked["form"] is not Form.TABLE:
        return
    say(counted(len(found), "violation"))
    if len(found) == asked["limit"]:
        chosen = " and what you chose here" if len(given(asked)) > 1 or asked["selector"] != "all" else ""
        hint(f"Earlier: farm violations list --before {found[-1]['violation_id']}{chosen}")
    if found:
        hint(f"Next: farm violations show {found[0]['violation_id']}")
    else:
        hint("Nothing found is not nothing said. What was watched: farm chats coverage")


@violations.command("show")
@click.argument("violation_id", metavar="ID", type=int)
@click.option(
    "--reason", default="", help='Why you read it; without it "violation ID". Recorded with your name.'
)
@click.option(
    "--reach", type=click.IntRange(0, 50), default=5, show_default=True, help="Messages on each side."
)
@printed
@pass_settings
def show_violation(settings: Settings, violation_id: int, reason: str, reach: int, form: Form) -> None:
    """Read a violation with the chat around it, how it was watched, and what was decided."""
    why = reason.strip() or f"violation {violation_id}"
    shown = settings.farm().get(f"/violations/{violation_id}", reason=why, reach=reach)
    if form is not Form.TABLE:
        put_json(shown, form)
        return
    found, items = shown["violation"], shown["items"]
    lines = [*heading(found, shown["chat"]), *context_lines(items, found), beside(items, found)]
    for line in (*lines, coverage_line(shown["hour"]), *history_lines(shown["history"])):
        if line:
            put(line)
    if found["state"] == "escalated":
        said = "".join(f"{name} says: {state}. " for name, state in shown["opinions"].items())
        say(f"{said}A verdict needs two persons who agree.")
    if (until_ms := shown["appeal_until_ms"]) is not None:
        say(f"{found['holder']} can appeal until {moment(until_ms)[:16]}.")
    say(f"You can: {', '.join(shown['possible']) or 'nothing'}.")
    hint(f"Next: {next_of(shown)}")
