"""The selector objects of the on-phone server: which nodes of the screen they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from agent.virtual.ui import Node, Rect

INDEX_BIT, INSTANCE_BIT = 0x800000, 0x1000000
CHECKED_BIT = 0x800
_TRUE_FALSE = (
    (0x400, "checkable"),
    (CHECKED_BIT, "checked"),
    (0x1000, "clickable"),
    (0x2000, "longClickable"),
    (0x4000, "scrollable"),
    (0x8000, "enabled"),
    (0x10000, "focusable"),
    (0x20000, "focused"),
    (0x40000, "selected"),
)
_ATTRIBUTE = {
    "checkable": "checkable",
    "checked": "checked",
    "clickable": "clickable",
    "longClickable": "long_clickable",
    "scrollable": "scrollable",
    "enabled": "enabled",
    "focusable": "focusable",
    "focused": "focused",
    "selected": "selected",
}
# (bit, field of the selector, attribute of the node, how they are compared)
_TEXTS = (
    (0x1, "text", "text", "equal"),
    (0x2, "textContains", "text", "contains"),
    (0x4, "textMatches", "text", "matches"),
    (0x8, "textStartsWith", "text", "starts"),
    (0x10, "className", "cls", "equal"),
    (0x20, "classNameMatches", "cls", "matches"),
    (0x40, "description", "desc", "equal"),
    (0x80, "descriptionContains", "desc", "contains"),
    (0x100, "descriptionMatches", "desc", "matches"),
    (0x200, "descriptionStartsWith", "desc", "starts"),
    (0x80000, "packageName", "package", "equal"),
    (0x100000, "packageNameMatches", "package", "matches"),
    (0x200000, "resourceId", "rid", "equal"),
    (0x400000, "resourceIdMatches", "rid", "matches"),
)
Test = Callable[[Node], bool]


class BadSelector(Exception):
    """The selector object is malformed."""


@dataclass(frozen=True, slots=True)
class Found:
    """A node with its place: visible bounds, index among its siblings, and the way down to it."""

    node: Node
    bounds: Rect
    index: int
    parent: Found | None

    def children(self) -> Iterator[Found]:
        """Yield the visible children, with the index they have among all children."""
        for index, child in enumerate(self.node.children):
            bounds = child.bounds.clip(self.bounds)
            if child.visible and bounds.width and bounds.height:
                yield Found(child, bounds, index, self)

    def walk(self) -> Iterator[Found]:
        """Yield this and all visible nodes below, in document order."""
        yield self
        for child in self.children():
            yield from child.walk()


def find_all(
    selector: Mapping[str, Any], roots: Sequence[Node], active: Node | None, screen: Rect
) -> list[Found]:
    """Return all matches in order; raises BadSelector.

    Plain selectors look through all windows (By); index, instance, child and sibling look through the
    focused window only (UiSelector).
    """
    if is_plain(selector):
        tests = _tests(selector, is_by=True)
        return [hit for root in roots for hit in _matching(_top(root, screen), tests)]
    if active is None:
        return []
    found = _level([_top(active, screen)], selector)
    kinds, inner = selector.get("childOrSibling") or [], selector.get("childOrSiblingSelector") or []
    if len(kinds) != len(inner):
        raise BadSelector("childOrSibling and childOrSiblingSelector differ in length")
    for kind, step in zip(kinds, inner, strict=True):
        found = _step(kind, step, found)
    return found


def is_plain(selector: Mapping[str, Any]) -> bool:
    """Tell whether the server takes the By path, whose objects know their resource name."""
    has_place = int(selector.get("mask", 0)) & (INDEX_BIT | INSTANCE_BIT)
    return not has_place and not selector.get("childOrSibling")


def matches(selector: Mapping[str, Any], found: Found) -> bool:
    """Tell whether one node fits the fields of a selector, its place left out."""
    return all(test(found.node) for test in _tests(selector, is_by=False))


def _top(root: Node, screen: Rect) -> Found:
    return Found(root, root.bounds.clip(screen), 0, None)


def _matching(top: Found, tests: Sequence[Test]) -> Iterator[Found]:
    if not top.node.visible:
        return
    for found in top.walk():
        node = found.node
        if all(test(node) for test in tests):
            yield found


def _level(tops: Sequence[Found], selector: Mapping[str, Any]) -> list[Found]:
    mask = int(selector.get("mask", 0))
    tests = _tests(selector, is_by=False)
    hits = [hit for top in tops for hit in _matching(top, tests)]
    if mask & INDEX_BIT:
        hits = [hit for hit in hits if hit.index == int(selector.get("index", 0))]
    if mask & INSTANCE_BIT:
        place = int(selector.get("instance", 0))
        hits = hits[place : place + 1]
    return hits


def _step(kind: str, selector: Mapping[str, Any], found: list[Found]) -> list[Found]:
    # All matches of the step before are tried in turn, as UiSelector's recursion does.
    if kind == "child":
        parents = found
    elif kind == "sibling":
        # UiSelector.fromParent searches all below the parent, the node itself included.
        parents = [each.parent for each in found if each.parent is not None]
    else:
        raise BadSelector(f"neither child nor sibling: {kind}")
    seen: set[int] = set()
    tops: list[Found] = []
    for parent in parents:
        if not seen.isdisjoint(_ancestry(parent)):
            continue  # lies below a parent whose whole subtree is searched already
        seen.add(id(parent.node))
        tops.extend(parent.children())
    return _level(tops, selector)


def _ancestry(found: Found | None) -> Iterator[int]:
    while found is not None:
        yield id(found.node)
        found = found.parent


def _tests(selector: Mapping[str, Any], *, is_by: bool) -> list[Test]:
    mask = selector.get("mask", 0)
    if not isinstance(mask, int):
        raise BadSelector("mask is not a number")
    tests = [
        _text_test(attribute, how, str(selector.get(name) or ""))
        for bit, name, attribute, how in _TEXTS
        if mask & bit
    ]
    for bit, name in _TRUE_FALSE:
        if mask & bit:
            # The server's By path asks for `checkable` when `checked` comes with another attribute.
            is_mistaken = is_by and bit == CHECKED_BIT and mask != CHECKED_BIT
            attribute = "checkable" if is_mistaken else _ATTRIBUTE[name]
            tests.append(_flag_test(attribute, wanted=bool(selector.get(name))))
    return tests


def _flag_test(attribute: str, *, wanted: bool) -> Test:
    return lambda node: bool(getattr(node, attribute)) is wanted


def _text_test(attribute: str, how: str, wanted: str) -> Test:
    if how == "equal":
        return lambda node: bool(getattr(node, attribute) == wanted)
    if how == "contains":
        return lambda node: wanted in getattr(node, attribute)
    if how == "starts":
        return lambda node: bool(getattr(node, attribute).startswith(wanted))
    pattern = _compiled(wanted)
    return lambda node: pattern.fullmatch(getattr(node, attribute)) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise BadSelector(f"bad pattern: {error}") from error
