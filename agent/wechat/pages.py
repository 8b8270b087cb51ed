"""A snapshot of the screen: the nodes of a dump, its windows, and whether they can be trusted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from agent.errors import Unreadable
from agent.wechat.characters import repair
from agent.wechat.clients import PACKAGE
from agent.wechat.nodes import Box, Node
from agent.wechat.quicktree import Unlike, quick_nodes

__all__ = ["Box", "Health", "Node", "Page", "read_page", "repair"]

# A full page of the client is about 160 kB; a tree of this size is an attack or a defect.
DUMP_LIMIT_BYTES = 4 * 1024 * 1024
WEB_VIEW = "android.webkit.WebView"
EDIT_TEXT = "android.widget.EditText"
_BOUNDS = re.compile(r"\[(-?\d+),(-?\d+)\]\[(-?\d+),(-?\d+)\]")
_SENSE = re.compile(r"[0-9A-Za-z一-鿿]")
# Of 42 dumps of real pages the one with the fewest labels has one on every eighth node.
LABEL_SHARE = 0.06
FEW_NODES = 24


class Health(StrEnum):
    """How far a tree can be trusted; nothing is tapped unless it is ok."""

    OK = "ok"
    EMPTY = "empty"
    SCRAMBLED = "scrambled"
    WEBVIEW = "webview"


@dataclass(frozen=True, slots=True)
class Page:
    """What was on the screen at `read_at_s` (monotonic seconds of the phone's clock)."""

    package: str
    activity: str
    nodes: tuple[Node, ...]
    health: Health
    read_at_s: float

    def windows(self, package: str = PACKAGE) -> list[Node]:
        """Return the window roots of a package; their order means nothing (it changes between dumps)."""
        return [node for node in self.roots() if node.package == package]

    def roots(self) -> Iterator[Node]:
        """Yield all window roots."""
        at = 0
        while at < len(self.nodes):
            yield self.nodes[at]
            at = self.nodes[at].end

    def inside(self, node: Node) -> Sequence[Node]:
        """Return the node and all below it, in document order."""
        return self.nodes[node.at : node.end]

    def children(self, node: Node) -> Iterator[Node]:
        """Yield the direct children."""
        at = node.at + 1
        while at < node.end:
            yield self.nodes[at]
            at = self.nodes[at].end

    def parent(self, node: Node) -> Node | None:
        """Return the node above, None for a root."""
        return self.nodes[node.parent] if node.parent >= 0 else None

    def around(self, node: Node, test: Callable[[Node], bool]) -> Node | None:
        """Return the nearest of the node and its ancestors that passes `test`."""
        here: Node | None = node
        while here is not None and not test(here):
            here = self.parent(here)
        return here

    def pressable(self, node: Node) -> Node:
        """Return the clickable node a touch on this one reaches, the node itself if none is marked."""
        return self.around(node, lambda one: one.clickable) or node

    def shape(self) -> int:
        """Return a number equal for two snapshots in which the client shows the same, status bar left out.

        Ids are part of it: in a tree that is scrambled anew for each dump they, or the nesting, differ.
        """
        return hash(
            (
                self.activity,
                frozenset(
                    tuple(
                        (node.cls, node.text, node.desc, node.rid, node.box, node.end - node.at)
                        for node in self.inside(root)
                    )
                    for root in self.windows()
                ),
            )
        )


def read_page(xml: str, *, package: str, activity: str, read_at_s: float) -> Page:
    """Parse a dump; Unreadable if it is no tree at all. A bad tree is a page with a bad health."""
    nodes = tuple(_nodes(xml))
    return Page(package, activity, nodes, _health(nodes, package, activity), read_at_s)


def _nodes(xml: str) -> list[Node]:
    if not xml or xml.isspace():
        return []
    if len(xml) > DUMP_LIMIT_BYTES:
        raise Unreadable("the dump is too large")
    try:
        return quick_nodes(xml)
    except Unlike:
        return parsed_nodes(xml)


def parsed_nodes(xml: str) -> list[Node]:
    """Return what a parser finds in a dump of any form; Unreadable if that is no tree."""
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise Unreadable("the dump defines entities")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(repair(xml).encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Unreadable("the dump is no well-formed tree") from None
    found: list[Node] = []
    for child in root:
        _collect(child, found)
    return found


def _collect(top: etree._Element, found: list[Node]) -> None:
    """Append the tree below `top` in document order, without recursion: dumps can be deep."""
    open_at: list[tuple[etree._Element, int]] = []
    for event, element in etree.iterwalk(top, events=("start", "end")):
        if event == "start":
            open_at.append((element, len(found)))
            found.append(_node(element, len(found), open_at[-2][1] if len(open_at) > 1 else -1))
        else:
            _, index = open_at.pop()
            found[index] = found[index]._replace(end=len(found))


def _node(element: etree._Element, index: int, parent: int) -> Node:
    get = element.get
    return Node(
        index,
        parent,
        index + 1,
        get("class") or "",
        get("text") or "",
        get("content-desc") or "",
        get("resource-id") or "",
        get("package") or "",
        _box(get("bounds")),
        get("clickable") == "true",
        get("scrollable") == "true",
        get("focused") == "true",
        get("selected") == "true",
        get("enabled") != "false",
    )


def _box(bounds: str | None) -> Box:
    match = _BOUNDS.fullmatch(bounds or "")
    return Box(*map(int, match.groups())) if match else Box(0, 0, 0, 0)


def _health(nodes: Sequence[Node], package: str, activity: str) -> Health:
    if not any(node.package == package and not node.box.is_empty() for node in nodes if node.parent < 0):
        return Health.EMPTY
    own = [node for node in nodes if node.package == package]
    web_views = [node for node in own if node.cls == WEB_VIEW]
    if activity.endswith("MMWebViewUI") or any(_is_bare(nodes, node) for node in web_views):
        return Health.WEBVIEW
    if len(own) < 2 or sum(node.box.is_empty() for node in own[1:]) * 2 > len(own) - 1:
        return Health.EMPTY
    if package == PACKAGE and _is_senseless(own):
        return Health.SCRAMBLED
    return Health.OK


def _is_bare(nodes: Sequence[Node], node: Node) -> bool:
    return not any(inner.text for inner in nodes[node.at : node.end])


def _is_senseless(own: Sequence[Node]) -> bool:
    """Tell whether hardly any node has a label, or hardly any label a letter, digit or Chinese character."""
    labels = [label for node in own if (label := node.text or node.desc) and not label.isspace()]
    if not labels or (len(own) >= FEW_NODES and len(labels) < len(own) * LABEL_SHARE):
        return True
    return sum(1 for label in labels if _SENSE.search(label)) * 2 <= len(labels)
