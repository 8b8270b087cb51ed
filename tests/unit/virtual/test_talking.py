"""What happens to conversations of the virtual world, and how the client shows it."""

import pytest

from agent.virtual import talking
from agent.virtual.scenario import parse_scenario
from agent.virtual.world import World
from tests.support.glass import Glass
from tests.support.hand import START_MS

WORLD = """
[[people]]
nickname = "小满"
wechat_id = "xm"
mobile = "13800000001"
friend_of = ["all"]
[[chats]]
peer = "xm"
lines = [{ text = "一" }, { text = "二", side = "out" }, { text = "三" }]
[[chats]]
kind = "group"
title = "售后群"
members = 5
lines = [
  { sender = "甲", text = "群一" }, { side = "system", text = "线" }, { sender = '乙"', text = "群二" },
]
"""


@pytest.fixture
def glass() -> Glass:
    return Glass(WORLD)


def texts(made: Glass) -> list[str]:
    """Return the texts in the list of the page in front."""
    page = made.page()
    (area,) = [node for node in page.nodes if node.cls.endswith("RecyclerView")]
    return [one.text for one in page.inside(area) if one.text]


def shown(made: Glass, title: str) -> str:
    """Return the preview of a row of the list of chats."""
    return next(chat.preview() for chat in made.account.chats_in_order() if chat.title == title)


def test_chats_are_named_by_key_title_heading_or_person(glass: Glass) -> None:
    names = ("xm", "小满", "13800000001")
    assert {talking.chat_named(glass.world, glass.account, name).key for name in names} == {"xm"}
    for name in ("售后群", "售后群(5)"):
        assert talking.chat_named(glass.world, glass.account, name).kind == "group"
    with pytest.raises(KeyError):
        talking.chat_named(glass.world, glass.account, "没有")


def test_a_recalled_message_is_replaced_in_place_and_stays_in_the_record(glass: Glass) -> None:
    chat = glass.account.chats["xm"]
    glass.tap("小满")
    glass.now_ms += 1_000
    gone = talking.recall(glass.world, chat, 0)
    assert (gone.text, gone.recall_line, gone.recalled_at_ms) == ("三", '"小满"撤回了一条消息', glass.now_ms)
    assert texts(glass)[-2:] == ["二", '"小满"撤回了一条消息']
    talking.recall(glass.world, chat, 0)
    assert texts(glass)[-3:] == ["一", "你撤回了一条消息", '"小满"撤回了一条消息']
    assert [(line.no, line.text) for line in chat.ever] == [(0, "一"), (1, "二"), (2, "三")]
    assert shown(glass, "小满") == '"小满"撤回了一条消息'
    talking.recall(glass.world, chat, 0)
    with pytest.raises(IndexError):
        talking.recall(glass.world, chat, 0)


def test_a_group_names_who_recalled_and_grey_lines_do_not_count(glass: Glass) -> None:
    chat = glass.account.chats["售后群"]
    assert talking.recall(glass.world, chat, 0).recall_line == '"乙""撤回了一条消息'
    assert talking.recall(glass.world, chat, 0).recall_line == '"甲"撤回了一条消息'


@pytest.mark.parametrize(
    ("what", "is_listed", "is_friend"),
    [("clear", True, True), ("row", False, True), ("friend", False, False)],
)
def test_what_is_removed_leaves_the_phone_and_stays_in_the_record(
    glass: Glass, what: str, is_listed: bool, is_friend: bool
) -> None:
    chat = glass.account.chats["xm"]
    talking.remove(glass.world, glass.account, chat, what)
    assert (chat.is_listed, "xm" in glass.account.friends) == (is_listed, is_friend)
    assert chat.lines == []
    assert [line.removed_at_ms for line in chat.ever] == [glass.now_ms] * 3
    line = glass.world.say(glass.account, chat, "四", side="in")
    assert (line.no, line.removed_at_ms, chat.is_listed) == (3, 0, True)
    assert [one.text for one in chat.lines] == ["四"]


def test_a_hidden_row_comes_back_with_all_its_lines(glass: Glass) -> None:
    chat = glass.account.chats["xm"]
    talking.remove(glass.world, glass.account, chat, "hide")
    assert "小满" not in [one.title for one in glass.account.chats_in_order()]
    glass.world.say(glass.account, chat, "四", side="in")
    assert len(chat.lines) == 4
    assert chat.is_listed
    with pytest.raises(ValueError, match="explode"):
        talking.remove(glass.world, glass.account, chat, "explode")


def test_an_emptied_chat_keeps_a_row_without_words_or_time(glass: Glass) -> None:
    talking.remove(glass.world, glass.account, glass.account.chats["xm"], "clear")
    page = glass.page()
    row = next(
        one for one in page.nodes if one.rid.endswith("/cj1") and "小满" in {n.text for n in page.inside(one)}
    )
    assert [one.text for one in page.inside(row) if one.text] == ["小满"]


def test_a_renamed_group_says_so(glass: Glass) -> None:
    chat = glass.account.chats["售后群"]
    talking.rename(glass.world, glass.account, chat, "新群", by="甲")
    assert chat.heading == "新群(5)"
    assert chat.lines[-1].text == '"甲"修改群名为“新群”'


def test_a_message_that_changes_is_drawn_anew(glass: Glass) -> None:
    chat = glass.account.chats["xm"]
    glass.world.say(glass.account, chat, "", side="in", kind="transfer", amount_fen=100, state="pending")
    glass.tap("小满")
    assert "请你确认收款" in texts(glass)
    talking.change(chat, 0, state="received")
    assert "请你确认收款" not in texts(glass)
    assert "已收款" in texts(glass)


def test_planned_talk_happens_in_its_time() -> None:
    plan = """
[[says]]
peer = "xm"
texts = ["四"]
lines = [{ kind = "voice", length_s = 4, transcript = "喂" }]
every_s = 1
[[recalls]]
peer = "xm"
nth_last = 2
at_s = 2
[[changes]]
peer = "xm"
is_transcribed = true
at_s = 3
[[removes]]
peer = "售后群"
what = "clear"
at_s = 4
[[recalls]]
peer = "售后群"
at_s = 5
"""
    world = World(parse_scenario("[phones_like]\ncount = 1\n" + WORLD + plan), lambda: START_MS)
    chats = world.accounts["farm_001"].chats
    world.step(START_MS + 1_000)
    assert [line.text for line in chats["xm"].lines] == ["一", "二", "三", "四", ""]
    world.step(START_MS + 2_000)
    assert chats["xm"].lines[3].text == '"小满"撤回了一条消息'
    assert not chats["xm"].lines[-1].is_transcribed
    world.step(START_MS + 3_000)
    assert chats["xm"].lines[-1].is_transcribed
    world.step(START_MS + 5_000)
    assert chats["售后群"].lines == []
    assert world.next_due_ms() is None


def test_endless_talk_does_not_stop_the_world_where_time_takes_none() -> None:
    toml = '[phones_like]\ncount = 1\n[[says]]\npeer = "xm"\ntexts = ["无尽"]\ntimes = 0\n'
    now = [START_MS]
    world = World(parse_scenario(toml + WORLD), lambda: now[0], time_scale=0.0)
    chat = world.accounts["farm_001"].chats["xm"]
    for n in range(3):
        now[0] += 200
        world.step(now[0])
        assert len(chat.lines) == 4 + n


def test_folded_chats_stand_on_a_page_of_their_own() -> None:
    groups = "".join(
        f'[[chats]]\nkind = "group"\ntitle = "群{n}"\nmuted = true\nfolded = true\n'
        f'lines = [{{ sender = "甲", text = "第{n}", ago_s = {n} }}]\n'
        for n in (1, 2)
    )
    made = Glass(WORLD + groups)
    names = [one.text for one in made.page().nodes if one.rid.endswith("/kbq")]
    assert names == ["折叠的聊天", "小满", "售后群"]
    made.tap("折叠的聊天")
    assert made.app.activity().endswith("ConvBoxServiceConversationUI")
    assert [one.text for one in made.page().nodes if one.rid.endswith("/kbq")] == ["群1", "群2"]
    made.tap("群2")
    assert texts(made)[-1] == "第2"
    made.app.back()
    made.app.back()
    assert names == [one.text for one in made.page().nodes if one.rid.endswith("/kbq")]
