"""Rows of a list to customers, or to what is wrong with them in words for a person: pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import phonenumbers

from controller.columns import Column, listed
from controller.errors import BadRows
from controller.model import Customer, PhoneId, QueryKind, RowProblem
from controller.sheets import Row, Sheet
from controller.targets import keys_of, target_of

_CHINA = 86
_MAX_REMARK_CHARS = 60
_MAX_BASIS_CHARS = 120
_MAX_TAG_CHARS = 20
_MAX_TAGS = 10
_TAG_GAP = re.compile(r"[,，;；|｜、/\n]+")

# Letter first, then letters, digits, - and _, 6 to 20 in all: what the client itself asks for.
_WECHAT_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{5,19}")
_PLAIN_MOBILE = re.compile(r"1[3-9]\d{9}")
# The library's own pattern of a valid mobile, asked first: its whole way takes 0.1 ms a row.
_CN: Any = phonenumbers.PhoneMetadata.metadata_for_region("CN")
_VALID_MOBILE = re.compile(_CN.mobile.national_number_pattern, re.ASCII)
_EXPONENT = re.compile(r"\d+(\.\d+)?[eE]\+?\d+")
_FLOAT = re.compile(r"(\d+)\.0+")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:$|[ T].*)")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{4}|\d{6})?")


class RowWrong(Exception):
    """One cell stands against using its row."""

    def __init__(self, column: Column, problem: str) -> None:
        super().__init__(problem)
        self.column = column
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A list as checked: who can be added, and what is wrong with the other rows."""

    customers: tuple[Customer, ...]
    problems: tuple[RowProblem, ...]

    @property
    def rows(self) -> int:
        """Return how many rows were read."""
        return len(self.customers) + len(self.problems)


def check(sheet: Sheet) -> Checked:
    """Check every row; BadRows if a column that every row needs is missing."""
    _need_columns(sheet)
    customers: list[Customer] = []
    problems: list[RowProblem] = []
    first_rows: dict[str, int] = {}
    for row in sheet.rows:
        try:
            customer = _customer(sheet, row)
            _refuse_duplicate(customer, first_rows)
        except RowWrong as wrong:
            problems.append(_problem(sheet, row, wrong))
        else:
            customers.append(customer)
    return Checked(customers=tuple(customers), problems=tuple(problems))


def with_refused(sheet: Sheet, checked: Checked, reasons: Iterable[tuple[int, str]]) -> Checked:
    """Move customers that the farm must not add (row number, why) to the problems."""
    why = dict(reasons)
    if not why:
        return checked
    refused = [
        RowProblem(
            row_no=customer.row_no,
            column=sheet.title(Column(customer.query_kind)),
            value=customer.query,
            problem=why[customer.row_no],
        )
        for customer in checked.customers
        if customer.row_no in why
    ]
    return replace(
        checked,
        customers=tuple(customer for customer in checked.customers if customer.row_no not in why),
        problems=tuple(sorted((*checked.problems, *refused), key=lambda problem: problem.row_no)),
    )


def _need_columns(sheet: Sheet) -> None:
    missing = []
    if Column.MOBILE not in sheet.columns and Column.WECHAT_ID not in sheet.columns:
        missing.append("the mobile or the WeChat id (手机号, 微信号)")
    if Column.BASIS not in sheet.columns:
        missing.append("the basis for contacting each person (依据, 订单号)")
    if Column.BASIS_AT not in sheet.columns:
        missing.append("the date of that basis (下单时间, 日期)")
    if missing:
        raise BadRows(
            f"no column for {'; no column for '.join(missing)}. The columns are: {listed(sheet.heading)}"
        )


def _customer(sheet: Sheet, row: Row) -> Customer:
    query, kind = _query(sheet, row)
    basis = _text(sheet.cell(row, Column.BASIS), Column.BASIS, _MAX_BASIS_CHARS)
    if not basis:
        raise RowWrong(Column.BASIS, "no basis for contacting this person")
    pinned = sheet.cell(row, Column.PHONE_NO)
    return Customer(
        row_no=row.no,
        query=query,
        query_kind=kind,
        basis=basis,
        basis_at=read_date(sheet.cell(row, Column.BASIS_AT)),
        remark=_text(sheet.cell(row, Column.REMARK), Column.REMARK, _MAX_REMARK_CHARS),
        tags=read_tags(sheet.cell(row, Column.TAGS)),
        pinned_phone_id=read_phone_no(pinned) if pinned else None,
        alias=_alias(sheet, row, query) if kind is QueryKind.MOBILE else "",
    )


def _query(sheet: Sheet, row: Row) -> tuple[str, QueryKind]:
    mobile = sheet.cell(row, Column.MOBILE)
    wechat_id = sheet.cell(row, Column.WECHAT_ID)
    if mobile:
        return read_mobile(mobile), QueryKind.MOBILE
    if wechat_id:
        return read_wechat_id(wechat_id), QueryKind.WECHAT_ID
    column = Column.MOBILE if Column.MOBILE in sheet.columns else Column.WECHAT_ID
    raise RowWrong(column, "neither a mobile nor a WeChat id")


def _alias(sheet: Sheet, row: Row, mobile: str) -> str:
    """Return the WeChat id beside a mobile, or the other mobile that stands in its column.

    What is neither (as "same as the mobile") is nobody's identity: no decision can have been taken by it.
    """
    cell = sheet.cell(row, Column.WECHAT_ID)
    if not cell:
        return ""
    for read, kind in ((read_wechat_id, QueryKind.WECHAT_ID), (read_mobile, QueryKind.MOBILE)):
        try:
            alias = target_of(read(cell), kind)
        except RowWrong:
            continue
        return alias if alias != mobile else ""
    return ""


def read_mobile(cell: str) -> str:
    """Return the eleven digits of a mainland mobile; RowWrong says what is wrong, never guesses digits."""
    text = _typed(cell, Column.MOBILE)
    if _VALID_MOBILE.fullmatch(text):
        return text
    if _EXPONENT.fullmatch(text):
        raise RowWrong(Column.MOBILE, f"Excel turned the number into {text}; format the column as text")
    number = _FLOAT.sub(r"\1", text) if _FLOAT.fullmatch(text) else text
    try:
        parsed = phonenumbers.parse(number, "CN")
    except phonenumbers.NumberParseException:
        raise RowWrong(Column.MOBILE, "not a mobile number") from None
    if parsed.country_code != _CHINA:
        raise RowWrong(Column.MOBILE, "not a mobile number of mainland China")
    mobile = str(parsed.national_number)
    if parsed.extension or not phonenumbers.is_valid_number(parsed) or not _PLAIN_MOBILE.fullmatch(mobile):
        raise RowWrong(Column.MOBILE, "not a mobile number")
    return mobile


def read_wechat_id(cell: str) -> str:
    """Return a WeChat id as typed; RowWrong if WeChat has no such form."""
    text = _typed(cell, Column.WECHAT_ID)
    if not _WECHAT_ID.fullmatch(text):
        raise RowWrong(Column.WECHAT_ID, "not a WeChat id: 6 to 20 letters, digits, - or _, a letter first")
    return text


def read_phone_no(cell: str) -> PhoneId:
    """Return a phone's painted number with three digits at least: 7, 7.0 and 007 are 007."""
    text = _typed(cell, Column.PHONE_NO)
    number = _FLOAT.sub(r"\1", text) if _FLOAT.fullmatch(text) else text
    if not re.fullmatch(r"[0-9]{1,6}", number):
        raise RowWrong(Column.PHONE_NO, "not the number of a phone")
    return PhoneId(f"{int(number):03d}")


def read_date(cell: str) -> str:
    """Return the day as 2026-11-11; accepts 2026/11/11 10:22, 2026年11月11日 and 20261111."""
    text = unicodedata.normalize("NFKC", cell).strip()
    if not text:
        raise RowWrong(Column.BASIS_AT, "no date of the basis")
    found = _DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text)
    try:
        if found:
            return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    except ValueError:
        pass
    raise RowWrong(Column.BASIS_AT, "not a date; write 2026-11-11")


def read_tags(cell: str) -> tuple[str, ...]:
    """Return the tags of a cell, parted by commas, semicolons, strokes or 、, each once; RowWrong."""
    tags = [_text(tag, Column.TAGS, _MAX_TAG_CHARS) for tag in _TAG_GAP.split(cell)]
    found = tuple(dict.fromkeys(tag for tag in tags if tag))
    if len(found) > _MAX_TAGS:
        raise RowWrong(Column.TAGS, f"more than {_MAX_TAGS} tags")
    return found


def _typed(cell: str, column: Column) -> str:
    """Return what a person meant to type: half-width, without the marks that copying brings along."""
    if cell.isascii() and cell.isprintable():
        return cell.strip().removeprefix("'")
    text = "".join(char for char in unicodedata.normalize("NFKC", cell) if unicodedata.category(char) != "Cf")
    text = text.strip().removeprefix("'")
    if any(unicodedata.category(char) == "Cc" for char in text):
        raise RowWrong(column, "holds control characters")
    return text


def _text(cell: str, column: Column, most: int) -> str:
    """Return free text in one line without control and invisible characters."""
    if cell.isprintable():
        text = " ".join(cell.split())
    else:
        kept = (" " if unicodedata.category(char) == "Cc" else char for char in cell)
        text = " ".join("".join(char for char in kept if unicodedata.category(char) != "Cf").split())
    if len(text) > most:
        raise RowWrong(column, f"longer than {most} characters")
    return text


def _refuse_duplicate(customer: Customer, first_rows: dict[str, int]) -> None:
    keys = keys_of(customer)
    for key in keys:
        if (first := first_rows.get(key)) is not None:
            column = Column(customer.query_kind) if key == keys[0] else Column.WECHAT_ID
            raise RowWrong(column, f"same as row {first}")
    first_rows.update(dict.fromkeys(keys, customer.row_no))


def _problem(sheet: Sheet, row: Row, wrong: RowWrong) -> RowProblem:
    return RowProblem(
        row_no=row.no,
        column=sheet.title(wrong.column),
        value=sheet.cell(row, wrong.column)[:40],
        problem=wrong.problem,
    )
