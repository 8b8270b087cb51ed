"""The home page of the virtual WeChat and its traps."""

import pytest

from agent.virtual.ui import Rect
from tests.support.hand import Hand


@pytest.fixture
def hand():
    return Hand("chats")


def rows(hand):
    return hand.role("chat_list_row")


def names(hand):
    return [node.text for node in hand.role("chat_row_name")]


def previews(hand):
    return dict(zip(names(hand), [node.text for node in hand.role("chat_row_preview")], strict=False))


def test_the_chats_word_stands_three_times_and_the_tab_is_the_lowest(hand):
    found = [node for node in hand.nodes() if node.text.startswith("微信")]
    assert len(found) == 3
    assert max(found, key=lambda node: node.bounds.top).rid == hand.app.stage.table.rid("home_tab_text")


def test_rows_are_drawn_on_a_canvas(hand):
    texts = [*hand.role("chat_row_name"), *hand.role("chat_row_preview"), *hand.role("chat_row_time")]
    assert texts
    assert {node.cls for node in texts} == {"android.view.View"}


def test_the_last_rows_lie_under_the_tab_bar(hand):
    for n in range(14):
        hand.world.say(
            hand.account, hand.account.chat(f"ck_{n + 1:02}", f"常客{n + 1:02}"), "你好", side="in"
        )
    hand.wait()
    bar = hand.role("home_tab_bar")[0].bounds
    last = rows(hand)[-1]
    assert last.bounds.bottom == 2340
    assert last.bounds.height < 222
    x, y = (last.bounds.left + last.bounds.right) / 2, (last.bounds.top + last.bounds.bottom) / 2
    assert bar.contains(x, y)
    hand.touch(last)
    assert hand.app.stage.page.screen == "home"
    assert hand.role("moments_entry")  # the tab under the finger took the touch, not the row
    hand.tap("微信")
    for _ in range(2):
        hand.app.swipe(540, 2000, 540, 500)
    assert rows(hand)[-1].bounds.bottom == bar.top
    assert names(hand)[-1] == "订阅号消息"


def test_muted_chats_have_a_dot_and_a_count_in_the_preview(hand):
    assert previews(hand)["售后群"] == "[4条] 欢迎"
    assert [node.text for node in hand.role("chat_row_unread")] == ["25", "2"] or len(
        hand.role("chat_row_unread")
    ) == 2
    assert len(hand.role("chat_row_dot")) == 1
    assert hand.role("home_tab_badge")[0].text == "27"


def test_a_new_message_moves_its_chat_to_the_top(hand):
    assert names(hand)[0] != "话多"
    hand.world.say(hand.account, hand.account.chats["huaduo"], "有货吗😀", side="in")
    hand.wait()
    assert names(hand)[0] == "话多"
    assert previews(hand)["话多"] == "有货吗😀"
    assert rows(hand)[0].bounds.top == 220


def test_the_window_still_names_a_page_that_was_left(hand):
    hand.tap("小满😊")
    hand.back()
    assert hand.app.windows()[0].desc == "当前所在页面,小满😊"
    assert hand.role("home_tab")


def test_a_chat_opened_from_the_list_stays_in_the_home_activity(hand):
    home = hand.app.activity()
    hand.tap("小满😊")
    assert hand.app.activity() == home == "com.tencent.mm.ui.LauncherUI"
    assert hand.role("chat_title")[0].text == "小满😊"
    hand.back()
    hand.tap("通讯录")
    hand.tap("小满😊")
    assert hand.app.activity().endswith("ContactInfoUI")
    hand.tap("发消息")
    assert hand.app.activity().endswith("chatting.ChattingUI")


def test_the_old_page_stays_in_sight_until_the_new_one_is_drawn(hand):
    before = hand.texts()
    hand.touch_only(hand.all("小满😊")[0])
    assert hand.texts() == before
    hand.wait(0.05)
    assert hand.texts() == before
    hand.wait(0.5)
    assert hand.role("chat_title")


def test_a_touch_meant_for_the_old_page_reaches_the_new_one(hand):
    row = hand.all("小满😊")[0]
    hand.touch_only(row)
    hand.touch_only(row)
    hand.wait()
    assert hand.role("chat_title")[0].text == "小满😊"
    assert len(hand.app.stage.stack) == 2


def test_back_on_home_leaves_the_app(hand):
    hand.tap("更多功能按钮")
    assert hand.all("添加朋友")
    assert hand.back() is True
    assert not hand.all("添加朋友")
    assert hand.back() is False


def test_tabs_show_their_own_pages(hand):
    hand.tap("我")
    assert hand.role("me_wechat_id")[0].text == "微信号：farm_001"
    assert hand.role("me_nickname")[0].cls == "android.view.View"
    hand.tap("发现")
    assert hand.role("moments_entry")
    hand.tap("通讯录")
    assert "常客01" in hand.texts()
    hand.tap("微信")
    assert hand.role("chat_list")


def test_every_node_lies_inside_its_parent_and_the_screen(hand):
    def check(node, area):
        assert area.clip(node.bounds) == node.bounds, (node.cls, node.bounds, area)
        for child in node.children:
            check(child, node.bounds)

    for label in ("微信", "通讯录", "发现", "我"):
        hand.tap(label)
        for root in hand.app.windows():
            check(root, Rect(0, 0, 1080, 2340))


def test_the_global_search_finds_contacts_by_name(hand):
    hand.tap("搜索")
    hand.type("常客0")
    assert len(hand.role("search_result_name")) == 3
    hand.tap("更多联系人")
    assert len(hand.role("search_result_name")) == 9
    hand.tap("常客03")
    assert hand.role("chat_title")[0].text == "常客03"


def test_notifications_are_those_of_unread_chats_that_are_not_muted(hand):
    shown = {one.title: one for one in hand.app.notifications()}
    assert set(shown) == {"小满😊", "话多"}
    assert shown["小满😊"].text == "[2条]小满😊: 好的"
    hand.tap("小满😊")
    assert "小满😊" not in {one.title for one in hand.app.notifications()}


def test_a_folder_opens_without_a_line_to_type_in(hand):
    hand.tap("订阅号消息")
    assert hand.all("返回")
    assert not hand.role("chat_input")
