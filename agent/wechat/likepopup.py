"""The popup of a post in moments: 赞, or 取消 for what is liked already, and 评论 beside it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.wechat.pages import Box, Node

if TYPE_CHECKING:
    from agent.wechat.screens import View

# The popup is a small box; texts of posts span most of the width.
POPUP_WIDTH_SHARE = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Popup:
    """The box that opens beside the button of a row; its nodes are those from `first` to before `end`."""

    box: Box
    verdict: Node  # its text says which of both it is
    is_liked: bool
    first: int
    end: int


def popup_of(view: View) -> Popup | None:
    """Return the open popup: 赞 or 取消 left of 评论 on one line, alone in a small box that takes touches."""
    found = [popup for popup in _popups(view) if popup is not None]
    return found[0] if len(found) == 1 else None


def _popups(view: View) -> Iterator[Popup | None]:
    liking, liked = view.texts("like"), view.texts("unlike")
    comments = view.texts("comment")
    for verdict, comment in itertools.product((*liking, *liked), comments):
        in_line = verdict.box.top < comment.box.bottom and comment.box.top < verdict.box.bottom
        if in_line and verdict.box.right <= comment.box.left:
            yield _popup(view, verdict, comment, is_liked=verdict in liked)


def _popup(view: View, verdict: Node, comment: Node, *, is_liked: bool) -> Popup | None:
    page = view.page
    box = page.around(verdict, lambda one: one.at <= comment.at < one.end)
    if box is None or sum(1 for node in page.inside(box) if node.text) != len((verdict, comment)):
        return None
    halves = [page.around(one, lambda node: node.clickable) for one in (verdict, comment)]
    is_split = all(half is not None and box.at < half.at < box.end for half in halves)
    is_small = box.box.width <= view.root.box.width * POPUP_WIDTH_SHARE
    if not is_split or halves[0] == halves[1] or not is_small:
        return None
    return Popup(box=box.box, verdict=verdict, is_liked=is_liked, first=box.at, end=box.end)
