"""Adding a friend by number, with one irreversible tap; and finding out afterwards whether it was made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from agent.commit import Commit
from agent.errors import (
    AgentError,
    AnswerLost,
    DialogOpen,
    LeaseLost,
    NotRecognised,
    PlatformWarning,
    ScreenError,
)
from agent.model import Ended, FriendAdd, FriendAddOutcome, Result
from agent.phone import Phone
from agent.wechat.lookup import Found, Standing, find_person, standing_of
from agent.wechat.newfriends import RequestRow, RequestState, read_requests
from agent.wechat.pages import EDIT_TEXT, Node
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.steps import arrive, dialog_of, leave_dialog, only
from agent.wechat.warnings import Unknown, judge

ANSWER_LIMIT_S = 10.0
# A toast comes with the profile; without one the page of new friends has to tell.
SENT_LIMIT_S = 5.0
# A request just sent may not stand in the list yet: what is absent is looked for again after this pause.
ABSENT_AGAIN_S = 4.0


def add_friend(phone: Phone, request: FriendAdd, commit: Commit) -> Ended:
    """Search, fill in and send a friend request; `commit` is armed before the first tap that lasts.

    That is the tap on 添加到通讯录: people who need no verification are friends by it. What arming raises
    goes through, and neither that tap nor the one that sends is made. After a LeaseLost of one of the two
    looking tells how things stand. Raises PlatformWarning and LoggedOut, ScreenError before arming, and
    DriverError: after arming its effect is to be settled with `look`.
    """
    try:
        found = _stranger(phone, request)
    except DialogOpen as dialog:
        leave_dialog(phone)
        return _not_done(dialog.outcome or FriendAddOutcome.UNEXPECTED_DIALOG, _coded(dialog))
    if isinstance(found, Ended):
        return found
    commit.arm()
    with _settling(phone, request):
        return _send(phone, request, found, commit)


def look(phone: Phone, request: FriendAdd) -> Ended:
    """Settle an armed add by looking only; NOT_SENT if two looks prove that nothing went out.

    Raises PlatformWarning, LoggedOut and DriverError.
    """
    with _settling(phone, request):
        return _look_twice(phone, request)


@contextmanager
def _settling(phone: Phone, request: FriendAdd) -> Iterator[None]:
    """Look what came of an armed add before an unknown dialog or page stops the account."""
    try:
        yield
    except PlatformWarning as warning:
        if warning.warning in set(Unknown) and warning.settled is None:
            leave_dialog(phone)
            # The warning counts more than what keeps us from looking; without a look nothing is proved.
            with suppress(AgentError):
                warning.settled = _look_twice(phone, request)
        raise


def _look_twice(phone: Phone, request: FriendAdd) -> Ended:
    ended = _look(phone, request)
    if ended.outcome == FriendAddOutcome.NOT_SENT:
        phone.rest(ABSENT_AGAIN_S)
        ended = _look(phone, request)
    return ended


def _look(phone: Phone, request: FriendAdd) -> Ended:
    try:
        requests = read_requests(phone)
        found = find_person(phone, request.query)
    except DialogOpen as dialog:
        leave_dialog(phone)
        return _unknown(FriendAddOutcome.UNEXPECTED_DIALOG, _coded(dialog))
    except ScreenError as error:
        return _unknown(FriendAddOutcome.SCREEN_UNREADABLE, type(error).__name__)
    if isinstance(found, Ended):
        return _unknown(FriendAddOutcome.ANSWER_LOST, "the person is not found any more")
    return _told(found, requests.of(found.name), is_whole=requests.is_whole)


def _told(found: Found, rows: Sequence[RequestRow], *, is_whole: bool) -> Ended:
    """Return what profile and list of requests prove together."""
    if found.standing is Standing.FRIEND:
        return _done(FriendAddOutcome.ADDED, "发消息", found.name)
    if len(rows) == 1 and rows[0].state is RequestState.WAITING:
        return _done(FriendAddOutcome.REQUESTED, "等待验证", found.name)
    if len(rows) == 1 and rows[0].state is RequestState.ACCEPTED:
        return _done(FriendAddOutcome.ADDED, "已添加", found.name)
    if not rows and is_whole and found.standing is Standing.STRANGER:
        return _not_done(FriendAddOutcome.NOT_SENT, "添加到通讯录", found.name)
    return _unknown(FriendAddOutcome.ANSWER_LOST, f"{len(rows)} requests bear this name", found.name)


# -- up to the tap


def _stranger(phone: Phone, request: FriendAdd) -> Found | Ended:
    """Return the person who can be asked, or how the task ends without asking."""
    earlier = read_requests(phone)
    found = find_person(phone, request.query)
    if isinstance(found, Ended):
        return found
    if found.standing is Standing.FRIEND:
        return _not_done(FriendAddOutcome.ALREADY_FRIEND, "发消息", found.name)
    if found.standing is not Standing.STRANGER:
        return _not_done(FriendAddOutcome.CANNOT_BE_ADDED, str(found.standing), found.name)
    if any(row.state is RequestState.WAITING for row in earlier.of(found.name)):
        return _not_done(FriendAddOutcome.ALREADY_REQUESTED, "等待验证", found.name)
    return found


def _send(phone: Phone, request: FriendAdd, found: Found, commit: Commit) -> Ended:
    """Make both taps that last and return what came of them."""
    try:
        screen = _written_request(phone, request, found, commit)
        if isinstance(screen, Ended):
            return screen
        commit.tap(ScreenName.REQUEST, _send_button, what="sending the request")
    except DialogOpen as dialog:
        leave_dialog(phone)
        return _dialog_settled(phone, request, dialog)
    except (ScreenError, LeaseLost):
        return _look_twice(phone, request)
    return _read_outcome(phone, request, found)


def _written_request(phone: Phone, request: FriendAdd, found: Found, commit: Commit) -> Screen | Ended:
    """Return the request page filled in and read back, or how the task ends without one."""
    screen = _request_page(phone, found, commit)
    if isinstance(screen, Ended):
        return screen
    phone.type_into(screen, _greeting_field(screen), request.greeting)
    if request.remark:
        screen = arrive(phone, ScreenName.REQUEST, what="the request page")
        phone.type_into(screen, _remark_field(screen), request.remark)
    phone.clear_toast()
    return _verified(phone, request)


def _request_page(phone: Phone, found: Found, commit: Commit) -> Screen | Ended:
    """Tap 添加到通讯录; people who need no verification are friends by that."""
    phone.clear_toast()
    arrive(phone, ScreenName.PROFILE, what="the profile")
    toasts: list[str] = []

    def answered(seen: Screen) -> bool:
        if seen.name is not ScreenName.PROFILE or standing_of(seen) is Standing.FRIEND:
            return True
        toasts.append(phone.toast())
        return bool(toasts[-1]) and toasts[-1] not in seen.table.texts["added_toast"]

    after = (ScreenName.REQUEST, ScreenName.CHAT, ScreenName.PROFILE)
    # A lost answer is no reason to stop: seeing what came of it is better than a second try.
    with suppress(AnswerLost):
        commit.tap(ScreenName.PROFILE, _add_button, what="adding to the contacts")
    screen = arrive(phone, *after, what="the request page", within_s=ANSWER_LIMIT_S, test=answered)
    if screen.name is ScreenName.REQUEST:
        return screen
    if screen.name is ScreenName.CHAT or standing_of(screen) is Standing.FRIEND:
        return _done(FriendAddOutcome.ADDED, "发消息", found.name)
    rule = judge(toasts[-1], surface="toast")
    outcome = rule.outcome if rule and rule.outcome else FriendAddOutcome.UNEXPECTED_DIALOG
    return _not_done(outcome, f"toast: {rule.warning if rule else 'unknown words'}", found.name)


def _add_button(screen: Screen) -> Node:
    return only(screen.texts("add_to_contacts"), what="the button that adds")


def _verified(phone: Phone, request: FriendAdd) -> Screen:
    """Return the request page with greeting and remark as asked for; NotRecognised if they are not."""
    screen = arrive(phone, ScreenName.REQUEST, what="the request page")
    wanted = {_greeting_field(screen).at: request.greeting}
    if request.remark:
        wanted[_remark_field(screen).at] = request.remark
    true = phone.true_texts([screen.page.nodes[at] for at, text in wanted.items() if text])
    if any(true.get(at) != text for at, text in wanted.items() if text):
        raise NotRecognised("the request page does not hold what was typed")
    return screen


def _greeting_field(screen: Screen) -> Node:
    fields = screen.fields()
    marked = [node for node in screen.marked("request_greeting") if node.cls == EDIT_TEXT]
    if not fields:
        raise NotRecognised("the request page has no field")
    return marked[0] if len(marked) == 1 else fields[0]


def _remark_field(screen: Screen) -> Node:
    """Return the first field below the label of the remark, never the one of the greeting."""
    greeting = _greeting_field(screen)
    labels = [node for node in screen.texts("request_remark_label") if node.cls != EDIT_TEXT]
    top = min((label.box.top for label in labels), default=greeting.box.bottom)
    below = [node for node in screen.fields() if node.at != greeting.at and node.box.top >= top]
    if not below:
        raise NotRecognised("the request page has no field for the remark")
    return below[0]


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
        return _look_twice(phone, request)
    was_sent = toast in screen.table.texts["request_sent_toast"]
    sent = _done(FriendAddOutcome.REQUESTED, toast, found.name) if was_sent else None
    if screen.name is ScreenName.DIALOG:
        return _after_dialog(phone, request, screen, sent)
    if screen.name is ScreenName.CHAT or standing_of(screen) is Standing.FRIEND:
        return _done(FriendAddOutcome.ADDED, "发消息", found.name)
    if sent is not None:
        return sent
    rule = judge(toast, surface="toast")
    if rule is not None and rule.outcome is not None:
        return _not_done(rule.outcome, f"toast: {rule.warning}", found.name)
    return _look_twice(phone, request)


def _after_dialog(phone: Phone, request: FriendAdd, screen: Screen, sent: Ended | None) -> Ended:
    try:
        dialog = dialog_of(screen)
    except PlatformWarning as warning:
        warning.settled = sent
        raise
    leave_dialog(phone)
    if sent is not None and not dialog.outcome:
        return sent
    return _dialog_settled(phone, request, dialog)


def _dialog_settled(phone: Phone, request: FriendAdd, dialog: DialogOpen) -> Ended:
    """Return what came of an armed add met by a dialog; one that is no answer proves nothing."""
    if dialog.outcome:
        return _not_done(dialog.outcome, _coded(dialog))
    seen = _look_twice(phone, request)
    if seen.result is Result.DONE:
        return seen
    return _unknown(FriendAddOutcome.UNEXPECTED_DIALOG, _coded(dialog))


# -- how a task ends


def _coded(dialog: DialogOpen) -> str:
    """Return what a dialog was, without its words: they may name a person."""
    return f"dialog: {dialog.kind or 'unknown words'}"


def _done(outcome: str, evidence: str, peer_name: str = "") -> Ended:
    return Ended(result=Result.DONE, outcome=outcome, evidence=evidence, peer_name=peer_name)


def _not_done(outcome: str, evidence: str, peer_name: str = "") -> Ended:
    return Ended(result=Result.NOT_DONE, outcome=outcome, evidence=evidence, peer_name=peer_name)


def _unknown(outcome: str, evidence: str, peer_name: str = "") -> Ended:
    return Ended(result=Result.UNKNOWN, outcome=outcome, evidence=evidence, peer_name=peer_name)
