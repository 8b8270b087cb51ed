"""Adding a friend by number, with one irreversible tap; and finding out afterwards whether it was made."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from agent.commit import Commit
from agent.errors import AnswerLost, DialogOpen, NotRecognised, PlatformWarning, ScreenError
from agent.model import Ended, FriendAdd, FriendAddOutcome
from agent.phone import Phone
from agent.wechat import forms
from agent.wechat.lookup import Found, Standing, find_person, standing_of
from agent.wechat.newfriends import RequestRow, Requests, RequestState, noted_requests, read_requests
from agent.wechat.pages import EDIT_TEXT, Node
from agent.wechat.people import is_friend_in_front
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.settle import (
    after_dialog,
    coded,
    done,
    look_twice,
    not_done,
    settled,
    settled_by_looking,
    unknown,
)
from agent.wechat.spots import person_on
from agent.wechat.steps import arrive, dialog_of, leave_dialog, only
from agent.wechat.warnings import judge

ANSWER_LIMIT_S = 10.0
# A toast comes with the profile; without one the page of new friends has to tell.
SENT_LIMIT_S = 5.0
# The page of new friends is read before a task is asked for; so soon after that it is not read again.
JUST_READ_S = 10.0


def add_friend(phone: Phone, request: FriendAdd, commit: Commit) -> Ended:
    """Search, fill in and send a friend request; `commit` is armed before the first tap that lasts.

    That is the tap on 添加到通讯录: people who need no verification are friends by it. What arming raises
    goes through, and neither that tap nor the one that sends is made. After a LeaseLost of one of the two
    looking tells how things stand. Raises PlatformWarning, LoggedOut, ScreenError and DriverError: after
    arming the effect of the last two is to be settled with `look`.
    """
    try:
        found = _stranger(phone, request)
    except DialogOpen as dialog:
        leave_dialog(phone)
        return not_done(dialog.outcome or FriendAddOutcome.UNEXPECTED_DIALOG, coded(dialog))
    if isinstance(found, Ended):
        return found
    commit.arm()
    return settled(phone, lambda: _send(phone, request, found, commit), lambda: _look(phone, request))


def look(phone: Phone, request: FriendAdd) -> Ended:
    """Settle an armed add by looking only; NOT_SENT if two looks prove that nothing went out.

    Raises PlatformWarning, LoggedOut and DriverError; ScreenError if no look came through.
    """
    return settled_by_looking(phone, lambda: _look(phone, request))


def _look(phone: Phone, request: FriendAdd) -> Ended:
    requests = read_requests(phone)
    found = find_person(phone, request.query)
    if isinstance(found, Ended):
        return unknown(FriendAddOutcome.ANSWER_LOST, "the person is not found any more")
    return _told(found, _rows_of(requests, found, request), is_whole=requests.is_whole)


def _rows_of(requests: Requests, found: Found, request: FriendAdd) -> list[RequestRow]:
    """Return the rows that may be this person's: a client may show a request under its remark."""
    names = {found.name, request.remark} - {""}
    return [row for row in requests.rows if row.name in names]


def _told(found: Found, rows: Sequence[RequestRow], *, is_whole: bool) -> Ended:
    """Return what profile and list of requests prove together."""
    if found.standing is Standing.FRIEND:
        return done(FriendAddOutcome.ADDED, "发消息", found.name)
    if len(rows) == 1 and rows[0].state is RequestState.WAITING:
        return done(FriendAddOutcome.REQUESTED, "等待验证", found.name)
    # A remark is no name: who was accepted under it while this person is a stranger is somebody else.
    if len(rows) == 1 and rows[0].state is RequestState.ACCEPTED and rows[0].name == found.name:
        return done(FriendAddOutcome.ADDED, "已添加", found.name)
    if not rows and is_whole and found.standing is Standing.STRANGER:
        return not_done(FriendAddOutcome.NOT_SENT, "添加到通讯录", found.name)
    return unknown(FriendAddOutcome.ANSWER_LOST, f"{len(rows)} requests bear this name", found.name)


# -- up to the tap


def _stranger(phone: Phone, request: FriendAdd) -> Found | Ended:
    """Return the person who can be asked, or how the task ends without asking."""
    earlier = noted_requests(phone, life_s=JUST_READ_S)
    found = find_person(phone, request.query)
    if isinstance(found, Ended):
        return found
    if found.standing is Standing.FRIEND:
        return not_done(FriendAddOutcome.ALREADY_FRIEND, "发消息", found.name)
    if found.standing is not Standing.STRANGER:
        return not_done(FriendAddOutcome.CANNOT_BE_ADDED, str(found.standing), found.name)
    if any(row.state is RequestState.WAITING for row in _rows_of(earlier, found, request)):
        return not_done(FriendAddOutcome.ALREADY_REQUESTED, "等待验证", found.name)
    return found


def _send(phone: Phone, request: FriendAdd, found: Found, commit: Commit) -> Ended:
    """Make both taps that last and return what came of them."""
    screen = _written_request(phone, request, found, commit)
    if isinstance(screen, Ended):
        return screen
    commit.tap(ScreenName.REQUEST, _send_button, what="sending the request")
    return _read_outcome(phone, request, found)


def _written_request(phone: Phone, request: FriendAdd, found: Found, commit: Commit) -> Screen | Ended:
    """Return the request page filled in and read back, or how the task ends without one."""
    screen = _request_page(phone, request, found, commit)
    if isinstance(screen, Ended):
        return screen
    phone.type_into(screen, _greeting_field(screen), request.greeting)
    if request.remark:
        screen = arrive(phone, ScreenName.REQUEST, what="the request page")
        phone.type_into(screen, forms.remark_field(screen), request.remark)
    if request.tags:
        screen = arrive(phone, ScreenName.REQUEST, what="the request page")
        forms.add_tags(phone, screen, request.tags, lambda: _keep_tags(phone))
    phone.clear_toast()
    return _verified(phone, request)


def _request_page(phone: Phone, request: FriendAdd, found: Found, commit: Commit) -> Screen | Ended:
    """Tap 添加到通讯录; people who need no verification are friends by that."""
    phone.clear_toast()
    arrive(phone, ScreenName.PROFILE, what="the profile")
    refused: Ended | None = None

    def answered(seen: Screen) -> bool:
        nonlocal refused
        # Words that are no answer prove nothing: friendship, or the page of the request, may still follow.
        refused = _refusal(phone.toast(), found)
        is_left = seen.name is not ScreenName.PROFILE or standing_of(seen) is Standing.FRIEND
        return is_left or refused is not None

    after = (ScreenName.REQUEST, ScreenName.CHAT, ScreenName.PROFILE)
    # A lost answer is no reason to stop: seeing what came of it is better than a second try.
    with suppress(AnswerLost):
        commit.tap(ScreenName.PROFILE, lambda one: _add_button(one, found), what="adding to the contacts")
    screen = arrive(phone, *after, what="the request page", within_s=ANSWER_LIMIT_S, test=answered)
    if screen.name is ScreenName.REQUEST:
        return screen
    if is_friend_in_front(phone, screen, (found.name,)):
        return done(FriendAddOutcome.ADDED, "发消息", found.name)
    return refused or look_twice(phone, lambda: _look(phone, request))


def _refusal(toast: str, found: Found) -> Ended | None:
    """Return the end that a toast means, None if it is no answer about the person; raises as `judge`."""
    rule = judge(toast, surface="toast")
    if rule is None or rule.outcome is None:
        return None
    return not_done(rule.outcome, f"toast: {rule.warning}", found.name)


def _add_button(screen: Screen, found: Found) -> Node:
    """Return the button that adds the person who was found; another one's page may have come meanwhile."""
    was, now = person_on(found.screen), person_on(screen)
    if was is None or now is None or (was.text, was.box) != (now.text, now.box):
        raise NotRecognised("the profile is not that of the person looked for any more")
    return only(screen.texts("add_to_contacts"), what="the button that adds")


def _keep_tags(phone: Phone) -> None:
    """Hand the tags chosen to the request page; they belong to nobody before the request is sent."""
    page = arrive(phone, ScreenName.TAGS, what="the page of tags")
    phone.tap(page.spot(page.page.pressable(forms.save_button(page))))


def _verified(phone: Phone, request: FriendAdd) -> Screen:
    """Return the request page with greeting, remark and tags as asked for; NotRecognised if they are not."""
    screen = arrive(phone, ScreenName.REQUEST, what="the request page")
    wanted = [(_greeting_field(screen), request.greeting)]
    if request.remark:
        wanted.append((forms.remark_field(screen), request.remark))
    if not forms.holds(phone, wanted):
        raise NotRecognised("the request page does not hold what was typed")
    if request.tags and forms.shown_tags(phone, screen) != set(request.tags):
        raise NotRecognised("the request page does not show the tags that were asked for")
    return screen


def _greeting_field(screen: Screen) -> Node:
    fields = screen.fields()
    marked = [node for node in screen.marked("request_greeting") if node.cls == EDIT_TEXT]
    if not fields:
        raise NotRecognised("the request page has no field")
    if marked and marked[0].at != fields[0].at:
        raise NotRecognised("the field of the greeting is not where it belongs")
    return fields[0]


def _send_button(screen: Screen) -> Node:
    """Return the button that sends: by its word, by its id only among several."""
    worded = [screen.page.pressable(node) for node in screen.texts("send_request") if node.enabled]
    marked = [node for node in worded if node.rid in screen.table.rids("request_button")]
    return only(marked if len(worded) > 1 else worded, what="the button that sends")


# -- after the tap


def _read_outcome(phone: Phone, request: FriendAdd, found: Found) -> Ended:
    """Return what the screen says of the tap just made; without a clear sign the list of requests tells."""
    toast = ""

    def answered(seen: Screen) -> bool:
        nonlocal toast
        toast = toast or phone.toast()
        return seen.name is not ScreenName.PROFILE or bool(toast) or standing_of(seen) is Standing.FRIEND

    answers = (ScreenName.PROFILE, ScreenName.CHAT, ScreenName.DIALOG)
    try:
        screen = phone.expect(
            *answers, what="the answer to the request", within_s=SENT_LIMIT_S, test=answered
        )
    except ScreenError:
        return look_twice(phone, lambda: _look(phone, request))
    was_sent = toast in screen.table.texts["request_sent_toast"]
    sent = done(FriendAddOutcome.REQUESTED, toast, found.name) if was_sent else None
    if screen.name is ScreenName.DIALOG:
        return _after_dialog(phone, request, screen, sent)
    # The remark written with the request is the name of who is a friend by it.
    if is_friend_in_front(phone, screen, (found.name, request.remark)):
        return done(FriendAddOutcome.ADDED, "发消息", found.name)
    return sent or _refusal(toast, found) or look_twice(phone, lambda: _look(phone, request))


def _after_dialog(phone: Phone, request: FriendAdd, screen: Screen, sent: Ended | None) -> Ended:
    try:
        dialog = dialog_of(screen)
    except PlatformWarning as warning:
        warning.settled = sent
        raise
    leave_dialog(phone)
    if sent is not None and not dialog.outcome:
        return sent
    return after_dialog(phone, dialog, lambda: _look(phone, request))
