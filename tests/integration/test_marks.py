"""Tags on requests, remarks and tags of contacts, on virtual phones behind real adb."""

import pytest

from agent.errors import AnswerLost, LeaseLost, PlatformWarning
from agent.model import ContactMark, FriendAdd, Result
from agent.virtual.scenario import parse_scenario
from agent.virtual.wechat.tagging import TagPage
from agent.wechat.contacts import look, mark
from agent.wechat.friends import add_friend
from tests.support.commits import Arm, Crash, Taps, commit_of
from tests.support.handset import handsets

PEER = "小满😊"
SCENE = """
tags = ["老客户", "VIP🌟", "北京"]
[phones_like]
count = 1
[[people]]
nickname = "应答快"
mobile = "13800000001"
[[people]]
nickname = "小满😊"
wechat_id = "f0"
friend_of = ["all"]
[[people]]
nickname = "旧标签"
wechat_id = "f1"
friend_of = ["all"]
remark = "王姐😀"
tags = ["老客户"]
[[people]]
nickname = "双胞胎"
wechat_id = "f2"
friend_of = ["all"]
[[people]]
nickname = "双胞胎"
wechat_id = "f3"
friend_of = ["all"]
[[people_like]]
count = 40
nickname = "常客{n:02}"
wechat_id = "c{n}"
friend_of = ["all"]
[[people]]
nickname = "常客"
wechat_id = "f4"
friend_of = ["all"]
"""


def asked(tags, remark="客户小满🌾"):
    return FriendAdd(query="13800000001", query_kind="mobile", greeting="您好", remark=remark, tags=tags)


def marked(name=PEER, remark="", tags=("老客户", "新来的😀")):
    return ContactMark(peer_name=name, remark=remark, tags=tags)


class Desk:
    """One account on one virtual phone."""

    def __init__(self, hands):
        self.hands = hands
        self.virtual = hands.farm.phones[0]
        self.phone = hands.open(self.virtual)
        self.account = hands.farm.world.accounts[self.virtual.account_id]

    def marks(self):
        return {row["peer"]: row["count"] for row in self.hands.truth(self.virtual)["marks"]}

    def of(self, key):
        def read():
            remark = self.account.friends.get(key, self.account.remarks.get(key))
            return remark, set(self.account.tagged.get(key, ()))

        return self.hands.farm.do(read)


@pytest.fixture
def desk(one_adb):
    with handsets(parse_scenario(SCENE), one_adb) as hands:
        yield Desk(hands)


# -- on a request


def test_a_request_carries_tags_that_there_are_and_new_ones(desk, monkeypatch):
    taps = Taps(monkeypatch, desk.phone)
    tags = ("VIP🌟", "一月😀", "北京", "上海")
    ended = add_friend(desk.phone, asked(tags), commit_of(desk.phone))
    assert (ended.result, ended.outcome) == (Result.DONE, "requested")
    assert desk.of("13800000001") == ("客户小满🌾", set(tags))
    assert (taps.count, desk.hands.requests(desk.virtual)) == (2, {"13800000001": 1})
    assert desk.hands.farm.do(lambda: desk.account.tags) == ["老客户", "VIP🌟", "北京", "一月😀", "上海"]


def another_tag(page):
    page.chosen.append("老客户")


def no_tag(page):
    page.chosen.clear()
    page.fields["new"] = ""


@pytest.mark.parametrize("meddle", [another_tag, no_tag])
def test_a_request_with_other_tags_than_asked_for_is_not_sent(desk, monkeypatch, meddle):
    leave, tap = TagPage.do_save, Taps(monkeypatch, desk.phone)

    def save(page, arg):
        meddle(page)
        leave(page, arg)

    monkeypatch.setattr(TagPage, "do_save", save)
    ended = add_friend(desk.phone, asked(("北京",)), commit_of(desk.phone))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert (tap.count, desk.hands.requests(desk.virtual)) == (1, {})


def test_tags_changed_after_they_were_chosen_are_seen_before_sending(desk, monkeypatch):
    clear_toast = desk.phone.clear_toast

    def changed():
        page = desk.virtual.handset.app.stage.page
        if getattr(page, "tags", ()):
            desk.hands.farm.do(lambda: setattr(page, "tags", ("老客户",)))
        clear_toast()

    monkeypatch.setattr(desk.phone, "clear_toast", changed)
    ended = add_friend(desk.phone, asked(("北京",)), commit_of(desk.phone))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert desk.hands.requests(desk.virtual) == {}


def test_without_reading_the_tags_back_a_request_goes_out_with_others(desk, monkeypatch):
    """What reading back is for: other tags on the page, with the reading switched off."""
    leave = TagPage.do_save

    def save(page, arg):
        another_tag(page)
        leave(page, arg)

    monkeypatch.setattr(TagPage, "do_save", save)
    monkeypatch.setattr("agent.wechat.forms.shown_tags", lambda *_: {"北京"})
    add_friend(desk.phone, asked(("北京",)), commit_of(desk.phone))
    assert desk.hands.requests(desk.virtual) == {"13800000001": 1}


def test_a_tag_that_the_client_would_split_is_not_sent(desk):
    ended = add_friend(desk.phone, asked(("甲，乙",)), commit_of(desk.phone))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert desk.hands.requests(desk.virtual) == {}


# -- on a contact


def test_tags_are_added_once_and_never_taken_away(desk, monkeypatch):
    arm, taps = Arm(), Taps(monkeypatch, desk.phone)
    action = marked("王姐😀", "", ("北京", "新来的😀"))
    ended = mark(desk.phone, action, commit_of(desk.phone, arm))
    assert (ended.result, ended.outcome) == (Result.DONE, "marked")
    assert desk.of("f1") == ("王姐😀", {"老客户", "北京", "新来的😀"})
    assert (arm.calls, desk.marks()) == (1, {"f1": 1})
    made = taps.count
    again = mark(desk.phone, action, commit_of(desk.phone, arm))
    assert (again.result, again.outcome) == (Result.NOT_DONE, "already_marked")
    assert (arm.calls, taps.count, desk.marks()) == (1, made, {"f1": 1})


def test_a_remark_names_the_contact_from_then_on(desk):
    action = marked(remark="李总🌾")
    assert mark(desk.phone, action, commit_of(desk.phone)).outcome == "marked"
    assert desk.of("f0") == ("李总🌾", {"老客户", "新来的😀"})
    # Nobody bears the old name any more; the nickname on the profile tells that it is the same person.
    again = mark(desk.phone, action, commit_of(desk.phone))
    assert (again.result, again.outcome) == (Result.NOT_DONE, "already_marked")
    assert look(desk.phone, action).outcome == "marked"
    assert desk.marks() == {"f0": 1}


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        (marked("双胞胎"), "ambiguous"),
        (marked("没有此人"), "no_contact"),
        (marked(remark="王姐😀"), "ambiguous"),
        (marked("没有此人", "王姐😀", ("老客户",)), "no_contact"),
        (marked("王姐😀", "王姐😀", ("老客户",)), "already_marked"),
    ],
)
def test_nothing_is_touched_without_the_one_contact(desk, monkeypatch, action, outcome):
    arm, taps = Arm(), Taps(monkeypatch, desk.phone)
    ended = mark(desk.phone, action, commit_of(desk.phone, arm))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, outcome)
    assert (arm.calls, taps.count, desk.marks()) == (0, 0, {})


def test_a_name_that_many_others_begin_with_is_found_among_them(desk):
    assert mark(desk.phone, marked("常客"), commit_of(desk.phone)).outcome == "marked"
    assert desk.marks() == {"f4": 1}


def test_a_lost_answer_is_settled_without_a_second_tap(desk, monkeypatch):
    taps = Taps(monkeypatch, desk.phone, broken=2, how="lost")
    action = marked(tags=("北京",))
    with pytest.raises(AnswerLost):
        mark(desk.phone, action, commit_of(desk.phone))
    ended = look(desk.phone, action)
    assert (ended.result, ended.outcome) == (Result.DONE, "marked")
    assert (taps.count, desk.marks()) == (2, {"f0": 1})


@pytest.mark.parametrize("broken", [1, 2])
def test_a_crash_before_a_tap_is_proved_not_sent(desk, monkeypatch, broken):
    Taps(monkeypatch, desk.phone, broken=broken, how="before")
    action = marked(tags=("北京",))
    with pytest.raises(Crash):
        mark(desk.phone, action, commit_of(desk.phone))
    ended = look(desk.phone, action)
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert desk.marks() == {}


def test_a_right_to_act_taken_back_stops_the_tap(desk, monkeypatch):
    def check():
        raise LeaseLost

    taps = Taps(monkeypatch, desk.phone)
    ended = mark(desk.phone, marked(), commit_of(desk.phone, check=check))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert (taps.count, desk.marks()) == (0, {})


def test_a_warning_before_the_tap_stops_the_account(desk):
    def warned():
        desk.hands.farm.warn(desk.virtual.account_id, "RISK_ACCOUNT")

    with pytest.raises(PlatformWarning):
        mark(desk.phone, marked(remark="李总"), commit_of(desk.phone, warned))
    assert desk.marks() == {}
