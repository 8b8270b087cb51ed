"""Saying one text in the chat of a new friend, once; and finding out whether it was said."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.capture.align import Key
from agent.capture.pages import Item, avatar_of, read_items
from agent.commit import Commit
from agent.errors import AgentError, DriverError, NotInTime, NotRecognised, PlatformWarning, ScreenError
from agent.model import Ended, FirstReply, FriendAddOutcome, ReplyOutcome
from agent.phone import Phone
from agent.wechat.pages import Node
from agent.wechat.people import is_chat_with, open_chat
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.settle import before_arming, done, not_done, settled, settled_by_looking, unknown
from agent.wechat.steps import arrive, only
from agent.wechat.warnings import Surface, WarningRule, classify, fold, judge

# A new friend's chat is short; one that goes on above this is no new friend's.
PAGES_BACK = 6
SCROLL_SHARE = 0.55
SAID_LIMIT_S = 8.0
# The server's refusal comes as a grey line under the message after a moment.
REFUSAL_WAIT_S = 3.0
TRIES = 3
# Words of the server, over folded text; both are grey lines in the chat.
_REFUSALS = (
    (ReplyOutcome.REJECTED, re.compile(r"被对方拒收")),
    (ReplyOutcome.NOT_FRIENDS, re.compile(r"朋友验证.*不是.*朋友|对方不是你的(朋友|好友)")),
)
_MARKS = ("ImageView", "ProgressBar")


@dataclass(frozen=True, slots=True)
class _Said:
    """What the chat shows of a message of ours: the grey lines under it, and a mark beside it."""

    lines: tuple[str, ...]
    is_marked: bool  # it is still on its way, or did not go out
    evidence: str


def reply(phone: Phone, action: FirstReply, commit: Commit) -> Ended:
    """Say the text in the private chat with the one contact of this name, if nothing of ours stands there.

    `commit` is armed once the text stands in the field; 发送 is the only tap that lasts. A text that is not
    sent is taken out of the field again. Raises as friends.add_friend does.
    """
    ended = before_arming(phone, lambda: _unsayable(phone, action))
    if ended is not None:
        return ended
    try:
        _write(phone, action)
        commit.arm()
    except AgentError:
        _clear_draft(phone, action)
        raise
    return settled(phone, lambda: _say(phone, action, commit), lambda: _look(phone, action))


def look(phone: Phone, action: FirstReply) -> Ended:
    """Settle an armed reply by looking only; NOT_SENT if the whole chat holds nothing of ours in two looks.

    Nothing of ours stood there before arming: one other message of ours is the text as a person edited it.
    Raises PlatformWarning, LoggedOut and DriverError; ScreenError if no look came through.
    """
    return settled_by_looking(phone, lambda: _look(phone, action))


def _look(phone: Phone, action: FirstReply) -> Ended:
    chat = open_chat(phone, action.peer_name)
    if isinstance(chat, int):
        return unknown(FriendAddOutcome.ANSWER_LOST, f"{chat} contacts bear this name", action.peer_name)
    _clear_draft(phone, action)
    chat = arrive(phone, ScreenName.CHAT, what="the chat")
    found: list[_Said] = []
    edited: list[_Said] = []
    others: set[tuple[Key, int]] = set()

    def has_said(screen: Screen, items: Sequence[Item]) -> bool:
        said = _said(screen, items, action.text)
        found.extend([said] if said is not None else [])
        ours = [at for at, item in enumerate(items) if item.key.side == "out"]
        # With the place among those in sight: two that say the same are two.
        others.update((items[at].key, n) for n, at in enumerate(ours))
        edited.extend(_at(screen, items, at, "edited") for at in ours[-1:])
        return said is not None

    is_whole = _to_begin(phone, chat, has_said)
    if found:
        return _told(action, found[0])
    if is_whole and len(others) == 1:
        return _told(action, edited[0])
    if others:
        return unknown(FriendAddOutcome.ANSWER_LOST, "other messages of ours in the chat", action.peer_name)
    if is_whole:
        return not_done(FriendAddOutcome.NOT_SENT, "nothing of it in the chat", action.peer_name)
    return unknown(FriendAddOutcome.ANSWER_LOST, "the begin of the chat was not reached", action.peer_name)


# -- up to the tap


def _unsayable(phone: Phone, action: FirstReply) -> Ended | None:
    """Leave the chat in front, or return why nothing may be said in it."""
    chat = open_chat(phone, action.peer_name)
    if isinstance(chat, int):
        evidence = f"{chat} contacts bear this name"
        return not_done(ReplyOutcome.NO_CHAT, evidence, action.peer_name)
    ours: list[Item] = []

    def has_ours(_screen: Screen, items: Sequence[Item]) -> bool:
        ours.extend(item for item in items if item.key.side == "out")
        return bool(ours)

    is_whole = _to_begin(phone, chat, has_ours)
    if ours:
        return not_done(ReplyOutcome.ALREADY_SAID, "a message of ours", action.peer_name)
    if not is_whole:
        evidence = "the begin of the chat was not reached"
        return not_done(ReplyOutcome.ALREADY_SAID, evidence, action.peer_name)
    return None


def _to_begin(phone: Phone, screen: Screen, is_enough: Callable[[Screen, Sequence[Item]], bool]) -> bool:
    """Leaf up until `is_enough`, or to the begin of the chat; tell whether that was reached."""
    items = _items(phone, screen, is_at_end=True)
    for _ in range(PAGES_BACK):
        if is_enough(screen, items):
            return False
        shape = screen.page.shape()
        area = screen.lists()[0]
        phone.scroll(screen.spot(area), area.box, share=SCROLL_SHARE)
        screen = arrive(phone, ScreenName.CHAT, what="the chat")
        if screen.page.shape() == shape:
            return True
        items = _items(phone, screen, is_at_end=False)
    is_enough(screen, items)
    return False


def _items(phone: Phone, screen: Screen, *, is_at_end: bool) -> list[Item]:
    for _ in range(TRIES):
        try:
            return read_items(screen, phone.true_texts, is_group=False, is_at_end=is_at_end)
        except NotRecognised:
            screen = arrive(phone, ScreenName.CHAT, what="the chat")
    return read_items(screen, phone.true_texts, is_group=False, is_at_end=is_at_end)


def _write(phone: Phone, action: FirstReply) -> None:
    """Type the text and read it back; NotInTime if the field or the button does not come."""
    screen = _chat(phone, action)
    phone.type_into(screen, _field(screen), action.text)
    phone.clear_toast()
    _chat(phone, action, lambda one: _is_ready(phone, one, action))


def _chat(phone: Phone, action: FirstReply, test: Callable[[Screen], bool] = lambda _: True) -> Screen:
    return arrive(
        phone,
        ScreenName.CHAT,
        what="the chat",
        test=lambda one: is_chat_with(phone, one, action.peer_name) and test(one),
    )


def _is_ready(phone: Phone, screen: Screen, action: FirstReply) -> bool:
    field = _field(screen)
    return phone.true_texts([field]).get(field.at) == action.text and len(_send_buttons(screen)) == 1


def _field(screen: Screen) -> Node:
    return only(screen.fields(), what="the line to type in")


def _send_buttons(screen: Screen) -> list[Node]:
    """Return what sends: beside the line to type in; a message may read the same but stands above."""
    field = _field(screen)
    return [
        node
        for node in screen.texts("send")
        if node.enabled and node.box.bottom > field.box.top and node.box.left >= field.box.centre[0]
    ]


def _clear_draft(phone: Phone, action: FirstReply) -> None:
    """Take our text out of the field if it stands there; an error of this would hide the one before."""
    try:
        screen = phone.screen()
        if screen is None or screen.name is not ScreenName.CHAT or len(screen.fields()) != 1:
            return
        if not is_chat_with(phone, screen, action.peer_name):
            return
        field = _field(screen)
        if phone.true_texts([field]).get(field.at) == action.text:
            phone.type_into(screen, field, "")
    except (DriverError, ScreenError):
        return


# -- the tap and after it


def _say(phone: Phone, action: FirstReply, commit: Commit) -> Ended:
    def button(screen: Screen) -> Node:
        if not is_chat_with(phone, screen, action.peer_name) or not _is_ready(phone, screen, action):
            raise NotRecognised("the chat does not hold the text any more")
        items = read_items(screen, phone.true_texts, is_group=False, is_at_end=True)
        if any(item.key.side == "out" for item in items):
            raise NotRecognised("a message of ours came meanwhile")
        return only(_send_buttons(screen), what="the button that sends")

    commit.tap(ScreenName.CHAT, button, what="sending the text")
    said = _last_said(phone, action, SAID_LIMIT_S, lambda _: True)
    if said is None:
        raise NotRecognised("the text is not in the chat")
    if not _is_answered(said):
        said = _last_said(phone, action, REFUSAL_WAIT_S, _is_answered) or said
    return _told(action, said, phone.toast())


def _last_said(
    phone: Phone, action: FirstReply, within_s: float, test: Callable[[_Said], bool]
) -> _Said | None:
    """Wait for our text in the chat, passing `test`; return what the chat shows of it at last."""
    last: _Said | None = None

    def answered(screen: Screen) -> bool:
        nonlocal last
        items = read_items(screen, phone.true_texts, is_group=False, is_at_end=True, is_last_try=True)
        last = _said(screen, items, action.text) or last
        return last is not None and test(last)

    try:
        arrive(phone, ScreenName.CHAT, what="the text in the chat", within_s=within_s, test=answered)
    except NotInTime:
        return last
    return last


def _told(action: FirstReply, said: _Said, toast: str = "") -> Ended:
    """Return what a message and what WeChat says of it tell; PlatformWarning comes with what was seen."""
    seen = _shown(action, said)
    try:
        for line in said.lines:
            outcome = _answer(judge(line, surface=Surface.SYSTEM_LINE))
            if outcome is not None:
                seen = not_done(outcome, "grey line under the message", action.peer_name)
        outcome = _answer(judge(toast, surface=Surface.TOAST))
    except PlatformWarning as warning:
        warning.settled = seen
        raise
    return not_done(outcome, "toast after the message", action.peer_name) if outcome else seen


def _shown(action: FirstReply, said: _Said) -> Ended:
    refusal = _refusal(said.lines)
    if refusal is not None:
        return not_done(refusal, "grey line under the message", action.peer_name)
    if said.is_marked:
        return unknown(FriendAddOutcome.ANSWER_LOST, "mark beside the message", action.peer_name)
    return done(ReplyOutcome.SAID, said.evidence, action.peer_name)


def _answer(rule: WarningRule | None) -> ReplyOutcome | None:
    """Return what a rule answers to a reply, None if it is no answer to that."""
    outcome = rule.answers.get("first_reply") if rule else None
    return ReplyOutcome(outcome) if outcome else None


def _is_answered(said: _Said) -> bool:
    """Tell whether WeChat says anything known under the message."""
    known = any(classify(line, Surface.SYSTEM_LINE) is not None for line in said.lines)
    return known or _refusal(said.lines) is not None


def _said(screen: Screen, items: Sequence[Item], text: str) -> _Said | None:
    """Return what a page shows of the newest message of ours with this text, None if it is not on it."""
    places = [
        at
        for at, item in enumerate(items)
        if item.bubble is not None and item.bubble.side == "out" and item.bubble.text == text
    ]
    return _at(screen, items, places[-1]) if places else None


def _at(screen: Screen, items: Sequence[Item], at: int, evidence: str = "the text in the chat") -> _Said:
    after = (item.bubble.text for item in items[at + 1 :] if item.key.side == "system" and item.bubble)
    return _Said(tuple(after), _is_marked(screen, items[at].top), evidence)


def _refusal(lines: Sequence[str]) -> ReplyOutcome | None:
    folded = [fold(line) for line in lines]
    return next((what for what, words in _REFUSALS if any(words.search(one) for one in folded)), None)


def _is_marked(screen: Screen, top: int) -> bool:
    """Tell whether a picture beside the message at `top` says that it is under way, or did not go out."""
    for row in screen.page.children(screen.lists()[0]):
        avatar = avatar_of(screen, row)
        if avatar is not None and avatar.box.top == top:
            return any(
                node.cls.endswith(_MARKS) and node.box.right <= avatar.box.left and not node.box.is_empty()
                for node in screen.page.inside(row)
            )
    return False
