"""farm violations: stats, export."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import rich_click as click

from controller.cli.chatlines import hours
from controller.cli.link import Farm, Settings
from controller.cli.options import listed, pass_settings, private_file
from controller.cli.render import Column, Form, Record, counted, hint, key, moment, put_records, say
from controller.cli.violationfilters import filtered, given, moment_of, since
from controller.errors import BadRows
from controller.safe import csv_text, json_text

# As people say it, and as the API calls it.
_BY = {
    "rule": "rule",
    "word": "entry",
    "category": "category",
    "severity": "severity",
    "staff": "holder",
    "judge": "judge",
    "assignee": "assignee",
}
_FORMATS = ("jsonl", "csv", "xlsx")


def _share(line: Record) -> str:
    share = line["false_alarm_share"]
    return "-" if share is None else f"{share:.0%}"


def _took(name: str, *, is_spare: bool = False) -> Column:
    return Column(
        name.partition("_")[0].upper(),
        lambda line: "-" if line[name] is None else hours(line[name]),
        right=True,
        is_spare=is_spare,
    )


def _names(farm: Farm, by: str) -> dict[str, str]:
    """Return what rules, words or categories in force are called, by their ids."""
    if by == "rule":
        return {rule["rule_id"]: rule["name"] for rule in farm.get("/words/rules")}
    if by in {"word", "category"}:
        entries = farm.get("/words")["entries"]
        ids, names = ("entry_id", "word") if by == "word" else ("category", "label")
        return {entry[ids]: entry[names] for entry in entries}
    return {}


_STATS = (
    Column("WHICH", key("key")),
    *(
        Column(name.upper(), key(name), right=True, is_spare=name in {"repeats", "escalated"})
        for name in ("hits", "repeats", "open", "escalated", "confirmed", "dismissed")
    ),
    Column("FALSE", _share, right=True),
    Column(
        "APPEALS",
        lambda line: f"{line['granted']}/{line['appeals']}" if line["appeals"] else "-",
        right=True,
        is_spare=True,
    ),
    _took("median_ms"),
    _took("p90_ms", is_spare=True),
)


@click.command("stats")
@click.option("--by", type=click.Choice(list(_BY)), default="rule", show_default=True)
@since("30d")
@click.option("--until", "until_ms", callback=moment_of(is_end=True), metavar="WHEN", help="And before.")
@listed
@pass_settings
def stats(settings: Settings, by: str, since_ms: int, until_ms: int | None, form: Form) -> None:
    """Count hits, verdicts and false alarms, and how long a verdict took, of what was found in a time."""
    farm = settings.farm()
    found = farm.get("/violations/stats", by=_BY[by], since_ms=since_ms, until_ms=until_ms)
    names = _names(farm, by) if form is Form.TABLE and found else {}
    named = [Column("NAME", lambda line: names.get(line["key"], "-"), folds=True)] if names else []
    put_records(found, [_STATS[0], *named, *_STATS[1:]], form=form, id_key="key")
    if form is not Form.TABLE:
        return
    many = counted(sum(line["hits"] for line in found), "violation")
    say(f"{many}; FALSE: dismissed of those with a verdict;")
    say("APPEALS: granted of all; MEDIAN and P90: from found to the first verdict.")
    worst = max(found, key=lambda line: line["dismissed"], default=None)
    if worst and worst["dismissed"] and by in {"rule", "word"}:
        option = "entry" if by == "word" else "rule"
        hint(f"Most false alarms: farm violations list --{option} {worst['key']} --state dismissed")


@click.command("export")
@click.argument("output", metavar="FILE", type=click.Path(path_type=Path))
@filtered
@click.option("--format", "kind", type=click.Choice(_FORMATS), help="Else by the file's name; - is stdout.")
@click.option("--reveal", is_flag=True, help="Mobiles in full; recorded.")
@click.option("--reason", required=True, help="Why; recorded with your name.")
@pass_settings
def export(settings: Settings, /, **asked: Any) -> None:
    """Write violations with all that was decided: JSONL without loss, or CSV and XLSX for spreadsheets."""
    output: Path = asked["output"]
    is_stdout = str(output) == "-"
    kind = asked["kind"] or output.suffix.lower().lstrip(".") or "jsonl"
    if kind not in _FORMATS:
        raise click.UsageError("Say --format jsonl, csv or xlsx.")
    if kind == "xlsx" and is_stdout:
        raise click.UsageError("A workbook needs a file: FILE.xlsx.")
    body = {"filters": given(asked), "reason": asked["reason"], "is_revealed": asked["reveal"]}
    entries = _entries(settings.farm(), body)
    # What is refused leaves a file that is there as it is.
    entries = chain(list(islice(entries, 1)), entries)
    many = _write(entries, kind, None if is_stdout else output)
    say(counted(many, "violation"))
    if not is_stdout:
        hint(f"Wrote {output}, readable by you only; delete it when the case is closed.")


def _entries(farm: Farm, body: dict[str, Any]) -> Iterator[Record]:
    before_id: int | None = None
    while True:
        page = farm.post("/violations/export", {**body, "before_id": before_id})
        yield from page["entries"]
        before_id = page["next_before_id"]
        if before_id is None:
            return


def _write(entries: Iterator[Record], kind: str, output: Path | None) -> int:
    if output is None:
        return _stream(entries, kind, sys.stdout)
    if kind == "xlsx":
        from controller.violationexport import COLUMNS
        from controller.workbooks import write_workbook

        rows = _bounded(_rows(entries))
        # Made first: what does not fit leaves the file that is there as it is.
        workbook = write_workbook("violations", COLUMNS, rows)
        with private_file(output) as out:
            out.write(workbook)
        return len(rows)
    with private_file(output) as raw:
        # Excel takes CSV without a mark for GBK.
        text = io.TextIOWrapper(raw, encoding="utf-8-sig" if kind == "csv" else "utf-8", newline="")
        many = _stream(entries, kind, text)
        text.flush()
        text.detach()
    return many


def _stream(entries: Iterator[Record], kind: str, out: IO[str]) -> int:
    many = 0
    if kind == "jsonl":
        for record in entries:
            out.write(json_text(record) + "\n")
            many += 1
        return many
    from controller.violationexport import COLUMNS

    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in _rows(entries):
        writer.writerow([csv_text(cell) for cell in row])
        many += 1
    return many


def _rows(entries: Iterator[Record]) -> Iterator[list[str]]:
    from controller.violationexport import row_of

    return (row_of(record, moment) for record in entries)


def _bounded(rows: Iterator[list[str]]) -> list[list[str]]:
    from controller.workbooks import MAX_ROWS

    found: list[list[str]] = []
    for row in rows:
        if len(found) >= MAX_ROWS:
            raise BadRows(f"a workbook takes {MAX_ROWS} rows; export fewer violations, or --format jsonl")
        found.append(row)
    return found
