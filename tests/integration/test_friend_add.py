"""Every end of a friend add on virtual phones behind real adb; the world counts what really went out."""

import time
from dataclasses import replace
from types import MappingProxyType

import pytest

from agent.errors import AnswerLost, LeaseLost, LoggedOut, Moved, NotRecognised, PlatformWarning, Unreadable
from agent.model import FriendAdd, Result
from agent.phone import SPOT_LIFE_S
from agent.virtual.scenario import load_scenario, parse_scenario
from agent.virtual.wechat.profile import RequestPage
from agent.wechat import friends as flow
from agent.wechat.friends import look
from agent.wechat.identity import read_account
from agent.wechat.newfriends import read_requests
from agent.wechat.settle import LOOK_PAUSE_S, LOOKS
from tests.support.commits import commit_of
from tests.support.hand import SCENARIOS
from tests.support.handset import handsets

GREETING = "您好😀，我是小店的客服，之前您在我们店下过单"
ENDS = {
    "13800000001": (Result.DONE, "requested"),
    "13800000002": (Result.DONE, "requested"),
    "13800000003": (Result.DONE, "added"),
    "13800000004": (Result.NOT_DONE, "not_found"),
    "13800000005": (Result.NOT_DONE, "peer_abnormal"),
    "13800000006": (Result.NOT_DONE, "blocked_by_peer"),
    "13800000007": (Result.NOT_DONE, "cannot_be_added"),
    "13800000008": (Result.NOT_DONE, "wecom_user"),
    "13800000009": (Result.NOT_DONE, "already_friend"),
}


def wanted(query, greeting=GREETING, remark="客户小满🌾"):
    kind = "mobile" if query.isdigit() else "wechat_id"
    return FriendAdd(query=query, query_kind=kind, greeting=greeting, remark=remark)


def add_friend(phone, request, arm, check=lambda: None):
    return flow.add_friend(phone, request, commit_of(phone, arm, check))


class Arm:
    """Counts how often it was called, and what had gone out by then."""

    def __init__(self, hands, phone, error=None):
        self.hands, self.phone, self.error = hands, phone, error
        self.calls = 0
        self.sent_before = []

    def __call__(self):
        self.calls += 1
        self.sent_before.append(dict(self.hands.requests(self.phone)))
        if self.error is not None:
            raise self.error


@pytest.fixture
def friends(one_adb):
    with handsets(load_scenario(SCENARIOS / "friends.toml"), one_adb) as hands:
        yield hands


def named(hands, serial):
    return next(phone for phone in hands.farm.phones if phone.serial == serial)


def test_every_answer_has_its_end_and_nothing_goes_out_twice(friends):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    for query, end in ENDS.items():
        arm = Arm(friends, virtual)
        ended = add_friend(phone, wanted(query), arm)
        assert (ended.result, ended.outcome) == end
        # People who need no verification are friends by the tap that opens the request page: it is armed too.
        touched = {"requested", "added", "blocked_by_peer", "cannot_be_added"}
        assert arm.calls == (ended.outcome in touched)
        assert all(query not in before for before in arm.sent_before)
    assert friends.requests(virtual) == {"13800000001": 1, "13800000002": 1}
    # A second time finds what the first one left.
    again = add_friend(phone, wanted("13800000002"), Arm(friends, virtual))
    assert (again.result, again.outcome) == (Result.NOT_DONE, "already_requested")
    assert friends.requests(virtual)["13800000002"] == 1
    assert read_account(phone) == virtual.account_id


def test_outcomes_agree_with_the_world_on_another_account(friends):
    virtual = friends.farm.phones[1]
    phone = friends.open(virtual)
    truth = friends.farm.truth()
    expected = truth["expected"] | truth["expected_by_account"].get(virtual.account_id, {})
    for query in ("13800000009", "13800000010", "13800000011", "buliren", "13899999999"):
        ended = add_friend(phone, wanted(query), Arm(friends, virtual))
        assert ended.outcome == expected.get(query, "not_found")


def test_greeting_and_remark_arrive_as_written(friends):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    request = wanted("13800000001")
    add_friend(phone, request, Arm(friends, virtual))

    def written():
        account = friends.farm.world.accounts[virtual.account_id]
        sent = account.request_with("13800000001", is_incoming=False)
        return sent.greeting, account.remarks.get("13800000001") or account.friends.get("13800000001")

    assert friends.farm.do(written) == (GREETING, request.remark)


def test_arm_that_refuses_leaves_the_tap_undone(friends):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    with pytest.raises(LeaseLost):
        add_friend(phone, wanted("13800000001"), Arm(friends, virtual, LeaseLost()))
    assert friends.requests(virtual) == {}
    assert look(phone, wanted("13800000001")).outcome == "not_sent"


def test_arm_that_takes_long_is_followed_by_a_new_look(friends):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    # Longer than a sight of the screen may be old; the pause is the subject.
    ended = add_friend(phone, wanted("13800000001"), lambda: time.sleep(SPOT_LIFE_S + 0.2))
    assert ended.outcome == "requested"
    assert friends.requests(virtual) == {"13800000001": 1}


def test_a_page_that_changed_before_the_last_look_is_not_sent(friends, monkeypatch):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    clear_toast = phone.clear_toast

    def changed():
        page = virtual.handset.app.stage.page
        if isinstance(page, RequestPage):
            friends.farm.do(page.put, "greeting", "别人改过的话")
        clear_toast()

    monkeypatch.setattr(phone, "clear_toast", changed)
    ended = add_friend(phone, wanted("13800000001"), Arm(friends, virtual))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert friends.requests(virtual) == {}


def test_a_greeting_the_client_cuts_is_not_sent(friends):
    virtual = friends.farm.phones[0]
    ended = add_friend(
        friends.open(virtual), wanted("13800000001", greeting="长" * 80), Arm(friends, virtual)
    )
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert friends.requests(virtual) == {}


def break_commit(monkeypatch, phone, virtual, fault):
    """Break the answer of the tap that sends, and of no other."""
    commit = phone.commit

    def broken(spot, mark):
        if isinstance(virtual.handset.app.stage.page, RequestPage):
            virtual.faults(fault, "shell:input")
        commit(spot, mark)

    monkeypatch.setattr(phone, "commit", broken)


@pytest.mark.parametrize("fault", ["lost_after_act", "hang_after_act"])
def test_lost_answer_of_the_commit_tap_is_settled_by_looking(friends, monkeypatch, fault):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    break_commit(monkeypatch, phone, virtual, fault)
    with pytest.raises(AnswerLost):
        add_friend(phone, wanted("13800000002"), Arm(friends, virtual))
    ended = look(phone, wanted("13800000002"))
    assert (ended.result, ended.outcome) == (Result.DONE, "requested")
    assert friends.requests(virtual) == {"13800000002": 1}


@pytest.mark.parametrize("fault", ["drop", "hang"])
def test_commit_tap_that_never_arrived_is_proved_not_sent(friends, monkeypatch, fault):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    break_commit(monkeypatch, phone, virtual, fault)
    with pytest.raises(AnswerLost):
        add_friend(phone, wanted("13800000002"), Arm(friends, virtual))
    ended = look(phone, wanted("13800000002"))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert friends.requests(virtual) == {}


def test_lost_answer_of_a_navigation_tap_never_sends(friends):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    phone.bring_wechat()
    virtual.faults("lost_after_act", "click")
    with pytest.raises(AnswerLost):
        add_friend(phone, wanted("13800000001"), Arm(friends, virtual))
    assert friends.requests(virtual) == {}


@pytest.mark.parametrize("fault", ["lost_after_act", "drop"])
def test_the_tap_that_may_make_friends_is_made_once_and_seen(one_adb, fault):
    scenario = parse_scenario(
        '[phones_like]\ncount = 1\n[[people]]\nnickname = "免验证"\nmobile = "13800000003"\ntrait = "open"\n'
    )
    with handsets(scenario, one_adb) as hands:
        virtual = hands.farm.phones[0]
        phone = hands.open(virtual)
        # Armed right before that tap: the next one made by the shell is the one that may make friends.
        ended = add_friend(phone, wanted("13800000003"), lambda: virtual.faults(fault, "shell:input"))
        made = fault != "drop"
        assert ended.outcome == ("added" if made else "not_sent")
        assert look(phone, wanted("13800000003")).outcome == ended.outcome
        assert [row["count"] for row in hands.truth(virtual)["added"]] == [1] * made


def test_two_people_of_one_name_are_not_guessed_apart(one_adb):
    people = "".join(f'[[people]]\nnickname = "同名😀"\nmobile = "1380000000{n}"\n' for n in (1, 2))
    with handsets(parse_scenario(f"[phones_like]\ncount = 1\n{people}"), one_adb) as hands:
        virtual = hands.farm.phones[0]
        phone = hands.open(virtual)
        assert add_friend(phone, wanted("13800000001"), Arm(hands, virtual)).outcome == "requested"
        world = hands.farm.world
        account = world.accounts[virtual.account_id]
        hands.farm.do(lambda: world.send_request(account, world.person("13800000002"), "x", ""))
        ended = look(phone, wanted("13800000001"))
        assert (ended.result, ended.outcome) == (Result.UNKNOWN, "answer_lost")


def test_limit_of_the_platform_stops_the_account(one_adb):
    with handsets(load_scenario(SCENARIOS / "stops.toml"), one_adb) as hands:
        virtual = named(hands, "LIMIT")
        phone = hands.open(virtual)
        assert add_friend(phone, wanted("13800000001"), Arm(hands, virtual)).outcome == "requested"
        with pytest.raises(PlatformWarning) as warned:
            add_friend(phone, wanted("13800000002"), Arm(hands, virtual))
        assert (warned.value.warning, warned.value.surface) == ("TOO_FREQUENT", "dialog")
        assert warned.value.settled is None
        assert hands.requests(virtual) == {"13800000001": 1}
        # The dialog is still there, and still stops everything.
        with pytest.raises(PlatformWarning):
            phone.bring_wechat()


def test_warning_page_after_a_request_stops_before_the_next_search(one_adb):
    with handsets(load_scenario(SCENARIOS / "stops.toml"), one_adb) as hands:
        virtual = named(hands, "LATER")
        phone = hands.open(virtual)

        def add_both():
            for query in ("13800000001", "13800000002"):
                add_friend(phone, wanted(query), Arm(hands, virtual))

        with pytest.raises(PlatformWarning) as warned:
            add_both()
        assert warned.value.warning == "RISK_ACCOUNT"
        assert hands.requests(virtual) == {"13800000001": 1}


def test_warning_in_place_of_a_search_result(one_adb):
    with handsets(load_scenario(SCENARIOS / "stops.toml"), one_adb) as hands:
        virtual = named(hands, "SEARCH")
        with pytest.raises(PlatformWarning) as warned:
            add_friend(hands.open(virtual), wanted("13800000001"), Arm(hands, virtual))
        assert warned.value.warning == "TOO_FREQUENT"
        assert hands.requests(virtual) == {}


def test_signed_out_client_is_told(one_adb):
    with handsets(load_scenario(SCENARIOS / "stops.toml"), one_adb) as hands:
        phone = hands.open(named(hands, "LOGGEDOUT"))
        with pytest.raises(LoggedOut):
            add_friend(phone, wanted("13800000001"), lambda: None)


def test_unknown_version_is_not_touched(one_adb):
    with handsets(load_scenario(SCENARIOS / "stops.toml"), one_adb) as hands:
        virtual = named(hands, "NEWER")
        phone = hands.open(virtual)
        with pytest.raises(NotRecognised):
            phone.bring_wechat()
        taps = hands.farm.do(lambda: virtual.handset.touchscreen.counters["tap"])
        assert taps == 0


def test_not_found_as_a_dialog_ends_the_task_and_clears_the_way(one_adb):
    with handsets(load_scenario(SCENARIOS / "stops.toml"), one_adb) as hands:
        phone = hands.open(named(hands, "LIMIT"))
        ended = add_friend(phone, wanted("13899999999"), lambda: None)
        assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_found")
        phone.bring_wechat()


@pytest.mark.parametrize("fault", ["empty_tree", "scrambled_tree"])
def test_unreadable_tree_is_said_and_nothing_is_tapped(friends, fault):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    phone.bring_wechat()
    counters = friends.farm.do(lambda: dict(virtual.handset.touchscreen.counters))
    virtual.faults(fault, "dumpWindowHierarchy", None)
    with pytest.raises(Unreadable):
        phone.expect("chats", what="the list of chats", within_s=1.0)
    ended = friends.farm.do(lambda: dict(virtual.handset.touchscreen.counters))
    assert ended == counters
    virtual.clear_faults()
    phone.bring_wechat()


# -- what is absent is no proof before it was looked for well


def test_a_request_that_shows_late_is_not_taken_for_one_never_sent(friends, monkeypatch):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    world = friends.farm.world
    account = world.accounts[virtual.account_id]

    def arrives(_seconds):
        friends.farm.do(lambda: world.send_request(account, world.person("13800000002"), "x", ""))

    monkeypatch.setattr(phone, "rest", arrives)
    ended = look(phone, wanted("13800000002"))
    assert (ended.result, ended.outcome) == (Result.DONE, "requested")


def test_a_row_of_unknown_state_may_be_the_one_looked_for(friends, monkeypatch):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    world = friends.farm.world
    account = world.accounts[virtual.account_id]
    friends.farm.do(lambda: world.send_request(account, world.person("13800000002"), "x", ""))
    assert read_requests(phone).is_whole
    table = phone.table()
    strange = replace(table, texts=MappingProxyType({**table.texts, "waiting": ("待通过",)}))
    monkeypatch.setattr(phone, "table", lambda: strange)
    requests = read_requests(phone)
    assert not requests.is_whole
    assert requests.of("不理人😀") == []
    ended = look(phone, wanted("13800000002"))
    assert (ended.result, ended.outcome) == (Result.UNKNOWN, "answer_lost")


def test_a_row_whose_name_moved_while_it_was_read_leaves_the_list_unproved(friends, monkeypatch):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    world = friends.farm.world
    account = world.accounts[virtual.account_id]
    friends.farm.do(lambda: world.send_request(account, world.person("13800000002"), "x", ""))
    monkeypatch.setattr(phone, "true_texts", lambda _nodes: {})
    assert not read_requests(phone).is_whole


def test_a_request_that_waits_under_its_remark_counts_as_one_under_the_name(friends):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    world = friends.farm.world
    account = world.accounts[virtual.account_id]
    request, arm = wanted("13800000002"), Arm(friends, virtual)

    def sent():
        world.send_request(account, world.person(request.query), "x", request.remark)
        account.requests[0].name = request.remark

    friends.farm.do(sent)
    ended = look(phone, request)
    assert (ended.result, ended.outcome) == (Result.DONE, "requested")
    again = add_friend(phone, request, arm)
    assert (again.result, again.outcome, arm.calls) == (Result.NOT_DONE, "already_requested", 0)


# -- a screen that moves under a look


# Taps of a look: contacts, new friends, back on chats, the plus, its entry, the box, the row that searches.
@pytest.mark.parametrize("n", range(1, 8))
def test_an_acceptance_in_the_middle_of_a_look_does_not_hide_the_request(friends, monkeypatch, n):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    world = friends.farm.world
    account, person = world.accounts[virtual.account_id], world.person("13800000002")
    friends.farm.do(lambda: world.send_request(account, person, "x", ""))
    tap, taps = phone.tap, []

    def accepted_before(spot, *args):
        taps.append(spot)
        if len(taps) == n:
            # A chat more in the list, a badge more on the tabs: what was seen last does not stand any more.
            friends.farm.do(lambda: world.accept_by_person(account, person))
        tap(spot, *args)

    monkeypatch.setattr(phone, "tap", accepted_before)
    ended = look(phone, wanted("13800000002"))
    assert (ended.result, ended.outcome) == (Result.DONE, "added")
    assert len(taps) >= n
    assert friends.requests(virtual) == {"13800000002": 1}


def test_a_screen_that_lets_no_look_come_through_proves_nothing(friends, monkeypatch):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    pauses = []

    def moved(_spot, *_args):
        raise Moved

    monkeypatch.setattr(phone, "tap", moved)
    monkeypatch.setattr(phone, "rest", pauses.append)
    with pytest.raises(Moved):
        look(phone, wanted("13800000002"))
    assert pauses == [LOOK_PAUSE_S] * (LOOKS - 1)


# -- what comes in front after a tap that lasts


@pytest.mark.parametrize("page", ["chat", "profile"])
@pytest.mark.parametrize("replaced", [1, 2])
def test_another_friends_page_in_front_is_no_proof_of_friendship(friends, monkeypatch, replaced, page):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    world = friends.farm.world
    account = world.accounts[virtual.account_id]
    other = world.person("13800000009")
    commit, taps = phone.commit, []

    def replace_tap(spot, mark):
        taps.append(spot)
        if len(taps) < replaced:
            commit(spot, mark)
            return
        stage = virtual.handset.app.stage
        friends.farm.do(lambda: account.chat(other.key, world.name_for(account, other.key)))
        friends.farm.do(lambda: stage.open(page, other.key, *([False] if page == "chat" else [])))

    monkeypatch.setattr(phone, "commit", replace_tap)
    monkeypatch.setattr(phone, "rest", lambda _seconds: None)
    ended = add_friend(phone, wanted("13800000001"), Arm(friends, virtual))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert (len(taps), friends.requests(virtual)) == (replaced, {})


def test_a_toast_that_is_no_answer_does_not_end_the_wait_for_one(friends, monkeypatch):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    world = friends.farm.world
    account = world.accounts[virtual.account_id]

    def toast():
        # The words come first, the friendship after them.
        if world.person("13800000003").key not in account.friends:
            friends.farm.do(lambda: world.begin_add(account, world.person("13800000003")))
        return "正在处理，请稍候"

    monkeypatch.setattr(phone, "commit", lambda *_: monkeypatch.setattr(phone, "toast", toast))
    ended = add_friend(phone, wanted("13800000003"), Arm(friends, virtual))
    assert (ended.result, ended.outcome) == (Result.DONE, "added")


# -- unknown words of the platform


UNKNOWN = "从未见过的话，涉及客户小满"


@pytest.mark.parametrize(("surface", "warning"), [("dialog", "UNKNOWN_DIALOG"), ("page", "UNKNOWN_PAGE")])
def test_unknown_words_before_arming_stop_the_account_and_stay_in_sight(friends, surface, warning):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    phone.bring_wechat()
    friends.farm.warn(virtual.account_id, "RISK_ACCOUNT", surface, UNKNOWN)
    arm = Arm(friends, virtual)
    for _ in range(2):
        with pytest.raises(PlatformWarning) as warned:
            add_friend(phone, wanted("13800000001"), arm)
        assert (warned.value.warning, warned.value.surface) == (warning, surface)
        assert UNKNOWN in warned.value.text
        assert UNKNOWN not in str(warned.value)
    assert arm.calls == 0
    assert friends.requests(virtual) == {}


@pytest.mark.parametrize(("surface", "warning"), [("dialog", "UNKNOWN_DIALOG"), ("page", "UNKNOWN_PAGE")])
def test_unknown_words_after_the_tap_stop_the_account_once_it_is_settled(
    friends, monkeypatch, surface, warning
):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    commit = phone.commit

    def answered(spot, mark):
        was_request = isinstance(virtual.handset.app.stage.page, RequestPage)
        commit(spot, mark)
        if was_request:
            friends.farm.warn(virtual.account_id, "RISK_ACCOUNT", surface, UNKNOWN)

    monkeypatch.setattr(phone, "commit", answered)
    monkeypatch.setattr(phone, "toast", lambda: "")
    with pytest.raises(PlatformWarning) as warned:
        add_friend(phone, wanted("13800000002"), Arm(friends, virtual))
    assert warned.value.warning == warning
    assert (warned.value.settled.result, warned.value.settled.outcome) == (Result.DONE, "requested")
    assert "小满" not in warned.value.settled.evidence
    assert friends.requests(virtual) == {"13800000002": 1}


def test_a_known_harmless_dialog_is_left_and_named_by_its_class(friends):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    phone.bring_wechat()
    friends.farm.warn(virtual.account_id, "UPDATE")
    phone.bring_wechat()
    assert add_friend(phone, wanted("13800000001"), Arm(friends, virtual)).outcome == "requested"


# -- the right to act is asked again before each of the two taps


@pytest.mark.parametrize("granted", [0, 1])
def test_a_right_to_act_taken_back_after_arming_stops_the_next_tap(friends, granted):
    virtual = friends.farm.phones[0]
    asked = []

    def check():
        asked.append(isinstance(virtual.handset.app.stage.page, RequestPage))
        if len(asked) > granted:
            raise LeaseLost

    arm = Arm(friends, virtual)
    ended = add_friend(friends.open(virtual), wanted("13800000001"), arm, check)
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert (arm.calls, asked) == (1, [False, True][: granted + 1])
    assert friends.requests(virtual) == {}


def test_the_time_of_a_sight_is_that_of_its_begin(friends):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    phone.bring_wechat()
    virtual.faults("slow", "dumpWindowHierarchy", 1, 800)
    read_at_s = phone.page().read_at_s
    assert time.monotonic() - read_at_s >= 0.8


def test_unknown_words_under_the_search_box_stop_the_account(friends):
    virtual = friends.farm.phones[0]
    phone = friends.open(virtual)
    friends.farm.warn(virtual.account_id, "RISK_ACCOUNT", "text", UNKNOWN, at="search")
    arm = Arm(friends, virtual)
    with pytest.raises(PlatformWarning) as warned:
        add_friend(phone, wanted("13800000001"), arm)
    assert (warned.value.warning, warned.value.surface) == ("UNKNOWN_PAGE", "text")
    assert UNKNOWN not in str(warned.value)
    assert (arm.calls, friends.requests(virtual)) == (0, {})
