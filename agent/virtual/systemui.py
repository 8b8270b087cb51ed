"""The system's own windows: status bar and notification shade."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from agent.virtual.ui import Look, Node, Notification, Rect

PACKAGE = "com.android.systemui"
STATUS_BAR_PX = 72
ROW_PX = 220
CHINA = timedelta(hours=8)


class SystemUi:
    """Status bar and shade; the shade lies over the app while it is open."""

    package = PACKAGE

    def __init__(
        self,
        width: int,
        height: int,
        notifications: Callable[[], Sequence[tuple[str, Notification]]],
        open_app: Callable[[str], object],
    ) -> None:
        self._screen = Rect(0, 0, width, height)
        self._notifications, self._open_app = notifications, open_app
        self.shade_is_open = False

    def status_bar(self, now_ms: int) -> Node:
        """Return the status bar's window; its clock shows UTC+8."""
        at = datetime.fromtimestamp(now_ms / 1_000, UTC) + CHINA
        width = self._screen.width
        clock = Node(
            bounds=Rect(36, 12, 180, 60),
            cls="android.widget.TextView",
            text=f"{at:%H:%M}",
            rid=f"{PACKAGE}:id/clock",
            package=PACKAGE,
            look=Look(text_px=36),
        )
        battery = Node(
            bounds=Rect(width - 120, 12, width - 36, 60),
            cls="android.widget.LinearLayout",
            rid=f"{PACKAGE}:id/battery",
            package=PACKAGE,
            look=Look(shape="battery"),
        )
        return Node(
            bounds=Rect(0, 0, width, STATUS_BAR_PX),
            cls="android.widget.FrameLayout",
            rid=f"{PACKAGE}:id/status_bar",
            package=PACKAGE,
            children=[clock, battery],
        )

    def shade(self) -> Node | None:
        """Return the window of the open notification shade, else None."""
        if not self.shade_is_open:
            return None
        rows = []
        for place, (_, entry) in enumerate(self._notifications()):
            top = STATUS_BAR_PX + place * ROW_PX
            rows.append(_row(entry, Rect(0, top, self._screen.width, top + ROW_PX)))
        return Node(
            bounds=self._screen,
            cls="android.widget.FrameLayout",
            rid=f"{PACKAGE}:id/notification_panel",
            package=PACKAGE,
            look=Look(fill="#f2f2f7"),
            children=rows,
        )

    def tap(self, x: float, y: float) -> None:
        """Open the app of the touched notification, close the shade in any case."""
        _ = x
        entries = self._notifications()
        place = int((y - STATUS_BAR_PX) // ROW_PX)
        self.shade_is_open = False
        if 0 <= place < len(entries):
            self._open_app(entries[place][0])

    def long_tap(self, x: float, y: float) -> None:
        """Do nothing: a long touch shows a notification's settings, which are not simulated."""

    def swipe(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Close the shade when dragged up."""
        if abs(y2 - y1) > abs(x2 - x1) and y2 < y1:
            self.shade_is_open = False


def _row(entry: Notification, bounds: Rect) -> Node:
    def line(text: str, name: str, top: int, size: int, ink: str) -> Node:
        return Node(
            bounds=Rect(48, bounds.top + top, bounds.right - 48, bounds.top + top + size + 20),
            cls="android.widget.TextView",
            text=text,
            rid=f"android:id/{name}",
            package=PACKAGE,
            look=Look(text_px=size, ink=ink),
        )

    return Node(
        bounds=bounds,
        cls="android.widget.FrameLayout",
        rid=f"{PACKAGE}:id/expandableNotificationRow",
        package=PACKAGE,
        clickable=True,
        long_clickable=True,
        focusable=True,
        look=Look(fill="#ffffff"),
        children=[
            line(entry.title, "title", 30, 44, "#191919"),
            line(entry.text, "text", 110, 40, "#666666"),
        ],
    )
