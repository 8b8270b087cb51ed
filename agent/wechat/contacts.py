"""Giving a contact a remark and further tags; and finding out whether they stand there."""

from __future__ import annotations

from agent.commit import Commit
from agent.errors import NotRecognised
from agent.model import ContactMark, Ended, FriendAddOutcome, MarkOutcome
from agent.phone import Phone
from agent.wechat import forms
from agent.wechat.people import count_contacts, open_profile
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
from agent.wechat.steps import arrive, go, only


def mark(phone: Phone, action: ContactMark, commit: Commit) -> Ended:
    """Give the one contact of this name the remark, if any, and these tags besides those it has.

    `commit` is armed before the first tap that saves something: the page of tags may save by itself.
    Raises as friends.add_friend does.
    """
    ended = before_arming(phone, lambda: _unmarkable(phone, action))
    if ended is not None:
        return ended
    commit.arm()
    return settled(phone, lambda: _mark(phone, action, commit), lambda: _look(phone, action))


def look(phone: Phone, action: ContactMark) -> Ended:
    """Settle an armed mark by looking only; NOT_SENT if remark or tags are missing: saving again adds them.

    Raises PlatformWarning, LoggedOut and DriverError; ScreenError if no look came through.
    """
    return settled_by_looking(phone, lambda: _look(phone, action))


def _look(phone: Phone, action: ContactMark) -> Ended:
    is_renamed = bool(action.remark) and action.remark != action.peer_name
    page = _remark_page(phone, action.peer_name)
    if page == 0 and is_renamed:
        page = _remark_page(phone, action.remark)
    if isinstance(page, int):
        evidence = f"{page} contacts bear this name"
        return unknown(FriendAddOutcome.ANSWER_LOST, evidence, action.peer_name)
    if _is_marked(phone, page, action):
        return done(MarkOutcome.MARKED, "备注和标签", action.peer_name)
    return not_done(FriendAddOutcome.NOT_SENT, "remark or tags are missing", action.peer_name)


def _unmarkable(phone: Phone, action: ContactMark) -> Ended | None:
    """Leave the page of remark and tags in front, or return why nothing is to be done on it."""
    is_renamed = bool(action.remark) and action.remark != action.peer_name
    namesakes = count_contacts(phone, action.remark) if is_renamed else 0
    page = _remark_page(phone, action.peer_name)
    if page == 0 and namesakes == 1:
        return _marked_before(phone, action)
    if page == 0:
        return not_done(MarkOutcome.NO_CONTACT, "no contact bears this name", action.peer_name)
    if isinstance(page, int):
        return not_done(MarkOutcome.AMBIGUOUS, f"{page} contacts bear this name", action.peer_name)
    if namesakes:
        # Two contacts of one name could not be told apart afterwards.
        return not_done(MarkOutcome.AMBIGUOUS, "another contact bears the remark", action.peer_name)
    if _is_marked(phone, page, action):
        return not_done(MarkOutcome.ALREADY_MARKED, "备注和标签", action.peer_name)
    return None


def _marked_before(phone: Phone, action: ContactMark) -> Ended:
    """Return how a task ends whose name is gone while one contact bears the remark: is it the same person?"""
    profile = open_profile(phone, action.remark)
    if isinstance(profile, int):
        return not_done(MarkOutcome.AMBIGUOUS, f"{profile} contacts bear the remark", action.peer_name)
    prefixes = profile.table.texts["nickname_prefix"]
    names = [phone.true_text(node) for node in profile.starting("nickname_prefix")]
    is_same = any(name == prefix + action.peer_name for name in names for prefix in prefixes)
    if is_same and _is_marked(phone, _behind(phone, profile), action):
        return not_done(MarkOutcome.ALREADY_MARKED, "备注和标签", action.peer_name)
    return not_done(MarkOutcome.NO_CONTACT, "no contact bears this name", action.peer_name)


def _remark_page(phone: Phone, name: str) -> Screen | int:
    profile = open_profile(phone, name)
    return profile if isinstance(profile, int) else _behind(phone, profile)


def _behind(phone: Phone, profile: Screen) -> Screen:
    row = only(profile.texts("set_remark"), what="the row of remark and tags")
    return go(phone, profile, row, ScreenName.REMARK, what="the page of remark and tags")


def _is_marked(phone: Phone, page: Screen, action: ContactMark) -> bool:
    """Tell whether the page shows the remark and at least these tags."""
    if action.remark and not forms.holds(phone, [(forms.remark_field(page), action.remark)]):
        return False
    return not action.tags or forms.shown_tags(phone, page) >= set(action.tags)


def _mark(phone: Phone, action: ContactMark, commit: Commit) -> Ended:
    """Fill in the page in front, save it and look what stands there then."""
    page = arrive(phone, ScreenName.REMARK, what="the page of remark and tags")
    if action.remark:
        phone.type_into(page, forms.remark_field(page), action.remark)
        page = arrive(phone, ScreenName.REMARK, what="the page of remark and tags")
    if action.tags:
        page = forms.add_tags(
            phone,
            page,
            action.tags,
            lambda: commit.tap(ScreenName.TAGS, forms.save_button, what="saving the tags"),
        )
    if not _is_marked(phone, page, action):
        raise NotRecognised("the page does not hold what was asked for")
    commit.tap(ScreenName.REMARK, forms.save_button, what="saving remark and tags")
    return look_twice(phone, lambda: _look(phone, action))
