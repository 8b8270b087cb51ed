"""设置备注和标签: remark, tags and description of a friend; saved all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.virtual.people import Person
from agent.virtual.ui import Look, Node
from agent.virtual.wechat.draw import FAINT, GREEN, WHITE, ink, node
from agent.virtual.wechat.page import Page

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage


class RemarkPage(Page):
    """The labels stand above their boxes here, unlike on the page of a request."""

    screen = "remark"

    def __init__(self, stage: Stage, person: str) -> None:
        super().__init__(stage)
        self.person: Person = stage.world.people[person]
        self.fields = {
            "remark": stage.world.name_for(stage.account, person),
            "description": "",
        }
        self.tags = stage.account.tagged.get(person, ())

    def title(self) -> str:
        """Return the page's title."""
        return self.stage.text("set_remark")

    def content(self) -> list[Node]:
        """Return the boxes with their labels and the button that saves."""
        stage, width = self.stage, self.stage.width
        done = node(
            "Button",
            (width - 190, 100, width - 40, 190),
            text=stage.text("save"),
            act="commit",
            look=ink(42, WHITE, align="center", fill=GREEN, radius_px=10),
        )
        shown = "，".join(self.tags)
        tags = node(
            "LinearLayout",
            (60, 580, width - 60, 710),
            node(
                "TextView",
                (90, 615, width - 90, 675),
                text=shown or "添加标签",
                look=ink(44, FAINT if not shown else "#191919"),
            ),
            act="tags",
            look=Look(fill="#f7f7f7", radius_px=12),
        )
        parts = [
            self._label("备注名", 260),
            self.field("remark", (60, 330, width - 60, 460)),
            self._label("标签", 520),
            tags,
            self._label("描述", 770),
            self.field("description", (60, 840, width - 60, 1100), hint="添加描述"),
        ]
        body = node(
            "ScrollView", self.body_rect, node("LinearLayout", self.body_rect, *parts), scrollable=True
        )
        return [body, self.bar(done)]

    def do_tags(self, _arg: str) -> None:
        """Go to the page where tags are chosen; it hands them back."""
        self.stage.open("tags", self)

    def do_commit(self, _arg: str) -> None:
        """Save and go back."""
        stage = self.stage
        stage.world.mark(stage.account, self.person, self.fields["remark"], self.tags)
        stage.leave(server=True)

    def _label(self, text: str, top: int) -> Node:
        area = (60, top, self.stage.width - 60, top + 50)
        return node("TextView", area, text=text, look=ink(36, FAINT))
