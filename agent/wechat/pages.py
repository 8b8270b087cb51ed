"""A snapshot of the screen: the nodes of a dump, its windows, and whether they can be trusted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from lxml import etree

from agent.errors import Unreadable
from agent.wechat.clients import PACKAGE

# A full page of the client is about 160 kB; a tree of this size is an attack or a defect.
DUMP_LIMIT_BYTES = 4 * 1024 * 1024
WEB_VIEW = "android.webkit.WebView"
EDIT_TEXT = "android.widget.EditText"
_REFERENCES = re.compile(r"(?:&#(?:x[0-9a-fA-F]{1,8}|[0-9]{1,10});)+")
_REFERENCE = re.compile(r"&#(x?)([0-9a-fA-F]+);")
_RAW_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
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


class Box(NamedTuple):
    """A rectangle in pixels of the screen; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Return the width, never negative."""
        return max(0, self.right - self.left)

    @property
    def height(self) -> int:
        """Return the height, never negative."""
        return max(0, self.bottom - self.top)

    @property
    def centre(self) -> tuple[int, int]:
        """Return the point in the middle."""
        return (self.left + self.right) // 2, (self.top + self.bottom) // 2

    def is_empty(self) -> bool:
        """Tell whether it covers no pixel."""
        return self.right <= self.left or self.bottom <= self.top

    def holds(self, x: int, y: int) -> bool:
        """Tell whether a point lies inside."""
        return self.left <= x < self.right and self.top <= y < self.bottom

    def above(self, bottom: int) -> Box:
        """Return the part above a line."""
        return self._replace(bottom=min(self.bottom, bottom))

    def below(self, top: int) -> Box:
        """Return the part below a line."""
        return self._replace(top=max(self.top, top))


class Node(NamedTuple):
    """One view of a dump; `at` is its place in document order, `end` the place after its last descendant."""

    at: int
    parent: int  # -1 for the root of a window
    end: int
    cls: str
    text: str
    desc: str
    rid: str
    package: str
    box: Box
    clickable: bool
    scrollable: bool
    focused: bool
    selected: bool
    enabled: bool

    @property
    def label(self) -> str:
        """Return the text, or the description where there is none."""
        return self.text or self.desc


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
    if not xml.strip():
        return []
    if len(xml) > DUMP_LIMIT_BYTES or "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise Unreadable("the dump is too large or defines entities")
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


def repair(xml: str) -> str:
    """Return the dump with every character XML allows: pairs joined, lone halves marked, the rest dropped."""
    if "&#" in xml:
        xml = _REFERENCES.sub(_repaired, xml)
    return _RAW_CONTROL.sub("", xml)


def _repaired(run: re.Match[str]) -> str:
    codes = [int(digits, 16 if is_hex else 10) for is_hex, digits in _REFERENCE.findall(run[0])]
    out: list[str] = []
    at = 0
    while at < len(codes):
        first, second = codes[at], codes[at + 1] if at + 1 < len(codes) else 0
        if 0xD800 <= first < 0xDC00 <= second < 0xE000:
            out.append(chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)))
            at += 2
        else:
            out.append(_character(first))
            at += 1
    return "".join(out)


def _character(code: int) -> str:
    if 0xD800 <= code < 0xE000 or code > 0x10FFFF:
        return "\ufffd"
    if code in (9, 10, 13) or (code >= 0x20 and code not in (0xFFFE, 0xFFFF)):
        return f"&#{code};"  # stays a reference: it may be a quote or an angle bracket
    return ""


def _health(nodes: Sequence[Node], package: str, activity: str) -> Health:
    if not any(node.package == package and not node.box.is_empty() for node in nodes if node.parent < 0):
        return Health.EMPTY
    own = [node for node in nodes if node.package == package]
    if activity.endswith("MMWebViewUI") or any(_is_bare_web_view(nodes, node) for node in own):
        return Health.WEBVIEW
    if len(own) < 2 or sum(node.box.is_empty() for node in own[1:]) * 2 > len(own) - 1:
        return Health.EMPTY
    if package == PACKAGE and _is_senseless(own):
        return Health.SCRAMBLED
    return Health.OK


def _is_bare_web_view(nodes: Sequence[Node], node: Node) -> bool:
    return node.cls == WEB_VIEW and not any(inner.text for inner in nodes[node.at : node.end])


def _is_senseless(own: Sequence[Node]) -> bool:
    """Tell whether hardly any node has a label, or hardly any label a letter, digit or Chinese character."""
    labels = [node.label for node in own if node.label.strip()]
    if not labels or (len(own) >= FEW_NODES and len(labels) < len(own) * LABEL_SHARE):
        return True
    return sum(1 for label in labels if _SENSE.search(label)) * 2 <= len(labels)
