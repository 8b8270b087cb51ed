"""Reading chats: which have something new, and what, from the bottom up to what is archived."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.capture.align import borders
from agent.capture.chatlist import SeenRow, free_area, has_folder, read_rows, unread_total
from agent.capture.chatlog import ChatRead, SeenBubble, Tail
from agent.capture.hints import has_badge
from agent.capture.keys import conversation_key, may_be_excluded
from agent.capture.pagewalk import SCROLL_SHARE, Bounds, read_up
from agent.errors import (
    ChatExcluded,
    ChatNotListed,
    DriverError,
    Moved,
    NotInTime,
    NotRecognised,
    TwoChatsOneName,
)
from agent.model import ChatRow
from agent.phone import Phone
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.steps import arrive

if TYPE_CHECKING:
    from agent.capture.pictures import Pictures

__all__ = ["ChatRead", "SeenBubble", "Tail", "look_over", "named", "read_chat", "unread_rows"]

LIST_PAGES = 40
# A row may climb past the reader while the list is gone through: what was not found is looked for again.
LIST_TRIES = 2
_MEMBERS = re.compile(r"(.*?)\s*[(（]\d+[)）]", re.DOTALL)
# While the other side writes, the page of a private chat says so in the place of the name.
_IS_TYPING = re.compile(r"对方正在(?:输入|讲话|说话)\s*[.…]*|(?:typing|speaking)\s*[.…]+", re.IGNORECASE)
# They pause sooner or later; until then nobody can tell whose chat it is.
NAME_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class ListLook:
    """What a look over the list of chats found; `is_whole` if it went from its first row to its last."""

    hints: tuple[ChatRow, ...]
    titles: frozenset[str]
    namesakes: frozenset[str]  # names that two rows bear
    is_whole: bool
    has_folder: bool = False  # some chats stand on a page of their own, which is not opened


def look_over(
    phone: Phone, is_hint: Callable[[ChatRow], bool] = has_badge, *, is_whole_list: bool = False
) -> ListLook:
    """Return the rows that ask to be read, top to bottom; unless asked for the whole list, the upper ones.

    Chats stand in the order of their last message under those pinned to the top: below a page that ends with
    nothing new there is nothing new, unless the tab counts more.
    """
    seen: dict[str, ChatRow] = {}
    found: dict[str, ChatRow] = {}
    namesakes: set[str] = set()
    is_whole = is_folded = False
    above: list[str] = []
    screen = to_top(phone, phone.home())
    for _ in range(LIST_PAGES):
        rows = [one.row for one in read_rows(screen, phone.true_texts)]
        titles = [row.title for row in rows]
        namesakes |= namesakes_on(titles, above=above, known=seen)
        is_folded |= has_folder(screen)
        above = titles
        seen |= {row.title: row for row in rows}
        hints = [row for row in rows if is_hint(row)]
        for row in hints:
            found.setdefault(row.title, row)
        counted = sum(row.unread for row in seen.values() if row.unread > 0 and not row.is_muted)
        is_done = counted >= unread_total(screen) and rows[-1:] != hints[-1:] and not is_whole_list
        if is_done or not rows:
            break
        lower = _scroll_list(phone, screen, share=-SCROLL_SHARE)
        if lower.page.shape() == screen.page.shape():
            is_whole = True
            break
        screen = lower
    return ListLook(tuple(found.values()), frozenset(seen), frozenset(namesakes), is_whole, is_folded)


def namesakes_on(titles: Sequence[str], *, above: Sequence[str], known: Collection[str]) -> set[str]:
    """Return the names that a page of the list repeats, on itself or, below what it shares, of upper pages.

    `above` are the names on the page before, `known` those on all before. Where the list moved meanwhile
    only the page itself counts: a row may stand lower than it did.
    """
    twice = {title for title, count in Counter(titles).items() if count > 1}
    shared = next(iter(borders(above, titles)), 0)
    return twice | {title for title in titles[shared:] if shared and title in known}


def unread_rows(phone: Phone, is_hint: Callable[[ChatRow], bool] = has_badge) -> list[ChatRow]:
    """Return the upper rows that ask to be read; see `look_over`."""
    return list(look_over(phone, is_hint).hints)


def read_chat(
    phone: Phone,
    row: ChatRow,
    tail_of: Callable[[str], Tail],
    archive: Callable[[ChatRead], object] = lambda _: None,
    *,
    bounds: Bounds | None = None,
    excluded: Collection[str] = (),
    opened_other: Callable[[str], None] = lambda _: None,
    pictures: Pictures | None = None,
) -> ChatRead:
    """Open a chat, read it up to its archived tail, archive that, and only then leave the chat.

    Of `row` only title and count are used. The list may move between look and tap: then the chat that was
    opened is read, as it bears no badge any more, and returned under its own name; `opened_other` is told
    that name before anything of it is read. `pictures` is given only where the policy allows to keep them.
    Raises ChatNotListed if there is no such row, TwoChatsOneName if there are two, ChatExcluded if the chat
    is one not to be read (nothing of it was), NotRecognised if the row leads to no chat; kinds of DriverError
    and ScreenError. A DriverError may come after `archive`.
    """
    seen, screen = _open(phone, row.title)
    try:
        screen = _with_name(phone, screen)
        title, kind, key = _not_excluded(phone, screen, row.title, excluded)
        if title != row.title:
            opened_other(title)
        unread = max(row.unread, seen.unread) if title == row.title else 0
        tail = tail_of(key)
        walk = read_up(
            phone,
            screen,
            tail,
            unread=unread,
            is_group=kind == "group",
            bounds=bounds or Bounds(),
            pictures=pictures,
        )
        read = ChatRead(
            key=key,
            title=title,
            kind=kind,
            new=tuple(walk.log.new),
            gap_cause=walk.cause,
            tail=Tail(walk.log.position, walk.log.looks),
            row=replace(seen, unread=unread) if title == row.title else None,
            changes=tuple(walk.log.changes),
            removed="cleared" if walk.is_cleared else "",
            last_position=tail.position,
            is_finished=walk.is_finished,
        )
        phone.hand.ask()  # who touches the phone may have opened another chat: then nothing of it counts
        if pictures is not None:
            read = pictures.keep(read)
        archive(read)
    except BaseException:
        if pictures is not None:
            pictures.drop()
        with suppress(DriverError):  # the first error tells more
            phone.back()
        raise
    phone.back()
    return read


def _not_excluded(
    phone: Phone, screen: Screen, wanted: str, excluded: Collection[str]
) -> tuple[str, str, str]:
    """Return name, kind and key of the chat in front; ChatExcluded before anything of it is looked at."""
    title, kind = named(phone, screen, lambda shown: shown == wanted)
    key = conversation_key(title, kind)
    # Its kind is what the page shows of it, which an excluded chat must not slip through.
    if may_be_excluded(title, excluded):
        raise ChatExcluded
    return title, kind, key


def _with_name(phone: Phone, screen: Screen) -> Screen:
    """Return the chat in front once it bears its name; NotInTime if it goes on to say that somebody types."""
    if not _is_nameless(screen):
        return screen
    return phone.expect(
        ScreenName.CHAT,
        what="the name of the chat",
        within_s=NAME_WITHIN_S,
        test=lambda one: not _is_nameless(one),
    )


def _is_nameless(screen: Screen) -> bool:
    node = screen.title()
    return node is not None and _IS_TYPING.fullmatch(node.text.strip()) is not None


def names(phone: Phone, screen: Screen) -> tuple[str, ...]:
    """Return what the chat in front may be called: a number in brackets may count members or be a name's.

    None if the page says in its place that somebody types. NotRecognised if the page moves.
    """
    node = screen.title()
    if node is None or _is_nameless(screen):
        return ()
    shown = phone.true_text(node)
    match = _MEMBERS.fullmatch(shown)
    return (shown, match[1]) if match else (shown,)


def named(phone: Phone, screen: Screen, is_known: Callable[[str], bool]) -> tuple[str, str]:
    """Return name and kind of the chat in front: private, group or service.

    The name of a group is followed by the number of its members, unless all of it is a name that is known.
    """
    node = screen.title()
    shown = phone.true_text(node) if node is not None else ""
    match = _MEMBERS.fullmatch(shown)
    if match and not is_known(shown):
        return match[1], "group"
    has_footer = screen.fields() or screen.described("to_voice") or screen.described("to_keyboard")
    return shown, "private" if has_footer else "service"


def _open(phone: Phone, title: str) -> tuple[ChatRow, Screen]:
    """Find the row again, as the list may have moved, and open it; return the row as it was then."""
    for _ in range(LIST_TRIES):
        found = _look_for(phone, title)
        if found is not None:
            return found
    raise ChatNotListed


def _look_for(phone: Phone, title: str) -> tuple[ChatRow, Screen] | None:
    screen = to_top(phone, phone.home())
    for _ in range(LIST_PAGES):
        rows = [seen for seen in read_rows(screen, phone.true_texts) if seen.row.title == title]
        if len(rows) > 1:
            raise TwoChatsOneName
        if rows:
            try:
                return rows[0].row, _tap_row(phone, screen, rows[0])
            except Moved:
                screen = arrive(phone, ScreenName.CHATS, what="the list of chats")
                continue
        lower = _scroll_list(phone, screen, share=-SCROLL_SHARE)
        if lower.page.shape() == screen.page.shape():
            return None
        screen = lower
    raise NotRecognised("the list of chats has no end")


def _tap_row(phone: Phone, screen: Screen, seen: SeenRow) -> Screen:
    phone.tap(screen.spot(seen.node, seen.area))
    try:
        return arrive(phone, ScreenName.CHAT, what="the chat")
    except NotInTime:
        phone.back()
        raise


def _scroll_list(phone: Phone, screen: Screen, *, share: float) -> Screen:
    phone.scroll(screen.spot(screen.lists()[0]), free_area(screen), share=share)
    return arrive(phone, ScreenName.CHATS, what="the list of chats")


def to_top(phone: Phone, screen: Screen) -> Screen:
    """Return the list of chats at its first row."""
    for _ in range(LIST_PAGES):
        if is_at_top(screen):
            return screen
        upper = _scroll_list(phone, screen, share=0.8)
        if upper.page.shape() == screen.page.shape():
            return upper
        screen = upper
    return screen


def is_at_top(screen: Screen) -> bool:
    """Tell whether the list of chats shows its first row; False if only a scroll can tell.

    The list begins with the action bar once more, hidden: it ends where the bar itself does only at the top.
    """
    first = next(iter(screen.page.children(screen.lists()[0])), None)
    return first is not None and not first.clickable and first.box.bottom >= free_area(screen).top
