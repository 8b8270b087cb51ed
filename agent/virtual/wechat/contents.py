"""What stands inside a message: texts, voice, quotes and calls; cards are in cards.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.virtual.talk import Line
from agent.virtual.ui import Look, Node
from agent.virtual.wechat import cards
from agent.virtual.wechat.draw import (
    BLUE,
    FAINT,
    INK,
    OWN_BUBBLE,
    WHITE,
    icon,
    ink,
    node,
    text_lines,
    text_width,
)

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

FONT_PX, LINE_PX, PAD_PX = 46, 62, 30
SMALL_PX, SMALL_LINE_PX = 36, 50
FOLDED_CHARS = 200  # so much of a folded text is shown
FOLD_PX = 70
QUOTED_LINES = 2
QUOTED_CHARS = 60
WHOLE_TEXT, UNFOLD = "全文", "展开"
BESIDE_TEXT = frozenset({"text", "quote", "voice", "voice_call", "video_call"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How one message is shown: its size in px and, for a folded text, what is left of it."""

    width: int
    height: int
    text: str
    fold: str  # the words under a folded text, "" if it is shown whole


def shape_of(line: Line, room_px: int, folds_over: int, *, is_unfolded: bool) -> Shape:
    """Return how a message is shown in a column of a width."""
    if line.kind not in BESIDE_TEXT:
        width, height = cards.size_of(line, room_px)
        return Shape(width=width, height=height, text=line.text, fold="")
    text, fold = _words(line), ""
    if line.kind in ("text", "quote") and len(text) > folds_over and not is_unfolded:
        text = text[:FOLDED_CHARS] + "…"
        # A long text opens on a page of its own, a quote's grows in place.
        fold = WHOLE_TEXT if line.kind == "text" else UNFOLD
    if line.kind == "voice":
        width, height = min(room_px, 220 + 8 * max(0, line.length_s)), 120
    else:
        widest = max(text_width(part, FONT_PX) for part in text.split("\n"))
        extra = 70 if line.kind.endswith("_call") else 0
        width = min(widest + extra, room_px) + 2 * PAD_PX
        height = 2 * PAD_PX + LINE_PX * text_lines(text, FONT_PX, room_px - extra) + (FOLD_PX if fold else 0)
    under = under_of(line)
    if under:
        height += 20 + SMALL_LINE_PX * _under_lines(line, room_px)
    return Shape(width=width, height=height, text=text, fold=fold)


def under_of(line: Line) -> str:
    """Return what stands under the bubble: the quoted line, or what a voice message says."""
    if line.kind == "quote":
        quoted = line.detail.replace("\n", " ")
        return quoted if len(quoted) <= QUOTED_CHARS else quoted[:QUOTED_CHARS] + "…"
    return line.transcript if line.kind == "voice" and line.is_transcribed else ""


def draw(stage: Stage, line: Line, shape: Shape, left: int, top: int, *, is_own: bool) -> list[Node]:
    """Return the bubble and what stands under it, each in a box of its own."""
    fill = OWN_BUBBLE if is_own else WHITE
    under = under_of(line) if line.kind in BESIDE_TEXT else ""
    below = 20 + SMALL_LINE_PX * _under_lines(line, _room(stage)) if under else 0
    area = (left, top, left + shape.width, top + shape.height - below)
    if line.kind not in BESIDE_TEXT:
        bubble = cards.draw(stage, line, area)
    elif line.kind == "voice":
        bubble = _voice(stage, line, area, fill)
    elif line.kind.endswith("_call"):
        bubble = _call(stage, line, area, fill)
    else:
        bubble = _text(stage, line, shape, area, fill)
    parts = [node("LinearLayout", bubble.bounds, bubble)]
    if under:
        wide = min(text_width(under, SMALL_PX) + 2 * PAD_PX, _room(stage) + 2 * PAD_PX)
        x = left + shape.width - wide if is_own else left
        place = (x, area[3] + 10, x + wide, top + shape.height)
        rid = stage.rid("message_voice_text") if line.kind == "voice" else ""  # no id is known of quotes
        words = node("TextView", place, rid=rid, text=under, look=ink(SMALL_PX, FAINT, fill="#e4e4e4"))
        parts.append(node("LinearLayout", place, words))
    return parts


def call_text(line: Line) -> str:
    """Return what a call's bubble says: how long it was, or what came of it."""
    if line.length_s >= 0:
        return f"通话时长 {line.length_s // 60:02}:{line.length_s % 60:02}"
    return line.detail or line.text


def _words(line: Line) -> str:
    return call_text(line) if line.kind.endswith("_call") else line.text


def _room(stage: Stage) -> int:
    return stage.width - 2 * cards.SIDE_PX - 2 * PAD_PX - 60


def _under_lines(line: Line, room_px: int) -> int:
    lines = text_lines(under_of(line), SMALL_PX, room_px)
    return min(lines, QUOTED_LINES) if line.kind == "quote" else lines


def _text(stage: Stage, line: Line, shape: Shape, area: tuple[int, int, int, int], fill: str) -> Node:
    """Return the text, a TextView of its own id; a folded one in a box with the words that unfold it."""
    look = ink(FONT_PX, INK, fill=fill, radius_px=10)
    left, top, right, bottom = area
    foot = bottom - FOLD_PX if shape.fold else bottom
    text = node(
        "TextView",
        (left, top, right, foot),
        rid=stage.rid("message_text"),
        text=shape.text,
        arg=str(line.no),
        long_clickable=True,
        look=look,
    )
    if not shape.fold:
        return text
    more = node(
        "TextView",
        (left, foot, right, bottom),
        text=shape.fold,
        act="whole_text" if shape.fold == WHOLE_TEXT else "unfold",
        arg=str(line.no),
        look=ink(SMALL_PX, BLUE, fill=fill),
    )
    return node("LinearLayout", area, text, more)


def _voice(stage: Stage, line: Line, area: tuple[int, int, int, int], fill: str) -> Node:
    """Return the length in a box of its own; a dot for what was not listened to is no node."""
    said = f'{line.length_s}"' if line.length_s >= 0 else line.text
    look = ink(FONT_PX, INK, fill=fill, radius_px=10)
    length = node("TextView", area, rid=stage.rid("message_text"), text=said, look=look)
    rid = stage.rid("message_voice")
    return node("FrameLayout", area, length, rid=rid, arg=str(line.no), long_clickable=True)


def _call(stage: Stage, line: Line, area: tuple[int, int, int, int], fill: str) -> Node:
    """Return the result beside a receiver or a camera, which is all that tells the calls apart."""
    left, top, right, bottom = area
    picture = node(
        "ImageView",
        (left + 20, top + 30, left + 80, bottom - 30),
        desc="语音通话" if line.kind == "voice_call" else "视频通话",
        look=icon("voice", FAINT),
    )
    words = node(
        "TextView",
        (left + 90, top, right, bottom),
        rid=stage.rid("message_text"),
        text=call_text(line),
        look=ink(FONT_PX, INK),
    )
    look = Look(fill=fill, radius_px=10)
    return node("LinearLayout", area, picture, words, arg=str(line.no), long_clickable=True, look=look)
