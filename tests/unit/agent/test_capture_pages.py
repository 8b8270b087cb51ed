"""A chat page becomes bubbles with sides, kinds, true texts, time labels; what an edge cuts waits."""

from dataclasses import replace

import pytest

from agent.capture.chatlist import read_rows, unread_total
from agent.capture.pages import TIME_LINE, read_items
from tests.support.glass import Glass

FRIEND = """
[[people]]
nickname = "小满😊"
wechat_id = "xiaoman"
friend_of = ["all"]
"""
KINDS = (
    FRIEND
    + """
[[chats]]
peer = "xiaoman"
unread = 2
[[chats.lines]]
text = "昨天的"
ago_s = 90000
[[chats.lines]]
text = "你已添加了小满，现在可以开始聊天了。"
side = "system"
ago_s = 3000
[[chats.lines]]
text = "好的"
ago_s = 200
[[chats.lines]]
text = "好的"
ago_s = 190
[[chats.lines]]
text = "在路上👍🏽..马上到\\n第二行"
side = "out"
ago_s = 180
[[chats.lines]]
kind = "image"
ago_s = 170
[[chats.lines]]
kind = "voice"
text = '7"'
side = "out"
ago_s = 160
[[chats.lines]]
kind = "file"
text = "报价单.pdf"
ago_s = 150
"""
)


def bubbles(glass, *, is_group=False):
    items = read_items(glass.screen(), glass.true_texts(), is_group=is_group)
    return [item.bubble for item in items if item.bubble is not None]


@pytest.mark.parametrize("version", ["8.0.66", "8.0.5"])
def test_sides_kinds_and_true_texts(version):
    glass = Glass(f'[client]\nversion_name = "{version}"\nversion_code = 1\n{KINDS}')
    glass.tap("小满")
    seen = [(one.side, one.kind, one.text) for one in bubbles(glass)]
    assert seen[:5] == [
        ("in", "text", "昨天的"),
        ("system", "system", "你已添加了小满，现在可以开始聊天了。"),
        ("in", "text", "好的"),
        ("in", "text", "好的"),
        ("out", "text", "在路上👍🏽..马上到\n第二行"),
    ]
    assert [(side, kind) for side, kind, _ in seen[5:]] == [
        ("in", "other"),
        ("out", "other"),
        ("in", "other"),
    ]
    assert seen[5][2] == "[图片]"
    assert seen[6][2] == '[语音] 7"'
    assert "报价单.pdf" in seen[7][2]


def test_time_labels_come_from_the_line_above():
    glass = Glass(KINDS)
    glass.tap("小满")
    labels = [one.time_label for one in bubbles(glass)]
    assert labels[0].startswith("昨天")
    assert labels[1] != labels[0]
    assert len(set(labels[2:])) == 1


@pytest.mark.parametrize(
    ("text", "is_time"),
    [
        ("10:50", True),
        ("昨天 10:50", True),
        ("周一 10:44", True),
        ("星期三 下午3:05", True),
        ("8月3日 10:44", True),
        ("2023年8月3日 10:44", True),
        ("10:50见", False),
        ("你撤回了一条消息", False),
        ("以上是打招呼的内容", False),
    ],
)
def test_time_lines(text, is_time):
    assert bool(TIME_LINE.fullmatch(text)) == is_time


def test_group_messages_lose_their_sender_line():
    glass = Glass("""
[[chats]]
kind = "group"
title = "售后群"
members = 11
lines = [
  { sender = "甲", text = "大家好" },
  { sender = "乙", kind = "image" },
  { side = "system", text = "\\"乙\\"邀请\\"丙\\"加入了群聊" },
  { side = "out", text = "欢迎" },
]
""")
    glass.tap("售后群")
    assert [(one.side, one.kind, one.text) for one in bubbles(glass, is_group=True)] == [
        ("in", "text", "大家好"),
        ("in", "other", "[图片]"),
        ("system", "system", '"乙"邀请"丙"加入了群聊'),
        ("out", "text", "欢迎"),
    ]


def test_every_scroll_position_shows_only_whole_messages():
    glass = Glass(FRIEND + '[[chats]]\npeer = "xiaoman"\nhistory = 40\n')
    glass.tap("小满")
    chat = [(line.side, line.text) for line in glass.account.chats["xiaoman"].lines]
    for _ in range(60):
        seen = [(one.side, one.text) for one in bubbles(glass)]
        assert len(seen) >= 5
        assert any(chat[at : at + len(seen)] == seen for at in range(len(chat)))
        glass.app.swipe(500, 1000, 500, 1037)


def test_divider_is_no_message():
    glass = Glass(FRIEND + '[[chats]]\npeer = "xiaoman"\nhistory = 14\nunread = 12\n')
    glass.tap("小满")
    for _ in range(6):
        assert all("以下为新消息" not in one.text for one in bubbles(glass))
        glass.app.swipe(500, 600, 500, 1100)


def test_rows_tell_unread_muted_and_true_names():
    glass = Glass(
        KINDS
        + """
[[chats]]
kind = "group"
title = "安静群"
members = 3
muted = true
unread = 4
lines = [{ sender = "甲", text = "在" }]
[[chats]]
kind = "group"
title = "红点群"
members = 3
muted = true
unread = 1
lines = [{ sender = "甲", text = "在" }]
[[chats]]
kind = "service"
title = "订阅号消息"
unread = 1
lines = [{ text = "早报" }]
"""
    )
    rows = {seen.row.title: seen.row for seen in read_rows(glass.screen(), glass.true_texts())}
    assert set(rows) == {"小满😊", "安静群", "红点群"}
    assert (rows["小满😊"].unread, rows["小满😊"].is_muted) == (2, False)
    assert (rows["安静群"].unread, rows["安静群"].is_muted) == (4, True)
    assert (rows["红点群"].unread, rows["红点群"].is_muted) == (-1, True)
    assert unread_total(glass.screen()) >= 2


def test_rows_under_the_tab_bar_are_not_offered():
    people = "".join(
        f'[[people]]\nnickname = "人{n}"\nwechat_id = "p{n}"\nfriend_of = ["all"]\n'
        f'[[chats]]\npeer = "p{n}"\nhistory = 1\n'
        for n in range(14)
    )
    glass = Glass(people)
    screen = glass.screen()
    top = screen.tabs()[0].box.top
    rows = read_rows(screen, glass.true_texts())
    assert rows
    for seen in rows:
        assert seen.area.centre[1] < top
        glass.app.tap(*seen.area.centre)
        title = glass.screen().title()
        assert title is not None
        assert title.text == seen.row.title
        glass.app.back()


def test_rows_of_no_known_form_are_kept_as_messages():
    glass = Glass(KINDS)
    glass.tap("小满")
    known = bubbles(glass)
    screen = glass.screen()
    inside = {node.at for node in screen.page.inside(screen.lists()[0])}
    # A later client: the pictures beside messages are not known any more.
    strange = tuple(
        node._replace(rid="", desc="") if node.at in inside and node.cls.endswith("ImageView") else node
        for node in screen.page.nodes
    )
    screen = replace(screen, page=replace(screen.page, nodes=strange))
    items = read_items(screen, glass.true_texts(), is_group=False, is_at_end=True)
    seen = [item.bubble for item in items if item.bubble is not None]
    assert [one.side for one in seen] == [one.side for one in known]
    assert [one.kind for one in seen[2:]] == ["other"] * len(seen[2:])
    assert "在路上👍🏽..马上到\n第二行" in seen[4].text
    assert seen[5].text == "[未知消息]"
