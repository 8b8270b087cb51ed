"""Reading chats: which have something new, and what, from the bottom up to what is archived."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from agent.capture.chatlist import SeenRow, free_area, read_rows, unread_total
from agent.capture.hints import has_badge
from agent.capture.pages import Item, read_items
from agent.capture.visits import TAIL_LENGTH, Verdict, Visit, judge
from agent.errors import ChatNotListed, DriverError, Moved, NotInTime, NotRecognised
from agent.model import Bubble, ChatRow
from agent.phone import Phone
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.steps import arrive

# At most this far up for what came since the last visit, and when a chat is seen for the first time.
PAGES_BACK = 60
PAGES_FIRST = 30
LIST_PAGES = 12
# So much of a page stays in sight that the next one can be joined to it.
SCROLL_SHARE = 0.55
# A page that moves while it is read is read again.
TRIES = 4
_MEMBERS = re.compile(r"(.*?)\s*[(（]\d+[)）]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tail:
    """The last bubbles archived of a conversation, at most 60, and the position of the last one (0: none)."""

    position: int
    bubbles: tuple[Bubble, ...]


@dataclass(frozen=True, slots=True)
class SeenBubble:
    """A bubble to archive at a position; `ambiguous` if it may repeat one that is archived."""

    position: int
    bubble: Bubble
    ambiguous: bool


@dataclass(frozen=True, slots=True)
class ChatRead:
    """What one visit to a chat found; `gap_cause` tells why messages before the new ones may be missing."""

    key: str
    title: str
    kind: str  # private | group | service
    new: tuple[SeenBubble, ...]
    gap_cause: str
    tail: Tail
    row: ChatRow | None = None  # its row as seen just before it was opened, None if another was meant


def conversation_key(title: str, kind: str) -> str:
    """Return what stands for a conversation: the screen shows nothing steadier than its name."""
    return f"{kind}:{hashlib.blake2b(title.encode(), digest_size=12).hexdigest()}"


def unread_rows(
    phone: Phone, is_hint: Callable[[ChatRow], bool] = has_badge, *, is_whole_list: bool = False
) -> list[ChatRow]:
    """Return the rows that ask to be read, top to bottom; unless asked for the whole list, the upper ones.

    Chats stand in the order of their last message under those pinned to the top: below a page that ends with
    nothing new there is nothing new, unless the tab counts more.
    """
    found: dict[str, ChatRow] = {}
    screen = _to_top(phone, phone.home())
    for _ in range(LIST_PAGES):
        rows = [seen.row for seen in read_rows(screen, phone.true_texts)]
        hints = [row for row in rows if is_hint(row)]
        for row in hints:
            found.setdefault(row.title, row)
        counted = sum(row.unread for row in found.values() if row.unread > 0 and not row.is_muted)
        is_done = counted >= unread_total(screen) and rows[-1:] != hints[-1:] and not is_whole_list
        if is_done or not rows:
            break
        lower = _scroll_list(phone, screen, share=-SCROLL_SHARE)
        if lower.page.shape() == screen.page.shape():
            break
        screen = lower
    return list(found.values())


def read_chat(
    phone: Phone,
    row: ChatRow,
    tail_of: Callable[[str], Tail],
    archive: Callable[[ChatRead], object] = lambda _: None,
) -> ChatRead:
    """Open a chat, read it up to its archived tail, archive that, and only then leave the chat.

    Of `row` only title and count are used. The list may move between look and tap: then the chat that was
    opened is read, as it bears no badge any more, and returned under its own name.
    Raises ChatNotListed if there is no such row, NotRecognised if it leads to no chat; kinds of DriverError
    and ScreenError. A DriverError may come after `archive`.
    """
    seen, screen = _open(phone, row.title)
    try:
        unread = max(row.unread, seen.unread)
        read = _read(phone, screen, replace(seen, unread=unread), tail_of)
        archive(read)
    except BaseException:
        with suppress(DriverError):  # the first error tells more
            phone.back()
        raise
    phone.back()
    return read


def _read(phone: Phone, screen: Screen, row: ChatRow, tail_of: Callable[[str], Tail]) -> ChatRead:
    title, kind = _named(phone, screen, row.title)
    key = conversation_key(title, kind)
    tail = tail_of(key)
    meant = row if title == row.title else None
    unread = row.unread if meant else 0
    visit, verdict = _visit(phone, screen, tail, unread=unread, is_group=kind == "group")
    bubbles = visit.bubbles()
    cause = verdict.cause
    if visit.is_scrolled and not _catch_up(phone, visit, is_group=kind == "group"):
        cause = cause or "came_while_reading"
    late = visit.bubbles()[len(bubbles) :]
    first = len(bubbles) - verdict.new
    is_unsure = verdict.ambiguous or visit.is_doubtful
    new = tuple(
        SeenBubble(tail.position + 1 + place, bubble, is_unsure)
        for place, bubble in enumerate([*bubbles[first:], *late])
    )
    kept = tail.bubbles[: len(tail.bubbles) - verdict.overlap] if verdict.overlap else ()
    known = bubbles[first - verdict.overlap : first]
    tail_bubbles = (*kept, *known, *(seen.bubble for seen in new))[-TAIL_LENGTH:]
    return ChatRead(key, title, kind, new, cause, Tail(tail.position + len(new), tail_bubbles), meant)


def _visit(phone: Phone, screen: Screen, tail: Tail, *, unread: int, is_group: bool) -> tuple[Visit, Verdict]:
    """Read upward until what is new is certain, or no page is left."""
    visit = Visit()
    # A chat opens at its end.
    visit.begin(_items(phone, screen, is_group=is_group, is_at_end=True))
    limit = PAGES_BACK if tail.bubbles else PAGES_FIRST
    is_joined = True
    for count in range(1, limit + 1):
        verdict = judge(
            tail.bubbles,
            visit.bubbles(),
            is_at_top=visit.is_at_top,
            is_last=count == limit or not is_joined,
            unread=unread,
        )
        if verdict is not None:
            break
        moved = _scroll_chat(phone, screen, share=SCROLL_SHARE)
        screen = arrive(phone, ScreenName.CHAT, what="the chat")
        is_joined = visit.add_older(_items(phone, screen, is_group=is_group), expected_px=moved)
    if verdict is None:
        raise NotRecognised("the chat could not be read")  # pragma: no cover -- the last turn always judges
    if not is_joined and not verdict.cause:
        verdict = Verdict(verdict.new, verdict.overlap, verdict.ambiguous, "pages_do_not_join")
    return visit, verdict


def _catch_up(phone: Phone, visit: Visit, *, is_group: bool) -> bool:
    """Scroll down to the end again and take in what came meanwhile; False if it could not be joined."""
    screen = arrive(phone, ScreenName.CHAT, what="the chat")
    for _ in range(PAGES_BACK * 2):
        shape = screen.page.shape()
        _scroll_chat(phone, screen, share=-0.9)
        screen = arrive(phone, ScreenName.CHAT, what="the chat")
        if screen.page.shape() == shape:
            return visit.add_newer(_items(phone, screen, is_group=is_group, is_at_end=True))
    return False


def _items(phone: Phone, screen: Screen, *, is_group: bool, is_at_end: bool = False) -> list[Item]:
    for _ in range(TRIES):
        try:
            return read_items(screen, phone.true_texts, is_group=is_group, is_at_end=is_at_end)
        except NotRecognised:
            screen = arrive(phone, ScreenName.CHAT, what="the chat")
    return read_items(screen, phone.true_texts, is_group=is_group, is_at_end=is_at_end, is_last_try=True)


def _named(phone: Phone, screen: Screen, wanted: str) -> tuple[str, str]:
    """Return name and kind of the chat in front: private, group or service."""
    node = screen.title()
    shown = phone.true_text(node) if node is not None else ""
    match = _MEMBERS.fullmatch(shown)
    if match and shown != wanted:
        return match[1], "group"
    has_footer = screen.fields() or screen.described("to_voice") or screen.described("to_keyboard")
    return shown, "private" if has_footer else "service"


def _open(phone: Phone, title: str) -> tuple[ChatRow, Screen]:
    """Find the row again, as the list may have moved, and open it; return the row as it was then."""
    screen = _to_top(phone, phone.home())
    for _ in range(LIST_PAGES):
        rows = [seen for seen in read_rows(screen, phone.true_texts) if seen.row.title == title]
        if len(rows) > 1:
            raise NotRecognised("two chats bear this name")
        if rows:
            try:
                return rows[0].row, _tap_row(phone, screen, rows[0])
            except Moved:
                screen = arrive(phone, ScreenName.CHATS, what="the list of chats")
                continue
        lower = _scroll_list(phone, screen, share=-SCROLL_SHARE)
        if lower.page.shape() == screen.page.shape():
            break
        screen = lower
    raise ChatNotListed


def _tap_row(phone: Phone, screen: Screen, seen: SeenRow) -> Screen:
    phone.tap(screen.spot(seen.node, seen.area))
    try:
        return arrive(phone, ScreenName.CHAT, what="the chat")
    except NotInTime:
        phone.back()
        raise


def _scroll_chat(phone: Phone, screen: Screen, *, share: float) -> int:
    first = screen.lists()[0]
    return phone.scroll(screen.spot(first), first.box, share=share)


def _scroll_list(phone: Phone, screen: Screen, *, share: float) -> Screen:
    phone.scroll(screen.spot(screen.lists()[0]), free_area(screen), share=share)
    return arrive(phone, ScreenName.CHATS, what="the list of chats")


def _to_top(phone: Phone, screen: Screen) -> Screen:
    """Return the list of chats at its first row."""
    for _ in range(LIST_PAGES):
        upper = _scroll_list(phone, screen, share=0.8)
        if upper.page.shape() == screen.page.shape():
            return upper
        screen = upper
    return screen
