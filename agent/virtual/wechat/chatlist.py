"""The first tab: the list of chats, rows as the client draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.virtual.talk import Chat
from agent.virtual.ui import Look, Node, Rect
from agent.virtual.wechat.draw import BAR_BOTTOM_PX, FAINT, RED, WHITE, icon, ink, node, visible
from agent.virtual.wechat.labels import list_label
from agent.virtual.wechat.tabs import Tab

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

ROW_PX = 222
FOLDER = "折叠的聊天"


class ChatList(Tab):
    """Chats, newest first. The list fills the whole screen: bars lie over its first and last rows."""

    def heading(self) -> str:
        """Return the tab's title; with unread messages the client adds their number."""
        unread = self.stage.account.unread()
        return self.stage.text("tab_chats") + (f"({unread})" if unread else "")

    def height_px(self) -> int:
        """Return the height of header and rows."""
        return BAR_BOTTOM_PX + ROW_PX * len(self._rows())

    def draw(self) -> Node:
        """Return the list with the rows in sight, cut at the edges of the screen."""
        area = self.home.screen_rect
        chats = self._rows()
        tops = (BAR_BOTTOM_PX + n * ROW_PX - self.scroll_px for n in range(len(chats)))
        rows = (
            draw_row(self.stage, chat, top)
            for chat, top in zip(chats, tops, strict=True)
            if -ROW_PX < top < area.bottom
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

    def _rows(self) -> list[Chat]:
        """Return the chats with a row here; folded ones share one, in the place of the newest of them."""
        rows: list[Chat] = []
        has_folder = False
        for chat in self.stage.account.chats_in_order():
            if not chat.is_folded:
                rows.append(chat)
            elif not has_folder:
                has_folder = True
                rows.append(Chat(key=FOLDER, title=FOLDER, kind="service", lines=chat.lines[-1:]))
        return rows

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


def draw_row(stage: Stage, chat: Chat, top: int) -> Node:
    """Return the row of a chat whose upper edge is at `top` on the screen."""
    width, rid = stage.width, stage.rid
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
        text=_time(stage, chat),
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
        _picture(stage, chat, top),
        texts,
        rid=rid("chat_list_row"),
        act="open_chat",
        arg=chat.key,
        long_clickable=True,
    )


def _time(stage: Stage, chat: Chat) -> str:
    if not chat.lines:
        return ""
    return list_label(chat.last_ms, stage.clock(), stage.label_style)


def _picture(stage: Stage, chat: Chat, top: int) -> Node:
    box = node("RelativeLayout", (49, top + 24, 222, top + 197))
    box.children.append(
        node(
            "ImageView",
            (49, top + 36, 197, top + 184),
            rid=stage.rid("chat_row_avatar"),
            arg=chat.title,
            look=icon("avatar"),
        )
    )
    if chat.unread and chat.muted:
        box.children.append(
            node(
                "ImageView",
                Rect(179, top + 27, 210, top + 58),
                rid=stage.rid("chat_row_dot"),
                look=Look(fill=RED, radius_px=15),
            )
        )
    elif chat.unread:
        box.children.append(
            node(
                "TextView",
                (170, top + 24, 222, top + 74),
                rid=stage.rid("chat_row_unread"),
                text=str(chat.unread) if chat.unread < 100 else "99+",
                look=ink(32, WHITE, align="center", fill=RED, radius_px=25),
            )
        )
    return box
