"""A page that is not whole yet: buttons before titles, lists before their rows."""

from __future__ import annotations

from dataclasses import replace

from agent.virtual.ui import Node

PIECES = 2  # so many stages come before the whole page
_LISTS = ("ListView", "RecyclerView", "ScrollView")
_TITLE = "android:id/text1"


def half(root: Node, piece: int) -> Node:
    """Return a page at a stage: 0 without its titles, 1 with lists that have no rows, then whole."""
    if piece >= PIECES:
        return root
    children = root.children
    if piece == 1 and root.cls.endswith(_LISTS):
        children = []
    if piece == 0:
        children = [child for child in children if child.rid != _TITLE]
    return replace(root, children=[half(child, piece) for child in children])
