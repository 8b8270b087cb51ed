"""新的朋友: the requests that went out or came in, read from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.capture.align import joints
from agent.errors import NotRecognised
from agent.phone import Phone
from agent.wechat.pages import Node
from agent.wechat.screens import LISTS, Screen, ScreenName
from agent.wechat.steps import arrive, go

PAGES_READ = 8
SCROLL_SHARE = 0.55
# The state of a request stands at the right; a name that reads like one stands left.
STATE_SHARE = 0.6
ROW_SHARE = 0.9


class RequestState(StrEnum):
    """What a row says of its request."""

    WAITING = "waiting"  # sent by this account, not answered yet
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    ASKS = "accept"  # sent by the other person


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request; `name` and `greeting` are private text."""

    name: str
    greeting: str
    state: RequestState


@dataclass(frozen=True, slots=True)
class Requests:
    """The rows from the newest on; `is_whole` if the end of the list was seen and every row made out."""

    rows: tuple[RequestRow, ...]
    is_whole: bool

    def of(self, name: str) -> list[RequestRow]:
        """Return the rows that bear exactly this name."""
        return [row for row in self.rows if row.name == name]


@dataclass(frozen=True, slots=True)
class _Sight:
    """What one look shows: the rows read, with their tops in px, and how many there are beside them."""

    rows: tuple[tuple[RequestRow, int], ...]
    unread: int
    unread_at_top: int  # cut off by an edge of the list: to be read on the page before or after
    unread_at_bottom: int


def read_requests(phone: Phone) -> Requests:
    """Return the requests this account knows; leaves the phone on that page.

    A row whose person or state is not made out may be anyone's: with one the list is not whole.
    """
    chats = phone.home()
    contacts = go(phone, chats, chats.tabs()[1], ScreenName.CONTACTS, what="the contacts")
    entry = contacts.texts("new_friends")
    if not entry:
        raise NotRecognised("the entry for new friends is out of sight")
    screen = go(phone, contacts, entry[0], ScreenName.NEW_FRIENDS, what="the page of new friends")
    seen = _look(phone, screen)
    rows = [row for row, _ in seen.rows]
    is_read = not seen.unread and not seen.unread_at_top
    for _ in range(PAGES_READ):
        if not screen.lists():
            break
        box = screen.lists()[0].box
        moved = phone.scroll(screen.spot(screen.lists()[0]), box, share=-SCROLL_SHARE)
        screen = arrive(phone, ScreenName.NEW_FRIENDS, what="the page of new friends")
        below = _look(phone, screen)
        is_read = is_read and not below.unread
        if below == seen:
            return Requests(tuple(rows), is_whole=is_read and not below.unread_at_bottom)
        ways = joints(seen.rows, below.rows, expected_px=-moved)
        if not ways:
            break
        rows += [row for row, _ in below.rows[ways[0].overlap :]]
        seen = below
    return Requests(tuple(rows), is_whole=False)


def _look(phone: Phone, screen: Screen) -> _Sight:
    """Return the rows in sight, from top to bottom, and the count of those that are not made out."""
    right = screen.root.box.left + round(screen.root.box.width * STATE_SHARE)
    found = []
    read: set[int] = set()
    for state in RequestState:
        for node in screen.texts(state):
            row = _item(screen, node)
            if node.box.left >= right and row is not None:
                one = _row(phone, screen, row, state, right)
                if one is not None:
                    found.append(one)
                    read.add(row.at)
    area = screen.lists()[0] if screen.lists() else screen.root
    rest = {row.at: row for row in _unread(screen, area) if row.at not in read}.values()
    at_top = sum(1 for row in rest if row.box.top <= area.box.top)
    at_bottom = sum(1 for row in rest if row.box.bottom >= area.box.bottom and row.box.top > area.box.top)
    rows = tuple(sorted(found, key=lambda one: one[1]))
    return _Sight(rows, len(rest) - at_top - at_bottom, at_top, at_bottom)


def _unread(screen: Screen, area: Node) -> list[Node]:
    """Return what may be a row of the list: everything with a text but the entry for mobiles."""
    heads = {node.at for node in screen.starting("add_friend_entry")}
    found = []
    for node in screen.page.inside(area):
        if node.text and not node.box.is_empty():
            row = _item(screen, node) or node
            if not heads.intersection(range(row.at, row.end)):
                found.append(row)
    return found


def _item(screen: Screen, node: Node) -> Node | None:
    """Return the row a text stands in: as wide as the window, and no list."""
    row = screen.page.around(node, lambda one: one.box.width >= screen.root.box.width * ROW_SHARE)
    is_row = row is not None and row.at > screen.root.at and not row.cls.endswith(LISTS)
    return row if is_row else None


def _row(
    phone: Phone, screen: Screen, row: Node, state: RequestState, right: int
) -> tuple[RequestRow, int] | None:
    texts = [node for node in screen.page.inside(row) if node.text and node.box.left < right]
    texts.sort(key=lambda node: (node.box.top, node.box.left))
    true = phone.true_texts(texts)
    if any(node.at not in true for node in texts[:2]) or not texts:
        return None
    greeting = true[texts[1].at] if len(texts) > 1 else ""
    return RequestRow(true[texts[0].at], greeting, state), texts[0].box.top
