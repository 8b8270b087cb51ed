"""A chat: title, list of messages, and the line to type in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.virtual.talk import Chat
from agent.virtual.ui import Look, Node, Rect
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
    visible,
)
from agent.virtual.wechat.page import Page

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

FOOTER_PX = 160
DIVIDER_FROM = 10  # so many unread messages get a divider above them


class ChatPage(Page):
    """One chat, opened at its end. From the list of chats it stays in the home activity."""

    screen = "chat"

    def __init__(self, stage: Stage, key: str, from_list: bool = False) -> None:
        super().__init__(stage)
        self.chat_key = key
        self.chat: Chat = stage.account.chats[key]
        self.screen = "home" if from_list else "chat"
        unread, self.chat.unread = self.chat.unread, 0
        first_new = len(self.chat.lines) - unread if unread >= DIVIDER_FROM else None
        self.layout = Layout(stage, self.chat, first_new)
        self.is_at_end = True
        self.fields = {"text": self.chat.draft}

    def title(self) -> str:
        """Return the chat's name, for groups with the number of members."""
        return self.chat.heading

    def content(self) -> list[Node]:
        """Return bar, messages in sight, and footer."""
        self._settle()
        area, offset = self.list_rect, self.list_rect.top - self.scroll_px
        shown = (
            self.layout.draw(item, item.top + offset)
            for item in self.layout.items
            if item.top + item.height + offset > area.top and item.top + offset < area.bottom
        )
        messages = node(
            "RecyclerView",
            area,
            *visible(shown, area),
            rid=self.stage.rid("chat_messages"),
            scrollable=True,
            focusable=True,
            act=SOLID,
            look=Look(fill=GREY),
        )
        parts = [self._title_bar(), messages]
        if self.chat.kind != "service":
            parts.append(self._footer())
        return [node("LinearLayout", self.screen_rect, *parts)]

    @property
    def list_rect(self) -> Rect:
        """Return where the messages are."""
        foot = 0 if self.chat.kind == "service" else FOOTER_PX
        return Rect(0, BAR_BOTTOM_PX, self.stage.width, self.stage.height - foot)

    def max_scroll_px(self) -> int:
        """Return how far down the end of the chat is."""
        self.layout.extend()
        return max(0, self.layout.height_px - self.list_rect.height)

    def scroll(self, dy_px: int) -> None:
        """Move the messages; at the end the page follows new ones."""
        self._settle()
        super().scroll(dy_px)
        self.is_at_end = self.scroll_px >= self.max_scroll_px()

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

    def _settle(self) -> None:
        end = self.max_scroll_px()
        self.scroll_px = end if self.is_at_end else min(self.scroll_px, end)

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
        top = stage.height - FOOTER_PX
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
        area = (0, top, width, stage.height)
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
