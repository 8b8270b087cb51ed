"""farm quotas: show, set, history, zone, restored. Nothing here lifts a limit."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import rich_click as click

from controller.cli import spans
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
    put_records,
    put_table,
    say,
)
from controller.model import Action

_ACTIONS = ", ".join(Action)


def _action(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    name = value.strip().lower().replace("-", "_")
    if name not in set(Action):
        raise click.BadParameter(f"no such action {value!r}; one of {_ACTIONS}")
    return name


def _per_day(use: Record) -> str:
    full = use["per_day_full"]
    limit = f"{use['per_day']} of {full}" if use["per_day"] != full else str(full)
    return f"{use['used_day']}/{limit}"


def _free(use: Record) -> str:
    if not use["held"]:
        return "now"
    at = clock_of("free_at_ms")(use)[:11] if use["free_at_ms"] is not None else "by a person"
    return f"{at}, {use['held']}"


def _days(use: Record) -> str:
    days = spans.weekdays(use["weekdays"])
    return "" if days == "every day" else f" {days}"


_BY_HAND = Column("BY HAND", lambda use: str(use["by_hand_day"] or "-"), right=True)
_USES = (
    Column("NO", key("phone_id")),
    Column("ACCOUNT", key("account_id")),
    Column("ACTION", key("action")),
    Column("24 H", _per_day, right=True),
    _BY_HAND,
    Column("1 H", lambda use: f"{use['used_hour']}/{use['per_hour']}", right=True),
    Column("APART", lambda use: spans.span(use["spacing_ms"]), right=True),
    Column("AGAIN", lambda use: spans.span(use["contact_pause_ms"]), right=True),
    Column("HOURS", lambda use: spans.hours(use["hours"]) + _days(use)),
    Column("NEXT", _free, folds=True),
)
_CHANGES = (
    Column("WHEN", clock_of("at_ms")),
    Column("ACTION", key("action")),
    Column("LIMIT", key("field")),
    Column("BEFORE", key("before"), right=True),
    Column("AFTER", key("after"), right=True),
    Column("BY", key("actor")),
    Column("REASON", key("reason"), folds=True),
)

an_account = click.argument("name", metavar="PHONE|ACCOUNT")


@click.group()
def quotas() -> None:
    """What accounts may do in a day and an hour. Nothing here lifts a limit."""


@quotas.command("show")
@click.argument("selector", default="all", help="7 · 1-12,40 · @rack-A · state:backoff · holder:王芳 · all")
@click.option("--origins", is_flag=True, help="Say where each default comes from.")
@listed
@pass_settings
def show_quotas(settings: Settings, selector: str, origins: bool, form: Form) -> None:
    """Show what each account used, its limits now, and when it may act again."""
    found = settings.farm().get("/quotas", select=selector)
    if form is not Form.TABLE:
        put_records(found, (), form=form, id_key="account_id")
        return
    put_uses(found)
    _say_zones(found)
    for account in found:
        for line in notes(account):
            say(f"{account['phone_id'] or account['account_id']}: {line}")
    if origins:
        _say_origins(found)
    say(counted(len(found), "account"))
    if found:
        hint(f"Next: farm quotas set {found[0]['phone_id'] or found[0]['account_id']} ACTION --per-day N")
    else:
        hint("No account is bound to these phones. Next: farm phones assign NO")


def put_uses(accounts: list[Record]) -> None:
    """Print a row for each action of each account."""
    rows = [{**account, **use} for account in accounts for use in account["actions"]]
    is_by_hand = any(use["by_hand_day"] for use in rows)
    if rows:
        put_table(rows, [column for column in _USES if is_by_hand or column is not _BY_HAND])


def _say_zones(found: list[Record]) -> None:
    """Say by which clock hours and days are meant; NEXT is by the clock of this machine."""
    zones: dict[str, list[str]] = {}
    for account in found:
        zones.setdefault(account["time_zone"], []).append(account["phone_id"] or account["account_id"])
    for zone, names in zones.items():
        whose = "" if len(zones) == 1 else f" of {', '.join(names[:10])}{' …' if len(names) > 10 else ''}"
        say(f"Hours and days{whose} are those of {zone}.")


def notes(account: Record) -> list[str]:
    """Return what holds a whole account back, and what a person does about it."""
    clear = f"after a look, a person ends it: farm phones clear {account['phone_id'] or 'NO'} --reason TEXT"
    lines = []
    if account["frozen_since_ms"] is not None:
        since = moment(account["frozen_since_ms"])
        lines.append(f"frozen since {since}: {account['frozen_cause']}; {clear}")
    if account["resting_since_ms"] is not None:
        lines.append(f"rests since {moment(account['resting_since_ms'])}: {resting(account)}; {clear}")
    if account["restored_until_ms"] is not None:
        lines.append(
            f"the data was restored: no account acts until {moment(account['restored_until_ms'])};"
            " it ends by itself"
        )
    if account["probation_until_ms"] is not None:
        lines.append(f"half of each daily limit until {moment(account['probation_until_ms'])}, after a rest")
    return lines


def resting(account: Record) -> str:
    """Return why an account rests, after how many warnings, and when such a rest usually ends."""
    strikes = account["strikes"]
    count = f", {counted(strikes, 'warning')} within a month" if strikes else ""
    until = account["cooldown_until_ms"]
    usual = f", usually over at {moment(until)}" if until is not None else ""
    return f"{account['resting_cause']}{count}{usual}"


def _say_origins(found: list[Record]) -> None:
    origins = {use["action"]: use["origin"] for account in found for use in account["actions"]}
    for action, origin in origins.items():
        say(f"{action}: {origin or 'no origin is recorded'}")


@quotas.command("set")
@an_account
@click.argument("action", callback=_action, metavar="ACTION", help=_ACTIONS)
@click.option("--per-day", type=click.IntRange(0), metavar="N", help="At most so many in any 24 hours.")
@click.option("--per-hour", type=click.IntRange(0), metavar="N", help="At most so many in any hour.")
@click.option("--spacing", "spacing_ms", callback=spans.read_by(spans.read_span), metavar="90s")
@click.option("--hours", callback=spans.read_by(spans.read_hours), metavar="9-18", help="In its own zone.")
@click.option("--weekdays", callback=spans.read_by(spans.read_weekdays), metavar="1-5", help="Monday is 1.")
@click.option(
    "--contact-pause",
    "contact_pause_ms",
    callback=spans.read_by(spans.read_span),
    metavar="7d",
    help="Between two of these for the same contact.",
)
@click.option("--reason", default="", help="Why; recorded. To let more happen needs one.")
@printed
@pass_settings
def set_quota(settings: Settings, /, **asked: Any) -> None:
    """Set limits of one account and action; what is lowered bites at once."""
    parts = ("per_day", "per_hour", "spacing_ms", "hours", "weekdays", "contact_pause_ms")
    limits = {name: asked[name] for name in parts if asked[name] is not None}
    if not limits:
        raise click.UsageError("Say which limit: --per-day, --per-hour, --spacing, --hours, --weekdays …")
    name, action = asked["name"], asked["action"]
    body = {**limits, "reason": asked["reason"]}
    account = settings.farm().post(f"/quotas/{quote(name, safe='')}/{action}", body)
    if asked["form"] is not Form.TABLE:
        put_json(account, asked["form"])
        return
    use = next(use for use in account["actions"] if use["action"] == action)
    put_table([{**account, **use}], _USES)
    say("Recorded with your name. It holds from now on, also for what phones have in hand.")
    hint(f"Next: farm quotas history {account['phone_id'] or account['account_id']}")


@quotas.command("history")
@an_account
@click.option("--action", callback=_action, metavar="ACTION", help=_ACTIONS)
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@listed
@pass_settings
def show_history(settings: Settings, /, **asked: Any) -> None:
    """List how people changed the limits of an account, newest first."""
    path = f"/quotas/{quote(asked['name'], safe='')}/history"
    found = settings.farm().get(path, action=asked["action"], limit=asked["limit"])
    put_records(found, _CHANGES, form=asked["form"], id_key="change_id")
    if asked["form"] is Form.TABLE:
        say(counted(len(found), "change"))
        hint(f"Next: farm quotas show {asked['name']}")


@quotas.command("zone")
@an_account
@click.argument("time_zone", metavar="ZONE", help='An IANA name such as Asia/Urumqi; "" is the farm\'s own.')
@click.option("--reason", default="", help="Why; recorded.")
@printed
@pass_settings
def set_zone(settings: Settings, name: str, time_zone: str, reason: str, form: Form) -> None:
    """Set the clock by which the hours of an account are read."""
    body = {"time_zone": time_zone, "reason": reason}
    account = settings.farm().post(f"/quotas/{quote(name, safe='')}/zone", body)
    if form is not Form.TABLE:
        put_json(account, form)
        return
    say(f"{account['account_id']}: hours are read in {account['time_zone']}. Recorded with your name.")
    hint(f"Next: farm quotas show {account['phone_id'] or account['account_id']}")


@quotas.command("restored")
@click.option("--reason", required=True, help="Which backup was restored; recorded with your name.")
@printed
@pass_settings
def say_restored(settings: Settings, reason: str, form: Form) -> None:
    """Say that the data was restored from a backup: the whole farm waits until what it forgot is past."""
    frozen = settings.farm().post("/quotas/restored", {"reason": reason})
    if form is not Form.TABLE:
        put_json(frozen, form)
        return
    say(f"No account acts until {moment(frozen['restored_until_ms'])}; it ends by itself. Chats go on.")
    hint("Next: farm status")
