"""The views of a dump and where they stand."""

from __future__ import annotations

from typing import NamedTuple


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
