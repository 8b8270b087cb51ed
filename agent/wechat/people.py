"""Finding a contact by the name the client shows: global search, its chat, its profile."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from agent.capture.align import joints
from agent.errors import NotInTime, NotRecognised
from agent.phone import Phone
from agent.wechat.lookup import Standing, read_profile, standing_of
from agent.wechat.pages import EDIT_TEXT, Node
from agent.wechat.screens import LISTS, Screen, ScreenName
from agent.wechat.steps import arrive, go, only

# What the search has to find stands in the client's own index; later nothing comes any more.
FOUND_LIMIT_S = 4.0
PAGES_READ = 15
SCROLL_SHARE = 0.55
ROW_SHARE = 0.9


def count_contacts(phone: Phone, name: str) -> int:
    """Return how many contacts bear exactly this name; leaves the phone on the search."""
    return len(_found(phone, name)[1])


def open_chat(phone: Phone, name: str) -> Screen | int:
    """Open the private chat with the one contact of exactly this name, or return how many bear it.

    The name is proved twice: in the list of contacts found, and as the title of the chat.
    """
    screen, rows = _found(phone, name)
    if len(rows) != 1:
        return len(rows)
    if screen.name is ScreenName.FIND_MORE:
        screen = _show(phone, screen, name)
    row = only(_rows(phone, screen, name), what="the contact that was found")
    return go(
        phone,
        screen,
        row,
        ScreenName.CHAT,
        what="the chat with the contact",
        test=lambda one: is_chat_with(phone, one, name),
    )


def is_chat_with(phone: Phone, screen: Screen, name: str) -> bool:
    """Tell whether a chat in front is the private one of this title, with a line to type in."""
    title = screen.title()
    if title is None or not screen.fields():
        return False
    # The title is another while the peer types; who waits asks again.
    return phone.true_texts([title]).get(title.at) == name


def is_friend_in_front(phone: Phone, screen: Screen, names: Iterable[str]) -> bool:
    """Tell whether the screen is the private chat with, or the profile of, a friend of one of these names.

    A hand may have opened anyone's meanwhile. NotRecognised if the profile shows no name.
    """
    if screen.name is ScreenName.CHAT:
        return any(is_chat_with(phone, screen, name) for name in names if name)
    is_friend = screen.name is ScreenName.PROFILE and standing_of(screen) is Standing.FRIEND
    return is_friend and read_profile(phone, screen).name in names


def open_profile(phone: Phone, name: str) -> Screen | int:
    """Open the profile of the one contact of exactly this name, or return how many bear it."""
    chat = open_chat(phone, name)
    if isinstance(chat, int):
        return chat
    info = only(chat.in_bar(chat.described("chat_info")), what="the button for the chat's page")
    page = go(phone, chat, info, ScreenName.CHAT_INFO, what="the page about the chat")
    profile = go(phone, page, _member(phone, page, name), ScreenName.PROFILE, what="the profile")
    found = read_profile(phone, profile)
    if found.name != name or found.standing is not Standing.FRIEND:
        raise NotRecognised("the profile is not the one of the contact")
    return profile


def _member(phone: Phone, page: Screen, name: str) -> Node:
    """Return the peer on top of the page; below stand rows that clear the chat or complain."""
    line = min(node.box.top for node in page.texts("find_chat_history"))
    bar = {node.at for node in page.in_bar(page.nodes())}
    above = [node for node in page.nodes() if node.box.bottom <= line and node.at not in bar and node.text]
    true = phone.true_texts(above)
    return only([node for node in above if true.get(node.at) == name], what="the peer on the chat's page")


def _found(phone: Phone, name: str) -> tuple[Screen, list[str]]:
    """Return the page with all contacts found, and the names of those that bear this one."""
    chats = phone.home()
    glass = only(chats.in_bar(chats.starting("search")), what="the search button")
    screen = go(phone, chats, glass, ScreenName.FIND, what="the search page")
    phone.type_into(screen, only(screen.fields(), what="the search field"), name)
    with suppress(NotInTime):
        screen = phone.expect(
            ScreenName.FIND,
            what="the contact in the results",
            within_s=FOUND_LIMIT_S,
            test=lambda one: bool(_rows(phone, one, name)),
        )
    screen = arrive(phone, ScreenName.FIND, what="the results")
    more = screen.texts("find_more_contacts")
    if not more:
        return screen, [name for _ in _rows(phone, screen, name)]
    screen = go(phone, screen, more[0], ScreenName.FIND_MORE, what="all contacts found")
    return _leaf_through(phone, screen, name)


def _leaf_through(phone: Phone, screen: Screen, name: str) -> tuple[Screen, list[str]]:
    """Return the page again at its begin, and the rows of this name of the whole list."""
    seen = _texts(phone, screen)
    names = [text for text, _ in seen]
    for _ in range(PAGES_READ):
        if not screen.lists():
            break
        moved = phone.scroll(screen.spot(screen.lists()[0]), screen.lists()[0].box, share=-SCROLL_SHARE)
        screen = arrive(phone, ScreenName.FIND_MORE, what="all contacts found")
        below = _texts(phone, screen)
        if below == seen:
            return screen, [one for one in names if one == name]
        ways = joints(seen, below, expected_px=-moved)
        if not ways:
            raise NotRecognised("two pages of contacts found do not join")
        names += [text for text, _ in below[ways[0].overlap :]]
        seen = below
    raise NotRecognised("more contacts were found than can be looked through")


def _show(phone: Phone, screen: Screen, name: str) -> Screen:
    """Scroll up until the contact of this name is wholly in sight."""
    for _ in range(PAGES_READ):
        if _rows(phone, screen, name):
            return screen
        phone.scroll(screen.spot(screen.lists()[0]), screen.lists()[0].box, share=SCROLL_SHARE)
        screen = arrive(phone, ScreenName.FIND_MORE, what="all contacts found")
    raise NotRecognised("the contact that was found is out of sight")


def _texts(phone: Phone, screen: Screen) -> list[tuple[str, int]]:
    """Return the name on each whole row with its top in px, from top to bottom."""
    heads = [node for node in _heads(screen) if screen.page.pressable(node).clickable]
    true = phone.true_texts(heads)
    if len(true) < len(heads):
        raise NotRecognised("the results changed while they were read")
    return [(true[node.at], node.box.top) for node in heads]


def _rows(phone: Phone, screen: Screen, name: str) -> list[Node]:
    """Return the rows in sight of contacts of exactly this name; groups and messages found are others."""
    sections = {
        node.at: role
        for role in ("find_contacts", "find_frequent", "find_groups", "find_messages", "find_web")
        for node in screen.texts(role)
    }
    heads = _heads(screen)
    true = phone.true_texts(heads)
    section, found = "find_contacts" if screen.name is ScreenName.FIND_MORE else "", []
    for node in heads:
        if node.at in sections and not screen.page.pressable(node).clickable:
            section = sections[node.at]
        elif section in ("find_contacts", "find_frequent") and true.get(node.at) == name:
            found.append(node)
    return found


def _heads(screen: Screen) -> list[Node]:
    """Return the first text of each row of the results that no edge cuts, from top to bottom."""
    if not screen.lists():
        return []
    area = screen.lists()[0]
    found: dict[int, Node] = {}
    for node in screen.page.inside(area):
        row = _item(screen, node, area)
        if node.text and node.cls != EDIT_TEXT and row is not None:
            is_whole = row.box.top >= area.box.top and row.box.bottom <= area.box.bottom
            first = found.get(row.at)
            if is_whole and (first is None or node.box.top < first.box.top):
                found[row.at] = node
    return sorted(found.values(), key=lambda node: node.box.top)


def _item(screen: Screen, node: Node, area: Node) -> Node | None:
    """Return the row of the results that a text stands in: as wide as the list, and no list."""
    row = screen.page.around(node, lambda one: one.box.width >= area.box.width * ROW_SHARE)
    return row if row is not None and row.at > area.at and not row.cls.endswith(LISTS) else None
