"""Learning the ids of a client's build from pages told by their words: a candidate for a person to accept.

Only pages that everybody has are opened: the tabs of home, the menu behind the plus, 添加朋友 and its search
page. No chat is opened, nothing is typed, and nothing is tapped that was not recognised by text and place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.capture.chatlist import free_area
from agent.phone import Phone
from agent.wechat.clients import PACKAGE, nearest, without_ids
from agent.wechat.pages import Node
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.steps import go, only

# An id that stands on more rows than this share of them belongs to the row's part, not to one chat.
ROW_SHARE = 0.6
PICTURE_SHARE = 0.23


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Pairs of role and id as read; `missing` are the base's roles that no page showed."""

    base: str
    ids: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]


def learn(phone: Phone) -> Learned:
    """Read the ids of the installed build; ends on the list of chats.

    Raises NotRecognised or Unreadable where a page is not told by its words; LoggedOut, PlatformWarning,
    kinds of DriverError.
    """
    base = nearest(phone.client.build().version_name)
    with phone.client.reading_by(without_ids(base)):
        found = _walk(phone)
    # Names of the platform itself are the same in every build.
    found |= {role: value for role, value in base.ids.items() if value.startswith("android:")}
    known = {role: value for role, value in found.items() if role in base.ids and value}
    return Learned(
        base=base.name,
        ids=tuple(sorted(known.items())),
        missing=tuple(sorted(set(base.ids) - set(known))),
    )


def _walk(phone: Phone) -> dict[str, str]:
    found: dict[str, str] = {}
    chats = phone.home()
    found |= _home(chats) | _rows(chats)
    plus = only(chats.in_bar(chats.starting("plus_menu")), what="the plus button")
    menu = go(phone, chats, plus, ScreenName.PLUS_MENU, what="the menu behind the plus")
    entry = only(menu.texts("menu_add_friend"), what="the entry for adding friends")
    page = go(phone, menu, entry, ScreenName.ADD_FRIEND, what="the page for adding friends")
    box = only(page.starting("add_friend_entry"), what="the box for the number")
    found["add_friend_entry"] = _rid(page.page.pressable(box))
    found |= _bar(page)
    search = go(phone, page, box, ScreenName.SEARCH, what="the search page")
    found["add_friend_input"] = _same(search.fields())
    found["search_cancel"] = _same(search.texts("cancel"))
    for tab, name in ((1, ScreenName.CONTACTS), (2, ScreenName.DISCOVER), (3, ScreenName.ME)):
        chats = phone.home()
        found |= _tab(go(phone, chats, chats.tabs()[tab], name, what=f"the tab {name}"))
    phone.home()
    return found


def _tab(screen: Screen) -> dict[str, str]:
    match screen.name:
        case ScreenName.CONTACTS:
            return {"new_friends_entry": _rid(_box(screen, screen.texts("new_friends")))}
        case ScreenName.DISCOVER:
            return {"moments_entry": _rid(_box(screen, screen.texts("moments")))}
        case _:
            return _me(screen)


def _me(screen: Screen) -> dict[str, str]:
    """The WeChat id bears its prefix; the nickname is the nearest text over it in the same column."""
    ids = screen.starting("me_wechat_id_prefix")
    over = [
        node
        for node in screen.nodes()
        if ids and node.text and node.box.bottom <= ids[0].box.top and node.box.left == ids[0].box.left
    ]
    return {
        "me_wechat_id": _same(ids),
        "me_nickname": _same(sorted(over, key=lambda node: node.box.bottom)[-1:]),
    }


def _home(screen: Screen) -> dict[str, str]:
    tabs = screen.tabs()
    wide = screen.root.box.width * 0.9
    bar = screen.page.around(tabs[0], lambda one: bool(one.rid) and one.box.width >= wide)
    return {
        "home_tab_text": _same(tabs),
        "home_tab": _same([screen.page.pressable(tab) for tab in tabs]),
        "home_tab_bar": _rid(bar),
        "search_button": _same(screen.in_bar(screen.starting("search"))),
        "plus_menu_button": _same(screen.in_bar(screen.starting("plus_menu"))),
        "chat_list": _same(screen.lists()[:1]),
    }


def _bar(screen: Screen) -> dict[str, str]:
    """The arrow bears its description; what is pressed is the box around it."""
    icons = screen.in_bar(screen.described("back"))
    boxes = [screen.page.pressable(icon) for icon in icons]
    return {"back_icon": _same(icons), "back_button": _same(boxes)}


def _rows(screen: Screen) -> dict[str, str]:
    """The parts of a chat's row by their places; an id counts that most rows have at the same place."""
    area = free_area(screen)
    rows = [
        node
        for node in screen.page.children(screen.lists()[0])
        if node.clickable and node.box.top >= area.top and node.box.bottom <= area.bottom
    ]
    parts: dict[str, list[Node]] = {"chat_row_name": [], "chat_row_time": [], "chat_row_preview": []}
    for row in rows:
        for role, part in _parts(screen, row).items():
            parts[role].append(part)
    found = {role: _most(nodes, of=len(rows)) for role, nodes in parts.items()}
    return {**found, "chat_list_row": _most(rows, of=len(rows))}


def _parts(screen: Screen, row: Node) -> dict[str, Node]:
    edge = row.box.left + round(row.box.width * PICTURE_SHARE)
    # A count of unread messages stands on the picture.
    left = edge - row.box.height // 4
    texts = [
        node
        for node in screen.page.inside(row)
        if node.text
        and node.box.left >= left
        and (node.box.left > edge or not node.text.rstrip("+").isdigit())
    ]
    if not texts:
        return {}
    name = min(texts, key=lambda node: (node.box.left, node.box.top))
    times = [node for node in texts if node.at != name.at and node.box.top < name.box.bottom]
    under = [node for node in texts if node.box.top >= name.box.bottom]
    found = {"chat_row_name": name}
    found |= {"chat_row_time": times[0]} if times else {}
    return found | ({"chat_row_preview": under[0]} if under else {})


def _box(screen: Screen, labels: Sequence[Node]) -> Node | None:
    return screen.page.pressable(labels[0]) if labels else None


def _most(nodes: Sequence[Node], *, of: int) -> str:
    """Return the id that most of `of` rows have, empty if too few have the same."""
    counted = Counter(_rid(node) for node in nodes if _rid(node))
    value, count = counted.most_common(1)[0] if counted else ("", 0)
    return value if count > of * ROW_SHARE else ""


def _same(nodes: Iterable[Node]) -> str:
    """Return the id that all of these bear, empty if they differ or there is none."""
    ids = {_rid(node) for node in nodes}
    return ids.pop() if len(ids) == 1 else ""


def _rid(node: Node | None) -> str:
    return node.rid.removeprefix(f"{PACKAGE}:id/") if node is not None else ""
