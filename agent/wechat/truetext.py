"""The true text of nodes: a dump writes each half of an emoji, and other signs, as a dot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from agent.wechat.pages import Box, Node


class Sighting(NamedTuple):
    """A text as the accessibility layer itself reports it, and where."""

    box: Box
    text: str


def may_hide(text: str) -> bool:
    """Tell whether a text of a dump may stand for another one."""
    return "." in text or "\ufffd" in text


def looks_like(dumped: str, true: str) -> bool:
    """Tell whether a dump writes `true` as `dumped`: per UTF-16 unit the same sign or a dot."""
    units = [sign for char in true for sign in ((char,) if ord(char) < 0x10000 else (None, None))]
    seen = [sign for char in dumped for sign in ((char,) if ord(char) < 0x10000 else (None, None))]
    if dumped == true:
        return True
    # The other writer of dumps leaves emoji whole; characters XML forbids were dropped by the parser.
    return len(seen) == len(units) and all(
        one in (".", "\ufffd") or one == two for one, two in zip(seen, units, strict=True)
    )


def true_texts(nodes: Iterable[Node], ask: Callable[[str], list[Sighting]]) -> dict[int, str]:
    """Return the true text by node, from one question per class of nodes that may hide something.

    A node is matched by its place and by how its true text would be written; without a match it is left out.
    """
    found: dict[int, str] = {}
    asked: dict[str, list[Sighting]] = {}
    for node in nodes:
        if not may_hide(node.text):
            found[node.at] = node.text
            continue
        if node.cls not in asked:
            asked[node.cls] = ask(node.cls)
        here = {seen.text for seen in asked[node.cls] if seen.box == node.box}
        fitting = [text for text in here if looks_like(node.text, text)]
        if len(fitting) == 1:
            found[node.at] = fitting[0]
    return found
