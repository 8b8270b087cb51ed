"""A dry run of a list against the quotas: pure functions over values."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from controller.clock import DAY_MS
from controller.model import AccountId, Customer, Held, PhoneId, Plan, PlanLine, QuotaRule, RowProblem
from controller.quotas import used, verdict

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
    rows: int = 0
    ends_at_ms: int | None = None
    pinned: int = 0
    now: int = field(init=False, default=0)


def next_free_ms(rule: QuotaRule | None, uses: Sequence[int], now_ms: int) -> int | None:
    """Return the earliest moment from `now_ms` on at which a permit may be taken; None if never in a year."""
    at_ms = now_ms
    while (held := verdict(rule, uses, at_ms)) is not None:
        if held.retry_at_ms is None or held.retry_at_ms > now_ms + _HORIZON_MS:
            return None
        at_ms = held.retry_at_ms
    return at_ms


def free_now(rule: QuotaRule | None, uses: Sequence[int], now_ms: int) -> int:
    """Return how many permits the windows leave at this moment."""
    if rule is None:
        return 0
    return max(
        0,
        min(
            rule.per_day - used(uses, DAY_MS, now_ms),
            rule.per_hour - used(uses, DAY_MS // 24, now_ms),
        ),
    )


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
        lane.now = free_now(lane.rule, lane.uses, now_ms) if lane.held is None else 0
    pinned = [c for c in customers if c.pinned_phone_id is not None]
    unplaced = 0
    for customer in pinned:
        own = lanes[customer.pinned_phone_id] if customer.pinned_phone_id else None
        unplaced += 0 if own is not None and _place(own, now_ms) else 1
    queue: list[tuple[int, PhoneId]] = []
    for phone_id in dict.fromkeys(pool):
        _push(queue, lanes[phone_id], now_ms)
    for _ in range(len(customers) - len(pinned)):
        if not queue:
            unplaced += 1
            continue
        _, phone_id = heapq.heappop(queue)
        _place(lanes[phone_id], now_ms)
        _push(queue, lanes[phone_id], now_ms)
    ends = [lane.ends_at_ms for lane in lanes.values() if lane.ends_at_ms is not None]
    return Plan(
        lines=tuple(_line(lane) for lane in lanes.values()),
        rows=len(customers),
        unplaced=unplaced,
        ends_at_ms=max(ends, default=None),
        skipped=tuple(skipped),
    )


def _push(queue: list[tuple[int, PhoneId]], lane: Lane, now_ms: int) -> None:
    at_ms = _free_at(lane, now_ms)
    if at_ms is not None:
        heapq.heappush(queue, (at_ms, lane.phone_id))


def _free_at(lane: Lane, now_ms: int) -> int | None:
    if lane.held is not None and not _passes(lane.held):
        return None
    return next_free_ms(lane.rule, lane.uses, now_ms)


def _passes(held: Held) -> bool:
    """Tell whether a hold ends without a person: a phone in a passing state is planned with."""
    return held.cause.startswith("phone_")


def _place(lane: Lane, now_ms: int) -> bool:
    at_ms = _free_at(lane, now_ms)
    if at_ms is None:
        return False
    lane.uses.append(at_ms)
    lane.uses.sort()
    lane.rows += 1
    lane.ends_at_ms = at_ms if lane.ends_at_ms is None else max(lane.ends_at_ms, at_ms)
    return True


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
