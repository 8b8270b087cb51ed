"""The virtual client's pages about people: tags, remarks, accepting, finding, and what the world counts."""

import pytest

from agent.virtual.scenario import parse_scenario
from agent.virtual.wechat.client import WeChat
from agent.virtual.world import World
from tests.support.hand import START_MS, Hand

SCENE = """
tags = ["老客户"]
[phones_like]
count = 1
[[people]]
nickname = "小满😊"
wechat_id = "f0"
friend_of = ["all"]
tags = ["VIP"]
[[people]]
nickname = "想加我"
wechat_id = "p1"
[[incoming]]
person = "p1"
greeting = "你好"
[[people]]
nickname = "过期不知"
wechat_id = "p2"
[[incoming]]
person = "p2"
is_stale = true
[[chats]]
peer = "f0"
refuses = "failed"
lines = [{ text = "在吗" }]
[[chats]]
kind = "group"
title = "小满😊的群"
members = 3
lines = [{ text = "小满😊来了", sender = "甲" }]
"""


class People(Hand):
    """A hand on a client of this file's scenario."""

    def __init__(self, client: str = "") -> None:
        self.now_ms = START_MS
        scene = parse_scenario(SCENE.replace("[phones_like]", f"{client}\n[phones_like]"))
        self.world = World(scene, lambda: self.now_ms)
        self.app = WeChat(self.world, "farm_001")
        self.account = self.world.accounts["farm_001"]
        self.app.launch()
        self.wait()

    def truth(self):
        return self.world.truth.phones()[0]

    def to_remark(self):
        self.tap("通讯录")
        self.tap("小满😊")
        self.tap("设置备注和标签")


@pytest.fixture
def hand():
    return People()


def test_tags_and_remark_are_saved_by_the_button_only(hand):
    hand.to_remark()
    assert "VIP" in hand.texts()
    hand.app.set_text(next(one for one in hand.nodes() if one.cls.endswith("EditText")), "李总")
    hand.wait()
    hand.tap("VIP")
    hand.tap("老客户")
    field = next(one for one in hand.nodes() if one.cls.endswith("EditText"))
    hand.app.set_text(field, "新来的")
    hand.wait()
    hand.tap("完成")
    assert "VIP，老客户，新来的" in hand.texts()
    assert (hand.account.tagged["f0"], hand.truth()["marks"]) == (("VIP",), [])
    hand.tap("完成")
    assert hand.account.tagged["f0"] == ("VIP", "老客户", "新来的")
    assert hand.account.tags == ["老客户", "VIP", "新来的"]
    (row,) = hand.truth()["marks"]
    assert (row["peer"], row["remark"], row["count"]) == ("f0", "李总", 1)
    assert hand.role("profile_name")[0].text == "李总"
    assert "昵称: 小满😊" in hand.texts()
    assert "VIP，老客户，新来的" in hand.texts()


def test_leaving_the_tags_by_the_arrow_changes_nothing(hand):
    hand.to_remark()
    hand.tap("VIP")
    hand.tap("老客户")
    hand.back()
    assert "VIP" in hand.texts()
    assert "VIP，老客户" not in hand.texts()


def test_a_tag_is_taken_back_by_a_second_touch(hand):
    hand.to_remark()
    hand.tap("VIP")
    hand.tap("VIP")
    hand.tap("完成")
    assert "添加标签" in hand.texts()


@pytest.mark.parametrize("opens", ["page", "profile", "friends"])
def test_clients_differ_in_where_accepting_leads(opens):
    hand = People(f'[client]\naccept_opens = "{opens}"')
    hand.tap("通讯录")
    hand.tap("新的朋友")
    hand.touch(next(one for one in hand.all("接受") if one.arg == "p1"))
    if opens == "profile":
        hand.tap("前往验证")
    if opens != "friends":
        assert hand.truth()["accepted"] == []
        hand.tap("完成")
    (row,) = hand.truth()["accepted"]
    assert (row["peer"], row["count"]) == ("p1", 1)


def test_a_request_only_the_platform_knows_to_be_expired_is_refused(hand):
    hand.tap("通讯录")
    hand.tap("新的朋友")
    hand.touch(next(one for one in hand.all("接受") if one.arg == "p2"))
    hand.tap("完成")
    assert hand.app.take_toast() == "朋友请求已过期，请主动添加对方"
    assert hand.all("已过期")
    assert "p2" not in hand.account.friends


def test_a_message_that_does_not_go_out_bears_a_mark(hand):
    hand.tap("小满😊")
    before = len([one for one in hand.nodes() if one.cls.endswith("ImageView")])
    hand.touch(hand.role("chat_input")[0])
    hand.type("您好")
    hand.tap("发送")
    pictures = len([one for one in hand.nodes() if one.cls.endswith("ImageView")])
    assert pictures == before + 2  # the own picture and the mark
    (row,) = hand.truth()["said"]
    assert (row["peer"], row["count"]) == ("f0", 1)


def test_the_search_keeps_contacts_groups_and_messages_apart(hand):
    hand.tap("搜索")
    hand.type("小满😊")
    texts = hand.texts()
    places = [texts.index(head) for head in ("联系人", "群聊", "聊天记录", "搜索网络结果")]
    assert places == sorted(places)
    assert texts.count("小满😊的群") == 2


def test_the_page_about_a_chat_leads_to_the_peer(hand):
    hand.tap("小满😊")
    hand.tap("更多信息")
    assert hand.all("清空聊天记录")
    hand.touch(min(hand.all("小满😊"), key=lambda one: one.bounds.top))
    assert hand.role("profile_name")[0].text == "小满😊"
