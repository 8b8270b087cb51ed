"""The first tab: the list of chats, rows as the client draws them."""

from __future__ import annotations

from agent.virtual.talk import Chat
from agent.virtual.ui import Look, Node, Rect
from agent.virtual.wechat.draw import BAR_BOTTOM_PX, FAINT, RED, WHITE, icon, ink, node, visible
from agent.virtual.wechat.labels import list_label
from agent.virtual.wechat.tabs import Tab

ROW_PX = 222


class ChatList(Tab):
    """Chats, newest first. The list fills the whole screen: bars lie over its first and last rows."""

    def heading(self) -> str:
        """Return the tab's title; with unread messages the client adds their number."""
        unread = self.stage.account.unread()
        return self.stage.text("tab_chats") + (f"({unread})" if unread else "")

    def height_px(self) -> int:
        """Return the height of header and rows."""
        return BAR_BOTTOM_PX + ROW_PX * len(self.stage.account.chats_in_order())

    def draw(self) -> Node:
        """Return the list with the rows in sight, cut at the edges of the screen."""
        area = self.home.screen_rect
        chats = self.stage.account.chats_in_order()
        tops = (BAR_BOTTOM_PX + n * ROW_PX - self.scroll_px for n in range(len(chats)))
        rows = (
            self._row(chat, top) for chat, top in zip(chats, tops, strict=True) if -ROW_PX < top < area.bottom
        )
        header = self._header()
        return node(
            "ListView",
            area,
            *visible(iter([header]), area),
            *visible(rows, area),
            rid=self.stage.rid("chat_list"),
            scrollable=True,
            focusable=True,
            focused=True,
            look=Look(fill=WHITE),
        )

    def _header(self) -> Node:
        """Return the hidden action bar that scrolls with the list: it holds the title a second time."""
        width, up = self.stage.width, -self.scroll_px
        middle = width // 2
        title = node(
            "TextView",
            (middle - 52, 111 + up, middle + 52, 181 + up),
            rid=self.stage.rid("page_title"),
            text=self.stage.text("tab_chats"),
        )
        bar = node(
            "LinearLayout", (0, 72 + up, width, BAR_BOTTOM_PX + up), node("LinearLayout", title.bounds, title)
        )
        area = (0, up, width, BAR_BOTTOM_PX + up)
        return node("RelativeLayout", area, node("RelativeLayout", area, node("FrameLayout", area, bar)))

    def _row(self, chat: Chat, top: int) -> Node:
        width, rid = self.stage.width, self.stage.rid
        right = width - 49
        name = node(
            "View",
            (234, top + 43, width - 249, top + 113),
            rid=rid("chat_row_name"),
            text=chat.title,
            look=ink(48),
        )
        time = node(
            "View",
            (width - 249, top + 43, right, top + 88),
            rid=rid("chat_row_time"),
            text=list_label(chat.last_ms, self.stage.clock()) if chat.lines else "",
            look=ink(34, "#b2b2b2", align="right"),
        )
        preview = node(
            "View",
            (234, top + 120, width - 234, top + 174),
            rid=rid("chat_row_preview"),
            text=chat.preview(),
            look=ink(40, FAINT),
        )
        mute_box = node("LinearLayout", (width - 234, top + 113, right, top + 181))
        if chat.muted:
            mute = node(
                "ImageView",
                (right - 49, top + 122, right, top + 171),
                rid=rid("chat_row_mute"),
                look=icon("mute", "#b2b2b2"),
            )
            mute_box.children.append(mute)
        texts = node(
            "LinearLayout",
            (234, top, width, top + ROW_PX),
            node(
                "LinearLayout",
                (234, top + 43, right, top + 113),
                node("LinearLayout", name.bounds, name),
                time,
            ),
            node(
                "LinearLayout",
                (234, top + 113, right, top + 181),
                node("LinearLayout", preview.bounds, preview),
                mute_box,
            ),
        )
        return node(
            "LinearLayout",
            (0, top, width, top + ROW_PX),
            self._picture(chat, top),
            texts,
            rid=rid("chat_list_row"),
            act="open_chat",
            arg=chat.key,
            long_clickable=True,
        )

    def _picture(self, chat: Chat, top: int) -> Node:
        box = node("RelativeLayout", (49, top + 24, 222, top + 197))
        box.children.append(
            node(
                "ImageView",
                (49, top + 36, 197, top + 184),
                rid=self.stage.rid("chat_row_avatar"),
                arg=chat.title,
                look=icon("avatar"),
            )
        )
        if chat.unread and chat.muted:
            box.children.append(
                node(
                    "ImageView",
                    Rect(179, top + 27, 210, top + 58),
                    rid=self.stage.rid("chat_row_dot"),
                    look=Look(fill=RED, radius_px=15),
                )
            )
        elif chat.unread:
            box.children.append(
                node(
                    "TextView",
                    (170, top + 24, 222, top + 74),
                    rid=self.stage.rid("chat_row_unread"),
                    text=str(chat.unread) if chat.unread < 100 else "99+",
                    look=ink(32, WHITE, align="center", fill=RED, radius_px=25),
                )
            )
        return box
