"""Pictures of chats where the policy allows them: cut out of the screen, kept with the messages they show.

Loaded only while the policy is on.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.capture.chatlog import ChatRead, Tail
from agent.capture.keys import may_be_excluded
from agent.capture.pages import Item
from agent.errors import DriverError, ScreenError
from agent.logs import get_logger
from agent.media import OBJECT_LIMIT_BYTES, Media
from agent.model import Bubble, Settings
from agent.phone import Phone
from agent.wechat.pages import Box, Health, Node, Page
from agent.wechat.screens import Screen

if TYPE_CHECKING:
    from PIL import Image

log = get_logger()

POLICY = "pictures"
# A tree tells where the views of a page will stand before the client has slid them there.
SETTLE_S = 0.5
# After a touch a page may go and come back; so long it must have been let alone.
UNTOUCHED_S = 1.0
# Nobody opens another page and comes back to the same one in less, without a touch that is seen.
SHOT_MOST_S = 3.0
# The pictures of one visit wait in memory until it is known which messages are new.
PENDING_LIMIT_BYTES = 8 * 1024 * 1024
SHOT_LIMIT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of the screen, and what the phone said of the screen just before and just after."""

    content: bytes
    pages: tuple[Page, Page]


class Pictures:
    """Takes the pictures of one phone's chats; `may_read` tells whether its chats may be read now."""

    def __init__(self, media: Media, settings: Callable[[], Settings], may_read: Callable[[], bool]) -> None:
        self._media = media
        self._settings = settings
        self._may_read = may_read
        self._pending: dict[str, bytes] = {}

    def drop(self) -> None:
        """Forget what was taken and not kept."""
        self._pending.clear()

    def depict(self, phone: Phone, screen: Screen, items: Sequence[Item]) -> list[Item]:
        """Return the items of a page with the hashes of their pictures, as far as they can be had.

        `screen` is what the items were read on. Nothing is touched, and nothing is on the disk yet.
        """
        wanted = [item for item in items if _is_wanted(item)]
        if not wanted or not self._is_allowed():
            return list(items)
        try:
            shot = still_shot(phone, screen)
        except (DriverError, ScreenError) as error:  # what stands in the way the next look meets too
            log.info("no picture of the screen", trouble=type(error).__name__)
            return list(items)
        if shot is None:
            return list(items)
        found = cut(shot, screen, [item.picture for item in wanted if item.picture is not None])
        taken = {item.picture: self._take(one) for item, one in zip(wanted, found, strict=True)}
        return [_with(item, taken.get(item.picture, "")) if _is_wanted(item) else item for item in items]

    def keep(self, read: ChatRead) -> ChatRead:
        """Put the pictures of the new messages on the disk; return the read with no other hashes."""
        is_excluded = may_be_excluded(read.title, self._settings().excluded_keys)
        is_allowed = self._is_allowed() and not is_excluded
        wanted = {seen.bubble.media_sha256 for seen in read.new} & self._pending.keys()
        kept = {sha256 for sha256 in wanted if is_allowed and self._media.keep(self._pending[sha256])}
        gone = self._pending.keys() - kept
        self.drop()
        if not gone:
            return read

        def told(bubble: Bubble) -> Bubble:
            return replace(bubble, media_sha256="") if bubble.media_sha256 in gone else bubble

        return replace(
            read,
            new=tuple(replace(seen, bubble=told(seen.bubble)) for seen in read.new),
            tail=Tail(read.tail.position, tuple(map(told, read.tail.bubbles)), read.tail.read_at_ms),
        )

    def _is_allowed(self) -> bool:
        return self._settings().media == POLICY and self._may_read()

    def _take(self, content: bytes) -> str:
        waiting = sum(map(len, self._pending.values()))
        if not content or waiting + len(content) > PENDING_LIMIT_BYTES:
            return ""
        sha256 = hashlib.sha256(content).hexdigest()
        self._pending[sha256] = content
        return sha256


def still_shot(phone: Phone, screen: Screen) -> Shot | None:
    """Return a picture of what `screen` shows, None unless it is certain that it shows nothing else.

    The page is the same just before and just after, nobody touched the phone, and that would have been seen.
    Raises kinds of DriverError, and Unreadable.
    """
    touched_at_s = _last_touch_s(phone)
    if touched_at_s is None:
        return None
    wait_s = max(SETTLE_S - phone.age_s(screen), UNTOUCHED_S - (phone.hand.now_s() - touched_at_s))
    if wait_s > 0:
        phone.rest(wait_s)
    begun_at_s = phone.now_s()
    before = phone.page()
    if not _is_same(before, screen):
        return None
    content = phone.screenshot()
    after = phone.page()
    is_quick = phone.now_s() - begun_at_s <= SHOT_MOST_S
    is_untouched = _last_touch_s(phone) == touched_at_s
    if not (is_quick and is_untouched and _is_same(after, screen)):
        return None
    return Shot(content, (before, after))


def _last_touch_s(phone: Phone) -> float | None:
    """Return when the phone was touched last, None if nobody would have seen it."""
    return phone.hand.touched_at_s if phone.hand.is_watched else None


def cut(shot: Shot, screen: Screen, boxes: Sequence[Box]) -> list[bytes]:
    """Return what each box shows as PNG; empty where something lies over it or the picture is none."""
    shown = screen.lists()[0]
    free = [box for box in boxes if not any(is_covered(page, shown, box) for page in shot.pages)]
    if not free or not 0 < len(shot.content) <= SHOT_LIMIT_BYTES:
        return [b""] * len(boxes)
    from PIL import Image, UnidentifiedImageError  # 10 MiB that nobody else needs

    try:
        with Image.open(io.BytesIO(shot.content), formats=("JPEG", "PNG")) as picture:
            if not _is_of_screen(picture.size, shot.pages[0]):
                return [b""] * len(boxes)
            whole = picture.convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        log.info("the picture of the screen is none")
        return [b""] * len(boxes)
    return [_png(whole.crop(box)) if box in free else b"" for box in boxes]


def is_covered(page: Page, shown: Node, box: Box) -> bool:
    """Tell whether something that is no part of the list `shown` lies over a box.

    As a notification of the system, which tells of other chats, or what the client lays over its list. What
    holds the list itself, and layouts that show nothing, do not count.
    """
    lists = [node for node in page.nodes if _is_list(node, shown)]
    if len(lists) != 1:
        return True
    (here,) = lists
    return any(
        not here.at <= node.at < here.end
        and not (node.at < here.at and node.end >= here.end)
        and (node.text or node.desc or node.cls.endswith("ImageView"))
        and _meet(node.box, box)
        for node in page.nodes
    )


def _is_list(node: Node, shown: Node) -> bool:
    return (node.cls, node.rid, node.box, node.package) == (shown.cls, shown.rid, shown.box, shown.package)


def _is_same(page: Page, screen: Screen) -> bool:
    seen = screen.page
    is_whole = page.health is Health.OK and page.package == seen.package
    return is_whole and page.shape() == seen.shape()


def _is_of_screen(size: tuple[int, int], page: Page) -> bool:
    """Tell whether a picture is as large as the screen; windows may end above its navigation bar."""
    roots = [root.box for root in page.roots()]
    right, bottom = max(box.right for box in roots), max(box.bottom for box in roots)
    return size[0] == right and size[1] >= bottom


def _is_wanted(item: Item) -> bool:
    return item.picture is not None and item.bubble is not None and not item.bubble.media_sha256


def _with(item: Item, sha256: str) -> Item:
    if item.bubble is None:
        return item
    return replace(item, bubble=replace(item.bubble, media_sha256=sha256))


def _meet(one: Box, two: Box) -> bool:
    is_beside = one.right <= two.left or two.right <= one.left
    return not (is_beside or one.bottom <= two.top or two.bottom <= one.top or one.is_empty())


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue() if buffer.tell() <= OBJECT_LIMIT_BYTES else b""
