"""The home page: four tabs, the action bar over them, and the menu behind the plus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.virtual.ui import Look, Node, Rect
from agent.virtual.wechat import popups
from agent.virtual.wechat.chatlist import FOLDER, ChatList
from agent.virtual.wechat.contacts import Contacts
from agent.virtual.wechat.draw import BAR_BOTTOM_PX, GREEN, SOLID, STATUS_PX, WHITE, icon, ink, node
from agent.virtual.wechat.page import Page
from agent.virtual.wechat.popups import Entry
from agent.virtual.wechat.tabs import Discover, Me, Tab

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

TAB_BAR_PX = 173
TABS = ("tab_chats", "tab_contacts", "tab_discover", "tab_me")
MENU = ("menu_group_chat", "menu_add_friend", "menu_scan", "menu_pay")


class Home(Page):
    """The lowest page; each tab keeps its own place in its list."""

    screen = "home"

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.tabs: tuple[Tab, ...] = (ChatList(self), Contacts(self), Discover(self), Me(self))
        self.tab = 0
        self.menu_is_open = False

    def content(self) -> list[Node]:
        """Return the current tab, the tab bar, the action bar and, if open, the menu."""
        area = self.screen_rect
        shown = node("FrameLayout", area, node("RelativeLayout", area, self.tabs[self.tab].draw()))
        pager = node("WxViewPager", area, shown, scrollable=True, focusable=True)
        parts = [node("FrameLayout", area, pager, self._tab_bar())]
        if self.tabs[self.tab].has_bar:
            parts.append(self._action_bar())
        return [*parts, *self._menu()] if self.menu_is_open else parts

    def max_scroll_px(self) -> int:
        """Return how far the current tab can be scrolled; its last row may rise above the tab bar."""
        return max(0, self.tabs[self.tab].height_px() + TAB_BAR_PX - self.stage.height)

    def scroll(self, dy_px: int) -> None:
        """Scroll the current tab."""
        tab = self.tabs[self.tab]
        tab.scroll_px = min(max(0, tab.scroll_px + dy_px), self.max_scroll_px())

    def back(self) -> bool:
        """Close the menu if it is open."""
        was_open, self.menu_is_open = self.menu_is_open, False
        return was_open

    def do_tab(self, arg: str) -> None:
        """Go to a tab."""
        self.tab, self.menu_is_open = int(arg), False
        self.stage.lag()

    def do_menu(self, _arg: str) -> None:
        """Open or close the menu behind the plus."""
        self.menu_is_open = not self.menu_is_open
        self.stage.lag()

    def do_close_menu(self, _arg: str) -> None:
        """Close the menu by a tap beside it."""
        self.menu_is_open = False
        self.stage.lag()

    def do_menu_add_friend(self, _arg: str) -> None:
        """Choose the menu's entry for adding friends."""
        self.menu_is_open = False
        self.stage.open("add_friend")

    def do_open(self, arg: str) -> None:
        """Open a page: its key, and what it shows after a blank."""
        screen, _, rest = arg.partition(" ")
        self.stage.open(screen, *([rest] if rest else []))

    def do_open_chat(self, key: str) -> None:
        """Open a chat from the list: the activity stays the same; folded ones have a page of their own."""
        if key == FOLDER:
            self.stage.open("folded")
            return
        self.stage.open("chat", key, True)

    def held(self, arg: str) -> tuple[Entry, ...]:
        """Return the menu of a row of the list of chats."""
        chat = self.stage.account.chats.get(arg)
        return () if chat is None or self.tab else popups.of_row(self.stage, chat)

    # -- drawing

    def _tab_bar(self) -> Node:
        stage = self.stage
        top, width = stage.height - TAB_BAR_PX, stage.width // len(TABS)
        area = Rect(0, top, stage.width, stage.height)
        items = [
            self._tab_item(n, role, Rect(n * width, top, (n + 1) * width, area.bottom))
            for n, role in enumerate(TABS)
        ]
        return node(
            "RelativeLayout",
            area,
            node("LinearLayout", area, *items),
            rid=stage.rid("home_tab_bar"),
            act=SOLID,
            look=Look(fill="#f7f7f7"),
        )

    def _tab_item(self, n: int, role: str, area: Rect) -> Node:
        stage, middle = self.stage, (area.left + area.right) // 2
        color = GREEN if n == self.tab else "#191919"
        picture = node(
            "ImageView", (middle - 43, area.top + 18, middle + 43, area.top + 104), look=icon(role, color)
        )
        box = node("RelativeLayout", (area.left, area.top + 18, area.right, area.top + 104), picture)
        badge = self._badges()[n]
        if badge:
            box.children.append(
                node(
                    "TextView",
                    (middle + 20, area.top + 18, middle + 70, area.top + 62),
                    rid=stage.rid("home_tab_badge"),
                    text=badge,
                    look=ink(30, WHITE, align="center", fill="#fa5151", radius_px=22),
                )
            )
        label = stage.text(role)
        half = 18 * len(label) + 1
        text = node(
            "TextView",
            (middle - half, area.top + 104, middle + half, area.top + 155),
            rid=stage.rid("home_tab_text"),
            text=label,
            look=ink(32, color, align="center"),
        )
        inner = node("LinearLayout", (area.left, area.top + 18, area.right, area.bottom - 18), box, text)
        return node(
            "RelativeLayout",
            area,
            inner,
            rid=stage.rid("home_tab"),
            act="tab",
            arg=str(n),
            selected=n == self.tab,
        )

    def _badges(self) -> tuple[str, str, str, str]:
        account = self.stage.account
        unread = account.unread()
        asked = sum(one.is_incoming and one.state == "waiting" for one in account.requests)
        return ("99+" if unread > 99 else str(unread or ""), str(asked or ""), "", "")

    def _action_bar(self) -> Node:
        stage, width = self.stage, self.stage.width
        area = Rect(0, STATUS_PX, width, BAR_BOTTOM_PX)
        title = self.tabs[self.tab].heading()
        parts = []
        if title:
            parts.append(
                node(
                    "TextView",
                    (width // 2 - 150, 111, width // 2 + 150, 181),
                    rid=stage.rid("page_title"),
                    text=title,
                    look=ink(50, align="center"),
                )
            )
        buttons: tuple[tuple[str, str, str, str, int], ...] = (
            ("search_button", "search", "open", "search", width - 246),
            ("plus_menu_button", "plus_menu", "menu", "", width - 123),
        )
        parts += [
            node(
                "RelativeLayout",
                (left, STATUS_PX, left + 123, BAR_BOTTOM_PX),
                node("ImageView", (left, 109, left + 74, 183), look=icon(text)),
                rid=stage.rid(role),
                desc=stage.text(text),
                act=act,
                arg=arg,
            )
            for role, text, act, arg, left in buttons
        ]
        return node(
            "FrameLayout", area, node("RelativeLayout", area, *parts), act=SOLID, look=Look(fill="#ededed")
        )

    def _menu(self) -> list[Node]:
        stage = self.stage
        left, top, high = stage.width - 460, BAR_BOTTOM_PX + 10, 146
        rows = [
            node(
                "LinearLayout",
                (left, top + n * high, stage.width - 20, top + (n + 1) * high),
                node(
                    "ImageView",
                    (left + 40, top + n * high + 43, left + 100, top + n * high + 103),
                    look=icon(role, WHITE),
                ),
                node(
                    "TextView",
                    (left + 130, top + n * high + 40, stage.width - 40, top + n * high + 106),
                    text=stage.text(role),
                    look=ink(44, WHITE),
                ),
                act=role if hasattr(self, f"do_{role}") else "close_menu",
            )
            for n, role in enumerate(MENU)
        ]
        cover = node("FrameLayout", self.screen_rect, act="close_menu", clickable=False)
        box = (left, top, stage.width - 20, top + high * len(MENU))
        return [cover, node("ListView", box, *rows, act=SOLID, look=Look(fill="#4c4c4c", radius_px=12))]
