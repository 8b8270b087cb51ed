"""Finding a person by mobile or WeChat id: from the list of chats to the profile."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.errors import NotRecognised
from agent.model import Ended, FriendAddOutcome, Result
from agent.phone import Phone
from agent.wechat.pages import EDIT_TEXT
from agent.wechat.screens import Screen, ScreenName, View
from agent.wechat.spots import person_on
from agent.wechat.steps import arrive, go, only
from agent.wechat.warnings import Effect, Unknown, classify, judge


class Standing(StrEnum):
    """What a profile says of this account and the person."""

    FRIEND = "friend"
    STRANGER = "stranger"
    ASKS_US = "asks_us"  # they sent a request to this account
    CLOSED = "closed"  # no way to add


@dataclass(frozen=True, slots=True)
class Found:
    """A profile in front; `name` is private text."""

    screen: Screen
    name: str
    standing: Standing


def find_person(phone: Phone, query: str) -> Found | Ended:
    """Open the profile of who is found by a mobile or WeChat id, or return why there is none."""
    chats = phone.home()
    plus = only(chats.in_bar(chats.starting("plus_menu")), what="the plus button")
    menu = go(phone, chats, plus, ScreenName.PLUS_MENU, what="the menu behind the plus")
    entry = only(menu.texts("menu_add_friend"), what="the entry for adding friends")
    page = go(phone, menu, entry, ScreenName.ADD_FRIEND, what="the page for adding friends")
    box = only(page.starting("add_friend_entry"), what="the box for the number")
    search = go(
        phone, page, box, ScreenName.SEARCH, what="the search page", test=lambda one: len(one.fields()) == 1
    )
    phone.type_into(search, search.fields()[0], query)
    wanted = [prefix + query for prefix in search.table.texts["search_row_prefix"]]
    search = arrive(
        phone,
        ScreenName.SEARCH,
        what="the row that searches",
        test=lambda one: any(node.text in wanted for node in one.nodes()),
    )
    row = only([node for node in search.nodes() if node.text in wanted], what="the row that searches")
    shown: set[str] = set()

    def glance(seen: Screen) -> None:
        name = person_on(seen) if seen.name is ScreenName.PROFILE else None
        shown.update({name.text} if name is not None else ())

    answer = go(
        phone,
        search,
        row,
        ScreenName.PROFILE,
        ScreenName.WECOM_CHOICE,
        ScreenName.SEARCH,
        what="the answer to the search",
        within_s=15.0,
        test=lambda one: one.name is not ScreenName.SEARCH or bool(_complaints(one, query)),
        glance=glance,
    )
    if answer.name is ScreenName.PROFILE:
        if len(shown) > 1:
            raise NotRecognised("another profile came in the place of the one that was found")
        return read_profile(phone, answer)
    if answer.name is ScreenName.WECOM_CHOICE:
        return Ended(
            result=Result.NOT_DONE, outcome=FriendAddOutcome.WECOM_USER, evidence="wecom choice page"
        )
    return _complained(_complaints(answer, query)[0])


def read_profile(phone: Phone, screen: Screen) -> Found:
    """Return who a profile in front shows."""
    name = person_on(screen)
    if name is None:
        raise NotRecognised("the profile shows no name")
    return Found(screen, phone.true_text(name), standing_of(screen))


def standing_of(view: View) -> Standing:
    """Return what the actions of a profile say; only their words tell them apart."""
    if view.texts("send_message"):
        return Standing.FRIEND
    if view.texts("add_to_contacts"):
        return Standing.STRANGER
    return Standing.ASKS_US if view.texts("go_confirm") else Standing.CLOSED


def _complaints(screen: Screen, query: str) -> list[str]:
    """Return the texts of a search page that are neither field, button nor the row that searches."""
    usual = {text for role in ("cancel", "add_friend_entry", "search") for text in screen.table.texts[role]}
    rows = {prefix + query for prefix in screen.table.texts["search_row_prefix"]}
    texts = [node.text for node in screen.nodes() if node.text and node.cls != EDIT_TEXT]
    return sorted(
        (text for text in texts if text not in usual and text not in rows),
        key=lambda text: classify(text) is None,
    )


def _complained(text: str) -> Ended:
    # The platform warns under the search box too, in words that may be new: what is under no rule stops.
    rule = judge(text, surface="text", unknown=Unknown.PAGE)
    if rule is None or rule.effect is not Effect.END_TASK:
        kind = rule.warning if rule else ""
        return Ended(
            result=Result.NOT_DONE, outcome=FriendAddOutcome.UNEXPECTED_DIALOG, evidence=f"search: {kind}"
        )
    return Ended(result=Result.NOT_DONE, outcome=str(rule.outcome), evidence=f"search: {rule.warning}")
