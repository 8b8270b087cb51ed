"""A small app for tests of the virtual handset: one page of given nodes, and a record of what reached it."""

from __future__ import annotations

from agent.virtual.ui import Node, Notification, Rect

PACKAGE = "com.tencent.mm"
SCREEN = Rect(0, 0, 1080, 2340)


def field(text: str = "") -> Node:
    """Return the page's EditText."""
    return Node(
        bounds=Rect(40, 300, 1040, 400),
        cls="android.widget.EditText",
        text=text,
        rid=f"{PACKAGE}:id/input",
        clickable=True,
        focusable=True,
        act="field",
    )


def button(text: str, top: int) -> Node:
    """Return a button that shows its name as a toast."""
    return Node(
        bounds=Rect(40, top, 1040, top + 100),
        cls="android.widget.Button",
        text=text,
        rid=f"{PACKAGE}:id/button",
        clickable=True,
        focusable=True,
        act="toast",
        arg=text,
    )


class StubApp:
    """An App of one page; `taps`, `swipes` and `typed` tell what it was given."""

    package = PACKAGE

    def __init__(self, nodes: list[Node] | None = None) -> None:
        self.nodes = [button("确定", 500), button("取消", 650)] if nodes is None else nodes
        self.taps: list[tuple[float, float]] = []
        self.long_taps: list[tuple[float, float]] = []
        self.swipes: list[tuple[float, float, float, float]] = []
        self.launches = 0
        self.actions: list[str] = []
        self.text = ""
        self.is_focused = False
        self.shade: list[Notification] = []
        self._toast: str | None = None

    def activity(self) -> str:
        return "com.tencent.mm.ui.LauncherUI"

    def windows(self) -> list[Node]:
        entry = field(self.text)
        entry.focused = self.is_focused
        return [Node(bounds=SCREEN, cls="android.widget.FrameLayout", children=[entry, *self.nodes])]

    def launch(self) -> None:
        self.launches += 1

    def stop(self) -> None:
        self.text, self.is_focused = "", False

    def tap(self, x: float, y: float) -> None:
        self.taps.append((x, y))
        self.is_focused = False
        for node in self.windows()[0].walk():
            if node.act and node.bounds.contains(x, y):
                if node.act == "field":
                    self.is_focused = True
                else:
                    self._toast = node.arg

    def long_tap(self, x: float, y: float) -> None:
        self.long_taps.append((x, y))

    def swipe(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self.swipes.append((x1, y1, x2, y2))

    def back(self) -> bool:
        return False

    def type_text(self, text: str) -> None:
        if self.is_focused:
            self.text += text

    def set_text(self, node: Node, text: str) -> bool:
        if node.act != "field":
            return False
        self.text = text
        return True

    def editor_action(self) -> None:
        self.actions.append("editor")

    def take_toast(self) -> str | None:
        toast, self._toast = self._toast, None
        return toast

    def notifications(self) -> list[Notification]:
        return self.shade
