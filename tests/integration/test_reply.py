"""The first words to a new friend on virtual phones behind real adb: said once, or not at all."""

import pytest

from agent.errors import AnswerLost, LeaseLost, PlatformWarning
from agent.model import FirstReply, Result
from agent.virtual.scenario import parse_scenario
from agent.wechat.reply import look, reply
from tests.support.commits import Arm, Crash, Taps, commit_of
from tests.support.handset import handsets

PEER = "小满😊"
TEXT = "您好，欢迎光临😀，有什么可以帮您？"
FRIENDS = ("小满😊", "话多", "回过了", "拒收", "删了我", "发不出", "小满😊二号", "群主")
PEOPLE = "[phones_like]\ncount = 1\n" + "".join(
    f'[[people]]\nnickname = "{name}"\nwechat_id = "f{n}"\nfriend_of = ["all"]\n'
    for n, name in enumerate((*FRIENDS, "双胞胎", "双胞胎"))
)
SYSTEM = '{ text = "你已添加了小满😊，现在可以开始聊天了。", side = "system" }'
CHATS = f"""
[[chats]]
peer = "f0"
lines = [{{ text = "我是小满" }}, {{ text = "以上是打招呼的内容", side = "system" }}, {SYSTEM}]
[[chats]]
peer = "f1"
lines = [{",".join('{ text = "在吗" }' for _ in range(150))}]
[[chats]]
peer = "f2"
lines = [{{ text = "您好", side = "out" }}, {",".join('{ text = "好" }' for _ in range(20))}]
[[chats]]
peer = "f3"
refuses = "rejected"
lines = [{SYSTEM}]
[[chats]]
peer = "f4"
refuses = "not_friend"
lines = [{SYSTEM}]
[[chats]]
peer = "f5"
refuses = "failed"
lines = [{SYSTEM}]
[[chats]]
kind = "group"
title = "小满😊"
members = 12
lines = [{{ text = "小满😊", sender = "甲" }}]
"""


def words(name=PEER, text=TEXT):
    return FirstReply(peer_name=name, text=text)


class Desk:
    """One account on one virtual phone."""

    def __init__(self, hands):
        self.hands = hands
        self.virtual = hands.farm.phones[0]
        self.phone = hands.open(self.virtual)
        self.account = hands.farm.world.accounts[self.virtual.account_id]

    def said(self):
        return [(row["peer"], row["text"]) for row in self.hands.truth(self.virtual)["sent"]]

    def drafts(self):
        def read():
            pages = [page.fields.get("text", "") for page in self.virtual.handset.app.stage.stack]
            return [text for text in [*pages, *(chat.draft for chat in self.account.chats.values())] if text]

        return self.hands.farm.do(read)


@pytest.fixture
def desk(one_adb):
    with handsets(parse_scenario(PEOPLE + CHATS), one_adb) as hands:
        yield Desk(hands)


def test_a_text_is_said_once_and_to_the_person_meant(desk, monkeypatch):
    arm, taps = Arm(), Taps(monkeypatch, desk.phone)
    ended = reply(desk.phone, words(), commit_of(desk.phone, arm))
    assert (ended.result, ended.outcome) == (Result.DONE, "said")
    assert desk.said() == [("f0", TEXT)]
    assert [row["count"] for row in desk.hands.truth(desk.virtual)["said"]] == [1]
    again = reply(desk.phone, words(), commit_of(desk.phone, arm))
    assert (again.result, again.outcome) == (Result.NOT_DONE, "already_said")
    assert (arm.calls, taps.count, desk.said()) == (1, 1, [("f0", TEXT)])


def test_words_written_by_hand_before_the_tap_stop_it(desk, monkeypatch):
    def by_hand():
        desk.hands.farm.say(desk.virtual.account_id, "f0", "我来回", "out")

    taps = Taps(monkeypatch, desk.phone)
    ended = reply(desk.phone, words(), commit_of(desk.phone, by_hand))
    assert (ended.result, ended.outcome, ended.evidence) == (Result.DONE, "said", "edited")
    desk.phone.home()  # a chat keeps its draft until it is left
    assert (taps.count, desk.said(), desk.drafts()) == (0, [], [])


def test_a_text_of_several_lines_is_said_as_it_is(desk):
    text = "您好，\n我是小店的客服 https://a.example/b.html\n有什么可以帮您？"
    assert reply(desk.phone, words(text=text), commit_of(desk.phone)).outcome == "said"
    assert desk.said() == [("f0", text)]


def test_a_friend_without_any_line_is_written_to_as_well(desk):
    assert reply(desk.phone, words("群主"), commit_of(desk.phone)).outcome == "said"
    assert desk.said() == [("f7", TEXT)]


@pytest.mark.parametrize(
    ("name", "outcome", "evidence"),
    [
        ("回过了", "already_said", "a message of ours"),
        ("话多", "already_said", "the begin of the chat was not reached"),
        ("双胞胎", "no_chat", "2 contacts bear this name"),
        ("没有此人", "no_chat", "0 contacts bear this name"),
    ],
)
def test_nothing_is_typed_where_nothing_may_be_said(desk, monkeypatch, name, outcome, evidence):
    arm, taps = Arm(), Taps(monkeypatch, desk.phone)
    ended = reply(desk.phone, words(name), commit_of(desk.phone, arm))
    assert (ended.result, ended.outcome, ended.evidence) == (Result.NOT_DONE, outcome, evidence)
    assert (arm.calls, taps.count, desk.said(), desk.drafts()) == (0, 0, [], [])


@pytest.mark.parametrize(("name", "outcome"), [("拒收", "rejected_by_peer"), ("删了我", "not_friends")])
def test_a_refusal_under_the_message_is_told(desk, name, outcome):
    ended = reply(desk.phone, words(name), commit_of(desk.phone))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, outcome)
    seen = look(desk.phone, words(name))
    assert (seen.result, seen.outcome) == (Result.NOT_DONE, outcome)
    assert len(desk.said()) == 1


def test_a_message_with_a_mark_of_failure_is_for_a_person_to_judge(desk):
    ended = reply(desk.phone, words("发不出"), commit_of(desk.phone))
    assert (ended.result, ended.outcome) == (Result.UNKNOWN, "answer_lost")
    assert look(desk.phone, words("发不出")).result is Result.UNKNOWN
    assert len(desk.said()) == 1


def test_a_lost_answer_is_settled_without_a_second_tap(desk, monkeypatch):
    taps = Taps(monkeypatch, desk.phone, broken=1, how="lost")
    with pytest.raises(AnswerLost):
        reply(desk.phone, words(), commit_of(desk.phone))
    ended = look(desk.phone, words())
    assert (ended.result, ended.outcome) == (Result.DONE, "said")
    assert (taps.count, desk.said()) == (1, [("f0", TEXT)])


@pytest.mark.parametrize(("how", "error"), [("before", Crash), ("never", AnswerLost)])
def test_a_tap_that_was_not_made_is_proved_not_sent_and_leaves_no_draft(desk, monkeypatch, how, error):
    Taps(monkeypatch, desk.phone, broken=1, how=how)
    with pytest.raises(error):
        reply(desk.phone, words(), commit_of(desk.phone))
    assert desk.drafts()
    ended = look(desk.phone, words())
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert (desk.said(), desk.drafts()) == ([], [])


@pytest.mark.parametrize(
    ("texts", "outcome"),
    [
        (["您好，欢迎"], (Result.DONE, "said", "edited")),
        (["您好", "欢迎"], (Result.UNKNOWN, "answer_lost", "other messages of ours in the chat")),
        (["您好", "您好"], (Result.UNKNOWN, "answer_lost", "other messages of ours in the chat")),
    ],
)
def test_a_text_that_a_person_changed_is_not_proved_not_sent(desk, texts, outcome):
    for text in texts:
        desk.hands.farm.say(desk.virtual.account_id, "f0", text, "out")
    ended = look(desk.phone, words())
    assert (ended.result, ended.outcome, ended.evidence) == outcome


def test_arming_that_is_refused_leaves_no_draft(desk):
    with pytest.raises(LeaseLost):
        reply(desk.phone, words(), commit_of(desk.phone, Arm(LeaseLost())))
    assert (desk.said(), desk.drafts()) == ([], [])


def test_a_right_to_act_taken_back_stops_the_tap(desk, monkeypatch):
    def check():
        raise LeaseLost

    taps = Taps(monkeypatch, desk.phone)
    ended = reply(desk.phone, words(), commit_of(desk.phone, check=check))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert (taps.count, desk.said(), desk.drafts()) == (0, [], [])


def test_another_text_in_the_field_before_the_tap_is_not_sent(desk):
    def changed():
        page = desk.virtual.handset.app.stage.page
        desk.hands.farm.do(page.put, "text", "别人写的话")

    ended = reply(desk.phone, words(), commit_of(desk.phone, changed))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert (desk.said(), set(desk.drafts())) == ([], {"别人写的话"})


def test_the_chat_of_another_in_front_before_the_tap_is_not_written_to(desk):
    def changed():
        stage = desk.virtual.handset.app.stage

        def open_other():
            stage.open("chat", "f4", False)
            stage.page.put("text", TEXT)

        desk.hands.farm.do(open_other)

    ended = reply(desk.phone, words(), commit_of(desk.phone, changed))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert desk.said() == []


def test_without_the_proof_of_the_title_the_text_goes_to_somebody_else(desk, monkeypatch):
    """What the proof is for: the same change of chats with the proof switched off."""
    stage = desk.virtual.handset.app.stage

    def open_other():
        stage.open("chat", "f7", False)
        stage.page.put("text", TEXT)

    def changed():
        monkeypatch.setattr("agent.wechat.reply.is_chat_with", lambda *_: True)
        desk.hands.farm.do(lambda: desk.account.chat("f7", "群主"))
        desk.hands.farm.do(open_other)

    reply(desk.phone, words(), commit_of(desk.phone, changed))
    assert desk.said() == [("f7", TEXT)]


@pytest.mark.parametrize("surface", ["dialog", "page"])
def test_a_warning_before_the_tap_stops_the_account(desk, surface):
    def warned():
        desk.hands.farm.warn(desk.virtual.account_id, "RISK_ACCOUNT", surface)

    with pytest.raises(PlatformWarning):
        reply(desk.phone, words(), commit_of(desk.phone, warned))
    assert desk.said() == []


def test_the_limit_for_strangers_stops_the_account(desk, monkeypatch):
    real = desk.phone.commit

    def answered(*args, **kwargs):
        real(*args, **kwargs)
        desk.hands.farm.warn(desk.virtual.account_id, "STRANGER_CAP", "toast")

    monkeypatch.setattr(desk.phone, "commit", answered)
    with pytest.raises(PlatformWarning) as stop:
        reply(desk.phone, words(), commit_of(desk.phone))
    assert stop.value.warning == "STRANGER_CAP"
    assert len(desk.said()) == 1


def test_a_warning_in_a_grey_line_under_the_message_stops_the_account(desk, monkeypatch):
    real = desk.phone.commit

    def answered(*args, **kwargs):
        real(*args, **kwargs)
        desk.hands.farm.say(desk.virtual.account_id, "f0", "操作过于频繁，请稍后再试", "system")

    monkeypatch.setattr(desk.phone, "commit", answered)
    with pytest.raises(PlatformWarning) as stop:
        reply(desk.phone, words(), commit_of(desk.phone))
    assert (stop.value.warning, stop.value.surface) == ("TOO_FREQUENT", "system_line")
    assert (stop.value.settled.result, stop.value.settled.outcome) == (Result.DONE, "said")
    with pytest.raises(PlatformWarning):
        look(desk.phone, words())


def test_a_refusal_in_a_toast_is_told(desk, monkeypatch):
    real = desk.phone.commit

    def answered(*args, **kwargs):
        real(*args, **kwargs)
        desk.hands.farm.warn(desk.virtual.account_id, "REJECTED", "toast")

    monkeypatch.setattr(desk.phone, "commit", answered)
    ended = reply(desk.phone, words(), commit_of(desk.phone))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "rejected_by_peer")


def test_what_the_peer_wrote_meanwhile_does_not_hide_the_answer(desk):
    reply(desk.phone, words(), commit_of(desk.phone))
    for n in range(25):
        desk.hands.farm.say(desk.virtual.account_id, "f0", f"那个{n}")
    assert look(desk.phone, words()).outcome == "said"
