"""One page of a chat: its items from top to bottom as bubbles with their places, time lines, system lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.capture.align import Key, key_of
from agent.errors import NotRecognised
from agent.model import Bubble
from agent.wechat.pages import Box, Node
from agent.wechat.screens import Screen

TrueTexts = Callable[[Sequence[Node]], dict[int, str]]
_CLOCK = r"(?:凌晨|清晨|早上|上午|中午|下午|晚上|半夜)?\s?\d{1,2}:\d{2}"
_DAY = r"(?:今天|昨天|前天|(?:周|星期)[一二三四五六日天]|\d{1,2}月\d{1,2}日|\d{4}年\d{1,2}月\d{1,2}日)"
TIME_LINE = re.compile(rf"(?:{_DAY}\s?)?{_CLOCK}|{_DAY}")
_VOICE_LENGTH = re.compile(r"\d{1,2}(?:\"|''|″|”|秒)")
# Grey lines are centred; text of a message never is by so little.
CENTRED_SHARE = 0.06
# How a message that is no text is written down.
KIND_WORDS = (
    ("message_voice", "[语音]"),
    ("message_file_name", "[文件]"),
    ("message_red_packet_label", "[微信红包]"),
    ("message_place", "[位置]"),
    ("message_video", "[视频]"),
    ("message_image", "[图片]"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """A message, system line or time line (`bubble` None), wholly in sight; `top` in px of its first sign."""

    key: Key
    bubble: Bubble | None
    top: int


def read_items(
    screen: Screen,
    true_texts: TrueTexts,
    *,
    is_group: bool,
    is_at_end: bool = False,
    is_last_try: bool = False,
) -> list[Item]:
    """Return the items of a chat page from top to bottom; those cut by an edge of the list are left out.

    A row of no known form is a bubble of kind "other". `is_at_end`: the lower edge of the list cuts nothing.
    NotRecognised if a text could not be read truly, as when the page moves: an item left out would let pages
    be joined wrongly. On the last try such a message is kept with what the dump shows, as of no known kind.
    """
    lists = screen.lists()
    if not lists:
        return []
    area = lists[0].box
    rows = [(row, avatar_of(screen, row)) for row in screen.page.children(lists[0]) if not row.box.is_empty()]
    wanted = [node for row, _ in rows for node in screen.page.inside(row) if node.text]
    texts = true_texts(wanted)
    if len(texts) < len(wanted) and not is_last_try:
        raise NotRecognised("the page moved while it was read")
    found = (
        _item(screen, row, avatar, area, texts, is_group=is_group, is_at_end=is_at_end)
        for row, avatar in rows
    )
    return with_times([item for item in found if item is not None])


def with_times(items: Sequence[Item]) -> list[Item]:
    """Return the items with each bubble under the nearest time line above it."""
    label = ""
    out = []
    for item in items:
        if item.bubble is None:
            label = item.key.text
            out.append(item)
        else:
            out.append(replace(item, bubble=replace(item.bubble, time_label=label or item.bubble.time_label)))
    return out


def avatar_of(screen: Screen, row: Node) -> Node | None:
    """Return the picture of who wrote, None in a row without one (time line, system line, or cut off)."""
    suffixes = screen.table.texts["avatar_suffix"]
    ids = screen.table.rids("message_avatar")
    for node in screen.page.inside(row):
        is_named = node.desc.endswith(suffixes) and node.cls.endswith("ImageView")
        if (is_named or node.rid in ids) and not node.box.is_empty():
            return node
    return None


def _item(
    screen: Screen,
    row: Node,
    avatar: Node | None,
    area: Box,
    texts: dict[int, str],
    *,
    is_group: bool,
    is_at_end: bool,
) -> Item | None:
    if avatar is None:
        return _grey(screen, row, area, texts, is_at_end=is_at_end)
    if avatar.box.top <= area.top or avatar.box.bottom >= area.bottom:
        return None
    side = "in" if avatar.box.centre[0] < area.centre[0] else "out"
    kind, text = _content(screen, row, avatar, texts, has_sender=is_group and side == "in")
    bubble = Bubble(side=side, kind=kind, text=text, time_label="")
    return Item(key_of(bubble), bubble, avatar.box.top)


def _grey(screen: Screen, row: Node, area: Box, texts: dict[int, str], *, is_at_end: bool) -> Item | None:
    """Return a time line or a system line; None for the divider, and for what an edge may have cut."""
    nodes = [node for node in screen.page.inside(row) if node.text]
    text = "\n".join(texts.get(node.at, node.text) for node in nodes)
    if text in screen.table.texts["new_messages_below"]:
        return None
    if not nodes or _side(nodes[0].box, area) != "system":
        return _unknown(screen, row, area, text, is_at_end=is_at_end)
    box = nodes[0].box
    if box.top <= area.top or box.bottom >= area.bottom:
        return None
    if TIME_LINE.fullmatch(text.strip()):
        return Item(Key("time", "time", text), None, box.top)
    bubble = Bubble(side="system", kind="system", text=text, time_label="")
    return Item(key_of(bubble), bubble, box.top)


def _unknown(screen: Screen, row: Node, area: Box, text: str, *, is_at_end: bool) -> Item | None:
    """Return a row of no known form as a message; None for an empty one or one an edge may have cut."""
    signs = [
        node
        for node in screen.page.inside(row)
        if (node.text or node.desc or node.cls.endswith("ImageView")) and not node.box.is_empty()
    ]
    is_cut = row.box.top <= area.top or (row.box.bottom >= area.bottom and not is_at_end)
    if not signs or is_cut:
        return None
    said = " ".join(["[未知消息]", *([text] if text else [])])
    bubble = Bubble(side=_side(signs[0].box, area), kind="other", text=said, time_label="")
    return Item(key_of(bubble), bubble, signs[0].box.top)


def _side(box: Box, area: Box) -> str:
    """Return whose a row without a picture is, by where it stands: theirs left, ours right."""
    off = box.centre[0] - area.centre[0]
    if abs(off) <= area.width * CENTRED_SHARE:
        return "system"
    return "in" if off < 0 else "out"


def _content(
    screen: Screen, row: Node, avatar: Node, texts: dict[int, str], *, has_sender: bool
) -> tuple[str, str]:
    """Return kind and text of a message."""
    nodes = [node for node in screen.page.inside(row) if node.text and node.at != avatar.at]
    senders = {node.at for node in screen.marked("message_sender")}
    if has_sender and nodes and (nodes[0].at in senders or (not senders and len(nodes) > 1)):
        nodes = nodes[1:]
    word = _kind_word(screen, row, nodes)
    if any(node.at not in texts for node in nodes):
        word = word or "[未知消息]"
    said = [texts.get(node.at, node.text) for node in nodes]
    if word:
        return "other", " ".join([word, *said[:1]])
    if len(said) == 1:
        return "text", said[0]
    return "other", " ".join(["[未知消息]", *said])


def _kind_word(screen: Screen, row: Node, nodes: Sequence[Node]) -> str:
    inside = screen.page.inside(row)
    ids = {node.rid for node in inside if node.rid}
    for role, word in KIND_WORDS:
        if ids.intersection(screen.table.rids(role)):
            return word
    if any(node.desc in screen.table.texts["image"] for node in inside):
        return "[图片]"
    is_boxed = len(nodes) == 1 and not screen.table.knows("message_voice")
    return "[语音]" if is_boxed and _VOICE_LENGTH.fullmatch(nodes[0].text) else ""
