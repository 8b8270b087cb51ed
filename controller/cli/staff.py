"""farm staff notices: list, show, record, withdraw."""

from __future__ import annotations

from urllib.parse import quote

import rich_click as click

from controller.cli.link import Settings, actor
from controller.cli.options import listed, pass_settings, printed
from controller.cli.render import (
    Column,
    Form,
    Record,
    counted,
    hint,
    key,
    moment_of,
    put_json,
    put_records,
    put_table,
    quoted,
    say,
)


def _standing(notice: Record) -> str:
    return "current" if notice["is_current"] else str(notice["why"])


_NOTICES = (
    Column("HOLDER", key("holder")),
    Column("VERSION", key("version")),
    Column("TOLD AT", moment_of("at_ms")),
    Column("BY", key("recorded_by")),
    Column("HOW", key("how"), folds=True),
    Column(
        "CAPTURE", lambda notice: "allowed" if notice["is_current"] else f"none: {notice['why']}", folds=True
    ),
)
_RECORDS = (
    Column("VERSION", key("version")),
    Column("TOLD AT", moment_of("at_ms")),
    Column("BY", key("recorded_by")),
    Column("WITHDRAWN", moment_of("withdrawn_at_ms")),
    Column("HOW", key("how"), folds=True),
)


@click.group()
def staff() -> None:
    """Staff: who was told of monitoring, when and how."""


@staff.group("notices")
def notices() -> None:
    """Records that holders were told; without a current one nothing of a chat is captured."""


@notices.command("record")
@click.argument("holder")
@click.option(
    "--version", default="", help="The version of the notice the holder was given; else the current."
)
@click.option("--how", required=True, help='How: "signed on paper, folder 3", "scan notice-3.pdf".')
@printed
@pass_settings
def record(settings: Settings, holder: str, version: str, how: str, form: Form) -> None:
    """Record that a holder was told what is captured; until then nothing is."""
    notice = settings.farm().post("/staff/notices", {"holder": holder, "version": version, "how": how})
    if form is not Form.TABLE:
        put_json(notice, form)
        return
    # The answer is how the holder stands, which may be by another record than this one.
    given = version.strip() or notice["wanted_version"]
    say(f"Recorded: {notice['holder']} was told, version {given}, by {actor()}.")
    if given != notice["wanted_version"] and notice["wanted_version"]:
        say(f"In force is version {notice['wanted_version']}: this record counts once {given} is in force.")
    if notice["is_current"]:
        hint(f"Next: farm phones list {quoted('holder:' + notice['holder'])}")
    else:
        say(f"Nothing is captured yet: {notice['why']}.")
        hint(f"Next: give the current notice, then {_record_line(notice['holder'])}")


@notices.command("list")
@listed
@pass_settings
def list_notices(settings: Settings, form: Form) -> None:
    """List holders, the newest record that each was told, and whether it is current."""
    found = settings.farm().get("/staff/notices")
    put_records(found, _NOTICES, form=form, id_key="holder")
    if form is Form.TABLE:
        _sum_up(found)


@notices.command("show")
@click.argument("holder")
@printed
@pass_settings
def show(settings: Settings, holder: str, form: Form) -> None:
    """Show every record of a holder, also of older versions and withdrawn ones."""
    found = settings.farm().get(f"/staff/notices/{quote(holder, safe='')}")
    if form is not Form.TABLE:
        put_json(found, form)
        return
    if found["records"]:
        put_table(found["records"], _RECORDS)
    standing = found["standing"]
    say(f"{counted(len(found['records']), 'record')}; {_standing(standing)}")
    if not standing["is_current"]:
        hint(f"Next: {_record_line(holder)}")


@notices.command("withdraw")
@click.argument("holder")
@click.option("--reason", required=True, help="Why; recorded with your name.")
@printed
@pass_settings
def withdraw(settings: Settings, holder: str, reason: str, form: Form) -> None:
    """Withdraw a holder's notice: nothing is captured from now on; what was captured before stays."""
    notice = settings.farm().post("/staff/notices/withdraw", {"holder": holder, "reason": reason})
    if form is not Form.TABLE:
        put_json(notice, form)
        return
    say(f"Withdrawn: nothing of {notice['holder']}'s chats is captured from now on.")
    hint(f"Next: farm phones list {quoted('holder:' + notice['holder'])}")


def _record_line(holder: str) -> str:
    return f"farm staff notices record {quoted(holder)} --how TEXT"


def _sum_up(found: list[Record]) -> None:
    untold = [notice["holder"] for notice in found if not notice["is_current"]]
    say(f"{counted(len(found), 'holder')}, {len(untold)} without a current notice")
    if untold:
        hint(f"Next: {_record_line(untold[0])}")
