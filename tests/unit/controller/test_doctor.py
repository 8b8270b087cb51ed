"""What the doctor makes of the controller's answer, as values."""

from __future__ import annotations

from typing import Any

import pytest

from controller.cli.status import lines
from controller.doctor import Finding, Level, controller

STATUS: dict[str, Any] = {
    "version": "1",
    "farm_id": "f",
    "store": "sqlite",
    "at_ms": 1_000,
    "phones": {},
    "waiting": 0,
    "jobs_running": 0,
    "tasks": {},
    "violations_new": 0,
    "messages": 0,
    "gaps": 0,
    "refused_no_notice": 0,
    "clock_cause": "",
    "restored_until_ms": None,
    "alert_targets": 0,
    "alerts_waiting": 0,
    "alerts_failing": 0,
    "alerts_failed": 0,
}


def clock_finding(**changed: Any) -> Finding:
    found = controller(lambda: {**STATUS, **changed}, lambda: 1_000)
    return next(finding for finding in found if finding.about == "clock")


def test_a_clock_that_agrees_is_well() -> None:
    assert clock_finding().level is Level.OK
    assert clock_finding(at_ms=10_000).level is Level.WARN


@pytest.mark.parametrize("cause", ["clock_jumped", "clock_behind"])
def test_a_clock_that_cannot_be_trusted_is_named_with_a_remedy(cause: str) -> None:
    finding = clock_finding(clock_cause=cause)
    assert (finding.level, finding.what) == (Level.FAIL, cause)
    assert finding.remedy
    held = [line for line in lines({**STATUS, "clock_cause": cause}) if line.startswith("HELD")]
    assert len(held) == 1
    assert "the clock" in held[0]
