"""The drawn shapes that a Look may name."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from PIL import ImageDraw

from agent.virtual.ui import Rect

Drawer = Callable[[ImageDraw.ImageDraw, float, float, float, str, int], None]
_AVATAR_COLORS = ("#5b8def", "#f29d49", "#57be6a", "#e8706e", "#9a7ed8", "#45b5c4", "#c9a24b", "#7c8aa5")


def draw_shape(draw: ImageDraw.ImageDraw, shape: str, bounds: Rect, ink: str, label: str) -> None:
    """Draw a shape in the middle of a rectangle; names that are not known become a framed letter."""
    if shape == "avatar":
        _avatar(draw, bounds, label)
        return
    size = min(bounds.width, bounds.height)
    middle_x, middle_y = bounds.left + bounds.width / 2, bounds.top + bounds.height / 2
    radius = max(4.0, min(size * 0.36, 44.0))
    line = max(2, int(radius / 8))
    _DRAWERS.get(shape, _frame)(draw, middle_x, middle_y, radius, ink, line)
    if shape not in _DRAWERS:
        draw.text((middle_x, middle_y), shape[:1].upper(), fill=ink, anchor="mm", font_size=radius)


def _avatar(draw: ImageDraw.ImageDraw, bounds: Rect, label: str) -> None:
    from agent.virtual.paint import font_of

    color = _AVATAR_COLORS[zlib.crc32(label.encode()) % len(_AVATAR_COLORS)]
    size = min(bounds.width, bounds.height)
    box = (bounds.left, bounds.top, bounds.left + size - 1, bounds.top + size - 1)
    draw.rounded_rectangle(box, radius=max(2, size // 10), fill=color)
    sign = label.removesuffix("头像").strip()[:1]
    if sign:
        font = font_of(max(8, size // 2))
        left = bounds.left + (size - draw.textlength(sign, font=font)) / 2
        draw.text((left, bounds.top + size * 0.2), sign, font=font, fill="#ffffff")


def _circle(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    draw.ellipse((x - r, y - r, x + r, y + r), outline=ink, width=line)


def _frame(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    draw.rounded_rectangle((x - r, y - r, x + r, y + r), radius=r / 4, outline=ink, width=line)


def _back(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    draw.line([(x + r / 3, y - r * 0.7), (x - r / 3, y), (x + r / 3, y + r * 0.7)], fill=ink, width=line)


def _more(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    for offset in (-r * 0.7, 0.0, r * 0.7):
        draw.ellipse((x + offset - line, y - line, x + offset + line, y + line), fill=ink)


def _search(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    _circle(draw, x - r * 0.15, y - r * 0.15, r * 0.6, ink, line)
    draw.line([(x + r * 0.3, y + r * 0.3), (x + r * 0.85, y + r * 0.85)], fill=ink, width=line)


def _plus(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    _circle(draw, x, y, r, ink, line)
    draw.line([(x - r * 0.5, y), (x + r * 0.5, y)], fill=ink, width=line)
    draw.line([(x, y - r * 0.5), (x, y + r * 0.5)], fill=ink, width=line)


def _chat(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    draw.ellipse((x - r, y - r * 0.85, x + r, y + r * 0.6), outline=ink, width=line)
    draw.line([(x - r * 0.5, y + r * 0.45), (x - r * 0.75, y + r * 0.95)], fill=ink, width=line)


def _person(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    _circle(draw, x, y - r * 0.4, r * 0.45, ink, line)
    draw.arc((x - r * 0.9, y + r * 0.1, x + r * 0.9, y + r * 1.7), 180, 360, fill=ink, width=line)


def _compass(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    _circle(draw, x, y, r, ink, line)
    draw.polygon(
        [(x + r * 0.5, y - r * 0.5), (x + r * 0.15, y + r * 0.15), (x - r * 0.5, y + r * 0.5)], outline=ink
    )


def _heart(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    draw.arc((x - r, y - r * 0.8, x, y + r * 0.2), 135, 360, fill=ink, width=line)
    draw.arc((x, y - r * 0.8, x + r, y + r * 0.2), 180, 45, fill=ink, width=line)
    draw.line([(x - r * 0.85, y), (x, y + r * 0.9), (x + r * 0.85, y)], fill=ink, width=line)


def _check(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    draw.line(
        [(x - r * 0.7, y), (x - r * 0.15, y + r * 0.55), (x + r * 0.75, y - r * 0.5)], fill=ink, width=line
    )


def _close(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    for sign in (1, -1):
        draw.line(
            [(x - r * 0.6, y - sign * r * 0.6), (x + r * 0.6, y + sign * r * 0.6)], fill=ink, width=line
        )


def _arrow(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    draw.line([(x - r / 3, y - r * 0.7), (x + r / 3, y), (x - r / 3, y + r * 0.7)], fill=ink, width=line)


def _dot(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    _ = line
    draw.ellipse((x - r, y - r, x + r, y + r), fill=ink)


def _battery(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    draw.rectangle((x - r, y - r * 0.5, x + r * 0.8, y + r * 0.5), outline=ink, width=line)
    draw.rectangle((x - r * 0.75, y - r * 0.25, x + r * 0.4, y + r * 0.25), fill=ink)
    draw.rectangle((x + r * 0.8, y - r * 0.2, x + r, y + r * 0.2), fill=ink)


def _smile(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    _circle(draw, x, y, r, ink, line)
    draw.arc((x - r * 0.5, y - r * 0.4, x + r * 0.5, y + r * 0.6), 20, 160, fill=ink, width=line)


def _speaker(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, ink: str, line: int) -> None:
    for scale in (0.35, 0.65, 0.95):
        size = r * scale
        draw.arc((x - size, y - size, x + size, y + size), 300, 60, fill=ink, width=line)


_DRAWERS: dict[str, Drawer] = {
    "back": _back,
    "more": _more,
    "search": _search,
    "plus": _plus,
    "add": _plus,
    "chat": _chat,
    "contacts": _person,
    "person": _person,
    "me": _person,
    "discover": _compass,
    "compass": _compass,
    "heart": _heart,
    "like": _heart,
    "check": _check,
    "close": _close,
    "arrow": _arrow,
    "dot": _dot,
    "battery": _battery,
    "smile": _smile,
    "emoji": _smile,
    "voice": _speaker,
    "circle": _circle,
}
