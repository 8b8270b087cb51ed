"""Customer lists as JSON: what was read, what is wrong with it, and what a job of it would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from controller.columns import Column
from controller.hours import zone
from controller.model import PhoneId, Plan, RowProblem
from controller.safe import masked, masked_id, masked_number
from controller.sheets import Sheet

# What the core calls whom a row looks for; the list has a heading for it.
_QUERY = "query"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemView:
    """Why one row cannot be used."""

    row_no: int
    column: str
    value: str
    problem: str


def problem_view(problem: RowProblem, sheet: Sheet | None = None) -> ProblemView:
    """Show a problem; a value that is a mobile or a WeChat id is masked. Without a list it is a name."""
    value, column = problem.value, problem.column
    if sheet is None:
        return ProblemView(row_no=problem.row_no, column="name", value=masked(value), problem=problem.problem)
    if column == _QUERY:
        column = sheet.title(Column.MOBILE if value.isdecimal() else Column.WECHAT_ID)
    hide = {sheet.title(Column.MOBILE): masked_number, sheet.title(Column.WECHAT_ID): masked_id}.get(
        column, masked
    )
    return ProblemView(row_no=problem.row_no, column=column, value=hide(value), problem=problem.problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """A list as read: `columns` says which heading was taken for what."""

    rows: int
    usable: int
    encoding: str
    columns: dict[str, str]
    problems: list[ProblemView]


def check_view(sheet: Sheet, usable: int, problems: Sequence[RowProblem]) -> CheckView:
    """Show a checked list."""
    return CheckView(
        rows=usable + len(problems),
        usable=usable,
        encoding=sheet.encoding,
        columns={column.value: sheet.heading[at] for column, at in sheet.columns.items()},
        problems=[problem_view(problem, sheet) for problem in problems],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLineView:
    """One phone of a plan; `held` says why it would get nothing now."""

    phone_id: str
    account_id: str | None
    rows: int
    now: int
    per_day: int
    time_zone: str
    ends_at_ms: int | None
    ends_at: str | None
    held: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRowView:
    """When and by which phone one row would be done; `at` is ISO 8601 by the clock of the account."""

    row_no: int
    phone_id: str
    account_id: str | None
    at_ms: int
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A dry run: `problems` are rows that cannot be read, `skipped` people the farm adds or added already.

    `calendar` is in the order of time.
    """

    rows: int
    unplaced: int
    ends_at_ms: int | None
    lines: list[PlanLineView]
    calendar: list[PlanRowView]
    problems: list[ProblemView]
    skipped: list[ProblemView]


def local(at_ms: int, zone_name: str) -> str:
    """Return a moment as ISO 8601 by the clock of a zone."""
    return datetime.fromtimestamp(at_ms / 1000, tz=zone(zone_name)).isoformat(timespec="seconds")


def plan_view(
    plan: Plan, zones: Mapping[PhoneId, str], problems: Sequence[RowProblem] = (), sheet: Sheet | None = None
) -> PlanView:
    """Show a plan and the rows left out of it; `zones` says by which clock each phone's account lives."""
    return PlanView(
        rows=plan.rows,
        unplaced=plan.unplaced,
        ends_at_ms=plan.ends_at_ms,
        lines=[
            PlanLineView(
                phone_id=line.phone_id,
                account_id=line.account_id,
                rows=line.rows,
                now=line.now,
                per_day=line.per_day,
                time_zone=zones[line.phone_id],
                ends_at_ms=line.ends_at_ms,
                ends_at=None if line.ends_at_ms is None else local(line.ends_at_ms, zones[line.phone_id]),
                held=line.held,
            )
            for line in plan.lines
        ],
        calendar=[
            PlanRowView(
                row_no=row.row_no,
                phone_id=row.phone_id,
                account_id=row.account_id,
                at_ms=row.at_ms,
                at=local(row.at_ms, zones[row.phone_id]),
            )
            for row in plan.calendar
        ],
        problems=[problem_view(problem, sheet) for problem in problems],
        skipped=[problem_view(problem, sheet) for problem in plan.skipped],
    )
