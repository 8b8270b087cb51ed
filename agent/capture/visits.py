"""One visit to a chat: pages joined from the newest upward, and what of them is new. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.capture.align import SURE_OVERLAP, Fit, Joint, Key, fits, fits_with_holes, joints
from agent.capture.gaps import GapCause
from agent.capture.pages import Item, with_times
from agent.model import Bubble

# A tail shorter than this is all that is archived of its chat.
TAIL_LENGTH = 60
SCROLL_SLACK_PX = 80


@dataclass(frozen=True, slots=True)
class Verdict:
    """The last `new` bubbles read are new; `overlap` before them were archived already."""

    new: int
    overlap: int
    ambiguous: bool
    cause: str  # why something may be missing before the new ones, "" if nothing is
    is_cleared: bool = False  # what was archived is not in the chat any more
    has_holes: bool = False  # of what was archived some is not there any more: no item stands for another


@dataclass(slots=True)
class Visit:
    """What was read so far, oldest first, and the page on top of it."""

    items: list[Item] = field(default_factory=list)
    page: list[Item] = field(default_factory=list)
    is_at_top: bool = False
    is_scrolled: bool = False
    is_doubtful: bool = False  # a page could be laid over the next in several ways
    top_looks: int = 1  # so many scrolls must move nothing before the top is believed: older ones load late
    end: list[tuple[Key, int]] = field(default_factory=list)  # the page it began with: keys and tops
    _unmoved: int = 0
    _below: list[Item] = field(default_factory=list)
    _ways: list[Joint] = field(default_factory=list)

    def begin(self, page: Sequence[Item]) -> None:
        """Take the newest page."""
        self.items, self.page = list(page), list(page)
        self.end = self.end or [(item.key, item.top) for item in page]

    def add_older(self, page: Sequence[Item], *, expected_px: int, edge_px: int) -> bool:
        """Lay the page seen after scrolling up over what was read; False if they do not join.

        `expected_px` is the commanded scroll, `edge_px` where the list begins: what is not below it is cut.
        """
        if not self.items and page:
            self.is_scrolled = True
            self.begin(page)
            return True
        older = [(item.key, item.top) for item in page]
        before = [(item.key, item.top) for item in self.page]
        if older == before:
            self._unmoved += 1
            if self._unmoved >= self.top_looks:
                self._reach_top()
            return True
        self._unmoved = 0
        self.is_scrolled = True
        ways = _ways(older, before, expected_px, edge_px)
        if not ways and self.page and self.page[0].bubble is None:
            # The first line that is loaded may bear a time line only until older ones are there.
            ways = _ways(older, before[1:], expected_px, edge_px)
            if ways:
                self.items, self.page = self.items[1:], self.page[1:]
        if not ways:
            return False
        # Where older messages are loaded late the list ends early for a while: the distance proves nothing.
        self.is_doubtful |= len(ways) > 1
        self._below, self._ways = list(self.items), ways
        self._lay(page, ways[0])
        return True

    @property
    def is_stuck(self) -> bool:
        """Tell whether the last scroll moved nothing, and the top is not believed yet."""
        return self._unmoved > 0 and not self.is_at_top

    def _lay(self, page: Sequence[Item], way: Joint) -> None:
        if len(self._ways) == 1:
            page = _with_media(page, self._below[: way.overlap])
        self.items = with_times([*page, *self._below[way.overlap :]])
        self.page = list(page)

    def _reach_top(self) -> None:
        """The last scroll did not move: the one before may have been cut short by the end of the list."""
        self.is_at_top = True
        if len(self._ways) > 1:
            self._lay(self.page, max(self._ways, key=lambda way: way.overlap))

    def bubbles(self) -> list[Bubble]:
        """Return the messages and system lines read, oldest first."""
        return [item.bubble for item in self.items if item.bubble is not None]


def first_new(items: Sequence[Item], new: int) -> int:
    """Return where the last `new` messages among items begin."""
    said = [at for at, item in enumerate(items) if item.bubble is not None]
    return said[len(said) - new] if new else len(items)


def _with_media(page: Sequence[Item], below: Sequence[Item]) -> list[Item]:
    """Return a page whose last items have the pictures that the same ones had on the page below."""
    first = len(page) - len(below)
    return [*page[:first], *map(_merged, page[first:], below)]


def _merged(item: Item, seen: Item) -> Item:
    if item.bubble is None or seen.bubble is None or not seen.bubble.media_sha256:
        return item
    return replace(item, bubble=replace(item.bubble, media_sha256=seen.bubble.media_sha256))


def _ways(
    older: Sequence[tuple[Key, int]], newer: Sequence[tuple[Key, int]], expected_px: int, edge_px: int
) -> list[Joint]:
    """A finger moves a list by what it was dragged, or less where the list ends.

    Tall cards may leave two pages nothing in common: one is cut by the upper edge, the next by the lower. If
    they look alike they would join as if the list had ended early: to have nothing in common is a way, too.
    """
    slack_px = min(SCROLL_SLACK_PX, expected_px // 4)
    ways = [
        way
        for way in joints(older, newer, expected_px=expected_px)
        if -slack_px <= way.shift_px <= expected_px + slack_px
    ]
    is_short = all(way.shift_px < expected_px - slack_px for way in ways)
    if ways and is_short and older[-1][1] - expected_px - slack_px <= edge_px:
        return [Joint(0, expected_px), *ways]
    return ways


def judge(
    tail: Sequence[Bubble], read: Sequence[Bubble], *, is_at_top: bool, is_last: bool, unread: int
) -> Verdict | None:
    """Tell what of `read` is new against the archived tail, None if an older page should be read first.

    `unread` is what the list of chats counted (0 or less: unknown); `is_last` allows no more pages.
    If fewer incoming ones are new than were counted, the verdict has a cause; but a chat that was read whole
    for the first time has all there is.
    """
    is_over = is_at_top or is_last
    if not tail:
        missing = "" if is_at_top else GapCause.EARLIER_NOT_READ
        return Verdict(len(read), 0, ambiguous=False, cause=missing) if is_over else None
    ways = fits(tail, read)
    whole = [
        way for way in ways if is_at_top and len(tail) < TAIL_LENGTH and way.new == len(read) - len(tail)
    ]
    sure = whole or (ways if len(ways) == 1 and _is_sure(ways[0], read, unread) else [])
    if sure:
        is_short = _incoming(read, sure[0].new) < unread
        return _counted(Verdict(sure[0].new, sure[0].overlap, is_short, cause=""), read, unread)
    holed = [] if ways else fits_with_holes(tail, read)
    if len(holed) == 1:
        return _counted(
            Verdict(holed[0].new, holed[0].overlap, ambiguous=False, cause="", has_holes=True), read, unread
        )
    if not is_over:
        return None
    if is_at_top and all(_is_cut(way, tail, read) for way in ways):
        return Verdict(len(read), 0, ambiguous=bool(ways), cause=GapCause.NO_OVERLAP, is_cleared=True)
    if not ways:
        return Verdict(len(read), 0, ambiguous=False, cause=GapCause.NO_OVERLAP)
    return _counted(_doubtful(ways, read, unread), read, unread)


def _is_cut(way: Fit, tail: Sequence[Bubble], read: Sequence[Bubble]) -> bool:
    """Tell whether the chat begins, by a way that may be chance, in the middle of what is archived."""
    return len(read) - way.new == way.overlap < len(tail) and way.equal < SURE_OVERLAP


def _is_sure(way: Fit, seen: Sequence[Bubble], unread: int) -> bool:
    """Tell whether the only way is more than chance.

    A count of more than came calls for a longer overlap; a holder may have marked the chat as unread, though.
    """
    needed = SURE_OVERLAP if _incoming(seen, way.new) >= unread else min(SURE_OVERLAP + unread, TAIL_LENGTH)
    return way.equal >= needed


def _counted(verdict: Verdict, seen: Sequence[Bubble], unread: int) -> Verdict:
    """Name the hole if fewer came than the list of chats counted."""
    if verdict.cause or _incoming(seen, verdict.new) >= unread:
        return verdict
    return replace(verdict, cause=GapCause.FEWER_THAN_COUNTED)


def _doubtful(ways: Sequence[Fit], seen: Sequence[Bubble], unread: int) -> Verdict:
    """Choose by the count of unread messages, else so that nothing is lost; say that it is a guess."""
    counted = [way for way in ways if unread > 0 and _incoming(seen, way.new) == unread]
    if len(counted) == 1:
        return Verdict(counted[0].new, counted[0].overlap, ambiguous=len(ways) > 1, cause="")
    chosen = max(ways, key=lambda way: way.new)
    if _incoming(seen, chosen.new) < unread and chosen.equal < SURE_OVERLAP:
        # So little fits by chance, and the count says that more is new: it says where that begins.
        new = next((n for n in range(chosen.new, len(seen)) if _incoming(seen, n) >= unread), len(seen))
        return Verdict(new, 0, ambiguous=True, cause=GapCause.NO_OVERLAP)
    return Verdict(chosen.new, chosen.overlap, ambiguous=True, cause="")


def _incoming(seen: Sequence[Bubble], new: int) -> int:
    return sum(1 for one in seen[len(seen) - new :] if one.side != "out")
