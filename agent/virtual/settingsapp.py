"""The settings app of a virtual phone: a search field, switches, buttons and a long list."""

from __future__ import annotations

from agent.virtual.ui import Look, Node, Notification, Rect

PACKAGE = "com.android.settings"
ROW_PX = 160
ROWS = (
    *("网络和互联网", "已连接的设备", "应用", "通知", "电池", "存储", "声音", "显示", "壁纸", "无障碍"),
    *("安全", "隐私", "位置信息", "账号", "数字健康", "系统", "语言和输入法", "日期和时间", "备份", "重置"),
    *("打印", "开发者选项", "系统更新", "关于手机"),
)
SWITCHES = ("飞行模式", "蓝牙")
LIST_TOP_PX = 800
INK_GREY = "#8e8e93"


class SettingsApp:
    """One page and, behind each row, a page that names it."""

    package = PACKAGE

    def __init__(self, width: int, height: int) -> None:
        self._screen = Rect(0, 0, width, height)
        self._query, self._is_focused = "", False
        self._on: set[str] = set()
        self._scrolled_px = 0
        self._page = ""
        self._toast: str | None = None

    def activity(self) -> str:
        """Return the class of the page in front."""
        return f"{PACKAGE}.SubSettings" if self._page else f"{PACKAGE}.Settings"

    def windows(self) -> list[Node]:
        """Return the one window of the page in front."""
        children = self._detail() if self._page else self._main()
        root = self._node(
            self._screen, "android.widget.FrameLayout", look=Look(fill="#f2f2f7"), children=children
        )
        return [root]

    def launch(self) -> None:
        """Stay on the page that was in front."""

    def stop(self) -> None:
        """Go back to the first page, scrolled to its top, the field empty."""
        self._page, self._query, self._is_focused, self._scrolled_px = "", "", False, 0

    def tap(self, x: float, y: float) -> None:
        """Act on the uppermost clickable node at a point."""
        self._is_focused = False
        for root in self.windows():
            hits = [node for node in root.walk() if node.act and node.bounds.contains(x, y)]
            if hits:
                self._act(hits[-1])

    def long_tap(self, x: float, y: float) -> None:
        """Say which row was held."""
        for root in self.windows():
            for node in root.walk():
                if node.act == "row" and node.bounds.contains(x, y):
                    self._toast = f"长按 {node.arg}"

    def swipe(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Scroll the list when the drag begins on it."""
        if not self._page and y1 >= LIST_TOP_PX and abs(y2 - y1) > abs(x2 - x1):
            longest = max(0, len(ROWS) * ROW_PX - (self._screen.bottom - LIST_TOP_PX))
            self._scrolled_px = int(min(longest, max(0, self._scrolled_px + y1 - y2)))

    def back(self) -> bool:
        """Leave a row's page; on the first page leave the front."""
        was_open, self._page = bool(self._page), ""
        return was_open

    def type_text(self, text: str) -> None:
        """Type into the search field if it has the focus."""
        if self._is_focused:
            self._query += text

    def set_text(self, node: Node, text: str) -> bool:
        """Replace the text of the search field."""
        if node.act != "field":
            return False
        self._query = text
        return True

    def editor_action(self) -> None:
        """Search: say what is looked for."""
        if self._is_focused:
            self._toast = f"搜索 {self._query}"

    def take_toast(self) -> str | None:
        """Return the toast shown since the last call."""
        toast, self._toast = self._toast, None
        return toast

    def notifications(self) -> list[Notification]:
        """Return nothing: settings notify of nothing."""
        return []

    def _act(self, node: Node) -> None:
        if node.act == "field":
            self._is_focused = True
        elif node.act == "switch":
            self._on ^= {node.arg}
        elif node.act == "row":
            self._page = node.arg
        elif node.act == "button":
            self._toast = f"已{node.arg}"
        elif node.act == "back":
            self._page = ""

    def _main(self) -> list[Node]:
        return [self._title("设置"), self._field(), *self._switches(), *self._buttons(), self._list()]

    def _detail(self) -> list[Node]:
        back = self._node(
            Rect(0, 72, 144, 216),
            "android.widget.ImageButton",
            desc="返回",
            clickable=True,
            act="back",
            look=Look(shape="back"),
        )
        return [back, self._title(self._page)]

    def _title(self, text: str) -> Node:
        bounds = Rect(160, 90, self._screen.right - 160, 198)
        return self._node(bounds, "android.widget.TextView", text=text, rid="title", look=Look(text_px=56))

    def _field(self) -> Node:
        return self._node(
            Rect(48, 230, self._screen.right - 48, 350),
            "android.widget.EditText",
            text=self._query or "搜索设置",
            hint="搜索设置",
            rid="search",
            clickable=True,
            long_clickable=True,
            focusable=True,
            focused=self._is_focused,
            act="field",
            look=Look(fill="#ffffff", text_px=44, radius_px=24, ink="#191919" if self._query else INK_GREY),
        )

    def _switches(self) -> list[Node]:
        rows = []
        for place, name in enumerate(SWITCHES):
            top = 380 + place * 130
            bounds = Rect(0, top, self._screen.right, top + 120)
            label = self._node(
                Rect(48, top + 30, 600, top + 90),
                "android.widget.TextView",
                text=name,
                rid="name",
                look=Look(text_px=44),
            )
            switch = self._node(
                Rect(bounds.right - 200, top + 20, bounds.right - 48, top + 100),
                "android.widget.Switch",
                desc=name,
                rid="switch",
                clickable=True,
                checkable=True,
                checked=name in self._on,
                act="switch",
                arg=name,
                look=Look(fill="#34c759" if name in self._on else "#c7c7cc", radius_px=40),
            )
            rows.append(
                self._node(
                    bounds,
                    "android.widget.LinearLayout",
                    look=Look(fill="#ffffff"),
                    children=[label, switch],
                )
            )
        return rows

    def _buttons(self) -> list[Node]:
        half = self._screen.width // 2
        return [
            self._node(
                Rect(left + 48, 660, left + half - 48, 770),
                "android.widget.Button",
                text=name,
                rid=rid,
                clickable=True,
                focusable=True,
                act="button",
                arg=name,
                look=Look(fill="#007aff", ink="#ffffff", text_px=44, align="center", radius_px=20),
            )
            for left, name, rid in ((0, "保存", "save"), (half, "重置", "reset"))
        ]

    def _list(self) -> Node:
        area = Rect(0, LIST_TOP_PX, self._screen.right, self._screen.bottom)
        rows = []
        for place, name in enumerate(ROWS):
            top = area.top + place * ROW_PX - self._scrolled_px
            if top + ROW_PX > area.top and top < area.bottom:
                rows.append(self._row(name, top))
        return self._node(
            area,
            "androidx.recyclerview.widget.RecyclerView",
            rid="list",
            scrollable=True,
            focusable=True,
            children=rows,
        )

    def _row(self, name: str, top: int) -> Node:
        label = self._node(
            Rect(48, top + 50, 900, top + 110),
            "android.widget.TextView",
            text=name,
            rid="name",
            look=Look(text_px=44),
        )
        return self._node(
            Rect(0, top, self._screen.right, top + ROW_PX),
            "android.widget.LinearLayout",
            clickable=True,
            long_clickable=True,
            focusable=True,
            act="row",
            arg=name,
            look=Look(fill="#ffffff"),
            children=[label],
        )

    def _node(
        self, bounds: Rect, cls: str, *, rid: str = "", look: Look | None = None, **fields: object
    ) -> Node:
        return Node(
            bounds=bounds,
            cls=cls,
            package=PACKAGE,
            rid=f"{PACKAGE}:id/{rid}" if rid else "",
            look=look or Look(),
            **fields,  # type: ignore[arg-type]  # the names and types are those of Node
        )
