"""The farm at a glance."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from controller.model import Status, TaskState
from controller.web.desk import At
from protos.facts import PhoneState

router = APIRouter(tags=["status"])


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """The farm at a glance; every phone state and task state is present, zero included."""

    version: str
    farm_id: str
    at_ms: int
    store: str
    phones: dict[str, int]
    waiting: int
    jobs_running: int
    tasks: dict[str, int]
    violations_new: int
    messages: int
    gaps: int
    refused_no_notice: int
    clock_cause: str
    restored_until_ms: int | None
    alert_targets: int
    alerts_waiting: int
    alerts_failing: int
    alerts_failed: int


def status_view(status: Status, *, version: str, farm_id: str) -> StatusView:
    """Show the farm."""
    return StatusView(
        version=version,
        farm_id=farm_id,
        at_ms=status.at_ms,
        store=status.store,
        phones={state.value: status.phones.get(state, 0) for state in PhoneState},
        waiting=status.sightings,
        jobs_running=status.jobs_running,
        tasks={state.value: status.tasks.get(state, 0) for state in TaskState},
        violations_new=status.violations_new,
        messages=status.messages,
        gaps=status.gaps,
        refused_no_notice=status.refused_no_notice,
        clock_cause=status.clock_cause,
        restored_until_ms=status.restored_until_ms,
        alert_targets=status.alert_targets,
        alerts_waiting=status.alerts_waiting,
        alerts_failing=status.alerts_failing,
        alerts_failed=status.alerts_failed,
    )


@router.get("/status", summary="Show the farm at a glance")
async def show_status(at: At) -> StatusView:
    """Return counts of phones, tasks, violations and messages."""
    return status_view(await at.ask(lambda core: core.status()), version=at.version, farm_id=at.farm_id)
