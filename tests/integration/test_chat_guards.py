"""What must not be read, kept or mixed up, and what is owned up to, on a virtual phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent.capture import chats
from agent.capture.chats import read_chat
from agent.capture.keys import conversation_key
from agent.capture.passive import Passive
from agent.capture.sweep import FOLDED_TITLE, Sweeper
from agent.chatbook import ChatBook
from agent.errors import AgentError, InHand
from agent.model import ChatRow, Settings
from agent.outbox import Outbox
from agent.signedin import SignedIn
from agent.virtual.scenario import parse_scenario
from agent.watch import ChatWatch
from protos import wire
from protos.facts import ChatRemoved, Fact, GapSeen, MessageSeen
from tests.support.adb import AdbServer, until
from tests.support.handset import Handsets, handsets

PEOPLE = (("小满", "xiaoman", 3), ("话多", "huaduo", 30), ("李四(2)", "lisi", 2))
WORLD = "[phones_like]\ncount = 1\n" + "".join(
    f'[[people]]\nnickname = "{name}"\nwechat_id = "{key}"\nfriend_of = ["all"]\n'
    f'[[chats]]\npeer = "{key}"\nhistory = {lines}\n'
    for name, key, lines in PEOPLE
)
FOLDED = (
    f'{WORLD}[[chats]]\nkind = "group"\ntitle = "折叠群"\nmembers = 4\nfolded = true\n'
    'lines = [{ text = "藏起来", sender = "阿明" }]\n'
)
NAMESAKES = "[phones_like]\ncount = 1\n" + "".join(
    f'[[people]]\nnickname = "{"同名" if n in (2, 20) else f"人{n:02}"}"\nwechat_id = "p{n}"\n'
    f'friend_of = ["all"]\n[[chats]]\npeer = "p{n}"\n'
    f'lines = [{{ text = "我是{n}", ago_s = {1000 + n * 60} }}]\n'
    for n in range(24)
)


class Desk:
    """One phone, its outbox, and what reads chats into it."""

    def __init__(self, hands: Handsets, folder: Path) -> None:
        self.farm, self.virtual = hands.farm, hands.farm.phones[0]
        self.account = self.virtual.account_id
        self.outbox = Outbox.open(folder / "outbox.db")
        self.outbox.account_id = self.account
        self.phone = hands.open(self.virtual)
        self.settings = Settings(capture_allowed=True, account_id=self.account, sweep_pause_ms=0)
        self.sweeper = Sweeper(self.outbox, lambda: self.settings)
        self.passive = Passive(self.outbox, lambda: self.settings)
        self.signed_in = SignedIn(self.outbox, lambda _: None)
        self.watch = ChatWatch(self.outbox, lambda: self.settings, self.phone.hand, self.signed_in)

    def sweep(self) -> None:
        assert self.sweeper.sweep(self.phone, lambda: True)

    def say(self, key: str, text: str) -> None:
        self.farm.say(self.account, key, text)

    def exclude(self, title: str, kind: str = "private") -> None:
        self.settings = replace(self.settings, excluded_keys=(conversation_key(title, kind),))

    def facts(self) -> list[Fact]:
        return [wire.unseal(body).fact for body in self.outbox.batch(1, most=1_000)]

    def titles(self) -> set[str]:
        return {fact.conversation_title for fact in self.facts() if isinstance(fact, MessageSeen)}

    def texts(self, title: str) -> list[str]:
        found = self.facts()
        return [
            fact.text for fact in found if isinstance(fact, MessageSeen) and fact.conversation_title == title
        ]

    def gaps(self) -> list[tuple[str, str]]:
        return [(fact.conversation_title, fact.cause) for fact in self.facts() if isinstance(fact, GapSeen)]

    def due(self) -> list[str]:
        return [row.title for row in ChatBook(self.outbox).due()]

    def look_passively(self) -> None:
        """Have the page in front read until it stands still."""
        until(lambda: self.passive.look(self.phone) and self.passive.is_read, "the chat in front")


@contextmanager
def desk_of(world: str, adb: AdbServer, folder: Path) -> Iterator[Desk]:
    with handsets(parse_scenario(world.encode()), adb) as hands:
        made = Desk(hands, folder)
        yield made
        made.outbox.close()


@pytest.fixture
def desk(one_adb: AdbServer, tmp_path: Path) -> Iterator[Desk]:
    with desk_of(WORLD, one_adb, tmp_path) as made:
        yield made


def test_words_that_stand_in_the_place_of_a_name_are_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chats, "NAME_WITHIN_S", 0.5)
    desk.farm.typing(desk.account, "xiaoman")
    desk.say("xiaoman", "新的")
    desk.sweep()
    assert desk.titles() == {"话多", "李四(2)"}
    assert desk.due() == ["小满"]
    desk.farm.typing(desk.account, "xiaoman", is_on=False)
    desk.sweeper = Sweeper(desk.outbox, lambda: desk.settings)  # not put off any more
    desk.sweep()
    assert desk.texts("小满")[-1] == "新的"
    assert (desk.gaps(), desk.due()) == ([], [])


@pytest.mark.parametrize("mode", ["sweep", "passive"])
def test_an_excluded_chat_is_not_read_while_its_page_hides_its_name(desk: Desk, mode: str) -> None:
    desk.exclude("小满")
    desk.settings = replace(desk.settings, capture_mode=mode)
    desk.farm.typing(desk.account, "xiaoman")
    desk.virtual.hand("open", "小满")
    desk.look_passively()
    assert (desk.titles(), desk.due()) == (set(), [])


@pytest.mark.parametrize("mode", ["sweep", "passive"])
def test_an_excluded_name_that_ends_like_a_count_of_members_is_not_taken_for_a_group(
    desk: Desk, mode: str
) -> None:
    desk.exclude("李四(2)")
    desk.settings = replace(desk.settings, capture_mode=mode)
    desk.virtual.hand("open", "李四(2)")
    desk.look_passively()
    assert (desk.titles(), desk.due()) == (set(), [])


def test_two_chats_of_one_name_on_different_pages_of_the_list_are_not_mixed(
    one_adb: AdbServer, tmp_path: Path
) -> None:
    with desk_of(NAMESAKES, one_adb, tmp_path) as desk:
        desk.sweep()
        assert desk.texts("同名") == []
        assert [cause for _, cause in desk.gaps()] == ["two_chats_one_name"]
        assert desk.texts("人23") == ["我是23"]


def test_folded_chats_are_owned_up_to_and_none_is_said_to_be_gone(one_adb: AdbServer, tmp_path: Path) -> None:
    with desk_of(FOLDED, one_adb, tmp_path) as desk:
        desk.sweep()
        desk.sweep()
        assert desk.gaps() == [(FOLDED_TITLE, "chat_not_read")]
        # The holder puts away a chat that was read.
        chat = desk.farm.world.accounts[desk.account].chats["xiaoman"]
        desk.farm.do(setattr, chat, "is_folded", True)
        desk.sweeper = Sweeper(desk.outbox, lambda: desk.settings)
        desk.sweep()
        assert desk.gaps()[1:] == [("小满", "chat_not_read")]
        assert not [fact for fact in desk.facts() if isinstance(fact, ChatRemoved)]


def test_a_visit_during_which_the_phone_was_touched_counts_for_nothing(desk: Desk) -> None:
    desk.phone.heed(desk.phone.hand)
    row = ChatRow(title="李四(2)", preview="", time_label="", unread=0, is_muted=False)
    archived = []

    def tail_of(key: str) -> chats.Tail:
        desk.phone.hand.touch()  # from here on another chat may be in front
        return desk.outbox.tail_of(key)

    with pytest.raises(InHand):
        read_chat(desk.phone, row, tail_of, archived.append)
    assert archived == []


def test_what_was_read_when_it_was_not_allowed_any_more_is_not_kept(desk: Desk) -> None:
    sweeper = Sweeper(desk.outbox, lambda: desk.settings, may_keep=lambda: False)
    sweeper.sweep(desk.phone, lambda: True)
    assert desk.titles() == set()
    assert sorted(desk.due()) == ["小满", "李四(2)", "话多"]


def test_nothing_is_injected_once_touches_are_not_seen_any_more(desk: Desk) -> None:
    hand = desk.phone.hand
    hand.is_watched = True
    desk.phone.heed(hand)
    taps = []

    def may_go_on() -> bool:
        hand.is_watched = len(desk.titles()) < 1  # the watch ends after the first chat
        taps.append(len(desk.virtual.injected_at_s()))
        return True

    desk.watch.look(desk.phone, may_go_on)
    assert len(desk.titles()) == 1
    assert len(desk.virtual.injected_at_s()) == taps[-1]
    assert desk.watch.why_unopened() == "hand_not_watched"


@pytest.mark.parametrize("mode", ["sweep", "passive"])
def test_what_somebody_leafs_back_to_is_not_taken_for_new(desk: Desk, mode: str) -> None:
    if mode == "sweep":
        desk.sweep()
    desk.settings = replace(desk.settings, capture_mode=mode)
    desk.virtual.hand("open", "话多")  # its lines repeat: a page further up is like a later one
    desk.look_passively()
    before = desk.texts("话多")
    for _ in range(3):
        page = desk.phone.page().shape()
        desk.virtual.hand("scroll", share=0.7)
        until(lambda page=page: desk.phone.page().shape() != page, "the list to move")
        desk.look_passively()
    found = [fact for fact in desk.facts() if isinstance(fact, MessageSeen)]
    later = [fact for fact in found if fact.conversation_title == "话多"][len(before) :]
    assert all(fact.ambiguous for fact in later)
    assert mode == "passive" or later == []


def test_who_signs_in_under_a_persons_hand_may_be_anybody(desk: Desk) -> None:
    desk.settings = replace(desk.settings, capture_mode="passive")
    desk.phone.bring_wechat()
    desk.farm.do(setattr, desk.farm.world.accounts[desk.account], "is_logged_out", True)

    def is_doubted() -> bool:
        desk.watch.read_passively(desk.phone)
        return desk.watch.why_unread() == "account_not_checked"

    until(is_doubted, "the page to sign in")


def test_a_page_that_a_fault_kept_from_being_read_is_read_though_it_stands_still(desk: Desk) -> None:
    desk.settings = replace(desk.settings, capture_mode="passive")
    desk.say("xiaoman", "你好😊")
    desk.virtual.hand("open", "小满")
    desk.look_passively()
    desk.say("xiaoman", "再见😊")
    desk.virtual.faults("http_500", "objInfoOfAllInstances", count=8)
    failures = 0

    def is_read() -> bool:
        nonlocal failures
        try:
            desk.watch.read_passively(desk.phone)
        except AgentError:
            failures += 1
            desk.virtual.clear_faults()
        return "再见😊" in desk.texts("小满")

    until(is_read, "the message", 10.0)
    assert failures == 1
