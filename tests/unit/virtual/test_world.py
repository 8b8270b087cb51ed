"""The shared world: requests, friends, chats and warnings by the scenario's clock."""

import pytest

from agent.virtual.accounts import RequestState
from agent.virtual.people import plain_query
from agent.virtual.scenario import parse_scenario
from agent.virtual.world import Answer, World
from tests.support.hand import SCENARIOS, START_MS

TALK = """
[phones_like]
count = 2
[[people]]
nickname = "甲"
mobile = "13800000001"
accepts_after_s = 10
[[people]]
nickname = "乙"
wechat_id = "yi"
friend_of = ["all"]
requested_by = []
[[says]]
peer = "yi"
texts = ["一", "二"]
at_s = 2
every_s = 3
times = 2
[[says]]
peer = "yi"
accounts = ["farm_002"]
texts = ["无尽"]
at_s = 100
every_s = 1
times = 0
[[says]]
peer = "yi"
side = "out"
texts = ["手写"]
at_s = 1
"""


class Clock:
    def __init__(self):
        self.now_ms = START_MS

    def __call__(self):
        return self.now_ms


@pytest.fixture
def clock():
    return Clock()


def made(clock, text=TALK, **options):
    return World(parse_scenario(text), clock, **options)


def go(world, clock, seconds):
    clock.now_ms += round(seconds * 1000)
    world.step(clock.now_ms)


def counts(world, account_id="farm_001"):
    return [one["count"] for one in world.truth.of(account_id).requests.values()]


@pytest.mark.parametrize(
    "query",
    ["13800000001", "+86 138 0000 0001", "86-138-0000-0001", "0086 13800000001", " 1380000 0001\u00a0"],
)
def test_mobiles_are_found_in_every_way_of_writing(clock, query):
    assert made(clock).person(query).nickname == "甲"


def test_ids_are_found_without_regard_to_case_and_are_not_taken_for_mobiles():
    assert plain_query(" Yi_88 ") == "yi_88"
    assert plain_query("8613") == "8613"


def test_a_request_is_accepted_when_its_time_has_come(clock):
    world = made(clock)
    account, person = world.accounts["farm_001"], world.person("13800000001")
    assert world.send_request(account, person, "你好", "甲的备注") is Answer.SENT
    go(world, clock, 9.9)
    assert person.key not in account.friends
    assert account.requests[0].state is RequestState.WAITING
    go(world, clock, 0.2)
    assert account.friends[person.key] == "甲的备注"
    assert account.requests[0].state is RequestState.ACCEPTED
    chat = account.chats[person.key]
    assert (chat.title, chat.unread, chat.lines[-1].side) == ("甲的备注", 1, "system")
    assert chat.lines[-1].text == "我通过了你的朋友验证请求，现在我们可以开始聊天了"


def test_a_second_request_to_the_same_person_counts_again_and_is_one_friend(clock):
    world = made(clock)
    account, person = world.accounts["farm_001"], world.person("13800000001")
    for _ in range(2):
        world.send_request(account, person, "你好", "")
    assert counts(world) == [2]
    assert len(account.requests) == 1
    go(world, clock, 60)
    assert [line.side for line in account.chats[person.key].lines].count("system") == 1


def test_accounts_do_not_share_friends_or_counters(clock):
    world = made(clock)
    world.send_request(world.accounts["farm_001"], world.person("13800000001"), "你好", "")
    go(world, clock, 60)
    assert counts(world, "farm_002") == []
    assert "13800000001" not in world.accounts["farm_002"].friends


def test_scripted_talk_comes_on_time_from_both_sides(clock):
    world = made(clock)
    chat = world.accounts["farm_001"].chat("yi", "乙")
    go(world, clock, 1.5)
    assert [(line.side, line.text) for line in chat.lines] == [("out", "手写")]
    assert chat.unread == 0
    go(world, clock, 30)
    assert [line.text for line in chat.lines] == ["手写", "一", "二", "一", "二"]
    assert chat.unread == 4


def test_endless_talk_goes_on_without_filling_the_plan(clock):
    world = made(clock)
    for _ in range(130):
        go(world, clock, 1)
    assert [line.text for line in world.accounts["farm_002"].chats["yi"].lines].count("无尽") == 31
    assert world.next_due_ms() == START_MS + 131_000


def test_an_idle_world_has_nothing_due(clock):
    world = made(clock, "[phones_like]\ncount=3")
    assert world.next_due_ms() is None


def test_time_scale_shortens_waiting(clock):
    world = made(clock, time_scale=0.1)
    world.send_request(world.accounts["farm_001"], world.person("13800000001"), "你好", "")
    go(world, clock, 1.1)
    assert "13800000001" in world.accounts["farm_001"].friends


def test_over_the_limit_nothing_is_sent_and_the_account_is_warned(clock):
    world = World(parse_scenario((SCENARIOS / "stops.toml").read_text()), clock)
    account = world.accounts["acc_limit"]
    assert world.send_request(account, world.person("13800000001"), "你好", "") is Answer.SENT
    assert world.send_request(account, world.person("13800000002"), "你好", "") is Answer.WARNED
    assert counts(world, "acc_limit") == [1]
    assert [one.warning for one in account.notices] == ["TOO_FREQUENT"]
    assert world.truth.of("acc_limit").warnings[0]["warning"] == "TOO_FREQUENT"


def test_a_warning_may_come_after_a_request_that_was_sent(clock):
    world = World(parse_scenario((SCENARIOS / "stops.toml").read_text()), clock)
    account = world.accounts["acc_later"]
    assert not account.notices
    assert world.send_request(account, world.person("13800000001"), "你好", "") is Answer.SENT
    assert [one.warning for one in account.notices] == ["RISK_ACCOUNT"]
    world.send_request(account, world.person("13800000002"), "你好", "")
    assert len(account.notices) == 1


def test_expected_outcomes_name_the_past_of_each_account(clock):
    world = World(parse_scenario((SCENARIOS / "friends.toml").read_text()), clock)
    assert world.expected["13800000001"] == "requested"
    assert world.expected["13800000003"] == "added"
    assert world.expected["oldfriend"] == world.expected["13800000009"] == "requested"
    assert world.expected_by_account["farm_001"] == {
        "13800000009": "already_friend",
        "oldfriend": "already_friend",
    }
    assert world.expected_by_account["farm_002"] == {"13800000010": "already_requested"}


def test_a_step_planned_earlier_than_all_others_wakes_the_owner(clock):
    world = made(clock)
    calls = []
    world.on_schedule = lambda: calls.append(world.next_due_ms())
    world.schedule(START_MS + 500, lambda: None)
    world.schedule(START_MS + 900_000, lambda: None)
    assert calls == [START_MS + 500]


def test_a_like_is_a_toggle_and_both_taps_count(clock):
    world = World(parse_scenario((SCENARIOS / "chats.toml").read_text()), clock)
    account = world.accounts["farm_001"]
    post = next(one for one in world.timeline(account) if not one.is_ad)
    world.toggle_like(account, post)
    assert list(post.likes.values()) == ["话多", "客服01"]
    world.toggle_like(account, post)
    assert list(post.likes.values()) == ["话多"]
    entry = world.truth.of("farm_001").likes[post.post_id]
    assert (entry["count"], entry["taken_back"]) == (2, 1)


def test_a_request_from_before_the_start_may_be_accepted(clock):
    person = "nickname='甲'\nmobile='1'\nrequested_by=['all']\naccepts_after_s=3"
    text = f"[phones_like]\ncount=1\n[[people]]\n{person}"
    world = made(clock, text)
    go(world, clock, 2)
    assert not world.accounts["farm_001"].friends
    go(world, clock, 2)
    assert "1" in world.accounts["farm_001"].friends
    assert counts(world) == []
