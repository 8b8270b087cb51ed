"""Accepting requests on virtual phones behind real adb: once, the right one, and settled by looking."""

import pytest

from agent.errors import LeaseLost, PlatformWarning
from agent.model import FriendAccept, Result
from agent.virtual.scenario import parse_scenario
from agent.wechat.accept import accept, look
from agent.wechat.newfriends import Direction, read_requests
from agent.wechat.newfriends import show_open_request as show
from tests.support.commits import Arm, Crash, Taps, commit_of
from tests.support.handset import handsets

ASKER = "想加我😀🌾"
PEOPLE = """
tags = ["老客户", "VIP🌟"]
[phones_like]
count = 1
[[people]]
nickname = "想加我😀🌾"
mobile = "13800000001"
[[people]]
nickname = "来晚了"
mobile = "13800000002"
[[people]]
nickname = "同名"
mobile = "13800000003"
[[people]]
nickname = "同名"
mobile = "13800000004"
[[people]]
nickname = "过期不知"
mobile = "13800000005"
[[people]]
nickname = "我问的"
mobile = "13800000006"
requested_by = ["all"]
[[incoming]]
person = "13800000001"
greeting = "你好，我是老张😀"
[[incoming]]
person = "13800000002"
is_expired = true
[[incoming]]
person = "13800000003"
[[incoming]]
person = "13800000004"
[[incoming]]
person = "13800000005"
is_stale = true
"""


def scene(client="", more=""):
    return parse_scenario(PEOPLE.replace("[phones_like]", f"{client}\n[phones_like]") + more)


def asked(name=ASKER, remark="张先生🌾", tags=("老客户", "新标签😀")):
    return FriendAccept(peer_name=name, remark=remark, tags=tags)


class Desk:
    """One account on one virtual phone."""

    def __init__(self, hands):
        self.hands = hands
        self.virtual = hands.farm.phones[0]
        self.phone = hands.open(self.virtual)
        self.account = hands.farm.world.accounts[self.virtual.account_id]

    def accepted(self):
        return {row["peer"]: row["count"] for row in self.hands.truth(self.virtual)["accepted"]}

    def friend(self, key):
        return self.hands.farm.do(lambda: (self.account.friends.get(key), self.account.tagged.get(key, ())))


@pytest.fixture
def desk(one_adb):
    with handsets(scene(), one_adb) as hands:
        yield Desk(hands)


@pytest.mark.parametrize("opens", ["page", "profile", "friends"])
def test_a_request_is_accepted_once_however_the_client_leads_there(one_adb, monkeypatch, opens):
    with handsets(scene(f'[client]\naccept_opens = "{opens}"'), one_adb) as hands:
        desk = Desk(hands)
        arm, taps = Arm(), Taps(monkeypatch, desk.phone)
        ended = accept(desk.phone, asked(), commit_of(desk.phone, arm))
        assert (ended.result, ended.outcome) == (Result.DONE, "accepted_by_us")
        assert desk.accepted() == {"13800000001": 1}
        assert (arm.calls, taps.count) == (1, {"page": 2, "profile": 3, "friends": 1}[opens])
        # A client that makes friends at once asks for neither remark nor tags.
        named = ("", ()) if opens == "friends" else ("张先生🌾", ("老客户", "新标签😀"))
        assert desk.friend("13800000001") == named
        again = accept(desk.phone, asked(), commit_of(desk.phone, arm))
        assert (again.result, again.outcome) == (Result.NOT_DONE, "already_friend")
        assert (arm.calls, desk.accepted()) == (1, {"13800000001": 1})


def test_the_chat_of_who_was_accepted_begins_as_in_the_client(desk):
    accept(desk.phone, asked(remark="", tags=()), commit_of(desk.phone))
    lines = desk.hands.farm.do(
        lambda: [(line.side, line.text) for line in desk.account.chats["13800000001"].lines]
    )
    assert lines == [
        ("in", "你好，我是老张😀"),
        ("system", "以上是打招呼的内容"),
        ("system", f"你已添加了{ASKER}，现在可以开始聊天了。"),
    ]


@pytest.mark.parametrize(
    ("name", "outcome", "evidence"),
    [
        ("来晚了", "expired", "已过期"),
        ("同名", "no_request", "ambiguous: 2 requests bear this name"),
        ("没来过", "no_request", "no open request bears this name"),
        ("我问的", "no_request", "no open request bears this name"),
    ],
)
def test_nothing_is_touched_without_one_open_request(desk, monkeypatch, name, outcome, evidence):
    arm, taps = Arm(), Taps(monkeypatch, desk.phone)
    ended = accept(desk.phone, asked(name), commit_of(desk.phone, arm))
    assert (ended.result, ended.outcome, ended.evidence) == (Result.NOT_DONE, outcome, evidence)
    assert (arm.calls, taps.count, desk.accepted()) == (0, 0, {})


def test_a_request_that_only_the_platform_knows_to_be_expired(desk):
    ended = accept(desk.phone, asked("过期不知", "", ()), commit_of(desk.phone))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "expired")
    assert desk.accepted() == {}


@pytest.mark.parametrize("broken", [1, 2])
def test_a_lost_answer_is_settled_without_a_second_tap(desk, monkeypatch, broken):
    taps = Taps(monkeypatch, desk.phone, broken=broken, how="after")
    with pytest.raises(Crash):
        accept(desk.phone, asked(), commit_of(desk.phone))
    ended = look(desk.phone, asked())
    if broken == 1:  # the page that accepts was opened, no more
        assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    else:
        assert (ended.result, ended.outcome) == (Result.DONE, "accepted_by_us")
    assert desk.accepted() == {"13800000001": 1} if broken == 2 else desk.accepted() == {}
    assert taps.count == broken


def test_a_lost_answer_of_a_tap_that_makes_friends_at_once(one_adb, monkeypatch):
    with handsets(scene('[client]\naccept_opens = "friends"'), one_adb) as hands:
        desk = Desk(hands)
        taps = Taps(monkeypatch, desk.phone, broken=1, how="lost")
        ended = accept(desk.phone, asked(), commit_of(desk.phone))
        assert (ended.result, ended.outcome) == (Result.DONE, "accepted_by_us")
        assert (taps.count, desk.accepted()) == (1, {"13800000001": 1})


@pytest.mark.parametrize("broken", [1, 2])
def test_a_crash_between_arming_and_the_tap_is_proved_not_sent(desk, monkeypatch, broken):
    Taps(monkeypatch, desk.phone, broken=broken, how="before")
    with pytest.raises(Crash):
        accept(desk.phone, asked(), commit_of(desk.phone))
    ended = look(desk.phone, asked())
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert desk.accepted() == {}


@pytest.mark.parametrize("granted", [0, 1])
def test_a_right_to_act_taken_back_stops_the_next_tap(desk, monkeypatch, granted):
    taps, asked_for = Taps(monkeypatch, desk.phone), []

    def check():
        asked_for.append(1)
        if len(asked_for) > granted:
            raise LeaseLost

    ended = accept(desk.phone, asked(), commit_of(desk.phone, check=check))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert (taps.count, desk.accepted()) == (granted, {})


def test_a_warning_in_place_of_the_page_stops_the_account(desk, monkeypatch):
    taps = Taps(monkeypatch, desk.phone)

    def warned():
        desk.hands.farm.warn(desk.virtual.account_id, "TOO_FREQUENT")

    with pytest.raises(PlatformWarning) as stop:
        accept(desk.phone, asked(), commit_of(desk.phone, warned))
    assert stop.value.warning == "TOO_FREQUENT"
    assert (taps.count, desk.accepted()) == (0, {})


def test_a_remark_the_page_does_not_hold_is_not_accepted(desk, monkeypatch):
    taps, type_into = Taps(monkeypatch, desk.phone), desk.phone.type_into
    monkeypatch.setattr(desk.phone, "type_into", lambda screen, field, _: type_into(screen, field, "别的"))
    ended = accept(desk.phone, asked(tags=()), commit_of(desk.phone))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert (taps.count, desk.accepted()) == (1, {})


def test_without_counting_namesakes_somebody_of_the_name_is_accepted(desk, monkeypatch):
    """What the count is for: two people of one name with the count switched off."""
    monkeypatch.setattr("agent.wechat.accept._prepare", lambda phone, action: show(phone, action.peer_name))
    monkeypatch.setattr("agent.wechat.newfriends.only", lambda nodes, what: nodes[0])
    accept(desk.phone, asked("同名", "", ()), commit_of(desk.phone))
    assert list(desk.accepted().values()) == [1]


def test_rows_tell_who_asked_as_far_as_they_show_it(desk):
    rows = {row.name: row for row in read_requests(desk.phone).rows}
    assert rows["我问的"].direction is Direction.OURS
    assert rows[ASKER].direction is Direction.THEIRS
    assert rows["来晚了"].direction is Direction.UNKNOWN
    assert rows[ASKER].greeting == "你好，我是老张😀"


def test_a_request_far_down_the_list_is_brought_into_sight(one_adb):
    more = '[[people_like]]\ncount = 30\nnickname = "路人{n}"\nmobile = "139000000{n:02}"\n'
    more += "".join(f'[[incoming]]\nperson = "139000000{n:02}"\n' for n in range(1, 31))
    with handsets(scene(more=more), one_adb) as hands:
        desk = Desk(hands)
        ended = accept(desk.phone, asked(remark="", tags=()), commit_of(desk.phone))
        assert ended.outcome == "accepted_by_us"
        assert desk.accepted() == {"13800000001": 1}


# -- another person's row, page or chat


def two_askers(opens):
    return parse_scenario(
        f"""
[client]
accept_opens = "{opens}"
[phones_like]
count = 1
[[people]]
nickname = "{ASKER}"
mobile = "13800000001"
[[people]]
nickname = "后来的"
mobile = "13800000002"
[[incoming]]
person = "13800000001"
"""
    )


def ask_before_the_first_tap(monkeypatch, desk):
    """Have another person's request come in on top between the look and the tap."""
    world, commit, asked_by = desk.hands.farm.world, desk.phone.commit, []

    def commit_after_all(spot, mark):
        if not asked_by:
            asked_by.append(world.person("13800000002"))
            desk.hands.farm.do(lambda: world.ask(desk.account, asked_by[0], "", is_expired=False))
        commit(spot, mark)

    monkeypatch.setattr(desk.phone, "commit", commit_after_all)
    monkeypatch.setattr(desk.phone, "rest", lambda _seconds: None)
    return asked_by


def test_a_row_that_takes_the_place_of_another_is_not_accepted(one_adb, monkeypatch):
    with handsets(two_askers("friends"), one_adb) as hands:
        desk = Desk(hands)
        asked_by = ask_before_the_first_tap(monkeypatch, desk)
        ended = accept(desk.phone, asked(), commit_of(desk.phone))
        assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
        assert (len(asked_by), desk.accepted()) == (1, {})


@pytest.mark.parametrize("opens", ["page", "profile"])
def test_the_page_of_another_who_asked_is_not_used(one_adb, monkeypatch, opens):
    with handsets(two_askers(opens), one_adb) as hands:
        desk = Desk(hands)
        # The row changed in the milliseconds that no look covers.
        monkeypatch.setattr(desk.phone, "_be_there", lambda _spot: None)
        asked_by = ask_before_the_first_tap(monkeypatch, desk)
        ended = accept(desk.phone, asked(), commit_of(desk.phone))
        assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
        assert (len(asked_by), desk.accepted()) == (1, {})


@pytest.mark.parametrize("page", ["chat", "profile"])
@pytest.mark.parametrize("replaced", [1, 2])
def test_another_friends_page_in_front_is_no_proof_of_acceptance(desk, monkeypatch, replaced, page):
    world, commit, taps = desk.hands.farm.world, desk.phone.commit, []
    other = world.person("13800000002")

    def replace_tap(spot, mark):
        taps.append(spot)
        if len(taps) < replaced:
            commit(spot, mark)
            return
        stage = desk.virtual.handset.app.stage
        desk.hands.farm.do(lambda: world.befriend(desk.account, other, "x"))
        desk.hands.farm.do(lambda: stage.open(page, other.key, *([False] if page == "chat" else [])))

    monkeypatch.setattr(desk.phone, "commit", replace_tap)
    monkeypatch.setattr(desk.phone, "rest", lambda _seconds: None)
    ended = accept(desk.phone, asked(tags=()), commit_of(desk.phone))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert (len(taps), desk.accepted()) == (replaced, {})
