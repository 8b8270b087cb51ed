"""The tabs of the home page: what all share, and the two short ones, discover and me."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.virtual.ui import Look, Node
from agent.virtual.wechat.draw import BAR_BOTTOM_PX, FAINT, WHITE, icon, ink, node

if TYPE_CHECKING:
    from agent.virtual.wechat.home import Home

ROW_PX = 165


class Tab:
    """One tab of the home page."""

    has_bar = True

    def __init__(self, home: Home) -> None:
        self.home = home
        self.stage = home.stage
        self.scroll_px = 0

    def heading(self) -> str:
        """Return the text of the action bar."""
        return ""

    def height_px(self) -> int:
        """Return the height of the tab's list, with the action bar over it."""
        return 0

    def draw(self) -> Node:
        """Return the tab's list."""
        raise NotImplementedError

    def entry(self, role: str, top: int, *, act: str = "", arg: str = "", rid: str = "") -> Node:
        """Return a row of settings: icon and text."""
        width = self.stage.width
        return node(
            "LinearLayout",
            (0, top, width, top + ROW_PX),
            node("ImageView", (48, top + 48, 117, top + 117), look=icon(role)),
            node(
                "LinearLayout",
                (150, top, width, top + ROW_PX),
                node(
                    "TextView",
                    (150, top + 50, 700, top + 115),
                    rid="android:id/title",
                    text=self.stage.text(role),
                    look=ink(48),
                ),
            ),
            rid=rid,
            act=act or "nothing",
            arg=arg,
            look=Look(fill=WHITE),
        )


class Discover(Tab):
    """Discover: the way to moments."""

    def heading(self) -> str:
        """Return the tab's name."""
        return self.stage.text("tab_discover")

    def draw(self) -> Node:
        """Return the rows of the page."""
        top = BAR_BOTTOM_PX + 20
        rows = [
            self.entry("moments", top, act="open", arg="moments", rid=self.stage.rid("moments_entry")),
            self.entry("channels", top + ROW_PX + 24),
            self.entry("menu_scan", top + 2 * (ROW_PX + 24)),
        ]
        return node("ListView", self.home.screen_rect, *rows, rid="android:id/list", scrollable=True)


class Me(Tab):
    """Me: nickname and WeChat id of the account; the only tab without an action bar."""

    has_bar = False

    def draw(self) -> Node:
        """Return the head and the rows of the page."""
        stage, width = self.stage, self.stage.width
        head = node(
            "RelativeLayout",
            (0, 0, width, 620),
            node("ImageView", (72, 300, 272, 500), look=icon("avatar"), arg=stage.account.nickname),
            node(
                "LinearLayout",
                (320, 300, width, 500),
                node(
                    "View",
                    (320, 310, width - 160, 380),
                    rid=stage.rid("me_nickname"),
                    text=stage.account.nickname,
                    look=ink(60),
                ),
                node(
                    "TextView",
                    (320, 420, width - 160, 480),
                    rid=stage.rid("me_wechat_id"),
                    text=stage.text("me_wechat_id_prefix") + stage.account.account_id,
                    look=ink(42, FAINT),
                ),
            ),
            act="nothing",
            look=Look(fill=WHITE),
        )
        roles = ("me_services", "me_favourites", "moments", "me_settings")
        rows = [self.entry(role, 640 + n * (ROW_PX + 8)) for n, role in enumerate(roles)]
        return node("ListView", self.home.screen_rect, head, *rows, rid="android:id/list", scrollable=True)
