"""A chat: title, list of messages, and the line to type in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.virtual.talk import Chat
from agent.virtual.ui import Look, Node, Rect
from agent.virtual.wechat import popups
from agent.virtual.wechat.bubbles import Layout
from agent.virtual.wechat.draw import (
    BAR_BOTTOM_PX,
    FAINT,
    GREEN,
    GREY,
    SOLID,
    STATUS_PX,
    WHITE,
    icon,
    ink,
    node,
    text_lines,
)
from agent.virtual.wechat.page import Page
from agent.virtual.wechat.popups import Entry

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

FOOTER_PX = 160
DIVIDER_FROM = 10  # so many unread messages get a divider above them
TYPING = "对方正在输入..."
LOADING_MS = 250  # how long earlier lines take to come, of a mid-range phone
PILL_PX = 90


class ChatPage(Page):
    """One chat, opened at its end. From the list of chats it stays in the home activity."""

    screen = "chat"

    def __init__(self, stage: Stage, key: str, from_list: bool = False) -> None:
        super().__init__(stage)
        self.chat_key = key
        self.chat: Chat = stage.account.chats[key]
        self.screen = "home" if from_list else "chat"
        unread, self.chat.unread = self.chat.unread, 0
        stage.world.truth.opened(stage.account.account_id, key)
        first_new = max(0, len(self.chat.lines) - unread) if unread >= DIVIDER_FROM else None
        self.layout = Layout(stage, self.chat, first_new if self.chat.lines else None)
        self.is_at_end = True
        self.fields = {"text": self.chat.draft}
        self._above = unread if first_new is not None else 0  # the upper pill counts these
        self._end_no = len(self.chat.ever)  # lines from this one on came while the end was out of sight
        self._loaded_at_ms: int | None = None  # when the lines that are being loaded will be there

    def title(self) -> str:
        """Return the chat's name, for groups with the number of members; while the peer types, that."""
        return TYPING if self.chat.is_typing else self.chat.heading

    def content(self) -> list[Node]:
        """Return bar, messages in sight, footer, and pills over them."""
        self._settle()
        area = self.list_rect
        messages = node(
            "RecyclerView",
            area,
            *self.layout.draw_all(area, area.top - self.scroll_px, self.stage.clock()),
            rid=self.stage.rid("chat_messages"),
            scrollable=True,
            focusable=True,
            act=SOLID,
            look=Look(fill=GREY),
        )
        parts = [self._title_bar(), messages]
        if self.chat.kind != "service":
            parts.append(self._footer())
        return [node("LinearLayout", self.screen_rect, *parts), *self._pills()]

    @property
    def list_rect(self) -> Rect:
        """Return where the messages are."""
        foot = 0 if self.chat.kind == "service" else FOOTER_PX
        return Rect(0, BAR_BOTTOM_PX, self.stage.width, self.stage.height - foot - self.stage.keyboard_px)

    def max_scroll_px(self) -> int:
        """Return how far down the end of the chat is."""
        return max(0, self.layout.height_px - self.list_rect.height)

    def scroll(self, dy_px: int) -> None:
        """Move the messages; at the end the page follows new ones, at the upper end earlier ones come."""
        self._settle()
        super().scroll(dy_px)
        self.is_at_end = self.scroll_px >= self.max_scroll_px()
        self._look_up()

    def back(self) -> bool:
        """Leave; unsent text becomes a draft."""
        self.chat.draft = self.fields["text"]
        return False

    def do_send(self, _arg: str) -> None:
        """Send what stands in the field."""
        text = self.fields["text"]
        if not text:
            return
        self.fields["text"] = ""
        self.chat.draft = ""
        self.is_at_end = True
        self.stage.world.send(self.stage.account, self.chat, text)
        self.stage.lag()

    def do_info(self, _arg: str) -> None:
        """Go to the page about this chat; groups and services have other pages, which are not drawn."""
        if self.chat.kind == "private" and self.chat_key in self.stage.world.people:
            self.stage.open("chat_info", self.chat_key)

    def do_profile(self, key: str) -> None:
        """Look at the peer."""
        if key in self.stage.world.people:
            self.stage.open("profile", key)

    def do_whole_text(self, no: str) -> None:
        """Read a folded text on a page of its own."""
        self.stage.open("text", self.chat.ever[int(no)].text)

    def do_unfold(self, no: str) -> None:
        """Show a folded text whole, in its place."""
        anchor = self.layout.anchor(self.scroll_px)
        self.layout.unfold(int(no))
        if anchor is not None and not self.is_at_end:
            self.scroll_px = self.layout.scroll_to(anchor)

    def do_to_new(self, _arg: str) -> None:
        """Jump up to the first new line by the upper pill."""
        while self.layout.top_of_new() is None and self.layout.load(self.stage.account.client.loads):
            pass
        self.scroll_px, self.is_at_end = self.layout.top_of_new() or 0, False
        self._above = 0

    def do_to_end(self, _arg: str) -> None:
        """Jump down to the end by the lower pill."""
        self.is_at_end = True

    def held(self, arg: str) -> tuple[Entry, ...]:
        """Return the menu of a message."""
        return popups.of_message(self.stage, self.chat, int(arg)) if arg.isdigit() else ()

    def _settle(self) -> None:
        """Take in what came and what was loaded; what is in sight stays where it is."""
        anchor = None if self.is_at_end else self.layout.anchor(self.scroll_px)
        is_moved = self.layout.extend()
        if self._loaded_at_ms is not None and self.stage.clock() >= self._loaded_at_ms:
            self._loaded_at_ms = None
            is_moved |= self.layout.load(self.stage.account.client.loads)
        if is_moved and anchor is not None:
            self.scroll_px = self.layout.scroll_to(anchor)
        end = self.max_scroll_px()
        self.scroll_px = end if self.is_at_end else min(self.scroll_px, end)
        if self.is_at_end:
            self._end_no = len(self.chat.ever)
        self._look_up()

    def _look_up(self) -> None:
        """Begin to load earlier lines once the sign of that is in sight; see whether the divider is."""
        if self._loaded_at_ms is None and self.scroll_px < self.layout.loading_bottom:
            self._loaded_at_ms = self.stage.clock() + round(LOADING_MS * self.stage.time_scale)
        if self._above:
            top = self.layout.top_of_new()
            if top is not None and top >= self.scroll_px:
                self._above = 0

    def _pills(self) -> list[Node]:
        """Return the pills for new lines out of sight: above the page, and below it."""
        area, shown = self.list_rect, []
        if self._above:
            shown.append(self._pill(area.top + 30, self._above, "to_new"))
        below = sum(1 for line in self.chat.ever[self._end_no :] if line.side != "out")
        if below:
            shown.append(self._pill(area.bottom - PILL_PX - 30, below, "to_end"))
        return shown

    def _pill(self, top: int, count: int, act: str) -> Node:
        right = self.stage.width
        left = right - 330
        area = (left, top, right, top + PILL_PX)
        arrow = node("ImageView", (left + 20, top + 25, left + 60, top + 65), look=icon("back", GREEN))
        words = node(
            "TextView",
            (left + 70, top + 15, right - 10, top + 75),
            text=f"{count}条新消息",
            look=ink(38, GREEN),
        )
        look = Look(fill=WHITE, radius_px=45)
        return node("LinearLayout", area, arrow, words, act=act, look=look)

    def _title_bar(self) -> Node:
        stage, width = self.stage, self.stage.width
        arrow = self.back_arrow()
        title = node(
            "TextView",
            (160, 112, width - 160, 182),
            rid=stage.rid("chat_title"),
            text=self.title(),
            look=ink(50, align="center"),
        )
        info = node(
            "ImageView",
            (width - 130, STATUS_PX, width, BAR_BOTTOM_PX),
            rid=stage.rid("chat_info_button"),
            desc=stage.text("chat_info"),
            act="info",
            look=icon("more"),
        )
        area = (0, STATUS_PX, width, BAR_BOTTOM_PX)
        return node("LinearLayout", area, arrow, title, info, rid=stage.rid("chat_title_bar"), act=SOLID)

    def _footer(self) -> Node:
        stage, width = self.stage, self.stage.width
        top = stage.height - FOOTER_PX - stage.keyboard_px
        field = self.field("text", (140, top + 25, width - 300, top + 135), role="chat_input")
        parts = [
            node(
                "ImageButton",
                (30, top + 35, 120, top + 125),
                desc=stage.text("to_voice"),
                act="nothing",
                look=icon("voice"),
            ),
            field,
            node(
                "ImageButton",
                (width - 280, top + 35, width - 190, top + 125),
                desc=stage.text("stickers"),
                act="nothing",
                look=icon("smile"),
            ),
            self._right_button(top),
        ]
        area = (0, top, width, top + FOOTER_PX)
        return node("LinearLayout", area, *parts, act=SOLID, look=Look(fill="#f7f7f7", ink=FAINT))

    def _right_button(self, top: int) -> Node:
        """Return the plus, or the send button once there is text."""
        stage, width = self.stage, self.stage.width
        if self.fields["text"]:
            return node(
                "Button",
                (width - 175, top + 30, width - 15, top + 130),
                rid=stage.rid("send_button"),
                text=stage.text("send"),
                act="send",
                look=ink(42, WHITE, align="center", fill=GREEN, radius_px=10),
            )
        return node(
            "ImageButton",
            (width - 130, top + 35, width - 40, top + 125),
            rid=stage.rid("chat_plus_button"),
            desc=stage.text("chat_plus"),
            act="nothing",
            look=icon("plus"),
        )


class TextPage(Page):
    """A long text by itself: a page that the agent does not know."""

    def __init__(self, stage: Stage, text: str) -> None:
        super().__init__(stage)
        self._text = text

    def activity(self) -> str:
        """Return the class of the client's page for whole texts."""
        return "com.tencent.mm.ui.chatting.TextPreviewUI"

    def content(self) -> list[Node]:
        """Return the text, and nothing else."""
        width = self.stage.width
        high = 80 + 80 * text_lines(self._text, 56, width - 120)
        top = BAR_BOTTOM_PX - self.scroll_px
        words = node("TextView", (60, top, width - 60, top + high), text=self._text, look=ink(56))
        return [node("ScrollView", self.body_rect, words, scrollable=True, act="back")]

    def max_scroll_px(self) -> int:
        """Return how far the text can be scrolled."""
        high = 80 + 80 * text_lines(self._text, 56, self.stage.width - 120)
        return max(0, high - self.body_rect.height)
