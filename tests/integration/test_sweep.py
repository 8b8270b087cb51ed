"""Sweeps over the chats of a virtual phone: what shows no badge, and what a fault leaves due."""

import threading

import pytest

from agent import signedin
from agent.capture.sweep import Sweeper
from agent.chatbook import ChatBook
from agent.config import AgentConfig
from agent.errors import DriverError, Unreadable
from agent.grip import Grip
from agent.outbox import Outbox
from agent.runner import Life
from agent.virtual.scenario import parse_scenario
from protos import wire
from protos.facts import MessageSeen
from tests.support.fleetstub import FleetStub, until
from tests.support.handset import handsets

WORLD = """
[phones_like]
count = 1
[[people]]
nickname = "小满"
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
lines = [{ text = "读过的", ago_s = 900 }]
"""


class Desk:
    """One handset, its outbox, and what may be restarted over them."""

    def __init__(self, hands, folder):
        self.hands = hands
        self.farm = hands.farm
        self.virtual = hands.farm.phones[0]
        self.path = folder / "outbox.db"
        self.outbox = None
        self.restart()

    def restart(self):
        """Begin as a new process would: nothing but the file is known."""
        if self.outbox is not None:
            self.outbox.close()
        self.outbox = Outbox.open(self.path)
        self.outbox.account_id = self.virtual.account_id
        self.phone = self.hands.open(self.virtual)
        self.sweeper = Sweeper(self.outbox)

    def sweep(self):
        return self.sweeper.sweep(self.phone, lambda: True)

    def due(self):
        return [row.title for row in ChatBook(self.outbox).due()]

    def messages(self, title):
        """Return (side, text) of a chat as archived; positions have no holes, nothing is doubtful."""
        facts = [wire.unseal(body).fact for body in self.outbox.batch(1)]
        mine = [fact for fact in facts if isinstance(fact, MessageSeen) and fact.conversation_title == title]
        assert [fact.position for fact in mine] == list(range(1, len(mine) + 1))
        assert not any(fact.ambiguous for fact in mine)
        return [(fact.side, fact.text) for fact in mine]

    def world(self, title):
        rows = [row for row in self.farm.truth()["messages"] if row["title"] == title]
        return [(row["side"], row["text"]) for row in rows]

    def agrees(self):
        return all(self.messages(title) == self.world(title) for title in ("小满", "话多"))


@pytest.fixture
def desk(one_adb, tmp_path):
    with handsets(parse_scenario(WORLD), one_adb) as hands:
        made = Desk(hands, tmp_path)
        yield made
        made.outbox.close()


def test_chats_without_a_badge_are_read_at_first_sight_and_when_their_row_changes(desk):
    assert desk.sweep()
    assert desk.agrees()
    desk.farm.say(desk.virtual.account_id, "huaduo", "我来回您", "out")
    desk.sweep()
    assert desk.agrees()
    # The holder reads a message before the agent sees its badge.
    desk.farm.say(desk.virtual.account_id, "xiaoman", "急", "in")
    account = desk.farm.world.accounts[desk.virtual.account_id]
    desk.farm.do(setattr, account.chats["xiaoman"], "unread", 0)
    desk.sweep()
    assert desk.agrees()
    assert desk.due() == []


def test_nothing_is_opened_again_while_nothing_changes(desk):
    desk.sweep()
    opened = []
    desk.sweeper._read = lambda _, row: opened.append(row.title)
    desk.sweep()
    assert opened == []


@pytest.mark.parametrize(
    ("fault", "method", "error"),
    [
        ("lost_after_act", "click", DriverError),
        ("empty_tree", "dumpWindowHierarchy", Unreadable),
        ("lost_after_act", "pressKey", DriverError),
    ],
)
def test_a_fault_between_tap_and_archive_leaves_the_chat_due(desk, monkeypatch, fault, method, error):
    account = desk.farm.world.accounts[desk.virtual.account_id]
    desk.sweep()
    desk.farm.say(desk.virtual.account_id, "xiaoman", "好的", "in")
    desk.farm.say(desk.virtual.account_id, "xiaoman", "好的", "in")
    tap = desk.phone.tap

    def tap_then_trouble(spot, *rest):
        count = None if fault == "empty_tree" else 1
        if fault == "lost_after_act":
            desk.virtual.faults(fault, method, count)
            tap(spot, *rest)
        else:
            tap(spot, *rest)
            desk.virtual.faults(fault, method, count)

    monkeypatch.setattr(desk.phone, "tap", tap_then_trouble)
    with pytest.raises(error):
        desk.sweep()
    assert account.chats["xiaoman"].unread == 0
    # A reading that was complete when the way back failed is archived already.
    assert desk.due() == ([] if method == "pressKey" else ["小满"])
    desk.virtual.clear_faults()
    desk.restart()
    desk.sweep()
    assert desk.agrees()
    assert desk.due() == []


def test_a_sweep_that_is_broken_off_goes_on_with_what_was_due(desk):
    answers = iter([True, False])
    assert not desk.sweeper.sweep(desk.phone, lambda: next(answers))
    assert len(desk.due()) == 1
    desk.restart()
    assert desk.sweep()
    assert desk.agrees()


class Alive:
    """A whole agent's life on a thread, over the desk's outbox and a stub controller."""

    def __init__(self, desk, stub, folder):
        self._stop = threading.Event()
        self.states = []
        handset = desk.phone.facts()
        stub.accounts.setdefault(handset.serial, desk.virtual.account_id)
        settings = AgentConfig(
            path=None,
            controller=stub.target,
            data_dir=folder,
            lock_dir=folder,
            host="h",
            adb_path="",
            adb_port=1,
        )
        self._life = Life(
            settings,
            handset,
            Grip(lambda: desk.phone, pause=lambda s: not self._stop.wait(s)),
            desk.outbox,
            lambda state, cause: self.states.append((state, cause)),
            is_stopping=self._stop.is_set,
            pause=lambda s: not self._stop.wait(s),
        )
        self._thread = threading.Thread(target=self._life.live)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


def test_another_account_that_signs_in_between_sweeps_is_not_captured(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(signedin, "ACCOUNT_LIFE_S", 0.2)
    account = desk.farm.world.accounts[desk.virtual.account_id]
    with FleetStub() as stub:
        stub.settings.sweep_pause_ms = 200
        with Alive(desk, stub, tmp_path) as alive:
            until(desk.agrees, "the first sweep", 30)
            own = desk.messages("小满")
            desk.farm.do(setattr, account, "account_id", "wx_other")
            desk.farm.say(desk.virtual.account_id, "xiaoman", "私事", "in")
            until(lambda: ("quarantined", "account_mismatch") in alive.states, "the halt", 30)
    assert desk.messages("小满") == own


@pytest.mark.parametrize("bound", ["", "wx_other"])
def test_without_its_own_account_bound_nothing_is_opened(desk, tmp_path, bound):
    account = desk.farm.world.accounts[desk.virtual.account_id]
    with FleetStub() as stub:
        stub.settings.sweep_pause_ms = 200
        stub.accounts[desk.virtual.serial] = bound
        with Alive(desk, stub, tmp_path) as alive:
            wanted = "quarantined" if bound else "ready"
            until(lambda: any(state == wanted for state, _ in alive.states), "the state", 30)
            beats = len(stub.phone(desk.virtual.serial).heartbeats)
            until(lambda: len(stub.phone(desk.virtual.serial).heartbeats) > beats + 8, "some heartbeats")
    assert account.chats["xiaoman"].unread == 1
    assert desk.messages("小满") == []
