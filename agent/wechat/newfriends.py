"""新的朋友: the requests that went out or came in, read from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from weakref import WeakKeyDictionary

from agent.capture.align import joints
from agent.errors import NotRecognised
from agent.phone import Phone
from agent.wechat.pages import Node
from agent.wechat.screens import LISTS, Screen, ScreenName
from agent.wechat.steps import arrive, go, only

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


class Direction(StrEnum):
    """Who asked whom, as far as a row shows it."""

    OURS = "ours"
    THEIRS = "theirs"
    UNKNOWN = "unknown"  # the client shows no more who asked once a request is over


_DIRECTIONS = {RequestState.WAITING: Direction.OURS, RequestState.ASKS: Direction.THEIRS}


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request; `name` and `greeting` are private text."""

    name: str
    greeting: str
    state: RequestState

    @property
    def direction(self) -> Direction:
        """Return who asked whom."""
        return _DIRECTIONS.get(self.state, Direction.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Requests:
    """The rows from the newest on; `is_whole` if the end of the list was seen and every row made out."""

    rows: tuple[RequestRow, ...]
    is_whole: bool

    def of(self, name: str) -> list[RequestRow]:
        """Return the rows that bear exactly this name."""
        return [row for row in self.rows if row.name == name]


# When the page was read for a task that is to come, and what it said.
_noted: WeakKeyDictionary[Phone, tuple[float, Requests]] = WeakKeyDictionary()


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
    _noted.pop(phone, None)
    return _read(phone)


def note_requests(phone: Phone) -> Requests:
    """Read the requests and note them for the task that is asked for next."""
    requests = read_requests(phone)
    _noted[phone] = (phone.now_s(), requests)
    return requests


def noted_requests(phone: Phone, *, life_s: float) -> Requests:
    """Return what was noted less than `life_s` ago, once; else read. One note serves one task.

    A second task would not see in it what the first one sent.
    """
    at_s, requests = _noted.pop(phone, (0.0, None))
    if requests is not None and phone.now_s() - at_s < life_s:
        return requests
    return _read(phone)


def _read(phone: Phone) -> Requests:
    screen = _open(phone)
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


def show_open_request(phone: Phone, name: str) -> None:
    """Bring the open request of this name wholly into sight, from the top of the list on.

    NotRecognised if it is not found; there must be one only.
    """
    screen = _open(phone)
    for _ in range(PAGES_READ):
        if _buttons(phone, screen, name):
            return
        shape = screen.page.shape()
        phone.scroll(screen.spot(screen.lists()[0]), screen.lists()[0].box, share=-SCROLL_SHARE)
        screen = arrive(phone, ScreenName.NEW_FRIENDS, what="the page of new friends")
        if screen.page.shape() == shape:
            break
    raise NotRecognised("the open request is not in the list any more")


def open_request_button(phone: Phone, screen: Screen, name: str) -> Node:
    """Return the button of the one open request of this name in sight; NotRecognised if there is none."""
    return only(_buttons(phone, screen, name), what="the button of the open request")


def state_in_sight(phone: Phone, screen: Screen, name: str) -> RequestState | None:
    """Return what the one row of this name in sight says, None without one or with several."""
    rows = [row for row, _ in _look(phone, screen).rows if row.name == name]
    return rows[0].state if len(rows) == 1 else None


def _open(phone: Phone) -> Screen:
    chats = phone.home()
    contacts = go(phone, chats, chats.tabs()[1], ScreenName.CONTACTS, what="the contacts")
    entry = contacts.texts("new_friends")
    if not entry:
        raise NotRecognised("the entry for new friends is out of sight")
    return go(phone, contacts, entry[0], ScreenName.NEW_FRIENDS, what="the page of new friends")


def _buttons(phone: Phone, screen: Screen, name: str) -> list[Node]:
    """Return the buttons of the open requests of a name, of those rows that no edge cuts."""
    right = screen.root.box.left + round(screen.root.box.width * STATE_SHARE)
    area = (screen.lists() or [screen.root])[0].box
    found = []
    for node in screen.texts(RequestState.ASKS):
        row = _item(screen, node)
        is_whole = row is not None and area.top < row.box.top and row.box.bottom <= area.bottom
        if row is not None and is_whole and node.box.left >= right and node.enabled:
            one = _row(phone, screen, row, RequestState.ASKS, right)
            if one is not None and one[0].name == name:
                found.append(node)
    return found


def _look(phone: Phone, screen: Screen) -> _Sight:
    """Return the rows in sight, from top to bottom, and the count of those that are not made out."""
    right = screen.root.box.left + round(screen.root.box.width * STATE_SHARE)
    area = screen.lists()[0] if screen.lists() else screen.root
    rows = [
        (row, state)
        for state in RequestState
        for node in screen.texts(state)
        if node.box.left >= right and (row := _item(screen, node)) is not None
    ]
    found = []
    read: set[int] = set()
    for row, state in _whole(rows, area):
        one = _row(phone, screen, row, state, right)
        if one is not None:
            found.append(one)
            read.add(row.at)
    rest = {row.at: row for row in _unread(screen, area) if row.at not in read}.values()
    at_top = sum(1 for row in rest if row.box.top <= area.box.top)
    at_bottom = sum(1 for row in rest if row.box.bottom >= area.box.bottom and row.box.top > area.box.top)
    seen = tuple(sorted(found, key=lambda one: one[1]))
    return _Sight(seen, len(rest) - at_top - at_bottom, at_top, at_bottom)


def _whole(rows: Sequence[tuple[Node, RequestState]], area: Node) -> list[tuple[Node, RequestState]]:
    """Return the rows that no edge cuts: a cut one may show no greeting, or that in the name's place."""
    high = max(
        (
            row.box.height
            for row, _ in rows
            if area.box.top < row.box.top and row.box.bottom < area.box.bottom
        ),
        default=0,
    )
    return [
        (row, state)
        for row, state in rows
        if row.box.height >= high or (area.box.top < row.box.top and row.box.bottom < area.box.bottom)
    ]


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
