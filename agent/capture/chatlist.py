"""The list of chats on the home page: its rows as far as they are in sight."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.capture.pages import TrueTexts
from agent.model import ChatRow
from agent.wechat.pages import Box, Node
from agent.wechat.screens import Screen

# Rows that look like chats and are folders or notices of the platform.
FOLDERS = frozenset({"订阅号消息", "服务号", "服务通知", "微信支付", "微信运动"})
# Chats that the holder put away: the row stands for all of them and leads to a list of its own.
FOLDED = frozenset({"折叠的聊天", "折叠的群聊", "Folded Chats", "Minimized Groups"})
# Less of a row than this under the bars is neither read nor tapped.
SEEN_SHARE = 0.6
PICTURE_SHARE = 0.23
_COUNT = re.compile(r"\d{1,2}\+?|99\+")
_MUTED_COUNT = re.compile(r"\[(\d+)条\]")


@dataclass(frozen=True, slots=True)
class SeenRow:
    """A row, and what of it is free of the bars."""

    row: ChatRow
    node: Node
    area: Box


def read_rows(screen: Screen, true_texts: TrueTexts) -> list[SeenRow]:
    """Return the rows in sight from top to bottom; those mostly under a bar are left out."""
    lists = screen.lists()
    tabs = screen.tabs()
    if not lists or not tabs:
        return []
    area = free_area(screen)
    height = max((node.box.height for node in screen.page.children(lists[0]) if node.clickable), default=0)
    found = []
    for node in screen.page.children(lists[0]):
        box = node.box.above(area.bottom).below(area.top)
        if node.clickable and box.height >= height * SEEN_SHARE:
            row = _row(screen, node, true_texts)
            if row is not None:
                found.append(SeenRow(row, node, box))
    return found


def has_folder(screen: Screen) -> bool:
    """Tell whether a row in sight stands for folded chats."""
    lists = screen.lists()
    return bool(lists) and any(node.text in FOLDED for node in screen.page.inside(lists[0]))


def free_area(screen: Screen) -> Box:
    """Return the list between the action bar and the tabs, both of which lie over it."""
    bar = screen.tabs()[0]
    tab = screen.page.around(bar, lambda one: one.box.width >= screen.root.box.width * 0.9) or bar
    buttons = screen.in_bar(screen.starting("plus_menu"))
    top = max((node.box.bottom for node in buttons), default=screen.root.box.top)
    return screen.lists()[0].box.above(tab.box.top).below(top)


def unread_total(screen: Screen) -> int:
    """Return the number on the first tab, 0 without one; muted chats do not count in it."""
    tabs = screen.tabs()
    column = screen.page.pressable(tabs[0])
    counts = [node.text for node in screen.page.inside(column) if _COUNT.fullmatch(node.text)]
    return int(counts[0].rstrip("+")) if counts else 0


def _row(screen: Screen, node: Node, true_texts: TrueTexts) -> ChatRow | None:
    inside = screen.page.inside(node)
    edge = node.box.left + round(node.box.width * PICTURE_SHARE)
    texts = [one for one in inside if one.text]
    counts = [one for one in texts if one.box.left < edge and _COUNT.fullmatch(one.text)]
    lines = sorted((one for one in texts if one not in counts), key=lambda one: (one.box.top, one.box.left))
    if not lines:
        return None
    # The name stands left, the time right on the same line; the preview stands under the name.
    name = min(lines, key=lambda one: (one.box.left, one.box.top))
    time = next((one for one in lines if one.at != name.at and one.box.top < name.box.bottom), None)
    preview = next((one for one in lines if one.box.top >= name.box.bottom), None)
    true = true_texts([one for one in (name, preview) if one is not None])
    if name.at not in true or true[name.at] in FOLDERS | FOLDED:
        return None
    said = true.get(preview.at, preview.text) if preview is not None else ""
    return ChatRow(
        title=true[name.at],
        preview=said,
        time_label=time.text if time is not None else "",
        unread=_unread(counts, said, inside, edge),
        is_muted=_is_muted(screen, inside, preview, edge),
    )


def _unread(counts: Sequence[Node], preview: str, inside: Sequence[Node], edge: int) -> int:
    if counts:
        return int(counts[0].text.rstrip("+"))
    muted = _MUTED_COUNT.match(preview)
    if muted:
        return int(muted[1])
    pictures = [one for one in inside if one.cls.endswith("ImageView") and one.box.left < edge]
    # A muted chat with something new bears a dot beside its picture, far smaller than that.
    is_dotted = len(pictures) > 1 and pictures[-1].box.width * 3 < pictures[0].box.width
    return -1 if is_dotted else 0


def _is_muted(screen: Screen, inside: Sequence[Node], preview: Node | None, edge: int) -> bool:
    ids = screen.table.rids("chat_row_mute")
    top = preview.box.top if preview is not None else 0
    return any(
        one.rid in ids or (one.cls.endswith("ImageView") and one.box.left > edge and one.box.bottom > top)
        for one in inside
    )
