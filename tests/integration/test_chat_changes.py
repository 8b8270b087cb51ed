"""Sweeps and passive looks on a virtual phone: recalls, cleared, deleted and excluded chats, a hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.boottime import wall_ms
from agent.capture import sweep
from agent.capture.keys import conversation_key
from agent.capture.passive import Passive
from agent.capture.sweep import Sweeper
from agent.chatbook import ChatBook
from agent.model import Settings
from agent.outbox import Outbox
from agent.virtual.scenario import parse_scenario
from protos import wire
from protos.facts import ChatRemoved, GapSeen, MessageChanged, MessageSeen
from tests.support.adb import until
from tests.support.handset import handsets

PEOPLE = (("小满", "xiaoman", 3), ("话多", "huaduo", 30))
WORLD = "[phones_like]\ncount = 1\n" + "".join(
    f'[[people]]\nnickname = "{name}"\nwechat_id = "{key}"\nfriend_of = ["all"]\n'
    f'[[chats]]\npeer = "{key}"\nhistory = {lines}\n'
    for name, key, lines in PEOPLE
)


class Desk:
    def __init__(self, hands, folder):
        self.farm, self.virtual = hands.farm, hands.farm.phones[0]
        self.account = self.virtual.account_id
        self.outbox = Outbox.open(folder / "outbox.db")
        self.outbox.account_id = self.account
        self.phone = hands.open(self.virtual)
        self.settings = Settings(sweep_pause_ms=0)
        self.sweeper = Sweeper(self.outbox, lambda: self.settings)
        self.passive = Passive(self.outbox, lambda: self.settings)

    def sweep(self):
        assert self.sweeper.sweep(self.phone, lambda: True)

    def say(self, key, text, side="in", **fields):
        self.farm.say(self.account, key, text, side, **fields)

    def facts(self, kind, title=""):
        found = [wire.unseal(body).fact for body in self.outbox.batch(1)]
        key = conversation_key(title, "private")
        return [
            fact for fact in found if isinstance(fact, kind) and (not title or fact.conversation_key == key)
        ]

    def texts(self, title):
        found = self.facts(MessageSeen, title)
        assert [fact.position for fact in found] == list(range(1, len(found) + 1))
        return [fact.text for fact in found]

    def world(self, key):
        return [line.text for line in self.farm.transcript(self.account)[key]]


@pytest.fixture
def desk(one_adb, tmp_path):
    with handsets(parse_scenario(WORLD), one_adb) as hands:
        made = Desk(hands, tmp_path)
        yield made
        made.outbox.close()


def test_a_recalled_message_stays_and_is_marked(desk):
    desk.say("xiaoman", "说错了")
    desk.sweep()
    desk.farm.recall(desk.account, "xiaoman", 0)
    desk.sweep()
    assert desk.texts("小满") == desk.world("xiaoman")
    (change,) = desk.facts(MessageChanged)
    assert (change.position, change.what) == (4, "recalled")
    assert "撤回" in change.line


def test_a_cleared_chat_is_an_event_and_goes_on_after_it(desk):
    desk.sweep()
    before = desk.texts("话多")
    desk.farm.remove(desk.account, "huaduo", "clear")
    desk.say("huaduo", "还在吗")
    desk.sweep()
    desk.say("huaduo", "在的")
    desk.sweep()
    assert desk.texts("话多") == [*before, "还在吗", "在的"]
    (gone,) = desk.facts(ChatRemoved)
    assert (gone.what, gone.last_position) == ("cleared", len(before))
    assert [gap.before_position for gap in desk.facts(GapSeen)] == [len(before) + 1]


def test_a_deleted_chat_is_reported_once(desk):
    desk.sweep()
    desk.farm.remove(desk.account, "huaduo", "row")
    for _ in range(2):
        desk.sweeper._whole_at_s = float("-inf")
        desk.sweep()
    (gone,) = desk.facts(ChatRemoved)
    assert (gone.what, gone.conversation_title) == ("gone", "话多")
    assert [gap.cause for gap in desk.facts(GapSeen)] == ["chat_gone"]


def test_an_excluded_chat_is_never_opened_nor_read_in_the_hand(desk):
    desk.settings = replace(desk.settings, excluded_keys=(conversation_key("小满", "private"),))
    desk.say("xiaoman", "私事")
    ChatBook(desk.outbox).note_title("小满")
    desk.sweep()
    desk.virtual.hand("open", "小满")
    until(lambda: desk.passive.look(desk.phone), "the chat in front")
    assert desk.texts("小满") == []
    assert desk.texts("话多") == desk.world("huaduo")


def test_what_comes_while_a_person_has_the_chat_open_is_read_without_a_tap(desk):
    for n in range(14):  # a page that repeats would prove nothing
        desk.say("huaduo", f"单号{n}")
    desk.sweep()
    desk.virtual.hand("open", "话多")
    taps = len(desk.virtual.injected_at_s())
    for text in ("第一", "第二"):
        desk.say("huaduo", text)
        # The page is drawn a moment after the touch.
        until(
            lambda: desk.passive.look(desk.phone) and desk.texts("话多") == desk.world("huaduo"),
            "it to be read",
        )
    assert len(desk.virtual.injected_at_s()) == taps
    # A visit follows: one page cannot prove that nothing was missed.
    assert "话多" in [row.title for row in ChatBook(desk.outbox).due()]
    desk.sweep()
    assert desk.texts("话多") == desk.world("huaduo")
    assert desk.facts(GapSeen) == []


@pytest.mark.parametrize("is_rechecked", [True, False])
def test_a_message_like_the_last_one_in_the_same_minute_is_found(desk, monkeypatch, is_rechecked):
    monkeypatch.setattr(sweep, "recheck_at", sweep.recheck_at if is_rechecked else lambda *_, **__: None)
    desk.say("xiaoman", "好的")
    desk.sweep()
    desk.say("xiaoman", "好的")
    chat = desk.farm.world.accounts[desk.account].chats["xiaoman"]
    desk.farm.do(setattr, chat, "unread", 0)  # read on another device
    before = wall_ms() // 60_000
    desk.sweep()
    if before == wall_ms() // 60_000:
        assert (desk.texts("小满") == desk.world("xiaoman")) is is_rechecked
