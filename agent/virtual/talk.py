"""Conversations of the virtual world: lines, and the state of one chat on one account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

# How a list of chats names a message that is not text; the closed list of the client.
PREVIEW: Mapping[str, str] = MappingProxyType(
    {
        "image": "[图片]",
        "video": "[视频]",
        "voice": "[语音]",
        "file": "[文件]",
        "red_packet": "[微信红包]",
        "sticker": "[动画表情]",
    }
)


# What the peer's side answers to messages it does not take.
REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "rejected": "消息已发出，但被对方拒收了。",
        "not_friend": (
            "{name}开启了朋友验证，你还不是他（她）朋友。请先发送朋友验证请求，对方验证通过后，才能聊天。"
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message or system line."""

    at_ms: int
    side: str  # in | out | system
    kind: str  # text | system | one of PREVIEW
    text: str
    sender: str = ""  # in groups: whose it is
    is_failed: bool = False  # ours, and it did not go out


@dataclass(slots=True, kw_only=True, eq=False)
class Chat:
    """A conversation as one account has it; lines are ordered by time."""

    key: str
    title: str
    kind: str = "private"  # private | group | service
    members: int = 0
    muted: bool = False
    unread: int = 0
    draft: str = ""
    refuses: str = (
        ""  # rejected | not_friend: what the peer's side says to messages; failed: they do not go out
    )
    lines: list[Line] = field(default_factory=list)

    @property
    def heading(self) -> str:
        """Return the title as the chat page shows it."""
        return f"{self.title}({self.members})" if self.kind == "group" and self.members else self.title

    @property
    def last_ms(self) -> int:
        """Return when the last line was written, 0 if there is none."""
        return self.lines[-1].at_ms if self.lines else 0

    def preview(self) -> str:
        """Return the second line of its row in the list of chats."""
        if self.draft:
            return f"[草稿] {self.draft}"
        if not self.lines:
            return ""
        last = self.lines[-1]
        text = PREVIEW.get(last.kind, last.text).replace("\n", " ")
        if last.sender and last.side == "in":
            text = f"{last.sender}: {text}"
        # A muted chat has no count badge; from two on the count stands before the text.
        return f"[{self.unread}条] {text}" if self.muted and self.unread > 1 else text


@dataclass(slots=True, kw_only=True, eq=False)
class Post:
    """One post in moments."""

    post_id: str
    author: str  # the key of a person, or an account id
    author_name: str
    text: str
    at_ms: int
    images: int = 0
    is_ad: bool = False
    likes: dict[str, str] = field(default_factory=dict)  # account id or person key -> name
    comments: list[tuple[str, str]] = field(default_factory=list)  # name, text
