"""What the virtual handset and the apps on it agree on: a tree of nodes, and the calls an app must answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Rect(NamedTuple):
    """A rectangle in pixels of the screen; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Return the width in pixels, never negative."""
        return max(0, self.right - self.left)

    @property
    def height(self) -> int:
        """Return the height in pixels, never negative."""
        return max(0, self.bottom - self.top)

    def contains(self, x: float, y: float) -> bool:
        """Tell whether the point lies inside."""
        return self.left <= x < self.right and self.top <= y < self.bottom

    def clip(self, other: Rect) -> Rect:
        """Return what both share; empty rectangles keep their corner."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        return Rect(
            left, top, max(left, min(self.right, other.right)), max(top, min(self.bottom, other.bottom))
        )


@dataclass(slots=True, kw_only=True)
class Look:
    """How a node is painted in screenshots; never part of a dump."""

    fill: str = ""  # "#rrggbb", empty = transparent
    ink: str = "#191919"
    text_px: int = 0  # 0 = not painted (a description has no ink)
    align: str = "left"  # left | center | right
    radius_px: int = 0
    shape: str = ""  # "" | avatar | icon name: the painter draws something recognisable


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """One view as accessibility shows it; `rid` is the full resource name, `act` what a tap means."""

    bounds: Rect
    cls: str = "android.view.View"
    text: str = ""
    desc: str = ""
    rid: str = ""
    package: str = "com.tencent.mm"
    hint: str = ""
    clickable: bool = False
    long_clickable: bool = False
    scrollable: bool = False
    checkable: bool = False
    checked: bool = False
    enabled: bool = True
    focusable: bool = False
    focused: bool = False
    selected: bool = False
    password: bool = False
    visible: bool = True
    act: str = ""
    arg: str = ""
    look: Look = field(default_factory=Look)
    is_kept: bool = False  # the same object is drawn again as long as nothing in it changes
    written: tuple[object, list[str]] | None = field(default=None, repr=False)  # its lines of the last dump
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()


class App(Protocol):
    """An app in front of a virtual handset. All calls are quick, synchronous and made on one event loop."""

    package: str

    def activity(self) -> str:
        """Return the full class name of the activity in front."""

    def windows(self) -> list[Node]:
        """Return the app's window roots, lowest first; a fresh tree at each call."""

    def launch(self) -> None:
        """Come to the front as after a tap on the launcher icon."""

    def stop(self) -> None:
        """Forget all pages, as after a force-stop."""

    def tap(self, x: float, y: float) -> None:
        """A short touch at a point."""

    def long_tap(self, x: float, y: float) -> None:
        """A touch of half a second or more."""

    def swipe(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """A drag from one point to another."""

    def back(self) -> bool:
        """The back key; False = the app leaves the front."""

    def type_text(self, text: str) -> None:
        """Append text to the focused field; nothing happens without one."""

    def set_text(self, node: Node, text: str) -> bool:
        """Replace the text of an editable node; False if it cannot be edited."""

    def editor_action(self) -> None:
        """The action key of the keyboard (search, send) on the focused field."""

    def take_toast(self) -> str | None:
        """Return a toast shown since the last call, once."""

    def notifications(self) -> list[Notification]:
        """Return what stands in the notification shade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One entry of the notification shade."""

    key_id: int
    channel: str
    title: str
    text: str
    ticker: str
    when_ms: int
