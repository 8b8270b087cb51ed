"""Lines of a chat that tell of an add by hand, and lines that only look like it."""

from __future__ import annotations

import pytest

from agent.capture.chats import ChatRead, SeenBubble, Tail
from agent.facts import adds_of_chat
from agent.model import Bubble
from protos.facts import AddObserved, peer_key


def chat(text: str, *, side: str = "system", label: str = "10:44") -> ChatRead:
    bubble = Bubble(side=side, kind="system" if side == "system" else "text", text=text, time_label=label)
    new = (SeenBubble(position=1, bubble=bubble, ambiguous=False),)
    tail = Tail(position=1, bubbles=(bubble,))
    return ChatRead(key="k", title="t", kind="private", new=new, gap_cause="", tail=tail)


@pytest.mark.parametrize("label", ["", "10:44", "昨天 10:44", "下午 3:05", "昨天"])
@pytest.mark.parametrize("name", ["甲", "你已添加了乙", "丙，现在可以开始聊天了", "a\nb"])
def test_a_line_of_today_or_yesterday_tells_of_an_add(name: str, label: str) -> None:
    found = adds_of_chat(chat(f"你已添加了{name}，现在可以开始聊天了。", label=label), "a1")
    assert found == [AddObserved(peer_key=peer_key("a1", name), how="system_line", kind="added")]


@pytest.mark.parametrize(
    "read",
    [
        chat("你已添加了甲，现在可以开始聊天了。", side="in"),
        chat("你已添加了甲，现在可以开始聊天了。", side="out"),
        chat("你已添加了甲，现在可以开始聊天了。", label="星期三 10:44"),
        chat("你已添加了甲，现在可以开始聊天了。", label="2026年1月2日 10:44"),
        chat("甲刚刚把你添加到通讯录，现在可以开始聊天了。"),
        chat("以上是打招呼的内容"),
    ],
    ids=["said by the peer", "said by us", "weekday", "date", "added by the peer", "other line"],
)
def test_nothing_else_does(read: ChatRead) -> None:
    assert adds_of_chat(read, "a1") == []
