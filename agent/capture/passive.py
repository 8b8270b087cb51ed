"""Reading the chat that a person has in front: no tap, no scroll, one page at a time as it is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.boottime import wall_ms
from agent.capture import chats
from agent.capture.align import SURE_OVERLAP, Fit, Key, fits, joints, key_of, occurrences
from agent.capture.chatlog import ChatLog, ChatRead, Tail
from agent.capture.gaps import GapCause
from agent.capture.keys import conversation_key, may_be_excluded
from agent.capture.pages import Item, intervals, read_items
from agent.capture.pagewalk import shows_all
from agent.capture.timelabels import zone_named
from agent.capture.visits import Verdict, first_new
from agent.chatbook import ChatBook
from agent.errors import NotRecognised, Unreadable
from agent.model import Bubble, Settings
from agent.outbox import Outbox
from agent.phone import Phone
from agent.wechat.screens import Screen, ScreenName

if TYPE_CHECKING:
    from agent.capture.pictures import Pictures

# An overlap all of one text proves nothing of a page that may lie anywhere in the chat.
VARIED = 3
# A row of the list is as wide as the list; what stands in it is not.
ROW_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page lies: its last `new` bubbles follow what is archived; `is_known` if that can be told."""

    is_known: bool
    verdict: Verdict | None = None


def place(tail: Sequence[Bubble], page: Sequence[Bubble], *, is_whole: bool, may_jump: bool) -> Place:
    """Tell what of a page is new, if that is certain; with `may_jump` also what is later than the tail.

    `is_whole`: the page shows all there is in the chat. What is not certain is left to a visit.
    """
    if not page:
        return Place(is_known=is_whole and not tail)
    if not tail:
        if is_whole:
            return Place(True, Verdict(len(page), 0, ambiguous=False, cause=""))
        return Place(may_jump, _jump(len(page), GapCause.EARLIER_NOT_READ) if may_jump else None)
    if occurrences([key_of(one) for one in page], [key_of(one) for one in tail]):
        # It lies within what is archived, unless it may as well follow it.
        return Place(is_known=not any(way.new and way.equal >= SURE_OVERLAP for way in fits(tail, page)))
    ways = fits(tail, page)
    if len(ways) == 1 and _is_sure(tail, page, ways[0], is_whole=is_whole):
        return Place(True, Verdict(ways[0].new, ways[0].overlap, ambiguous=False, cause=""))
    if 0 < page[-1].shown_to_ms <= tail[-1].shown_from_ms:
        return Place(is_known=True)  # a page of long ago
    later = _later(tail, page)
    if may_jump and later and not ways:
        return Place(True, _jump(later, GapCause.PASSIVE_JUMP))
    return Place(is_known=False)


def _is_sure(tail: Sequence[Bubble], page: Sequence[Bubble], way: Fit, *, is_whole: bool) -> bool:
    if is_whole and way.overlap == len(page) - way.new and way.overlap == len(tail):
        return True
    common = page[len(page) - way.new - way.overlap : len(page) - way.new]
    is_varied = len({key_of(one) for one in common}) >= VARIED
    # Nothing is younger than what follows it: what is new cannot lie before what is archived.
    floor_ms = max((one.shown_from_ms for one in tail), default=0)
    new = page[len(page) - way.new :] if way.new else ()
    is_late = all(not one.shown_to_ms or one.shown_to_ms > floor_ms for one in new)
    return way.equal >= SURE_OVERLAP and is_varied and is_late


def _later(tail: Sequence[Bubble], page: Sequence[Bubble]) -> int:
    """Return how many of the last bubbles of a page are later than all of the tail, by the times shown."""
    end_ms = tail[-1].shown_to_ms
    if not end_ms:
        return 0
    count = 0
    for one in reversed(page):
        if not one.shown_from_ms or one.shown_from_ms < end_ms:
            break
        count += 1
    return count


Marks = Sequence[tuple[Key, int]]  # what stands on a page, and where


def is_still_below(before: Marks, now: Marks) -> bool:
    """Tell whether a page shows the end of the chat, if the page before did: its messages only moved up.

    Where a keyboard goes away earlier ones come in sight, and none is lost below. What may be either is not.
    """
    back = joints(now, before, expected_px=0)
    if any(way.overlap == len(before) for way in back):
        return True
    on = joints(before, now, expected_px=0)
    return any(way.shift_px >= 0 for way in on) and not any(way.shift_px > 0 for way in back)


def _leafing(verdict: Verdict, *, is_sweeping: bool) -> Verdict | None:
    """Return what of a verdict holds while somebody leafs through: what is like the end may not be it.

    A visit can tell; without one what is new is doubtful, and nothing stands for what was archived.
    """
    return None if is_sweeping else replace(verdict, ambiguous=True, has_holes=True)


def _jump(new: int, cause: str) -> Verdict:
    return Verdict(new, 0, ambiguous=False, cause=cause)


def is_last_row_whole(screen: Screen) -> bool:
    """Tell whether the lower edge of the list cuts nothing that its last row holds.

    A row and its layout reach the edge in any case; the bubble in it, which is narrower, only if it is cut.
    """
    first = screen.lists()[0]
    rows = [row for row in screen.page.children(first) if not row.box.is_empty()]
    if not rows:
        return False
    width = rows[-1].box.width * ROW_SHARE
    inside = (node for node in screen.page.inside(rows[-1]) if node.box.width < width)
    return all(node.box.bottom < first.box.bottom for node in inside)


def _depicted(
    pictures: Pictures, phone: Phone, screen: Screen, items: Sequence[Item], new: int
) -> list[Bubble]:
    """Return the messages of a page, the last `new` with their pictures as far as these can be had."""
    first = first_new(items, new)
    found = [*items[:first], *pictures.depict(phone, screen, items[first:])]
    return [item.bubble for item in found if item.bubble is not None]


class Passive:
    """Reads what a person has on the screen into the outbox. `settings` tells what is allowed now.

    `pictures` returns what takes pictures, None unless the policy allows it.
    """

    def __init__(
        self,
        outbox: Outbox,
        settings: Callable[[], Settings],
        pictures: Callable[[], Pictures | None] = lambda: None,
    ) -> None:
        self._outbox = outbox
        self._pictures = pictures
        self._settings = settings
        self._book = ChatBook(outbox)
        self._shape: int | None = None
        self._followed: tuple[str, Marks] | None = None  # the chat in front and its page at the last look
        self._is_at_end = False  # it was opened there, and nobody leafed back since
        self.is_read = False  # the last look read all that was to be read

    def look(self, phone: Phone) -> bool:
        """Read the page of the chat in front, if there is one; tell whether there is.

        Nothing is touched. In sweep mode the chat is noted due before anything of it is read, so that a visit
        closes what one page could not tell; and rows that may hide something are looked at again.
        Raises kinds of DriverError, and Unreadable.
        """
        settings = self._settings()
        screen = phone.screen()
        self.is_read = True
        if screen is None or screen.name is not ScreenName.CHAT:
            self._shape = self._followed = None
            return False
        shape = screen.page.shape()
        if shape == self._shape:
            return True
        if settings.capture_mode == "sweep":
            self._book.recheck_now()
        try:
            self._read(phone, screen, settings)
        except Unreadable:
            raise
        except NotRecognised:
            self.is_read = False
            return True  # the page moved under the person's finger: the next look reads it
        self._shape = shape
        return True

    def _read(self, phone: Phone, screen: Screen, settings: Settings) -> None:
        names = chats.names(phone, screen)
        if not names or any(may_be_excluded(name, settings.excluded_keys) for name in names):
            return
        title, kind = chats.named(phone, screen, self._book.is_known)
        key = conversation_key(title, kind)
        is_sweeping = settings.capture_mode == "sweep"
        if is_sweeping:
            self._book.note_title(title)
        items = read_items(
            screen, phone.true_texts, is_group=kind == "group", is_at_end=is_last_row_whole(screen)
        )
        seen = intervals(items, wall_ms(), zone_named(settings.time_zone))
        page = [item.bubble for item in seen if item.bubble is not None]
        tail = self._outbox.tail_of(key)
        is_whole = shows_all(screen)
        found = place(tail.bubbles, page, is_whole=is_whole, may_jump=not is_sweeping)
        self._follow(key, items)
        verdict = found.verdict
        if verdict is not None and not (self._is_at_end or is_whole or verdict.cause):
            verdict = _leafing(verdict, is_sweeping=is_sweeping)
        if verdict is not None:
            pictures = self._pictures()
            if pictures is not None:
                page = _depicted(pictures, phone, screen, seen, verdict.new)
            self._archive(self._read_of(key, title, kind, tail, page, verdict), pictures)
        elif not found.is_known and not is_sweeping:
            self._book.say_once_of(key, title, GapCause.PASSIVE_JUMP, f"jump {tail.position}")

    def _follow(self, key: str, items: Sequence[Item]) -> None:
        """Note whether the end of the chat is in sight: a chat opens at its end."""
        before, now = self._followed, [(item.key, item.top) for item in items]
        self._followed = (key, now)
        if before is None or before[0] != key:
            self._is_at_end = True
        elif self._is_at_end:
            self._is_at_end = is_still_below(before[1], now)

    def _archive(self, read: ChatRead, pictures: Pictures | None) -> None:
        if read.new or read.changes:
            self._outbox.add_chat(read if pictures is None else pictures.keep(read))

    def _read_of(
        self, key: str, title: str, kind: str, tail: Tail, page: Sequence[Bubble], verdict: Verdict
    ) -> ChatRead:
        log = ChatLog(tail)
        log.take(page, verdict, is_unsure=False)
        return ChatRead(
            key=key,
            title=title,
            kind=kind,
            new=tuple(log.new),
            gap_cause=verdict.cause,
            tail=Tail(log.position, log.looks),
            changes=tuple(log.changes),
            last_position=tail.position,
            is_passive=True,
        )
