"""What stops an account: warning dialogs and pages, the login page. Also the global search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.virtual.ui import Look, Node, Rect
from agent.virtual.wechat.draw import BLUE, FAINT, GREEN, SOLID, WHITE, icon, ink, node, text_lines
from agent.virtual.wechat.page import Page
from agent.virtual.wechat.stage import Dialog

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage


def draw_dialog(stage: Stage, dialog: Dialog) -> Node:
    """Return the window root of a dialog: smaller than the screen, buttons at its lower edge."""
    width = stage.width - 93
    high = 340 + 62 * text_lines(dialog.text, 46, width - 160)
    left, top = 46, (stage.height - high) // 2
    area = Rect(left, top, left + width, top + high)
    words = node(
        "TextView",
        (left + 74, top + 100, area.right - 74, area.bottom - 220),
        rid=stage.rid("dialog_message"),
        text=dialog.text,
        look=ink(46, align="left"),
    )
    body = node(
        "ScrollView",
        (left, top + 60, area.right, area.bottom - 180),
        node("LinearLayout", words.bounds, words),
    )
    foot = area.bottom - 173
    middle = (area.left + area.right) // 2 if dialog.has_cancel else area.left
    buttons = [
        node(
            "Button",
            (middle, foot, area.right, area.bottom),
            rid=stage.rid("dialog_ok"),
            text=stage.text("confirm"),
            act="dialog_ok",
            focusable=True,
            look=ink(48, BLUE, align="center"),
        )
    ]
    if dialog.has_cancel:
        cancel = node(
            "Button",
            (area.left, foot, middle, area.bottom),
            text=stage.text("cancel"),
            act="dialog_cancel",
            focusable=True,
            look=ink(48, align="center"),
        )
        buttons.insert(0, cancel)
    row = node("LinearLayout", (area.left, foot, area.right, area.bottom), *buttons)
    content = node("FrameLayout", area, node("LinearLayout", area, body, row), rid="android:id/content")
    return node(
        "FrameLayout",
        area,
        node("FrameLayout", area, content),
        act=SOLID,
        look=Look(fill=WHITE, radius_px=24),
    )


class WarningPage(Page):
    """A page of the platform in place of the client's own: risk, identity, verification."""

    screen = "web"

    def __init__(self, stage: Stage, text: str, screen: str = "web") -> None:
        super().__init__(stage)
        self.text, self.screen = text, screen

    def title(self) -> str:
        """Return the page's title."""
        return "安全提示"

    def content(self) -> list[Node]:
        """Return the words inside a web view."""
        area = self.body_rect
        words = node(
            "TextView",
            (60, 500, area.right - 60, 500 + 70 * text_lines(self.text, 48, area.right - 120)),
            text=self.text,
            look=ink(48, align="center"),
        )
        web = node("FrameLayout", area, node("View", area, words), scrollable=True, focusable=True)
        web.cls = "android.webkit.WebView"
        return [web, self.bar()]


class LoginPage(Page):
    """The account is signed out; only a person signs in."""

    screen = "login"

    def content(self) -> list[Node]:
        """Return the account's number, a field for its password, and the buttons."""
        stage, width = self.stage, self.stage.width
        button = node(
            "Button",
            (width // 2 - 400, 1250, width // 2 + 400, 1390),
            text=stage.text("login"),
            act="nothing",
            look=ink(48, WHITE, align="center", fill=GREEN, radius_px=12),
        )
        other = node(
            "TextView", (60, 1100, 500, 1160), text="用短信验证码登录", act="nothing", look=ink(42, BLUE)
        )
        more = [
            node(
                "TextView",
                (left, stage.height - 220, left + 300, stage.height - 150),
                text=text,
                act="nothing",
                look=ink(40, BLUE, align="center"),
            )
            for left, text in ((90, "找回密码"), (390, "紧急冻结"), (690, "更多选项"))
        ]
        parts = [
            node(
                "ImageView",
                (width // 2 - 120, 350, width // 2 + 120, 590),
                look=icon("avatar"),
                arg=stage.account.nickname,
            ),
            node(
                "TextView",
                (60, 660, width - 60, 740),
                text=stage.text("login_mobile"),
                look=ink(54, align="center"),
            ),
            self.field("password", (60, 900, width - 60, 1020), hint="请填写微信密码"),
            other,
            button,
            *more,
        ]
        return [
            node("ScrollView", self.screen_rect, node("LinearLayout", self.screen_rect, *parts), act=SOLID)
        ]


class GlobalSearch(Page):
    """Search in chats and contacts by name."""

    screen = "search"

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.focus = "query"

    def content(self) -> list[Node]:
        """Return field, cancel button and the contacts found."""
        stage, width = self.stage, self.stage.width
        cancel = node(
            "TextView",
            (width - 150, 110, width - 30, 180),
            rid=stage.rid("search_cancel"),
            text=stage.text("cancel"),
            act="back",
            look=ink(46, BLUE),
        )
        field = self.field(
            "query", (60, 90, width - 190, 200), role="search_input", hint=stage.text("search")
        )
        rows = [self._row(name, key, 300 + n * 190) for n, (name, key) in enumerate(self._found())]
        head = node("TextView", (48, 240, 400, 290), text="联系人", look=ink(36, FAINT))
        items = node("ListView", self.body_rect, *([head, *rows] if rows else []), scrollable=True)
        return [node("RelativeLayout", (0, 72, width, 220), field, cancel), items]

    def do_chat(self, key: str) -> None:
        """Open the chat with a contact."""
        stage = self.stage
        stage.account.chat(key, stage.world.name_for(stage.account, key))
        stage.open("chat", key, False)

    def _found(self) -> list[tuple[str, str]]:
        query, world, account = self.fields.get("query", ""), self.stage.world, self.stage.account
        names = [(world.name_for(account, key), key) for key in account.friends]
        return [(name, key) for name, key in sorted(names) if query and query in name][:8]

    def _row(self, name: str, key: str, top: int) -> Node:
        width = self.stage.width
        text = node(
            "TextView",
            (200, top + 60, width - 60, top + 130),
            rid=self.stage.rid("search_result_name"),
            text=name,
            look=ink(48),
        )
        return node("RelativeLayout", (0, top, width, top + 190), text, act="chat", arg=key)
