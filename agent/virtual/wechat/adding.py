"""Looking a person up: 添加朋友, its search page, and the choice between WeChat and WeCom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.virtual.ui import Look, Node
from agent.virtual.wechat.draw import (
    BAR_BOTTOM_PX,
    BLUE,
    FAINT,
    GREEN,
    SOLID,
    STATUS_PX,
    WHITE,
    icon,
    ink,
    node,
)
from agent.virtual.wechat.page import Page
from agent.virtual.wechat.stage import Dialog
from agent.virtual.world import Answer, SearchAnswer

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage


class AddFriend(Page):
    """添加朋友: a box that leads to the search page."""

    screen = "add_friend"

    def title(self) -> str:
        """Return the page's title."""
        return self.stage.text("add_friend_title")

    def content(self) -> list[Node]:
        """Return the box and the account's own id."""
        stage, width = self.stage, self.stage.width
        box = node(
            "RelativeLayout",
            (30, 250, width - 30, 370),
            node("ImageView", (60, 280, 120, 340), look=icon("search", FAINT)),
            node(
                "TextView",
                (140, 282, width - 60, 342),
                text=stage.text("add_friend_entry"),
                look=ink(44, FAINT),
            ),
            rid=stage.rid("add_friend_entry"),
            act="search",
            look=Look(fill=WHITE, radius_px=12),
        )
        own = node(
            "TextView",
            (0, 410, width, 470),
            text=f"我的微信号：{stage.account.account_id}",
            look=ink(36, align="center"),
        )
        rows = [
            node(
                "LinearLayout",
                (0, top, width, top + 190),
                node(
                    "TextView",
                    (190, top + 30, 700, top + 90),
                    rid="android:id/title",
                    text=name,
                    look=ink(46),
                ),
                node(
                    "TextView",
                    (190, top + 105, 900, top + 150),
                    rid="android:id/summary",
                    text=more,
                    look=ink(34, FAINT),
                ),
                act="nothing",
                look=Look(fill=WHITE),
            )
            for top, name, more in (
                (520, "雷达加朋友", "添加身边的朋友"),
                (710, "扫一扫", "扫描二维码名片"),
                (900, "手机联系人", "添加通讯录中的朋友"),
                (1090, "企业微信联系人", "通过手机号搜索企业微信用户"),
            )
        ]
        head = node("LinearLayout", (0, BAR_BOTTOM_PX, width, 500), box, own)
        return [
            node("ListView", self.body_rect, head, *rows, rid="android:id/list", scrollable=True),
            self.bar(),
        ]

    def do_search(self, _arg: str) -> None:
        """Go to the search page."""
        self.stage.open("add_friend_search")


class AddFriendSearch(Page):
    """The search page: a field, a row that searches, and the words of an error."""

    screen = "add_friend_search"

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.focus = "query"
        self.error = ""

    def content(self) -> list[Node]:
        """Return field, cancel button, and row or error."""
        stage, width = self.stage, self.stage.width
        top = STATUS_PX + 20
        query = self.fields.get("query", "")
        field = self.field(
            "query",
            (120, top, width - 190, top + 110),
            role="add_friend_input",
            hint=stage.text("add_friend_entry"),
        )
        box = node(
            "LinearLayout",
            (30, top, width - 170, top + 110),
            node("ImageView", (50, top + 25, 110, top + 85), look=icon("search", FAINT)),
            field,
            look=Look(fill=WHITE, radius_px=12),
        )
        cancel = node(
            "TextView",
            (width - 150, top + 20, width - 30, top + 90),
            rid=stage.rid("search_cancel"),
            text=stage.text("cancel"),
            act="back",
            look=ink(46, BLUE),
        )
        parts = [node("RelativeLayout", (0, STATUS_PX, width, BAR_BOTTOM_PX), box, cancel)]
        if self.error:
            text = node(
                "TextView",
                (60, 330, width - 60, 400),
                rid=stage.rid("add_friend_error"),
                text=self.error,
                look=ink(42, FAINT, align="center"),
            )
            parts.append(
                node("FrameLayout", (0, 240, width, 490), node("RelativeLayout", (0, 240, width, 490), text))
            )
        elif query:
            parts.append(self._row(query))
        return [node("FrameLayout", self.screen_rect, *parts)]

    def field_changed(self, name: str) -> None:
        """Another query: the old error goes."""
        if name == "query":
            self.error = ""

    def editor_action(self) -> None:
        """The keyboard's search key does what the row does."""
        if self.fields.get("query"):
            self.do_look_up("")

    def do_look_up(self, _arg: str) -> None:
        """Ask the platform."""
        stage = self.stage
        found = stage.world.search(stage.account, self.fields.get("query", ""))
        if found.answer is Answer.FOUND and found.person is not None:
            stage.open("profile", found.person.key, server=True)
        elif found.answer is Answer.WECOM and found.person is not None:
            stage.open("wecom_choice", found.person.key, server=True)
        else:
            self._complain(found)

    def _complain(self, found: SearchAnswer) -> None:
        stage = self.stage
        if found.notice is not None:
            self.error = stage.wording(found.notice)
        elif found.answer is Answer.WARNED:
            pass  # what the platform says stands elsewhere
        elif found.answer is Answer.ABNORMAL:
            self.error = stage.table.warnings["PEER_ABNORMAL"][0]
        elif stage.world.shows_dialog(stage.account):
            stage.show(Dialog(text=stage.table.warnings["NOT_FOUND"][0]))
        else:
            self.error = stage.table.warnings["NOT_FOUND"][0]
        stage.lag(server=True)

    def _row(self, query: str) -> Node:
        stage, width = self.stage, self.stage.width
        text = node(
            "TextView",
            (190, 290, width - 60, 360),
            text=stage.text("search_row_prefix") + query,
            look=ink(46),
        )
        picture = node("ImageView", (48, 270, 158, 380), look=icon("search", GREEN))
        return node(
            "RelativeLayout",
            (0, 240, width, 410),
            picture,
            node("LinearLayout", (190, 240, width, 410), text),
            rid=stage.rid("add_friend_search_row"),
            act="look_up",
            look=Look(fill=WHITE),
        )


class WecomChoice(Page):
    """The number belongs to WeChat and WeCom: which one is meant?"""

    screen = "add_friend_search"

    def __init__(self, stage: Stage, person: str) -> None:
        super().__init__(stage)
        self.person = person

    def content(self) -> list[Node]:
        """Return the question and its two answers."""
        stage, width = self.stage, self.stage.width
        words = node(
            "TextView",
            (60, 300, width - 60, 370),
            text=stage.table.warnings["WECOM_USER"][0],
            look=ink(46, align="center"),
        )
        rows = [
            node(
                "RelativeLayout",
                (0, top, width, top + 170),
                node("TextView", (190, top + 50, width - 60, top + 120), text=text, look=ink(46)),
                act=act,
                look=Look(fill=WHITE),
            )
            for top, text, act in ((450, "微信", "wechat"), (630, "企业微信", "nothing"))
        ]
        area = self.body_rect
        return [node("FrameLayout", area, words, *rows, act=SOLID), self.bar()]

    def do_wechat(self, _arg: str) -> None:
        """Go on with the person's WeChat."""
        self.stage.open("profile", self.person, server=True)
