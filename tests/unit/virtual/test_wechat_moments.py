"""The virtual timeline: what it shows, how it moves, and what taps on it do to the world."""

import pytest

from agent.virtual.scenario import parse_scenario
from agent.virtual.wechat.client import WeChat
from agent.virtual.wechat.labels import post_label
from agent.virtual.world import Answer, World
from tests.support.hand import START_MS, Hand

PEOPLE = """
[phones_like]
count = 1
[[people]]
nickname = "小满🌾"
wechat_id = "xiaoman"
friend_of = ["all"]
[[people]]
nickname = "拉黑"
wechat_id = "blocks"
friend_of = ["all"]
moments = "blocked"
[[people]]
nickname = "关闭"
wechat_id = "closed"
friend_of = ["all"]
moments = "closed"
"""
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Timeline(Hand):
    """A hand on the timeline of a scenario given as text."""

    def __init__(self, posts: str, client: str = "") -> None:
        self.now_ms = START_MS
        self.world = World(parse_scenario(f"[client]\n{client}\n{PEOPLE}{posts}"), lambda: self.now_ms)
        self.app = WeChat(self.world, "farm_001")
        self.account = self.world.accounts["farm_001"]
        self.app.launch()
        self.tap("发现")
        self.tap("朋友圈")

    def authors(self) -> list[str]:
        return [node.text for node in self.role("moments_author")]

    def open_popup(self, at: int = 0) -> None:
        self.touch(self.role("moments_popup_button")[at])

    def likes(self) -> dict[str, tuple[int, int]]:
        entries = self.world.truth.of("farm_001").likes.values()
        return {one["post"]: (one["made"], one["taken_back"]) for one in entries}


def written(author: str, text: str, more: str = "") -> str:
    return f'[[posts]]\nauthor = "{author}"\ntext = "{text}"\n{more}\n'


@pytest.mark.parametrize(
    ("ago_ms", "label"),
    [
        (0, "刚刚"),
        (59_000, "刚刚"),
        (60_000, "1分钟前"),
        (59 * 60_000, "59分钟前"),
        (5 * HOUR_MS, "5小时前"),
        (7 * HOUR_MS, "昨天"),
        (DAY_MS, "昨天"),
        (2 * DAY_MS, "2天前"),
        (30 * DAY_MS, "30天前"),
        (31 * DAY_MS, "10月15日"),
        (400 * DAY_MS, "2022年10月11日"),
    ],
)
def test_times_as_the_client_writes_them(ago_ms: int, label: str) -> None:
    assert post_label(START_MS - ago_ms, START_MS) == label


def test_ages_of_a_scenario_are_days_and_hours_together() -> None:
    hand = Timeline(written("xiaoman", "一", "ago_days = 2\nago_hours = 1") + written("xiaoman", "二"))
    ages = [START_MS - one.at_ms for one in hand.world.posts]
    assert ages == [2 * DAY_MS + HOUR_MS, HOUR_MS]


def test_closed_moments_are_not_shown_and_own_posts_can_be_deleted() -> None:
    hand = Timeline(
        written("closed", "看不见", "ago_s = 1")
        + written("farm_001", "自己的", "ago_s = 2")
        + written("blocks", "看得见", "ago_s = 3")
        + written("某品牌", "大促", "ago_s = 4\nis_ad = true")
    )
    assert hand.authors() == ["客服01", "拉黑", "某品牌"]
    assert len(hand.all("删除")) == 1
    assert [node.text for node in hand.role("moments_ad_mark")] == ["广告"]
    assert hand.all("小满🌾头像") == []
    assert len(hand.all("拉黑头像")) == 1


def test_a_blocked_like_is_answered_by_a_toast_and_not_made() -> None:
    hand = Timeline(written("blocks", "看得见"))
    hand.open_popup()
    hand.tap("赞")
    assert hand.app.take_toast() == "你已被对方加入黑名单，无法点赞。"
    assert hand.likes() == {}
    assert hand.role("moments_like_names") == []


@pytest.mark.parametrize(
    ("client", "words"), [('like_warning = "REALNAME"', "实名"), ("like_limit = 0", "频繁")]
)
def test_a_scripted_warning_answers_the_like(client: str, words: str) -> None:
    hand = Timeline(written("xiaoman", "新店"), client)
    hand.open_popup()
    hand.tap("赞")
    assert any(words in text for text in hand.texts())
    assert hand.likes() == {}


def test_a_limit_counts_likes_made_and_not_those_taken_back() -> None:
    hand = Timeline(
        written("xiaoman", "一", "ago_s = 1") + written("xiaoman", "二", "ago_s = 2"), "like_limit = 1"
    )
    one, two = hand.world.timeline(hand.account)
    assert hand.world.tap_like(hand.account, one) is Answer.SENT
    assert hand.world.tap_like(hand.account, one) is Answer.SENT
    assert hand.world.tap_like(hand.account, two) is Answer.WARNED
    assert hand.likes() == {one.post_id: (1, 1)}


def test_a_new_post_moves_the_rows_and_the_popup_with_its_row() -> None:
    hand = Timeline(written("xiaoman", "新店"))
    hand.open_popup()
    before = hand.all("赞")[0].bounds
    hand.world.post("xiaoman", "更新的事")
    after = hand.all("赞")[0].bounds
    assert after.top > before.top
    left, top, right, bottom = before
    hand.app.tap((left + right) / 2, (top + bottom) / 2)
    assert hand.likes() == {}


def test_the_popup_closes_by_scrolling_by_back_and_by_its_button() -> None:
    hand = Timeline("".join(written("xiaoman", f"第{n}条", f"ago_s = {n}") for n in range(9)))
    for close in (lambda: hand.app.swipe(500, 1500, 500, 1400), hand.back, hand.open_popup):
        hand.open_popup()
        assert hand.all("赞")
        close()
        hand.wait()
        assert hand.all("赞") == []
    assert hand.app.activity().endswith("ImproveSnsTimelineUI")


def test_long_texts_are_folded_and_unfold() -> None:
    text = "早上六点出发，路上下了小雨，到了以后天就晴了。" * 8
    hand = Timeline(written("xiaoman", text))
    (folded,) = hand.role("moments_text_folded")
    assert text.startswith(folded.text.removesuffix("…"))
    assert len(folded.text) < len(text)
    hand.tap("全文")
    assert [node.text for node in hand.role("moments_text")] == [text]
    hand.tap("收起")
    assert hand.role("moments_text_folded")


def test_older_posts_are_loaded_at_the_end_and_the_list_ends() -> None:
    hand = Timeline("".join(written("xiaoman", f"第{n}条", f"ago_s = {n}\nimages = 3") for n in range(25)))
    seen: list[str] = []
    for _ in range(40):
        seen += [node.text for node in hand.role("moments_text") if node.text not in seen]
        hand.app.swipe(500, 1800, 500, 900)
        hand.wait()
    assert seen == [f"第{n}条" for n in range(25)]
    page = hand.app.stage.page
    bottom = page.scroll_px
    hand.app.swipe(500, 1800, 500, 900)
    assert page.scroll_px == bottom


def test_the_title_stands_there_once_the_cover_is_gone() -> None:
    hand = Timeline("".join(written("xiaoman", f"第{n}条", f"ago_s = {n}\nimages = 3") for n in range(9)))
    assert hand.all("朋友圈封面，再点一次可以改封面")
    assert hand.all("朋友圈") == []
    hand.app.swipe(500, 1800, 500, 900)
    hand.wait()
    assert len(hand.all("朋友圈")) == 1
