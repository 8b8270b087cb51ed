"""The menu that a long touch opens beside a message or a row of the list of chats."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from agent.virtual import talking
from agent.virtual.talk import Chat
from agent.virtual.ui import Look, Node, Rect
from agent.virtual.wechat.draw import SOLID, WHITE, ink, node

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Popup, Stage

ENTRY_WIDTH_PX, ENTRY_PX = 260, 130
RECALL_LIMIT_MS = 120_000  # two minutes, as the client allows
Entry = tuple[str, Callable[[], object]]


def of_message(stage: Stage, chat: Chat, no: int) -> tuple[Entry, ...]:
    """Return the entries for one message; those not listed here do nothing on this client."""
    place = next((n for n, one in enumerate(chat.lines) if one.no == no), None)
    if place is None:
        return ()
    line = chat.lines[place]
    now_ms = stage.clock()
    entries: list[Entry] = []
    if line.kind in ("text", "quote"):
        entries.append(("复制", _nothing))
    if line.kind == "voice" and line.transcript and not line.is_transcribed:
        entries.append(("转文字", partial(chat.change, place, is_transcribed=True)))
    entries += [("收藏", _nothing), ("删除", partial(chat.delete, place, now_ms))]
    if line.side == "out" and now_ms - line.at_ms <= RECALL_LIMIT_MS:
        entries.append(("撤回", partial(chat.recall, place, "你撤回了一条消息", now_ms)))
    return tuple(entries)


def of_row(stage: Stage, chat: Chat) -> tuple[Entry, ...]:
    """Return the entries for one row of the list of chats."""
    return (
        ("标为未读", lambda: setattr(chat, "unread", max(1, chat.unread))),
        ("不显示该聊天", partial(talking.remove, stage.world, stage.account, chat, "hide")),
        ("删除该聊天", partial(talking.remove, stage.world, stage.account, chat, "row")),
    )


def _nothing() -> None:
    """Do nothing: the client has no such page."""


def draw_popup(stage: Stage, popup: Popup) -> Node:
    """Return the window root of a menu: smaller than the screen, one entry a line."""
    high = ENTRY_PX * len(popup.entries)
    left = min(max(20, popup.x - ENTRY_WIDTH_PX // 2), stage.width - ENTRY_WIDTH_PX - 20)
    top = min(max(240, popup.y), stage.height - high - 40)
    area = Rect(left, top, left + ENTRY_WIDTH_PX, top + high)
    rows = [
        node(
            "TextView",
            (left, top + n * ENTRY_PX, area.right, top + (n + 1) * ENTRY_PX),
            text=words,
            act="popup",
            arg=str(n),
            look=ink(42, align="center"),
        )
        for n, (words, _) in enumerate(popup.entries)
    ]
    inner = node("LinearLayout", area, *rows)
    return node("FrameLayout", area, inner, act=SOLID, look=Look(fill=WHITE, radius_px=16))
