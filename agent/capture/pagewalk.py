"""Reading the chat in front: upward from its end to what is archived, then down for what came meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.boottime import wall_ms
from agent.capture.align import Key
from agent.capture.chatlog import ChatLog, Tail
from agent.capture.gaps import GapCause
from agent.capture.pages import Item, intervals, read_items
from agent.capture.timelabels import zone_named
from agent.capture.visits import Verdict, Visit, first_new, judge
from agent.errors import NotRecognised
from agent.model import Bubble, Settings
from agent.phone import Phone
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.steps import arrive

if TYPE_CHECKING:
    from agent.capture.pictures import Pictures

# At most this far up for what came since the last visit.
PAGES_BACK = 60
# So much of a page stays in sight that the next one can be joined to it.
SCROLL_SHARE = 0.55
# Pages of one text over and over fit each other in several ways, as a scroll is cut short where a list ends.
# Then the chat is read again in steps shorter than a row, unless it is longer than so many items.
STEP_SHARE = 0.05
STEP_ITEMS = 120
# A page that moves while it is read is read again.
TRIES = 4
# A message taken back in mid-visit changes the pages: then the chat is read again from its end.
VISIT_TRIES = 3
# People write while a chat is read; so often its end is looked at again.
ROUNDS = 8
# A client holds the last lines of a chat only and loads older ones when its list is at the top, which takes a
# moment: the top is the top when so many scrolls, with a rest before each, moved nothing.
TOP_LOOKS = 3
TOP_REST_S = 0.3
# Older messages that have not come after so many rests do not come at all.
LOADING_RESTS = 20
# A sight that is older is not scrolled on: to read what was on it took long.
FRESH_S = 1.5
# A list that leaves so much of itself empty shows all there is: no margin of a client is that wide.
BLANK_SHARE = 0.12
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far back a chat is read that was never read before; older messages are owned up to by a gap."""

    pages: int = 30
    days: int = 0  # 0: no bound
    time_zone: str = "Asia/Shanghai"

    @classmethod
    def of(cls, settings: Settings) -> Bounds:
        """Return what the settings say."""
        return cls(pages=settings.first_pages, days=settings.first_days, time_zone=settings.time_zone)


@dataclass(frozen=True, slots=True)
class Walk:
    """What was read of a chat; `is_finished` if its end was seen last and all joins up to it."""

    log: ChatLog
    cause: str
    is_cleared: bool
    is_finished: bool


def read_up(
    phone: Phone,
    screen: Screen,
    tail: Tail,
    *,
    unread: int,
    is_group: bool,
    bounds: Bounds,
    pictures: Pictures | None = None,
) -> Walk:
    """Read the chat in front up to its archived tail; `screen` shows its end.

    `pictures` is given only where the policy allows to keep them.
    Raises kinds of DriverError and ScreenError: then nothing of it counts.
    """
    walker = _Walker(phone, is_group=is_group, bounds=bounds, pictures=pictures)
    log = ChatLog(tail)
    limit = PAGES_BACK if tail.position else max(1, bounds.pages)
    visit, first = walker.walk(screen, tail.bubbles, limit=limit, unread=unread, is_first=not tail.position)
    log.take(walker.bubbles(visit), first, is_unsure=visit.is_doubtful)
    is_finished = not visit.is_scrolled
    for _ in range(ROUNDS):
        if is_finished:
            break
        screen = walker.to_end()
        if walker.end(screen) == visit.end:
            is_finished = True  # nothing came; if it did and looks the same, the next visit tells
            break
        visit, verdict = walker.walk(screen, log.looks, limit=PAGES_BACK, unread=0, is_first=False)
        if verdict.cause or verdict.is_cleared or verdict.ambiguous:
            break  # what came meanwhile does not join for certain: the next visit says what is missing
        log.take(walker.bubbles(visit), verdict, is_unsure=visit.is_doubtful)
        # What comes while this is the look that found nothing is the next visit's.
        is_finished = not visit.is_scrolled or not verdict.new
    return Walk(log, first.cause, first.is_cleared, is_finished)


def shows_all(screen: Screen) -> bool:
    """Tell whether the list leaves room below or above its rows: then it shows the whole chat."""
    first = screen.lists()[0]
    rows = [row for row in screen.page.children(first) if not row.box.is_empty()]
    room = first.box.height * BLANK_SHARE
    if not rows or is_loading(screen):
        return False
    low, high = max(row.box.bottom for row in rows), min(row.box.top for row in rows)
    return low <= first.box.bottom - room or high >= first.box.top + room


def is_loading(screen: Screen) -> bool:
    """Tell whether a row of its own says that older messages are on their way; a mark beside one does not."""
    for row in screen.page.children(screen.lists()[0]):
        inside = screen.page.inside(row)
        is_bare = not any(one.text or one.cls.endswith("ImageView") for one in inside)
        if is_bare and any(one.cls.endswith("ProgressBar") for one in inside):
            return True
    return False


class _Walker:
    """Moves through the pages of the chat in front."""

    def __init__(
        self, phone: Phone, *, is_group: bool, bounds: Bounds, pictures: Pictures | None = None
    ) -> None:
        self._phone = phone
        self._pictures = pictures
        self._seen_on: Screen | None = None  # the screen on which the last items were read
        self._is_group = is_group
        self._bounds = bounds
        self._oldest_ms = wall_ms() - bounds.days * _DAY_MS if bounds.days else 0

    def walk(
        self, screen: Screen, tail: tuple[Bubble, ...], *, limit: int, unread: int, is_first: bool
    ) -> tuple[Visit, Verdict]:
        """Read upward until what is new is certain or no page is left; again if the pages changed."""
        visit = Visit()
        share = SCROLL_SHARE
        for left in range(VISIT_TRIES - 1, -1, -1):
            visit = Visit(top_looks=TOP_LOOKS)
            verdict = self._up(visit, screen, tail, share, limit=limit, unread=unread, is_first=is_first)
            if visit.is_doubtful and share > STEP_SHARE and len(visit.items) <= STEP_ITEMS:
                share = STEP_SHARE
                screen = self.to_end()
                continue
            # A chat is not said to be cleared on one look.
            if verdict is not None and not (verdict.is_cleared and left):
                is_guessed = visit.is_doubtful and verdict.new and not verdict.cause
                return visit, _because(verdict, GapCause.PAGES_DO_NOT_JOIN) if is_guessed else verdict
            if left:
                screen = self.to_end()
        seen = self.bubbles(visit)
        verdict = judge(tail, seen, is_at_top=visit.is_at_top, is_last=True, unread=unread)
        if verdict is None:
            raise NotRecognised(
                "the chat could not be read"
            )  # pragma: no cover -- the last turn always judges
        cause = verdict.cause or GapCause.PAGES_DO_NOT_JOIN
        return visit, Verdict(verdict.new, verdict.overlap, verdict.ambiguous, cause)

    def _up(
        self,
        visit: Visit,
        screen: Screen,
        tail: tuple[Bubble, ...],
        share: float,
        *,
        limit: int,
        unread: int,
        is_first: bool,
    ) -> Verdict | None:
        """Read upward from the end; None if two pages do not join."""
        # A chat opens at its end.
        visit.begin(self._items(screen, is_at_end=True))
        visit.is_at_top = shows_all(screen)
        limit = round(limit * SCROLL_SHARE / share)
        count = 1
        is_hung = False
        while True:
            seen = self.bubbles(visit)
            is_old = is_first and bool(seen) and 0 < seen[0].shown_to_ms < self._oldest_ms
            is_last = (count >= limit and not visit.is_stuck) or is_old or is_hung
            verdict = judge(tail, seen, is_at_top=visit.is_at_top, is_last=is_last, unread=unread)
            self._depict(visit, verdict)
            if verdict is not None:
                is_bound = is_first and verdict.cause == GapCause.EARLIER_NOT_READ
                return _because(verdict, GapCause.FIRST_VISIT_BOUND) if is_bound else verdict
            if visit.is_stuck:
                self._phone.rest(TOP_REST_S)
                screen = self._arrive()
            moved = self._scroll(screen, share=share)
            screen = self._loaded()
            is_hung = is_loading(screen)
            page = self._items(screen)
            if not visit.add_older(page, expected_px=moved, edge_px=screen.lists()[0].box.top):
                return None
            count += not visit.is_stuck

    def to_end(self) -> Screen:
        """Scroll down to the end of the chat and return it; NotRecognised if it has none."""
        screen = self._arrive()
        for _ in range(PAGES_BACK * 2):
            shape = screen.page.shape()
            self._scroll(screen, share=-0.9)
            screen = self._arrive()
            if screen.page.shape() == shape:
                return screen
        raise NotRecognised("the chat has no end")

    def end(self, screen: Screen) -> list[tuple[Key, int]]:
        """Return what the end of the chat shows, and where."""
        return [(item.key, item.top) for item in self._items(screen, is_at_end=True)]

    def bubbles(self, visit: Visit) -> list[Bubble]:
        """Return what was read so far, oldest first, with the times the screen gives."""
        items = intervals(visit.items, wall_ms(), zone_named(self._bounds.time_zone))
        return [item.bubble for item in items if item.bubble is not None]

    def _items(self, screen: Screen, *, is_at_end: bool = False) -> list[Item]:
        items, self._seen_on = items_of(self._phone, screen, is_group=self._is_group, is_at_end=is_at_end)
        return items

    def _depict(self, visit: Visit, verdict: Verdict | None) -> None:
        """Take the pictures of what may be new on the page that was read last, while it is in sight."""
        if self._pictures is None or self._seen_on is None:
            return
        count = len(visit.page)
        first = 0 if verdict is None else first_new(visit.items, verdict.new)
        page = self._pictures.depict(self._phone, self._seen_on, visit.items[first:count])
        visit.items[first:count] = page
        visit.page[first:count] = page

    def _loaded(self) -> Screen:
        """Return the chat once what is being loaded has come, or seems not to come."""
        screen = self._arrive()
        for _ in range(LOADING_RESTS):
            if not is_loading(screen):
                break
            self._phone.rest(TOP_REST_S)
            screen = self._arrive()
        return screen

    def _arrive(self) -> Screen:
        return arrive(self._phone, ScreenName.CHAT, what="the chat")

    def _scroll(self, screen: Screen, *, share: float) -> int:
        if self._phone.age_s(screen) > FRESH_S:
            screen = self._arrive()  # what came meanwhile moves the page by less than a scroll
        first = screen.lists()[0]
        return self._phone.scroll(screen.spot(first), first.box, share=share)


def items_of(phone: Phone, screen: Screen, *, is_group: bool, is_at_end: bool) -> tuple[list[Item], Screen]:
    """Return the items in sight and the screen they were read on; a page that moves is looked at again."""

    def read(*, is_last_try: bool) -> list[Item]:
        return read_items(
            screen,
            phone.true_texts,
            is_group=is_group,
            is_at_end=is_at_end,
            is_last_try=is_last_try,
            keep_tall=is_at_end,
        )

    for _ in range(TRIES):
        try:
            return read(is_last_try=False), screen
        except NotRecognised:
            screen = arrive(phone, ScreenName.CHAT, what="the chat")
    return read(is_last_try=True), screen


def _because(verdict: Verdict, cause: str) -> Verdict:
    return replace(verdict, cause=cause)
