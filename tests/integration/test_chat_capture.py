"""Chats read over several visits: what is archived equals the world, repeats and emoji included."""

import random

import pytest

from agent.capture.chats import Tail, read_chat, unread_rows
from agent.errors import NotRecognised, ScreenError
from agent.model import ChatRow
from agent.virtual.scenario import load_scenario, parse_scenario
from tests.support.adb import until
from tests.support.hand import SCENARIOS
from tests.support.handset import handsets

TWO = """
[phones_like]
count = 1
[[people]]
nickname = "小满😊"
wechat_id = "xiaoman"
friend_of = ["all"]
[[people]]
nickname = "话多"
wechat_id = "huaduo"
friend_of = ["all"]
[[chats]]
peer = "xiaoman"
unread = 1
lines = [{ text = "早" }]
[[chats]]
peer = "huaduo"
history = 120
unread = 25
"""


class Archive:
    """What the agent's outbox would keep: tails, and every bubble by its position."""

    def __init__(self, phone):
        self.phone = phone
        self.tails = {}
        self.bubbles = {}
        self.gaps = []
        self.doubts = 0

    def tail_of(self, key):
        return self.tails.get(key, Tail(0, ()))

    def sweep(self):
        """Read every chat that shows something unread; return their titles."""
        rows = unread_rows(self.phone)
        for row in rows:
            read = read_chat(self.phone, row, self.tail_of)
            self.tails[read.key] = read.tail
            kept = self.bubbles.setdefault(read.title, {})
            for seen in read.new:
                assert seen.position not in kept
                kept[seen.position] = seen.bubble
                self.doubts += seen.ambiguous
            if read.gap_cause:
                self.gaps.append((read.title, read.gap_cause))
        return [row.title for row in rows]

    def told(self, title):
        """Return (side, text) of a chat in order; positions have no holes."""
        kept = self.bubbles.get(title, {})
        assert sorted(kept) == list(range(1, len(kept) + 1))
        return [(kept[at].side, kept[at].text) for at in sorted(kept)]


def world_told(hands, title):
    rows = [row for row in hands.farm.truth()["messages"] if row["title"] == title]
    return [(row["side"], row["text"]) for row in rows]


@pytest.fixture
def two(one_adb):
    with handsets(parse_scenario(TWO), one_adb) as hands:
        yield hands


def test_a_long_chat_is_read_whole_and_later_only_what_is_new(two):
    virtual = two.farm.phones[0]
    archive = Archive(two.open(virtual))
    assert archive.sweep() == ["小满😊", "话多"]
    assert archive.told("话多") == world_told(two, "话多")
    assert archive.told("小满😊") == world_told(two, "小满😊")
    assert archive.sweep() == []
    for text in ("好的", "好的", "好的🎉", "好的"):
        two.farm.say(virtual.account_id, "huaduo", text)
    assert archive.sweep() == ["话多"]
    assert archive.told("话多") == world_told(two, "话多")
    assert (archive.gaps, archive.doubts) == ([], 0)


@pytest.mark.parametrize("seed", [1, 2])
def test_bursts_of_equal_messages_over_many_visits(two, seed):
    virtual = two.farm.phones[0]
    archive = Archive(two.open(virtual))
    rng = random.Random(seed)
    for _ in range(6):
        for _ in range(rng.choice((1, 2, 5, 14))):
            text = rng.choice(("好的", "好的", "嗯", "👍🏽", "收到..\n稍等", f"单号{rng.random()}"))
            two.farm.say(virtual.account_id, "xiaoman", text, rng.choice(("in", "in", "out")))
        two.farm.say(virtual.account_id, "xiaoman", "好的")
        archive.sweep()
    assert archive.told("小满😊") == world_told(two, "小满😊")
    assert (archive.gaps, archive.doubts) == ([], 0)


def test_more_than_a_screenful_between_two_visits(two):
    virtual = two.farm.phones[0]
    archive = Archive(two.open(virtual))
    archive.sweep()
    for n in range(70):
        two.farm.say(virtual.account_id, "xiaoman", f"第{n}条" if n % 3 else "好的")
    archive.sweep()
    assert archive.told("小满😊") == world_told(two, "小满😊")
    assert archive.gaps == []


def test_a_tail_that_does_not_fit_is_a_gap_not_a_loss(two):
    virtual = two.farm.phones[0]
    archive = Archive(two.open(virtual))
    archive.sweep()
    (key,) = [key for key, tail in archive.tails.items() if tail.position == 1]
    wrong = Tail(1, tuple(bubble for tail in archive.tails.values() for bubble in tail.bubbles[:7])[:7])
    archive.tails[key] = wrong
    two.farm.say(virtual.account_id, "xiaoman", "新的")
    archive.sweep()
    assert archive.gaps == [("小满😊", "no_overlap")]
    assert [one.text for one in archive.bubbles["小满😊"].values()] == ["早", "早", "新的"]


def test_all_kinds_of_chats(one_adb):
    with handsets(load_scenario(SCENARIOS / "chats.toml"), one_adb) as hands:
        archive = Archive(hands.open(hands.farm.phones[0]))
        # People write meanwhile: the list moves under the reader's finger.
        until(lambda: not archive.sweep(), "all chats to be read", 60)
        assert {"小满😊", "话多", "售后群"} <= set(archive.bubbles)
        texts = {"[图片]": ""}
        told = [(side, texts.get(text, text)) for side, text in archive.told("售后群")]
        assert told == world_told(hands, "售后群")
        for title in ("小满😊", "话多"):
            assert archive.told(title) == world_told(hands, title)[: len(archive.told(title))]
        assert (archive.gaps, archive.doubts) == ([], 0)
        assert all(title != "订阅号消息" for title in archive.bubbles)


def test_unread_chats_below_the_first_screen_are_found(one_adb):
    people = "".join(
        f'[[people]]\nnickname = "常客{n:02}"\nwechat_id = "ck{n:02}"\nfriend_of = ["all"]\n'
        f'[[chats]]\npeer = "ck{n:02}"\nunread = {int(n in (0, 17))}\n'
        f'lines = [{{ text = "你好", ago_s = {1000 - n * 10} }}]\n'
        for n in range(18)
    )
    with handsets(parse_scenario(f"[phones_like]\ncount = 1\n{people}"), one_adb) as hands:
        archive = Archive(hands.open(hands.farm.phones[0]))
        assert set(archive.sweep()) == {"常客00", "常客17"}
        assert archive.told("常客00") == [("in", "你好")]
        assert archive.sweep() == []


def test_a_row_that_is_not_there_is_said(two):
    archive = Archive(two.open(two.farm.phones[0]))
    ghost = ChatRow(title="无此人", preview="", time_label="", unread=1, is_muted=False)
    with pytest.raises(NotRecognised):
        read_chat(archive.phone, ghost, archive.tail_of)
    assert isinstance(NotRecognised(), ScreenError)
    assert archive.phone.home().name == "chats"


def test_two_chats_of_one_name_are_not_mixed(one_adb):
    people = "".join(
        f'[[people]]\nnickname = "同名"\nwechat_id = "tm{n}"\nfriend_of = ["all"]\n'
        f'[[chats]]\npeer = "tm{n}"\nunread = 1\nlines = [{{ text = "我是{n}" }}]\n'
        for n in (1, 2)
    )
    with handsets(parse_scenario(f"[phones_like]\ncount = 1\n{people}"), one_adb) as hands:
        archive = Archive(hands.open(hands.farm.phones[0]))
        with pytest.raises(NotRecognised, match="two chats"):
            archive.sweep()
