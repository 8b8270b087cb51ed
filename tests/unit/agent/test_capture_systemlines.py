"""Grey lines are told by their ends: no name, whatever it contains, makes one into another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.capture.systemlines import SystemCode, code_of, recaller

# The client's forms; a name is free text.
FORMS = (
    ("你已添加了{a}，现在可以开始聊天了。", SystemCode.FRIEND_ADDED),
    ("{a}刚刚把你添加到通讯录，现在可以开始聊天了。", SystemCode.FRIEND_ADDED),
    ("我通过了你的朋友验证请求，现在我们可以开始聊天了", SystemCode.FRIEND_ADDED),
    ("以上是打招呼的内容", SystemCode.GREETING_END),
    ('你邀请"{a}"加入了群聊', SystemCode.JOINED),
    ('"{a}"邀请你加入了群聊', SystemCode.JOINED),
    ('"{a}"邀请你和"{b}"加入了群聊', SystemCode.JOINED),
    ('"{a}"邀请"{b}"加入了群聊', SystemCode.JOINED),
    ('"{a}"通过扫描"{b}"分享的二维码加入群聊', SystemCode.JOINED),
    ('"{a}"通过扫描你分享的二维码加入群聊', SystemCode.JOINED),
    ('你将"{a}"移出了群聊', SystemCode.REMOVED),
    ('你被"{a}"移出群聊', SystemCode.REMOVED),
    ('"{a}"退出了群聊', SystemCode.LEFT),
    ('"{a}"修改群名为“{b}”', SystemCode.RENAMED),
    ("你修改群名为“{b}”", SystemCode.RENAMED),
    ("你撤回了一条消息", SystemCode.RECALLED),
    ('"{a}"撤回了一条消息', SystemCode.RECALLED),
    ('你撤回了成员"{a}"的一条消息', SystemCode.RECALLED),
    ("消息已发出，但被对方拒收了。", SystemCode.BLOCKED_BY_PEER),
    (
        "{a}开启了朋友验证，你还不是他（她）朋友。请先发送朋友验证请求，对方验证通过后，才能聊天。",
        SystemCode.NOT_FRIEND,
    ),
    ("You have added {a} as your WeChat contact. Start chatting!", SystemCode.FRIEND_ADDED),
    (
        "{a} just added you to his/her contacts list. Send a message to him/her now!",
        SystemCode.FRIEND_ADDED,
    ),
    ("You invited {a} to the group chat", SystemCode.JOINED),
    ("{a} invited {b} to the group chat", SystemCode.JOINED),
    ('You removed "{a}" from the group chat', SystemCode.REMOVED),
    ('You were removed from the group chat by "{a}"', SystemCode.REMOVED),
    ('"{a}" changed the group name to "{b}"', SystemCode.RENAMED),
    ("You recalled a message.", SystemCode.RECALLED),
    ('"{a}" recalled a message', SystemCode.RECALLED),
)
# Pieces that a mean name is made of.
BAIT = (
    '"',
    "”",
    "“",
    "邀请",
    "加入了群聊",
    "撤回了一条消息",
    "修改群名为“",
    "你",
    "移出了群聊",
    "退出了群聊",
    "\n",
)
NAMES = st.one_of(
    st.text(min_size=1, max_size=16).filter(lambda name: bool(name.strip())),
    st.lists(st.sampled_from((*BAIT, "小满", "A", "😊")), min_size=1, max_size=5).map("".join),
).map(lambda name: f"某{name}")


@pytest.mark.parametrize(("form", "code"), FORMS)
@given(a=NAMES, b=NAMES)
def test_any_name_leaves_the_code_as_it_is(form, code, a, b):
    assert code_of(form.format(a=a, b=b)) == code


@pytest.mark.parametrize(
    "line", ["", "周一 10:44", "今天天气真好", "群公告", "撤回", "长" * 5000 + "加入了群聊"]
)
def test_other_lines_have_no_code(line):
    assert code_of(line) == ""


@given(name=NAMES.filter(lambda name: name == name.strip()))
def test_a_recall_tells_whose_it_was(name):
    assert recaller(f'"{name}"撤回了一条消息') == name


def test_own_recalls_and_those_of_others_messages():
    assert recaller("你撤回了一条消息") == ""
    assert recaller("你撤回了一条消息 重新编辑") == ""
    assert recaller("You recalled a message.") == ""
    assert recaller("对方撤回了一条消息") == "对方"
    assert recaller('你撤回了成员"小满"的一条消息') is None
    assert recaller("消息已发出，但被对方拒收了。") is None


def test_lines_the_client_adds_words_to_keep_their_code():
    assert code_of("你撤回了一条消息\n重新编辑") == SystemCode.RECALLED
    assert code_of('"甲"邀请你加入了群聊，群聊参与人还有：乙、丙') == SystemCode.JOINED
