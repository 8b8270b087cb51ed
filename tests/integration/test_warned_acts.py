"""A warning that answers a like, an acceptance or a message: one tap was made, and none follows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agent.errors import LoggedOut, PlatformWarning
from agent.model import Action, Ended, FirstReply, FriendAccept, MomentsLike
from agent.phone import Phone
from agent.virtual.farm import VirtualPhone
from agent.virtual.scenario import parse_scenario
from agent.wechat import flows
from tests.support.adb import AdbServer
from tests.support.commits import commit_of
from tests.support.handset import Handsets, handsets

WORLD = """
[[people]]
nickname = "小满"
mobile = "13800000001"
friend_of = ["all"]
[[people]]
nickname = "操作频繁，请稍后再试"
mobile = "13800000002"
[[posts]]
author = "13800000001"
text = "操作过于频繁，请稍后再试"
[[chats]]
peer = "13800000001"
lines = [{text = "账号存在安全风险，请完成实名认证"}]
[[incoming]]
person = "13800000002"
greeting = "操作过于频繁，请稍后再试"
"""
LIKE = MomentsLike(peer_name="小满", max_age_days=3)
ACCEPT = FriendAccept(peer_name="操作频繁，请稍后再试")
REPLY = FirstReply(peer_name="小满", text="您好")
ACTS: dict[str, Action] = {"like": LIKE, "accept": ACCEPT, "reply": REPLY}
# What counts as done: taps that had an effect.
EFFECTS = {"like": "likes", "accept": "accepted", "reply": "sent"}

STOPS = [
    pytest.param(at, surface, warning, id=f"{at}-{surface}-{warning}")
    for at in ACTS
    for surface, warning in (("dialog", "TOO_FREQUENT"), ("toast", "TOO_FREQUENT"), ("dialog", "REALNAME"))
]
# Each test has a phone of its own; the last ones are of the tests with one case.
COUNT = len(STOPS) + 7


@pytest.fixture(scope="module")
def hands(one_adb: AdbServer) -> Iterator[Handsets]:
    with handsets(parse_scenario(WORLD), one_adb, count=COUNT, time_scale=0) as made:
        yield made


@pytest.fixture(scope="module")
def phones(hands: Handsets) -> Iterator[VirtualPhone]:
    return iter(hands.farm.phones)


class Desk:
    """One phone and what really happened on it."""

    def __init__(self, hands: Handsets, virtual: VirtualPhone) -> None:
        self.hands, self.virtual = hands, virtual
        self.phone: Phone = hands.open(virtual)

    def warn(self, warning: str, surface: str, at: str, **more: Any) -> None:
        self.hands.farm.warn(self.virtual.account_id, warning, surface, at=at, **more)  # type: ignore[arg-type]  # a plain word

    def act(self, action: Action) -> Ended:
        return flows.act(self.phone, action, commit_of(self.phone))

    def truth(self) -> dict[str, Any]:
        return self.hands.truth(self.virtual)


@pytest.fixture
def desk(hands: Handsets, phones: Iterator[VirtualPhone]) -> Iterator[Desk]:
    made = Desk(hands, next(phones))
    yield made
    made.phone.close()


@pytest.mark.parametrize(("at", "surface", "warning"), STOPS)
def test_a_warning_at_the_tap_stops_the_account(desk: Desk, at: str, surface: str, warning: str) -> None:
    desk.warn(warning, surface, at, standing=True)
    with pytest.raises(PlatformWarning) as warned:
        desk.act(ACTS[at])
    assert (warned.value.warning, warned.value.surface) == (warning, surface)
    truth = desk.truth()
    assert (truth[EFFECTS[at]], truth["refused"], truth["after_warning"]) == ([], {at: 1}, 0)


@pytest.mark.parametrize("at", list(ACTS))
def test_words_of_others_stop_nothing(desk: Desk, at: str) -> None:
    assert desk.act(ACTS[at]).result == "done"
    assert len(desk.truth()[EFFECTS[at]]) == 1


def test_who_blocks_us_in_moments_ends_this_like_only(desk: Desk) -> None:
    desk.warn("MOMENTS_BLOCKED", "toast", "like")
    ended = desk.act(LIKE)
    assert (ended.result, ended.outcome) == ("not_done", "blocked_by_peer")
    assert desk.truth()["likes"] == []


@pytest.mark.parametrize(
    ("warning", "outcome"), [("NOT_FRIEND", "not_friends"), ("REJECTED", "rejected_by_peer")]
)
def test_a_grey_line_after_our_message_answers_about_the_peer(desk: Desk, warning: str, outcome: str) -> None:
    desk.warn(warning, "system_line", "reply")
    assert desk.act(REPLY).outcome == outcome
    assert len(desk.truth()["sent"]) == 1


def test_signed_out_at_the_tap_waits_for_a_person(desk: Desk) -> None:
    desk.warn("LOGIN_EXPIRED", "page", "accept")
    with pytest.raises(LoggedOut):
        desk.act(ACCEPT)
    assert desk.truth()["accepted"] == []
