"""Why rows of a job do not go again, in words for a person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.clock import DAY_MS
from controller.model import Action, JobId, QueryKind, Task, TaskId, TaskState
from controller.web.retries import left_after, why_not
from tests.support.clock import START_MS

ROW = Task(
    id=TaskId("j.0001"),
    job_id=JobId("j"),
    row_no=2,
    action=Action.FRIEND_ADD,
    query="x",
    query_kind=QueryKind.WECHAT_ID,
    remark="",
    basis="order",
    basis_at="2026-11-01",
    state=TaskState.NOT_DONE,
    ended_at_ms=START_MS - DAY_MS,
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": TaskState.DONE, "outcome": "requested"}, "done"),
        ({"state": TaskState.UNKNOWN}, "never repeats it"),
        ({"state": TaskState.CANCELLED, "cause": "job_cancelled"}, "job_cancelled"),
        ({"state": TaskState.EXPIRED}, "submit the list again"),
        ({"outcome": "not_found"}, "a week after"),
        ({"outcome": "screen_unreadable"}, "must not be contacted"),
        ({"outcome": "blocked_by_peer"}, "this is an answer"),
        ({"query": "", "outcome": "not_found"}, "forgotten"),
    ],
)
def test_each_end_has_its_reason(changes: dict[str, object], words: str) -> None:
    assert words in why_not(replace(ROW, **changes), START_MS)  # type: ignore[arg-type]  # fields by name


def test_rows_that_go_again_or_never_ended_are_not_counted() -> None:
    goes = replace(ROW, outcome="screen_unreadable")
    waits = replace(ROW, id=TaskId("j.0002"), state=TaskState.QUEUED)
    done = [replace(ROW, id=TaskId(f"j.000{n}"), state=TaskState.DONE) for n in (3, 4)]
    left = left_after([goes, waits, *done], [replace(goes, state=TaskState.QUEUED), waits, *done], START_MS)
    assert [(one.rows, one.why) for one in left] == [(2, "done")]
