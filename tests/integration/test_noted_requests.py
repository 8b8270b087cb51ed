"""What was read of the page of new friends before a task serves that task, and no second one."""

from __future__ import annotations

from agent.model import FriendAdd
from agent.virtual.scenario import load_scenario
from agent.wechat.friends import add_friend
from agent.wechat.newfriends import note_requests
from tests.support.commits import commit_of
from tests.support.hand import SCENARIOS
from tests.support.handset import handsets

WANTED = FriendAdd(query="13800000002", query_kind="mobile", greeting="您好", remark="")


def test_a_note_from_before_a_request_does_not_hide_it_from_the_next_task(one_adb):
    with handsets(load_scenario(SCENARIOS / "friends.toml"), one_adb) as hands:
        virtual = hands.farm.phones[0]
        phone = hands.open(virtual)
        note_requests(phone)
        assert add_friend(phone, WANTED, commit_of(phone)).outcome == "requested"
        assert add_friend(phone, WANTED, commit_of(phone)).outcome == "already_requested"
        assert hands.requests(virtual) == {WANTED.query: 1}
