"""Entries from a table that a person keeps in a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any, TypeVar

from controller.words.entry import (
    MAX_ENTRIES,
    MAX_ID_CHARS,
    PATTERN_CLASSES,
    EntryType,
    LexiconWrong,
    Severity,
    id_of,
    word_wrong,
)

T = TypeVar("T")
Row = dict[
    str, Any
]  # what a line says of an entry, as a book writes it; what its cells leave empty is not in it

# A header may be written in either language; the first line must name at least the words.
_COLUMNS = {
    "id": "id",
    "编号": "id",
    "word": "word",
    "词": "word",
    "词语": "word",
    "敏感词": "word",
    "category": "category",
    "类别": "category",
    "分类": "category",
    "severity": "severity",
    "级别": "severity",
    "等级": "severity",
    "initials": "initials",
    "首字母": "initials",
    "boundary": "boundary",
    "边界": "boundary",
}
_SEVERITIES = {"低": Severity.LOW, "中": Severity.MEDIUM, "高": Severity.HIGH, "严重": Severity.CRITICAL}
_SEVERITIES |= {one.value: one for one in Severity}
_TRUTHS = {"0": False, "false": False, "no": False, "n": False, "否": False}
_TRUTHS |= {"1": True, "true": True, "yes": True, "y": True, "是": True}
_DELIMITERS = "\t;,，；"


def parse_csv(text: str) -> tuple[Row, ...]:
    """Return what a table with a header says of its entries, or raise LexiconWrong naming the line.

    Only the column `word` is needed; commas, semicolons or tabs apart; a repeated word counts once.
    """
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=_delimiter(text))
    entries: dict[str, Row] = {}
    columns: tuple[str, ...] = ()
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _header(cells)
                continue
            _add(entries, _entry(columns, cells, lines.line_num), lines.line_num)
    except csv.Error as wrong:
        raise LexiconWrong(f"line {lines.line_num}: {wrong}") from None
    return tuple(entries.values())


def _delimiter(text: str) -> str:
    head = text.removeprefix("\ufeff").lstrip("\r\n").split("\n", 1)[0]
    return max(_DELIMITERS, key=head.count) if any(char in head for char in _DELIMITERS) else ","


def _header(cells: list[str]) -> tuple[str, ...]:
    columns = tuple(_COLUMNS.get(cell.strip().lower(), "") for cell in cells)
    if "word" not in columns:
        raise LexiconWrong("the first line must name the columns; one of them must be word")
    return columns


def _add(entries: dict[str, Row], entry: Row, line: int) -> None:
    if len(entries) >= MAX_ENTRIES:
        raise LexiconWrong(f"the table has more than {MAX_ENTRIES} entries")
    known = entries.get(entry["id"])
    if known and known["word"] != entry["word"]:
        raise LexiconWrong(f"line {line}: the id {entry['id']!r} is given twice")
    entries.setdefault(entry["id"], entry)


def _entry(columns: tuple[str, ...], cells: list[str], line: int) -> Row:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        raise LexiconWrong(f"line {line}: there are more columns than the header names")
    row = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if name and cell.strip()}
    word = row.get("word", "")
    if wrong := word_wrong(word):
        raise LexiconWrong(f"line {line}: {wrong}")
    entry: Row = {
        **row,
        "id": _id(row.get("id", ""), word, line),
        "type": EntryType.PATTERN.value if word in PATTERN_CLASSES else EntryType.WORD.value,
    }
    if "severity" in row:
        wrong = f"line {line}: severity must be low, medium, high or critical"
        entry["severity"] = _one(_SEVERITIES, row["severity"], wrong).value
    if "initials" in row:
        entry["initials"] = _one(_TRUTHS, row["initials"], f"line {line}: initials must be true or false")
    if "boundary" in row:
        entry["boundary"] = _boundary(row["boundary"], line)
    return entry


def _id(given: str, word: str, line: int) -> str:
    if len(given) > MAX_ID_CHARS:
        raise LexiconWrong(f"line {line}: the id is longer than {MAX_ID_CHARS} characters")
    return given or id_of(word)


def _one(values: dict[str, T], given: str, otherwise: str) -> T:
    if given.lower() not in values:
        raise LexiconWrong(otherwise)
    return values[given.lower()]


def _boundary(given: str, line: int) -> str:
    if given.lower() != "latin":
        raise LexiconWrong(f"line {line}: boundary must be latin or empty")
    return given.lower()
