"""farm doctor: each line says what is, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict

import rich_click as click

from controller.answers import FAILED
from controller.cli.link import Settings
from controller.cli.options import pass_settings, printed
from controller.cli.phones import now_ms
from controller.cli.render import Column, Form, key, put_json, put_table, say


@click.command()
@printed
@pass_settings
def doctor(settings: Settings, form: Form) -> int:
    """Check configuration, data, controller, adb, disk and clock."""
    from controller.doctor import Level, examine

    found = examine(settings.load, lambda: settings.farm().get("/status"), now_ms=now_ms)
    if form is not Form.TABLE:
        put_json([asdict(finding) for finding in found], form)
    else:
        columns = (
            Column("", key("level"), is_state=True),
            Column("", key("about")),
            Column("", lambda line: _with_remedy(line["what"], line["remedy"]), folds=True),
        )
        put_table([asdict(finding) for finding in found], columns)
    bad = sum(finding.level is Level.FAIL for finding in found)
    if bad and form is Form.TABLE:
        say(f"{bad} of {len(found)} checks failed.")
    return FAILED if bad else 0


def _with_remedy(what: str, remedy: str) -> str:
    return f"{what}. {remedy}" if remedy else what
