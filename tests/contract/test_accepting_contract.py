"""Accepting those who ask an account: only by a policy, once for each request; over both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller import accepting, obstacles
from controller.clock import DAY_MS, HOUR_MS, FixedClock
from controller.core import Core
from controller.errors import BadRequest, SafetyRefusal
from controller.model import AccountId, Action, Job, JobState, Lease, QueryKind, Task, TaskState
from controller.people import AcceptPolicy
from controller.targets import person
from protos.facts import FriendRequestSeen
from tests.support.backends import Backend
from tests.support.corefarm import EVERYTHING, Handset, armed, handset, over, returned, submit

WX = AccountId("wx001")
ON = AcceptPolicy(is_on=True, tags=("inbound",))
HELLO = replace(ON, reply="您好，我是您的专属客服")


@pytest.fixture
def core(backend: Backend) -> Core:
    made = backend.core(quota_rules=EVERYTHING, words=("转账给我",))
    made.notices.record("王芳", version="1", how="paper", actor="op")
    return made


@pytest.fixture
def clock(backend: Backend) -> FixedClock:
    return backend.clock


@pytest.fixture
def phone(core: Core) -> Handset:
    return handset(core, 1, holder="王芳")


def decide(core: Core, policy: AcceptPolicy) -> AcceptPolicy:
    return core.accepting.set(WX, policy, reason="the shop's hotline says so", actor="王芳")


def ask(phone: Handset, name: str = "小王", state: str = "open") -> None:
    fact = FriendRequestSeen(peer_name=name, greeting="我是小王", state=state)
    phone.say(fact, account_id=WX)


def tasks(core: Core, action: Action = Action.FRIEND_ACCEPT) -> list[Task]:
    return [t for job in core.jobs.jobs() if job.action is action for t in core.jobs.tasks(job.id)]


def accept(phone: Handset, outcome: str = "accepted_by_us") -> Lease:
    lease = phone.take()
    assert lease.task.action is Action.FRIEND_ACCEPT
    phone.say(armed(lease), over(lease, "done", outcome))
    return lease


# ---- the policy


def test_accepting_is_off_until_a_named_person_says_otherwise(core: Core, phone: Handset) -> None:
    assert core.accepting.policy(WX) == AcceptPolicy()
    assert not core.accepting.policy(WX).is_on
    ask(phone)
    assert core.jobs.jobs() == []
    kept = decide(core, HELLO)
    assert (kept.is_on, kept.set_by, kept.reply) == (True, "王芳", HELLO.reply)
    assert core.accepting.policy(WX) == kept
    entry = core.audit.entries(limit=1)[0]
    assert (entry.what, entry.object, entry.reason) == (
        "accepting.set",
        "wx001",
        "on; the shop's hotline says so",
    )


@pytest.mark.parametrize(
    ("policy", "error"),
    [
        (replace(ON, reply="请转账给我"), SafetyRefusal),
        (replace(ON, reply="好" * 201), BadRequest),
        (replace(ON, hours=(600, 600)), BadRequest),
        (replace(ON, hours=(0, 1441)), BadRequest),
        (replace(ON, weekdays=frozenset()), BadRequest),
        (replace(ON, weekdays=frozenset({0})), BadRequest),
        (replace(ON, tags=tuple("abcdefghijk")), BadRequest),
    ],
)
def test_a_policy_that_must_not_be_is_refused(
    core: Core, phone: Handset, policy: AcceptPolicy, error: type[Exception]
) -> None:
    with pytest.raises(error):
        decide(core, policy)
    assert core.accepting.policy(WX) == AcceptPolicy()


def test_a_refused_reply_names_the_word(core: Core, phone: Handset) -> None:
    with pytest.raises(SafetyRefusal, match="转账给我"):
        decide(core, replace(ON, reply="请转账给我"))


def test_a_policy_needs_a_reason_a_name_and_an_account(core: Core, phone: Handset) -> None:
    for account_id, reason, actor in ((WX, " ", "op"), (WX, "why", ""), (AccountId("nobody"), "why", "op")):
        with pytest.raises(BadRequest):
            core.accepting.set(account_id, ON, reason=reason, actor=actor)


# ---- requests


def test_a_request_is_accepted_once_by_its_own_phone(core: Core, phone: Handset) -> None:
    decide(core, ON)
    for _ in range(3):
        ask(phone)
    ask(phone, "老李")
    found = tasks(core)
    assert [(t.query, t.query_kind, t.tags, t.pinned_phone_id, t.pinned_account_id) for t in found] == [
        ("小王", QueryKind.NAME, ("inbound",), phone.phone_id, WX),
        ("老李", QueryKind.NAME, ("inbound",), phone.phone_id, WX),
    ]
    job = core.jobs.jobs()[0]
    assert (job.source_name, job.created_by, job.pool) == ("accepting 001", "王芳", ("001",))
    accept(phone)
    accept(phone)
    assert core.jobs.job(job.id).state is JobState.ENDED
    assert [(f.peer_name, f.tags, f.how) for f in core.friends.of(WX)] == [
        ("小王", ("inbound",), "accepted_by_us"),
        ("老李", ("inbound",), "accepted_by_us"),
    ]
    ask(phone)
    assert phone.lease() is None
    ask(phone, "新人")
    assert core.jobs.job(job.id).state is JobState.RUNNING
    assert accept(phone).job.id == job.id


@pytest.mark.parametrize("state", ["accepted", "expired", "anything"])
def test_a_request_that_is_not_open_makes_nothing(core: Core, phone: Handset, state: str) -> None:
    decide(core, ON)
    ask(phone, state=state)
    ask(phone, name=" ")
    assert core.jobs.jobs() == []


def test_a_request_of_which_the_holder_was_not_told_is_not_kept(core: Core) -> None:
    untold = handset(core, 2)
    core.accepting.set(AccountId("wx002"), ON, reason="r", actor="op")
    untold.say(FriendRequestSeen(peer_name="小王", greeting="", state="open"), account_id="wx002")
    assert core.jobs.jobs() == []
    stored = core.archive.event(untold.phone_id, untold.spool_id, 1)
    assert stored is not None
    assert (stored.body, stored.cause) == (None, "refused_no_notice")


def test_a_request_to_another_account_than_the_phones_makes_nothing(core: Core, phone: Handset) -> None:
    decide(core, ON)
    phone.say(FriendRequestSeen(peer_name="小王", greeting="", state="open"), account_id="wx-other")
    assert core.jobs.jobs() == []


def test_what_could_not_be_accepted_is_tried_again_after_days_only(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    decide(core, ON)
    ask(phone)
    phone.say(over(phone.take(), "not_done", "no_request", was_armed=False))
    ask(phone)
    assert phone.lease() is None
    clock.advance(3 * DAY_MS)
    phone.beat()
    ask(phone)
    assert phone.take().task.attempt == 2


def test_switched_off_what_waits_is_cancelled_and_nothing_new_begins(core: Core, phone: Handset) -> None:
    decide(core, ON)
    ask(phone)
    ask(phone, "老李")
    lease = phone.take()
    decide(core, AcceptPolicy())
    assert [str(t.state) for t in tasks(core)] == ["leased", "cancelled"]
    renewals = core.jobs.renew(phone.phone_id, epoch=phone.epoch, task_ids=[lease.task.id])
    assert [r.lease_ms for r in renewals] == [0]
    phone.say(returned(lease))
    core.jobs._ledger.clock.advance(10_000)  # type: ignore[attr-defined]  # the tests' clock
    assert phone.lease() is None
    assert [(str(t.state), t.cause) for t in tasks(core)] == [("cancelled", "accepting_off")] * 2
    ask(phone)
    assert phone.lease() is None
    decide(core, ON)
    ask(phone)
    assert phone.take().task.query == "小王"


def test_a_standing_job_that_a_person_paused_stays_paused(core: Core, phone: Handset) -> None:
    decide(core, ON)
    ask(phone)
    lease = phone.take()
    core.jobs.pause(lease.job.id, reason="wait for the boss", actor="李雷")
    phone.say(armed(lease), over(lease, "done", "accepted_by_us"))
    ask(phone, "老李")
    job = core.jobs.job(lease.job.id)
    assert (job.state, job.state_cause, job.state_by) == (JobState.PAUSED, "wait for the boss", "李雷")
    assert phone.lease() is None
    core.jobs.resume(job.id, reason="", actor="李雷")
    assert phone.take().task.query == "老李"


def test_a_paused_list_of_which_every_row_ended_is_over(core: Core, phone: Handset) -> None:
    job = submit(core, 1, [phone])
    lease = phone.take()
    core.jobs.pause(job.id, reason="r", actor="op")
    phone.say(armed(lease), over(lease))
    assert core.jobs.job(job.id).state is JobState.ENDED


def test_cancelling_a_standing_job_switches_accepting_off(core: Core, phone: Handset) -> None:
    decide(core, HELLO)
    ask(phone)
    job_id = tasks(core)[0].job_id
    core.jobs.cancel(job_id, reason="too many strangers", actor="李雷")
    policy = core.accepting.policy(WX)
    assert (policy.is_on, policy.set_by, policy.reply) == (False, "李雷", HELLO.reply)
    found = {(e.what, e.object, e.actor, e.reason) for e in core.audit.entries(limit=2)}
    assert found == {
        ("job.cancel", job_id, "李雷", "too many strangers"),
        ("accepting.set", "wx001", "李雷", "off; too many strangers"),
    }
    ask(phone, "老李")
    assert [str(t.state) for t in tasks(core)] == ["cancelled"]


def test_a_cancel_that_is_refused_leaves_accepting_on(core: Core, phone: Handset) -> None:
    decide(core, ON)
    ask(phone)
    ended = accept(phone).job.id
    with pytest.raises(BadRequest):
        core.jobs.cancel(ended, reason="r", actor="op")
    assert core.accepting.policy(WX).is_on


@pytest.mark.parametrize("gone", ["accepted", "expired"])
def test_switched_on_what_is_still_open_is_accepted(core: Core, phone: Handset, gone: str) -> None:
    for name in ("小王", "老李"):
        ask(phone, name)
    ask(phone, "老李", state=gone)
    phone.say(FriendRequestSeen(peer_name="新人", greeting="", state="open"), account_id="wx-other")
    assert core.jobs.jobs() == []
    decide(core, ON)
    decide(core, HELLO)
    assert [t.query for t in tasks(core)] == ["小王"]
    accept(phone)
    with core._ledger.look() as tx:
        assert tx.open_requests(WX) == []


# START is Saturday, 21 November 2026, 18:30 in Shanghai.
@pytest.mark.parametrize(
    ("policy", "waits_ms"),
    [
        (replace(ON, hours=(9 * 60, 20 * 60)), 0),
        (replace(ON, hours=(19 * 60, 20 * 60)), HOUR_MS // 2),
        (replace(ON, hours=(9 * 60, 18 * 60)), 14 * HOUR_MS + HOUR_MS // 2),
        (replace(ON, weekdays=frozenset({1})), 29 * HOUR_MS + HOUR_MS // 2),
    ],
)
def test_requests_are_accepted_within_the_hours_of_the_policy(
    core: Core, phone: Handset, clock: FixedClock, policy: AcceptPolicy, waits_ms: int
) -> None:
    decide(core, policy)
    ask(phone)
    if waits_ms:
        assert not isinstance(phone.lease(), Lease)
        clock.advance(waits_ms - 1)
        phone.beat()
        assert not isinstance(phone.lease(), Lease)
        clock.advance(1)
    assert phone.take().task.query == "小王"


def test_outside_the_hours_a_request_is_accepted_without_that_guard(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(core, replace(ON, hours=(19 * 60, 20 * 60)))
    ask(phone)
    monkeypatch.setattr(obstacles, "opens_at_ms", lambda *_, **__: 0)
    assert phone.take().task.query == "小王"


# ---- the first reply


def replies(core: Core) -> list[tuple[Job, Task]]:
    found = tasks(core, Action.FIRST_REPLY)
    return [(core.jobs.job(task.job_id), task) for task in found]


def test_a_new_friend_is_told_the_reply_once_ever(core: Core, phone: Handset, clock: FixedClock) -> None:
    decide(core, HELLO)
    ask(phone)
    accept(phone)
    assert [(job.greeting, job.source_name, task.query) for job, task in replies(core)] == [
        (HELLO.reply, "first reply 001", "小王")
    ]
    lease = phone.take()
    assert (lease.task.action, lease.job.greeting) == (Action.FIRST_REPLY, HELLO.reply)
    phone.say(armed(lease), over(lease, "not_done", "no_chat"))
    # Removed and asking again, with another reply by then: still nothing a second time.
    with core._ledger.work() as work:
        before = work.tx.tasks_of_contact(WX, "小王")[0]
        gone = replace(before, state=TaskState.NOT_DONE, outcome="expired", ended_at_ms=work.now_ms)
        work.tx.save_task(gone)
    decide(core, replace(HELLO, reply="欢迎"))
    clock.advance(4 * DAY_MS)
    phone.beat()
    ask(phone)
    accept(phone)
    assert len(replies(core)) == 1


def test_without_a_reply_and_without_acceptance_nothing_is_said(core: Core, phone: Handset) -> None:
    decide(core, ON)
    ask(phone)
    accept(phone)
    decide(core, HELLO)
    ask(phone, "老李")
    phone.say(over(phone.take(), "not_done", "expired", was_armed=False))
    assert replies(core) == []


def test_the_index_alone_keeps_a_second_reply_away(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(core, HELLO)
    ask(phone)
    lease = accept(phone)
    monkeypatch.setattr(accepting, "person", lambda key, _: person(key, "nobody"))
    with core._ledger.work() as work:
        accepting.say_first(work, work.tx.tasks(lease.job.id)[0])
    assert len(replies(core)) == 1
