"""Jobs over both databases: nobody twice, each task to one phone, what crashes leave behind."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from controller.clock import FixedClock
from controller.core import Core
from controller.errors import BadRequest, BadRows, SafetyRefusal, StaleEpoch, UnknownJob, UnknownPhone
from controller.model import (
    AccountId,
    Held,
    JobId,
    JobState,
    Lease,
    PermitId,
    PhoneId,
    TaskId,
    TaskState,
)
from protos.facts import FriendAccepted, PlatformWarned
from tests.support.backends import Backend, race
from tests.support.clock import START_MS
from tests.support.corefarm import (
    Handset,
    armed,
    customers,
    handset,
    over,
    returned,
    submit,
)


@pytest.fixture
def clock(backend: Backend) -> FixedClock:
    return backend.clock


@pytest.fixture
def phone(core: Core) -> Handset:
    return handset(core, 1)


def states(core: Core, job_id: JobId) -> list[str]:
    return [str(task.state) for task in core.jobs.tasks(job_id)]


def used_day(core: Core) -> int:
    return core.quotas.use(AccountId("wx001"))[0].used_day


# ---- submitting


def test_a_job_is_named_by_day_and_number_and_keeps_its_rows(core: Core, phone: Handset) -> None:
    first = submit(core, 3, [phone])
    second = submit(core, 2, [phone], first=10)
    assert (first.id, second.id) == ("20261121-01", "20261121-02")
    assert [task.row_no for task in core.jobs.tasks(first.id)] == [2, 3, 4]
    assert first.pool == ("001",)
    assert [job.id for job in core.jobs.jobs()] == [second.id, first.id]
    assert core.jobs.counts(first.id) == {"queued": 3}
    assert [entry.what for entry in core.audit.entries(limit=1)] == ["job.submit"]


def test_the_same_list_again_is_the_same_job(core: Core, phone: Handset) -> None:
    job = submit(core, 3, [phone])
    again = core.jobs.submit_friend_adds(
        customers(3), pool=["001"], greeting="hello", source_name="copy.csv", actor="other"
    )
    assert (again.job.id, again.is_new, again.skipped) == (job.id, False, ())
    assert len(core.jobs.jobs()) == 1


def test_a_person_with_a_live_task_is_left_out_of_another_list(core: Core, phone: Handset) -> None:
    job = submit(core, 3, [phone])
    there = core.jobs.already(customers(5))
    assert there == dict.fromkeys((2, 3, 4), f"is being added in job {job.id}")
    more = core.jobs.submit_friend_adds(
        customers(5), pool=["001"], greeting="hello", source_name="more.csv", actor="op"
    )
    assert [problem.row_no for problem in more.skipped] == [2, 3, 4]
    assert [task.row_no for task in core.jobs.tasks(more.job.id)] == [5, 6]
    with pytest.raises(BadRows):
        core.jobs.submit_friend_adds(
            customers(2), pool=["001"], greeting="another", source_name="x", actor="op"
        )
    assert len(core.jobs.jobs()) == 2


def test_one_person_in_two_spellings_is_one_person(core: Core, phone: Handset) -> None:
    plain = customers(1)[0]
    spelled = replace(plain, row_no=3, query=f"+86 {plain.query[:3]}-{plain.query[3:]}")
    made = core.jobs.submit_friend_adds(
        [plain, spelled], pool=["001"], greeting="hello", source_name="x", actor="op"
    )
    assert [problem.row_no for problem in made.skipped] == [3]


@pytest.mark.parametrize(
    ("rows", "pool", "error"),
    [
        ([], ["001"], BadRequest),
        (customers(1), [], BadRequest),
        (customers(1), ["099"], UnknownPhone),
        (customers(1, pinned=PhoneId("098")), [], UnknownPhone),
        ([replace(customers(1)[0], basis=" ")], ["001"], SafetyRefusal),
        (customers(2_001), ["001"], SafetyRefusal),
    ],
    ids=["no_rows", "no_pool", "unknown_phone", "unknown_pin", "no_basis", "too_many"],
)
def test_a_list_that_must_not_run_is_refused(
    core: Core, phone: Handset, rows: list[object], pool: list[PhoneId], error: type[Exception]
) -> None:
    with pytest.raises(error):
        core.jobs.submit_friend_adds(rows, pool=pool, greeting="", source_name="x", actor="op")  # type: ignore[arg-type]  # customers behind object
    assert core.jobs.jobs() == []


def test_racing_submits_of_one_list_make_one_job_and_of_alike_lists_add_nobody_twice(
    backend: Backend,
) -> None:
    phone = handset(backend.core(), 1)
    cores = [backend.core() for _ in range(6)]

    def same(core: Core) -> bool:
        return core.jobs.submit_friend_adds(
            customers(20), pool=[phone.phone_id], greeting="one", source_name="x", actor="op"
        ).is_new

    assert sorted(race([partial(same, core) for core in cores])) == [False] * 5 + [True]

    def alike(core: Core, number: int) -> int:
        made = core.jobs.submit_friend_adds(
            [*customers(20, first=100), *customers(1, first=200 + number)],
            pool=[phone.phone_id],
            greeting=f"greeting {number}",
            source_name="x",
            actor="op",
        )
        return 21 - len(made.skipped)

    added = race([partial(alike, core, number) for number, core in enumerate(cores)])
    assert sum(added) == 20 + 6
    queries = [task.query for job in cores[0].jobs.jobs() for task in cores[0].jobs.tasks(job.id)]
    assert len(queries) == len(set(queries)) == 20 + 20 + 6


# ---- leasing


def test_the_oldest_row_goes_first_with_a_permit(core: Core, phone: Handset) -> None:
    job = submit(core, 2, [phone])
    lease = phone.take()
    assert (lease.task.row_no, lease.task.attempt, lease.job.id) == (2, 1, job.id)
    assert lease.until_ms == START_MS + 120_000
    assert lease.phone_epoch == phone.epoch
    assert phone.lease() == Held(cause="busy")
    assert used_day(core) == 1


def test_without_work_there_is_nothing(phone: Handset) -> None:
    assert phone.lease() is None


def test_rows_go_to_their_pinned_phone_or_to_a_phone_of_the_pool_only(core: Core, phone: Handset) -> None:
    other = handset(core, 2)
    core.jobs.submit_friend_adds(
        [*customers(1, pinned=other.phone_id), *customers(1, first=5)],
        pool=[phone.phone_id],
        greeting="",
        source_name="x",
        actor="op",
    )
    assert phone.take().task.row_no == 7
    assert other.take().task.row_no == 2
    phone.say(
        over(
            Lease(
                task=core.jobs.tasks(JobId("20261121-01"))[1],
                job=core.jobs.jobs()[0],
                permit_id="",
                phone_epoch=0,
                until_ms=0,
            )
        )
    )  # type: ignore[arg-type]  # only the task matters
    assert phone.lease() is None


@pytest.mark.parametrize(
    ("prepare", "cause"),
    [
        (lambda core, phone: core.fleet.assign("1", account_id="", actor="op"), "no_account"),
        (lambda core, phone: phone.beat(account_id="wx-other"), "account_mismatch"),
        (lambda core, phone: phone.beat("in_hand"), "phone_in_hand"),
        (lambda core, phone: phone.beat("blind"), "phone_blind"),
        (lambda core, phone: phone.beat("logged_out"), "phone_logged_out"),
    ],
    ids=["no_account", "mismatch", "in_hand", "blind", "logged_out"],
)
def test_a_phone_that_may_not_act_says_why(core: Core, phone: Handset, prepare, cause: str) -> None:
    job = submit(core, 1, [phone])
    prepare(core, phone)
    assert phone.lease() == Held(cause=cause)
    assert core.jobs.blockers(job.id) == {"001": Held(cause=cause)}
    assert states(core, job.id) == ["queued"]


def test_in_assist_tasks_go_out_too_since_a_person_taps(core: Core, phone: Handset) -> None:
    submit(core, 1, [phone])
    core.fleet.assign(phone.phone_id, unattended=False, actor="op")
    lease = phone.take()
    renewals = core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=[lease.task.id])
    assert [r.lease_ms for r in renewals] == [120_000]


def test_an_older_session_gets_no_task(core: Core, phone: Handset) -> None:
    submit(core, 1, [phone])
    old = phone.epoch
    phone.greet()
    with pytest.raises(StaleEpoch):
        core.jobs.lease(phone.phone_id, epoch=old, spool_id=phone.spool_id)
    with pytest.raises(StaleEpoch):
        core.jobs.renew(phone.phone_id, epoch=old, task_ids=[])
    assert isinstance(phone.lease(), Lease)


def test_each_task_goes_to_exactly_one_of_many_phones(backend: Backend) -> None:
    seen = backend.core()
    phones = [handset(seen, n) for n in range(1, 7)]
    job = submit(seen, 60, phones)
    mine = [replace_core(phone, backend.core()) for phone in phones]

    def work(phone: Handset) -> list[str]:
        done = []
        while isinstance(lease := phone.lease(), Lease):
            done.append(lease.task.id)
            phone.say(armed(lease), over(lease))
        return done

    done = [task_id for part in race([partial(work, phone) for phone in mine]) for task_id in part]
    assert len(done) == len(set(done)) == 60
    assert states(seen, job.id) == ["done"] * 60
    assert seen.jobs.job(job.id).state is JobState.ENDED


def test_one_phone_is_given_one_task_however_many_ask_for_it(backend: Backend) -> None:
    phone = handset(backend.core(), 1)
    submit(backend.core(), 10, [phone])
    askers = [replace_core(phone, backend.core()) for _ in range(6)]
    found = race([asker.lease for asker in askers])
    assert sum(isinstance(lease, Lease) for lease in found) == 1


def replace_core(phone: Handset, core: Core) -> Handset:
    return replace(phone, core=core)


# ---- ends


def test_a_done_task_ends_its_job_and_stays_done(core: Core, phone: Handset) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    phone.say(armed(lease))
    assert states(core, job.id) == ["armed"]
    phone.say(over(lease))
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.outcome, task.ended_at_ms) == (TaskState.DONE, "requested", START_MS)
    assert core.jobs.job(job.id).state is JobState.ENDED
    assert core.jobs.counts(job.id) == {"requested": 1}
    assert phone.lease() is None
    assert core.jobs.already(customers(1)) == {2: f"was added in job {job.id}"}


def test_a_row_that_was_not_done_may_stand_in_a_later_list(core: Core, phone: Handset) -> None:
    submit(core, 1, [phone])
    phone.say(over(phone.take(), "not_done", "not_found", was_armed=False))
    assert core.jobs.already(customers(1)) == {}
    assert submit(core, 1, [phone], text="other").id == "20261121-02"


@pytest.mark.parametrize("outcome", ["already_requested", "already_friend", "blocked_by_peer"])
def test_a_person_who_knows_one_of_our_accounts_is_not_asked_by_another(
    core: Core, phone: Handset, outcome: str
) -> None:
    other = handset(core, 2)
    job = submit(core, 1, [phone])
    phone.say(over(phone.take(), "not_done", outcome, was_armed=False))
    assert core.jobs.already(customers(1)) == {2: f"must not be asked again: {outcome} in job {job.id}"}
    with pytest.raises(BadRows):
        submit(core, 1, [other], text="other")
    more = core.jobs.submit_friend_adds(
        customers(2), pool=[other.phone_id], greeting="third", source_name="x", actor="op"
    )
    assert [problem.row_no for problem in more.skipped] == [2]


def sent_nothing(core: Core, phone: Handset, other: Handset) -> JobId:
    job = submit(core, 1, [phone, other])
    lease = phone.take()
    phone.say(armed(lease), over(lease, "not_done", "not_sent"))
    return job.id


def test_what_was_armed_is_tried_again_by_the_same_phone_only_even_while_it_is_away(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    other = handset(core, 2)
    job_id = sent_nothing(core, phone, other)
    clock.advance(60_000)
    core.sweep()
    other.beat()
    assert other.lease() is None
    assert core.jobs.blockers(job_id) == {"001": Held(cause="phone_absent")}
    phone.beat()
    again = phone.take()
    assert (again.task.attempt, again.task.account_id) == (2, "wx001")
    phone.say(returned(again))
    clock.advance(10_000)
    assert other.lease() is None


def test_what_was_armed_is_tried_again_by_the_same_account_only(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    other = handset(core, 2)
    job_id = sent_nothing(core, phone, other)
    clock.advance(60_000)
    core.fleet.assign(other.phone_id, account_id="", actor="op")
    core.fleet.assign(phone.phone_id, account_id="wx-new", actor="op")
    phone.beat(account_id="wx-new")
    assert phone.lease() is None
    assert core.jobs.blockers(job_id) == {"001": Held(cause="waits_for_account")}
    core.fleet.assign(phone.phone_id, account_id="wx001", actor="op")
    phone.beat(account_id="wx001")
    assert phone.take().task.attempt == 2


def test_a_task_that_is_always_given_back_ends_with_its_last_cause(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    job = submit(core, 1, [phone])
    for attempt in range(1, 6):
        assert states(core, job.id) == ["queued"]
        phone.say(returned(phone.take(), f"cause {attempt}"))
        clock.advance(10_000)
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.outcome, task.cause) == (TaskState.NOT_DONE, "returned_too_often", "cause 5")
    assert core.jobs.counts(job.id) == {"returned_too_often": 1}
    assert core.jobs.job(job.id).state is JobState.ENDED
    assert used_day(core) == 0
    assert core.jobs.already(customers(1)) == {}


def test_an_armed_task_that_sent_nothing_is_tried_three_times(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    job = submit(core, 1, [phone])
    for attempt in (1, 2, 3):
        lease = phone.take()
        assert lease.task.attempt == attempt
        phone.say(armed(lease), over(lease, "not_done", "not_sent"))
        if attempt < 3:
            assert states(core, job.id) == ["queued"]
            assert phone.lease() == Held(cause="waiting", retry_at_ms=clock.now_ms() + 60_000)
            clock.advance(60_000)
    assert core.jobs.counts(job.id) == {"not_sent": 1}
    assert used_day(core) == 3


def test_a_returned_task_waits_and_costs_nothing(core: Core, phone: Handset, clock: FixedClock) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    phone.say(returned(lease))
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.cause, task.phone_id, task.permit_id) == (
        TaskState.QUEUED,
        "in_hand",
        None,
        None,
    )
    assert used_day(core) == 0
    clock.advance(10_000)
    assert phone.take().task.attempt == 2


def test_a_task_that_is_armed_cannot_be_returned(core: Core, phone: Handset) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    phone.say(armed(lease), returned(lease))
    assert states(core, job.id) == ["armed"]
    assert used_day(core) == 1


def test_a_warning_before_arming_gives_the_row_to_another_phone(core: Core, phone: Handset) -> None:
    other = handset(core, 2)
    job = submit(core, 1, [phone, other])
    lease = phone.take()
    phone.say(over(lease, "not_done", "warned", was_armed=False))
    assert states(core, job.id) == ["queued"]
    account = core.fleet.account(lease.task.account_id)  # type: ignore[arg-type]  # leased
    assert account.resting_since_ms == START_MS
    core.jobs._ledger.clock.advance(10_000)  # type: ignore[attr-defined]  # the tests' clock
    assert phone.lease() == Held(cause="resting")
    assert other.take().task.id == lease.task.id


def test_one_phone_cannot_end_what_another_was_given(core: Core, phone: Handset) -> None:
    other = handset(core, 2)
    job = submit(core, 1, [phone])
    lease = phone.take()
    other.say(armed(lease), over(lease), returned(lease))
    assert states(core, job.id) == ["leased"]


def test_a_later_word_of_an_acceptance_is_kept_for_the_one_it_can_mean(core: Core) -> None:
    phone = handset(core, 1, holder="w")
    core.notices.record("w", version="1", how="signed", actor="op")
    job = submit(core, 2, [phone])
    for _ in range(2):
        lease = phone.take()
        phone.say(over(lease, peer="twin" if lease.task.row_no == 2 else "one"))
    phone.say(FriendAccepted(conversation_title="one", how="x"), account_id="wx001")
    assert core.jobs.counts(job.id) == {"requested": 1, "accepted": 1}


# ---- crashes


def test_a_task_without_word_is_unknown_and_corrected_by_its_late_end(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    job = submit(core, 2, [phone])
    lease = phone.take()
    clock.advance(120_000 + 3_600_000)
    core.sweep()
    assert states(core, job.id)[0] == "leased"
    clock.advance(1)
    core.sweep()
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.cause) == (TaskState.UNKNOWN, "no_word")
    assert core.jobs.already(customers(1))[2].startswith("may have been added")
    phone.say(armed(lease), over(lease))
    assert states(core, job.id)[0] == "done"
    assert core.jobs.tasks(job.id)[0].outcome == "requested"


def test_an_unknown_task_is_never_queued_again(core: Core, phone: Handset, clock: FixedClock) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    clock.advance(10_000_000)
    core.sweep()
    assert core.jobs.job(job.id).state is JobState.ENDED
    phone.say(over(lease, "not_done", "not_sent"))
    assert states(core, job.id) == ["not_done"]
    phone.beat()
    assert phone.lease() is None


def test_a_task_that_never_arrived_is_queued_again_and_its_permit_given_back(
    core: Core, phone: Handset
) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    phone.greet()
    phone.reconcile(lease.task.id)
    assert states(core, job.id) == ["leased"]
    phone.reconcile()
    assert states(core, job.id) == ["queued"]
    assert used_day(core) == 0
    assert phone.take().task.attempt == 2


def test_a_task_that_went_down_with_an_outbox_is_unknown(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    job = submit(core, 2, [phone])
    phone.take()
    phone.new_outbox("spool-new")
    phone.greet()
    phone.reconcile()
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.cause) == (TaskState.UNKNOWN, "spool_lost")
    assert used_day(core) == 1
    # Until the lease's end the lost agent may still have acted: the next use counts its spacing from there.
    assert phone.lease() == Held(cause="spacing", retry_at_ms=START_MS + 120_000)
    clock.advance(120_000)
    assert phone.take().task.row_no == 3


def test_an_outbox_older_than_the_archive_leaves_its_tasks_unknown(core: Core, phone: Handset) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    phone.say(armed(lease))
    for _ in range(2):
        phone.greet(spool_highest=0, spool_lowest=0, open_task_ids=(lease.task.id,))
        assert core.status().gaps == 1
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.cause) == (TaskState.UNKNOWN, "spool_lost")
    assert core.jobs.job(job.id).state is JobState.ENDED
    renewals = core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=[lease.task.id])
    assert [r.lease_ms for r in renewals] == [0]
    assert used_day(core) == 1


def test_an_armed_task_that_its_agent_forgot_is_unknown(core: Core, phone: Handset) -> None:
    job = submit(core, 1, [phone])
    phone.say(armed(phone.take()))
    phone.greet()
    phone.reconcile()
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.cause) == (TaskState.UNKNOWN, "intent_lost")


def test_what_was_taken_back_and_then_armed_is_never_sent_again(core: Core, phone: Handset) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    phone.reconcile()
    assert states(core, job.id) == ["queued"]
    phone.say(armed(lease))
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.cause) == (TaskState.UNKNOWN, "armed_after_return")
    assert used_day(core) == 1
    assert phone.lease() is None


# ---- a database restored from a backup hears again what it had archived


def attempted(core: Core, job_id: JobId, attempt: int) -> Lease:
    """Return an attempt that this database does not know."""
    task = replace(core.jobs.tasks(job_id)[0], attempt=attempt)
    job = core.jobs.job(job_id)
    return Lease(task=task, job=job, permit_id=PermitId(""), phone_epoch=0, until_ms=0)


@pytest.mark.parametrize("attempt", [1, 3])
def test_an_armed_attempt_of_which_nothing_is_known_counts_and_is_not_sent_again(
    core: Core, phone: Handset, attempt: int
) -> None:
    job = submit(core, 1, [phone])
    phone.say(armed(attempted(core, job.id, attempt)))
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.cause, task.attempt) == (TaskState.UNKNOWN, "restored", attempt)
    assert (task.phone_id, task.account_id) == (phone.phone_id, "wx001")
    assert used_day(core) == 1
    assert phone.lease() is None
    assert core.jobs.job(job.id).state is JobState.ENDED
    phone.say(over(attempted(core, job.id, attempt)))
    assert core.jobs.counts(job.id) == {"requested": 1}
    assert used_day(core) == 1


def test_an_end_alone_of_an_unknown_armed_attempt_is_kept(core: Core, phone: Handset) -> None:
    job = submit(core, 1, [phone])
    phone.say(over(attempted(core, job.id, 1)))
    assert core.jobs.counts(job.id) == {"requested": 1}
    assert used_day(core) == 1


def test_attempts_after_one_that_sent_nothing_are_kept_too(core: Core, phone: Handset) -> None:
    job = submit(core, 1, [phone])
    first, second = attempted(core, job.id, 1), attempted(core, job.id, 2)
    phone.say(armed(first), over(first, "not_done", "not_sent"))
    assert states(core, job.id) == ["unknown"]
    phone.say(armed(second), over(second))
    assert core.jobs.counts(job.id) == {"requested": 1}
    assert used_day(core) == 2


def test_an_attempt_after_the_known_end_stops_whoever_stands_for_that_person_now(
    core: Core, phone: Handset
) -> None:
    job = submit(core, 1, [phone])
    phone.say(over(phone.take(), "not_done", "not_found", was_armed=False))
    later = submit(core, 1, [phone], text="later")
    phone.say(armed(attempted(core, job.id, 2)))
    assert (states(core, job.id), states(core, later.id)) == (["not_done"], ["unknown"])
    assert used_day(core) == 2
    assert phone.lease() is None


def test_what_was_not_armed_or_was_never_for_this_phone_restores_nothing(core: Core, phone: Handset) -> None:
    other = handset(core, 2)
    job = submit(core, 1, [phone])
    lease = attempted(core, job.id, 1)
    other.say(armed(lease), over(lease))
    phone.say(returned(lease), over(lease, "not_done", "not_found", was_armed=False))
    assert states(core, job.id) == ["queued"]
    assert used_day(core) == 0


def test_a_tap_that_restored_data_gave_to_another_phone_counts_and_is_not_made_again(
    core: Core, phone: Handset
) -> None:
    other = handset(core, 2)
    job = submit(core, 1, [phone, other])
    lease = phone.take()
    phone.say(returned(lease))
    other.say(armed(lease), over(lease))
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.cause, task.phone_id) == (TaskState.UNKNOWN, "restored", other.phone_id)
    assert core.quotas.use(AccountId("wx002"))[0].used_day == 1
    assert core.status().restored_until_ms is not None
    entries = [entry for entry in core.audit.entries() if entry.what == "task.second_tap"]
    assert [entry.object for entry in entries] == [task.id]


@pytest.mark.parametrize("how", ["returned", "never received"])
def test_what_another_phone_tapped_while_this_one_had_it_does_not_go_out_again(
    core: Core, phone: Handset, clock: FixedClock, how: str
) -> None:
    other = handset(core, 2)
    job = submit(core, 1, [phone, other])
    lease = phone.take()
    other.say(armed(lease))
    assert states(core, job.id) == ["leased"]
    if how == "returned":
        phone.say(returned(lease))
    else:
        phone.reconcile()
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.cause) == (TaskState.UNKNOWN, "restored")
    assert used_day(core) == 0
    assert core.quotas.use(AccountId("wx002"))[0].used_day == 1


# ---- renewing


def test_a_lease_is_renewed_until_it_ended(core: Core, phone: Handset, clock: FixedClock) -> None:
    submit(core, 1, [phone])
    lease = phone.take()

    def renewed() -> int:
        return core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=[lease.task.id])[0].lease_ms

    clock.advance(100_000)
    assert renewed() == 120_000
    clock.advance(120_000)
    assert renewed() == 120_000
    clock.advance(120_001)
    assert renewed() == 0


def test_a_lease_is_not_renewed_for_an_account_that_rests(core: Core, phone: Handset) -> None:
    submit(core, 1, [phone])
    lease = phone.take()
    phone.say(PlatformWarned(warning="add_frequency", surface="dialog", text="操作过于频繁", task_id=""))
    task_ids = [lease.task.id, TaskId("unheard-of")]
    assert [r.lease_ms for r in core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=task_ids)] == [
        0,
        0,
    ]
    phone.say(armed(lease))
    assert core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=task_ids)[0].lease_ms == 120_000


def test_the_agent_that_came_back_renews_what_it_holds(core: Core, phone: Handset) -> None:
    submit(core, 1, [phone])
    lease = phone.take()
    phone.greet()
    renewals = core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=[lease.task.id])
    assert [r.lease_ms for r in renewals] == [120_000]


def test_an_unheard_of_job_is_named_as_such(core: Core) -> None:
    for look in (core.jobs.job, core.jobs.tasks, core.jobs.counts, core.jobs.blockers):
        with pytest.raises(UnknownJob):
            look(JobId("20200101-01"))


# ---- planning


def test_a_plan_stores_nothing_and_tells_when_each_phone_is_done(core: Core, phone: Handset) -> None:
    other = handset(core, 2, can_act=False)
    made = core.jobs.plan_friend_adds(customers(5), pool=[phone.phone_id, other.phone_id])
    assert [(line.phone_id, line.rows, line.held) for line in made.lines] == [
        ("001", 5, ""),
        ("002", 0, "no_account"),
    ]
    assert (made.rows, made.unplaced, made.ends_at_ms) == (5, 0, START_MS)
    assert core.jobs.jobs() == []
