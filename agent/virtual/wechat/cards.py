"""Messages in the bubble box that most kinds share: pictures, cards, files, places, money."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from agent.virtual.talk import Line
from agent.virtual.ui import Look, Node
from agent.virtual.wechat.draw import FAINT, INK, WHITE, icon, ink, node

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

Area = tuple[int, int, int, int]
SIDE_PX = 164  # avatar and margins
CARD_PX = 620
RECORD_LINES = 4
PAID = "#fa9d3b"
# What stands at the foot of a card.
FEET: Mapping[str, str] = MappingProxyType(
    {
        "contact_card": "个人名片",
        "chat_record": "聊天记录",
        "mini_program": "小程序",
        "red_packet": "微信红包",
        "transfer": "微信转账",
    }
)
# The words of a bubble about money, by kind, side and state; the client's list has longer ones.
MONEY: Mapping[tuple[str, str, str], str] = MappingProxyType(
    {
        ("transfer", "out", "pending"): "待朋友收款",
        ("transfer", "in", "pending"): "请你确认收款",
        ("transfer", "out", "received"): "已被接收",
        ("transfer", "in", "received"): "已收款",
        ("transfer", "out", "returned"): "已被退还",
        ("transfer", "in", "returned"): "已退还",
        ("transfer", "out", "expired"): "已过期",
        ("transfer", "in", "expired"): "已过期",
        ("red_packet", "out", "opened"): "已被领取",
        ("red_packet", "in", "opened"): "已领取",
        ("red_packet", "out", "expired"): "已过期",
        ("red_packet", "in", "expired"): "已过期",
    }
)
UNSUPPORTED = "当前版本不支持展示该内容，请升级至最新版本。"
_SIZES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "image": (260, 320),
        "video": (260, 420),
        "sticker": (250, 250),
        "file": (CARD_PX, 230),
        "link": (CARD_PX, 270),
        "mini_program": (CARD_PX, 560),
        "location": (CARD_PX, 420),
        "contact_card": (CARD_PX, 250),
        "red_packet": (CARD_PX, 250),
        "transfer": (CARD_PX, 250),
        "other": (CARD_PX, 200),
    }
)


def size_of(line: Line, room_px: int) -> tuple[int, int]:
    """Return width and height of a card in px."""
    if line.kind == "chat_record":
        return min(CARD_PX, room_px), 190 + 56 * len(_record_lines(line))
    width, height = _SIZES[line.kind]
    return min(width, room_px), height


def money_text(line: Line) -> str:
    """Return what the bubble says of a red packet's or transfer's state, "" if nothing."""
    return MONEY.get((line.kind, line.side, line.state), "")


def amount_text(line: Line) -> str:
    """Return the amount as shown, "" if the client hides it."""
    return f"¥{line.amount_fen // 100}.{line.amount_fen % 100:02}" if line.amount_fen >= 0 else ""


def draw(stage: Stage, line: Line, area: Area) -> Node:
    """Return the box of one message that is no plain text."""
    fill = PAID if line.kind in ("red_packet", "transfer") else WHITE
    return node(
        "FrameLayout",
        area,
        *_PARTS[line.kind](stage, line, area),
        rid=stage.rid("message_bubble"),
        arg=str(line.no),
        long_clickable=True,
        look=Look(fill=fill, radius_px=10),
    )


def _words(area: Area, y: int, text: str, rid: str = "", *, px: int = 42, high: int = 60) -> list[Node]:
    """Return a line of a card, nothing for an empty one."""
    if not text:
        return []
    left, top, right, bottom = area
    place = (left + 30, top + y, right - 30, min(top + y + high, bottom))
    return [node("TextView", place, rid=rid, text=text, look=ink(px, INK if px > 36 else FAINT))]


def _foot(area: Area, text: str, rid: str = "") -> list[Node]:
    return _words(area, area[3] - area[1] - 60, text, rid, px=32, high=50)


def _picture(area: Area, width: int = 0, *, rid: str = "", desc: str = "") -> Node:
    """Return the picture of a card: all of it, or a strip of a width at its right end."""
    _, top, right, _ = area
    place = (right - width - 30, top + 80, right - 30, top + 80 + width) if width else area
    return node("ImageView", place, rid=rid, desc=desc, look=icon("picture", FAINT))


def _image(stage: Stage, line: Line, area: Area) -> list[Node]:
    picture = _picture(area, rid=stage.rid("message_image"), desc=stage.text("image"))
    picture.look.fill = tint_of(line)
    return [picture]


def tint_of(line: Line) -> str:
    """Return the colour of an image: each has its own, so that screenshots tell them apart."""
    return f"#{line.no * 0x3D4F1B & 0xFFFFFF:06x}"


def _sticker(_stage: Stage, _line: Line, area: Area) -> list[Node]:
    return [_picture(area)]


def _video(stage: Stage, line: Line, area: Area) -> list[Node]:
    """Return the first frame and, over its lower edge, the box with the length."""
    left, _, right, bottom = area
    strip = (left, bottom - 70, right, bottom)
    length = f"{line.length_s // 60}:{line.length_s % 60:02}" if line.length_s >= 0 else ""
    box = node("LinearLayout", strip, rid=stage.rid("message_video"))
    if length:
        place = (right - 110, bottom - 60, right - 10, bottom - 10)
        rid = stage.rid("message_video_length")
        box.children.append(node("TextView", place, rid=rid, text=length, look=ink(32, WHITE)))
    return [_picture(area), box]


def _file(stage: Stage, line: Line, area: Area) -> list[Node]:
    return [
        *_words(area, 40, line.text, stage.rid("message_file_name")),
        *_words(area, 140, line.detail, stage.rid("message_file_size"), px=32),
        _picture(area, 120, rid=stage.rid("message_file_icon")),
    ]


def _link(_stage: Stage, line: Line, area: Area) -> list[Node]:
    return [
        *_words(area, 20, line.text),
        *_words(area, 90, line.detail, px=34, high=90),
        _picture(area, 100),
        *_foot(area, line.source),
    ]


def _mini_program(_stage: Stage, line: Line, area: Area) -> list[Node]:
    left, top, right, bottom = area
    picture = _picture((left + 30, top + 150, right - 30, bottom - 80))
    return [
        *_words(area, 20, line.source, px=32, high=50),
        *_words(area, 75, line.text),
        picture,
        *_foot(area, FEET["mini_program"]),
    ]


def _location(stage: Stage, line: Line, area: Area) -> list[Node]:
    left, top, right, bottom = area
    inner = [
        *_words(area, 20, line.text, stage.rid("message_place_title")),
        *_words(area, 85, line.detail, stage.rid("message_place_address"), px=32, high=50),
        _picture((left, top + 150, right, bottom)),
    ]
    return [node("LinearLayout", area, *inner, rid=stage.rid("message_place"))]


def _contact_card(_stage: Stage, line: Line, area: Area) -> list[Node]:
    left, top, _, _ = area
    face = node("ImageView", (left + 30, top + 30, left + 150, top + 150), look=icon("avatar"))
    beside = (left + 150, top, area[2], area[3])
    return [
        face,
        *_words(beside, 35, line.text),
        *_words(beside, 95, line.detail, px=34),
        *_foot(area, FEET["contact_card"]),
    ]


def _chat_record(_stage: Stage, line: Line, area: Area) -> list[Node]:
    rows = [
        part
        for n, text in enumerate(_record_lines(line))
        for part in _words(area, 95 + 56 * n, text, px=34, high=52)
    ]
    return [*_words(area, 25, line.text), *rows, *_foot(area, FEET["chat_record"])]


def _record_lines(line: Line) -> list[str]:
    return [text for text in line.detail.split("\n") if text][:RECORD_LINES]


def _red_packet(stage: Stage, line: Line, area: Area) -> list[Node]:
    return [
        *_words(area, 40, line.text),
        *_words(area, 110, money_text(line), stage.rid("message_red_packet_state"), px=34),
        *_foot(area, FEET["red_packet"], stage.rid("message_red_packet_label")),
    ]


def _transfer(_stage: Stage, line: Line, area: Area) -> list[Node]:
    return [
        *_words(area, 25, amount_text(line)),
        *_words(area, 85, line.text, px=34, high=50),
        *_words(area, 135, money_text(line), px=34, high=50),
        *_foot(area, FEET["transfer"]),
    ]


def _other(_stage: Stage, line: Line, area: Area) -> list[Node]:
    return _words(area, 40, line.text or UNSUPPORTED, high=120)


_PARTS: Mapping[str, Callable[[Stage, Line, Area], list[Node]]] = MappingProxyType(
    {
        "image": _image,
        "video": _video,
        "sticker": _sticker,
        "file": _file,
        "link": _link,
        "mini_program": _mini_program,
        "location": _location,
        "contact_card": _contact_card,
        "chat_record": _chat_record,
        "red_packet": _red_packet,
        "transfer": _transfer,
        "other": _other,
    }
)
