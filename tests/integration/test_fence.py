"""The fence at the phone: whoever does not hold it, or comes too late, makes no tap; the world counts."""

import itertools
import time
import traceback
from dataclasses import replace

import pytest

from agent import fence as fence_module
from agent import owner
from agent.cli import start
from agent.commit import Commit
from agent.errors import AnswerLost, LeaseLost, NotOwner, NotRecognised, NotSent, OtherFarm, TooLate
from agent.fence import Fence
from agent.intents import LEASE_MARGIN_MS, HostTime, Intents
from agent.model import FriendAdd, LeasedTask
from agent.outbox import Outbox
from agent.owner import Mark
from agent.phone import Phone
from agent.virtual.scenario import parse_scenario
from agent.wechat.lookup import find_person
from agent.wechat.screens import ScreenName
from agent.wechat.steps import only
from tests.support.commits import commit_of
from tests.support.handset import handsets

# This person needs no verification: one lasting tap makes friends.
OPEN = "13800000003"
WORLD = f'[phones_like]\ncount = 1\n[[people]]\nnickname = "免验证"\nmobile = "{OPEN}"\ntrait = "open"\n'
OLD = Mark(farm_id="f1", farm_epoch=1, phone_epoch=4, host="a", boot_id="b", spool_id="s")
NEW = replace(OLD, phone_epoch=5, host="b", spool_id="t")
FOREIGN = replace(OLD, farm_id="f2", phone_epoch=90)
# Longer than a tap on a sight may take to come: TAP_LIFE_S and the second in which the phone compares.
LATE_MS = 3_500


class Desk:
    """One agent's phone in front of the button that makes friends, and the truth about it."""

    def __init__(self, hands):
        self.hands = hands
        self.virtual = hands.farm.phones[0]
        self.phone = hands.open(self.virtual)

    def commit(self, mark, check=lambda: None):
        return Commit(self.phone, arm=lambda _: None, check=check, mark=lambda: mark)

    def armed(self, mark, check=lambda: None):
        find_person(self.phone, OPEN)
        commit = self.commit(mark, check)
        commit.arm()
        return commit

    def tap(self, commit):
        commit.tap(
            ScreenName.PROFILE,
            lambda screen: only(screen.texts("add_to_contacts"), what="the button"),
            what="adding",
        )

    def added(self):
        return sum(row["count"] for row in self.hands.truth(self.virtual)["added"])

    def another_agent(self):
        """Return the same phone as another host's agent has it; only its shell is used."""
        return Phone.at(self.virtual.address, adb_host="127.0.0.1", adb_port=self.hands.adb.port)

    def put(self, path, content):
        files = self.virtual.handset.files
        self.hands.farm.do(lambda: files.write(path, content))

    def file(self, path=owner.PATH):
        entry = self.hands.farm.do(lambda: self.virtual.handset.files.get(path))
        return None if entry is None else entry.read().decode()


@pytest.fixture
def desk(one_adb):
    with handsets(parse_scenario(WORLD), one_adb) as hands:
        yield Desk(hands)


def test_the_owner_taps_once_and_its_touch_is_no_persons(desk):
    hands = []
    watch = desk.virtual.handset.touchscreen.watch_hand
    desk.hands.farm.do(lambda: watch(lambda x, y: hands.append((x, y))))
    desk.tap(desk.armed(OLD))
    assert (desk.added(), hands) == (1, [])
    assert desk.file() == OLD.line() + "\n"
    assert desk.hands.farm.do(lambda: desk.virtual.handset.touches[-1].by) == "injected"


def test_of_two_agents_the_older_ones_tap_is_refused_at_the_phone(desk):
    commit = desk.armed(OLD)
    owner.claim(desk.another_agent(), NEW)
    with pytest.raises(NotOwner):
        desk.tap(commit)
    # It asks who holds the phone before it tries again, and does not take it back.
    with pytest.raises(NotOwner, match="nother agent holds"):
        desk.tap(commit)
    with pytest.raises(NotOwner):
        desk.commit(OLD).arm()
    assert (desk.added(), desk.file()) == (0, NEW.line() + "\n")
    desk.tap(desk.armed(NEW))
    assert desk.added() == 1


@pytest.mark.parametrize("moment", ["shell:cat", "shell:cut", "shell"])
def test_a_tap_that_is_held_up_on_its_way_is_not_made_late(desk, monkeypatch, moment):
    commit = desk.armed(OLD)
    hold_up(desk, monkeypatch, moment)
    with pytest.raises(TooLate):
        desk.tap(commit)
    assert desk.added() == 0
    # Nothing is wrong with the next one.
    desk.tap(commit)
    assert desk.added() == 1


def hold_up(desk, monkeypatch, moment):
    """Hold up the next guarded tap, and nothing before it."""
    shell_once = desk.phone._driver.shell_once

    def held_up(line, **how):
        if "input tap" in line:
            monkeypatch.undo()
            desk.virtual.faults("slow", moment, 1, LATE_MS)
        return shell_once(line, **how)

    monkeypatch.setattr(desk.phone._driver, "shell_once", held_up)


def test_an_agent_frozen_before_it_sends_sends_nothing(desk, monkeypatch):
    commit = desk.armed(OLD)
    open_transport = desk.phone._driver._adb.open_transport

    def frozen(*args, **kwargs):
        connection = open_transport(*args, **kwargs)
        if desk.phone.fence.hold is not None and stack_has("tap"):
            time.sleep(owner.TAP_LIFE_S + 0.1)  # the freeze itself: there is nothing to wait for
        return connection

    def stack_has(name):
        return any(frame.name == name and "fence" in frame.filename for frame in traceback.extract_stack())

    monkeypatch.setattr(desk.phone._driver._adb, "open_transport", frozen)
    with pytest.raises((NotSent, NotRecognised)):
        desk.tap(commit)
    assert desk.added() == 0


def test_a_task_past_its_lease_is_not_tapped(desk, tmp_path):
    now = [1_000_000]
    outbox = Outbox.open(tmp_path / "a.db")
    outbox.enter_epoch(OLD.phone_epoch, farm_id=OLD.farm_id, farm_epoch=OLD.farm_epoch)
    intents = Intents(outbox, HostTime(lambda: now[0], lambda: "boot", lambda: 1))
    task = LeasedTask(
        task_id="t",
        job_id="j",
        attempt=1,
        permit_id="p",
        phone_epoch=OLD.phone_epoch,
        until_boot_ms=now[0] + 120_000,
        boot_id="boot",
        action=FriendAdd(query=OPEN, query_kind="mobile", greeting="", remark=""),
    )
    intents.receive(task)
    find_person(desk.phone, OPEN)
    commit = Commit(
        desk.phone,
        arm=lambda key: intents.arm(task, key),
        check=lambda: intents.check(task),
        mark=lambda: owner.mark_of(outbox, host="a", boot_id="b"),
    )
    commit.arm()
    now[0] += 120_001 - LEASE_MARGIN_MS
    with pytest.raises(LeaseLost, match="ms left"):
        desk.tap(commit)
    now[0] -= LEASE_MARGIN_MS
    assert desk.added() == 0
    desk.tap(commit)
    assert desk.added() == 1
    outbox.close()


def test_another_farms_phone_is_left_alone_until_it_is_taken_over(desk, tmp_path, capsys):
    owner.claim(desk.another_agent(), FOREIGN)
    armed = []
    find_person(desk.phone, OPEN)
    with pytest.raises(OtherFarm):
        Commit(desk.phone, arm=lambda _: armed.append(1), check=lambda: None, mark=lambda: OLD).arm()
    assert (armed, desk.added(), desk.file()) == ([], 0, FOREIGN.line() + "\n")
    config = tmp_path / "config.toml"
    config.write_text(f'[agent]\ncontroller = "127.0.0.1:1"\nadb_port = {desk.hands.adb.port}\n')
    words = ["--config", str(config), "claim", "--serial", desk.virtual.address]
    assert start(words) == 0
    assert "farm f2" in capsys.readouterr().out
    assert desk.file() == FOREIGN.line() + "\n"
    assert start([*words, "--take-over"]) == 0
    assert "farm f2" in capsys.readouterr().out
    assert desk.file() is None
    desk.tap(desk.armed(OLD))
    assert desk.added() == 1


def test_a_higher_claim_rewrites_the_mark_and_the_same_one_costs_nothing(desk, monkeypatch):
    owner.claim(desk.phone, OLD)
    owner.claim(desk.phone, NEW)
    assert desk.file() == NEW.line() + "\n"
    assert owner.read_mark(desk.phone) == NEW
    monkeypatch.setattr(desk.phone._driver, "shell_once", lambda *_, **__: pytest.fail("a round trip"))
    owner.claim(desk.phone, NEW)


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"a b c d e f g\n", "f1 1 九 a b s".encode(), b"\xff\xfe"]
)
def test_a_mark_that_cannot_be_read_holds_nobody_off(desk, content):
    desk.put(owner.PATH, content)
    assert owner.read_mark(desk.phone) is None
    owner.claim(desk.phone, OLD)
    assert desk.file() == OLD.line() + "\n"


@pytest.mark.parametrize("before", [None, OLD])
@pytest.mark.parametrize("fault", ["drop", "unplug", "lost_after_act"])
def test_a_claim_cut_off_at_the_rename_leaves_one_mark_or_the_other(desk, before, fault):
    if before is not None:
        owner.claim(desk.phone, before)
    desk.virtual.faults(fault, "shell:mv")
    other = desk.another_agent()
    with pytest.raises(AnswerLost):
        owner.claim(other, NEW)
    assert other.fence.hold is None
    left = NEW if fault == "lost_after_act" else before
    assert desk.file() == (None if left is None else left.line() + "\n")
    desk.virtual.plug()
    desk.hands.connect(desk.virtual)
    owner.claim(desk.another_agent(), NEW)
    assert desk.file() == NEW.line() + "\n"


def test_full_storage_is_no_claim(desk):
    desk.virtual.faults("storage_full")
    with pytest.raises(AnswerLost):
        owner.claim(desk.phone, OLD)
    assert desk.phone.fence.hold is None


def test_a_tap_without_a_claim_is_refused(desk):
    find_person(desk.phone, OPEN)
    screen = desk.phone.screen()
    spot = screen.spot(screen.page.pressable(screen.texts("add_to_contacts")[0]))
    with pytest.raises(NotOwner):
        desk.phone.commit(spot, OLD)
    assert desk.added() == 0


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        ("drop", 0),
        ("hang", 0),
        ("unplug", 0),
        ("lost_after_act", 1),
        ("hang_after_act", 1),
        ("unplug_after_act", 1),
    ],
)
def test_a_lost_answer_is_said_and_the_tap_is_not_repeated(desk, monkeypatch, fault, made):
    monkeypatch.setattr(fence_module, "TAP_LIMIT_S", 1.5)
    commit = desk.armed(OLD)
    desk.virtual.faults(fault, "shell:input")
    with pytest.raises(AnswerLost):
        desk.tap(commit)
    assert desk.added() == made


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("", "drop"),
        ("", "unplug"),
        *itertools.product(("[", "cat", "cut", "echo"), ("drop", "lost_after_act", "unplug_after_act")),
    ],
)
def test_a_break_at_any_word_of_the_line_makes_at_most_one_tap(desk, monkeypatch, word, fault):
    commit = desk.armed(OLD)
    shell_once = desk.phone._driver.shell_once

    def broken(line, **how):
        desk.virtual.faults(fault, f"shell:{word}" if word else "shell")
        return shell_once(line, **how)

    monkeypatch.setattr(desk.phone._driver, "shell_once", broken)
    with pytest.raises(AnswerLost):
        desk.tap(commit)
    assert desk.added() == (word == "echo")


def test_a_slow_input_is_waited_for(desk):
    commit = desk.armed(OLD)
    desk.virtual.faults("slow", "shell:input", 1, 800)
    desk.tap(commit)
    assert desk.added() == 1


def test_input_that_fails_on_the_phone_proves_nothing(desk, monkeypatch):
    commit = desk.armed(OLD)
    monkeypatch.setattr(Fence, "tap_line", lambda *_: "input tap x y; echo tapped:$?")
    with pytest.raises(AnswerLost):
        desk.tap(commit)


# -- without its parts the fence does not hold: these are the tests above with a part taken out


def test_without_the_check_of_the_mark_the_older_agent_would_tap(desk, monkeypatch):
    class NoMark(Fence):
        def tap_line(self, spot, hold):
            return f"input tap {spot.x} {spot.y}; echo tapped:$?"

    desk.phone.fence = NoMark(desk.phone._driver, clock=time.monotonic)
    commit = desk.armed(OLD)
    owner.claim(desk.another_agent(), NEW)
    desk.tap(commit)
    assert desk.added() == 1


def test_without_the_check_of_the_phones_clock_a_late_tap_would_be_made(desk, monkeypatch):
    class NoClock(Fence):
        def tap_line(self, spot, hold):
            return owner.tap_line(hold.mark, spot.x, spot.y, from_s=0, to_s=2_000_000_000)

    desk.phone.fence = NoClock(desk.phone._driver, clock=time.monotonic)
    commit = desk.armed(OLD)
    hold_up(desk, monkeypatch, "shell")
    desk.tap(commit)
    assert desk.added() == 1


def test_the_mark_of_the_tests_may_claim(desk):
    find_person(desk.phone, OPEN)
    commit = commit_of(desk.phone)
    commit.arm()
    desk.tap(commit)
    assert desk.added() == 1
