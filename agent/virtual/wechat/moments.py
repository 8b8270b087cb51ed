"""Moments: the timeline, and the popup with the like that is a toggle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.virtual.talk import Post
from agent.virtual.ui import Look, Node
from agent.virtual.wechat.draw import (
    BAR_BOTTOM_PX,
    BLUE,
    FAINT,
    SOLID,
    WHITE,
    icon,
    ink,
    node,
    text_lines,
    visible,
)
from agent.virtual.wechat.labels import post_label
from agent.virtual.wechat.page import Page

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

COVER_PX = 700
LEFT_PX = 200
PHOTO_PX = 250
FOLD_LINES = 6


class Moments(Page):
    """Posts of friends, newest first."""

    screen = "moments"

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.popup_of = ""  # the post whose popup is open

    def title(self) -> str:
        """Return the page's title."""
        return self.stage.text("moments")

    def max_scroll_px(self) -> int:
        """Return how far the timeline can be scrolled."""
        posts = self.stage.world.timeline(self.stage.account)
        return max(0, COVER_PX + sum(self._height(post) for post in posts) - self.body_rect.height)

    def content(self) -> list[Node]:
        """Return cover, rows in sight, bar, and the popup if it is open."""
        area = self.body_rect
        rows = visible(self._rows(), area)
        items = node(
            "RecyclerView",
            area,
            *rows,
            rid=self.stage.rid("moments_list"),
            scrollable=True,
            look=Look(fill=WHITE),
        )
        return [items, self.bar()]

    def scroll(self, dy_px: int) -> None:
        """Scroll; an open popup closes."""
        self.popup_of = ""
        super().scroll(dy_px)

    def back(self) -> bool:
        """Close the popup if it is open."""
        was_open, self.popup_of = self.popup_of != "", ""
        return was_open

    def do_popup(self, post_id: str) -> None:
        """Open or close the popup of a post."""
        self.popup_of = "" if self.popup_of == post_id else post_id
        self.stage.lag()

    def do_like(self, post_id: str) -> None:
        """Like a post; a second time takes it back."""
        stage = self.stage
        post = next(one for one in stage.world.posts if one.post_id == post_id)
        stage.world.toggle_like(stage.account, post)
        self.popup_of = ""
        stage.lag(server=True)

    def _rows(self) -> Iterator[Node]:
        width, top = self.stage.width, BAR_BOTTOM_PX - self.scroll_px
        nickname = self.stage.account.nickname
        yield node(
            "RelativeLayout",
            (0, top, width, top + COVER_PX),
            node("ImageView", (0, top, width, top + COVER_PX - 60), look=Look(fill="#5b6770")),
            node(
                "TextView",
                (400, top + 540, width - 260, top + 610),
                text=nickname,
                look=ink(50, WHITE, align="right"),
            ),
            node(
                "ImageView",
                (width - 230, top + 500, width - 40, top + 690),
                desc=f"{nickname},我的头像,再点一次可以进入我的相册",
                arg=nickname,
                look=icon("avatar"),
            ),
        )
        top += COVER_PX
        for post in self.stage.world.timeline(self.stage.account):
            height = self._height(post)
            if -height < top < self.stage.height:
                yield self._row(post, top, height)
            top += height

    def _height(self, post: Post) -> int:
        return 240 + self._text_px(post) + self._photos_px(post) + (90 if post.likes else 0)

    def _text_px(self, post: Post) -> int:
        return 60 * min(FOLD_LINES, text_lines(post.text, 44, self.stage.width - LEFT_PX - 60))

    def _photos_px(self, post: Post) -> int:
        return (PHOTO_PX + 10) * -(-post.images // 3)

    def _row(self, post: Post, top: int, height: int) -> Node:
        stage, width, y = self.stage, self.stage.width, top + 40
        parts = [
            node("ImageView", (48, y, 168, y + 120), arg=post.author_name, look=icon("avatar")),
            node(
                "TextView",
                (LEFT_PX, y, width - 60, y + 62),
                rid=stage.rid("moments_author"),
                text=post.author_name,
                look=ink(46, BLUE),
            ),
            node(
                "TextView",
                (LEFT_PX, y + 70, width - 60, y + 70 + self._text_px(post)),
                rid=stage.rid("moments_text"),
                text=post.text,
                long_clickable=True,
                look=ink(44),
            ),
        ]
        if post.is_ad:
            parts.append(
                node(
                    "TextView",
                    (width - 160, y, width - 60, y + 50),
                    rid=stage.rid("moments_ad_mark"),
                    text="广告",
                    look=ink(34, FAINT),
                )
            )
        y += 80 + self._text_px(post)
        parts += [self._photo(n, y) for n in range(post.images)]
        y += self._photos_px(post)
        parts += self._foot(post, y)
        return node("RelativeLayout", (0, top, width, top + height), *parts, rid=stage.rid("moments_row"))

    def _photo(self, n: int, y: int) -> Node:
        left, top = LEFT_PX + (n % 3) * (PHOTO_PX + 10), y + (n // 3) * (PHOTO_PX + 10)
        return node(
            "View",
            (left, top, left + PHOTO_PX, top + PHOTO_PX),
            desc=self.stage.text("image"),
            act="nothing",
            look=Look(fill="#d9dde3", shape="circle", ink=FAINT),
        )

    def _foot(self, post: Post, y: int) -> list[Node]:
        stage, width = self.stage, self.stage.width
        parts = [
            node(
                "TextView",
                (LEFT_PX, y + 20, LEFT_PX + 300, y + 70),
                rid=stage.rid("moments_time"),
                text=post_label(post.at_ms, stage.clock()),
                look=ink(34, FAINT),
            ),
            node(
                "ImageView",
                (width - 150, y + 10, width - 50, y + 80),
                rid=stage.rid("moments_popup_button"),
                desc=stage.text("moments_popup"),
                act="popup",
                arg=post.post_id,
                look=icon("more", BLUE),
            ),
        ]
        if post.likes:
            names = node(
                "TextView",
                (LEFT_PX + 60, y + 100, width - 60, y + 160),
                rid=stage.rid("moments_like_names"),
                text="，".join(post.likes.values()),
                look=ink(40, BLUE),
            )
            parts.append(
                node("LinearLayout", (LEFT_PX, y + 95, width - 60, y + 165), names, look=Look(fill="#f7f7f7"))
            )
        if self.popup_of == post.post_id:
            parts.append(self._popup(post, y))
        return parts

    def _popup(self, post: Post, y: int) -> Node:
        stage, right = self.stage, self.stage.width - 170
        is_liked = stage.account.account_id in post.likes
        like = stage.text("unlike" if is_liked else "like")
        halves = (
            (right - 480, like, "like", "moments_popup_like"),
            (right - 240, stage.text("comment"), "nothing", ""),
        )
        buttons = [
            node(
                "LinearLayout",
                (left, y, left + 240, y + 100),
                node(
                    "TextView",
                    (left + 80, y + 20, left + 230, y + 80),
                    rid=stage.rid(role) if role else "",
                    text=text,
                    look=ink(40, WHITE),
                ),
                act=act,
                arg=post.post_id,
            )
            for left, text, act, role in halves
        ]
        area = (right - 480, y, right, y + 100)
        return node("LinearLayout", area, *buttons, act=SOLID, look=Look(fill="#4c4c4c", radius_px=10))
