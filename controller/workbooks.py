"""Excel workbooks in and out: cells as the text a person sees, bounds before anything is built in memory."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from controller.columns import knows
from controller.errors import BadRows

MAX_ROWS = 100_000
MAX_COLUMNS = 200
# A packed file may hold a thousand times its size: what it says of itself is asked first.
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
MAX_CELL_CHARS = 32_767  # what a spreadsheet holds in one cell

_ZIP, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_SHEET_PART = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_CELL_REF = re.compile(rb'<(?:\w+:)?c\b[^>]{0,200}?\br="([A-Z]{1,3})(\d{1,7})"')
_CHUNK = 1 << 20
# Control characters that XML cannot hold, by their pictures; tab and line breaks stay.
_PICTURES = {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A, 0x0D)} | {0x7F: 0x2421}
_LONE = re.compile("[\ud800-\udfff\ufffe\uffff]")

Cells = tuple[str, ...]


def is_workbook(raw: bytes) -> bool:
    """Tell whether bytes are an Excel workbook, of the packed or the old form."""
    return raw.startswith((_ZIP, _OLD))


def read_workbook(raw: bytes) -> tuple[str, list[tuple[int, Cells]]]:
    """Return the name of the sheet with the list and its numbered rows as text; BadRows.

    That is the first visible sheet whose first filled row has a heading we know, else the first filled one.
    """
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    if raw.startswith(_ZIP):
        _be_bounded(raw)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        visible = [m.name for m in book.sheets_metadata if m.visible is SheetVisibleEnum.Visible]
        found: list[tuple[str, list[tuple[int, Cells]]]] = []
        for name in visible:
            rows = _rows(book, name)
            if rows and any(knows(cell) for cell in rows[0][1]):
                return name, rows
            if rows:
                found.append((name, rows))
    except (CalamineError, ValueError, OSError) as error:
        raise BadRows(f"not readable as an Excel workbook: {str(error)[:80]}") from None
    if not found:
        raise BadRows("the workbook has no rows on a visible sheet")
    return found[0]


def _rows(book: object, name: str) -> list[tuple[int, Cells]]:
    sheet = book.get_sheet_by_name(name)  # type: ignore[attr-defined]  # a class of a compiled module
    if sheet.total_width > MAX_COLUMNS:
        raise BadRows(f"sheet {name!r} has {sheet.total_width} columns; {MAX_COLUMNS} at most")
    if sheet.total_height > MAX_ROWS + 1:
        raise BadRows(f"sheet {name!r} has more than {MAX_ROWS} rows; split it")
    rows = []
    for no, values in enumerate(sheet.to_python(skip_empty_area=False), start=1):
        cells = tuple(map(_text, values))
        if any(cells):
            rows.append((no, cells))
    return rows


def _text(value: object) -> str:
    """Return a cell as a person reads it: whole numbers without a point, days as 2026-11-11."""
    match value:
        case str():
            return value.strip()[:MAX_CELL_CHARS]
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case None:
            return ""
        case _:
            return str(value)


def _be_bounded(raw: bytes) -> None:
    """Refuse what would fill the memory: packed bombs, and cells far out, to which a reader pads."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
                raise BadRows("the workbook unpacks to too much; split it")
            for part in parts:
                if _SHEET_PART.fullmatch(part.filename):
                    _be_near(archive, part)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise BadRows(f"not readable as an Excel workbook: {str(error)[:80]}") from None


def _be_near(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    left, carry = part.file_size + 1, b""
    with archive.open(part) as stream:
        while block := stream.read(_CHUNK):
            left -= len(block)
            if left < 0:  # its own size was a lie
                raise BadRows("the workbook unpacks to too much; split it")
            text = carry + block
            for column, row in _CELL_REF.findall(text):
                if int(row) > MAX_ROWS + 1:
                    raise BadRows(f"a sheet has more than {MAX_ROWS} rows; split it")
                if _column_no(column) > MAX_COLUMNS:
                    raise BadRows(f"a sheet has more than {MAX_COLUMNS} columns")
            carry = text[-256:]


def _column_no(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def write_workbook(title: str, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a workbook with one sheet of plain texts: no cell is a formula, a link or a number."""
    import xlsxwriter  # type: ignore[import-untyped]  # it ships no types

    out = io.BytesIO()
    options = {
        "in_memory": True,
        "constant_memory": False,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\']", " ", title)[:31] or "list")
        bold = book.add_format({"bold": True})
        as_text = book.add_format({"num_format": "@"})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(len(heading) - 1, 0), 16, as_text)
        for at, name in enumerate(heading):
            sheet.write_string(0, at, plain(name), bold)
        for no, cells in enumerate(rows, start=1):
            for at, cell in enumerate(cells):
                sheet.write_string(no, at, plain(cell), as_text)
    return out.getvalue()


def plain(text: str) -> str:
    """Return text that a workbook can hold: control characters as pictures, cut with a mark if too long."""
    shown = _LONE.sub("\ufffd", text).translate(_PICTURES)
    return shown if len(shown) <= MAX_CELL_CHARS else shown[: MAX_CELL_CHARS - 1] + "…"
