"""Chats of the virtual WeChat: pages of bubbles, scrolling, reading and sending."""

import pytest

from tests.support.hand import Hand


@pytest.fixture
def hand():
    return Hand("chats")


def seen(hand):
    return [node.text for node in hand.role("message_text")]


def test_bubbles_stand_on_their_sides(hand):
    hand.tap("小满😊")
    assert seen(hand) == ["早", "早上好", "好的", "好的"]
    peer, own = hand.role("message_text")[0].bounds, hand.role("message_text")[1].bounds
    assert peer.left < 200
    assert own.right > 880
    assert [node.desc for node in hand.role("message_avatar")] == [
        "小满😊头像",
        "客服01头像",
        "小满😊头像",
        "小满😊头像",
    ]


def test_opening_a_chat_reads_it(hand):
    assert hand.account.chats["xiaoman"].unread == 2
    hand.tap("小满😊")
    assert hand.account.chats["xiaoman"].unread == 0
    hand.wait(15)
    assert seen(hand)[-2:] == ["在吗", "好的"]
    assert hand.account.chats["xiaoman"].unread == 0
    hand.back()
    hand.world.say(hand.account, hand.account.chats["xiaoman"], "还在吗", side="in")
    assert hand.account.chats["xiaoman"].unread == 1


def test_a_chat_behind_another_app_is_not_read(hand):
    hand.tap("小满😊")
    hand.account.is_in_front = lambda: False
    hand.wait(15)
    assert hand.account.chats["xiaoman"].unread == 2
    hand.account.is_in_front = lambda: True
    hand.app.launch()
    assert hand.account.chats["xiaoman"].unread == 0


def test_a_long_chat_opens_at_its_end_and_scrolls_by_pixels(hand):
    hand.tap("话多")
    lines = [line.text for line in hand.account.chats["huaduo"].lines]
    assert seen(hand) == lines[-len(seen(hand)) :]
    middle = next(n for n in hand.role("message_item") if n.bounds.top > 600)
    text = middle.bounds
    hand.app.swipe(540, 800, 540, 1137)
    moved = [n.bounds for n in hand.role("message_item")]
    assert (0, text.top + 337, 1080, text.bottom + 337) in moved
    pages = 0
    while hand.app.stage.page.scroll_px or hand.app.stage.page.layout.first:
        hand.app.swipe(540, 600, 540, 2100)
        hand.wait()
        pages += 1
    assert pages > 8
    assert seen(hand) == lines[: len(seen(hand))]


def test_items_at_the_edges_are_cut(hand):
    hand.tap("话多")
    hand.app.swipe(540, 800, 540, 900)
    area = hand.role("chat_messages")[0].bounds
    items = [node.bounds for node in hand.role("message_item")]
    assert items[0].top == area.top
    assert items[-1].bottom == area.bottom
    assert items[0].height < 158 or items[-1].height < 158
    assert all(area.top <= one.top < one.bottom <= area.bottom for one in items)


def test_new_messages_do_not_move_a_page_that_was_scrolled_up(hand):
    hand.tap("话多")
    hand.app.swipe(540, 600, 540, 2100)
    before = seen(hand)
    hand.world.say(hand.account, hand.account.chats["huaduo"], "新来的", side="in")
    assert seen(hand) == before
    for _ in range(3):
        hand.app.swipe(540, 2100, 540, 600)
    assert seen(hand)[-1] == "新来的"
    hand.world.say(hand.account, hand.account.chats["huaduo"], "又一条", side="in")
    assert seen(hand)[-1] == "又一条"


def test_many_unread_messages_stand_below_a_divider(hand):
    hand.tap("话多")
    while "以下为新消息" not in hand.texts():
        hand.app.swipe(540, 600, 540, 1500)
        hand.wait()
    divider = hand.all("以下为新消息")[0]
    first_new = min(
        (node for node in hand.role("message_text") if node.bounds.top > divider.bounds.top),
        key=lambda node: node.bounds.top,
    )
    assert first_new.text == hand.account.chats["huaduo"].lines[-25].text


def test_time_lines_and_system_lines_are_the_same_view(hand):
    hand.tap("售后群")
    greys = [node.text for node in hand.role("message_time")]
    assert greys == ["06:09", '"乙"邀请"丙"加入了群聊']
    assert hand.role("chat_title")[0].text == "售后群(11)"
    assert [node.text for node in hand.role("message_sender")] == ["甲", "乙"]
    assert hand.role("message_image")[0].desc == "图片"


def test_a_message_is_sent_once_by_the_button_that_text_brings(hand):
    hand.tap("小满😊")
    assert not hand.role("send_button")
    assert hand.all("更多功能按钮，已折叠")
    hand.type("没有焦点")
    assert not hand.role("send_button")
    hand.touch(hand.role("chat_input")[0])
    hand.type("有货😀")
    assert hand.role("chat_input")[0].text == "有货😀"
    hand.touch(hand.role("send_button")[0])
    assert seen(hand)[-1] == "有货😀"
    assert hand.role("chat_input")[0].text == ""
    assert not hand.role("send_button")
    assert [one["text"] for one in hand.world.truth.of("farm_001").sent] == ["有货😀"]


def test_unsent_text_becomes_a_draft(hand):
    hand.tap("小满😊")
    assert hand.app.set_text(hand.role("chat_input")[0], "写了一半")
    hand.wait()
    hand.back()
    assert "[草稿] 写了一半" in hand.texts()
    hand.tap("小满😊")
    assert hand.role("chat_input")[0].text == "写了一半"


def test_a_peer_that_refuses_answers_with_a_system_line(hand):
    hand.tap("拒收")
    hand.touch(hand.role("chat_input")[0])
    hand.type("在吗")
    hand.touch(hand.role("send_button")[0])
    assert hand.role("message_time")[-1].text == "消息已发出，但被对方拒收了。"


def test_lines_written_by_hand_appear_as_own(hand):
    hand.wait(31)
    hand.tap("话多")
    assert seen(hand)[-1] == "我手写的"
    assert hand.role("message_text")[-1].bounds.right > 880
    assert hand.world.truth.of("farm_001").sent == []


def test_the_like_popup_is_a_toggle(hand):
    hand.tap("发现")
    hand.tap("朋友圈")
    assert hand.app.activity().endswith("ImproveSnsTimelineUI")
    assert hand.role("moments_ad_mark")
    for names, button in (("话多，客服01", "赞"), ("话多", "取消")):
        hand.touch(hand.role("moments_popup_button")[-1])
        hand.tap(button)
        assert [node.text for node in hand.role("moments_like_names")] == [names]
    entry = next(iter(hand.world.truth.of("farm_001").likes.values()))
    assert entry["count"] == 2
