"""The way through the timeline: to it, down its rows, and into the popup of one of them and out again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from agent.boottime import wall_ms
from agent.errors import NotInTime, NotRecognised
from agent.phone import Phone
from agent.wechat.likepopup import Popup, popup_of
from agent.wechat.pages import Node
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.steps import arrive, go, only
from agent.wechat.timeline import (
    DAY_H,
    Post,
    Row,
    begins,
    belongs,
    head_mark,
    heads_of,
    is_unclear,
    may_be_by,
    parse_age,
    posts_of,
    rows_of,
    timeline,
)

CHINA = timezone(timedelta(hours=8))
# Some ten posts a page: as far back as anybody scrolls.
PAGES = 60
OPEN_TRIES = 3
POPUP_LIMIT_S = 4.0
# The next posts come from the network; a list that stands still for longer has ended.
MORE_LIMIT_S = 3.0
# Shares of the list's height: the longest and the shortest drag, and what is left above the aimed row.
LONGEST, SHORTEST, MARGIN = 0.8, 0.12, 0.04
STEP = 0.6
OLD_SIGHT_S = 1.5


class Walk:
    """One way down the timeline, for the posts of one author; `is_whole` until something may be missed."""

    def __init__(self, phone: Phone, author: str, today: date | None = None) -> None:
        self.phone = phone
        self.author = author
        self.today = today or datetime.fromtimestamp(wall_ms() / 1000, tz=UTC).astimezone(CHINA).date()
        self.is_whole = True
        self._pages = 0

    def begin(self) -> Screen:
        """Go to the begin of the timeline from anywhere."""
        phone, self._pages = self.phone, 0
        chats = phone.home()
        found = go(phone, chats, chats.tabs()[2], ScreenName.DISCOVER, what="the discover page")
        entry = only(found.texts("moments"), what="the entry of moments")
        screen = go(phone, found, entry, ScreenName.MOMENTS, what="the timeline", within_s=15.0)
        for _ in range(PAGES):
            if begins(screen):
                return screen
            screen = self._drag(screen, LONGEST) or screen
        raise NotRecognised("the timeline does not come to its begin")

    def read(self, screen: Screen) -> list[tuple[Row, Post]]:
        """Return the author's rows that stand in sight whole, newest first; equal ones are left out."""
        rows = [row for row in rows_of(screen) if may_be_by(row, self.author) and not row.is_ad]
        true = self.phone.true_texts([node for row in rows for node in (row.author, *row.texts)])
        found = posts_of(rows, true, self.today)
        posts = [post for _, post in found]
        clear = [(row, post) for row, post in found if posts.count(post) == 1]
        if is_unclear(screen) or len(clear) < len(rows):
            self.is_whole = False
        return [(row, post) for row, post in clear if post.author == self.author]

    def onward(self, screen: Screen, limit_h: int) -> Screen | None:
        """Go on to older posts; None at the end, or once all that comes is older than a limit."""
        if self._is_past(screen, limit_h):
            return None
        self._pages += 1
        if self._pages >= PAGES:
            self.is_whole = False
            return None
        if self.phone.age_s(screen) > OLD_SIGHT_S:
            now = arrive(self.phone, ScreenName.MOMENTS, what="the timeline")
            if now.page.shape() != screen.page.shape():
                return now  # rows moved: what stands here now may not have been read
            screen = now
        area, aim = self._area(screen), self._aim(screen)
        share = (aim.box.top - area.box.top) / area.box.height - MARGIN if aim else 0.0
        if share >= SHORTEST:
            later = self._drag(screen, -min(share, LONGEST))
            mark = head_mark(screen, aim) if aim else ""
            if later is not None and not any(head_mark(later, one) == mark for one in heads_of(later)):
                self.is_whole = False
            return later
        # One row fills the page: what of it is not in sight now never is together with its head.
        if aim is None or not any(row.box == aim.box for row in rows_of(screen)):
            self.is_whole = False
        return self._drag(screen, -STEP)

    # -- the popup

    def open_popup(self, post: Post) -> tuple[Screen, Popup]:
        """Open the popup of a post in sight and prove that it is that one's; NotRecognised if it is not."""
        for _ in range(OPEN_TRIES):
            screen = arrive(self.phone, ScreenName.MOMENTS, what="the timeline")
            buttons = [row.button for row, one in self.read(screen) if one == post]
            button = only(buttons, what="the row of the post")
            try:
                self.phone.tap(screen.spot(button))
                screen = arrive(
                    self.phone, ScreenName.MOMENTS_POPUP, what="the popup", within_s=POPUP_LIMIT_S
                )
            except NotRecognised:
                # The row moved away under the finger, or the touch came to nothing.
                continue
            popup = self.popup(screen, post)
            if popup is not None:
                return screen, popup
            self.close_popup()
        raise NotRecognised("the popup of the post did not open")

    def popup(self, screen: Screen, post: Post) -> Popup | None:
        """Return the open popup if it is proved to be that of a post."""
        popup = popup_of(screen)
        rows = [row for row, one in self.read(screen) if one == post]
        if popup is None or len(rows) != 1 or not belongs(popup, rows[0], rows_of(screen)):
            return None
        return popup

    def close_popup(self) -> Screen | None:
        """Close the popup by the back key; None if that led away from the timeline."""
        self.phone.back()
        # The key may close more than the popup; from there the way begins anew.
        screen = arrive(
            self.phone, ScreenName.MOMENTS, ScreenName.DISCOVER, ScreenName.CHATS, what="the timeline"
        )
        return screen if screen.name is ScreenName.MOMENTS else None

    def verdict(self, post: Post, limit_h: int) -> bool | None:
        """Tell whether a post is liked by this account, wherever it stands now; None if it is not found."""
        screen = self.phone.screen()
        if screen is not None and screen.name is ScreenName.MOMENTS_POPUP:
            screen = self.close_popup()
        if screen is None or screen.name is not ScreenName.MOMENTS or not self._shows(screen, post):
            screen = self.begin()
        while screen is not None and not self._shows(screen, post):
            screen = self.onward(screen, limit_h)
        if screen is None:
            return None
        _, popup = self.open_popup(post)
        self.close_popup()
        return popup.is_liked

    # -- inside

    def _shows(self, screen: Screen, post: Post) -> bool:
        return any(one == post for _, one in self.read(screen))

    def _is_past(self, screen: Screen, limit_h: int) -> bool:
        """Tell whether a post here is older than the limit for sure; times of advertisements tell nothing."""
        ages = [parse_age(row.label, self.today) for row in rows_of(screen) if not row.is_ad]
        return any(age is not None and age.at_least_h > limit_h for age in ages)

    def _area(self, screen: Screen) -> Node:
        area = timeline(screen)
        if area is None:
            raise NotRecognised("the timeline has no list")
        return area

    def _aim(self, screen: Screen) -> Node | None:
        """Return the lowest row whose head stands in sight: it is what the next page begins with."""
        heads = [head for head in heads_of(screen) if head_mark(screen, head)]
        return heads[-1] if heads else None

    def _drag(self, screen: Screen, share: float) -> Screen | None:
        """Drag the list and return what it shows then, None if it stays as it was."""
        area = self._area(screen)
        self.phone.scroll(screen.spot(area), area.box, share=share)
        try:
            return arrive(
                self.phone,
                ScreenName.MOMENTS,
                what="older posts",
                within_s=MORE_LIMIT_S,
                test=lambda later: later.page.shape() != screen.page.shape(),
            )
        except NotInTime:
            return None


def hours(days: int) -> int:
    """Return a number of days in hours."""
    return days * DAY_H
