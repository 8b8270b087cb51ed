"""A dry run of a list against the quotas: pure functions over values."""

from __future__ import annotations

import heapq
from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from controller.clock import DAY_MS, HOUR_MS
from controller.hours import closed_by
from controller.model import (
    AccountId,
    Customer,
    Held,
    PhoneId,
    Plan,
    PlanLine,
    PlanRow,
    QuotaRule,
    RowProblem,
)
from controller.quotas import SETTLED, Terms, per_day_at, used, verdict

# Longer than this nobody plans; it also bounds the search when a limit is tiny.
_HORIZON_MS = 366 * DAY_MS


@dataclass(slots=True, kw_only=True)
class Lane:
    """One phone while planning: the uses of its account grow as rows are placed."""

    phone_id: PhoneId
    account_id: AccountId | None
    rule: QuotaRule | None
    uses: list[int]
    held: Held | None
    terms: Terms = SETTLED
    rows: int = 0
    ends_at_ms: int | None = None
    pinned: int = 0
    now: int = field(init=False, default=0)


def next_free_ms(
    rule: QuotaRule | None, uses: Sequence[int], now_ms: int, *, terms: Terms = SETTLED
) -> int | None:
    """Return the earliest moment from `now_ms` on at which a permit may be taken; None if never in a year."""
    at_ms = now_ms
    while (held := verdict(rule, uses, at_ms, terms=terms)) is not None:
        if held.retry_at_ms is None or held.retry_at_ms > now_ms + _HORIZON_MS:
            return None
        at_ms = held.retry_at_ms
    return at_ms


def free_now(rule: QuotaRule | None, uses: Sequence[int], now_ms: int, *, terms: Terms = SETTLED) -> int:
    """Return how many permits the windows leave at this moment; none outside the allowed hours."""
    if rule is None or _is_closed(rule, terms, now_ms):
        return 0
    return max(
        0,
        min(
            per_day_at(rule, terms, now_ms)[0] - used(uses, DAY_MS, now_ms),
            rule.per_hour - used(uses, HOUR_MS, now_ms),
        ),
    )


def _is_closed(rule: QuotaRule, terms: Terms, now_ms: int) -> bool:
    return closed_by(rule.hours, rule.weekdays, terms.time_zone, now_ms) != ""


def plan(
    customers: Sequence[Customer],
    lanes: Mapping[PhoneId, Lane],
    *,
    pool: Sequence[PhoneId],
    now_ms: int,
    skipped: Sequence[RowProblem] = (),
) -> Plan:
    """Place each row on the phone that is free first, pinned rows on theirs; fills the lanes."""
    for lane in lanes.values():
        lane.now = free_now(lane.rule, lane.uses, now_ms, terms=lane.terms) if lane.held is None else 0
    placed: list[PlanRow] = []
    for customer in customers:
        if customer.pinned_phone_id is not None:
            placed.extend(_place(lanes[customer.pinned_phone_id], customer, now_ms))
    queue: list[tuple[int, PhoneId]] = []
    for phone_id in dict.fromkeys(pool):
        _push(queue, lanes[phone_id], now_ms)
    for customer in customers:
        if customer.pinned_phone_id is not None or not queue:
            continue
        _, phone_id = heapq.heappop(queue)
        placed.extend(_place(lanes[phone_id], customer, now_ms))
        _push(queue, lanes[phone_id], now_ms)
    ends = [lane.ends_at_ms for lane in lanes.values() if lane.ends_at_ms is not None]
    return Plan(
        lines=tuple(_line(lane) for lane in lanes.values()),
        rows=len(customers),
        unplaced=len(customers) - len(placed),
        ends_at_ms=max(ends, default=None),
        skipped=tuple(skipped),
        calendar=tuple(sorted(placed, key=lambda row: (row.at_ms, row.row_no))),
    )


def _push(queue: list[tuple[int, PhoneId]], lane: Lane, now_ms: int) -> None:
    at_ms = _free_at(lane, now_ms)
    if at_ms is not None:
        heapq.heappush(queue, (at_ms, lane.phone_id))


def _free_at(lane: Lane, now_ms: int) -> int | None:
    if lane.held is not None and not _passes(lane.held):
        return None
    from_ms = now_ms if lane.held is None else max(now_ms, lane.held.retry_at_ms or now_ms)
    return next_free_ms(lane.rule, lane.uses, from_ms, terms=lane.terms)


def _passes(held: Held) -> bool:
    """Tell whether a hold ends without a person: a phone in a passing state is planned with."""
    return held.retry_at_ms is not None or held.cause.startswith("phone_")


def _place(lane: Lane, customer: Customer, now_ms: int) -> list[PlanRow]:
    """Place a row on a phone; none if the phone can never take it."""
    at_ms = _free_at(lane, now_ms)
    if at_ms is None:
        return []
    insort(lane.uses, at_ms)
    lane.rows += 1
    lane.ends_at_ms = at_ms if lane.ends_at_ms is None else max(lane.ends_at_ms, at_ms)
    return [PlanRow(row_no=customer.row_no, phone_id=lane.phone_id, account_id=lane.account_id, at_ms=at_ms)]


def _line(lane: Lane) -> PlanLine:
    return PlanLine(
        phone_id=lane.phone_id,
        account_id=lane.account_id,
        rows=lane.rows,
        now=min(lane.now, lane.rows),
        per_day=lane.rule.per_day if lane.rule else 0,
        ends_at_ms=lane.ends_at_ms,
        held=lane.held.cause if lane.held else "",
    )
