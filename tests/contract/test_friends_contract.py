"""Friends kept from what tasks came to; likes and marks of friends; over both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controller import obstacles
from controller.clock import DAY_MS, FixedClock
from controller.core import Core
from controller.errors import BadRequest, BadRows, SafetyRefusal, UnknownPhone
from controller.model import (
    AccountId,
    Action,
    Customer,
    JobState,
    Lease,
    PhoneId,
    QueryKind,
    TaskState,
)
from controller.people import Friend
from protos.facts import FriendAccepted, TaskEnded
from tests.support.backends import Backend
from tests.support.clock import START_MS
from tests.support.corefarm import EVERYTHING, Handset, armed, customers, handset, over, submit

WX1, WX2 = AccountId("wx001"), AccountId("wx002")
P1, P2 = PhoneId("001"), PhoneId("002")


@pytest.fixture
def core(backend: Backend) -> Core:
    made = backend.core(quota_rules=EVERYTHING)
    made.notices.record("王芳", version="1", how="paper", actor="op")
    return made


@pytest.fixture
def clock(backend: Backend) -> FixedClock:
    return backend.clock


@pytest.fixture
def phone(core: Core) -> Handset:
    return handset(core, 1, holder="王芳")


def mark(name: str, *tags: str, remark: str = "", phone_id: PhoneId = P1, row_no: int = 1) -> Customer:
    return Customer(
        row_no=row_no,
        query=name,
        query_kind=QueryKind.NAME,
        basis="",
        basis_at="",
        remark=remark,
        pinned_phone_id=phone_id,
        tags=tags,
    )


def befriend(core: Core, phone: Handset, *names: str, tags: tuple[str, ...] = ("vip",)) -> None:
    """Let contacts be known with tags, as marks tell them."""
    core.jobs.submit_marks(
        [mark(name, *tags, phone_id=phone.phone_id, row_no=row_no) for row_no, name in enumerate(names, 1)],
        source_name="marks",
        actor="op",
    )
    for _ in names:
        lease = phone.take()
        phone.say(armed(lease), over(lease, "done", "marked"))


def known(core: Core, account_id: AccountId = WX1) -> list[tuple[str, str, tuple[str, ...], str]]:
    return [(f.peer_name, f.target, f.tags, f.how) for f in core.friends.of(account_id)]


# ---- what makes a friend


def test_a_request_makes_a_friend_when_it_is_accepted(core: Core, phone: Handset, clock: FixedClock) -> None:
    core.jobs.submit_friend_adds(
        [replace(customers(1)[0], tags=("vip", "cn"))], pool=[P1], greeting="", source_name="x", actor="op"
    )
    lease = phone.take()
    phone.say(armed(lease), over(lease, peer="小王"))
    assert known(core) == []
    clock.advance(1_000)
    phone.say(FriendAccepted(conversation_title="c0", how="system_line"), account_id=WX1)
    friends = core.friends.of(WX1)
    assert known(core) == [("c0", "13900000000", ("cn", "vip"), "accepted")]
    assert friends[0].since_ms == START_MS + 1_000
    clock.advance(1_000)
    phone.say(FriendAccepted(conversation_title="c0", how="new_friends"), account_id=WX1)
    assert core.friends.of(WX1) == friends
    assert [(f.account_id, f.peer_name) for f in core.friends.tagged("vip")] == [(WX1, "c0")]
    assert core.friends.tagged("gold") == []


@pytest.mark.parametrize(
    ("result", "outcome", "friend"),
    [
        ("done", "added", [("c0", "13900000000", (), "added")]),
        ("done", "requested", []),
        ("not_done", "already_friend", [("小王", "13900000000", (), "already_friend")]),
        ("not_done", "not_found", []),
        ("unknown", "answer_lost", []),
    ],
)
def test_the_end_of_an_add_tells_of_a_friend_or_not(
    core: Core, phone: Handset, result: str, outcome: str, friend: list[Any]
) -> None:
    submit(core, 1, [phone])
    lease = phone.take()
    phone.say(armed(lease), over(lease, result, outcome, peer="小王"))
    assert known(core) == friend


def test_who_accepts_a_request_made_by_hand_is_a_friend_too(core: Core, phone: Handset) -> None:
    phone.say(FriendAccepted(conversation_title="老李", how="system_line"), account_id=WX1)
    assert known(core) == [("老李", "", (), "system_line")]


def test_of_two_people_under_one_title_nobody_is_said_to_have_accepted(core: Core, phone: Handset) -> None:
    rows = [replace(row, remark="") for row in customers(2)]
    core.jobs.submit_friend_adds(rows, pool=[P1], greeting="", source_name="x", actor="op")
    for _ in rows:
        lease = phone.take()
        phone.say(armed(lease), over(lease, peer="小王"))
    phone.say(FriendAccepted(conversation_title="小王", how="system_line"), account_id=WX1)
    assert known(core) == []


def test_a_request_is_found_by_the_friend_that_bears_its_title_now(core: Core, phone: Handset) -> None:
    submit(core, 1, [phone])
    lease = phone.take()
    phone.say(armed(lease), over(lease, peer="小王"))
    with core._ledger.work() as work:  # as after a mark that renamed the contact before it accepted
        friend = Friend(
            account_id=WX1, peer_name="金牌小王", target="13900000000", since_ms=START_MS, how="marked"
        )
        work.tx.save_friend(friend)
    phone.say(FriendAccepted(conversation_title="金牌小王", how="system_line"), account_id=WX1)
    assert core.jobs.counts(lease.job.id) == {"accepted": 1}


def test_without_a_notice_nobody_is_known_to_have_accepted(core: Core) -> None:
    untold = handset(core, 2)
    untold.say(FriendAccepted(conversation_title="老李", how="system_line"), account_id=WX2)
    assert known(core, WX2) == []


# ---- marks


def test_a_mark_names_a_contact_anew_and_adds_to_its_tags(core: Core, phone: Handset) -> None:
    befriend(core, phone, "小王", tags=("vip",))
    made = core.jobs.submit_marks(
        [mark("小王", "gold", remark="王小明")], source_name="more marks", actor="op"
    )
    lease = phone.take()
    assert (lease.task.action, lease.task.query, lease.task.remark, lease.task.tags) == (
        Action.CONTACT_MARK,
        "小王",
        "王小明",
        ("gold",),
    )
    phone.say(armed(lease), over(lease, "done", "marked"))
    assert known(core) == [("王小明", "", ("gold", "vip"), "marked")]
    assert core.jobs.job(made.job.id).state is JobState.ENDED


def test_the_same_marks_on_one_day_are_one_job_and_may_be_set_again_later(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    rows = [mark("小王", "vip"), mark("老李", "vip", row_no=2), mark("小王", "vip", row_no=3)]
    first = core.jobs.submit_marks(rows, source_name="m", actor="op")
    assert [(p.row_no, p.problem) for p in first.skipped] == [(3, "stands twice in this list")]
    assert not core.jobs.submit_marks(rows, source_name="m", actor="op").is_new
    clock.advance(DAY_MS)
    assert core.jobs.submit_marks(rows, source_name="m", actor="op").is_new


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (mark("小王"), BadRequest),
        (mark(" ", "vip"), BadRequest),
        (replace(mark("小王", "vip"), pinned_phone_id=None), BadRequest),
        (replace(mark("小王", "vip"), query_kind=QueryKind.MOBILE), BadRequest),
        (mark("小王", "vip", phone_id=PhoneId("099")), UnknownPhone),
        (mark("小王", "vip", phone_id=PhoneId("003")), BadRequest),
    ],
    ids=["nothing_to_set", "no_name", "no_phone", "not_a_name", "unknown_phone", "no_account"],
)
def test_a_mark_that_names_nobody_is_refused(
    core: Core, phone: Handset, row: Customer, error: type[Exception]
) -> None:
    handset(core, 3, can_act=False)
    with pytest.raises(error):
        core.jobs.submit_marks([row], source_name="m", actor="op")
    assert core.jobs.jobs() == []


# ---- likes


def like(core: Core, *pool: PhoneId, tag: str = "vip", days: int = 3) -> Any:
    return core.jobs.submit_moments_likes(
        tag=tag, pool=pool, max_age_days=days, source_name="likes", actor="op"
    )


def liked(lease: Lease, post: str, *, result: str = "done", outcome: str = "liked") -> TaskEnded:
    return replace(over(lease, result, outcome), object_key=post)


def test_each_friend_with_the_tag_gets_one_like_from_its_own_phone(core: Core, phone: Handset) -> None:
    other = handset(core, 2)
    befriend(core, phone, "小王", "老李")
    befriend(core, phone, "路人", tags=("other",))
    befriend(core, other, "小王")
    plan = core.jobs.plan_moments_likes(tag="vip", pool=[P1, P2], max_age_days=3)
    assert {(line.phone_id, line.rows) for line in plan.lines} == {(P1, 2), (P2, 1)}
    made = like(core, P1, P2)
    tasks = core.jobs.tasks(made.job.id)
    assert [(t.query, t.query_kind, t.pinned_phone_id, t.pinned_account_id) for t in tasks] == [
        ("小王", QueryKind.NAME, P1, WX1),
        ("老李", QueryKind.NAME, P1, WX1),
        ("小王", QueryKind.NAME, P2, WX2),
    ]
    lease = phone.take()
    assert (lease.task.action, lease.job.max_age_days, lease.known_posts) == (Action.MOMENTS_LIKE, 3, ())
    phone.say(armed(lease), liked(lease, "post-1"))
    task = core.jobs.tasks(made.job.id)[0]
    assert (task.state, task.outcome, task.object_key) == (TaskState.DONE, "liked", "post-1")


def test_the_next_job_is_told_which_posts_were_met(core: Core, phone: Handset, clock: FixedClock) -> None:
    befriend(core, phone, "小王")
    assert like(core, P1).is_new
    assert not like(core, P1).is_new
    lease = phone.take()
    phone.say(armed(lease), liked(lease, "post-1"))
    clock.advance(DAY_MS)
    phone.beat()
    assert like(core, P1).is_new
    assert phone.take().known_posts == ("post-1",)


def test_a_like_that_was_not_made_is_tried_by_the_same_account(
    core: Core, phone: Handset, clock: FixedClock
) -> None:
    befriend(core, phone, "小王")
    made = like(core, P1)
    lease = phone.take()
    phone.say(armed(lease), over(lease, "not_done", "not_sent"))
    task = core.jobs.tasks(made.job.id)[0]
    assert (task.state, task.pinned_phone_id, task.pinned_account_id) == (TaskState.QUEUED, P1, WX1)
    clock.advance(60_000)
    phone.beat()
    assert phone.take().task.attempt == 2


def test_a_friend_who_must_not_be_contacted_gets_no_like(
    core: Core, phone: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.jobs.submit_friend_adds(
        [replace(row, tags=("vip",)) for row in customers(2)],
        pool=[P1],
        greeting="",
        source_name="x",
        actor="op",
    )
    for _ in range(2):
        lease = phone.take()
        phone.say(armed(lease), over(lease, "done", "added", peer="p"))
    core.contacts.suppress("13900000000", reason="asked", source="", actor="op")
    made = like(core, P1)
    assert [problem.problem for problem in made.skipped] == ["must not be contacted"]
    assert [task.query for task in core.jobs.tasks(made.job.id)] == ["c1"]
    core.contacts.suppress("13900000001", reason="asked", source="", actor="op")
    assert [t.cause for t in core.jobs.tasks(made.job.id)] == ["suppressed"]
    core.contacts.release("13900000001", reason="wants it", actor="op")
    again = like(core, P1, days=2).job
    core.contacts.forget("13900000001", reason="asked", actor="op")
    assert phone.lease() is None
    assert [t.query for t in core.jobs.tasks(again.id)] == [""]
    assert obstacles.FORGOTTEN in {t.cause for t in core.jobs.tasks(again.id)}


@pytest.mark.parametrize(
    ("tag", "pool", "days", "error"),
    [
        ("", [P1], 3, BadRequest),
        ("vip", [], 3, BadRequest),
        ("vip", [P1], 0, BadRequest),
        ("vip", [P1], 31, BadRequest),
        ("vip", [PhoneId("099")], 3, UnknownPhone),
        ("nobody", [P1], 3, BadRows),
    ],
    ids=["no_tag", "no_pool", "no_days", "too_many_days", "unknown_phone", "nobody"],
)
def test_likes_for_nobody_are_refused(
    core: Core, phone: Handset, tag: str, pool: list[PhoneId], days: int, error: type[Exception]
) -> None:
    befriend(core, phone, "小王")
    jobs = len(core.jobs.jobs())
    with pytest.raises(error):
        like(core, *pool, tag=tag, days=days)
    with pytest.raises(error):
        core.jobs.plan_moments_likes(tag=tag, pool=pool, max_age_days=days)
    assert len(core.jobs.jobs()) == jobs


def test_likes_are_capped_as_lists_are(backend: Backend) -> None:
    core = backend.core(quota_rules=EVERYTHING)
    phone = handset(core, 1)
    befriend(core, phone, "小王", "老李")
    with pytest.raises(SafetyRefusal):
        like(backend.core(quota_rules=EVERYTHING, job_cap=1), P1)
