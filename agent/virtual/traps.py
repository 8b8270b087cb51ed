"""Traps of one virtual phone: what comes between two looks at the screen, set by the count of dumps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class TrapName(StrEnum):
    """What can happen to the screen without a touch of the agent's."""

    UPDATE_DIALOG = "update_dialog"  # WeChat asks to be updated
    PERMISSION_DIALOG = "permission_dialog"  # WeChat asks for a permission, in an activity of its own
    SYSTEM_PERMISSION = "system_permission"  # Android asks for it, in a package of its own
    LIST_MOVES = "list_moves"  # a message lifts the last chat to the top
    OTHER_PAGE = "other_page"  # another page stands there, its button at the same place
    HALF_PAGES = "half_pages"  # each new page comes in pieces, `dumps` looks a piece
    EMPTY_TREE = "empty_tree"  # for `dumps` looks
    SCRAMBLED_TREE = "scrambled_tree"  # for `dumps` looks: no words
    NONSENSE_TREE = "nonsense_tree"  # for `dumps` looks: words without sense, another structure each time


@dataclass(slots=True)
class _Set:
    name: TrapName
    left: int
    dumps: int | None


class Traps:
    """Counts the looks at the screen and springs what was set. All calls are made on the phone's loop."""

    def __init__(self) -> None:
        self.spring: Callable[[TrapName, int | None], None] = lambda _name, _dumps: None
        self.on_dump: Callable[[], None] = lambda: None
        self.end: Callable[[], None] = lambda: None
        self.dumps = 0
        self.sprung: list[TrapName] = []
        self._set: list[_Set] = []

    def set(self, name: str, *, after_dumps: int = 0, dumps: int | None = 1) -> None:
        """Spring a trap right after so many more dumps (0: now); ValueError if there is none of that name.

        `dumps` is how long trees and half pages last, None until cleared; other traps take no notice of it.
        """
        trap = TrapName(name)
        if after_dumps > 0:
            self._set.append(_Set(trap, after_dumps, dumps))
        else:
            self._spring(trap, dumps)

    def clear(self) -> None:
        """Forget what is set and end what lasts; windows that came stay until somebody closes them."""
        self._set.clear()
        self.end()

    def dumped(self) -> None:
        """Note that the screen was looked at; what comes now comes between this look and the next step."""
        self.dumps += 1
        self.on_dump()
        due = []
        for one in self._set:
            one.left -= 1
            if one.left <= 0:
                due.append(one)
        self._set = [one for one in self._set if one.left > 0]
        for one in due:
            self._spring(one.name, one.dumps)

    def _spring(self, name: TrapName, dumps: int | None) -> None:
        self.sprung.append(name)
        self.spring(name, dumps)
