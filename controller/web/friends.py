"""Friend adds: a list comes as the bytes of a CSV file, so that every program gets the same checks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from controller.columns import Column
from controller.contacts import Checked, check, with_refused
from controller.core import Core
from controller.errors import BadRequest, BadRows
from controller.model import RowProblem
from controller.sheets import Sheet, read_sheet
from controller.web.desk import Actor, At, Desk
from controller.web.jobs import SubmittedView, viewed
from controller.web.lists import CheckView, PlanView, check_view, plan_view, problem_view
from controller.web.marked import marked_copy

router = APIRouter(prefix="/friends", tags=["friends"])

# What the client's own field takes; a longer text would be cut there without a word.
MAX_GREETING_CHARS = 50

Mapped = Annotated[list[str] | None, Query(alias="map", description="mobile=收货电话")]


@router.post("/check", summary="Check a list")
async def check_list(at: At, request: Request, mapping: Mapped = None) -> CheckView:
    """Say what is wrong with a list, row by row; nothing is stored."""
    sheet, found = await _read(at, request, mapping)
    return check_view(sheet, len(found.customers), found.problems)


@router.post("/marked", summary="Return a list with a 问题 column")
async def mark_list(at: At, request: Request, mapping: Mapped = None) -> Response:
    """Return the list as CSV with what is wrong in a last column, safe to open in a spreadsheet."""
    sheet, found = await _read(at, request, mapping)
    return Response(marked_copy(sheet, found.problems), media_type="text/csv; charset=utf-8")


@router.post("/plan", summary="Say what a job of this list would do")
async def plan_list(
    at: At, request: Request, phones: str, greeting: str = "", mapping: Mapped = None
) -> PlanView:
    """Spread a list over phones without storing or sending anything."""
    _check_greeting(greeting)
    sheet, found = await _parse(request, mapping)

    def plan(core: Core) -> PlanView:
        pool = [phone.phone_id for phone in core.fleet.select(phones)]
        made = core.jobs.plan_friend_adds(found.customers, pool=pool)
        return plan_view(made, found.problems, sheet)

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
) -> SubmittedView:
    """Make a job of a list; a bad row refuses it unless `skip_bad`. The same list twice is one job."""
    _check_greeting(greeting)
    sheet, found = await _parse(request, mapping)

    def submit(core: Core) -> SubmittedView:
        pool = [phone.phone_id for phone in core.fleet.select(phones)]
        _refuse_bad_rows(found, skip_bad=skip_bad)
        made = core.jobs.submit_friend_adds(
            found.customers, pool=pool, greeting=greeting, source_name=source, actor=actor
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
    already = await at.ask(lambda core: core.jobs.already(found.customers))
    return sheet, with_refused(sheet, found, already.items())


async def _parse(request: Request, mapping: list[str] | None) -> tuple[Sheet, Checked]:
    """Parse a list away from the loop and from the core: a long one takes seconds."""
    raw = await request.body()
    columns = _columns(mapping or [])

    def parse() -> tuple[Sheet, Checked]:
        sheet = read_sheet(raw, columns)
        return sheet, check(sheet)

    return await asyncio.to_thread(parse)


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
