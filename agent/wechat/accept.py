"""Accepting the request of a person who asked this account, once; and finding out whether it was."""

from __future__ import annotations

from contextlib import suppress

from agent.commit import Commit
from agent.errors import AnswerLost, NotRecognised
from agent.model import AcceptOutcome, Ended, FriendAccept, FriendAddOutcome
from agent.phone import Phone
from agent.wechat import forms
from agent.wechat.lookup import Standing, read_profile, standing_of
from agent.wechat.newfriends import (
    RequestState,
    open_request_button,
    read_requests,
    show_open_request,
    state_in_sight,
)
from agent.wechat.pages import Node
from agent.wechat.people import is_friend_in_front
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.settle import (
    before_arming,
    done,
    look_twice,
    not_done,
    settled,
    settled_by_looking,
    unknown,
)
from agent.wechat.steps import arrive, only
from agent.wechat.warnings import judge

ANSWER_LIMIT_S = 10.0
ACCEPTED_LIMIT_S = 8.0


def accept(phone: Phone, action: FriendAccept, commit: Commit) -> Ended:
    """Accept the one open request of this name, with remark and tags.

    `commit` is armed before the tap on 接受: some clients make friends by it. 完成 on the page it leads to
    is the second tap that lasts. Raises as friends.add_friend does.
    """
    ended = before_arming(phone, lambda: _prepare(phone, action))
    if ended is not None:
        return ended
    commit.arm()
    return settled(phone, lambda: _accept(phone, action, commit), lambda: _look(phone, action))


def look(phone: Phone, action: FriendAccept) -> Ended:
    """Settle an armed acceptance by looking only; NOT_SENT if the request stands open in two looks.

    Raises PlatformWarning, LoggedOut and DriverError; ScreenError if no look came through.
    """
    return settled_by_looking(phone, lambda: _look(phone, action))


def _look(phone: Phone, action: FriendAccept) -> Ended:
    requests = read_requests(phone)
    # A client may show a request that is accepted under the remark given with it.
    rows = requests.of(action.peer_name) or (requests.of(action.remark) if action.remark else [])
    if len(rows) == 1 and rows[0].state is RequestState.ACCEPTED:
        return done(AcceptOutcome.ACCEPTED, "已添加", action.peer_name)
    if len(rows) == 1 and rows[0].state is RequestState.ASKS:
        return not_done(FriendAddOutcome.NOT_SENT, "接受", action.peer_name)
    if len(rows) == 1 and rows[0].state is RequestState.EXPIRED:
        return not_done(AcceptOutcome.EXPIRED, "已过期", action.peer_name)
    return unknown(FriendAddOutcome.ANSWER_LOST, f"{len(rows)} requests bear this name", action.peer_name)


def _prepare(phone: Phone, action: FriendAccept) -> Ended | None:
    """Bring the one open request into sight, or return how the task ends without one."""
    requests = read_requests(phone)
    rows = requests.of(action.peer_name)
    states = {row.state for row in rows}
    if RequestState.ASKS not in states:
        return _closed(action, states, is_whole=requests.is_whole)
    if len(rows) != 1:
        # One person has one row: another of the name is another person, or nobody can tell.
        return not_done(
            AcceptOutcome.NO_REQUEST, f"ambiguous: {len(rows)} requests bear this name", action.peer_name
        )
    show_open_request(phone, action.peer_name)
    return None


def _closed(action: FriendAccept, states: set[RequestState], *, is_whole: bool) -> Ended:
    if states == {RequestState.ACCEPTED}:
        return not_done(AcceptOutcome.ALREADY_FRIEND, "已添加", action.peer_name)
    if states == {RequestState.EXPIRED}:
        return not_done(AcceptOutcome.EXPIRED, "已过期", action.peer_name)
    evidence = "no open request bears this name" if is_whole else "the list was not read to its end"
    return not_done(AcceptOutcome.NO_REQUEST, evidence, action.peer_name)


def _accept(phone: Phone, action: FriendAccept, commit: Commit) -> Ended:
    """Make the taps that last and return what came of them."""
    screen = _accept_page(phone, action, commit)
    if isinstance(screen, Ended):
        return screen
    _prove_peer(phone, screen, action)
    if action.remark:
        phone.type_into(screen, forms.remark_field(screen), action.remark)
        screen = arrive(phone, ScreenName.ACCEPT, what="the page that accepts")
    if action.tags:
        screen = forms.add_tags(phone, screen, action.tags, lambda: _keep_tags(phone))
    _verify(phone, screen, action)
    phone.clear_toast()
    commit.tap(ScreenName.ACCEPT, _done_button, what="accepting the request")
    return _read_outcome(phone, action)


def _accept_page(phone: Phone, action: FriendAccept, commit: Commit) -> Screen | Ended:
    """Tap 接受, and 前往验证 if it leads to the profile; some clients make friends by the first of these."""
    phone.clear_toast()
    # A lost answer is no reason to stop: seeing what came of it is better than a second try.
    with suppress(AnswerLost):
        commit.tap(
            ScreenName.NEW_FRIENDS,
            lambda screen: open_request_button(phone, screen, action.peer_name),
            what="the request's button",
        )
    screen = _answer(phone, action, ScreenName.NEW_FRIENDS)
    if screen.name is ScreenName.PROFILE and standing_of(screen) is Standing.ASKS_US:
        with suppress(AnswerLost):
            commit.tap(
                ScreenName.PROFILE,
                lambda seen: _confirm_button(phone, seen, action),
                what="going to confirm",
            )
        screen = _answer(phone, action, ScreenName.PROFILE)
    if screen.name is ScreenName.ACCEPT:
        return screen
    return _told(phone, action, screen)


def _answer(phone: Phone, action: FriendAccept, tapped: ScreenName) -> Screen:
    """Return the page that a tap led to, or the page it was made on once that says something else."""

    def answered(seen: Screen) -> bool:
        if seen.name is not tapped:
            return True
        if tapped is ScreenName.PROFILE:
            return standing_of(seen) is not Standing.ASKS_US
        return state_in_sight(phone, seen, action.peer_name) is not RequestState.ASKS

    return arrive(
        phone,
        ScreenName.ACCEPT,
        ScreenName.PROFILE,
        ScreenName.CHAT,
        ScreenName.NEW_FRIENDS,
        what="the answer to the acceptance",
        within_s=ANSWER_LIMIT_S,
        test=answered,
    )


def _told(phone: Phone, action: FriendAccept, screen: Screen) -> Ended:
    """Return what a page says on which there is nothing more to do."""
    judge(phone.toast(), surface="toast")
    # The remark written with the acceptance is the name of who is a friend by it.
    if is_friend_in_front(phone, screen, (action.peer_name, action.remark)):
        return done(AcceptOutcome.ACCEPTED, "发消息", action.peer_name)
    return look_twice(phone, lambda: _look(phone, action))


def _read_outcome(phone: Phone, action: FriendAccept) -> Ended:
    """Return what the screen says of the tap on 完成; without a clear sign the list of requests tells."""

    def answered(seen: Screen) -> bool:
        return seen.name is not ScreenName.PROFILE or standing_of(seen) is Standing.FRIEND

    screen = arrive(
        phone,
        ScreenName.PROFILE,
        ScreenName.CHAT,
        ScreenName.NEW_FRIENDS,
        what="the answer to the acceptance",
        within_s=ACCEPTED_LIMIT_S,
        test=answered,
    )
    return _told(phone, action, screen)


def _prove_peer(phone: Phone, screen: Screen, action: FriendAccept) -> None:
    """NotRecognised if the page that accepts names another person: the client writes the name as remark."""
    field = forms.remark_field(screen)
    # An empty field reports its hint as its text.
    if not field.text or field.text in screen.table.texts["request_remark_label"]:
        return
    if phone.true_text(field) != action.peer_name:
        raise NotRecognised("the page that accepts is not that of the person who asked")


def _verify(phone: Phone, screen: Screen, action: FriendAccept) -> None:
    """NotRecognised unless the page holds remark and tags as asked for, and no others."""
    if action.remark and not forms.holds(phone, [(forms.remark_field(screen), action.remark)]):
        raise NotRecognised("the page that accepts does not hold the remark")
    if action.tags and forms.shown_tags(phone, screen) != set(action.tags):
        raise NotRecognised("the page that accepts does not show the tags that were asked for")


def _keep_tags(phone: Phone) -> None:
    """Hand the tags chosen to the page that accepts; they belong to nobody before 完成."""
    page = arrive(phone, ScreenName.TAGS, what="the page of tags")
    phone.tap(page.spot(page.page.pressable(forms.save_button(page))))


def _done_button(screen: Screen) -> Node:
    found = [node for node in screen.texts("done") if node.enabled]
    marked = [node for node in found if node.rid in screen.table.rids("request_button")]
    return only(marked if len(found) > 1 else found, what="the button that accepts")


def _confirm_button(phone: Phone, screen: Screen, action: FriendAccept) -> Node:
    """Return the button on the profile of who asked; NotRecognised on another one's."""
    if read_profile(phone, screen).name != action.peer_name:
        raise NotRecognised("the profile is not that of the person who asked")
    return only(screen.texts("go_confirm"), what="the button that confirms")
