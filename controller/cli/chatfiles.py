"""Chats into files: JSONL without loss, CSV and workbooks in which no cell is a formula."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from controller.cli.chatlines import amount
from controller.cli.link import Farm
from controller.cli.options import private_file
from controller.cli.render import Record, moment
from controller.errors import BadRows
from controller.safe import csv_text, json_text
from controller.workbooks import MAX_ROWS, write_workbook

# The columns of a sheet, in this order; a new one is added at the end only.
COLUMNS = (
    *("chat", "phone_id", "account_id", "with", "position", "row", "from", "to", "side", "sender", "kind"),
    *("text", "detail", "amount", "state", "length_s", "recalled", "later", "uncertain", "cause"),
    *("read_at", "archived_at", "media_sha256", "message_id", "media_host"),
)


@dataclass(slots=True)
class Told:
    """What was written."""

    chats: int = 0
    messages: int = 0
    gaps: int = 0


def parts_of(farm: Farm, body: dict[str, Any]) -> Iterator[Record]:
    """Yield the parts of an export page by page."""
    cursor: Any = None
    while True:
        page = farm.post("/chats/export", {**body, "cursor": cursor})
        yield from page["parts"]
        cursor = page["cursor"]
        if cursor is None:
            return


def write(parts: Iterable[Record], kind: str, output: Path | None) -> Told:
    """Write parts as jsonl, csv or xlsx into a file for its owner only, or to stdout; BadRows, FarmError."""
    told = Told()
    counted = _counted(parts, told)
    if kind == "xlsx":
        if output is None:
            raise BadRows("a workbook needs a file")
        # Made first: what does not fit leaves the file that is there as it is.
        workbook = write_workbook("chats", COLUMNS, _bounded(_rows(counted)))
        with private_file(output) as out:
            out.write(workbook)
        return told
    if output is None:
        _stream(counted, kind, sys.stdout)
        return told
    with private_file(output) as raw:
        # Excel takes CSV without a mark for GBK.
        text = io.TextIOWrapper(raw, encoding="utf-8-sig" if kind == "csv" else "utf-8", newline="")
        _stream(counted, kind, text)
        text.flush()
        text.detach()
    return told


def _stream(parts: Iterable[Record], kind: str, out: IO[str]) -> None:
    if kind == "jsonl":
        for record in records_of(parts):
            out.write(json_text(record) + "\n")
        return
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in _rows(parts):
        writer.writerow([csv_text(cell) for cell in row])


def _counted(parts: Iterable[Record], told: Told) -> Iterator[Record]:
    for part in parts:
        told.chats += bool(part["begins"])
        told.messages += sum(item["message"] is not None for item in part["items"])
        told.gaps += sum(item["gap"] is not None for item in part["items"])
        yield part


def records_of(parts: Iterable[Record]) -> Iterator[dict[str, Any]]:
    """Yield an object for each chat, message, gap and removal; `type` says which, all have the chat's id."""
    for part in parts:
        chat_id = part["chat"]["conversation_id"]
        if part["begins"]:
            yield {"type": "chat", **part["chat"]}
        for item in part["items"]:
            for name in ("message", "gap", "removal"):
                if item[name] is not None:
                    yield {"type": name, "conversation_id": chat_id, **item[name]}


def _rows(parts: Iterable[Record]) -> Iterator[list[str]]:
    for part in parts:
        chat = part["chat"]
        of_chat = {
            "chat": chat["conversation_id"],
            "phone_id": chat["phone_id"],
            "account_id": chat["account_id"],
            "with": chat["title"],
        }
        for item in part["items"]:
            cells = {**of_chat, **_cells(item)}
            yield ["" if cells.get(name) is None else str(cells[name]) for name in COLUMNS]


def _cells(item: Record) -> dict[str, Any]:
    if (gap := item["gap"]) is not None:
        return {"row": "gap", "position": gap["before_position"], "cause": gap["cause"], **_between(gap)}
    if (gone := item["removal"]) is not None:
        return {"row": "removal", "position": gone["last_position"], "cause": gone["what"], **_between(gone)}
    message = item["message"]
    is_placed = message["shown_to_ms"] is not None
    texts = [change["text"] or change["line"] or change["state"] for change in message["changes"]]
    return {
        **{name: message[name] for name in ("position", "side", "sender", "kind", "text", "detail")},
        **{name: message[name] for name in ("state", "length_s", "media_sha256", "media_host", "message_id")},
        "row": "message",
        "from": moment(message["shown_from_ms"]) if is_placed else "",
        "to": moment(message["shown_to_ms"]) if is_placed else "",
        "amount": amount(message["amount_fen"]) if message["kind"] in {"red_packet", "transfer"} else "",
        "recalled": "recalled" if message["is_recalled"] else "",
        "later": "; ".join(text for text in texts if text),
        "uncertain": _uncertain(message),
        "read_at": moment(message["read_at_ms"]),
        "archived_at": moment(message["archived_at_ms"]),
    }


def _uncertain(message: Record) -> str:
    return ", ".join(
        told for told, is_so in (("order", message["ambiguous"]), ("folded", message["fragment"])) if is_so
    )


def _between(record: Record) -> dict[str, str]:
    return {"from": moment(record["from_ms"]) if record["from_ms"] else "", "to": moment(record["to_ms"])}


def _bounded(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    for no, row in enumerate(rows):
        if no >= MAX_ROWS:
            raise BadRows(f"a workbook takes {MAX_ROWS} rows; export fewer chats, or --format jsonl")
        yield row
