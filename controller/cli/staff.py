"""farm staff: sign, notices."""

from __future__ import annotations

import rich_click as click

from controller.cli.link import Settings
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
    quoted,
    say,
)


@click.group()
def staff() -> None:
    """Staff: who was told of monitoring, when and how."""


@staff.command("sign")
@click.argument("holder")
@click.option("--version", required=True, help="The version of the notice the holder was given.")
@click.option("--how", required=True, help='How: "signed on paper, folder 3", "scan notice-3.pdf".')
@printed
@pass_settings
def sign(settings: Settings, holder: str, version: str, how: str, form: Form) -> None:
    """Record that a holder was told what is captured; until then nothing is."""
    notice = settings.farm().post("/staff/notices", {"holder": holder, "version": version, "how": how})
    if form is not Form.TABLE:
        put_json(notice, form)
        return
    say(f"Recorded: {notice['holder']} was told, version {notice['version']}, by {notice['recorded_by']}.")
    hint(f"Next: farm phones list {quoted('holder:' + notice['holder'])}")


@staff.command("notices")
@listed
@pass_settings
def notices(settings: Settings, form: Form) -> None:
    """List holders and the newest record that each was told."""
    found = settings.farm().get("/staff/notices")
    columns = (
        Column("HOLDER", key("holder")),
        Column("VERSION", key("version")),
        Column("TOLD AT", moment_of("at_ms")),
        Column("BY", key("recorded_by")),
        Column("HOW", key("how"), folds=True),
    )
    put_records(found, columns, form=form, id_key="holder")
    if form is Form.TABLE:
        _sum_up(found)


def _sum_up(found: list[Record]) -> None:
    untold = [notice["holder"] for notice in found if notice["version"] is None]
    say(f"{counted(len(found), 'holder')}, {len(untold)} without a record")
    if untold:
        hint(f"Next: farm staff sign {quoted(untold[0])} --version V --how TEXT")
