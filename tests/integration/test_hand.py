"""The human comes first: a touch stops every kind of injection, and what was begun is put back or settled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.capture.sweep import Sweeper
from agent.errors import AgentError, InHand
from agent.hand import Hand, HandWatch
from agent.model import Settings
from agent.outbox import Outbox
from agent.phone import Phone
from agent.shownnotice import DEFAULT, ENDED, TAG
from agent.virtual.farm import VirtualPhone
from agent.virtual.scenario import parse_scenario
from agent.wechat.spots import Spot
from protos.facts import (
    CoverageSeen,
    Fact,
    MessageSeen,
    PhoneStateChanged,
    TaskArmed,
    TaskEnded,
    TaskReturned,
)
from protos.fleet_pb2 import FriendAdd, Task
from tests.support.adb import AdbServer
from tests.support.commits import commit_of
from tests.support.fleetstub import until
from tests.support.handset import Handsets, handsets
from tests.support.hostrig import Host, host

TRIES = 100
LET_GO_S = 1.0
CHATS = """
[phones_like]
count = 1
[[people_like]]
count = 8
nickname = "朋友{n}"
wechat_id = "friend{n}"
friend_of = ["all"]
"""
LINES = "\n".join(
    f'[[chats]]\npeer = "friend{n}"\nunread = 3\nlines = [{{text = "一"}}, {{text = "二"}}, {{text = "三"}}]'
    for n in range(1, 9)
)


@dataclass
class Bench:
    """One phone of which the touches are watched, and an outbox to sweep into."""

    hands: Handsets
    virtual: VirtualPhone
    phone: Phone
    hand: Hand
    outbox: Outbox


@contextmanager
def bench(adb: AdbServer, folder: Path, *, is_heeded: bool = True) -> Iterator[Bench]:
    with handsets(parse_scenario((CHATS + LINES).encode()), adb, time_scale=0.2) as hands:
        virtual = hands.farm.phones[0]
        phone = hands.open(virtual)
        hand = Hand()
        hand.quiet_s = 600.0
        if is_heeded:
            phone.heed(hand)
        watch = HandWatch(hand, phone.touches)
        watch.start()
        outbox = Outbox.open(folder / "outbox.db")
        outbox.account_id = virtual.account_id
        try:
            until(lambda: hand.is_watched, "the watch")
            yield Bench(hands, virtual, phone, hand, outbox)
        finally:
            watch.close()
            outbox.close()


class Sweeping:
    """Sweeps of a bench's chats on a thread, in which something is always new; waits once it let go."""

    def __init__(self, made: Bench) -> None:
        self._made = made
        self._stop = threading.Event()
        self._may_go_on = threading.Event()
        self.has_let_go = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self) -> Sweeping:
        self.go_on()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.go_on()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def go_on(self) -> None:
        """Leave the phone to the sweeps: its person has gone."""
        self._made.hand.forgive(self._made.hand.now_s())
        self.has_let_go.clear()
        self._may_go_on.set()

    def _live(self) -> None:
        made = self._made
        allowed = Settings(capture_allowed=True, account_id=made.virtual.account_id, sweep_pause_ms=100)
        sweeper = Sweeper(made.outbox, lambda: allowed)
        n = 0
        while not self._stop.is_set():
            self._may_go_on.wait()
            n += 1
            made.hands.farm.say(made.virtual.account_id, f"friend{n % 8 + 1}", f"第{n}句")
            try:
                sweeper.sweep(made.phone, lambda: not self._stop.is_set())
            except InHand:
                self._may_go_on.clear()
                self.has_let_go.set()
            except AgentError:
                continue  # what the finger did may have led anywhere


def injected_after(virtual: VirtualPhone, at_s: float) -> float:
    """Return how long after a moment the last event was injected, 0 if none was."""
    return max((one - at_s for one in virtual.injected_at_s()), default=0.0)


def touch_in_mid_sweep(made: Bench) -> float:
    """Touch right after the sweep injected something; return when."""
    before_s = time.monotonic()
    until(lambda: injected_after(made.virtual, before_s) > 0, "an injection in mid-sweep", 30)
    touched_at_s = time.monotonic()
    made.virtual.touch(540, 5)
    return touched_at_s


def test_of_a_hundred_touches_in_mid_sweep_each_is_heeded_within_a_second(
    one_adb: AdbServer, tmp_path: Path
) -> None:
    late_s = []
    with bench(one_adb, tmp_path) as made, Sweeping(made) as sweeping:
        for _ in range(TRIES):
            touched_at_s = touch_in_mid_sweep(made)
            assert sweeping.has_let_go.wait(60)
            late_s.append(injected_after(made.virtual, touched_at_s))
            sweeping.go_on()
    assert len(late_s) == TRIES
    assert max(late_s) <= LET_GO_S


def test_without_the_guard_the_sweep_goes_on_under_the_hand(one_adb: AdbServer, tmp_path: Path) -> None:
    with bench(one_adb, tmp_path, is_heeded=False) as made, Sweeping(made) as sweeping:
        touched_at_s = touch_in_mid_sweep(made)
        until(lambda: injected_after(made.virtual, touched_at_s) > LET_GO_S, "a late injection", 10)
        assert made.hand.is_on()
        assert not sweeping.has_let_go.is_set()


INJECTS: dict[str, Callable[[Phone], object]] = {
    "tap": lambda phone: phone.tap(_tab(phone)),
    "scroll": lambda phone: phone.scroll(_list(phone), phone.home().lists()[0].box, share=-0.2),
    "back": lambda phone: phone.back(),
    "commit": lambda phone: commit_of(phone).arm(),
}


def _tab(phone: Phone) -> Spot:
    screen = phone.home()
    return screen.spot(screen.page.pressable(screen.tabs()[0]))


def _list(phone: Phone) -> Spot:
    screen = phone.home()
    return screen.spot(screen.lists()[0])


@pytest.mark.parametrize("what", sorted(INJECTS))
def test_nothing_is_injected_while_the_hand_is_on(one_adb: AdbServer, tmp_path: Path, what: str) -> None:
    with bench(one_adb, tmp_path) as made:
        made.phone.home()
        made.virtual.touch(540, 5)
        until(made.hand.is_on, "the touch")
        before = made.virtual.injected_at_s()
        with pytest.raises(InHand):
            INJECTS[what](made.phone)
        assert made.virtual.injected_at_s() == before
        made.hand.forgive(made.hand.now_s())
        INJECTS[what](made.phone)


def test_wechat_is_not_brought_to_the_front_under_a_hand(one_adb: AdbServer, tmp_path: Path) -> None:
    with bench(one_adb, tmp_path) as made:
        made.phone.home()
        made.hands.farm.do(made.virtual.handset.home)
        made.virtual.touch(540, 5)
        until(made.hand.is_on, "the touch")
        with pytest.raises(InHand):
            made.phone.home()
        assert made.hands.farm.do(lambda: made.virtual.handset.front is made.virtual.handset.launcher)


def test_the_watch_comes_back_after_its_stream_broke_and_says_so_meanwhile(
    one_adb: AdbServer, tmp_path: Path
) -> None:
    with bench(one_adb, tmp_path) as made:
        made.virtual.unplug()
        until(lambda: not made.hand.is_watched, "the end of the watch")
        made.virtual.plug()
        made.hands.connect(made.virtual)
        until(lambda: made.hand.is_watched, "the watch again", 20)
        made.virtual.touch(540, 5)
        until(made.hand.is_on, "the touch")


# ---- whole agents

WORLD = """
[phones_like]
count = {count}

[[people_like]]
count = 3
mobile = "1380000{{n:04}}"
nickname = "客户{{n}}"

[[people]]
nickname = "老友"
wechat_id = "laoyou"
friend_of = ["all"]

[[chats]]
peer = "laoyou"
unread = 1
lines = [{{ text = "在吗" }}]
"""
ADD = "添加到通讯录"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 1, WORLD) as made:
        (phone,) = made.phones
        made.stub.accounts[phone.serial] = phone.account_id
        made.stub.settings.sweep_pause_ms = 500
        made.stub.settings.hand_quiet_ms = 3_000
        yield made


def facts(desk: Host, kind: type[Fact]) -> list[Fact]:
    events = desk.stub.phone(desk.phones[0].serial).events()
    return [event.fact for event in events if isinstance(event.fact, kind)]


def states(desk: Host) -> list[str]:
    return [fact.state for fact in facts(desk, PhoneStateChanged) if isinstance(fact, PhoneStateChanged)]


def requests(desk: Host) -> dict[str, int]:
    (phone,) = desk.farm.truth()["phones"]
    return {one["query"]: one["count"] for one in phone["requests"]}


def offer(desk: Host, attempt: int = 1) -> None:
    add = FriendAdd(query="13800000001", query_kind="mobile", greeting="你好", remark="")
    desk.stub.tasks.put(Task(task_id="t1", attempt=attempt, friend_add=add))


def test_a_hand_makes_the_state_and_the_quiet_ends_it(desk: Host) -> None:
    (phone,) = desk.phones
    with desk.keeper(desk.phones) as keeper:
        keeper.wait_said("ready")
        until(lambda: len(facts(desk, MessageSeen)) == 1, "the first message", 30)
        phone.touch(540, 5)
        until(lambda: states(desk)[-1] == "in_hand", "the state", 10)
        touched_at_s = phone.hand_at_s()[-1]
        until(lambda: states(desk)[-1] == "ready", "the phone back", 30)
        resumed = [at for at in phone.injected_at_s() if at > touched_at_s + LET_GO_S]
        assert min(resumed) - touched_at_s >= 3.0
    spans = [(one.state, one.cause) for one in facts(desk, CoverageSeen) if isinstance(one, CoverageSeen)]
    assert ("passive", "in_hand") in spans
    assert ("seen", "") in spans


def test_what_the_person_has_in_front_is_read_without_a_touch(desk: Host) -> None:
    (phone,) = desk.phones
    desk.stub.settings.hand_quiet_ms = 60_000
    with desk.keeper(desk.phones) as keeper:
        keeper.wait_said("ready")
        until(lambda: len(facts(desk, MessageSeen)) == 1, "the first message", 30)
        phone.hand("open", chat="laoyou")
        until(lambda: states(desk)[-1] == "in_hand", "the state", 10)
        opened_at_s = phone.hand_at_s()[-1]
        desk.farm.say(phone.account_id, "laoyou", "还在吗")
        until(lambda: len(facts(desk, MessageSeen)) == 2, "the message of the open chat", 20)
        assert injected_after(phone, opened_at_s) <= LET_GO_S


def test_in_passive_mode_nothing_is_touched_for_capture_and_the_phone_says_that_it_is_read(
    desk: Host,
) -> None:
    (phone,) = desk.phones
    desk.stub.settings.capture_mode = "passive"
    desk.stub.settings.unattended = False
    with desk.keeper(desk.phones) as keeper:
        keeper.wait_said("ready")
        ready_at_s = time.monotonic()
        phone.hand("open", chat="laoyou")
        until(lambda: facts(desk, MessageSeen), "the message of the open chat", 20)
        until(lambda: states(desk)[-1] == "ready", "the quiet", 20)
        desk.farm.say(phone.account_id, "laoyou", "还在吗")
        until(lambda: len(facts(desk, MessageSeen)) == 2, "the message after the quiet", 20)
        assert injected_after(phone, ready_at_s) <= 0
        assert shown(desk, phone) == DEFAULT
        desk.stub.allow(phone.serial, capture_mode="off")
        until(lambda: shown(desk, phone) == ENDED, "the end of the notice", 10)
    spans = {(one.state, one.cause) for one in facts(desk, CoverageSeen) if isinstance(one, CoverageSeen)}
    assert {("passive", "passive_mode"), ("passive", "in_hand"), ("paused", "off")} <= spans


def shown(desk: Host, phone: VirtualPhone) -> str:
    """Return what the phone tells its holder of the capture."""

    def read() -> str:
        entry = phone.handset.posted.get(TAG)
        return entry.text if entry else ""

    return str(desk.farm.do(read))


def test_a_task_before_its_lasting_tap_is_put_back(desk: Host) -> None:
    (phone,) = desk.phones
    desk.stub.settings.hand_quiet_ms = 1_500
    with desk.keeper(desk.phones) as keeper:
        keeper.wait_said("ready")
        phone.faults("slow", "setText", 1, 1_000)
        offer(desk)
        until(lambda: "busy" in states(desk), "the task", 30)
        phone.touch(540, 5)
        until(lambda: facts(desk, TaskReturned), "the task back", 20)
        until(lambda: states(desk)[-1] == "ready", "the phone back", 30)
    assert [one.cause for one in facts(desk, TaskReturned) if isinstance(one, TaskReturned)] == ["in_hand"]
    assert (requests(desk), facts(desk, TaskArmed), facts(desk, TaskEnded)) == ({}, [], [])


def test_between_arming_and_tap_the_tap_is_not_made_and_settled_after_the_quiet(desk: Host) -> None:
    (phone,) = desk.phones
    desk.stub.settings.hand_quiet_ms = 4_000
    with desk.keeper(desk.phones) as keeper:
        keeper.wait_said("ready")
        phone.faults("slow", "setText", None, 1_500)
        offer(desk)
        until(lambda: facts(desk, TaskArmed), "the armed task", 40)
        phone.touch(540, 5)
        touched_at_s = phone.hand_at_s()[-1]
        until(lambda: states(desk)[-1] == "in_hand", "the state", 10)
        assert facts(desk, TaskEnded) == []
        until(lambda: facts(desk, TaskEnded), "the end", 60)
        ended_at_s = time.monotonic()
    (ended,) = facts(desk, TaskEnded)
    assert isinstance(ended, TaskEnded)
    assert (ended.result, ended.outcome, ended.was_armed) == ("not_done", "not_sent", True)
    assert requests(desk) == {}
    quiet = [at for at in phone.injected_at_s() if touched_at_s + LET_GO_S < at < touched_at_s + 4.0]
    assert quiet == []
    assert ended_at_s - touched_at_s > 4.0


def press(desk: Host, phone: VirtualPhone, label: str) -> bool:
    """Touch the button with these words as a person does; False if it is not in sight."""

    def touch() -> bool:
        found = [node for root in phone.handset.roots() for node in root.walk() if node.text == label]
        if found:
            left, top, right, bottom = found[0].bounds
            phone.handset.touch_by_hand((left + right) / 2, (top + bottom) / 2)
        return bool(found)

    return bool(desk.farm.do(touch))


def waits_for(desk: Host, phone: VirtualPhone, label: str) -> Callable[[], bool]:
    """Return whether the person is asked for this button and sees it."""

    def asked() -> bool:
        entry = phone.handset.posted.get("farm-assist")
        return entry is not None and f"“{label}”" in entry.text

    return lambda: bool(desk.farm.do(asked))


def test_in_assist_mode_the_asked_for_tap_is_no_reason_to_let_go_and_another_is(desk: Host) -> None:
    (phone,) = desk.phones
    settings = desk.stub.settings
    settings.unattended, settings.assist, settings.assist_wait_ms = False, True, 60_000
    settings.hand_quiet_ms = 15_000
    with desk.keeper(desk.phones) as keeper:
        keeper.wait_said("ready")
        offer(desk)
        until(waits_for(desk, phone, ADD), "the first question", 40)
        until(lambda: press(desk, phone, ADD), "the button", 10)
        # The tap led on: the agent fills in the form, which takes injections, and asks for the second one.
        until(waits_for(desk, phone, "发送"), "the second question", 20)
        assert "in_hand" not in states(desk)
        phone.hand("back")
        until(lambda: "in_hand" in states(desk), "the agent to let go", 20)
        until(lambda: facts(desk, TaskEnded), "the end", 60)
    assert requests(desk) == {}
