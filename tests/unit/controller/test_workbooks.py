"""Excel lists: read as a person sees them, written as plain text, and hostile ones refused in one line."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

import pytest
import xlsxwriter  # type: ignore[import-untyped]  # it ships no types
from hypothesis import given
from hypothesis import strategies as st

from controller import workbooks
from controller.columns import Column
from controller.contacts import check
from controller.errors import BadRows
from controller.model import RowProblem
from controller.sheets import read_sheet
from controller.web.marked import marked_copy
from controller.workbooks import MAX_CELL_CHARS, MAX_COLUMNS, MAX_ROWS, read_workbook, write_workbook

HEADING = ["手机号", "备注", "订单号", "下单时间", "标签"]


def workbook(*sheets: tuple[str, list[list[object]]], hidden: tuple[str, ...] = ()) -> bytes:
    """Return a workbook as a CRM exports it: numbers as numbers, days as days."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            for no, cells in enumerate(rows):
                for at, cell in enumerate(cells):
                    sheet.write(no, at, cell)
    return out.getvalue()


def test_numbers_and_days_read_as_a_person_sees_them() -> None:
    day = datetime(2026, 11, 11, tzinfo=UTC).replace(tzinfo=None)
    raw = workbook(("客户", [[*HEADING], [13800138001, " 王先生 ", 20261111.0, day, "老客户、上海"]]))
    sheet = read_sheet(raw)
    assert sheet.encoding == "Excel, sheet 客户"
    assert sheet.columns[Column.TAGS] == 4
    (customer,) = check(sheet).customers
    assert (customer.query, customer.remark, customer.basis) == ("13800138001", "王先生", "20261111")
    assert (customer.basis_at, customer.tags, customer.row_no) == ("2026-11-11", ("老客户", "上海"), 2)


def test_the_sheet_with_a_known_heading_is_read_and_a_hidden_one_never() -> None:
    rows: list[list[object]] = [["手机号"], ["13800138001"]]
    raw = workbook(("notes", [["x"], ["y"]]), ("secret", rows), ("list", rows), hidden=("secret",))
    assert read_workbook(raw)[0] == "list"


def test_row_numbers_are_those_beside_the_rows() -> None:
    raw = workbook(("a", [[], ["手机号"], [], ["1"], ["2"]]))
    assert [no for no, _ in read_workbook(raw)[1]] == [2, 4, 5]


FORMULAS = ["=1+1", "+86", "-1", "@SUM(A1)", '=HYPERLINK("http://127.0.0.1/x","y")', "\t=1", "＝1", "'=1"]
CONTROLS = ["a\x0bb", "\x00", "\x1b[31m", "\u202e", "\ud800", "x" * 40_000, "http://127.0.0.1/a", "00123"]


def test_what_is_written_is_plain_text_whatever_it_looks_like() -> None:
    raw = write_workbook("a/b[c]", ["h"], [[cell] for cell in FORMULAS + CONTROLS])
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        body = archive.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in body
        assert b"hyperlink" not in body.lower()
    name, rows = read_workbook(raw)
    assert name == "a b c "
    told = [cells[0] for _, cells in rows[1:]]
    assert told[: len(FORMULAS)] == [cell.strip() for cell in FORMULAS]
    assert told[len(FORMULAS)] == "a␋b"
    assert told[len(FORMULAS) + 5] == "x" * (MAX_CELL_CHARS - 1) + "…"
    assert told[-1] == "00123"


@given(st.lists(st.lists(st.text(max_size=40), min_size=1, max_size=4), min_size=1, max_size=6))
def test_any_text_can_be_written_and_read(rows: list[list[str]]) -> None:
    raw = write_workbook("t", ["手机号", "a", "b", "c"], rows)
    assert len(read_workbook(raw)[1]) <= len(rows) + 1


def test_a_workbook_comes_back_as_one_with_the_problems_beside_the_rows() -> None:
    raw = workbook(("客户", [["手机号", "订单号", "日期"], ["138", "D-1", "2026-11-11"], ["", "=1", "x"]]))
    sheet = read_sheet(raw)
    problems = [RowProblem(row_no=2, column="手机号", value="138", problem="not a mobile number")]
    _, rows = read_workbook(marked_copy(sheet, problems))
    assert rows[0][1][-1] == "问题"
    assert rows[1][1][-1] == "not a mobile number"
    assert rows[2][1][1] == "0"  # of a formula its value as last shown


def part(name: str, body: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, body)
    return out.getvalue()


def with_sheet(body: bytes) -> bytes:
    """Return a workbook whose only sheet has another body."""
    source = zipfile.ZipFile(io.BytesIO(workbook(("a", [["手机号"]]))))
    out = io.BytesIO()
    with source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for info in source.infolist():
            is_sheet = info.filename.startswith("xl/worksheets/sheet")
            archive.writestr(info.filename, body if is_sheet else source.read(info))
    return out.getvalue()


SHEET = (
    b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    b"<sheetData>%s</sheetData></worksheet>"
)
FAR_DOWN = (
    SHEET % b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="A1048576"><v>1</v></c></row>'
)
FAR_RIGHT = SHEET % b'<row r="1"><c r="A1"><v>1</v></c><c s="1" r="XFD1"><v>1</v></c></row>'
PREFIXED = SHEET % b'<x:row r="1"><x:c r="XFD1"><v>1</v></x:c></x:row>'


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"PK\x03\x04rest", "not readable as an Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest", "not readable as an Excel workbook"),
        (part("readme.txt", b"x"), "not readable as an Excel workbook"),
        (part("xl/worksheets/sheet1.xml", b"<worksheet/>"), "not readable as an Excel workbook"),
        (workbook(("a", [])), "no rows"),
        (workbook(("a", [["手机号"]]), hidden=()), ""),
        (with_sheet(FAR_DOWN), f"more than {MAX_ROWS} rows"),
        (with_sheet(FAR_RIGHT), f"more than {MAX_COLUMNS} columns"),
        (with_sheet(PREFIXED), f"more than {MAX_COLUMNS} columns"),
        (workbook(("a", [["x"] * (MAX_COLUMNS + 1)])), "columns"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_workbook_is_refused_in_one_line(raw: bytes, says: str) -> None:
    if not says:
        assert read_sheet(raw).rows == ()
        return
    with pytest.raises(BadRows, match=says) as caught:
        read_sheet(raw)
    assert "\n" not in str(caught.value)


def test_a_packed_bomb_is_refused_by_what_it_says_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAX_UNPACKED_BYTES", 1024 * 1024)
    with pytest.raises(BadRows, match="unpacks to too much"):
        read_sheet(part("xl/a.bin", b"\0" * (2 * 1024 * 1024)))


def test_wrong_types_are_told_row_by_row() -> None:
    rows: list[list[object]] = [
        ["手机号", "订单号", "日期"],
        [True, "D", "2026-11-11"],
        [1.38e10 + 0.5, "D", "2026-11-11"],
        ["=1+1", "D", "2026-11-11"],
        ["13800138001", "=1+1", "2026-11-11"],  # a formula is what it shows
        ["13800138002", "D", 45000],
        ["1" * 5000, "D", "2026-11-11"],
    ]
    found = check(read_sheet(workbook(("a", rows))))
    assert [p.row_no for p in found.problems] == [2, 3, 4, 6, 7]
    assert all(p.problem and len(p.value) <= 40 for p in found.problems)
