"""farm phones: list, number, assign, waiting. One phone: see phone.py."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from typing import Any

import rich_click as click

from controller.cli.link import Farm, Settings
from controller.cli.options import ask, listed, pass_settings, printed, yes
from controller.cli.render import (
    Column,
    Form,
    Record,
    age_of,
    counted,
    hint,
    key,
    moment,
    put_json,
    put_records,
    put_table,
    quoted,
    say,
)

_ATTENTION = frozenset(
    {"unauthorized", "blind", "backoff", "no_notice", "logged_out", "quarantined", "absent"}
)

_WAITING = (
    Column("SERIAL", key("serial")),
    Column("SLOT", key("slot")),
    Column("HOST", key("host")),
    Column("MODEL", lambda phone: f"{phone['brand']} {phone['model']}".strip() or "-"),
    Column("ANDROID", key("android_version")),
    Column("WECHAT", key("wechat_version")),
)


@click.group()
def phones() -> None:
    """Numbered phones: who holds them, and how they are."""


@phones.command("list")
@click.argument("selector", default="all", help="7 · 1-12,40 · @rack-A · state:backoff · holder:王芳 · all")
@listed
@pass_settings
def list_phones(settings: Settings, selector: str, form: Form) -> None:
    """List phones with their state."""
    farm = settings.farm()
    found = farm.get("/phones", select=selector)
    put_records(found, columns(now_ms()), form=form, id_key="phone_id")
    if form is Form.TABLE:
        _sum_up(found)
        _hint_waiting(farm, found)


def columns(at_ms: int) -> tuple[Column, ...]:
    """Return the columns of a list of phones at a moment."""
    return (
        Column("NO", key("phone_id")),
        Column("RACK", key("rack")),
        Column("STATE", key("state"), is_state=True),
        Column("HOLDER", key("holder")),
        Column("ACCOUNT", key("account_id")),
        Column("TAPS", who_taps),
        Column("BATT", battery, right=True),
        Column("ADDS 24H", _adds, right=True),
        Column("LAST SEEN", age_of("last_seen_ms", at_ms), right=True),
        Column("WHY", why, folds=True),
    )


def now_ms() -> int:
    """Return the wall clock, for ages."""
    return time.time_ns() // 1_000_000


def why(phone: Record) -> str:
    """Return why a phone is in its state, and since when its account rests or is frozen."""
    if phone["resting_since_ms"] is not None:
        return f"{phone['resting_cause']} since {moment(phone['resting_since_ms'])[11:16]}"
    if phone["frozen_since_ms"] is not None:
        return f"frozen: {phone['frozen_cause']} since {moment(phone['frozen_since_ms'])[11:16]}"
    return str(phone["cause"])


def who_taps(phone: Record) -> str:
    """Return who makes the last tap: the holder, or the agent."""
    return {"assist": "holder", "unattended": "agent"}.get(phone["acting_mode"] or "", "-")


def battery(phone: Record) -> str:
    """Return the charge, if known."""
    return "-" if phone["battery_percent"] is None else f"{phone['battery_percent']}%"


def _adds(phone: Record) -> str:
    return "-" if phone["adds_per_day"] is None else f"{phone['adds_day']}/{phone['adds_per_day']}"


def _sum_up(found: list[Record]) -> None:
    states = [phone["state"] for phone in found]
    parts = [f"{states.count(state)} {state}" for state in ("ready", "busy") if state in states]
    needy = sum(state in _ATTENTION for state in states)
    parts += [f"{needy} need attention"] if needy else []
    say(f"{counted(len(found), 'phone')}{': ' if parts else ''}{', '.join(parts)}")


def _hint_waiting(farm: Farm, found: list[Record]) -> None:
    waiting = len(farm.get("/phones/waiting"))
    if waiting:
        hint(f"{counted(waiting, 'handset')} without a number. Next: farm phones waiting")
    elif not found:
        hint("No phones yet. On the host with the hubs: farm-agent keep. Then: farm phones waiting")


@phones.command("waiting")
@listed
@pass_settings
def waiting_phones(settings: Settings, form: Form) -> None:
    """List handsets that have no number yet."""
    found = in_order(settings.farm().get("/phones/waiting"))
    put_records(found, _WAITING, form=form, id_key="serial")
    if form is Form.TABLE:
        say(f"{counted(len(found), 'handset')} without a number")
        if found:
            hint("Next: farm phones number NO --serial SERIAL, or all in order: farm phones number --from 1")


def in_order(waiting: list[Record]) -> list[Record]:
    """Return handsets as they stand: by host, by slot with 2 before 10, then by serial."""
    return sorted(waiting, key=lambda phone: (phone["host"], slot_key(phone["slot"]), phone["serial"]))


def slot_key(slot: str) -> tuple[tuple[bool, int, str], ...]:
    """Return what sorts USB port paths as they are counted: 1-2 before 1-10, no path last."""
    parts = slot.replace("-", ".").split(".") if slot else ["~"]
    return tuple((not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts)


@phones.command("number")
@click.argument("phone_id", metavar="[NO]", required=False)
@click.option("--serial", metavar="SERIAL", help="The handset that gets NO.")
@click.option(
    "--from", "first", type=click.IntRange(1, 999_999), help="Number all waiting handsets from here."
)
@click.option("--rack", default="", help="The rack they stand in.")
@yes
@printed
@pass_settings
def number_phones(settings: Settings, /, **asked: Any) -> None:
    """Give painted numbers: to one serial, or to all that wait."""
    phone_id, serial, first = asked["phone_id"], asked["serial"], asked["first"]
    farm = settings.farm()
    if first is not None and phone_id is None and serial is None:
        pairs = _numbering(farm, first)
        if not pairs:
            say("No handset waits for a number.")
            hint("On the host with the hubs: farm-agent keep. Then: farm phones waiting")
            return
        if not asked["yes"] and asked["form"] is Form.TABLE:
            _preview(pairs)
        if not asked["yes"]:
            ask(f"Number {counted(len(pairs), 'handset')}?")
    elif phone_id is not None and serial is not None and first is None:
        pairs = [(phone_id, {"serial": serial})]
    else:
        raise click.UsageError("Use NO --serial SERIAL for one handset, or --from NO for all that wait.")
    done = [
        farm.post(f"/phones/{number}/number", {"serial": phone["serial"], "rack": asked["rack"]})
        for number, phone in pairs
    ]
    _tell_numbered(done, asked["form"])


def _numbering(farm: Farm, first: int) -> list[tuple[str, Record]]:
    """Pair the waiting handsets with the free numbers from `first` on."""
    taken = {phone["phone_id"] for phone in farm.get("/phones")}
    pairs = []
    number = first
    for phone in in_order(farm.get("/phones/waiting")):
        while f"{number:03d}" in taken:
            number += 1
        pairs.append((f"{number:03d}", phone))
        number += 1
    return pairs


def _preview(pairs: list[tuple[str, Record]]) -> None:
    import sys

    rows = [{**phone, "number": number} for number, phone in pairs]
    put_table(rows, (Column("NO", key("number")), *_WAITING), sys.stderr)


def _tell_numbered(done: list[Record], form: Form) -> None:
    if form is not Form.TABLE:
        put_json(done, form)
        return
    for phone in done:
        slot = f" on slot {phone['slot']}" if phone["slot"] else ""
        say(f"{phone['phone_id']} is {phone['serial']}{slot}")
    span = done[0]["phone_id"] if len(done) == 1 else f"{done[0]['phone_id']}-{done[-1]['phone_id']}"
    say(f"Numbered {counted(len(done), 'phone')}: {span}. Stick the labels on.")
    hint(f"Next: farm phones assign {done[0]['phone_id']} --holder NAME")


@phones.command("assign")
@click.argument("selector", help="One phone; with --holders several.")
@click.option("--holder", help='The staff member; "" takes the phone back.')
@click.option(
    "--holders", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CSV: NO,HOLDER."
)
@click.option("--account", "account_id", help="The WeChat id of the work account; else the one seen on it.")
@click.option("--unattended/--assist", default=None, help="Who makes the last tap: the agent, or the holder.")
@click.option("--reason", default="", help="Why; recorded.")
@printed
@pass_settings
def assign_phones(settings: Settings, /, **asked: Any) -> None:
    """Set holder, account, and who makes the last tap."""
    farm = settings.farm()
    found = farm.get("/phones", select=asked["selector"])
    holders = _holders(asked["holders"], asked["holder"], found)
    if asked["holder"] and len(found) > 1:
        raise click.UsageError("One holder for several phones? Name them one by one, or use --holders FILE.")
    change = {name: asked[name] for name in ("account_id", "unattended", "reason")}
    if asked["account_id"] and len(found) > 1:
        raise click.UsageError("An account works on one phone only.")
    done = [
        farm.post(
            f"/phones/{phone['phone_id']}/assignment", {**change, "holder": holders.get(phone["phone_id"])}
        )
        for phone in found
    ]
    if asked["form"] is not Form.TABLE:
        put_json(done, asked["form"])
        return
    put_table(
        done, [column for column in columns(now_ms()) if column.title in {"NO", "HOLDER", "ACCOUNT", "TAPS"}]
    )
    _hint_notice(farm, done)


def _holders(file: Path | None, holder: str | None, found: list[Record]) -> dict[str, str]:
    if file is None:
        return {} if holder is None else {phone["phone_id"]: holder for phone in found}
    if holder is not None:
        raise click.UsageError("Use --holder or --holders, not both.")
    from controller.sheets import decode

    text, _ = decode(file.read_bytes())
    holders: dict[str, str] = {}
    for line, cells in enumerate(csv.reader(io.StringIO(text, newline="")), start=1):
        if len(cells) >= 2 and cells[0].strip().isdecimal():
            holders[f"{int(cells[0]):03d}"] = cells[1].strip()
        elif line > 1 and any(cells):
            raise click.UsageError(f"{file} line {line}: expected NO,HOLDER")
    missing = [phone["phone_id"] for phone in found if phone["phone_id"] not in holders]
    if missing:
        raise click.UsageError(f"{file} names no holder for {', '.join(missing[:10])}")
    return holders


def _hint_notice(farm: Farm, done: list[Record]) -> None:
    told = {notice["holder"] for notice in farm.get("/staff/notices") if notice["is_current"]}
    untold = sorted({phone["holder"] for phone in done if phone["holder"]} - told)
    if untold:
        hint(f"Before anything is captured: farm staff notices record {quoted(untold[0])} --how TEXT")
    else:
        hint(f"Next: farm phones list {done[0]['phone_id']}")
