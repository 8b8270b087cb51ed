"""One person over the whole fleet: left out, shown, suppressed, forgotten; over both databases."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from controller import followups, obstacles, submitting
from controller.clock import FixedClock
from controller.core import Core
from controller.errors import BadRequest, BadRows, SafetyRefusal
from controller.model import AccountId, Customer, JobId, Lease, PhoneId, QueryKind, TaskState
from controller.people import Suppression, SuppressionAct
from controller.targets import person
from tests.support.backends import Backend, race
from tests.support.corefarm import EVERYTHING, Handset, armed, customers, handset, over, returned, submit

WHO = "13900000000"  # of customers(1)


@pytest.fixture
def core(backend: Backend) -> Core:
    return backend.core(quota_rules=EVERYTHING)


@pytest.fixture
def clock(backend: Backend) -> FixedClock:
    return backend.clock


@pytest.fixture
def phone(core: Core) -> Handset:
    return handset(core, 1)


def suppress(core: Core, who: str = WHO) -> None:
    core.contacts.suppress(who, reason="asked us to stop", source="chat", actor="王芳")


def add(core: Core, phone: Handset, outcome: str = "requested", *, peer: str = "") -> Lease:
    lease = phone.take()
    phone.say(armed(lease), over(lease, "done", outcome, peer=peer))
    return lease


def submit_rows(core: Core, rows: list[Customer], text: str = "hello") -> dict[int, str]:
    made = core.jobs.submit_friend_adds(rows, pool=["001"], greeting=text, source_name="x", actor="op")  # type: ignore[list-item]  # numbers as plain text
    return {problem.row_no: problem.problem for problem in made.skipped}


# ---- who is one person


@pytest.mark.parametrize(
    "written",
    [
        "+86 139 0000 0000",
        "0086-139-0000-0000",
        "13900000000",
        "139-0000 0000",
        " ＋８６１３９００００００００",
        "8613900000000",
    ],
)
def test_a_number_in_any_spelling_is_one_person(core: Core, phone: Handset, written: str) -> None:
    submit(core, 1, [phone])
    row = replace(customers(1)[0], query=written)
    assert core.jobs.already([row]) == {2: "is being added in job 20261121-01"}
    assert [task.query for task in core.contacts.show(written).tasks] == [WHO]


def test_a_wechat_id_is_one_person_in_any_case(core: Core, phone: Handset) -> None:
    row = replace(customers(1)[0], query="Wang_Fang-88", query_kind=QueryKind.WECHAT_ID)
    submit_rows(core, [row])
    assert core.jobs.already([replace(row, query="ｗang_fang-88")]) == {
        2: "is being added in job 20261121-01"
    }
    assert len(core.contacts.show("WANG_FANG-88").tasks) == 1


@pytest.mark.parametrize("written", ["", "12345", "+1 202 555 0143", "王芳", "ab", "139000000001"])
def test_what_is_neither_a_mobile_nor_a_wechat_id_is_refused(core: Core, written: str) -> None:
    for act in (
        core.contacts.show,
        partial(core.contacts.suppress, reason="r", source="", actor="op"),
        partial(core.contacts.release, reason="r", actor="op"),
        partial(core.contacts.forget, reason="r", actor="op"),
    ):
        with pytest.raises(BadRequest):
            act(written)


# ---- a row with a mobile and a WeChat id

ALIAS = "wang_fang"


def both(number: int = 0, alias: str = ALIAS) -> Customer:
    return replace(customers(1, first=number)[0], alias=alias)


def by_id(alias: str = ALIAS) -> Customer:
    return replace(customers(1, first=9)[0], query=alias, query_kind=QueryKind.WECHAT_ID)


@pytest.mark.parametrize("outcome", ["", "requested"])
@pytest.mark.parametrize(
    ("asked", "listed"), [(by_id(), both()), (both(), by_id()), (both(), both(1)), (both(), customers(1)[0])]
)
def test_who_was_asked_by_one_identity_is_not_asked_by_the_other(
    core: Core, phone: Handset, asked: Customer, listed: Customer, outcome: str
) -> None:
    submit_rows(core, [asked])
    if outcome:
        add(core, phone, outcome)
    assert list(core.jobs.already([listed])) == [listed.row_no]
    with pytest.raises(BadRows):
        submit_rows(core, [listed], "later")


@pytest.mark.parametrize("who", [WHO, ALIAS])
def test_who_opted_out_by_either_identity_is_left_out(core: Core, phone: Handset, who: str) -> None:
    suppress(core, who)
    assert core.jobs.already([both()]) == {2: "must not be contacted"}
    with pytest.raises(BadRows):
        submit_rows(core, [both()])


@pytest.mark.parametrize("who", [WHO, ALIAS])
def test_who_opts_out_by_either_identity_waits_no_longer(core: Core, phone: Handset, who: str) -> None:
    submit_rows(core, [both()])
    suppress(core, who)
    assert [str(t.state) for t in core.contacts.show(who).tasks] == ["cancelled"]


def test_an_opt_out_by_the_second_identity_is_seen_at_the_lease(core: Core, phone: Handset) -> None:
    submit_rows(core, [both()])
    with core._ledger.work() as work:
        decision = Suppression(
            act=SuppressionAct.SUPPRESS, at_ms=work.now_ms, actor="op", source="", reason="r"
        )
        work.tx.add_suppression(person(work.tx.contact_key(), ALIAS).digest, decision)
    assert phone.lease() is None
    assert core.contacts.show(ALIAS).tasks[0].cause == "suppressed"


def test_a_row_is_not_repeated_while_the_second_identity_is_asked(core: Core, phone: Handset) -> None:
    submit_rows(core, [both()])
    lease = phone.take()
    phone.say(over(lease, "not_done", "no_chat", was_armed=False))
    submit_rows(core, [by_id()], "later")
    assert core.jobs.retry(lease.job.id, actor="op") == 0


def test_a_late_tap_stops_the_row_of_the_second_identity(core: Core, phone: Handset) -> None:
    submit_rows(core, [both()])
    lease = phone.take()
    core.jobs.cancel(lease.job.id, reason="wrong list", actor="op")
    phone.reconcile()
    submit_rows(core, [by_id()], "later")
    phone.say(armed(lease))
    assert [str(t.state) for t in core.contacts.show(ALIAS).tasks] == ["cancelled", "unknown"]


def test_rows_of_one_submission_that_share_the_second_identity_are_one(core: Core, phone: Handset) -> None:
    rows = [both(), both(1), by_id()]
    assert submit_rows(core, rows) == {3: "stands twice in this list", 11: "stands twice in this list"}


def test_the_second_identity_makes_another_list(core: Core, phone: Handset) -> None:
    submit_rows(core, customers(1))
    assert submit_rows(core, customers(1)) == {}  # the same job again
    with pytest.raises(BadRows):
        submit_rows(core, [both()])


@pytest.mark.parametrize("who", [WHO, ALIAS])
def test_who_is_forgotten_is_forgotten_by_both_identities(
    backend: Backend, core: Core, phone: Handset, who: str
) -> None:
    submit_rows(core, [both()])
    assert core.contacts.forget(who, reason="asked for erasure", actor="op") == 1
    left = everything_but_events(backend)
    assert [text for text in (WHO, ALIAS) if text in left] == []
    for row in (by_id(), customers(1)[0]):
        assert core.jobs.already([row]) == {row.row_no: "must not be contacted"}


# ---- suppressing


def test_a_suppressed_person_is_left_out_of_every_list_until_released(core: Core, phone: Handset) -> None:
    suppress(core, "+86 139 0000 0000")
    assert core.jobs.already(customers(2)) == {2: "must not be contacted"}
    assert submit_rows(core, customers(2)) == {2: "must not be contacted"}
    plan = core.jobs.plan_friend_adds(customers(1), pool=[phone.phone_id])
    assert (plan.rows, [problem.problem for problem in plan.skipped]) == (0, ["must not be contacted"])
    with pytest.raises(BadRows):
        submit_rows(core, customers(1), "other")
    core.contacts.release(WHO, reason="ordered again", actor="op")
    assert core.jobs.already(customers(1)) == {}


def test_every_decision_about_a_person_is_kept_with_its_author(core: Core, clock: FixedClock) -> None:
    suppress(core)
    clock.advance(5)
    core.contacts.release(WHO, reason="ordered again", actor="李雷")
    suppress(core)
    view = core.contacts.show(WHO)
    assert [(s.act, s.actor, s.source, s.reason) for s in view.history] == [
        (SuppressionAct.SUPPRESS, "王芳", "chat", "asked us to stop"),
        (SuppressionAct.RELEASE, "李雷", "", "ordered again"),
        (SuppressionAct.SUPPRESS, "王芳", "chat", "asked us to stop"),
    ]
    assert (view.is_suppressed, view.is_forgotten) == (True, False)
    entries = core.audit.entries(limit=3)
    assert [entry.what for entry in entries] == ["contact.suppress", "contact.release", "contact.suppress"]
    assert not any(WHO in f"{entry.object}{entry.reason}" for entry in entries)


def test_decisions_without_a_reason_or_a_name_are_refused(core: Core) -> None:
    for reason, actor in (("", "op"), ("why", " ")):
        with pytest.raises(BadRequest):
            core.contacts.suppress(WHO, reason=reason, source="", actor=actor)
        with pytest.raises(BadRequest):
            core.contacts.forget(WHO, reason=reason, actor=actor)
    assert core.contacts.show(WHO).history == ()
    with pytest.raises(BadRequest):
        core.contacts.release(WHO, reason="why", actor="op")
    suppress(core)
    with pytest.raises(BadRequest):
        core.contacts.release(WHO, reason=" ", actor="op")


def test_suppressing_cancels_what_waits_and_takes_back_what_is_leased(core: Core, phone: Handset) -> None:
    job = submit(core, 2, [phone])
    lease = phone.take()
    suppress(core)
    suppress(core, "13900000001")
    assert [str(t.state) for t in core.jobs.tasks(job.id)] == ["leased", "cancelled"]
    renewals = core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=[lease.task.id])
    assert [r.lease_ms for r in renewals] == [0]
    phone.say(returned(lease, "lease_over"))
    core.jobs._ledger.clock.advance(10_000)  # type: ignore[attr-defined]  # the tests' clock
    assert phone.lease() is None
    tasks = core.jobs.tasks(job.id)
    assert [(str(t.state), t.cause) for t in tasks] == [("cancelled", "suppressed")] * 2


def late(core: Core) -> JobId:
    """Return a job whose only person was suppressed without the job being told, as in a race."""
    job = submit(core, 1, [handset(core, 1)])
    with core._ledger.work() as work:
        decision = Suppression(
            act=SuppressionAct.SUPPRESS, at_ms=work.now_ms, actor="op", source="", reason="r"
        )
        work.tx.add_suppression(person(work.tx.contact_key(), WHO).digest, decision)
    return job.id


def test_a_person_suppressed_after_submitting_is_not_leased(core: Core) -> None:
    job_id = late(core)
    phone = again(core)
    assert phone.lease() is None
    task = core.jobs.tasks(job_id)[0]
    assert (task.state, task.cause, task.attempt) == (TaskState.CANCELLED, "suppressed", 0)


def test_a_person_suppressed_after_submitting_is_leased_without_that_guard(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    late(core)
    monkeypatch.setattr(obstacles, "is_suppressed", lambda *_: False)
    assert isinstance(again(core).lease(), Lease)


def again(core: Core) -> Handset:
    phone = core.fleet.phone(PhoneId("001"))
    return Handset(
        core=core, phone_id=phone.phone_id, serial=phone.facts.serial, spool_id="spool-1", epoch=phone.epoch
    )


def test_racing_lists_and_a_suppression_contact_nobody_after_it(backend: Backend) -> None:
    core = backend.core()
    phone = handset(core, 1)
    for number in range(5):
        who = f"139{number:08}"
        listed = partial(submit, backend.core(), 1, [phone], first=number, text=f"round {number}")

        def try_it(listed: partial[object] = listed) -> None:
            try:
                listed()
            except BadRows:
                return

        race([try_it, partial(suppress, backend.core(), who)])
        assert phone.lease() is None


# ---- friends of any account


def test_a_friend_of_any_account_is_left_out_with_the_reason(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(core, 1, [phone])
    add(core, phone, "added", peer="小王")
    assert [f.target for f in core.friends.of(AccountId("wx001"))] == [WHO]
    # Even if no task stood for the person any more, the friendship does.
    with core._ledger.work() as work:
        task = work.tx.tasks(JobId("20261121-01"))[0]
        work.tx.save_task(replace(task, state=TaskState.EXPIRED))
    assert core.jobs.already(customers(1)) == {2: "is a friend of account wx001"}
    monkeypatch.setattr(submitting, "_why_not", lambda _: "")
    assert core.jobs.already(customers(1)) == {}


# ---- showing


def test_everything_known_of_a_person_is_shown(core: Core, phone: Handset) -> None:
    submit(core, 1, [phone])
    lease = phone.take()
    phone.say(over(lease, "not_done", "not_found", was_armed=False))
    submit(core, 1, [phone], text="later")
    add(core, phone, "added", peer="小王")
    row = replace(customers(1, first=9)[0], query="wang_fang", query_kind=QueryKind.WECHAT_ID)
    submit_rows(core, [row], "by id")
    add(core, phone, "added", peer="小王")
    view = core.contacts.show(WHO)
    assert [(t.job_id, t.outcome, t.basis) for t in view.tasks] == [
        ("20261121-01", "not_found", "order"),
        ("20261121-02", "added", "order"),
    ]
    assert [(f.account_id, f.peer_name) for f in view.friends] == [("wx001", "c0")]
    assert [t.query for t in view.perhaps_same] == ["wang_fang"]
    assert (view.kind, view.is_suppressed) == (QueryKind.MOBILE, False)


def test_of_a_stranger_nothing_is_shown(core: Core) -> None:
    view = core.contacts.show(WHO)
    assert (view.tasks, view.friends, view.history, view.perhaps_same) == ((), (), (), ())


# ---- forgetting


# The archive keeps its events as they came: it has its own retention.
ARCHIVE = {"events", "event_conflicts"}


def everything_but_events(backend: Backend) -> str:
    """Return every text of every table, as the database holds it, without the archived events."""
    if backend.kind == "sqlite":
        with closing(sqlite3.connect(backend.url.removeprefix("sqlite:///"))) as conn:
            # The search index cannot be scanned; its terms are of messages, which stay.
            names = conn.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
            ).fetchall()
            rows = {name: conn.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in names}
    else:
        with psycopg.connect(backend.url) as pg:
            found = pg.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            ).fetchall()
            rows = {
                name: pg.execute(SQL("SELECT * FROM {}").format(Identifier(name))).fetchall()
                for (name,) in found
            }
    assert rows.keys() >= {"tasks", "friends", "suppressions", *ARCHIVE}
    return "\n".join(repr(table) for name, table in rows.items() if name not in ARCHIVE)


def test_a_forgotten_person_is_nowhere_in_tasks_friends_and_decisions(
    backend: Backend, core: Core, phone: Handset
) -> None:
    core.contacts.suppress(WHO, reason="王小明 called", source="hotline", actor="op")
    core.contacts.release(WHO, reason="王小明 called again", actor="op")
    row = replace(customers(1)[0], remark="王小明", basis="order 88-17", tags=("vip",))
    submit_rows(core, [row])
    add(core, phone, "added", peer="小王")
    marked = replace(
        customers(1, pinned=phone.phone_id)[0], query="王小明", query_kind=QueryKind.NAME, tags=("gold",)
    )
    core.jobs.submit_marks([marked], source_name="m", actor="op")
    told = (WHO, "王小明", "小王", "88-17", "vip", "called")
    before = everything_but_events(backend)
    assert [text for text in told if text not in before] == []
    assert core.contacts.forget(WHO, reason="asked for erasure", actor="op") == 2
    assert core.friends.of(AccountId("wx001")) == []
    left = everything_but_events(backend)
    assert [text for text in told if text in left] == []
    view = core.contacts.show(WHO)
    assert (view.is_suppressed, view.is_forgotten) == (True, True)
    assert [(str(t.state), t.query, t.outcome) for t in view.tasks] == [("done", "", "added")]
    assert [s.act for s in view.history] == ["suppress", "release", "forget"]


def test_a_forgotten_person_is_never_contacted_again(core: Core, phone: Handset) -> None:
    job = submit(core, 1, [phone])
    core.contacts.forget(WHO, reason="asked for erasure", actor="op")
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.cause, task.query) == (TaskState.CANCELLED, "forgotten", "")
    assert phone.lease() is None
    assert core.jobs.already(customers(1)) == {2: "must not be contacted"}
    with pytest.raises(SafetyRefusal):
        core.contacts.release(WHO, reason="ordered again", actor="op")
    assert core.jobs.retry(job.id, actor="op") == 0


def test_who_is_forgotten_in_a_phones_hands_is_not_written_down_again(core: Core, phone: Handset) -> None:
    job = submit(core, 2, [phone])
    lease = phone.take()
    core.contacts.forget(WHO, reason="asked for erasure", actor="op")
    renewals = core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=[lease.task.id])
    assert [r.lease_ms for r in renewals] == [0]
    phone.say(armed(lease), over(lease, "done", "added", peer="小王"))
    task = core.jobs.tasks(job.id)[0]
    assert (task.state, task.query, task.peer_name) == (TaskState.DONE, "", "")
    assert core.friends.of(AccountId("wx001")) == []


def test_who_is_forgotten_is_written_down_again_without_that_guard(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    core.contacts.forget(WHO, reason="asked for erasure", actor="op")
    monkeypatch.setattr(followups, "kept", lambda _, task: task)
    phone.say(armed(lease), over(lease, "done", "added", peer="小王"))
    assert core.jobs.tasks(job.id)[0].peer_name == "小王"


def test_the_key_of_the_digests_is_the_farms_own(backend: Backend, core: Core) -> None:
    with core._ledger.look() as tx:
        key = tx.contact_key()
    assert len(bytes.fromhex(key)) == 32
    with backend.core()._ledger.look() as tx:
        assert tx.contact_key() == key
