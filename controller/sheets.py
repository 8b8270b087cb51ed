"""The bytes of a CSV file or a workbook to rows: encoding, delimiter, and the numbers a spreadsheet shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from controller.columns import Column, guess_columns
from controller.errors import BadRows
from controller.workbooks import MAX_CELL_CHARS, MAX_COLUMNS, MAX_ROWS, is_workbook, read_workbook

MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row; `no` is the number a spreadsheet shows beside it."""

    no: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A list as read: its heading, what the columns mean, and the rows below it that are not empty."""

    encoding: str
    delimiter: str
    heading: tuple[str, ...]
    columns: Mapping[Column, int]
    rows: tuple[Row, ...]
    is_workbook: bool = False

    def cell(self, row: Row, column: Column) -> str:
        """Return a cell without surrounding blanks; empty if the row is shorter or the column is missing."""
        at = self.columns.get(column)
        return row.cells[at].strip() if at is not None and at < len(row.cells) else ""

    def title(self, column: Column) -> str:
        """Return the column's own heading."""
        at = self.columns.get(column)
        return self.heading[at] if at is not None else str(column)


def read_sheet(raw: bytes, mapping: Mapping[Column, str] | None = None) -> Sheet:
    """Read a customer list, CSV or Excel; `mapping` names headings instead of guessing; BadRows."""
    if is_workbook(raw):
        return _of_workbook(raw, mapping or {})
    text, encoding = decode(raw)
    text, declared = _declared_delimiter(text)
    delimiter = declared or sniff(text)
    rows = _rows(text, delimiter)
    if not rows:
        raise BadRows("the file has no rows")
    heading = tuple(cell.strip() for cell in rows[0].cells)
    if len(heading) > MAX_COLUMNS:
        raise BadRows(f"the file has {len(heading)} columns; {MAX_COLUMNS} at most")
    return Sheet(
        encoding=encoding,
        delimiter=delimiter,
        heading=heading,
        columns=guess_columns(heading, mapping or {}),
        rows=tuple(rows[1:]),
    )


def _of_workbook(raw: bytes, mapping: Mapping[Column, str]) -> Sheet:
    _be_small(raw)
    name, rows = read_workbook(raw)
    (_, heading), *rest = rows
    return Sheet(
        encoding=f"Excel, sheet {name}",
        delimiter="",
        heading=heading,
        columns=guess_columns(heading, mapping),
        rows=tuple(Row(no=no, cells=cells) for no, cells in rest),
        is_workbook=True,
    )


def _be_small(raw: bytes) -> None:
    if len(raw) > MAX_BYTES:
        raise BadRows(f"the file has {len(raw) // 1024 // 1024} MiB; {MAX_BYTES // 1024 // 1024} MiB at most")


def decode(raw: bytes) -> tuple[str, str]:
    """Return the text and its encoding: UTF-8, UTF-16 with a mark, or GB18030."""
    _be_small(raw)
    for encoding in _encodings(raw):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _looks_binary(text):
            break
        return text, encoding
    raise BadRows("not readable as UTF-8, UTF-16 or GB18030 text")


def _looks_binary(text: str) -> bool:
    """Tell whether zeros fill the text, as in UTF-16 without its mark; a stray one is its cell's problem."""
    start = text[:4096]
    return "\0" in text.partition("\n")[0] or start.count("\0") * 10 > len(start)


def _encodings(raw: bytes) -> tuple[str, ...]:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    if raw.startswith(b"\xef\xbb\xbf"):
        return ("utf-8-sig",)
    heading = raw.partition(b"\n")[0]
    try:
        is_utf8 = not heading.decode("utf-8").isascii()
    except UnicodeDecodeError:
        is_utf8 = False
    # A Chinese heading in UTF-8 settles it: one broken byte must not turn the list into nonsense.
    return ("utf-8-sig",) if is_utf8 else ("utf-8-sig", "gb18030")


def _declared_delimiter(text: str) -> tuple[str, str]:
    """Take Excel's first line `sep=;` away; it is not a row there either."""
    first, newline, rest = text.partition("\n")
    first = first.strip()
    if newline and first.lower().startswith("sep=") and len(first) == len("sep=") + 1:
        return rest, first[-1]
    return text, ""


def sniff(text: str) -> str:
    """Return the delimiter that the heading holds most often, outside quotes; a comma if none."""
    heading = next((line for line in io.StringIO(text) if line.strip()), "")
    outside = "".join(heading.split('"')[::2])
    return max((",", ";", "\t", "|"), key=outside.count)


def _rows(text: str, delimiter: str) -> list[Row]:
    """Return the rows that hold something, the heading first; BadRows beyond the bounds."""
    rows: list[Row] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    csv.field_size_limit(MAX_CELL_CHARS)
    try:
        for no, cells in enumerate(reader, start=1):
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) > MAX_ROWS:
                raise BadRows(f"the file has more than {MAX_ROWS} rows; split it")
            rows.append(Row(no=no, cells=tuple(cells)))
    except csv.Error as error:
        raise BadRows(
            f"not a table: {error} (line {reader.line_num}); is a quotation mark left open?"
        ) from None
    return rows
