"""One visit to a chat: pages joined from the newest upward, and what of them is new. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.capture.align import SURE_OVERLAP, Fit, Joint, Key, fits, joints, key_of
from agent.capture.pages import Item, with_times
from agent.model import Bubble

# A tail shorter than this is all that is archived of its chat.
TAIL_LENGTH = 60
# Two ways to lay a page over the next that are this near to each other in px cannot be told apart.
DOUBT_PX = 90
SCROLL_SLACK_PX = 80


@dataclass(frozen=True, slots=True)
class Verdict:
    """The last `new` bubbles read are new; `overlap` before them were archived already."""

    new: int
    overlap: int
    ambiguous: bool
    cause: str  # why something may be missing before the new ones, "" if nothing is


@dataclass(slots=True)
class Visit:
    """What was read so far, oldest first, and the page on top of it."""

    items: list[Item] = field(default_factory=list)
    page: list[Item] = field(default_factory=list)
    is_at_top: bool = False
    is_scrolled: bool = False
    is_doubtful: bool = False  # a page could be laid over the next in several ways
    _below: list[Item] = field(default_factory=list)
    _ways: list[Joint] = field(default_factory=list)

    def begin(self, page: Sequence[Item]) -> None:
        """Take the newest page."""
        self.items, self.page = list(page), list(page)

    def add_older(self, page: Sequence[Item], *, expected_px: int) -> bool:
        """Lay the page seen after scrolling up over what was read; False if they do not join."""
        self.is_scrolled = True
        if not self.items:
            self.begin(page)
            return True
        older = [(item.key, item.top) for item in page]
        before = [(item.key, item.top) for item in self.page]
        if older == before:
            self._reach_top()
            return True
        # A finger moves a list by what it was dragged, or less where the list ends.
        ways = [
            way
            for way in joints(older, before, expected_px=expected_px)
            if -SCROLL_SLACK_PX <= way.shift_px <= expected_px + SCROLL_SLACK_PX
        ]
        if not ways:
            return False
        if len(ways) > 1:
            off = [abs(way.shift_px - expected_px) for way in ways]
            self.is_doubtful |= off[1] - off[0] < DOUBT_PX
        self._below, self._ways = list(self.items), ways
        self._lay(page, ways[0])
        return True

    def _lay(self, page: Sequence[Item], way: Joint) -> None:
        self.items = with_times([*page, *self._below[way.overlap :]])
        self.page = list(page)

    def _reach_top(self) -> None:
        """The last scroll did not move: the one before may have been cut short by the end of the list."""
        self.is_at_top = True
        if len(self._ways) > 1:
            self.is_doubtful = True
            self._lay(self.page, max(self._ways, key=lambda way: way.overlap))

    def add_newer(self, page: Sequence[Item]) -> bool:
        """Append what came below meanwhile; False if the page does not join."""
        read = [item.key for item in self.items]
        ways = fits(read, [item.key for item in page]) if read else []
        if not ways or ways[0].overlap < min(SURE_OVERLAP, len(page) // 2):
            return not page
        if ways[0].new:
            self.items = with_times([*self.items, *page[len(page) - ways[0].new :]])
        return True

    def bubbles(self) -> list[Bubble]:
        """Return the messages and system lines read, oldest first."""
        return [item.bubble for item in self.items if item.bubble is not None]


def judge(
    tail: Sequence[Bubble], read: Sequence[Bubble], *, is_at_top: bool, is_last: bool, unread: int
) -> Verdict | None:
    """Tell what of `read` is new against the archived tail, None if an older page should be read first.

    `unread` is what the list of chats counted (0 or less: unknown); `is_last` allows no more pages.
    If fewer incoming ones are new than were counted, the verdict has a cause; but a chat that was read whole
    for the first time has all there is.
    """
    seen = [key_of(one) for one in read]
    is_over = is_at_top or is_last
    if not tail:
        missing = "" if is_at_top else "earlier_not_read"
        return Verdict(len(read), 0, ambiguous=False, cause=missing) if is_over else None
    ways = fits([key_of(one) for one in tail], seen)
    whole = [
        way for way in ways if is_at_top and len(tail) < TAIL_LENGTH and way.new == len(read) - len(tail)
    ]
    sure = whole or (ways if len(ways) == 1 and _is_sure(ways[0], seen, unread) else [])
    if sure:
        is_short = _incoming(seen, sure[0].new) < unread
        return _counted(Verdict(sure[0].new, sure[0].overlap, is_short, cause=""), seen, unread)
    if not is_over:
        return None
    if not ways:
        return Verdict(len(read), 0, ambiguous=False, cause="no_overlap")
    return _counted(_doubtful(ways, seen, unread), seen, unread)


def _is_sure(way: Fit, seen: Sequence[Key], unread: int) -> bool:
    """Tell whether the only way is more than chance.

    A count of more than came calls for a longer overlap; a holder may have marked the chat as unread, though.
    """
    needed = SURE_OVERLAP if _incoming(seen, way.new) >= unread else min(SURE_OVERLAP + unread, TAIL_LENGTH)
    return way.overlap >= needed


def _counted(verdict: Verdict, seen: Sequence[Key], unread: int) -> Verdict:
    """Name the hole if fewer came than the list of chats counted."""
    if verdict.cause or _incoming(seen, verdict.new) >= unread:
        return verdict
    return replace(verdict, cause="fewer_than_counted")


def _doubtful(ways: Sequence[Fit], seen: Sequence[Key], unread: int) -> Verdict:
    """Choose by the count of unread messages, else so that nothing is lost; say that it is a guess."""
    counted = [way for way in ways if unread > 0 and _incoming(seen, way.new) == unread]
    if len(counted) == 1:
        return Verdict(counted[0].new, counted[0].overlap, ambiguous=len(ways) > 1, cause="")
    chosen = max(ways, key=lambda way: way.new)
    if _incoming(seen, chosen.new) < unread and chosen.overlap < SURE_OVERLAP:
        # So little fits by chance, and the count says that more is new: it says where that begins.
        new = next((n for n in range(chosen.new, len(seen)) if _incoming(seen, n) >= unread), len(seen))
        return Verdict(new, 0, ambiguous=True, cause="no_overlap")
    return Verdict(chosen.new, chosen.overlap, ambiguous=True, cause="")


def _incoming(seen: Sequence[Key], new: int) -> int:
    return sum(1 for key in seen[len(seen) - new :] if key.side != "out")
