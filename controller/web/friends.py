"""Friend adds: a list comes as the bytes of a CSV file, so that every program gets the same checks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from controller.columns import Column
from controller.contacts import Checked, RowWrong, check, read_tags, with_refused
from controller.core import Core
from controller.errors import BadRequest, BadRows
from controller.model import Customer, PhoneId, Plan, RowProblem
from controller.sheets import Sheet, read_sheet
from controller.web.accounts import zone_of
from controller.web.desk import Actor, At, Desk
from controller.web.jobs import SubmittedView, viewed
from controller.web.lists import CheckView, PlanView, check_view, plan_view, problem_view
from controller.web.marked import marked_copy

router = APIRouter(prefix="/friends", tags=["friends"])

# What the client's own field takes; a longer text would be cut there without a word.
MAX_GREETING_CHARS = 50
_AT_ONCE = 1_000
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Mapped = Annotated[list[str] | None, Query(alias="map", description="mobile=收货电话")]
Tagged = Annotated[list[str] | None, Query(alias="tag", description="a tag that every row gets")]


@router.post("/check", summary="Check a list")
async def check_list(at: At, request: Request, mapping: Mapped = None) -> CheckView:
    """Say what is wrong with a list, row by row; nothing is stored."""
    sheet, found = await _read(at, request, mapping)
    return check_view(sheet, len(found.customers), found.problems)


@router.post("/marked", summary="Return a list with a 问题 column")
async def mark_list(at: At, request: Request, mapping: Mapped = None) -> Response:
    """Return the list, CSV or workbook as it came, with what is wrong in a last column; safe to open."""
    sheet, found = await _read(at, request, mapping)
    kind = WORKBOOK if sheet.is_workbook else "text/csv; charset=utf-8"
    return Response(marked_copy(sheet, found.problems), media_type=kind)


@router.post("/plan", summary="Say what a job of this list would do")
async def plan_list(
    at: At, request: Request, phones: str, greeting: str = "", mapping: Mapped = None, tags: Tagged = None
) -> PlanView:
    """Spread a list over phones without storing or sending anything; says when each row would go."""
    _check_greeting(greeting)
    sheet, found = await _parse(request, mapping)
    customers = tagged(found.customers, tags or [])

    def plan(core: Core) -> PlanView:
        pool = [phone.phone_id for phone in core.fleet.select(phones)]
        made = core.jobs.plan_friend_adds(customers, pool=pool)
        return plan_view(made, zones(core, made), found.problems, sheet)

    return await at.ask(plan)


@router.post("/jobs", summary="Add the people of a list", status_code=201)
async def submit_list(
    at: At,
    actor: Actor,
    request: Request,
    phones: str,
    greeting: str = "",
    source: str = "",
    skip_bad: bool = False,
    mapping: Mapped = None,
    tags: Tagged = None,
) -> SubmittedView:
    """Make a job of a list; a bad row refuses it unless `skip_bad`. The same list twice is one job."""
    _check_greeting(greeting)
    sheet, found = await _parse(request, mapping)
    customers = tagged(found.customers, tags or [])

    def submit(core: Core) -> SubmittedView:
        pool = [phone.phone_id for phone in core.fleet.select(phones)]
        _refuse_bad_rows(found, skip_bad=skip_bad)
        made = core.jobs.submit_friend_adds(
            customers, pool=pool, greeting=greeting, source_name=source, actor=actor
        )
        return SubmittedView(
            job=viewed(core, made.job),
            is_new=made.is_new,
            skipped=[problem_view(problem, sheet) for problem in _once((*found.problems, *made.skipped))],
        )

    return await at.ask(submit)


async def _read(at: Desk, request: Request, mapping: list[str] | None) -> tuple[Sheet, Checked]:
    """Parse a list and take out whom the farm must not add."""
    sheet, found = await _parse(request, mapping)
    already: dict[int, str] = {}
    # In parts: a long list asked at once would keep every phone waiting for the core.
    for first in range(0, len(found.customers), _AT_ONCE):
        already |= await at.ask(_already, found.customers[first : first + _AT_ONCE])
    return sheet, with_refused(sheet, found, already.items())


def _already(core: Core, customers: Sequence[Customer]) -> dict[int, str]:
    return core.jobs.already(customers)


async def _parse(request: Request, mapping: list[str] | None) -> tuple[Sheet, Checked]:
    """Parse a list away from the loop and from the core: a long one takes seconds."""
    raw = await request.body()
    columns = _columns(mapping or [])

    def parse() -> tuple[Sheet, Checked]:
        sheet = read_sheet(raw, columns)
        return sheet, check(sheet)

    return await asyncio.to_thread(parse)


def zones(core: Core, plan: Plan) -> dict[PhoneId, str]:
    """Return by which clock the account of each phone of a plan lives."""
    return {line.phone_id: zone_of(core, line.account_id) for line in plan.lines}


def tagged(customers: Sequence[Customer], tags: Sequence[str]) -> Sequence[Customer]:
    """Return customers who all have these tags beside their own; BadRequest."""
    try:
        added = tuple(tag for cell in tags for tag in read_tags(cell))
        if not added:
            return customers
        merged = {own: read_tags(",".join((*own, *added))) for own in {c.tags for c in customers}}
    except RowWrong as wrong:
        raise BadRequest(f"tags: {wrong}") from None
    return [replace(customer, tags=merged[customer.tags]) for customer in customers]


def _columns(mapping: list[str]) -> Mapping[Column, str]:
    found: dict[Column, str] = {}
    for pair in mapping:
        name, sign, heading = pair.partition("=")
        if not sign or name not in set(Column):
            raise BadRequest(f"map {pair[:60]!r} is not understood: say {' or '.join(Column)} = a heading")
        found[Column(name)] = heading
    return found


def _check_greeting(greeting: str) -> None:
    if len(greeting) > MAX_GREETING_CHARS:
        raise BadRequest(f"the greeting has {len(greeting)} characters; WeChat takes {MAX_GREETING_CHARS}")


def _refuse_bad_rows(found: Checked, *, skip_bad: bool) -> None:
    if found.problems and not skip_bad:
        some = ", ".join(str(problem.row_no) for problem in found.problems[:10])
        more = ", …" if len(found.problems) > 10 else ""
        bad = f"{len(found.problems)} of {found.rows} rows cannot be added (rows {some}{more})"
        raise BadRows(f"{bad}; nothing was sent")


def _once(problems: tuple[RowProblem, ...]) -> list[RowProblem]:
    """Return problems in the order of the list, the first of each row."""
    first: dict[int, RowProblem] = {}
    for problem in problems:
        first.setdefault(problem.row_no, problem)
    return [first[row_no] for row_no in sorted(first)]
