"""Screenshots of a virtual phone: its node trees, painted."""

from __future__ import annotations

import hashlib
import io
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from agent.virtual.handset import Handset
from agent.virtual.icons import draw_shape
from agent.virtual.ui import Node, Rect

_FONTS = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
)
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
# Encoded pictures of all phones; a full-screen JPEG of a chat takes 60-120 kB.
_CACHED_PICTURES = 64
_cache: OrderedDict[tuple[str, str, int], bytes] = OrderedDict()


def jpeg(handset: Handset, quality: int) -> bytes:
    """Return the screen as JPEG."""
    return _encoded(handset, "JPEG", max(1, min(95, quality)))


def png(handset: Handset) -> bytes:
    """Return the screen as PNG."""
    return _encoded(handset, "PNG", 0)


def rgba(handset: Handset) -> tuple[int, int, bytes]:
    """Return width, height and the pixels of the screen, four bytes each."""
    return handset.width, handset.height, paint(handset).convert("RGBA").tobytes()


def paint(handset: Handset) -> Image.Image:
    """Return the screen as a picture; black while it is off."""
    size = (handset.width, handset.height)
    if not handset.screen_on:
        return Image.new("RGB", size, "#000000")
    picture = Image.new("RGB", size, "#ffffff")
    draw = ImageDraw.Draw(picture)
    for root in handset.layers():
        _draw_node(draw, root, Rect(0, 0, *size))
    toast = handset.toast_on_screen()
    if toast:
        _draw_toast(draw, toast, handset.width, handset.height)
    return picture


def _encoded(handset: Handset, form: str, quality: int) -> bytes:
    key = (_digest(handset), form, quality)
    known = _cache.get(key)
    if known is not None:
        _cache.move_to_end(key)
        return known
    buffer = io.BytesIO()
    if form == "PNG":
        paint(handset).save(buffer, form, compress_level=1)
    else:
        paint(handset).save(buffer, form, quality=quality)
    _cache[key] = buffer.getvalue()
    while len(_cache) > _CACHED_PICTURES:
        _cache.popitem(last=False)
    return buffer.getvalue()


def _digest(handset: Handset) -> str:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{handset.width}x{handset.height} {handset.screen_on} ".encode())
    digest.update((handset.toast_on_screen() or "").encode())
    for root in handset.layers():
        for node in root.walk():
            look = node.look
            state = (node.bounds, node.text, node.desc, node.visible, node.checked, node.selected)
            paint_state = (look.fill, look.ink, look.text_px, look.align, look.radius_px, look.shape)
            digest.update(repr((state, paint_state)).encode())
    return digest.hexdigest()


def _draw_node(draw: ImageDraw.ImageDraw, node: Node, clip: Rect) -> None:
    bounds = node.bounds.clip(clip)
    if not node.visible or not bounds.width or not bounds.height:
        return
    look = node.look
    if look.fill:
        box = (bounds.left, bounds.top, bounds.right - 1, bounds.bottom - 1)
        if look.radius_px:
            draw.rounded_rectangle(box, radius=look.radius_px, fill=look.fill)
        else:
            draw.rectangle(box, fill=look.fill)
    if look.shape:
        draw_shape(draw, look.shape, bounds, look.ink, node.desc or node.arg or node.text)
    if look.text_px and node.text:
        _draw_text(draw, node, bounds)
    for child in node.children:
        _draw_node(draw, child, bounds)


def _draw_text(draw: ImageDraw.ImageDraw, node: Node, bounds: Rect) -> None:
    look = node.look
    font = font_of(look.text_px)
    pad = look.text_px // 3 if look.fill else 0
    lines = wrap(node.text, look.text_px, max(look.text_px, bounds.width - 2 * pad))
    step = int(look.text_px * 1.35)
    shown = lines[: max(1, bounds.height // step)]
    top = bounds.top + max(0, (bounds.height - step * len(shown)) // 2)
    for number, line in enumerate(shown):
        width = draw.textlength(line, font=font)
        left = {
            "center": bounds.left + (bounds.width - width) / 2,
            "right": bounds.right - pad - width,
        }.get(look.align, bounds.left + pad)
        draw.text((left, top + number * step), line, font=font, fill=look.ink)


def _draw_toast(draw: ImageDraw.ImageDraw, text: str, width: int, height: int) -> None:
    size = max(24, width // 26)
    lines = wrap(text, size, width * 2 // 3)
    step = int(size * 1.4)
    box_height = step * len(lines) + size
    top = height // 2 - box_height // 2
    draw.rounded_rectangle(
        (width // 6 - size, top, width * 5 // 6 + size, top + box_height), radius=size // 2, fill="#4c4c4c"
    )
    font = font_of(size)
    for number, line in enumerate(lines):
        left = (width - draw.textlength(line, font=font)) / 2
        draw.text((left, top + size // 2 + number * step), line, font=font, fill="#ffffff")


def wrap(text: str, text_px: int, width_px: int) -> list[str]:
    """Cut a text into lines that fit; wide characters count a full em, others 0.55."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, used = "", 0.0
        for sign in paragraph:
            advance = text_px * (1.0 if ord(sign) >= 0x2E80 else 0.55)
            if line and used + advance > width_px:
                lines.append(line)
                line, used = "", 0.0
            line += sign
            used += advance
        lines.append(line)
    return lines


@lru_cache(maxsize=32)
def font_of(size_px: int) -> Font:
    """Return a font with Chinese characters if one is installed, else Pillow's own."""
    for path in _found_fonts():
        return ImageFont.truetype(path, size_px)
    return ImageFont.load_default(size_px)


@lru_cache(maxsize=1)
def _found_fonts() -> Sequence[str]:
    return [path for path in _FONTS if Path(path).is_file()][:1]
