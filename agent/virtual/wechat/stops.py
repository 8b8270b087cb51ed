"""What stops an account: warning dialogs and pages, the login page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.virtual.ui import Look, Node, Rect
from agent.virtual.wechat.draw import BAR_BOTTOM_PX, BLUE, GREEN, SOLID, WHITE, icon, ink, node, text_lines
from agent.virtual.wechat.page import Page
from agent.virtual.wechat.stage import Dialog

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

BANNER_PX = 100


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
            text=dialog.ok_text or stage.text("confirm"),
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


def draw_banner(stage: Stage, text: str) -> Node:
    """Return the strip below the bar of a page."""
    area = (0, BAR_BOTTOM_PX, stage.width, BAR_BOTTOM_PX + BANNER_PX)
    words = node(
        "TextView",
        (60, BAR_BOTTOM_PX + 20, stage.width - 60, BAR_BOTTOM_PX + BANNER_PX - 20),
        text=text,
        look=ink(38),
    )
    return node("LinearLayout", area, words, act="nothing", look=Look(fill="#fdeeee"))


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
