"""Nodes of the virtual WeChat: short constructors, text sizes, clipping, hit test."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from agent.virtual.ui import Look, Node, Rect

STATUS_PX = 72
BAR_BOTTOM_PX = 220  # the action bar ends here, on pages with the usual bar
GREY, WHITE, GREEN, OWN_BUBBLE = "#ededed", "#ffffff", "#07c160", "#95ec69"
INK, FAINT, BLUE, RED = "#191919", "#9b9b9b", "#576b95", "#fa5151"

_CLASSES = {
    "RecyclerView": "androidx.recyclerview.widget.RecyclerView",
    "View": "android.view.View",
    "ViewGroup": "android.view.ViewGroup",
    "WxViewPager": "com.tencent.mm.ui.mogic.WxViewPager",
}


def node(cls: str, bounds: Rect | tuple[int, int, int, int], *children: Node, **fields: Any) -> Node:
    """Return a node; short class names are completed, an `act` makes it clickable unless told otherwise."""
    if fields.get("act") and fields["act"] != SOLID:
        fields.setdefault("clickable", True)
    return Node(
        bounds=Rect(*bounds),
        cls=_CLASSES.get(cls, f"android.widget.{cls}"),
        children=list(children),
        **fields,
    )


SOLID = "solid"  # the act of views that swallow taps without meaning anything


def ink(px: int, color: str = INK, *, align: str = "left", fill: str = "", radius_px: int = 0) -> Look:
    """Return the look of a text."""
    return Look(ink=color, text_px=px, align=align, fill=fill, radius_px=radius_px)


# Which drawn shape stands for a role of the client; others are drawn by their own name.
_SHAPES = {
    "tab_chats": "chat",
    "tab_contacts": "contacts",
    "tab_discover": "discover",
    "tab_me": "me",
    "plus_menu": "plus",
    "menu_group_chat": "chat",
    "menu_add_friend": "person",
    "menu_scan": "close",
    "menu_pay": "check",
    "new_friends": "person",
    "group_chats": "chat",
    "tags": "check",
    "official_accounts": "circle",
    "moments": "circle",
    "channels": "heart",
    "me_services": "check",
    "me_favourites": "heart",
    "me_settings": "more",
    "mute": "close",
    "picture": "circle",
}


def icon(shape: str, color: str = INK) -> Look:
    """Return the look of a picture."""
    return Look(shape=_SHAPES.get(shape, shape), ink=color)


def text_width(text: str, px: int) -> int:
    """Return about how wide a line of text is at a font size; emoji are wide, joiners have no width."""
    return round(sum(_advance(char) for char in text) * px)


def text_lines(text: str, px: int, max_width: int) -> int:
    """Return how many lines a text takes in a box."""
    total = 0
    for paragraph in text.split("\n"):
        lines, used = 1, 0.0
        for char in paragraph:
            step = _advance(char) * px
            if used + step > max_width:
                lines, used = lines + 1, 0.0
            used += step
        total += lines
    return total


def clip(root: Node, area: Rect) -> Node | None:
    """Cut a tree to an area, in place; None if nothing of it is left (dumps show only what is in sight)."""
    root.bounds = root.bounds.clip(area)
    if not root.bounds.width or not root.bounds.height:
        return None
    root.children = [kept for kept in (clip(child, area) for child in root.children) if kept is not None]
    return root


def visible(rows: Iterator[Node], area: Rect) -> list[Node]:
    """Return the rows that lie in an area, cut to it."""
    return [kept for kept in (clip(row, area) for row in rows) if kept is not None]


def hit(root: Node, x: float, y: float) -> Node | None:
    """Return the topmost node under a point that takes taps."""
    if not root.bounds.contains(x, y) or not root.visible:
        return None
    for child in reversed(root.children):
        found = hit(child, x, y)
        if found is not None:
            return found
    return root if root.act else None


def held_by(root: Node, x: float, y: float) -> Node | None:
    """Return the topmost node under a point that takes long touches."""
    if not root.bounds.contains(x, y) or not root.visible:
        return None
    for child in reversed(root.children):
        found = held_by(child, x, y)
        if found is not None:
            return found
    return root if root.long_clickable else None


def nested(depth: int, bounds: Rect, *children: Node) -> Node:
    """Return the children inside `depth` plain FrameLayouts, as real trees have them."""
    inner = node("FrameLayout", bounds, *children)
    for _ in range(depth - 1):
        inner = node("FrameLayout", bounds, inner)
    return inner


def _advance(char: str) -> float:
    if unicodedata.combining(char) or char in "\u200d\ufe0f":
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.0
    return 1.2 if ord(char) > 0x2FFF else 0.55
