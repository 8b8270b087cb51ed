"""farm phones show, clear: all of one phone, and the end of its account's rest."""

from __future__ import annotations

import rich_click as click

from controller.cli import spans
from controller.cli.link import Settings
from controller.cli.options import pass_settings, printed
from controller.cli.phones import battery, now_ms, who_taps
from controller.cli.quotas import notes, put_uses
from controller.cli.render import (
    Column,
    Form,
    Record,
    age,
    clock_of,
    hint,
    key,
    moment,
    put_json,
    put_pairs,
    put_table,
    say,
)

_MODES = {
    "holder": "assist: the agent prepares, the holder makes the last tap",
    "agent": "unattended: the agent makes the last tap too",
}


def _picture(record: Record) -> str:
    return f"{record['host'] or '-'}: {record['picture']}" if record["picture"] else "-"


_WARNINGS = (
    Column("WARNED", clock_of("at_ms")),
    Column("WARNING", key("warning")),
    Column("WHERE", key("surface")),
    Column("PICTURE", _picture),
    Column("WORDS", key("text"), folds=True),
)
_SCREENS = (
    Column("NOT READ", clock_of("at_ms")),
    Column("CAUSE", key("cause")),
    Column("PAGE", key("activity")),
    Column("PICTURE", _picture),
    Column("DETAIL", key("detail"), folds=True),
)


@click.command("show")
@click.argument("phone_id", metavar="NO")
@printed
@pass_settings
def show_phone(settings: Settings, phone_id: str, form: Form) -> None:
    """Show one phone: how it is, what its account may do, and what went wrong last."""
    found = settings.farm().get(f"/phones/{phone_id}/detail")
    phone, account = found["phone"], found["account"]
    if form is not Form.TABLE:
        more = {name: found[name] for name in ("account", "warnings", "screens")}
        put_json({**phone, **more}, form)
        return
    put_pairs(_pairs(phone))
    if account:
        put_uses([account])
    for records, columns in ((found["warnings"], _WARNINGS), (found["screens"], _SCREENS)):
        if records:
            put_table(records, columns)
    for line in notes(account) if account else []:
        say(line)
    _hint(phone)


def _pairs(phone: Record) -> list[tuple[str, str]]:
    android = f", Android {phone['android_version']}" if phone["android_version"] else ""
    handset = f"{phone['brand']} {phone['model']}{android}"
    temperature = phone["temperature_decicelsius"]
    return [
        ("number", phone["phone_id"]),
        ("state", " ".join(filter(None, (phone["state"], phone["cause"])))),
        ("holder", phone["holder"] or "-"),
        ("account", phone["account_id"] or "-"),
        ("seen account", phone["account_seen"] or "-"),
        ("who taps", _MODES.get(who_taps(phone), "-")),
        ("rack, slot", f"{phone['rack'] or '-'}, {phone['slot'] or '-'} on {phone['host'] or '-'}"),
        ("handset", f"{handset}, serial {phone['serial']}{', virtual' if phone['is_virtual'] else ''}"),
        ("WeChat", _wechat(phone)),
        ("battery", battery(phone) + (f", {temperature / 10:.1f} °C" if temperature else "")),
        ("last seen", f"{age(phone['last_seen_ms'], now_ms())} ago" if phone["last_seen_ms"] else "never"),
        ("numbered", moment(phone["numbered_at_ms"])),
    ]


def _wechat(phone: Record) -> str:
    if not phone["wechat_version"]:
        return "-"
    by = f" from {phone['wechat_installer']}" if phone["wechat_installer"] else ""
    return f"{phone['wechat_version']} ({phone['wechat_version_code']}){by}"


def _hint(phone: Record) -> None:
    number = phone["phone_id"]
    if phone["cause"] == "unknown_version":
        say("This build of WeChat is not known: nothing is read or tapped on it.")
        hint(f"Next: farm phones calibrate {number}")
    elif phone["account_id"] is None:
        hint(f"Next: farm phones assign {number} --holder NAME")
    else:
        hint(f"Next: farm quotas show {number}")


@click.command("clear")
@click.argument("phone_id", metavar="NO")
@click.option("--reason", required=True, help="Why the account may act again; recorded with your name.")
@printed
@pass_settings
def clear_phone(settings: Settings, phone_id: str, reason: str, form: Form) -> None:
    """End an account's rest or freeze, after a person looked at the phone."""
    done = settings.farm().post(f"/phones/{phone_id}/clearing", {"reason": reason})
    if form is not Form.TABLE:
        put_json(done, form)
        return
    number = done["phone_id"]
    say(f"{number}: the account may act again, within its quota. Recorded with your name.")
    if done["early_by_ms"]:
        say(f"That is {spans.about(done['early_by_ms'])} before such a rest usually ends; kept in the diary.")
    if done["probation_until_ms"] is not None:
        say(f"It gets half of each daily limit until {moment(done['probation_until_ms'])}.")
    hint(f"Next: farm phones show {number}")
