"""新的朋友: the requests that went out or came in, read from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.capture.align import joints
from agent.errors import NotRecognised
from agent.phone import Phone
from agent.wechat.pages import Node
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.steps import arrive, go

PAGES_READ = 8
SCROLL_SHARE = 0.55
# The state of a request stands at the right; a name that reads like one stands left.
STATE_SHARE = 0.6


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
    """The rows from the newest on; `is_whole` if the end of the list was seen."""

    rows: tuple[RequestRow, ...]
    is_whole: bool

    def of(self, name: str) -> list[RequestRow]:
        """Return the rows that bear exactly this name."""
        return [row for row in self.rows if row.name == name]


def read_requests(phone: Phone) -> Requests:
    """Return the requests this account knows; leaves the phone on that page."""
    chats = phone.home()
    contacts = go(phone, chats, chats.tabs()[1], ScreenName.CONTACTS, what="the contacts")
    entry = contacts.texts("new_friends")
    if not entry:
        raise NotRecognised("the entry for new friends is out of sight")
    screen = go(phone, contacts, entry[0], ScreenName.NEW_FRIENDS, what="the page of new friends")
    seen = _rows(phone, screen)
    rows = [row for row, _ in seen]
    for _ in range(PAGES_READ):
        if not screen.lists():
            break
        box = screen.lists()[0].box
        moved = phone.scroll(screen.spot(screen.lists()[0]), box, share=-SCROLL_SHARE)
        screen = arrive(phone, ScreenName.NEW_FRIENDS, what="the page of new friends")
        below = _rows(phone, screen)
        if below == seen:
            return Requests(tuple(rows), is_whole=True)
        ways = joints(seen, below, expected_px=-moved)
        if not ways:
            break
        rows += [row for row, _ in below[ways[0].overlap :]]
        seen = below
    return Requests(tuple(rows), is_whole=False)


def _rows(phone: Phone, screen: Screen) -> list[tuple[RequestRow, int]]:
    """Return the rows wholly in sight with their tops in px."""
    right = screen.root.box.left + round(screen.root.box.width * STATE_SHARE)
    found = []
    for state in RequestState:
        for node in screen.texts(state):
            row = screen.page.around(node, lambda one: one.box.width >= screen.root.box.width * 0.9)
            if node.box.left >= right and row is not None and row.at > screen.root.at:
                found.append(_row(phone, screen, row, state, right))
    return sorted((one for one in found if one is not None), key=lambda one: one[1])


def _row(
    phone: Phone, screen: Screen, row: Node, state: RequestState, right: int
) -> tuple[RequestRow, int] | None:
    texts = [node for node in screen.page.inside(row) if node.text and node.box.left < right]
    texts.sort(key=lambda node: (node.box.top, node.box.left))
    true = phone.true_texts(texts)
    if not texts or texts[0].at not in true:
        return None
    greeting = true.get(texts[1].at, "") if len(texts) > 1 else ""
    return RequestRow(true[texts[0].at], greeting, state), texts[0].box.top
