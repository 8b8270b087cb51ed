"""The page of folded chats: muted groups whose rows stand together behind one row of the list of chats."""

from __future__ import annotations

from agent.virtual.talk import Chat
from agent.virtual.ui import Look, Node
from agent.virtual.wechat.chatlist import FOLDER, ROW_PX, draw_row
from agent.virtual.wechat.draw import BAR_BOTTOM_PX, WHITE, node, visible
from agent.virtual.wechat.page import Page


class FoldedChats(Page):
    """Rows as in the list of chats, newest first."""

    def activity(self) -> str:
        """Return the class of the client's page."""
        return "com.tencent.mm.ui.conversation.ConvBoxServiceConversationUI"

    def title(self) -> str:
        """Return the page's title."""
        return FOLDER

    def content(self) -> list[Node]:
        """Return the rows in sight under the bar."""
        area = self.body_rect
        rows = (
            draw_row(self.stage, chat, BAR_BOTTOM_PX + n * ROW_PX - self.scroll_px)
            for n, chat in enumerate(self._chats())
        )
        listed = node(
            "ListView",
            area,
            *visible(rows, area),
            rid=self.stage.rid("chat_list"),
            scrollable=True,
            look=Look(fill=WHITE),
        )
        return [listed, self.bar()]

    def max_scroll_px(self) -> int:
        """Return how far the list can be scrolled."""
        return max(0, ROW_PX * len(self._chats()) - self.body_rect.height)

    def do_open_chat(self, key: str) -> None:
        """Open a chat: not from the home page, so it has an activity of its own."""
        self.stage.open("chat", key)

    def _chats(self) -> list[Chat]:
        return [chat for chat in self.stage.account.chats_in_order() if chat.is_folded]
