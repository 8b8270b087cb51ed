"""Alerts: who is told of violations outside, and what became of each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from controller.alerts import Alert, AlertCounts, AlertState, Target
from controller.core import Core
from controller.errors import BadRequest
from controller.web.desk import Actor, At
from controller.web.values import Number, Text

router = APIRouter(prefix="/alerts", tags=["alerts"])

_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """One violation that one target is told of; `error` is why the last try failed.

    `state`: waiting, sending, sent; beyond (the number of an hour), summing, summed (told in one line);
    failed: a day went by. `next_at_ms`: the next try while it waits.
    """

    alert_id: int
    violation_id: int
    target: str
    severity: str
    state: str
    tries: int
    next_at_ms: int | None
    at_ms: int
    ended_at_ms: int | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """Who is told, of what, and how its alerts stand; never its address.

    `failing` of those that wait failed before; `failed` in the last day. `severities` empty: it is not in the
    configuration any more.
    """

    target: str
    severities: list[str]
    notified: bool
    per_hour: int | None
    language: str
    masked: bool
    waiting: int
    failing: int
    beyond: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TestAsked:
    """Which target is told that this is a test."""

    __test__ = False  # no test of pytest

    target: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class TestView:
    """What came of a test; `error` empty: the target took it."""

    __test__ = False  # no test of pytest

    target: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAsked:
    """Which alerts that failed have their turn now; without ids all, of one target if it is named."""

    alert_ids: list[Number] | None = None
    target: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryView:
    """How many alerts have their turn now."""

    retried: int


@router.get("", summary="List alerts")
async def list_alerts(
    at: At,
    state: AlertState | None = None,
    target: Text = "",
    before_id: Number | None = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> list[AlertView]:
    """Return alerts, newest first; they quote nothing."""

    def found(core: Core) -> list[AlertView]:
        alerts = core.alerts.list(state=state, target=target, before_id=before_id, limit=limit)
        return [alert_view(alert) for alert in alerts]

    return await at.ask(found)


@router.get("/targets", summary="List who is told")
async def list_targets(at: At) -> list[TargetView]:
    """Return the targets of the configuration, and those that alerts still name."""

    def targets(core: Core) -> list[TargetView]:
        known = {target.name: target for target in core.alerts.targets}
        return [target_view(name, known.get(name), counts) for name, counts in core.alerts.counts().items()]

    return await at.ask(targets)


@router.post("/test", summary="Tell a target that this is a test")
async def try_target(at: At, actor: Actor, asked: TestAsked) -> TestView:
    """Send a test message at once; it says nothing of anybody. Recorded."""

    def begin(core: Core) -> Target:
        target = core.alerts.target(asked.target)
        core.audit.record(actor=actor, what="alerts.test", object=target.name)
        return target

    target = await at.ask(begin)
    if at.alerting is None:
        raise BadRequest("this controller sends no alerts")
    return TestView(target=target.name, error=await asyncio.to_thread(at.alerting.try_out, target))


@router.post("/retry", summary="Try alerts again that failed")
async def retry_alerts(at: At, actor: Actor, asked: RetryAsked) -> RetryView:
    """Let alerts that failed have their turn now. Recorded."""

    def again(core: Core) -> RetryView:
        return RetryView(retried=core.alerts.retry(asked.alert_ids, target=asked.target, actor=actor))

    return await at.ask(again)


def alert_view(alert: Alert) -> AlertView:
    """Show an alert."""
    waits = alert.state in {AlertState.WAITING, AlertState.BEYOND}
    return AlertView(
        alert_id=alert.id,
        violation_id=alert.violation_id,
        target=alert.target,
        severity=alert.severity,
        state=alert.state,
        tries=alert.tries,
        next_at_ms=alert.next_at_ms if waits else None,
        at_ms=alert.at_ms,
        ended_at_ms=alert.ended_at_ms,
        error=alert.error,
    )


def target_view(name: str, target: Target | None, counts: AlertCounts) -> TargetView:
    """Show a target, or the name of one that is configured no more."""
    return TargetView(
        target=name,
        severities=list(target.severities) if target else [],
        notified=target.notified if target else False,
        per_hour=target.per_hour if target else None,
        language=target.language if target else "",
        masked=target.masked if target else True,
        waiting=counts.waiting,
        failing=counts.failing,
        beyond=counts.beyond,
        failed=counts.failed,
    )
