"""One page of the virtual client: what it shows and what taps on it mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.virtual.ui import Look, Node, Rect
from agent.virtual.wechat.draw import (
    BAR_BOTTOM_PX,
    FAINT,
    GREY,
    INK,
    SOLID,
    STATUS_PX,
    WHITE,
    icon,
    ink,
    nested,
    node,
)

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage


class Page:
    """A page; subclasses draw themselves and answer acts by methods named `do_<act>`."""

    screen = ""  # the key of its activity in the client's table
    chat_key = ""  # the chat that is read while this page is in front

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.scroll_px = 0
        self.fields: dict[str, str] = {}
        self.focus = ""

    # -- to be filled in

    def title(self) -> str:
        """Return the page's title, "" if it has none."""
        return ""

    def content(self) -> list[Node]:
        """Return what the window contains."""
        raise NotImplementedError

    def max_scroll_px(self) -> int:
        """Return how far the page's list can be scrolled."""
        return 0

    def field_changed(self, name: str) -> None:
        """A field got another text."""

    def held(self, arg: str) -> tuple[tuple[str, Callable[[], object]], ...]:
        """Return the entries of the menu that a long touch on a node with this arg opens; none = no menu."""
        del arg
        return ()

    def editor_action(self) -> None:
        """The keyboard's action key was pressed on the focused field."""

    # -- what the client calls

    def activity(self) -> str:
        """Return the full class name of its activity."""
        return self.stage.table.activity(self.screen)

    def draw(self) -> Node:
        """Return the window root."""
        return self.root(*self.content())

    def act(self, name: str, arg: str) -> None:
        """A node with this act was tapped."""
        handler = getattr(self, f"do_{name}", None)
        if handler is not None:
            handler(arg)

    def scroll(self, dy_px: int) -> None:
        """A finger moved by -dy over the page's list."""
        self.scroll_px = min(max(0, self.scroll_px + dy_px), self.max_scroll_px())

    def back(self) -> bool:
        """Close what is open on the page; False = leave the page."""
        return False

    def do_back(self, _arg: str) -> None:
        """Leave the page by its back arrow."""
        if not self.back():
            self.stage.leave()

    def do_focus(self, name: str) -> None:
        """Put the cursor into a field."""
        self.focus = name

    # -- drawing

    @property
    def screen_rect(self) -> Rect:
        """Return the whole screen."""
        return Rect(0, 0, self.stage.width, self.stage.height)

    @property
    def body_rect(self) -> Rect:
        """Return the screen below the action bar."""
        return Rect(0, BAR_BOTTOM_PX, self.stage.width, self.stage.height)

    def root(self, *children: Node) -> Node:
        """Return the window root round the page's content."""
        area = self.screen_rect
        status = node("View", (0, 0, area.right, STATUS_PX), rid="android:id/statusBarBackground")
        content = node("FrameLayout", area, *children, rid="android:id/content")
        inner = node("LinearLayout", area, nested(3, area, content))
        return node(
            "FrameLayout",
            area,
            node("FrameLayout", area, inner),
            status,
            desc=self.stage.text("window_prefix") + self.stage.claimed(self.title()),
            act=SOLID,
            look=Look(fill=GREY),
        )

    def back_arrow(self) -> Node:
        """Return the arrow at the left end of a title bar."""
        return node(
            "LinearLayout",
            (0, STATUS_PX, 130, BAR_BOTTOM_PX),
            node(
                "ImageView",
                (40, 112, 88, 180),
                rid=self.stage.rid("back_icon"),
                desc=self.stage.text("back"),
                look=icon("back"),
            ),
            rid=self.stage.rid("back_button"),
            act="back",
        )

    def bar(self, *right: Node) -> Node:
        """Return the action bar with back arrow and title."""
        stage = self.stage
        arrow = self.back_arrow()
        title = node(
            "TextView",
            (240, 112, stage.width - 240, 182),
            rid="android:id/text1",
            text=self.title(),
            look=ink(50, align="center"),
        )
        area = (0, STATUS_PX, stage.width, BAR_BOTTOM_PX)
        return node("FrameLayout", area, node("View", area, arrow, title, *right), act=SOLID)

    def field(self, name: str, bounds: tuple[int, int, int, int], *, role: str = "", hint: str = "") -> Node:
        """Return an editable field."""
        return node(
            "EditText",
            bounds,
            rid=self.stage.rid(role) if role else "",
            # An empty field shows its hint as text, as Android reports it.
            text=self.fields.get(name, "") or hint,
            hint=hint,
            act="focus",
            arg=name,
            long_clickable=True,
            focusable=True,
            focused=self.focus == name,
            look=ink(46, INK if self.fields.get(name) else FAINT, fill=WHITE, radius_px=10),
        )

    def put(self, name: str, text: str) -> None:
        """Replace the text of a field."""
        self.fields[name] = text
        self.field_changed(name)
