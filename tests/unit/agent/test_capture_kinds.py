"""Every kind of message is read with what it shows, by its ids and by its form alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.capture.money import UNKNOWN_FEN, amount_fen, red_packet_state, transfer_state
from agent.capture.pages import read_items
from agent.virtual.talk import Line
from agent.wechat.clients import without_ids
from agent.wechat.screens import Screen, recognise
from tests.support.glass import FROZEN_MS, Glass

FRIEND = '[[people]]\nnickname = "小满"\nwechat_id = "xiaoman"\nfriend_of = ["all"]\n'
PRIVATE = FRIEND + '[[chats]]\npeer = "xiaoman"\nlines = [{ text = "早" }]\n'
GROUP = (
    '[[chats]]\nkind = "group"\ntitle = "售后群"\nmembers = 11\nlines = [{ sender = "阿芳", text = "早" }]\n'
)
LONG = "第一段话。" * 100


def glass_of(toml, title, *lines):
    """Return a client with a chat of these lines open."""
    glass = Glass(toml)
    chat = next(one for one in glass.account.chats.values() if one.title == title)
    for at, line in enumerate(lines):
        chat.add(Line(at_ms=FROZEN_MS - 60_000 * (len(lines) - at), **line))
    glass.tap(title)
    return glass


def without(screen: Screen) -> Screen:
    """Return the page as a client of ids nobody knows would show it."""
    nodes = tuple(node._replace(rid="") for node in screen.page.nodes)
    found = recognise(replace(screen.page, nodes=nodes), without_ids(screen.table))
    assert found is not None
    return found


def read_last(glass, *, is_group=False, by_ids=True):
    screen = glass.screen() if by_ids else without(glass.screen())
    items = read_items(screen, glass.true_texts(), is_group=is_group, is_at_end=True)
    bubble = items[-1].bubble
    assert bubble is not None
    return bubble


def kind(name, told, **shown):
    """Return a case: what a line is, and what is to be read besides kind and text."""
    return pytest.param(name, told, shown, id=f"{name}-{'-'.join(map(str, told))}"[:40])


CASES = [
    kind("text", {"text": "明天见"}),
    kind("text", {"text": '3"'}, by_ids_only=True),
    kind("text", {"text": "已取消"}),
    kind("text", {"text": "微信红包"}),
    kind("text", {"text": "¥12.00"}),
    kind("text", {"text": "小满：不是引用"}),
    kind("text", {"text": "全文"}),
    kind("image", {}),
    kind("sticker", {}),
    kind("video", {"length_s": 75}, length_s=75),
    kind("video", {}, by_ids_only=True),
    kind("voice", {"length_s": 7}, length_s=7),
    kind("voice", {"length_s": 60}, length_s=60),
    kind(
        "voice",
        {"length_s": 9, "transcript": "我晚点到", "is_transcribed": True},
        length_s=9,
        detail="我晚点到",
    ),
    kind("file", {"text": "报价单.pdf", "detail": "42.9 MB"}, detail="42.9 MB"),
    kind("file", {"text": "说明", "detail": "512 B"}, detail="512 B"),
    kind("link", {"text": "新品到店", "detail": "本周五开始", "source": "好店"}, detail="本周五开始\n好店"),
    kind("link", {"text": "新品到店", "detail": "本周五开始"}, detail="本周五开始"),
    kind("link", {"text": "只有标题"}, by_ids_only=True),
    kind("mini_program", {"text": "会员日", "source": "好店商城"}, detail="好店商城"),
    kind("mini_program", {"text": "会员日"}),
    kind("location", {"text": "人民广场", "detail": "上海市黄浦区"}, detail="上海市黄浦区"),
    kind("contact_card", {"text": "阿明", "detail": "aming"}, detail="aming"),
    kind("contact_card", {"text": "阿明"}),
    kind("quote", {"text": "就是这个", "detail": "小满：哪个？"}, detail="小满：哪个？"),
    kind("chat_record", {"text": "群聊的聊天记录", "detail": "甲: 早\n乙: 早"}, detail="甲: 早\n乙: 早"),
    kind("red_packet", {"text": "恭喜发财"}),
    kind("red_packet", {"text": "已领取", "state": "opened"}, state="opened"),
    kind("red_packet", {"text": "已领取"}),
    kind("red_packet", {"state": "opened"}, state="opened", by_ids_only=True),
    kind("red_packet", {"text": "恭喜发财", "state": "expired"}, state="expired"),
    kind(
        "transfer",
        {"text": "货款", "amount_fen": 123456, "state": "pending"},
        amount_fen=123456,
        state="pending",
    ),
    kind("transfer", {"amount_fen": 1, "state": "received"}, amount_fen=1, state="received"),
    kind("transfer", {"state": "returned"}, state="returned"),
    kind(
        "transfer",
        {"text": "已收款", "amount_fen": 500, "state": "pending"},
        amount_fen=500,
        state="pending",
    ),
    kind("transfer", {}, by_ids_only=True),
    kind("voice_call", {"length_s": 32}, length_s=32, detail="通话时长 00:32"),
    kind("voice_call", {"detail": "已取消"}, detail="已取消"),
    kind("video_call", {"length_s": 3720}, length_s=3720, detail="通话时长 62:00"),
    kind("video_call", {"detail": "对方无应答"}, detail="对方无应答"),
]


@pytest.mark.parametrize("by_ids", [True, False], ids=["ids", "form"])
@pytest.mark.parametrize("side", ["in", "out"])
@pytest.mark.parametrize(("name", "told", "shown"), CASES)
def test_kind_and_fields(name, told, shown, side, by_ids):
    shown = dict(shown)
    if shown.pop("by_ids_only", False) and not by_ids:
        pytest.skip("nothing but an id tells this one")
    line = {"text": "", "kind": name, "side": side} | told
    bubble = read_last(glass_of(PRIVATE, "小满", line), by_ids=by_ids)
    assert (bubble.side, bubble.kind, bubble.text) == (side, name, line["text"])
    fields = ("amount_fen", "state", "length_s", "detail", "fragment")
    plain = {"amount_fen": -1, "state": "", "length_s": -1, "detail": "", "fragment": False}
    assert {field: getattr(bubble, field) for field in fields} == plain | shown


@pytest.mark.parametrize("by_ids", [True, False], ids=["ids", "form"])
@pytest.mark.parametrize("name", ["text", "image", "voice", "file", "transfer", "quote", "sticker"])
def test_members_of_groups_are_named(name, by_ids):
    line = {
        "text": "早上好",
        "kind": name,
        "side": "in",
        "sender": "阿明",
        "length_s": 5,
        "detail": "小满：9 KB",
    }
    glass = glass_of(GROUP, "售后群", line | ({"text": ""} if name in ("image", "sticker") else {}))
    bubble = read_last(glass, is_group=True, by_ids=by_ids)
    assert (bubble.sender, bubble.side) == ("阿明", "in")
    assert bubble.kind == name or (name == "file" and not by_ids)


def test_own_messages_in_groups_name_nobody():
    bubble = read_last(
        glass_of(GROUP, "售后群", {"text": "好", "kind": "text", "side": "out"}), is_group=True
    )
    assert (bubble.sender, bubble.text) == ("", "好")


def test_a_group_that_hides_names_names_by_the_picture():
    glass = glass_of(GROUP, "售后群", {"text": "好", "kind": "text", "side": "in", "sender": "阿明"})
    screen = glass.screen()
    names = {node.at for node in screen.marked("message_sender")}
    nodes = tuple(node._replace(text="") if node.at in names else node for node in screen.page.nodes)
    screen = replace(screen, page=replace(screen.page, nodes=nodes))
    items = read_items(screen, glass.true_texts(), is_group=True, is_at_end=True)
    assert [(one.bubble.sender, one.bubble.text) for one in items if one.bubble] == [
        ("阿芳", "早"),
        ("阿明", "好"),
    ]


@pytest.mark.parametrize("by_ids", [True, False], ids=["ids", "form"])
@pytest.mark.parametrize("name", ["text", "quote"])
def test_a_folded_text_is_a_fragment(name, by_ids):
    line = {"text": LONG, "kind": name, "side": "in", "detail": "小满：哪个？" if name == "quote" else ""}
    glass = glass_of(PRIVATE + "[client]\nfolds_over = 300\n", "小满", line)
    bubble = read_last(glass, by_ids=by_ids)
    assert (bubble.kind, bubble.fragment) == (name, True)
    assert LONG.startswith(bubble.text.rstrip("…"))
    assert len(bubble.text) > 100
    assert bubble.detail == line["detail"]


def test_an_unfolded_text_is_whole():
    text = LONG[:200]
    bubble = read_last(glass_of(PRIVATE, "小满", {"text": text, "kind": "text", "side": "in"}))
    assert (bubble.kind, bubble.text, bubble.fragment) == ("text", text, False)


def test_a_form_nobody_knows_keeps_its_words():
    bubble = read_last(glass_of(PRIVATE, "小满", {"text": "接龙", "kind": "other", "side": "in"}))
    assert (bubble.kind, bubble.text) == ("other", "[未知消息] 接龙")


def test_a_message_that_did_not_go_out_is_what_it_is():
    line = {"text": "在吗", "kind": "text", "side": "out", "is_failed": True}
    assert read_last(glass_of(PRIVATE, "小满", line)).kind == "text"
    line = {"text": "已取消", "kind": "text", "side": "out", "is_failed": True}
    assert read_last(glass_of(PRIVATE, "小满", line)).kind == "text"


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("¥12.34", 1234),
        ("￥0.1", 10),
        ("¥ 88", 8800),
        ("¥1,234.50", 123450),
        ("¥1,234,567.00", 123456700),
        ("12.34", UNKNOWN_FEN),
        ("¥1.234", UNKNOWN_FEN),
        ("¥12.34 谢谢", UNKNOWN_FEN),
        ("", UNKNOWN_FEN),
    ],
)
def test_amounts(text, fen):
    assert amount_fen(text) == fen


@given(st.integers(0, 10**11))
def test_every_amount_is_read_back(fen):
    assert amount_fen(f"¥{fen // 100:,}.{fen % 100:02}") == fen


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("待朋友收款", "pending"),
        ("待小满收款", "pending"),
        ("请你确认收款", "pending"),
        ("请收款", "pending"),
        ("[转账]请你确认收款", "pending"),
        ("朋友已确认收款", "received"),
        ("[转账]你已确认收款", "received"),
        ("已收款", "received"),
        ("已被接收", "received"),
        ("已退还", "returned"),
        ("已被退还", "returned"),
        ("[转账]钱已被朋友退还", "returned"),
        ("你已将钱退还", "returned"),
        ("已过期", "expired"),
        ("货款", ""),
        ("收款后发货", ""),
        ("", ""),
    ],
)
def test_states_of_transfers(text, state):
    assert transfer_state(text) == state


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("已领取", "opened"),
        ("已被领完", "opened"),
        ("已过期", "expired"),
        ("领取红包", "pending"),
        ("恭喜发财", ""),
    ],
)
def test_states_of_red_packets(text, state):
    assert red_packet_state(text) == state
