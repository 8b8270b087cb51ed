"""The hierarchy XML of the on-phone server, with the traits of the real writer."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from agent.virtual.ui import Node, Rect

DECLARATION = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>"
DEFAULT_DEPTH = 50
_BOOL = ("false", "true")
_NAF_EXCLUDED = (
    "android.widget.GridView",
    "android.widget.GridLayout",
    "android.widget.ListView",
    "android.widget.TableLayout",
)
# Characters that the server replaces by a dot each; characters outside the BMP become two dots.
_DOTTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufddf\ufffe\uffff]")
_OUTSIDE_BMP = re.compile("[\U00010000-\U0010ffff]")
_UNSAFE = re.compile("[^\x20\x21\x23-\x25\x27-\x3b\x3d\x3f-\x7e\u00a0-\ud7ff\ue000-\ufdcf\ufde0-\ufffd]")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


def write(
    roots: Sequence[Node],
    screen: Rect,
    *,
    rotation: int = 0,
    sdk: int = 33,
    max_depth: int = DEFAULT_DEPTH,
    keeps_emoji: bool = False,
) -> str:
    """Return the XML of these window roots, in the order given; only the platform's writer keeps emoji."""
    if not roots:
        return f'{DECLARATION}<hierarchy rotation="{rotation}" />'
    lines = [DECLARATION, f'<hierarchy rotation="{rotation}">']
    writer = _Writer(lines, sdk, max_depth, intact if keeps_emoji else safe)
    for index, root in enumerate(roots):
        writer.node(root, index, root.bounds.clip(screen), 1)
    lines.append("</hierarchy>")
    return "\r\n".join(lines)


class _Writer:
    def __init__(self, lines: list[str], sdk: int, max_depth: int, text: Callable[[str], str]) -> None:
        self._lines, self._max_depth, self._text = lines, max_depth, text
        self._has_order, self._has_hint = sdk >= 24, sdk >= 26
        self._display = ' display-id="0"' if sdk >= 30 else ""

    def node(self, node: Node, index: int, clip: Rect, depth: int) -> None:
        if not node.is_kept:
            self._write(node, index, clip, depth)
            return
        context = (index, clip, depth, self._max_depth, self._has_order, self._display, self._text)
        if node.written is not None and node.written[0] == context:
            self._lines += node.written[1]
            return
        place = len(self._lines)
        self._write(node, index, clip, depth)
        node.written = (context, self._lines[place:])

    def _write(self, node: Node, index: int, clip: Rect, depth: int) -> None:
        pad = "  " * depth
        head = pad + _attributes(node, index, clip, self._text)
        if self._has_order:
            head += f' drawing-order="{index + 1}"'
        if self._has_hint:
            head += f' hint="{self._text(node.hint)}"'
        head += self._display
        lines = self._lines
        place = len(lines)
        lines.append(head + ">")
        if depth < self._max_depth:
            for child_index, child in enumerate(node.children):
                if child.visible:
                    inner = child.bounds.clip(clip)
                    if inner.right > inner.left and inner.bottom > inner.top:
                        self.node(child, child_index, inner, depth + 1)
        if len(lines) == place + 1:
            lines[place] = head + " />"
        else:
            lines.append(pad + "</node>")


def _attributes(node: Node, index: int, clip: Rect, safe: Callable[[str], str]) -> str:
    flag = _BOOL
    naf = 'NAF="true" ' if node.clickable and node.enabled and not _names_itself(node) else ""
    return (
        f'<node {naf}index="{index}" text="{safe(node.text)}" resource-id="{safe(node.rid)}"'
        f' class="{node.cls}" package="{node.package}" content-desc="{safe(node.desc)}"'
        f' checkable="{flag[node.checkable]}" checked="{flag[node.checked]}"'
        f' clickable="{flag[node.clickable]}" enabled="{flag[node.enabled]}"'
        f' focusable="{flag[node.focusable]}" focused="{flag[node.focused]}"'
        f' scrollable="{flag[node.scrollable]}" long-clickable="{flag[node.long_clickable]}"'
        f' password="{flag[node.password]}" selected="{flag[node.selected]}" visible-to-user="true"'
        f' bounds="[{clip.left},{clip.top}][{clip.right},{clip.bottom}]"'
    )


def _names_itself(node: Node) -> bool:
    if node.text or node.desc or node.cls in _NAF_EXCLUDED:
        return True
    return any(_names_itself(child) for child in node.children)


@lru_cache(maxsize=8_192)
def safe(text: str) -> str:
    """Return a text as the server writes it into an attribute: emoji and control characters as dots."""
    if _UNSAFE.search(text) is None:
        return text
    dotted = _DOTTED.sub(".", _OUTSIDE_BMP.sub("..", text))
    return dotted.translate(_ESCAPES)


@lru_cache(maxsize=1_024)
def intact(text: str) -> str:
    """Return a text as the platform's own `uiautomator dump` writes it: emoji as they are."""
    return _DOTTED.sub(".", text).translate(_ESCAPES)


def nonsense(node: Node, source: random.Random) -> Node:
    """Return a tree with words and ids that mean nothing and with boxes that were not there before."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    children = [nonsense(child, source) for child in node.children]
    source.shuffle(children)
    return replace(
        node,
        text="".join(source.choices(letters, k=len(node.text))),
        desc="".join(source.choices(letters, k=len(node.desc))),
        rid=f"{node.package}:id/{''.join(source.choices(letters, k=3))}" if node.rid else "",
        is_kept=False,
        children=children,
    )


def scrambled(node: Node, source: random.Random) -> Node:
    """Return a tree of the same shape without text, description, hint and class, its ids without sense."""
    rid = "".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=3)) if node.rid else ""
    return Node(
        bounds=node.bounds,
        package=node.package,
        rid=f"{node.package}:id/{rid}" if rid else "",
        visible=node.visible,
        clickable=node.clickable,
        children=[scrambled(child, source) for child in node.children],
    )
