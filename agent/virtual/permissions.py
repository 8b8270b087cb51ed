"""Android's own question for a permission: an app of another package that stands over the one in front."""

from __future__ import annotations

from collections.abc import Callable

from agent.virtual.ui import Look, Node, Notification, Rect

PACKAGE = "com.android.permissioncontroller"
HIGH_PX = 620
BUTTON_PX = 150
CHOICES = ("允许", "仅在使用中允许", "拒绝")


class PermissionController:
    """The question; `answered` is called with the label of the touched button, "" for the back key."""

    package = PACKAGE

    def __init__(self, width: int, height: int, answered: Callable[[str], None]) -> None:
        self._answered = answered
        self._area = Rect(40, height - HIGH_PX - 40, width - 40, height - 40)

    def activity(self) -> str:
        """Return the class of the question."""
        return f"{PACKAGE}.permission.ui.GrantPermissionsActivity"

    def windows(self) -> list[Node]:
        """Return the one small window."""
        area = self._area
        words = Node(
            bounds=Rect(area.left + 40, area.top + 30, area.right - 40, area.top + 130),
            cls="android.widget.TextView",
            text="要允许“微信”访问您设备上的照片吗？",
            rid=f"{PACKAGE}:id/permission_message",
            package=PACKAGE,
            look=Look(text_px=44),
        )
        return [
            Node(
                bounds=area,
                cls="android.widget.FrameLayout",
                package=PACKAGE,
                look=Look(fill="#ffffff", radius_px=36),
                children=[words, *self._buttons()],
            )
        ]

    def launch(self) -> None:
        """Do nothing: the question is there already."""

    def stop(self) -> None:
        """Do nothing: only an answer ends it."""

    def tap(self, x: float, y: float) -> None:
        """Answer by a button."""
        for button in self._buttons():
            if button.bounds.contains(x, y):
                self._answered(button.text)

    def long_tap(self, x: float, y: float) -> None:
        """Do nothing."""

    def swipe(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Do nothing."""

    def back(self) -> bool:
        """Leave the question unanswered."""
        self._answered("")
        return True

    def type_text(self, text: str) -> None:
        """Do nothing: there is no field."""

    def set_text(self, node: Node, text: str) -> bool:
        """Refuse: there is no field."""
        _ = node, text
        return False

    def editor_action(self) -> None:
        """Do nothing: there is no field."""

    def take_toast(self) -> str | None:
        """Return None: it shows no toasts."""
        return None

    def notifications(self) -> list[Notification]:
        """Return nothing."""
        return []

    def _buttons(self) -> list[Node]:
        area = self._area
        top = area.bottom - BUTTON_PX * len(CHOICES) - 10
        return [
            Node(
                bounds=Rect(
                    area.left + 40, top + n * BUTTON_PX, area.right - 40, top + (n + 1) * BUTTON_PX - 10
                ),
                cls="android.widget.Button",
                text=label,
                rid=f"{PACKAGE}:id/permission_button_{n}",
                package=PACKAGE,
                clickable=True,
                focusable=True,
                look=Look(text_px=44, align="center"),
            )
            for n, label in enumerate(CHOICES)
        ]
