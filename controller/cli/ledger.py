"""farm ledger: red packets and transfers as the screens showed them. Nothing here touches money."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping
from typing import Any

import rich_click as click

from controller.cli.chatlines import amount
from controller.cli.link import Settings
from controller.cli.options import pass_settings, printed
from controller.cli.periods import within
from controller.cli.render import Column, Form, Record, counted, hint, moment, put_json, put_records, say
from controller.safe import csv_text

_KINDS = {"red_packet": "red packet"}
_DIRECTIONS = {"out": "from us", "in": "to us"}
_MINUTE_MS = 60_000


def _at(entry: Record) -> str:
    first, last = moment(entry["from_ms"]), moment(entry["to_ms"] - 1)
    if entry["to_ms"] - entry["from_ms"] <= _MINUTE_MS:
        return first[:16]
    return f"{first[:16]} to {last[:16]}"


def _chat(name: str) -> Callable[[Record], str]:
    return lambda entry: str(entry["chat"][name] or "-")


def _word(words: Mapping[str, str], name: str) -> Callable[[Record], str]:
    return lambda entry: words.get(str(entry[name]), str(entry[name]))


_ENTRIES = (
    Column("AT", _at),
    Column("NO", _chat("phone_id")),
    Column("ACCOUNT", _chat("account_id")),
    Column("WITH", _chat("title")),
    Column("WHAT", _word(_KINDS, "kind")),
    Column("DIRECTION", _word(_DIRECTIONS, "direction")),
    Column("AMOUNT", lambda entry: amount(entry["amount_fen"]), right=True),
    Column("STATE", lambda entry: (entry["state"] or "-") + (" [撤回]" if entry["is_recalled"] else "")),
    Column("PLACE", lambda entry: f"chat {entry['chat']['conversation_id']}, {entry['position']}"),
)


# The columns for spreadsheets, in this order; a new one is added at the end only.
_EXPORTED = (
    *("from", "to", "phone_id", "account_id", "with", "kind", "direction", "amount", "state", "recalled"),
    *("sender", "conversation_id", "position", "message_id"),
)


def _cells(entry: Record) -> list[str]:
    fen = entry["amount_fen"]
    values = {
        **entry,
        **entry["chat"],
        "from": moment(entry["from_ms"]),
        "to": moment(entry["to_ms"]),
        "with": entry["chat"]["title"],
        "kind": entry["kind"],
        "amount": "unknown" if fen is None else f"{fen // 100}.{fen % 100:02}",
        "recalled": "recalled" if entry["is_recalled"] else "",
    }
    return [str(values[name]) for name in _EXPORTED]


@click.command("ledger")
@click.option("--phones", "selector", default="all", help="7 · 1-12,40 · @rack-A · holder:王芳 · all")
@click.option("--account", default="", metavar="PHONE|ACCOUNT", help="Only of this account.")
@within
@click.option("--before", "before_id", type=int, metavar="ID", help="Go on below this message.")
@click.option("--limit", type=click.IntRange(1, 500), default=200, show_default=True)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV for spreadsheets.")
@printed
@pass_settings
def ledger(settings: Settings, /, **asked: Any) -> None:
    """List red packets and transfers seen in chats, newest first; read only, the look is recorded."""
    form: Form = asked["form"]
    if asked["as_csv"] and form is not Form.TABLE:
        raise click.UsageError("Use one of --csv, --json and --jsonl.")
    names = ("account", "from_ms", "to_ms", "before_id", "limit")
    found = settings.farm().get("/ledger", phones=asked["selector"], **{name: asked[name] for name in names})
    entries = found["entries"]
    if form is not Form.TABLE:
        put_json(entries if form is Form.JSONL else found, form)
    elif asked["as_csv"]:
        writer = csv.writer(sys.stdout)
        writer.writerow(_EXPORTED)
        for entry in entries:
            writer.writerow([csv_text(cell) for cell in _cells(entry)])
    else:
        put_records(entries, _ENTRIES, form=form, id_key="message_id")
        unknown = sum(entry["amount_fen"] is None for entry in entries)
        say(f"{counted(len(entries), 'entry', 'entries')}, {unknown} without an amount on the screen")
        say("A transfer that was taken may stand here twice, once by each side; nothing is summed.")
    if found["next_before_id"] is not None:
        hint(f"Further back: farm ledger --before {found['next_before_id']}")
