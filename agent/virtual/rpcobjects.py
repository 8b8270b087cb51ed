"""JSON-RPC methods about objects on the screen: existence, information, text, keys, watchers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.virtual.glance import Glance, bad_params, not_found
from agent.virtual.keys import PRESS_NAMES
from agent.virtual.matcher import Found, is_plain, matches
from agent.virtual.rpctouch import TouchMethods
from agent.virtual.ui import Rect

Handler = Callable[[Glance, list[Any]], Awaitable[Any]]
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Watcher:
    """Runs when all conditions are on the screen: a click, or keys."""

    conditions: tuple[object, ...]
    target: object | None
    keys: tuple[str, ...]


class ObjectMethods:
    """The methods that take a selector or an object key."""

    def __init__(self, touch: TouchMethods) -> None:
        self._touch = touch
        self._watchers: dict[str, Watcher] = {}
        self._triggered: set[str] = set()

    def table(self) -> dict[str, Handler]:
        """Return the methods by their JSON-RPC name."""
        return {
            "exist": _read(lambda glance, params: glance.find(params[0]) is not None),
            "count": _read(lambda glance, params: len(glance.find_all(params[0]))),
            "objInfo": _read(lambda glance, params: _info(glance.need(params[0]), params[0])),
            "objInfoOfAllInstances": _read(
                lambda glance, params: [_info(each, params[0]) for each in glance.find_all(params[0])]
            ),
            "getText": _read(lambda glance, params: glance.need(params[0]).node.text),
            "waitForExists": lambda glance, params: _wait(glance, params, is_wanted=True),
            "waitUntilGone": lambda glance, params: _wait(glance, params, is_wanted=False),
            "setText": _read(lambda glance, params: _set_text(glance, params[0], params[1])),
            "clearTextField": _read(lambda glance, params: _set_text(glance, params[0], "")),
            "getUiObject": _read(_new_key),
            "getUiObjects": _read(lambda glance, _: glance.keys.names()),
            "removeUiObject": _read(lambda glance, params: glance.keys.remove(str(params[0]))),
            "getChild": _read(lambda glance, params: _relative(glance, params, "child")),
            "getFromParent": _read(lambda glance, params: _relative(glance, params, "sibling")),
            "childByText": lambda glance, params: self._child_by(glance, params, "text"),
            "childByDescription": lambda glance, params: self._child_by(glance, params, "desc"),
            "childByInstance": _read(_child_by_instance),
            "waitForIdle": _read(lambda *_: None),
            "waitForWindowUpdate": _wait_for_update,
            **self._watcher_table(),
        }

    # --- children by what they hold

    async def _child_by(self, glance: Glance, params: list[Any], field: str) -> str:
        container, pattern, wanted, *rest = params

        def finder(look: Glance) -> list[Found]:
            rows = _below(look, container, pattern)
            return [row for row in rows if _holds(row, field, str(wanted))]

        if rest and rest[0]:
            await self._touch.scroll_into_view(glance, container, lambda: bool(finder(glance)), True)
        if not finder(glance):
            raise not_found(f"for {field}")
        return glance.keys.add(finder)

    # --- watchers

    def _watcher_table(self) -> dict[str, Handler]:
        return {
            "registerClickUiObjectWatcher": _read(
                lambda _, params: self._register(params[0], params[1], target=params[2])
            ),
            "registerPressKeyskWatcher": _read(
                lambda _, params: self._register(params[0], params[1], keys=params[2])
            ),
            "removeWatcher": _read(lambda _, params: self._watchers.pop(str(params[0]), None) is not None),
            "getWatchers": _read(lambda *_: list(self._watchers)),
            "runWatchers": self._run_watchers,
            "hasWatcherTriggered": _read(lambda _, params: params[0] in self._triggered),
            "hasAnyWatcherTriggered": _read(lambda *_: bool(self._triggered)),
            "resetWatcherTriggers": _read(lambda *_: self._triggered.clear()),
        }

    def _register(
        self,
        name: object,
        conditions: list[Any],
        *,
        target: object | None = None,
        keys: list[str] | None = None,
    ) -> None:
        self._watchers[str(name)] = Watcher(tuple(conditions), target, tuple(keys or ()))

    async def _run_watchers(self, glance: Glance, params: list[Any]) -> None:
        _ = params
        for name, watcher in self._watchers.items():
            if not all(glance.find(condition) for condition in watcher.conditions):
                continue
            self._triggered.add(name)
            for key in watcher.keys:
                glance.handset.keyboard.press(PRESS_NAMES[key])
            if watcher.target is not None:
                await self._touch.click_object(glance, watcher.target)


def _read(function: Callable[[Glance, list[Any]], Any]) -> Handler:
    async def handler(glance: Glance, params: list[Any]) -> Any:
        return function(glance, params)

    return handler


async def _wait(glance: Glance, params: list[Any], *, is_wanted: bool) -> bool:
    target, limit_ms = params
    deadline = time.monotonic() + int(limit_ms) / 1_000
    while (glance.find(target) is not None) is not is_wanted:
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        await asyncio.sleep(min(POLL_S, left))
    return True


async def _wait_for_update(glance: Glance, params: list[Any]) -> bool:
    package, limit_ms = params
    before = glance.state()
    deadline = time.monotonic() + int(limit_ms) / 1_000
    while glance.state() == before or (package and glance.handset.front.package != package):
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        await asyncio.sleep(min(POLL_S, left))
    return True


def _set_text(glance: Glance, target: object, text: object) -> bool:
    if not isinstance(text, str):
        raise bad_params()
    return glance.handset.set_text(glance.need(target).node, text)


def _new_key(glance: Glance, params: list[Any]) -> str:
    selector = params[0]
    if not isinstance(selector, Mapping):
        raise bad_params()
    return glance.keys.add(lambda look: look.find_all(selector, is_focused_only=True))


def _relative(glance: Glance, params: list[Any], kind: str) -> str:
    key, selector = params
    finder = glance.keys.finder(str(key))

    def relative(look: Glance) -> list[Found]:
        bases = finder(look)[:1]
        tops = [base if kind == "child" else base.parent for base in bases]
        return [
            hit
            for top in tops
            if top is not None
            for child in top.children()
            for hit in child.walk()
            if matches(selector, hit)
        ]

    return glance.keys.add(relative)


def _below(glance: Glance, container: object, pattern: Mapping[str, Any]) -> list[Found]:
    area = glance.find(container, is_focused_only=True)
    if area is None:
        return []
    return [hit for child in area.children() for hit in child.walk() if matches(pattern, hit)]


def _child_by_instance(glance: Glance, params: list[Any]) -> str:
    container, pattern, instance = params

    def finder(look: Glance) -> list[Found]:
        return _below(look, container, pattern)[int(instance) :][:1]

    if not finder(glance):
        raise not_found(f"instance {instance}")
    return glance.keys.add(finder)


def _holds(row: Found, field: str, wanted: str) -> bool:
    return any(getattr(hit.node, field) == wanted for hit in row.walk())


def _info(found: Found, target: object) -> dict[str, Any]:
    node = found.node
    info: dict[str, Any] = {
        "bounds": _box(found.bounds),
        "visibleBounds": _box(found.bounds),
        "childCount": len(node.children),
        "className": node.cls,
        "contentDescription": node.desc or None,
        "packageName": node.package,
        "text": node.text,
        "checkable": node.checkable,
        "checked": node.checked,
        "clickable": node.clickable,
        "enabled": node.enabled,
        "focusable": node.focusable,
        "focused": node.focused,
        "longClickable": node.long_clickable,
        "scrollable": node.scrollable,
        "selected": node.selected,
    }
    if isinstance(target, Mapping) and is_plain(target):
        info["resourceName"] = node.rid or None
    return info


def _box(rect: Rect) -> dict[str, int]:
    return {"left": rect.left, "top": rect.top, "right": rect.right, "bottom": rect.bottom}
