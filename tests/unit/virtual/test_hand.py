"""A person's hand on a virtual phone: seen by the kernel, with its effect on the client."""

import time
from collections.abc import Iterator

import pytest

from agent.virtual.farm import VirtualFarm, VirtualPhone
from agent.virtual.scenario import Scenario, load_scenario, parse_scenario
from agent.virtual.wechat.chat import ChatPage
from tests.support.adb import until
from tests.support.hand import SCENARIOS

WORLD = """
[phones_like]
count = 1
[[people_like]]
count = 30
nickname = "常客{n:02}"
wechat_id = "ck_{n:02}"
friend_of = ["all"]
[[people]]
nickname = "小满"
wechat_id = "xm"
friend_of = ["all"]
[[chats]]
peer = "xm"
history = 60
unread = 2
"""


def world(more: str = "") -> Scenario:
    others = "".join(
        f'[[chats]]\npeer = "ck_{n:02}"\nlines = [{{ text = "好", ago_s = {n} }}]\n' for n in range(1, 31)
    )
    return parse_scenario(WORLD + others + more)


@pytest.fixture
def farm() -> Iterator[VirtualFarm]:
    with VirtualFarm(world(), time_scale=0.0) as made:
        yield made


def page(farm: VirtualFarm) -> ChatPage:
    """Return the chat page in front, drawn."""
    farm.do(farm.phones[0].handset.layers)
    found = farm.do(lambda: farm.farm.slots[0].hand.app.stage.page)
    assert isinstance(found, ChatPage)
    return found


def truth(farm: VirtualFarm) -> dict[str, object]:
    return farm.truth()["phones"][0]


def kernel(phone: VirtualPhone, farm: VirtualFarm) -> list[tuple[float, float]]:
    """Return a list that fills with what the kernel sees."""
    seen: list[tuple[float, float]] = []
    farm.do(phone.handset.touchscreen.watch_hand, lambda x, y: seen.append((x, y)))
    return seen


def test_a_hand_opens_scrolls_writes_and_leaves(farm: VirtualFarm) -> None:
    phone = farm.phones[0]
    felt = kernel(phone, farm)
    phone.hand("open", "小满")  # from the launcher, and its row is far down
    assert page(farm).chat_key == "xm"
    assert truth(farm)["hand_opened"] == {"xm": 1}
    assert truth(farm)["opened"] == {}
    assert len(felt) > 3
    end = page(farm).scroll_px
    phone.hand("scroll", share=0.5)
    assert 0 <= page(farm).scroll_px < end
    phone.hand("scroll", share=-0.5)
    assert page(farm).scroll_px == end
    before = len(felt)
    phone.hand("send", text="你好呀")
    assert len(felt) == before + 5
    lines = farm.transcript(phone.account_id)["xm"]
    assert (lines[-1].side, lines[-1].text) == ("out", "你好呀")
    assert truth(farm)["sent"] == []
    assert [one["text"] for one in truth(farm)["hand_sent"]] == ["你好呀"]
    phone.hand("back")  # the keyboard goes first
    assert page(farm).chat_key == "xm"
    phone.hand("back")
    assert farm.do(lambda: farm.farm.slots[0].account.open_chat) == ""
    assert phone.injected_at_s() == []
    assert len(phone.hand_at_s()) == len(felt)


def test_every_row_of_a_long_list_can_be_opened(farm: VirtualFarm) -> None:
    phone = farm.phones[0]
    for key in ("ck_01", "ck_09", "ck_10", "ck_11", "ck_30", "xm"):
        phone.hand("open", key)
        assert page(farm).chat_key == key
    assert set(truth(farm)["hand_opened"]) == {"ck_01", "ck_09", "ck_10", "ck_11", "ck_30", "xm"}


def test_the_keyboard_is_a_window_of_its_own_and_lifts_the_footer(farm: VirtualFarm) -> None:
    phone = farm.phones[0]
    phone.hand("open", "xm")

    def windows() -> set[str]:
        return {root.package for root in phone.handset.layers()}

    assert "com.android.inputmethod.latin" not in farm.do(windows)
    lower = page(farm).list_rect.bottom
    phone.hand("type", text="半句")
    assert "com.android.inputmethod.latin" in farm.do(windows)
    assert farm.do(lambda: phone.handset.active_root().package) == "com.tencent.mm"
    assert page(farm).list_rect.bottom < lower
    phone.hand("back")
    phone.hand("back")
    assert farm.do(lambda: farm.farm.slots[0].account.chats["xm"].draft) == "半句"
    assert "com.android.inputmethod.latin" not in farm.do(windows)


def test_a_hand_recalls_and_deletes_by_the_menu(farm: VirtualFarm) -> None:
    phone = farm.phones[0]
    phone.hand("open", "xm")
    phone.hand("send", text="写错了")
    phone.hand("back")
    phone.hand("menu", text="撤回")
    last = farm.transcript(phone.account_id)["xm"][-1]
    assert last.recall_line == "你撤回了一条消息"
    phone.hand("menu", text="删除")
    assert [bool(line.removed_at_ms) for line in farm.transcript(phone.account_id)["xm"]][-3:] == [
        False,
        True,
        False,
    ]


def test_a_folded_chat_is_opened_on_its_page() -> None:
    more = """
[[chats]]
kind = "group"
title = "折起的群"
muted = true
folded = true
lines = [{ text = "在", ago_s = 9000 }]
"""
    with VirtualFarm(world(more), time_scale=0.0) as farm:
        farm.phones[0].hand("open", "折起的群")
        assert page(farm).chat_key == "折起的群"


def test_a_peer_that_types_hides_the_name(farm: VirtualFarm) -> None:
    phone = farm.phones[0]
    phone.hand("open", "xm")
    farm.typing(phone.account_id, "xm")
    assert page(farm).title() == "对方正在输入..."
    farm.typing(phone.account_id, "xm", False)
    assert page(farm).title() == "小满"


def test_what_is_not_there_is_said(farm: VirtualFarm) -> None:
    phone = farm.phones[0]
    with pytest.raises(KeyError):
        phone.hand("open", "没有")
    with pytest.raises(ValueError, match="dance"):
        phone.hand("dance")  # type: ignore[arg-type]  # a word that is none
    farm.remove(phone.account_id, "xm", "hide")
    with pytest.raises(LookupError):
        phone.hand("open", "xm")
    with pytest.raises(LookupError):
        phone.hand("type", text="x")


def test_injected_events_are_timed(farm: VirtualFarm) -> None:
    phone = farm.phones[0]
    begun = time.monotonic()
    screen = phone.handset.touchscreen
    farm.do(phone.handset.start_app, "com.tencent.mm")
    assert phone.injected_at_s() == []
    farm._looper.call(screen.swipe(500, 1500, 500, 900, 10))
    farm.do(phone.handset.keyboard.press, 4)
    times = phone.injected_at_s()
    assert len(times) == 3
    assert begun <= times[0] <= times[-1] <= time.monotonic()
    assert phone.hand_at_s() == []
    phone.touch(10, 10)
    assert len(phone.hand_at_s()) == 1
    assert len(phone.injected_at_s()) == 3


def test_planned_hands_do_what_they_can() -> None:
    more = """
[[hands]]
what = "open"
peer = "xm"
[[hands]]
what = "send"
text = "到点了"
[[hands]]
what = "menu"
text = "没有这一项"
"""
    with VirtualFarm(world(more), time_scale=0.0) as farm:
        phone = farm.phones[0]
        until(lambda: farm.transcript(phone.account_id)["xm"][-1].text == "到点了", "the hand to write", 10)
        assert truth(farm)["sent"] == []


def test_the_clock_of_the_phones_can_be_turned(farm: VirtualFarm) -> None:
    phone = farm.phones[0]
    before = farm.do(phone.handset.clock)
    farm.turn_clock(86_400_000)
    assert farm.do(phone.handset.clock) - before >= 86_400_000
    assert farm.do(farm.world.clock) - before >= 86_400_000
    assert farm.say(phone.account_id, "xm", "明天").at_ms - before >= 86_400_000


def test_farm_methods_tell_and_change_the_truth() -> None:
    with VirtualFarm(load_scenario(SCENARIOS / "chats.toml"), time_scale=0.0) as farm:
        account = farm.phones[0].account_id
        farm.say(account, "小满😊", "票据", kind="file", detail="1 MB")
        farm.say(account, "售后群", '"甲"加入了群聊', side="system")
        farm.say(account, "xiaoman", kind="transfer", amount_fen=500, state="pending")
        assert farm.change(account, "xiaoman", state="received").state == "received"
        assert farm.recall(account, "xiaoman", 1).text == "票据"
        farm.remove(account, "售后群", "clear")
        told = farm.transcript(account)
        assert [line.no for line in told["xiaoman"]] == list(range(len(told["xiaoman"])))
        kinds = {line.kind: line for line in told["xiaoman"]}
        assert kinds["file"].recall_line == '"小满😊"撤回了一条消息'
        assert kinds["transfer"].amount_fen == 500
        assert all(line.removed_at_ms for line in told["售后群"])
        assert farm.titles(account)["xiaoman"] == ("小满😊", "private")
        assert farm.titles(account)["售后群"] == ("售后群", "group")
