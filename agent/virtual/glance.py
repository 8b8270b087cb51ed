"""One look at the screen for one JSON-RPC call: windows, selector matches, and its tree faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.virtual.faults import Fault
from agent.virtual.handset import Handset
from agent.virtual.hierarchy import nonsense, scrambled
from agent.virtual.matcher import BadSelector, Found, find_all
from agent.virtual.ui import Node, Rect

OBJECT_KEY_MS = 60_000


class RpcError(Exception):
    """An answer with an `error` object: code, Java class name, stack trace or message."""

    def __init__(self, code: int, message: str, data: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data or message


def bad_params() -> RpcError:
    """Return the error for parameters that no overload takes."""
    return RpcError(-32602, "method parameters invalid")


def not_found(what: object) -> RpcError:
    """Return the error for a selector that matches nothing."""
    return RpcError(-32001, "androidx.test.uiautomator.UiObjectNotFoundException", str(what))


class ObjectKeys:
    """Objects by key, as getUiObject and childBy… hand them out; valid for 60 s."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._finders: dict[str, tuple[int, Callable[[Glance], list[Found]]]] = {}
        self._next = 1

    def add(self, finder: Callable[[Glance], list[Found]]) -> str:
        """Keep a way to find an object and return its key."""
        now = self._clock()
        self._finders = {key: each for key, each in self._finders.items() if each[0] > now}
        key = f"object-{self._next}"
        self._next += 1
        self._finders[key] = (now + OBJECT_KEY_MS, finder)
        return key

    def finder(self, key: str) -> Callable[[Glance], list[Found]]:
        """Return how an object is found; raises RpcError when the key is not known or too old."""
        kept = self._finders.get(key)
        if kept is None or kept[0] <= self._clock():
            raise not_found(f"no object of key {key}")
        return kept[1]

    def names(self) -> list[str]:
        """Return all keys."""
        return list(self._finders)

    def remove(self, key: str) -> bool:
        """Forget a key; False if it was not known."""
        return self._finders.pop(key, None) is not None


class Glance:
    """The screen as one call sees it; each question reads the tree anew."""

    def __init__(self, handset: Handset, keys: ObjectKeys, method: str) -> None:
        self.handset, self.keys = handset, keys
        self._is_empty = handset.faults.take(Fault.EMPTY_TREE, method) is not None
        self._is_scrambled = handset.faults.take(Fault.SCRAMBLED_TREE, method) is not None
        self._is_nonsense = handset.faults.take(Fault.NONSENSE_TREE, method) is not None

    @property
    def screen(self) -> Rect:
        """Return the rectangle of the screen."""
        return Rect(0, 0, self.handset.width, self.handset.height)

    def roots(self) -> list[Node]:
        """Return all window roots, in no order."""
        return [] if self._is_empty else [self._seen(root) for root in self.handset.roots()]

    def active(self) -> Node | None:
        """Return the root of the focused window."""
        root = None if self._is_empty else self.handset.active_root()
        return None if root is None else self._seen(root)

    def find_all(self, target: object, *, is_focused_only: bool = False) -> list[Found]:
        """Return all that a selector or an object key means; RpcError if it is neither.

        UiCollection, UiScrollable and kept UiObjects look in the focused window only.
        """
        if isinstance(target, str):
            return self.keys.finder(target)(self)
        if not isinstance(target, Mapping):
            raise bad_params()
        selector: Mapping[str, Any] = target
        try:
            active = self.active()
            if is_focused_only:
                return find_all(selector, [] if active is None else [active], active, self.screen)
            return find_all(selector, self.roots(), active, self.screen)
        except (BadSelector, TypeError, ValueError) as error:
            raise bad_params() from error

    def find(self, target: object, *, is_focused_only: bool = False) -> Found | None:
        """Return the first match or None."""
        found = self.find_all(target, is_focused_only=is_focused_only)
        return found[0] if found else None

    def need(self, target: object, *, is_focused_only: bool = False) -> Found:
        """Return the first match; RpcError (object not found) if there is none."""
        found = self.find(target, is_focused_only=is_focused_only)
        if found is None:
            raise not_found(target if isinstance(target, str) else "UiSelector[...]")
        return found

    def state(self) -> list[tuple[object, ...]]:
        """Return what tells two screens apart: place, text and description of all nodes in front."""
        return [
            (node.bounds, node.text, node.desc, node.checked, node.package)
            for root in self.handset.front.windows()
            for node in root.walk()
        ]

    def _seen(self, root: Node) -> Node:
        if self._is_nonsense:
            return nonsense(root, self.handset.random)
        return scrambled(root, self.handset.random) if self._is_scrambled else root
