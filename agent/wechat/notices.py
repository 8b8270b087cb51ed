"""What WeChat says over the list of chats: in its title, and in a strip above the first row."""

from __future__ import annotations

import re

from agent.wechat.screens import Screen
from agent.wechat.warnings import Surface, judge


def heed_banner(chats: Screen) -> None:
    """Raise PlatformWarning, LoggedOut or NotNow if title or strip demand it.

    Rows are left out by their id: names and previews are other people's words. Where no row is known as one,
    nothing in the list is read.
    """
    for text in [*_titles(chats), *_strips(chats)]:
        judge(text, surface=Surface.BANNER)


def _titles(chats: Screen) -> list[str]:
    """Return what the title says beside the name of the tab: rows may lie under the bar."""
    taken = _in_rows(chats)
    heads = "|".join(re.escape(word) for word in chats.table.texts["tab_chats"])
    found = [
        re.fullmatch(rf"(?:{heads})\s*[(（](.{{1,12}})[)）]", node.text)
        for node in chats.in_bar(chats.nodes())
        if node.at not in taken
    ]
    return [match[1] for match in found if match]


def _in_rows(chats: Screen) -> set[int]:
    return {at for row in chats.marked("chat_list_row") for at in range(row.at, row.end)}


def _strips(chats: Screen) -> list[str]:
    rows = chats.marked("chat_list_row")
    if not rows:
        # Without a row to go by, everything in the list may be one.
        taken = {at for one in chats.lists() for at in range(one.at, one.end)}
        return [node.text for node in chats.nodes() if node.text and node.at not in taken]
    taken = _in_rows(chats)
    line = min(row.box.top for row in rows) + rows[0].box.height // 2
    return [
        node.text for node in chats.nodes() if node.text and node.at not in taken and node.box.top <= line
    ]
