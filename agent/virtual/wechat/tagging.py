"""添加标签: the tags chosen, a field for a new one, and all tags the account has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from agent.virtual.ui import Look, Node
from agent.virtual.wechat.draw import BAR_BOTTOM_PX, FAINT, GREEN, WHITE, ink, node, text_width, visible
from agent.virtual.wechat.page import Page

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

CHIP_PX, GAP_PX, FONT_PX = 90, 30, 42


class Tagged(Protocol):
    """A page that has tags."""

    tags: tuple[str, ...]


class TagPage(Page):
    """Hands the tags back to the page it was opened from; leaving it by the arrow changes nothing."""

    screen = "tags"

    def __init__(self, stage: Stage, owner: Tagged) -> None:
        super().__init__(stage)
        self.owner = owner
        self.chosen = list(owner.tags)
        self.fields = {"new": ""}

    def title(self) -> str:
        """Return the page's title."""
        return self.stage.text("tags_title")

    def max_scroll_px(self) -> int:
        """Return how far the page can be scrolled."""
        parts = self._parts(BAR_BOTTOM_PX)
        return max(0, parts[-1].bounds.bottom + 200 - self.stage.height)

    def content(self) -> list[Node]:
        """Return the chips chosen, the field, and the chips there are."""
        stage, width = self.stage, self.stage.width
        done = node(
            "Button",
            (width - 190, 100, width - 40, 190),
            text=stage.text("save"),
            act="save",
            look=ink(42, WHITE, align="center", fill=GREEN, radius_px=10),
        )
        parts = visible(iter(self._parts(BAR_BOTTOM_PX - self.scroll_px)), self.body_rect)
        return [node("ScrollView", self.body_rect, *parts, scrollable=True), self.bar(done)]

    def do_choose(self, tag: str) -> None:
        """Choose a tag that there is, or take it back."""
        if tag in self.chosen:
            self.chosen.remove(tag)
        else:
            self.chosen.append(tag)
        self.stage.lag()

    def do_drop(self, tag: str) -> None:
        """Take a tag back."""
        self.chosen.remove(tag)
        self.stage.lag()

    def do_save(self, _arg: str) -> None:
        """Hand the tags back; what stands in the field is one of them."""
        typed = self.fields["new"].strip()
        self.owner.tags = tuple(dict.fromkeys([*self.chosen, *([typed] if typed else [])]))
        self.stage.leave()

    def _parts(self, top: int) -> list[Node]:
        stage, width = self.stage, self.stage.width
        chips = self._chips(self.chosen, top + 40, "drop")
        top = max([top, *(chip.bounds.bottom for chip in chips)]) + GAP_PX
        field = self.field("new", (60, top, width - 60, top + 110), hint=stage.text("tags_field"))
        head = node(
            "TextView",
            (60, top + 160, width - 60, top + 220),
            text=stage.text("tags_all"),
            look=ink(38, FAINT),
        )
        return [*chips, field, head, *self._chips(stage.account.tags, top + 250, "choose")]

    def _chips(self, tags: Iterable[str], top: int, act: str) -> list[Node]:
        found, left = [], 60
        for tag in tags:
            wide = text_width(tag, FONT_PX) + 60
            if left > 60 and left + wide > self.stage.width - 60:
                left, top = 60, top + CHIP_PX + GAP_PX
            area = (left, top, left + wide, top + CHIP_PX)
            text = node("TextView", area, text=tag, look=ink(FONT_PX, align="center"))
            found.append(
                node("FrameLayout", area, text, act=act, arg=tag, look=Look(fill=WHITE, radius_px=20))
            )
            left += wide + GAP_PX
        return found
