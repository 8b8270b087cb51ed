"""What people decide on whole jobs, and what a job decides on itself, over both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from controller import followups, obstacles, stoploss
from controller.clock import DAY_MS, HOUR_MS, FixedClock
from controller.core import Core
from controller.errors import BadRequest, SafetyRefusal, UnknownJob
from controller.model import Held, JobId, JobState, Lease, PhoneId, Task, TaskState
from controller.stoploss import ACCEPTANCE, NOT_FOUND, StopLoss
from protos.facts import FriendAccepted
from tests.support.backends import Backend, race
from tests.support.corefarm import Handset, armed, customers, handset, over, returned, submit


@pytest.fixture
def clock(backend: Backend) -> FixedClock:
    return backend.clock


@pytest.fixture
def phone(core: Core) -> Handset:
    return handset(core, 1)


def states(core: Core, job_id: JobId) -> list[str]:
    return [str(task.state) for task in core.jobs.tasks(job_id)]


def renewed_ms(phone: Handset, lease: Lease) -> int:
    return phone.core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=[lease.task.id])[0].lease_ms


def end(phone: Handset, outcome: str, *, was_armed: bool = False) -> Lease:
    """Let the phone do its next row with a not_done outcome."""
    lease = phone.take()
    phone.say(over(lease, "not_done", outcome, was_armed=was_armed))
    return lease


# ---- pausing


def test_of_a_paused_job_nothing_goes_out_until_it_is_resumed(core: Core, phone: Handset) -> None:
    job = submit(core, 2, [phone])
    paused = core.jobs.pause(job.id, reason="the list is old", actor="王芳")
    assert (paused.state, paused.state_cause, paused.state_by) == (
        JobState.PAUSED,
        "the list is old",
        "王芳",
    )
    assert phone.lease() is None
    assert core.jobs.blockers(job.id) == {"001": Held(cause="job_paused")}
    resumed = core.jobs.resume(job.id, reason="", actor="王芳")
    assert resumed.state is JobState.RUNNING
    assert phone.take().task.row_no == 2
    assert [e.what for e in core.audit.entries(limit=2)] == ["job.resume", "job.pause"]


def test_a_lease_of_a_paused_job_comes_back_unharmed_and_an_armed_task_goes_on(
    core: Core, phone: Handset
) -> None:
    job = submit(core, 2, [phone])
    lease = phone.take()
    core.jobs.pause(job.id, reason="why", actor="op")
    assert renewed_ms(phone, lease) == 0
    phone.say(returned(lease, "lease_over"))
    assert states(core, job.id) == ["queued", "queued"]
    core.jobs.resume(job.id, reason="", actor="op")
    core.jobs._ledger.clock.advance(10_000)  # type: ignore[attr-defined]  # the tests' clock
    lease = phone.take()
    phone.say(armed(lease))
    core.jobs.pause(job.id, reason="why", actor="op")
    assert renewed_ms(phone, lease) == 120_000
    phone.say(over(lease))
    assert sorted(states(core, job.id)) == ["done", "queued"]
    assert core.jobs.job(job.id).state is JobState.PAUSED


def test_a_lease_of_a_job_that_is_no_longer_running_is_renewed_without_that_guard(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    core.jobs.pause(job.id, reason="why", actor="op")
    monkeypatch.setattr("controller.leases.may_go_on", lambda *_: True)
    assert renewed_ms(phone, lease) == 120_000


@pytest.mark.parametrize(
    ("decide", "error"),
    [
        (lambda jobs, job_id: jobs.pause(job_id, reason=" ", actor="op"), BadRequest),
        (lambda jobs, job_id: jobs.pause(job_id, reason="why", actor=" "), BadRequest),
        (lambda jobs, job_id: jobs.cancel(job_id, reason="", actor="op"), BadRequest),
        (lambda jobs, job_id: jobs.cancel(job_id, reason="why", actor=""), BadRequest),
        (lambda jobs, job_id: jobs.retry(job_id, actor=""), BadRequest),
        (lambda jobs, job_id: jobs.resume(job_id, reason="", actor="op"), BadRequest),
        (lambda jobs, _: jobs.pause(JobId("x"), reason="why", actor="op"), UnknownJob),
        (lambda jobs, _: jobs.resume(JobId("x"), reason="why", actor="op"), UnknownJob),
        (lambda jobs, _: jobs.cancel(JobId("x"), reason="why", actor="op"), UnknownJob),
        (lambda jobs, _: jobs.retry(JobId("x"), actor="op"), UnknownJob),
    ],
)
def test_decisions_without_a_name_a_reason_or_a_job_are_refused(
    core: Core, phone: Handset, decide: Callable[[Any, JobId], object], error: type[Exception]
) -> None:
    job = submit(core, 1, [phone])
    with pytest.raises(error):
        decide(core.jobs, job.id)
    assert core.jobs.job(job.id).state is JobState.RUNNING
    assert states(core, job.id) == ["queued"]


# ---- cancelling


def test_cancelling_ends_what_waits_and_lets_its_people_stand_elsewhere(core: Core, phone: Handset) -> None:
    job = submit(core, 3, [phone])
    done = phone.take()
    phone.say(armed(done), over(done))
    cancelled = core.jobs.cancel(job.id, reason="wrong list", actor="op")
    assert (cancelled.state, cancelled.state_cause, cancelled.state_by) == (
        JobState.CANCELLED,
        "wrong list",
        "op",
    )
    assert states(core, job.id) == ["done", "cancelled", "cancelled"]
    assert phone.lease() is None
    again = core.jobs.submit_friend_adds(
        customers(3), pool=["001"], greeting="hello", source_name="list.csv", actor="op"
    )
    assert again.is_new
    assert [problem.row_no for problem in again.skipped] == [2]
    assert states(core, again.job.id) == ["queued", "queued"]
    for decide in (core.jobs.pause, core.jobs.resume, core.jobs.cancel):
        with pytest.raises(BadRequest):
            decide(job.id, reason="why", actor="op")
    with pytest.raises(BadRequest):
        core.jobs.retry(job.id, actor="op")


def test_a_lease_of_a_cancelled_job_ends_when_it_comes_back(core: Core, phone: Handset) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    core.jobs.cancel(job.id, reason="why", actor="op")
    assert states(core, job.id) == ["leased"]
    assert core.jobs.already(customers(1)) == {2: f"is being added in job {job.id}"}
    assert renewed_ms(phone, lease) == 0
    phone.say(returned(lease, "lease_over"))
    assert states(core, job.id) == ["cancelled"]
    assert core.jobs.already(customers(1)) == {}
    assert core.quotas.use(lease.task.account_id)[0].used_day == 0  # type: ignore[arg-type]  # leased


def test_a_lease_that_never_arrived_ends_with_its_cancelled_job(core: Core, phone: Handset) -> None:
    job = submit(core, 1, [phone])
    phone.take()
    core.jobs.cancel(job.id, reason="why", actor="op")
    phone.greet()
    phone.reconcile()
    assert states(core, job.id) == ["cancelled"]


def test_an_armed_task_of_a_cancelled_job_runs_to_its_look_and_stands_for_its_person(
    core: Core, phone: Handset
) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    phone.say(armed(lease))
    core.jobs.cancel(job.id, reason="why", actor="op")
    assert renewed_ms(phone, lease) == 120_000
    phone.say(over(lease))
    assert core.jobs.counts(job.id) == {"requested": 1}
    assert core.jobs.already(customers(1)) == {2: f"was added in job {job.id}"}
    assert core.jobs.job(job.id).state is JobState.CANCELLED


def test_what_was_sent_for_a_cancelled_row_after_all_is_not_sent_by_another(
    core: Core, phone: Handset
) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    phone.greet()
    phone.reconcile()  # the agent seems never to have received it
    core.jobs.cancel(job.id, reason="why", actor="op")
    later = submit(core, 1, [phone], text="later")
    phone.say(armed(lease), over(lease))
    assert states(core, later.id) == ["unknown"]
    assert core.quotas.use(lease.task.account_id)[0].used_day == 1  # type: ignore[arg-type]  # leased
    assert phone.lease() is None


def test_what_was_sent_for_a_cancelled_row_after_all_stands_for_its_person(
    core: Core, phone: Handset
) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    phone.greet()
    phone.reconcile()
    core.jobs.cancel(job.id, reason="why", actor="op")
    phone.say(armed(lease))
    assert states(core, job.id) == ["unknown"]
    phone.say(over(lease))
    assert core.jobs.counts(job.id) == {"requested": 1}


def test_a_row_comes_back_queued_in_a_cancelled_job_without_that_guard(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    core.jobs.cancel(job.id, reason="why", actor="op")
    monkeypatch.setattr(followups, "given_back", lambda _, task: task)
    phone.say(returned(lease))
    assert states(core, job.id) == ["queued"]


def test_a_row_given_back_while_its_job_is_cancelled_is_not_left_behind(backend: Backend) -> None:
    core = backend.core()
    phone = handset(core, 1)
    for round_no in range(5):
        job = submit(core, 1, [phone], first=round_no, text=f"round {round_no}")
        lease = phone.take()
        far = replace(phone, core=backend.core())
        cancel = partial(backend.core().jobs.cancel, job.id, reason="why", actor="op")
        race([cancel, partial(far.say, returned(lease))])
        phone.seq = far.seq
        assert states(core, job.id) == ["cancelled"]


# ---- repeating


@pytest.mark.parametrize(
    "outcome", ["returned_too_often", "not_sent", "warned", "screen_unreadable", "unexpected_dialog"]
)
def test_a_row_that_proved_nothing_was_done_may_be_tried_again(
    core: Core, phone: Handset, outcome: str
) -> None:
    job = submit(core, 1, [phone])
    with_end(core, job.id, outcome)
    assert core.jobs.retry(job.id, actor="op") == 1
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.outcome, task.cause, task.ended_at_ms) == (
        TaskState.QUEUED,
        "",
        "repeated",
        None,
    )
    assert core.jobs.job(job.id).state is JobState.RUNNING
    assert phone.take().task.attempt == 2
    assert core.jobs.retry(job.id, actor="op") == 0


def with_end(core: Core, job_id: JobId, outcome: str) -> None:
    """Keep an end as an agent or a transition makes it, and let the job end with it."""
    with core._ledger.work() as work:  # the shortest way to each outcome
        task = core_task(work.tx.tasks(job_id)[0], outcome, work.now_ms)
        work.tx.save_task(task)
        work.jobs_to_close.add(job_id)


def core_task(task: Task, outcome: str, now_ms: int) -> Task:
    return replace(
        task,
        state=TaskState.NOT_DONE,
        outcome=outcome,
        attempt=1,
        ended_at_ms=now_ms,
        phone_id=PhoneId("001"),
    )


@pytest.mark.parametrize(
    "outcome",
    ["already_requested", "already_friend", "blocked_by_peer", "cannot_be_added", "wecom_user", "anything"],
)
def test_an_answer_about_the_person_is_never_repeated(core: Core, phone: Handset, outcome: str) -> None:
    job = submit(core, 1, [phone])
    end(phone, outcome)
    core.jobs._ledger.clock.advance(30 * DAY_MS)  # type: ignore[attr-defined]  # the tests' clock
    assert core.jobs.retry(job.id, actor="op") == 0
    assert core.jobs.job(job.id).state is JobState.ENDED


def test_what_may_have_been_done_is_never_repeated(core: Core, phone: Handset) -> None:
    job = submit(core, 2, [phone])
    lease = phone.take()
    phone.say(armed(lease), over(lease, "unknown", "answer_lost"))
    lease = phone.take()
    phone.say(armed(lease), over(lease))
    assert core.jobs.retry(job.id, actor="op") == 0
    assert states(core, job.id) == ["unknown", "done"]


def test_who_was_not_found_is_looked_for_again_after_a_week(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    job = submit(core, 1, [phone])
    end(phone, "not_found")
    clock.advance(7 * DAY_MS - 1)
    assert core.jobs.retry(job.id, actor="op") == 0
    clock.advance(1)
    assert core.jobs.retry(job.id, actor="op") == 1


def test_a_row_is_not_repeated_while_another_list_stands_for_its_person(core: Core, phone: Handset) -> None:
    job = submit(core, 1, [phone])
    with_end(core, job.id, "screen_unreadable")
    submit(core, 1, [phone], text="later")
    assert core.jobs.retry(job.id, actor="op") == 0


def test_racing_repeats_and_lists_let_one_row_stand_for_a_person(backend: Backend) -> None:
    core = backend.core()
    phone = handset(core, 1)
    job = submit(core, 1, [phone])
    with_end(core, job.id, "screen_unreadable")

    def list_again(other: Core, number: int) -> int:
        made = other.jobs.submit_friend_adds(
            [*customers(1), *customers(1, first=100 + number)],
            pool=[phone.phone_id],
            greeting=f"greeting {number}",
            source_name="x",
            actor="op",
        )
        return 2 - len(made.skipped) - 1

    def repeat(other: Core) -> int:
        return other.jobs.retry(job.id, actor="op")

    racers: list[Callable[[], Any]] = [partial(list_again, backend.core(), n) for n in range(3)]
    stand = race([*racers, partial(repeat, backend.core()), partial(repeat, backend.core())])
    assert sum(stand) == 1


# ---- the order of rows


def test_the_newest_basis_goes_first_within_a_job(core: Core, phone: Handset) -> None:
    rows = customers(4)
    days = ["2026-10-01", "2026-11-20", "2026-11-20", "2026-11-19"]
    core.jobs.submit_friend_adds(
        [replace(row, basis_at=day) for row, day in zip(rows, days, strict=True)],
        pool=["001"],
        greeting="",
        source_name="x",
        actor="op",
    )
    submit(core, 1, [phone], first=10)  # later, with the newest basis of all, and still behind
    taken = []
    for _ in range(5):
        lease = phone.take()
        taken.append(lease.task.row_no)
        phone.say(armed(lease), over(lease))
    assert taken == [3, 4, 5, 2, 12]


def test_a_row_without_a_date_of_its_basis_is_refused(core: Core, phone: Handset) -> None:
    with pytest.raises(SafetyRefusal):
        core.jobs.submit_friend_adds(
            [replace(customers(1)[0], basis_at=" ")], pool=["001"], greeting="", source_name="x", actor="op"
        )


def test_a_greeting_with_a_sensitive_word_is_refused_by_name(backend: Backend) -> None:
    core = backend.core(words=("转账给我",))
    phone = handset(core, 1)
    with pytest.raises(SafetyRefusal, match="转账给我"):
        submit(core, 1, [phone], text="您好，请转账给我")
    assert core.jobs.jobs() == []


def test_a_word_that_joined_the_list_after_submitting_stops_the_row(backend: Backend) -> None:
    core = backend.core()
    job = submit(core, 1, [handset(core, 1)], text="您好，返现")
    stricter = backend.core(words=("返现",))
    phone = replace(handset_again(core), core=stricter)
    assert phone.lease() is None
    task = stricter.jobs.tasks(job.id)[0]
    assert (task.state, task.cause) == (TaskState.CANCELLED, "sensitive_word")
    assert stricter.jobs.job(job.id).state is JobState.ENDED


def handset_again(core: Core) -> Handset:
    phone = core.fleet.phone(PhoneId("001"))
    return Handset(
        core=core, phone_id=phone.phone_id, serial=phone.facts.serial, spool_id="spool-1", epoch=phone.epoch
    )


# ---- a job stops itself

TIGHT = StopLoss(
    window_rows=5,
    max_not_found_percent=40,
    min_requests=4,
    accept_after_ms=72 * HOUR_MS,
    min_accepted_percent=50,
)


@pytest.fixture
def tight(backend: Backend) -> Core:
    return backend.core(stop_loss=TIGHT)


def test_too_many_unknown_people_stop_a_job_until_a_person_says_why(tight: Core) -> None:
    phone = handset(tight, 1)
    job = submit(tight, 12, [phone])
    for outcome in ("not_found", "not_found", "cannot_be_added", "cannot_be_added"):
        end(phone, outcome)
    assert tight.jobs.job(job.id).state is JobState.RUNNING
    end(phone, "not_found")
    stopped = tight.jobs.job(job.id)
    assert (stopped.state, stopped.state_cause, stopped.state_by) == (JobState.PAUSED, NOT_FOUND, "")
    assert phone.lease() is None
    with pytest.raises(BadRequest):
        tight.jobs.resume(job.id, reason=" ", actor="op")
    tight.jobs._ledger.clock.advance(1)  # type: ignore[attr-defined]  # the tests' clock
    tight.jobs.resume(job.id, reason="the shop changed its export", actor="op")
    tight.jobs._ledger.clock.advance(1)  # type: ignore[attr-defined]  # the tests' clock
    # The count begins anew: what came before does not stop it again.
    for _ in range(4):
        end(phone, "not_found")
    assert tight.jobs.job(job.id).state is JobState.RUNNING
    end(phone, "not_found")
    assert tight.jobs.job(job.id).state_cause == NOT_FOUND


def test_a_job_goes_on_without_the_stop_loss(tight: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stoploss, "verdict", lambda *_, **__: "")
    phone = handset(tight, 1)
    job = submit(tight, 6, [phone])
    for _ in range(5):
        end(phone, "not_found")
    assert tight.jobs.job(job.id).state is JobState.RUNNING


def asked(core: Core, phone: Handset, peers: int) -> JobId:
    job = submit(core, peers + 1, [phone])
    for peer in range(peers):
        lease = phone.take()
        phone.say(armed(lease), over(lease, peer=f"peer {peer}"))
    return job.id


def test_too_few_acceptances_stop_a_job_once_people_had_time_to_answer(
    tight: Core, clock: FixedClock
) -> None:
    tight.notices.record("王芳", version="1", how="paper", actor="op")
    phone = handset(tight, 1, holder="王芳")
    job_id = asked(tight, phone, 4)
    phone.say(FriendAccepted(conversation_title="c0", how="system_line"), account_id="wx001")
    assert tight.jobs.counts(job_id)["accepted"] == 1
    clock.advance(72 * HOUR_MS - 1)
    tight.sweep()
    assert tight.jobs.job(job_id).state is JobState.RUNNING
    clock.advance(1)
    tight.sweep()
    stopped = tight.jobs.job(job_id)
    assert (stopped.state, stopped.state_cause) == (JobState.PAUSED, ACCEPTANCE)


def test_enough_acceptances_let_a_job_go_on(tight: Core, clock: FixedClock) -> None:
    tight.notices.record("王芳", version="1", how="paper", actor="op")
    phone = handset(tight, 1, holder="王芳")
    job_id = asked(tight, phone, 4)
    for peer in ("c0", "c1"):
        phone.say(FriendAccepted(conversation_title=peer, how="system_line"), account_id="wx001")
    clock.advance(80 * HOUR_MS)
    tight.sweep()
    assert tight.jobs.job(job_id).state is JobState.RUNNING


def test_requests_whose_acceptance_nobody_may_see_do_not_count(tight: Core, clock: FixedClock) -> None:
    phone = handset(tight, 1)
    job_id = asked(tight, phone, 4)
    clock.advance(80 * HOUR_MS)
    tight.sweep()
    assert tight.jobs.job(job_id).state is JobState.RUNNING


def test_rows_of_a_job_that_ended_stopped_wait_for_a_person_after_a_retry(
    tight: Core, clock: FixedClock
) -> None:
    phone = handset(tight, 1)
    job = submit(tight, 5, [phone])
    for _ in range(5):
        end(phone, "not_found")
    assert (tight.jobs.job(job.id).state, tight.jobs.job(job.id).state_cause) == (JobState.ENDED, NOT_FOUND)
    clock.advance(7 * DAY_MS)
    phone.beat()
    assert tight.jobs.retry(job.id, actor="op") == 5
    assert tight.jobs.job(job.id).state is JobState.PAUSED
    assert phone.lease() is None
    tight.jobs.resume(job.id, reason="they signed up", actor="op")
    assert isinstance(phone.lease(), Lease)


def test_a_row_whose_obstacle_is_ignored_goes_out(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    core = backend.core()
    job = submit(core, 1, [handset(core, 1)], text="返现")
    phone = replace(handset_again(core), core=backend.core(words=("返现",)))
    monkeypatch.setattr(obstacles, "withheld", lambda *_: None)
    assert phone.take().task.job_id == job.id
