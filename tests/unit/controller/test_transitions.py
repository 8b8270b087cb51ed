"""What reports make of tasks, as values: nothing that may have been sent is ever queued again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.clock import DAY_MS
from controller.model import (
    AccountId,
    Action,
    JobId,
    PermitId,
    PhoneId,
    QueryKind,
    Task,
    TaskId,
    TaskState,
)
from controller.transitions import (
    PermitEffect,
    Retry,
    Step,
    is_worth_repeating,
    on_armed,
    on_ended,
    on_returned,
    repeated,
)
from protos.facts import TaskArmed, TaskEnded, TaskReturned

NOW = 1_000_000
RETRY = Retry(not_before_ms=NOW + 10, max_attempts=3, max_returns=5, not_sent_before_ms=NOW + 60)
LEASED = Task(
    id=TaskId("j.1"),
    job_id=JobId("j"),
    row_no=2,
    action=Action.FRIEND_ADD,
    query="q",
    query_kind=QueryKind.WECHAT_ID,
    remark="",
    basis="order",
    basis_at="2026-01-01",
    state=TaskState.LEASED,
    attempt=2,
    phone_id=PhoneId("001"),
    account_id=AccountId("wx"),
    permit_id=PermitId("p"),
    phone_epoch=4,
    lease_until_ms=NOW,
    spool_id="s",
)
ARMED = replace(LEASED, state=TaskState.ARMED)
UNKNOWN = replace(LEASED, state=TaskState.UNKNOWN)
QUEUED = replace(LEASED, state=TaskState.QUEUED, phone_id=None, account_id=None, permit_id=None)


def end(result: str, outcome: str = "requested", *, attempt: int = 2, was_armed: bool = True) -> TaskEnded:
    return TaskEnded(
        task_id="j.1",
        attempt=attempt,
        result=result,
        outcome=outcome,
        evidence="等待验证",
        was_armed=was_armed,
        peer_name="n",
    )


def ended(task: Task, fact: TaskEnded) -> tuple[TaskState, PermitEffect] | None:
    step = on_ended(task, fact, NOW, RETRY)
    return None if step is None else (step.task.state, step.permit)


@pytest.mark.parametrize(
    ("task", "fact", "becomes"),
    [
        (LEASED, end("done"), TaskState.DONE),
        (ARMED, end("done"), TaskState.DONE),
        (LEASED, end("not_done", "not_found", was_armed=False), TaskState.NOT_DONE),
        (ARMED, end("unknown", "answer_lost"), TaskState.UNKNOWN),
        (ARMED, end("an unheard-of result"), TaskState.UNKNOWN),
        (ARMED, end("not_done", "not_sent"), TaskState.QUEUED),
        (LEASED, end("not_done", "warned", was_armed=False), TaskState.QUEUED),
        # The archive knows better than a report that forgets its arming.
        (ARMED, end("unknown", "warned", was_armed=False), TaskState.UNKNOWN),
        (UNKNOWN, end("done"), TaskState.DONE),
        (UNKNOWN, end("not_done", "not_sent"), TaskState.NOT_DONE),
    ],
)
def test_an_end_is_kept_and_its_permit_counts(task: Task, fact: TaskEnded, becomes: TaskState) -> None:
    assert ended(task, fact) == (becomes, PermitEffect.USED)


@pytest.mark.parametrize(
    ("task", "fact"),
    [
        (replace(LEASED, state=TaskState.DONE), end("not_done")),
        (replace(LEASED, state=TaskState.NOT_DONE), end("done")),
        (replace(LEASED, state=TaskState.CANCELLED), end("not_done")),
        (UNKNOWN, end("unknown")),
        (LEASED, end("done", attempt=3)),
        (LEASED, end("done", attempt=1)),
        (QUEUED, end("not_done", attempt=1)),
        (QUEUED, end("done", attempt=1, was_armed=False)),
    ],
)
def test_an_end_that_changes_nothing(task: Task, fact: TaskEnded) -> None:
    assert ended(task, fact) is None


@pytest.mark.parametrize("result", ["done", "unknown"])
def test_a_late_end_of_an_armed_attempt_takes_the_task_out_of_the_queue(result: str) -> None:
    assert ended(QUEUED, end(result, attempt=1)) == (TaskState(result), PermitEffect.USED)


def test_the_third_attempt_that_sent_nothing_is_the_last() -> None:
    tried = replace(ARMED, not_sent=2)
    step = on_ended(tried, end("not_done", "not_sent"), NOW, RETRY)
    assert step is not None
    assert (step.task.state, step.task.outcome, step.task.not_sent) == (TaskState.NOT_DONE, "not_sent", 3)


def test_a_queued_task_is_on_no_phone_and_waits() -> None:
    step = on_returned(LEASED, TaskReturned(task_id="j.1", attempt=2, cause="in_hand"), NOW, RETRY)
    assert step is not None
    assert step.permit is PermitEffect.RETURNED
    again = step.task
    assert (again.phone_id, again.account_id, again.permit_id, again.lease_until_ms) == (None,) * 4
    assert (again.cause, again.not_before_ms, again.attempt) == ("in_hand", NOW + 10, 2)


@pytest.mark.parametrize(("task", "becomes"), [(ARMED, None), (QUEUED, None), (UNKNOWN, TaskState.NOT_DONE)])
def test_giving_back_counts_only_before_arming(task: Task, becomes: TaskState | None) -> None:
    step = on_returned(task, TaskReturned(task_id="j.1", attempt=2, cause="c"), NOW, RETRY)
    assert (step.task.state if step else None) is becomes
    assert on_returned(task, TaskReturned(task_id="j.1", attempt=1, cause="c"), NOW, RETRY) is None


def test_arming_counts_once_and_for_its_attempt() -> None:
    fact = TaskArmed(task_id="j.1", attempt=2)
    assert on_armed(LEASED, fact, NOW) == Step(ARMED, PermitEffect.NONE)
    assert on_armed(ARMED, fact, NOW) is None
    assert on_armed(LEASED, replace(fact, attempt=1), NOW) is None
    back = on_armed(QUEUED, fact, NOW)
    assert back is not None
    assert (back.task.state, back.permit) == (TaskState.UNKNOWN, PermitEffect.USED)


@pytest.mark.parametrize("task", [LEASED, ARMED, UNKNOWN, QUEUED])
@pytest.mark.parametrize("result", ["done", "not_done", "unknown"])
@pytest.mark.parametrize("outcome", ["requested", "answer_lost", "warned"])
def test_no_armed_end_but_a_proven_not_sent_leads_back_to_the_queue(
    task: Task, result: str, outcome: str
) -> None:
    found = ended(task, end(result, outcome))
    assert found is None or found[0] is not TaskState.QUEUED


@pytest.mark.parametrize("state", list(TaskState))
@pytest.mark.parametrize(
    "outcome", ["not_sent", "warned", "already_friend", "requested", "answer_lost", "cannot_be_added", ""]
)
def test_only_what_was_proved_not_done_for_a_passing_reason_is_repeated(
    state: TaskState, outcome: str
) -> None:
    task = replace(QUEUED, state=state, outcome=outcome, ended_at_ms=NOW)
    expected = state is TaskState.NOT_DONE and outcome in ("not_sent", "warned")
    assert is_worth_repeating(task, NOW + 365 * DAY_MS) is expected


def test_nothing_is_repeated_for_a_person_who_was_forgotten() -> None:
    task = replace(QUEUED, state=TaskState.NOT_DONE, outcome="not_sent", query="", ended_at_ms=NOW)
    assert not is_worth_repeating(task, NOW)


def test_a_repeated_row_begins_anew_and_keeps_its_phone_and_its_numbers() -> None:
    over = replace(
        LEASED,
        state=TaskState.NOT_DONE,
        outcome="not_sent",
        not_sent=3,
        returned=2,
        pinned_phone_id=PhoneId("001"),
        pinned_account_id=AccountId("wx"),
        ended_at_ms=NOW,
    )
    again = repeated(over, NOW + 5)
    assert (again.state, again.outcome, again.not_sent, again.returned) == (TaskState.QUEUED, "", 0, 0)
    assert (again.attempt, again.pinned_phone_id, again.pinned_account_id) == (2, "001", "wx")
    assert (again.not_before_ms, again.permit_id, again.ended_at_ms) == (NOW + 5, None, None)


CANCELLED = replace(QUEUED, state=TaskState.CANCELLED)


def test_a_late_word_shows_that_a_cancelled_row_was_not_stopped() -> None:
    step = on_armed(CANCELLED, TaskArmed(task_id="j.1", attempt=2), NOW)
    assert step is not None
    assert (step.task.state, step.permit) == (TaskState.UNKNOWN, PermitEffect.USED)
    assert ended(CANCELLED, end("done")) == (TaskState.DONE, PermitEffect.USED)
    assert ended(CANCELLED, end("not_done", "not_sent")) is None
    assert on_returned(CANCELLED, TaskReturned(task_id="j.1", attempt=2, cause="x"), NOW, RETRY) is None
