"""How lines of a chat become items of its list: heights first, nodes for those in sight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.virtual.talk import Chat, Line
from agent.virtual.ui import Node, Rect
from agent.virtual.wechat import contents
from agent.virtual.wechat.cards import SIDE_PX
from agent.virtual.wechat.contents import PAD_PX, Shape
from agent.virtual.wechat.draw import FAINT, RED, clip, icon, ink, node, text_lines, text_width
from agent.virtual.wechat.labels import chat_label

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

TIME_GAP_MS = 300_000  # a time line stands above a line that came this long after the one before
GREY_PX = 36
SENDER_PX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One row of the list; `line` is None for the divider above new messages and for the sign of loading."""

    kind: str  # loading | time | divider | system | message
    top: int
    height: int
    line: Line | None
    shape: Shape | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A line in sight and how far below the upper edge it stands."""

    no: int
    offset_px: int


class Layout:
    """The items of one chat from the first line that is loaded; grows with it."""

    def __init__(self, stage: Stage, chat: Chat, first_new: int | None) -> None:
        self.stage, self.chat = stage, chat
        self._new_no = None if first_new is None else chat.lines[first_new].no
        self._client = stage.account.client
        self.first = max(0, len(chat.lines) - self._client.loads)  # lines before it are not loaded
        self.unfolded: set[int] = set()
        self.items: list[Item] = []
        self.height_px = 0
        self._laid = self.first
        self._revision = chat.revision
        self._drawn: dict[tuple[int, str, int], tuple[Item, str, Node | None]] = {}
        self._drawn_for: tuple[object, ...] = ()
        self._start()

    def extend(self) -> bool:
        """Take in what came since the last call; True if what stood there before may have moved."""
        is_changed = self._revision != self.chat.revision
        if is_changed:
            self._revision = self.chat.revision
            self.first = min(self.first, len(self.chat.lines))
            self._start()
        lines = self.chat.lines
        for n in range(self._laid, len(lines)):
            line = lines[n]
            if self._has_time(n):
                self._add("time", 96, line)
            if line.no == self._new_no:
                self._add("divider", 96, None)
            self._add_line(line)
        self._laid = len(lines)
        return is_changed

    def load(self, count: int) -> bool:
        """Load so many earlier lines; False if all are there."""
        if not self.first:
            return False
        self.first = max(0, self.first - count)
        self._start()
        self.extend()
        return True

    def unfold(self, no: int) -> None:
        """Show a folded text whole."""
        self.unfolded.add(no)
        self._start()
        self.extend()

    def anchor(self, scroll_px: int) -> Anchor | None:
        """Return the uppermost line in sight, None if there is none."""
        for item in self.items:
            if item.line is not None and item.kind != "time" and item.top + item.height > scroll_px:
                return Anchor(no=item.line.no, offset_px=item.top - scroll_px)
        return None

    def scroll_to(self, anchor: Anchor) -> int:
        """Return the place of the list that puts a line, or the next one left, where it stood."""
        for item in self.items:
            if item.line is not None and item.kind != "time" and item.line.no >= anchor.no:
                return max(0, item.top - anchor.offset_px)
        return self.height_px

    def top_of_new(self) -> int | None:
        """Return where the first new line stands, None if it is not loaded."""
        return next((item.top for item in self.items if item.kind == "divider"), None)

    @property
    def loading_bottom(self) -> int:
        """Return where the sign of loading ends, 0 if all lines are loaded."""
        return self.items[0].height if self.items and self.items[0].kind == "loading" else 0

    def draw_all(self, area: Rect, offset: int, now_ms: int) -> list[Node]:
        """Return the nodes of the items in sight, cut to the list; what did not change is drawn once."""
        context = (area, self.chat.title, self.chat.kind, self.stage.account.nickname)
        if context != self._drawn_for:
            self._drawn.clear()
            self._drawn_for = context
        kept: dict[tuple[int, str, int], tuple[Item, str, Node | None]] = {}
        shown = []
        for item in self.items:
            top = item.top + offset
            if top + item.height <= area.top:
                continue
            if top >= area.bottom:
                break
            label = self._label(item, now_ms)
            key = (-1 if item.line is None else item.line.no, item.kind, top)
            known = self._drawn.get(key)
            if known is None or known[0] is not item or known[1] != label:
                known = (item, label, clip(self._draw(item, top, label), area))
            kept[key] = known
            if known[2] is not None:
                shown.append(known[2])
        self._drawn = kept
        return shown

    # -- laying out

    def _start(self) -> None:
        self.items, self.height_px, self._laid = [], 0, self.first
        if self.first:
            self._add("loading", 96, None)

    def _has_time(self, n: int) -> bool:
        lines = self.chat.lines
        if n == 0 or (n == self.first and self._client.labels_first):
            return True
        return lines[n].at_ms - lines[n - 1].at_ms > TIME_GAP_MS

    def _add_line(self, line: Line) -> None:
        if line.side == "system":
            self._add("system", 40 + 52 * text_lines(line.text, GREY_PX, self.stage.width - 240), line)
            return
        is_unfolded = line.no in self.unfolded
        shape = contents.shape_of(line, self._room(), self._client.folds_over, is_unfolded=is_unfolded)
        sender = SENDER_PX if self._has_sender(line) else 0
        self._add("message", max(140, sender + shape.height + 2 * 18), line, shape)

    def _add(self, kind: str, height: int, line: Line | None, shape: Shape | None = None) -> None:
        self.items.append(Item(kind=kind, top=self.height_px, height=height, line=line, shape=shape))
        self.height_px += height

    def _room(self) -> int:
        return self.stage.width - 2 * SIDE_PX - 2 * PAD_PX - 60

    def _has_sender(self, line: Line) -> bool:
        return self.chat.kind == "group" and line.side == "in"

    # -- drawing

    def _label(self, item: Item, now_ms: int) -> str:
        """Return the words of a grey line, "" for other items."""
        if item.kind == "divider":
            return self.stage.text("new_messages_below")
        if item.line is None or item.kind == "message":
            return ""
        return (
            chat_label(item.line.at_ms, now_ms, self.stage.label_style)
            if item.kind == "time"
            else item.line.text
        )

    def _draw(self, item: Item, top: int, label: str) -> Node:
        area = (0, top, self.stage.width, top + item.height)
        if item.kind == "loading":
            middle = self.stage.width // 2
            wheel = node("ProgressBar", (middle - 30, top + 18, middle + 30, top + 78))
            return node("FrameLayout", area, wheel)
        if item.line is None or item.shape is None:
            inner = self._grey(item, top, label)
        else:
            inner = self._message(item.line, item.shape, item.height, top)
        drawn = node("RelativeLayout", area, inner, rid=self.stage.rid("message_item"))
        drawn.is_kept = True
        return drawn

    def _grey(self, item: Item, top: int, text: str) -> Node:
        """Return a time line, system line or divider; all are the same view."""
        stage = self.stage
        half = min(stage.width // 2 - 100, text_width(text, GREY_PX) // 2 + 20)
        return node(
            "TextView",
            (stage.width // 2 - half, top + 20, stage.width // 2 + half, top + item.height - 20),
            rid=stage.rid("message_time"),
            text=text,
            look=ink(GREY_PX, FAINT, align="center"),
        )

    def _message(self, line: Line, shape: Shape, height: int, top: int) -> Node:
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
        content = self._content(line, shape, top + 18)
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

    def _content(self, line: Line, shape: Shape, top: int) -> Node:
        stage, is_own = self.stage, line.side == "out"
        parts: list[Node] = []
        if self._has_sender(line):
            area = (SIDE_PX, top, stage.width - SIDE_PX, top + SENDER_PX - 6)
            parts.append(
                node("TextView", area, rid=stage.rid("message_sender"), text=line.sender, look=ink(32, FAINT))
            )
            top += SENDER_PX
        left = stage.width - SIDE_PX - shape.width if is_own else SIDE_PX
        parts += contents.draw(stage, line, shape, left, top, is_own=is_own)
        outer = (
            min(part.bounds.left for part in parts),
            min(part.bounds.top for part in parts),
            max(part.bounds.right for part in parts),
            top + shape.height,
        )
        return node("LinearLayout", outer, *parts)
