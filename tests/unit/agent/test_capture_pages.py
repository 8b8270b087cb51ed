"""A chat page becomes bubbles with sides, kinds, true texts, time labels; what an edge cuts waits."""

from dataclasses import replace

import pytest

from agent.capture.chatlist import read_rows, unread_total
from agent.capture.pages import intervals, read_items
from agent.capture.timelabels import is_time_line, zone_named
from agent.errors import NotRecognised
from agent.virtual.talk import Line
from agent.wechat.clients import PACKAGE
from agent.wechat.pages import read_page
from agent.wechat.screens import Screen, ScreenName
from tests.support.glass import FROZEN_MS, Glass, table

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
length_s = 7
side = "out"
ago_s = 160
[[chats.lines]]
kind = "file"
text = "报价单.pdf"
detail = "42.9 MB"
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
    assert seen[5:] == [("in", "image", ""), ("out", "voice", ""), ("in", "file", "报价单.pdf")]
    assert bubbles(glass)[1].detail == "friend_added"


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
    assert is_time_line(text) == is_time


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
    assert [one.sender for one in bubbles(glass, is_group=True)] == ["甲", "乙", "", ""]
    assert [(one.side, one.kind, one.text) for one in bubbles(glass, is_group=True)] == [
        ("in", "text", "大家好"),
        ("in", "image", ""),
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


def changed(screen, change):
    """Return the page with each view inside its list as `change` makes it."""
    inside = {node.at for node in screen.page.inside(screen.lists()[0])}
    nodes = tuple(change(node) if node.at in inside else node for node in screen.page.nodes)
    return replace(screen, page=replace(screen.page, nodes=nodes))


def read(glass, screen, **how):
    items = read_items(screen, glass.true_texts(), is_group=False, **{"is_at_end": True} | how)
    return [item.bubble for item in items if item.bubble is not None]


def test_writers_are_told_by_place_where_no_picture_is_named():
    glass = Glass(KINDS)
    glass.tap("小满")
    known = [(one.side, one.kind, one.text) for one in bubbles(glass)]
    # A later client: neither ids nor descriptions tell whose the pictures beside messages are.
    suffix = glass.table.texts["avatar_suffix"]
    screen = changed(
        glass.screen(), lambda node: node._replace(rid="", desc="") if node.desc.endswith(suffix) else node
    )
    assert [(one.side, one.kind, one.text) for one in read(glass, screen)] == known


def test_rows_of_no_known_form_are_kept_as_messages():
    glass = Glass(KINDS)
    glass.tap("小满")
    known = bubbles(glass)
    # A later client: the pictures beside messages are no pictures any more.
    suffix = glass.table.texts["avatar_suffix"]
    screen = changed(
        glass.screen(),
        lambda node: (
            node._replace(rid="", desc="", cls="android.view.View") if node.desc.endswith(suffix) else node
        ),
    )
    seen = read(glass, screen)
    assert [one.side for one in seen] == [one.side for one in known]
    assert [one.kind for one in seen[2:]] == ["other"] * len(seen[2:])
    assert "在路上👍🏽..马上到\n第二行" in seen[4].text
    assert seen[5].text == "[未知消息]"


def test_a_recall_keeps_its_line_when_the_offer_to_edit_goes():
    glass = Glass(KINDS)
    chat = glass.account.chats["xiaoman"]
    chat.add(Line(at_ms=FROZEN_MS, side="system", kind="system", text="你撤回了一条消息\n重新编辑"))
    glass.tap("小满")
    last = bubbles(glass)[-1]
    assert (last.side, last.kind, last.text, last.detail) == (
        "system",
        "system",
        "你撤回了一条消息",
        "recalled",
    )


def test_pills_and_dividers_are_no_messages():
    glass = Glass(FRIEND + '[[chats]]\npeer = "xiaoman"\nhistory = 30\nunread = 25\n')
    glass.tap("小满")
    for _ in range(12):
        glass.app.swipe(500, 600, 500, 1100)
        said = {line.text for line in glass.account.chats["xiaoman"].lines}
        assert {one.text for one in bubbles(glass)} <= said
    glass.account.receive(
        glass.account.chats["xiaoman"], Line(at_ms=FROZEN_MS, side="in", kind="text", text="新的")
    )
    assert any("条新消息" in node.text for node in glass.page().nodes)
    assert {one.text for one in bubbles(glass)} <= said


@pytest.mark.parametrize("kind", ["quote", "red_packet", "transfer", "mini_program", "contact_card", "video"])
def test_what_a_card_is_never_depends_on_where_it_is_cut(kind):
    glass = Glass(FRIEND + '[[chats]]\npeer = "xiaoman"\nhistory = 40\n')
    chat = glass.account.chats["xiaoman"]
    line = Line(
        at_ms=FROZEN_MS - 1, side="in", kind=kind, text="看看", detail="小满：哪个", length_s=9, amount_fen=5
    )
    chat.add(line)
    for n in range(20):
        chat.add(Line(at_ms=FROZEN_MS, side="out", kind="text", text=f"行{n}"))
    glass.tap("小满")
    seen = []
    for _ in range(110):
        items = read_items(glass.screen(), glass.true_texts(), is_group=False)
        seen += [one.bubble.kind for one in items if one.bubble and one.bubble.kind != "text"]
        assert not [
            one for one in items if one.bubble and one.bubble.kind == "text" and one.bubble.text == "看看"
        ]
        glass.app.swipe(500, 1000, 500, 1037)
    assert set(seen) == {kind}


def test_a_message_higher_than_the_page_is_a_fragment_not_nothing():
    glass = Glass(
        FRIEND + '[client]\nfolds_over = 9999\n[[chats]]\npeer = "xiaoman"\nlines = [{ text = "早" }]\n'
    )
    text = "".join(f"第{n}行，" for n in range(400))
    glass.account.chats["xiaoman"].add(Line(at_ms=FROZEN_MS, side="out", kind="text", text=text))
    glass.tap("小满")
    assert read(glass, glass.screen()) == []
    (item,) = read_items(glass.screen(), glass.true_texts(), is_group=False, keep_tall=True)
    assert item.bubble is not None
    assert (item.is_cut, item.bubble.fragment, item.bubble.side) == (True, True, "out")
    assert item.bubble.text == text
    glass.app.swipe(500, 600, 500, 700)
    for _ in range(60):
        glass.app.swipe(500, 1000, 500, 1600)
        found = read(glass, glass.screen(), is_at_end=False)
        if found and found[-1].text == text:
            break
    assert (found[-1].text, found[-1].fragment) == (text, False)


def test_the_lower_part_of_a_long_text_is_kept_where_that_is_asked_for():
    glass = Glass(FRIEND + '[client]\nfolds_over = 9999\n[[chats]]\npeer = "xiaoman"\nhistory = 12\n')
    chat = glass.account.chats["xiaoman"]
    text = "".join(f"第{n}行，" for n in range(160))
    chat.add(Line(at_ms=FROZEN_MS, side="in", kind="text", text=text))
    for n in range(6):
        chat.add(Line(at_ms=FROZEN_MS, side="out", kind="text", text=f"行{n}"))
    glass.tap("小满")
    states = set()
    for _ in range(70):
        plain = read_items(glass.screen(), glass.true_texts(), is_group=False)
        items = read_items(glass.screen(), glass.true_texts(), is_group=False, keep_cut=True)
        cut = [item for item in items if item.is_cut]
        assert [item for item in items if not item.is_cut] == plain
        assert all(item.key[:3] == ("in", "text", text) for item in cut)
        assert cut == items[: len(cut)]
        states.add((len(cut), any(item.key.text == text for item in plain)))
        glass.app.swipe(500, 1000, 500, 1037)
    # Either its beginning is in sight or what is left of it: it is never out of the reader's sight.
    assert states == {(1, False), (0, True)}


SHANGHAI = zone_named("Asia/Shanghai")


def test_bubbles_lie_between_the_time_lines_around_them():
    glass = Glass(KINDS)
    glass.tap("小满")
    items = read_items(glass.screen(), glass.true_texts(), is_group=False)
    read_ms = glass.now_ms + 5_000
    placed = [item.bubble for item in intervals(items, read_ms, SHANGHAI) if item.bubble is not None]
    lines = glass.account.chats["xiaoman"].lines
    assert len(placed) == len(lines)
    for bubble, line in zip(placed, lines, strict=True):
        assert bubble.shown_from_ms <= line.at_ms < bubble.shown_to_ms
    first, second, third, *_, last = placed
    # Yesterday's stands under its own line: it came before the end of the minute of the next one.
    assert first.shown_from_ms == lines[0].at_ms // 60_000 * 60_000
    assert first.shown_to_ms == lines[1].at_ms // 60_000 * 60_000 + 60_000
    assert second.shown_to_ms == lines[2].at_ms // 60_000 * 60_000 + 60_000
    assert third.shown_from_ms == last.shown_from_ms
    assert last.shown_to_ms == read_ms + 1


def test_without_a_time_line_above_nothing_is_claimed():
    glass = Glass(KINDS)
    glass.tap("小满")
    items = read_items(glass.screen(), glass.true_texts(), is_group=False)
    placed = intervals(items[1:], glass.now_ms, SHANGHAI)
    assert placed[0].bubble is not None
    assert (placed[0].bubble.shown_from_ms, placed[0].bubble.shown_to_ms) == (0, 0)
    assert intervals([], glass.now_ms, SHANGHAI) == []


def test_a_line_below_from_before_the_one_above_says_nothing():
    glass = Glass(KINDS)
    glass.tap("小满")
    items = read_items(glass.screen(), glass.true_texts(), is_group=False)
    times = [at for at, item in enumerate(items) if item.bubble is None]
    turned = list(items)
    turned[times[0]], turned[times[1]] = items[times[1]], items[times[0]]
    placed = intervals(turned, glass.now_ms, SHANGHAI)[1].bubble
    assert placed is not None
    assert placed.shown_from_ms < placed.shown_to_ms == glass.now_ms + 1


def view(cls, bounds, *inner, text="", desc="", rid=""):
    left, top, right, bottom = bounds
    names = f'text="{text}" content-desc="{desc}" resource-id="{rid}" package="{PACKAGE}"'
    place = f'bounds="[{left},{top}][{right},{bottom}]"'
    return f'<node class="android.{cls}" {names} {place}>{"".join(inner)}</node>'


def built(*rows):
    """Return a chat page built by hand of rows, for forms the virtual client does not draw."""
    messages = view("x.RecyclerView", (0, 200, 1080, 2000), *rows)
    xml = f"<hierarchy>{view('widget.FrameLayout', (0, 0, 1080, 2340), messages)}</hierarchy>"
    page = read_page(xml, package=PACKAGE, activity="", read_at_s=0.0)
    return Screen(page, page.nodes[0], table(), ScreenName.CHAT)


def words_of(screen):
    items = read_items(screen, lambda nodes: {node.at: node.text for node in nodes}, is_group=False)
    return [
        (item.bubble.side, item.bubble.text, item.bubble.time_label) if item.bubble else "" for item in items
    ]


def text_row(top, text, *above):
    face = view("widget.ImageView", (24, top + 80, 144, top + 200), desc="小满头像")
    said = view("widget.TextView", (164, top + 80, 500, top + 200), text=text)
    return view(
        "widget.RelativeLayout",
        (0, top, 1080, top + 220),
        *above,
        face,
        view("x.Box", (164, top + 80, 500, top + 200), said),
    )


def test_a_time_line_may_stand_in_the_row_of_what_is_below_it():
    time = view("widget.TextView", (440, 320, 640, 360), text="10:44")
    later = view("widget.TextView", (440, 620, 640, 660), text="10:52")
    grey = view("widget.TextView", (300, 680, 780, 720), text="你撤回了一条消息")
    screen = built(
        text_row(300, "好的", time), view("widget.RelativeLayout", (0, 600, 1080, 760), later, grey)
    )
    assert words_of(screen) == ["", ("in", "好的", "10:44"), "", ("system", "你撤回了一条消息", "10:52")]


def test_a_message_that_reads_like_a_time_is_a_message():
    assert words_of(built(text_row(300, "10:44"))) == [("in", "10:44", "")]


def test_a_text_named_by_an_id_nobody_knows_is_still_a_text():
    screen = built(text_row(300, "好的"))
    (item,) = read_items(screen, lambda nodes: {node.at: node.text for node in nodes}, is_group=False)
    assert item.bubble is not None
    assert (item.bubble.kind, item.bubble.text) == ("text", "好的")


def test_what_could_not_be_read_truly_is_of_no_known_kind_on_the_last_try_only():
    screen = built(text_row(300, "好的"), text_row(600, "收到"))
    first = next(node.at for node in screen.page.nodes if node.text == "好的")

    def some(nodes):
        return {node.at: node.text for node in nodes if node.at != first}

    with pytest.raises(NotRecognised):
        read_items(screen, some, is_group=False)
    items = read_items(screen, some, is_group=False, is_last_try=True)
    assert [(item.bubble.kind, item.bubble.text) for item in items if item.bubble] == [
        ("other", "[未知消息] 好的"),
        ("text", "收到"),
    ]
