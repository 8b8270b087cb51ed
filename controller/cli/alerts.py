"""farm alerts: list, targets, test, retry."""

from __future__ import annotations

import rich_click as click

from controller.answers import FAILED
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
    put_json,
    put_records,
    say,
)

_ALERTS = (
    Column("ID", key("alert_id"), right=True),
    Column("MADE", clock_of("at_ms"), is_spare=True),
    Column("TARGET", key("target")),
    Column("SEVERITY", key("severity")),
    Column("VIOLATION", key("violation_id"), right=True),
    Column("STATE", key("state"), is_state=True),
    Column("TRIES", key("tries"), right=True, is_spare=True),
    Column("NEXT", clock_of("next_at_ms")),
    Column("ERROR", key("error")),
)


def _told_of(target: Record) -> str:
    if not target["severities"]:
        return "nothing: not in the configuration"
    severities = ", ".join(target["severities"])
    return f"{severities}; what rules ask to tell" if target["notified"] else severities


_TARGETS = (
    Column("TARGET", key("target")),
    Column("TOLD OF", _told_of, folds=True),
    Column("AN HOUR", key("per_hour"), right=True),
    Column("LANGUAGE", key("language"), is_spare=True),
    Column("TEXTS", lambda target: "never" if target["masked"] else "quoted, numbers masked", folds=True),
    *(
        Column(name.upper(), key(name), right=True, is_spare=name == "beyond")
        for name in ("waiting", "failing", "beyond", "failed")
    ),
)
_STATES = ("waiting", "sending", "sent", "beyond", "summing", "summed", "failed")


@click.group()
def alerts() -> None:
    """Who is told of violations outside, and what became of it."""


@alerts.command("list")
@click.option(
    "--state", type=click.Choice(_STATES), help="beyond: over the number of an hour; failed: a day went by."
)
@click.option("--target", default="", metavar="NAME")
@click.option("--before", "before_id", type=int, metavar="ID", help="Go on below this alert.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@listed
@pass_settings
def list_alerts(
    settings: Settings, state: str | None, target: str, before_id: int | None, limit: int, form: Form
) -> None:
    """List alerts, newest first."""
    found = settings.farm().get("/alerts", state=state, target=target, before_id=before_id, limit=limit)
    put_records(found, _ALERTS, form=form, id_key="alert_id")
    if form is not Form.TABLE:
        return
    say(counted(len(found), "alert"))
    if any(alert["error"] for alert in found):
        hint("Next: farm alerts test TARGET, then farm alerts retry --all")
    elif not found:
        hint("Next: farm alerts targets")


@alerts.command("targets")
@listed
@pass_settings
def list_targets(settings: Settings, form: Form) -> None:
    """List who is told of what, and how their alerts stand."""
    found = settings.farm().get("/alerts/targets")
    put_records(found, _TARGETS, form=form, id_key="target")
    if form is not Form.TABLE:
        return
    say(counted(len(found), "target"))
    hint(
        f"Next: farm alerts test {found[0]['target']}"
        if found
        else "Next: [[controller.alerts.targets]] in the configuration, see docs/supervisors.md"
    )


@alerts.command("test")
@click.argument("target")
@printed
@pass_settings
def try_target(settings: Settings, target: str, form: Form) -> int:
    """Send a test message to a target now; it says nothing of anybody."""
    found = settings.farm().post("/alerts/test", {"target": target})
    if form is not Form.TABLE:
        put_json(found, form)
    elif found["error"]:
        say(f"{target} was not told: {found['error']}")
        hint("Causes: docs/supervisors.md. Its address: the variable url_env names, where farm serve runs.")
    else:
        say(f"{target} took the message; look whether it arrived.")
    return FAILED if found["error"] else 0


@alerts.command("retry")
@click.argument("alert_ids", metavar="[ID]...", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that failed.")
@click.option("--target", default="", metavar="NAME", help="Only of this target.")
@printed
@pass_settings
def retry_alerts(
    settings: Settings, alert_ids: tuple[int, ...], everything: bool, target: str, form: Form
) -> None:
    """Let alerts that failed have their turn now."""
    if bool(alert_ids) == everything:
        raise click.UsageError("Say which alerts, or --all.")
    body = {"alert_ids": None if everything else list(alert_ids), "target": target}
    found = settings.farm().post("/alerts/retry", body)
    if form is not Form.TABLE:
        put_json(found, form)
        return
    if not found["retried"]:
        say("None of these failed: nothing is tried again.")
    else:
        say(f"{counted(found['retried'], 'alert')} tried again now.")
    hint("Next: farm alerts list")
