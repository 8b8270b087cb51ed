"""farm violations: list."""

from __future__ import annotations

import re
from typing import Any

import rich_click as click

from controller.cli.link import Settings
from controller.cli.options import listed, pass_settings
from controller.cli.phones import now_ms
from controller.cli.render import Column, Form, Record, clock_of, counted, hint, key, put_records, say

_UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


def marked(found: Record) -> str:
    """Return the text with what matched in 【】."""
    text, start, end = found["text"], found["start"], found["end"]
    return f"{text[:start]}【{text[start:end]}】{text[end:]}"


_COLUMNS = (
    Column("ID", key("violation_id"), right=True),
    Column("FOUND", clock_of("found_at_ms")),
    Column("NO", key("phone_id")),
    Column("HOLDER", key("holder")),
    Column("SIDE", key("side")),
    Column("WORD", key("word")),
    Column("STATE", key("state")),
    Column("CHAT", key("conversation_id"), right=True),
    Column("TEXT", marked, folds=True),
)


@click.group()
def violations() -> None:
    """Sensitive words found in captured messages."""


def _since(_context: click.Context, _option: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,6})([mhd])", value)
    if found is None:
        raise click.BadParameter("say 30m, 2h or 7d")
    return now_ms() - int(found[1]) * _UNITS_MS[found[2]]


@violations.command("list")
@click.option("--phones", "selector", default="all", help="7 · 1-12,40 · @rack-A · holder:王芳 · all")
@click.option("--state", help="new")
@click.option("--since", "since_ms", callback=_since, metavar="2h", help="30m, 2h, 7d")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@listed
@pass_settings
def list_violations(settings: Settings, /, **asked: Any) -> None:
    """List violations, newest first."""
    wanted = {name: asked[name] for name in ("state", "since_ms", "limit")}
    found = settings.farm().get("/violations", phones=asked["selector"], **wanted)
    put_records(found, _COLUMNS, form=asked["form"], id_key="violation_id")
    if asked["form"] is Form.TABLE:
        say(counted(len(found), "violation"))
        if found:
            chat, number = found[0]["conversation_id"], found[0]["violation_id"]
            hint(f"Next: farm chats show {chat} --reason 'violation {number}'")
