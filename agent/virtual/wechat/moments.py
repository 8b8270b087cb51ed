"""Moments: the timeline, and the popup with the like that is a toggle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.virtual.talk import Post
from agent.virtual.ui import Look, Node
from agent.virtual.wechat.draw import BAR_BOTTOM_PX, FAINT, SOLID, WHITE, icon, ink, node, visible
from agent.virtual.wechat.momentsrows import Rows
from agent.virtual.wechat.page import Page
from agent.virtual.world import Answer

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

COVER_PX = 700
FOOTER_PX = 140
# So many posts come at a time; the next ones are loaded when the end is reached.
LOADED_AT_ONCE = 10
LOADING_MS = 700
POPUP_PX = (480, 100)


class Moments(Page):
    """Posts of friends, newest first; the list follows the world, so a new post moves every row down."""

    screen = "moments"

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.rows = Rows(stage)
        self.popup_of = ""  # the post whose popup is open
        self._count = LOADED_AT_ONCE
        self._loaded_at_ms: int | None = None

    def title(self) -> str:
        """Return the title, which is not there while the cover is in sight."""
        return self.stage.text("moments") if self.scroll_px > COVER_PX // 2 else ""

    def posts(self) -> list[Post]:
        """Return the posts loaded so far."""
        if self._loaded_at_ms is not None and self.stage.clock() >= self._loaded_at_ms:
            self._count, self._loaded_at_ms = self._count + LOADED_AT_ONCE, None
        return self._all()[: self._count]

    def max_scroll_px(self) -> int:
        """Return how far the timeline can be scrolled."""
        rows_px = sum(self.rows.height_px(post) for post in self.posts())
        return max(0, COVER_PX + rows_px + FOOTER_PX - self.body_rect.height)

    def content(self) -> list[Node]:
        """Return cover and rows in sight, the bar, and the popup if it is open."""
        area, posts = self.body_rect, self.posts()
        self.scroll_px = min(self.scroll_px, self.max_scroll_px())
        tops = self._tops(posts)
        parts = [self._cover(area.top - self.scroll_px)]
        parts += [
            self.rows.draw(post, top)
            for post, top, end in zip(posts, tops, tops[1:], strict=False)
            if end > area.top and top < area.bottom
        ]
        parts.append(self._footer(tops[-1]))
        items = node(
            "RecyclerView",
            area,
            *visible(iter(parts), area),
            rid=self.stage.rid("moments_list"),
            scrollable=True,
            look=Look(fill=WHITE),
        )
        return [items, self.bar(), *self._popup(items)]

    def scroll(self, dy_px: int) -> None:
        """Scroll; an open popup closes, and at the end older posts are asked for."""
        self.popup_of = ""
        super().scroll(dy_px)
        is_end = self.scroll_px >= self.max_scroll_px()
        if is_end and self._loaded_at_ms is None and self._count < len(self._all()):
            self._loaded_at_ms = self.stage.clock() + round(LOADING_MS * self.stage.time_scale)

    def back(self) -> bool:
        """Close the popup if it is open."""
        was_open, self.popup_of = self.popup_of != "", ""
        return was_open

    def do_popup(self, post_id: str) -> None:
        """Open or close the popup of a post."""
        self.popup_of = "" if self.popup_of == post_id else post_id
        self.stage.lag()

    def do_fold(self, post_id: str) -> None:
        """Show the whole of a long text, or fold it again."""
        self.rows.unfolded ^= {post_id}
        self.stage.lag()

    def do_like(self, post_id: str) -> None:
        """Like a post; a second time takes it back."""
        stage, self.popup_of = self.stage, ""
        post = next(one for one in stage.world.posts if one.post_id == post_id)
        stage.lag(server=True)
        if stage.world.tap_like(stage.account, post) is Answer.BLOCKED:
            stage.toast(stage.table.warnings["MOMENTS_BLOCKED"][0])

    def _all(self) -> list[Post]:
        return self.stage.world.timeline(self.stage.account)

    def _tops(self, posts: list[Post]) -> list[int]:
        """Return where each row begins, and where the last one ends."""
        tops = [BAR_BOTTOM_PX - self.scroll_px + COVER_PX]
        for post in posts:
            tops.append(tops[-1] + self.rows.height_px(post))
        return tops

    def _cover(self, top: int) -> Node:
        stage, width = self.stage, self.stage.width
        nickname = stage.account.nickname
        picture = node(
            "ImageView",
            (0, top, width, top + COVER_PX - 60),
            desc=stage.text("moments_cover"),
            look=Look(fill="#5b6770"),
        )
        name = node(
            "TextView",
            (400, top + 540, width - 260, top + 610),
            text=nickname,
            look=ink(50, WHITE, align="right"),
        )
        avatar = node(
            "ImageView",
            (width - 230, top + 500, width - 40, top + 690),
            desc=nickname + stage.text("moments_own_avatar"),
            arg=nickname,
            look=icon("avatar"),
        )
        return node("RelativeLayout", (0, top, width, top + COVER_PX), picture, name, avatar)

    def _footer(self, top: int) -> Node:
        width = self.stage.width
        area = (0, top, width, top + FOOTER_PX)
        is_loading = self._loaded_at_ms is not None
        words = [node("TextView", (400, top + 40, 680, top + 90), text="正在加载...", look=ink(34, FAINT))]
        return node("LinearLayout", area, *(words if is_loading else []))

    def _popup(self, items: Node) -> list[Node]:
        """Return the popup beside the button of its post; it closes when that is out of sight."""
        buttons = (one for one in items.walk() if one.act == "popup" and one.arg == self.popup_of)
        button = next(buttons, None) if self.popup_of else None
        if button is None:
            self.popup_of = ""
            return []
        stage, (width, height) = self.stage, POPUP_PX
        post = next(one for one in stage.world.posts if one.post_id == self.popup_of)
        right = button.bounds.left - 20
        top = (button.bounds.top + button.bounds.bottom - height) // 2
        word = "unlike" if stage.account.account_id in post.likes else "like"
        halves = (
            (right - width, word, "like", "moments_popup_like"),
            (right - width // 2, "comment", "nothing", ""),
        )
        parts = [
            node(
                "LinearLayout",
                (left, top, left + width // 2, top + height),
                node(
                    "TextView",
                    (left + 80, top + 20, left + 230, top + 80),
                    rid=stage.rid(rid) if rid else "",
                    text=stage.text(role),
                    look=ink(40, WHITE),
                ),
                act=act,
                arg=post.post_id,
            )
            for left, role, act, rid in halves
        ]
        area = (right - width, top, right, top + height)
        return [node("LinearLayout", area, *parts, act=SOLID, look=Look(fill="#4c4c4c", radius_px=10))]
