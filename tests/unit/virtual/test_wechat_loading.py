"""Chats that are longer than what is loaded: loading, jumping, and pages that stay where they are."""

import msgspec
import pytest

from agent.virtual import talking
from agent.virtual.ui import Rect
from tests.support.hand import Hand


@pytest.fixture
def hand() -> Hand:
    made = Hand("chats")
    made.tap("话多")
    return made


def seen(hand: Hand) -> list[str]:
    return [node.text for node in hand.role("message_text")]


def places(hand: Hand) -> dict[str, Rect]:
    return {node.text: node.bounds for node in hand.role("message_text")}


def is_loading(hand: Hand) -> bool:
    return any(node.cls.endswith("ProgressBar") for node in hand.nodes())


def up(hand: Hand) -> None:
    hand.app.swipe(540, 700, 540, 2100)


def write(hand: Hand, text: str, side: str = "in") -> None:
    hand.world.say(hand.account, hand.account.chats["huaduo"], text, side=side)


def to_loading(hand: Hand) -> None:
    for _ in range(10):
        if is_loading(hand):
            return
        up(hand)
    raise AssertionError("the upper end did not come")


def test_a_chat_opens_with_its_last_lines_and_loads_more_at_the_upper_end(hand: Hand) -> None:
    layout = hand.app.stage.page.layout
    assert layout.first == 100
    to_loading(hand)
    assert layout.first == 100
    before = places(hand)
    hand.wait(0.3)
    after = places(hand)
    assert layout.first == 80
    assert not is_loading(hand)
    assert all(after[text] == box for text, box in before.items() if box.height > 100)
    up(hand)
    assert next(iter(before)) not in seen(hand)[:1]


def test_all_lines_can_be_reached_and_then_nothing_is_loaded(hand: Hand) -> None:
    for _ in range(60):
        up(hand)
        hand.wait(0.3)
    lines = [line.text for line in hand.account.chats["huaduo"].lines]
    assert seen(hand) == lines[: len(seen(hand))]
    assert not is_loading(hand)
    assert hand.app.stage.page.scroll_px == 0


def test_a_recall_above_does_not_move_what_is_in_sight(hand: Hand) -> None:
    hand.app.swipe(540, 700, 540, 1400)
    before = places(hand)
    chat = hand.account.chats["huaduo"]
    place = hand.app.stage.page.layout.first
    chat.recall(place, "你撤回了一条消息", hand.now_ms)
    assert places(hand) == before
    talking.recall(hand.world, chat, 0)
    assert places(hand) == before


def test_new_lines_are_counted_in_a_pill_while_the_end_is_out_of_sight(hand: Hand) -> None:
    up(hand)
    before = places(hand)
    for n in range(3):
        write(hand, f"新{n}")
    write(hand, "自己", "out")
    assert places(hand) == before
    pill = hand.all("3条新消息")[0]
    assert not any(pill in node.walk() for node in hand.role("chat_messages"))
    hand.touch(pill)
    assert seen(hand)[-1] == "自己"
    assert not hand.all("3条新消息")


def test_the_upper_pill_jumps_to_the_first_new_line() -> None:
    hand = Hand("chats")
    hand.account.chats["huaduo"].unread = 70
    hand.tap("话多")
    hand.tap("70条新消息")
    assert hand.texts().count("以下为新消息") == 1
    first = hand.account.chats["huaduo"].lines[-70].text
    below = [n for n in hand.role("message_text") if n.bounds.top > hand.all("以下为新消息")[0].bounds.top]
    assert min(below, key=lambda node: node.bounds.top).text == first
    assert not hand.all("70条新消息")


def test_the_upper_pill_goes_once_the_divider_was_in_sight(hand: Hand) -> None:
    assert hand.all("25条新消息")
    while "以下为新消息" not in hand.texts():
        hand.app.swipe(540, 700, 540, 1500)
        hand.wait()
    assert not hand.all("25条新消息")


def test_the_first_loaded_line_may_bear_a_time_line_that_goes() -> None:
    hand = Hand("chats")
    hand.account.client = msgspec.structs.replace(hand.account.client, labels_first=True)
    hand.tap("话多")
    to_loading(hand)
    labels = [node.text for node in hand.role("message_time")]
    assert len(labels) == 1
    hand.wait(0.3)
    assert hand.role("message_time") == []


def test_an_emptied_chat_shows_an_empty_page(hand: Hand) -> None:
    up(hand)
    talking.remove(hand.world, hand.account, hand.account.chats["huaduo"], "clear")
    assert seen(hand) == []
    write(hand, "还在吗")
    assert seen(hand) == ["还在吗"]


def test_a_menu_deletes_and_recalls(hand: Hand) -> None:
    write(hand, "我写的", "out")
    for entry, expected in (("撤回", "你撤回了一条消息"), ("删除", "")):
        box = hand.role("message_text")[-1].bounds
        hand.app.long_tap((box.left + box.right) / 2, (box.top + box.bottom) / 2)
        assert hand.app.windows()[-1].bounds.width < 400
        hand.tap(entry)
        assert not expected or expected in hand.texts()
    ever = hand.account.chats["huaduo"].ever
    assert (ever[-1].recalled_at_ms > 0, ever[-2].removed_at_ms > 0) == (True, True)


def test_an_old_message_cannot_be_recalled_by_its_menu(hand: Hand) -> None:
    write(hand, "我写的", "out")
    hand.wait(121)
    box = hand.all("我写的")[0].bounds
    hand.app.long_tap((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    assert "删除" in hand.texts()
    assert "撤回" not in hand.texts()
    assert hand.app.back()
    assert "删除" not in hand.texts()


def test_what_is_drawn_again_is_the_same_until_it_changes(hand: Hand) -> None:
    first = hand.role("message_item")
    again = hand.role("message_item")
    assert [id(node) for node in first] == [id(node) for node in again]
    write(hand, "新来的")
    assert seen(hand)[-1] == "新来的"
    chat = hand.account.chats["huaduo"]
    talking.change(chat, 0, text="改了")
    assert seen(hand)[-1] == "改了"
    chat.title = "换名"
    assert hand.role("message_avatar")[-1].desc == "换名头像"


def test_time_lines_change_with_the_days(hand: Hand) -> None:
    hand.wait(7_200)
    write(hand, "晚了")
    (label,) = [node.text for node in hand.role("message_time")][-1:]
    hand.wait(86_400)
    assert [node.text for node in hand.role("message_time")][-1] == f"昨天 {label}"
