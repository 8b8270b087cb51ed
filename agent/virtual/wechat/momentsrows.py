"""One post of the timeline as the client draws it: head, text, photos, time line, likes and comments."""

from __future__ import annotations

import bisect
import functools
from typing import TYPE_CHECKING

from agent.virtual.talk import Post
from agent.virtual.ui import Look, Node
from agent.virtual.wechat.draw import BLUE, FAINT, icon, ink, node, text_lines
from agent.virtual.wechat.labels import post_label

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

LEFT_PX = 200
PHOTO_PX = 250
LINE_PX = 60
TEXT_PX = 44
# A text of more lines is folded, with 全文 below it.
FOLD_LINES = 6
NAMES_PX = 40


# All rows are measured for each sight of the page.
@functools.lru_cache(maxsize=4096)
def _lines(text: str, width: int) -> int:
    return text_lines(text, TEXT_PX, width)


@functools.lru_cache(maxsize=1024)
def _folded(text: str, width: int) -> str:
    end = bisect.bisect_right(
        range(len(text)), FOLD_LINES, key=lambda count: text_lines(text[:count] + "…", TEXT_PX, width)
    )
    return text[: end - 1] + "…"


class Rows:
    """Draws rows; which texts are unfolded is kept here."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.unfolded: set[str] = set()

    def height_px(self, post: Post) -> int:
        """Return how high the row of a post is."""
        return 80 + self._text_px(post) + self._photos_px(post) + 120 + self._box_px(post) + 40

    def draw(self, post: Post, top: int) -> Node:
        """Return the row of a post."""
        stage, width, y = self.stage, self.stage.width, top + 40
        author = stage.world.author_of(stage.account, post)
        parts = [
            node(
                "ImageView",
                (48, y, 168, y + 120),
                desc=author + stage.text("avatar_suffix"),
                arg=author,
                look=icon("avatar"),
            ),
            node(
                "TextView",
                (LEFT_PX, y, width - 200, y + 62),
                rid=stage.rid("moments_author"),
                text=author,
                look=ink(46, BLUE),
            ),
        ]
        if post.is_ad:
            parts.append(
                node(
                    "TextView",
                    (width - 160, y, width - 60, y + 50),
                    rid=stage.rid("moments_ad_mark"),
                    text=stage.text("moments_ad"),
                    look=ink(34, FAINT),
                )
            )
        parts += self._text(post, y + 70)
        y += 80 + self._text_px(post)
        parts += [self._photo(n, y) for n in range(post.images)]
        y += self._photos_px(post)
        parts += [*self._foot(post, y), *self._box(post, y + 95)]
        area = (0, top, width, top + self.height_px(post))
        return node("RelativeLayout", area, *parts, rid=stage.rid("moments_row"))

    # -- text

    def _lines(self, text: str) -> int:
        return _lines(text, self._text_width())

    def _text_width(self) -> int:
        return self.stage.width - LEFT_PX - 60

    def _is_long(self, post: Post) -> bool:
        return self._lines(post.text) > FOLD_LINES

    def _shown(self, post: Post) -> str:
        """Return the text in sight: of a folded one only what fits its lines."""
        is_whole = not self._is_long(post) or post.post_id in self.unfolded
        return post.text if is_whole else _folded(post.text, self._text_width())

    def _text_px(self, post: Post) -> int:
        if not post.text:
            return 0
        link_px = LINE_PX if self._is_long(post) else 0
        return LINE_PX * self._lines(self._shown(post)) + link_px

    def _text(self, post: Post, y: int) -> list[Node]:
        if not post.text:
            return []
        stage, shown = self.stage, self._shown(post)
        bottom = y + LINE_PX * self._lines(shown)
        is_folded = shown != post.text
        words = node(
            "TextView",
            (LEFT_PX, y, LEFT_PX + self._text_width(), bottom),
            rid=stage.rid("moments_text_folded" if is_folded else "moments_text"),
            text=shown,
            long_clickable=True,
            look=ink(TEXT_PX),
        )
        if not self._is_long(post):
            return [words]
        link = node(
            "TextView",
            (LEFT_PX, bottom, LEFT_PX + 120, bottom + LINE_PX),
            text=stage.text("moments_unfold" if is_folded else "moments_fold"),
            act="fold",
            arg=post.post_id,
            look=ink(TEXT_PX, BLUE),
        )
        return [words, link]

    # -- photos

    def _photos_px(self, post: Post) -> int:
        return (PHOTO_PX + 10) * -(-post.images // 3)

    def _photo(self, n: int, y: int) -> Node:
        left, top = LEFT_PX + (n % 3) * (PHOTO_PX + 10), y + (n // 3) * (PHOTO_PX + 10)
        return node(
            "View",
            (left, top, left + PHOTO_PX, top + PHOTO_PX),
            desc=self.stage.text("image"),
            act="nothing",
            look=Look(fill="#d9dde3", shape="circle", ink=FAINT),
        )

    # -- time, likes, comments

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
        if post.author == stage.account.account_id:
            remove = (LEFT_PX + 320, y + 20, LEFT_PX + 420, y + 70)
            parts.append(
                node("TextView", remove, text=stage.text("delete"), act="nothing", look=ink(34, BLUE))
            )
        return parts

    def _comment_lines(self, post: Post) -> list[tuple[str, int]]:
        width = self.stage.width - LEFT_PX - 100
        texts = [f"{name}: {text}" for name, text in post.comments]
        return [(text, text_lines(text, NAMES_PX, width)) for text in texts]

    def _names_px(self, post: Post) -> int:
        names = "，".join(post.likes.values())
        return 20 + 50 * text_lines(names, NAMES_PX, self.stage.width - LEFT_PX - 140) if names else 0

    def _box_px(self, post: Post) -> int:
        inner_px = self._names_px(post) + sum(52 * lines for _, lines in self._comment_lines(post))
        return inner_px + 20 if inner_px else 0

    def _box(self, post: Post, y: int) -> list[Node]:
        """Return the box below the time line; there is none without likes and comments."""
        stage, right, top = self.stage, self.stage.width - 60, y
        bottom = y + self._box_px(post)
        parts = []
        if post.likes:
            under = y + self._names_px(post)
            parts.append(
                node(
                    "TextView",
                    (LEFT_PX + 60, y + 10, right, under),
                    rid=stage.rid("moments_like_names"),
                    text="，".join(post.likes.values()),
                    look=ink(NAMES_PX, BLUE),
                )
            )
            y = under
        for text, lines in self._comment_lines(post):
            area = (LEFT_PX + 20, y, right, y + 52 * lines)
            parts.append(node("TextView", area, rid=stage.rid("moments_comment"), text=text, look=ink(40)))
            y = area[3]
        return [node("LinearLayout", (LEFT_PX, top, right, bottom), *parts)] if parts else []
