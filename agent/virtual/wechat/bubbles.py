"""How lines of a chat become items of its list: heights first, nodes for those in sight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.virtual.talk import Chat, Line
from agent.virtual.ui import Look, Node
from agent.virtual.wechat.draw import (
    FAINT,
    INK,
    OWN_BUBBLE,
    RED,
    WHITE,
    icon,
    ink,
    node,
    text_lines,
    text_width,
)
from agent.virtual.wechat.labels import chat_label

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

TIME_GAP_MS = 300_000  # a time line stands above a line that came this long after the one before
FONT_PX, LINE_PX, PAD_PX = 46, 62, 30
SIDE_PX = 164  # avatar and margins
SENDER_PX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One row of the list; `line` is None for the divider above new messages."""

    kind: str  # time | divider | system | message
    top: int
    height: int
    line: Line | None


class Layout:
    """The items of one chat from the top; grows with it."""

    def __init__(self, stage: Stage, chat: Chat, first_new: int | None) -> None:
        self.stage, self.chat, self._first_new = stage, chat, first_new
        self.items: list[Item] = []
        self.height_px = 0
        self._laid = 0

    def extend(self) -> None:
        """Take in the lines that came since the last call."""
        lines = self.chat.lines
        for n in range(self._laid, len(lines)):
            line = lines[n]
            if n == 0 or line.at_ms - lines[n - 1].at_ms > TIME_GAP_MS:
                self._add("time", 96, line)
            if n == self._first_new:
                self._add("divider", 96, None)
            kind = "system" if line.side == "system" else "message"
            self._add(kind, self._height(line), line)
        self._laid = len(lines)

    def draw(self, item: Item, top: int) -> Node:
        """Return the node of an item whose upper edge is at `top` on the screen."""
        area = (0, top, self.stage.width, top + item.height)
        if item.line is None or item.kind != "message":
            inner = self._grey(item, top)
        else:
            inner = self._message(item.line, item.height, top)
        return node("RelativeLayout", area, inner, rid=self.stage.rid("message_item"))

    def _add(self, kind: str, height: int, line: Line | None) -> None:
        self.items.append(Item(kind=kind, top=self.height_px, height=height, line=line))
        self.height_px += height

    def _height(self, line: Line) -> int:
        if line.side == "system":
            return 40 + 52 * text_lines(line.text, 36, self.stage.width - 240)
        return max(140, self._content_height(line) + 2 * 18)

    def _content_height(self, line: Line) -> int:
        sender = SENDER_PX if self._has_sender(line) else 0
        if line.kind == "text":
            return sender + 2 * PAD_PX + LINE_PX * text_lines(line.text, FONT_PX, self._text_width())
        return sender + {"image": 320, "video": 420, "voice": 120, "file": 230}.get(line.kind, 250)

    def _text_width(self) -> int:
        return self.stage.width - 2 * SIDE_PX - 2 * PAD_PX - 60

    def _has_sender(self, line: Line) -> bool:
        return self.chat.kind == "group" and line.side == "in"

    def _grey(self, item: Item, top: int) -> Node:
        """Return a time line, system line or divider; all are the same view."""
        stage, line = self.stage, item.line
        if line is None:
            text = stage.text("new_messages_below")
        elif item.kind == "time":
            text = chat_label(line.at_ms, stage.clock())
        else:
            text = line.text
        half = min(stage.width // 2 - 100, text_width(text, 36) // 2 + 20)
        return node(
            "TextView",
            (stage.width // 2 - half, top + 20, stage.width // 2 + half, top + item.height - 20),
            rid=stage.rid("message_time"),
            text=text,
            look=ink(36, FAINT, align="center"),
        )

    def _message(self, line: Line, height: int, top: int) -> Node:
        stage, width, is_own = self.stage, self.stage.width, line.side == "out"
        name = self._author(line)
        left = width - 144 if is_own else 24
        avatar = node(
            "ImageView",
            (left, top + 18, left + 120, top + 138),
            rid=stage.rid("message_avatar"),
            desc=name + stage.text("avatar_suffix"),
            act="" if is_own else "profile",
            arg=self.chat.key,
            look=icon("avatar"),
        )
        box = node("RelativeLayout", avatar.bounds, avatar, rid=stage.rid("message_avatar_box"))
        content = self._content(line, top + 18)
        parts = (*self._failure(line, content), content, box) if is_own else (box, content)
        area = (0, top + 4, width, top + height - 4)
        return node("LinearLayout", area, *parts, rid=stage.rid("message_layout"))

    def _failure(self, line: Line, content: Node) -> tuple[Node, ...]:
        """Return the red mark left of a message that did not go out."""
        if not line.is_failed:
            return ()
        left, top, _, bottom = content.bounds
        middle = (top + bottom) // 2
        area = (left - 90, middle - 30, left - 30, middle + 30)
        return (node("ImageView", area, act="nothing", look=icon("close", RED)),)

    def _author(self, line: Line) -> str:
        if line.side == "out":
            return self.stage.account.nickname
        return line.sender or self.chat.title

    def _content(self, line: Line, top: int) -> Node:
        stage, is_own = self.stage, line.side == "out"
        parts: list[Node] = []
        bottom = top + self._content_height(line)
        if self._has_sender(line):
            area = (SIDE_PX, top, stage.width - SIDE_PX, top + SENDER_PX - 6)
            parts.append(
                node("TextView", area, rid=stage.rid("message_sender"), text=line.sender, look=ink(32, FAINT))
            )
            top += SENDER_PX
        wide = self._width(line)
        left = stage.width - SIDE_PX - wide if is_own else SIDE_PX
        bubble = self._bubble(line, (left, top, left + wide, bottom), OWN_BUBBLE if is_own else WHITE)
        parts.append(node("LinearLayout", bubble.bounds, bubble))
        outer = (
            min(part.bounds.left for part in parts),
            min(part.bounds.top for part in parts),
            max(part.bounds.right for part in parts),
            bottom,
        )
        return node("LinearLayout", outer, *parts)

    def _width(self, line: Line) -> int:
        if line.kind == "text":
            widest = max(text_width(part, FONT_PX) for part in line.text.split("\n"))
            return min(widest, self._text_width()) + 2 * PAD_PX
        return {"image": 260, "video": 260, "voice": 260}.get(line.kind, 620)

    def _bubble(self, line: Line, area: tuple[int, int, int, int], fill: str) -> Node:
        """Return the content: text is a TextView of its own id, other kinds share one box."""
        rid, (left, top, right, bottom) = self.stage.rid, area
        look = ink(FONT_PX, INK, fill=fill, radius_px=10)
        if line.kind == "text":
            return node(
                "TextView", area, rid=rid("message_text"), text=line.text, long_clickable=True, look=look
            )
        if line.kind == "voice":
            length = node("TextView", area, rid=rid("message_text"), text=line.text or '3"', look=look)
            return node("FrameLayout", area, length, rid=rid("message_voice"), long_clickable=True)
        box = node(
            "FrameLayout",
            area,
            rid=rid("message_bubble"),
            long_clickable=True,
            look=Look(fill=fill, radius_px=10),
        )
        if line.kind in {"image", "video", "sticker"}:
            desc = self.stage.text("image") if line.kind == "image" else ""
            role = "message_image" if line.kind == "image" else "message_video"
            box.children.append(
                node("ImageView", area, rid=rid(role), desc=desc, look=icon("picture", FAINT))
            )
            return box
        roles = {
            "file": ("message_file_name", "message_file_size"),
            "red_packet": ("", "message_red_packet_label"),
        }
        first, second = roles.get(line.kind, ("", ""))
        under = "微信红包" if line.kind == "red_packet" else "12.5 KB"
        for role, text, y in ((first, line.text, top + 40), (second, under, top + 140)):
            place = (left + 30, y, right - 30, min(y + 60, bottom))
            box.children.append(
                node("TextView", place, rid=rid(role) if role else "", text=text, look=ink(42))
            )
        return box
