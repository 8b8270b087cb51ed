"""JSON-RPC methods that touch the screen: clicks, swipes, drags, scrolls, flings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from agent.virtual.glance import Glance, bad_params
from agent.virtual.matcher import Found
from agent.virtual.touchscreen import LONG_PRESS_MS, PRESS_MS, SWIPE_STEP_MS

Handler = Callable[[Glance, list[Any]], Awaitable[Any]]
FLING_STEPS = 5
SCROLL_STEPS = 55
MAX_SEARCH_SWIPES = 30
# UiScrollable leaves a tenth at both ends alone.
DEAD_ZONE = 0.1


class TouchMethods:
    """The methods whose overloads take points, selectors or object keys."""

    def table(self) -> dict[str, Handler]:
        """Return the methods by their JSON-RPC name."""
        return {
            "click": self._click,
            "longClick": lambda glance, params: self._press(glance, params, LONG_PRESS_MS),
            "clickAndWaitForNewWindow": self._click_for_window,
            "drag": self._swipe,
            "swipe": self._swipe,
            "swipePoints": self._swipe_points,
            "dragTo": self._drag_to,
            "gesture": _two_fingers,
            "pinchIn": _two_fingers,
            "pinchOut": _two_fingers,
            "injectInputEvent": _inject,
            "flingForward": lambda glance, params: self._scroll(glance, params, forward=True, is_fling=True),
            "flingBackward": lambda glance, params: self._scroll(
                glance, params, forward=False, is_fling=True
            ),
            "scrollForward": lambda glance, params: self._scroll(glance, params, forward=True),
            "scrollBackward": lambda glance, params: self._scroll(glance, params, forward=False),
            "flingToEnd": lambda glance, params: self._to_edge(glance, params, forward=True),
            "flingToBeginning": lambda glance, params: self._to_edge(glance, params, forward=False),
            "scrollToEnd": lambda glance, params: self._to_edge(glance, params, forward=True),
            "scrollToBeginning": lambda glance, params: self._to_edge(glance, params, forward=False),
            "scrollTo": self._scroll_to,
        }

    async def _click(self, glance: Glance, params: list[Any]) -> bool:
        if _are_numbers(params[:2]) and len(params) >= 2:
            x, y = params[:2]
            if x < 0 or y < 0:
                return False
            await glance.handset.touchscreen.click(x, y, int(params[2]) if len(params) > 2 else PRESS_MS)
            return True
        return await self._press(glance, params, PRESS_MS)

    async def _press(self, glance: Glance, params: list[Any], hold_ms: int) -> bool:
        x, y = _corner(glance.need(params[0]), params[1] if len(params) > 1 else "")
        await glance.handset.touchscreen.click(x, y, hold_ms)
        return True

    async def click_object(self, glance: Glance, target: object) -> None:
        """Click the middle of an object."""
        await self._press(glance, [target], PRESS_MS)

    async def _click_for_window(self, glance: Glance, params: list[Any]) -> bool:
        before = glance.state()
        await self._press(glance, params[:1], PRESS_MS)
        return glance.state() != before

    async def _swipe(self, glance: Glance, params: list[Any]) -> bool:
        screen = glance.handset.touchscreen
        if _are_numbers(params) and len(params) == 5:
            x1, y1, x2, y2, steps = params
            await screen.swipe(x1, y1, x2, y2, int(steps))
            return True
        target, direction, *rest = params
        percent = float(rest[0]) if len(rest) > 1 else 1.0
        x1, y1, x2, y2 = _across(glance.need(target), str(direction), percent)
        await screen.swipe(x1, y1, x2, y2, int(rest[-1]))
        return True

    async def _swipe_points(self, glance: Glance, params: list[Any]) -> bool:
        points, steps = params
        if len(points) < 4 or len(points) % 2 or not _are_numbers(points):
            raise bad_params()
        (x1, y1), (x2, y2) = points[:2], points[-2:]
        await glance.handset.touchscreen.swipe(x1, y1, x2, y2, int(steps))
        return True

    async def _drag_to(self, glance: Glance, params: list[Any]) -> bool:
        x1, y1 = _corner(glance.need(params[0]), "")
        if _are_numbers(params[1:]) and len(params) == 4:
            x2, y2 = params[1:3]
        else:
            x2, y2 = _corner(glance.need(params[1]), "")
        touchscreen = glance.handset.touchscreen
        await touchscreen.swipe(x1, y1, x2, y2, int(params[-1]))
        return True

    async def _scroll(
        self, glance: Glance, params: list[Any], *, forward: bool, is_fling: bool = False
    ) -> bool:
        target, is_vertical, *rest = params
        steps = FLING_STEPS if is_fling or not rest else int(rest[0])
        return await self._scroll_once(glance, target, bool(is_vertical), forward, steps)

    async def _to_edge(self, glance: Glance, params: list[Any], *, forward: bool) -> bool:
        target, is_vertical, max_swipes, *rest = params
        steps = int(rest[0]) if rest else FLING_STEPS
        for _ in range(int(max_swipes)):
            if not await self._scroll_once(glance, target, bool(is_vertical), forward, steps):
                break
        return True

    async def _scroll_to(self, glance: Glance, params: list[Any]) -> bool:
        target, wanted, is_vertical = params
        return await self.scroll_into_view(
            glance, target, lambda: glance.find(wanted) is not None, bool(is_vertical)
        )

    async def scroll_into_view(
        self, glance: Glance, target: object, is_there: Callable[[], bool], is_vertical: bool
    ) -> bool:
        """Scroll to the beginning, then forward until the condition holds; False when it never did."""
        if is_there():
            return True
        await self._to_edge(glance, [target, is_vertical, MAX_SEARCH_SWIPES, SCROLL_STEPS], forward=False)
        for _ in range(MAX_SEARCH_SWIPES):
            if is_there():
                return True
            if not await self._scroll_once(glance, target, is_vertical, True, SCROLL_STEPS):
                break
        return is_there()

    async def _scroll_once(
        self, glance: Glance, target: object, is_vertical: bool, forward: bool, steps: int
    ) -> bool:
        area = glance.need(target, is_focused_only=True)
        before = glance.state()
        direction = ("up" if forward else "down") if is_vertical else ("left" if forward else "right")
        await glance.handset.touchscreen.swipe(*_drag_over(area, direction), steps)
        return glance.state() != before


async def _inject(glance: Glance, params: list[Any]) -> bool:
    action, x, y = params[:3]
    if not _are_numbers([action, x, y]):
        raise bad_params()
    return glance.handset.touchscreen.inject(int(action), float(x), float(y))


async def _two_fingers(glance: Glance, params: list[Any]) -> bool:
    glance.need(params[0])
    touchscreen = glance.handset.touchscreen
    await touchscreen.pause(int(params[-1]) * SWIPE_STEP_MS)
    touchscreen.counters["two_fingers"] += 1
    return True


def _are_numbers(values: list[Any]) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _corner(found: Found, corner: object) -> tuple[float, float]:
    box = found.bounds
    if corner in ("tl", "topleft"):
        return box.left + 5, box.top + 5
    if corner in ("br", "bottomright"):
        return box.right - 5, box.bottom - 5
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def _across(found: Found, direction: str, percent: float) -> tuple[float, float, float, float]:
    """Return a swipe over the whole of an object, shortened to a part of it."""
    x, y = _corner(found, "")
    box = found.bounds
    half_x, half_y = (box.width - 10) / 2 * percent, (box.height - 10) / 2 * percent
    moves: Mapping[str, tuple[float, float]] = {
        "left": (-half_x, 0),
        "right": (half_x, 0),
        "up": (0, -half_y),
        "down": (0, half_y),
    }
    if direction not in moves:
        raise bad_params()
    move_x, move_y = moves[direction]
    return x - move_x, y - move_y, x + move_x, y + move_y


def _drag_over(area: Found, direction: str) -> tuple[float, float, float, float]:
    return _across(area, direction, 1 - 2 * DEAD_ZONE)
