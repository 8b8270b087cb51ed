"""Adding friends on the virtual WeChat, answer by answer, and what stops it."""

import pytest

from tests.support.hand import Hand


@pytest.fixture
def hand():
    return Hand("friends")


def send(hand):
    hand.tap("添加到通讯录")
    hand.tap("发送")


def test_a_request_goes_out_once_and_shows_only_among_the_new_friends(hand):
    hand.look_up("13800000002")
    assert hand.app.activity().endswith("ContactInfoUI")
    assert hand.role("profile_name")[0].text == "不理人😀"
    hand.tap("添加到通讯录")
    assert hand.app.activity().endswith("SayHiWithSnsPermissionUI")
    assert hand.role("request_greeting")[0].text == "我是客服01"
    hand.app.set_text(hand.role("request_greeting")[0], "您好，" * 40)
    hand.wait()
    assert len(hand.role("request_greeting")[0].text) == 50
    assert hand.requests() == {}
    hand.tap("发送")
    assert hand.requests() == {"13800000002": 1}
    assert hand.app.take_toast() == "已发送"
    assert hand.all("添加到通讯录")
    for _ in range(4):
        hand.back()
    hand.tap("通讯录")
    hand.tap("新的朋友")
    row = hand.role("new_friend_row")[0]
    texts = [node.text for node in row.walk() if node.text]
    assert texts[0] == "不理人😀"
    assert texts[-1] == "等待验证"


def test_the_toast_comes_after_the_answer_of_the_server(hand):
    hand.look_up("13800000002")
    hand.tap("添加到通讯录")
    hand.touch_only(hand.all("发送")[0])
    assert hand.requests() == {"13800000002": 1}
    assert hand.app.take_toast() is None
    assert hand.role("request_button")  # still in sight
    hand.wait()
    assert hand.app.take_toast() == "已发送"
    assert hand.app.take_toast() is None


def test_two_impatient_touches_send_one_request(hand):
    hand.look_up("13800000002")
    hand.tap("添加到通讯录")
    button = hand.all("发送")[0]
    hand.touch_only(button)
    hand.touch_only(button)
    hand.wait()
    assert hand.requests() == {"13800000002": 1}


def test_sending_again_counts_again(hand):
    hand.look_up("13800000002")
    send(hand)
    send(hand)
    assert hand.requests() == {"13800000002": 2}


def test_acceptance_makes_a_chat_and_another_profile(hand):
    hand.look_up("+86 138 0000 0001")
    send(hand)
    hand.wait(6)
    assert not hand.all("添加到通讯录")
    assert hand.all("音视频通话")
    hand.tap("发消息")
    assert "我通过了你的朋友验证请求，现在我们可以开始聊天了" in hand.texts()
    while len(hand.app.stage.stack) > 1:
        hand.back()
    assert [node.text for node in hand.role("chat_row_name")] == ["应答快"]


def test_an_existing_friend_has_another_button_and_the_remark(hand):
    hand.look_up("oldfriend")
    assert hand.role("profile_name")[0].text == "老朋友备注"
    assert {node.text for node in hand.role("profile_action")} == {"发消息", "音视频通话"}
    assert "昵称: 老朋友" in hand.texts()


def test_somebody_without_verification_is_a_friend_at_once(hand):
    hand.look_up("13800000003")
    hand.tap("添加到通讯录")
    assert hand.all("发消息")
    assert hand.requests() == {}
    assert [one["count"] for one in hand.world.truth.of("farm_001").added.values()] == [1]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("13800000004", "该用户不存在"),
        ("13700000000", "该用户不存在"),
        ("13800000005", "被搜帐号状态异常，无法显示"),
    ],
)
def test_a_search_without_a_result_says_why_on_the_page(hand, query, words):
    hand.look_up(query)
    assert hand.app.activity().endswith("FTSAddFriendUI")
    assert hand.role("add_friend_error")[0].text == words
    hand.type("1")
    assert not hand.role("add_friend_error")


def test_a_search_without_a_result_may_open_a_dialog():
    hand = Hand("stops", "acc_limit")
    hand.look_up("13700000000")
    page, dialog = hand.app.windows()
    assert dialog.bounds.width == 987
    assert page.bounds.width == 1080
    assert "该用户不存在" in [node.text for node in dialog.walk()]
    hand.touch(hand.role("add_friend_input")[0])  # a touch beside the dialog
    assert len(hand.app.windows()) == 2
    hand.tap("确定")
    assert len(hand.app.windows()) == 1


def test_somebody_who_blocks_shows_only_a_toast(hand):
    hand.look_up("13800000006")
    hand.tap("添加到通讯录")
    assert hand.app.activity().endswith("ContactInfoUI")
    assert hand.app.take_toast() == "添加联系人失败，对方把你加入了黑名单"


def test_somebody_who_cannot_be_added_shows_a_dialog(hand):
    hand.look_up("13800000007")
    hand.tap("添加到通讯录")
    assert any("隐私设置" in text for text in hand.texts())
    assert hand.requests() == {}


def test_a_wecom_user_is_a_choice_first(hand):
    hand.look_up("13800000008")
    assert "同时拥有微信和企业微信" in hand.texts()
    hand.tap("微信")
    assert hand.role("profile_name")[0].text == "双号"


def test_a_person_who_asked_is_accepted(hand):
    hand.wait(1)
    hand.tap("通讯录")
    hand.tap("新的朋友")
    assert "你好，我是想加我" in hand.texts()
    hand.tap("接受")
    assert hand.all("通过朋友验证")
    hand.tap("完成")
    assert hand.all("发消息")
    assert "13800000011" in hand.account.friends
    hand.back()
    assert hand.all("已添加")


def test_the_profile_of_a_person_who_asked_leads_to_confirmation(hand):
    hand.wait(1)
    hand.look_up("13800000011")
    assert hand.role("profile_action")[0].text == "前往验证"


def test_the_platform_limit_keeps_the_request_back():
    hand = Hand("stops", "acc_limit")
    hand.look_up("13800000001")
    send(hand)
    hand.back()
    hand.app.set_text(hand.role("add_friend_input")[0], "13800000002")
    hand.wait()
    hand.tap("搜索:13800000002")
    send(hand)
    assert hand.requests() == {"13800000001": 1}
    assert "操作过于频繁，请稍后再试" in hand.texts()
    assert hand.role("dialog_ok")[0].text == "确定"
    hand.tap("确定")
    assert hand.role("request_button")


def test_a_warning_page_comes_after_a_request():
    hand = Hand("stops", "acc_later")
    hand.look_up("13800000001")
    send(hand)
    assert hand.requests() == {"13800000001": 1}
    assert hand.app.activity().endswith("MMWebViewUI")
    assert any("安全风险" in text for text in hand.texts())


def test_a_warning_in_place_of_the_search_result():
    hand = Hand("stops", "acc_search")
    hand.look_up("13800000001")
    assert hand.role("add_friend_error")[0].text == "操作过于频繁，请稍后再试"


def test_an_account_used_elsewhere_is_signed_out_after_the_dialog():
    hand = Hand("stops", "acc_kicked")
    hand.wait(11)
    assert any("此客户端已退出登录" in text for text in hand.texts())
    hand.tap("确定")
    assert hand.app.activity().endswith("LoginUI")
    assert hand.back() is False


def test_a_toast_warning_leaves_the_page_as_it_is(hand):
    before = hand.texts()
    hand.world.warn(hand.account, "STRANGER_CAP", "toast")
    assert hand.texts() == before
    hand.wait()
    assert hand.app.take_toast() == "对方回复前只能发三条消息"


def test_a_signed_out_client_shows_only_its_login_page():
    hand = Hand("stops", "acc_out")
    assert hand.app.activity().endswith("LoginUI")
    assert "登录" in hand.texts()
    assert not hand.all("通讯录")
    hand.account.is_logged_out = False
    assert hand.all("通讯录")


def test_a_version_nobody_knows_has_the_texts_but_other_ids():
    newer, known = Hand("stops", "acc_newer"), Hand("stops", "acc_later")
    assert newer.texts() == known.texts()
    shared = {node.rid for node in newer.nodes()} & {node.rid for node in known.nodes()}
    assert all(":id/" not in rid or rid.startswith("android:") for rid in shared)


def test_an_older_version_draws_the_ids_it_is_known_by():
    hand = Hand("stops", "acc_older")
    assert hand.role("chat_list")[0].rid == "com.tencent.mm:id/f67"
    hand.look_up("13800000001")
    send(hand)
    assert hand.requests() == {"13800000001": 1}


def test_fields_show_their_hint_until_something_is_typed(hand):
    hand.tap("更多功能按钮")
    hand.tap("添加朋友")
    hand.tap("微信号/手机号")
    field = hand.role("add_friend_input")[0]
    assert field.text == field.hint == "微信号/手机号"
    assert field.focused
    hand.type("138")
    assert hand.role("add_friend_input")[0].text == "138"
    hand.app.editor_action()
    hand.wait()
    assert hand.role("add_friend_error")


def test_a_restarted_client_begins_at_home(hand):
    hand.look_up("13800000002")
    hand.app.stop()
    assert hand.role("home_tab")


def test_words_that_no_class_knows_come_as_a_dialog(hand):
    hand.world.warn(hand.account, "SOMETHING_NEW", "dialog", "系统升级中，请{n}分钟后再来")
    hand.wait()
    assert "系统升级中，请5000分钟后再来" in hand.texts()
    hand.back()
    assert "系统升级中，请5000分钟后再来" not in hand.texts()


def test_text_for_a_field_of_a_page_that_is_gone_is_refused(hand):
    hand.tap("更多功能按钮")
    hand.tap("添加朋友")
    hand.tap("微信号/手机号")
    field = hand.role("add_friend_input")[0]
    hand.back()
    assert hand.app.set_text(field, "138") is False


def test_an_update_offer_has_two_buttons(hand):
    hand.world.warn(hand.account, "UPDATE")
    hand.wait()
    assert hand.all("取消")
    hand.tap("取消")
    assert hand.role("home_tab")
