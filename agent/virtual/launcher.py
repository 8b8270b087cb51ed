"""The home screen: icons that open apps."""

from __future__ import annotations

from collections.abc import Callable

from agent.virtual.ui import Look, Node, Notification, Rect

PACKAGE = "com.android.launcher"
ICONS = (
    ("微信", "com.tencent.mm", "#07c160"),
    ("设置", "com.android.settings", "#8e8e93"),
    ("相机", "", "#3c3c43"),
    ("电话", "", "#34c759"),
)
COLUMNS = 4
CELL_PX = 240
TOP_PX = 300
STATUS_BAR_PX = 72


class Launcher:
    """A plain home screen; `open_app` is called with the package of a touched icon."""

    package = PACKAGE

    def __init__(self, open_app: Callable[[str], object], width: int, height: int) -> None:
        self._open_app = open_app
        self._screen = Rect(0, 0, width, height)

    def activity(self) -> str:
        """Return the class of the home screen."""
        return f"{PACKAGE}.Launcher"

    def windows(self) -> list[Node]:
        """Return the one window of the home screen."""
        root = Node(
            bounds=self._screen,
            cls="android.widget.FrameLayout",
            package=PACKAGE,
            look=Look(fill="#dfe8f2"),
            children=[self._workspace()],
        )
        return [root]

    def launch(self) -> None:
        """Do nothing: there is one page."""

    def stop(self) -> None:
        """Do nothing: there is one page."""

    def tap(self, x: float, y: float) -> None:
        """Open the app whose icon was touched."""
        for icon in self._workspace().children:
            if icon.bounds.contains(x, y) and icon.arg:
                self._open_app(icon.arg)

    def long_tap(self, x: float, y: float) -> None:
        """Do nothing."""

    def swipe(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Do nothing: there is one page."""

    def back(self) -> bool:
        """Stay in front."""
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
        """Return None: the home screen shows no toasts."""
        return None

    def notifications(self) -> list[Notification]:
        """Return nothing: the home screen notifies of nothing."""
        return []

    def _workspace(self) -> Node:
        gap = (self._screen.width - COLUMNS * CELL_PX) // (COLUMNS + 1)
        icons = []
        for place, (label, target, color) in enumerate(ICONS):
            row, column = divmod(place, COLUMNS)
            left = gap + column * (CELL_PX + gap)
            top = TOP_PX + row * (CELL_PX + gap)
            icons.append(_icon(label, target, color, Rect(left, top, left + CELL_PX, top + CELL_PX)))
        return Node(
            bounds=Rect(0, STATUS_BAR_PX, self._screen.right, self._screen.bottom),
            cls="android.view.ViewGroup",
            rid=f"{PACKAGE}:id/workspace",
            package=PACKAGE,
            children=icons,
        )


def _icon(label: str, target: str, color: str, bounds: Rect) -> Node:
    return Node(
        bounds=bounds,
        cls="android.widget.TextView",
        text=label,
        desc=label,
        rid=f"{PACKAGE}:id/icon",
        package=PACKAGE,
        clickable=True,
        long_clickable=True,
        focusable=True,
        arg=target,
        look=Look(fill=color, ink="#ffffff", text_px=44, align="center", radius_px=48),
    )
