"""Conversations of the virtual world: lines, and the state of one chat on one account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

# How a list of chats names a message that is not text, from the closed list of the client.
PREVIEW: Mapping[str, str] = MappingProxyType(
    {
        "image": "[图片]",
        "video": "[视频]",
        "voice": "[语音]",
        "file": "[文件]",
        "link": "[链接]",
        "mini_program": "[小程序]",
        "location": "[位置]",
        "contact_card": "[名片]",
        "sticker": "[动画表情]",
        "chat_record": "[聊天记录]",
        "red_packet": "[微信红包]",
        "transfer": "[转账]",
        "voice_call": "[语音通话]",
        "video_call": "[视频通话]",
        "other": "[未知消息]",
    }
)
# Kinds whose title follows their word; the others show the word alone.
TITLED = frozenset({"file", "link", "mini_program", "chat_record"})
# The list's own words for transfers, by side and state.
TRANSFERS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("out", "pending"): "待朋友收款",
        ("in", "pending"): "请你确认收款",
        ("out", "received"): "朋友已确认收款",
        ("in", "received"): "你已确认收款",
        ("out", "returned"): "钱已被朋友退还",
        ("in", "returned"): "你已将钱退还",
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
    """One message or system line; what a kind does not have is left at its default.

    `text` is what is said, or the title of a card; `detail` the second line: size of a file, address of a
    place, words of a link, quoted line ("name: words"), lines of a record, result of a call.
    """

    at_ms: int
    side: str  # in | out | system
    kind: str  # a protos.facts.MessageKind
    text: str
    sender: str = ""  # in groups: whose it is
    is_failed: bool = False  # ours, and it did not go out
    detail: str = ""
    source: str = ""  # what a link or mini program comes from
    length_s: int = -1  # of voice, video and answered calls; -1 = not shown
    amount_fen: int = -1  # -1 = not shown
    state: str = ""  # of red packets and transfers: pending | opened | received | returned | expired
    transcript: str = ""  # what a voice message says
    is_transcribed: bool = False  # the words stand under it
    no: int = -1  # its place among all lines the chat ever had
    recalled_at_ms: int = 0  # 0 = never
    recall_line: str = ""  # what stands in its place since
    removed_at_ms: int = 0  # cleared or deleted by the staff member; 0 = never


def preview_of(line: Line) -> str:
    """Return how the list of chats and the notification show a line, without its sender."""
    word = PREVIEW.get(line.kind)
    if word is None:
        return line.text.replace("\n", " ")
    if line.kind == "transfer":
        return word + TRANSFERS.get((line.side, line.state), "")
    if line.kind == "red_packet":
        return word + line.text
    return f"{word} {line.text}" if line.kind in TITLED and line.text else word


@dataclass(slots=True, kw_only=True, eq=False)
class Chat:
    """A conversation as one account has it; lines are ordered by time and changed only by its methods."""

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
    lines: list[Line] = field(default_factory=list)  # what the page shows
    ever: list[Line] = field(default_factory=list)  # all there ever were, with what became of them
    revision: int = 0  # counts changes other than new lines at the end
    listed_at_ms: int = 0  # an emptied chat keeps its row, at this time; 0 = it has none
    is_folded: bool = False  # its row stands on the page of folded chats
    is_typing: bool = False  # the peer types: the page's title says so in place of the name
    is_hidden: bool = False  # its row was taken off the list; the next line brings it back

    @property
    def heading(self) -> str:
        """Return the title as the chat page shows it."""
        return f"{self.title}({self.members})" if self.kind == "group" and self.members else self.title

    @property
    def last_ms(self) -> int:
        """Return when the last line was written, 0 if there is none."""
        return self.lines[-1].at_ms if self.lines else self.listed_at_ms

    @property
    def is_listed(self) -> bool:
        """Tell whether the list of chats has a row for it."""
        return bool(self.lines or self.draft or self.listed_at_ms) and not self.is_hidden

    def add(self, line: Line) -> Line:
        """Append a line and return it as it is kept."""
        line = replace(line, no=len(self.ever))
        self.lines.append(line)
        self.ever.append(line)
        self.is_hidden = False
        return line

    def messages(self) -> list[int]:
        """Return the places in `lines` of all messages that still stand there."""
        return [n for n, line in enumerate(self.lines) if line.side != "system"]

    def change(self, place: int, **fields: Any) -> Line:
        """Replace fields of the line at a place and return it."""
        line = replace(self.lines[place], **fields)
        self.lines[place] = self.ever[line.no] = line
        self.revision += 1
        return line

    def recall(self, place: int, words: str, now_ms: int) -> None:
        """Put a grey line in the place of a message."""
        line = self.lines[place]
        self.ever[line.no] = replace(line, recalled_at_ms=now_ms, recall_line=words)
        self.lines[place] = Line(at_ms=line.at_ms, side="system", kind="system", text=words, no=line.no)
        self.revision += 1

    def delete(self, place: int, now_ms: int) -> None:
        """Take one line off this phone."""
        line = self.lines.pop(place)
        self.ever[line.no] = replace(self.ever[line.no], removed_at_ms=now_ms)
        self.revision += 1

    def empty(self, now_ms: int, *, keeps_row: bool) -> None:
        """Take all lines off this phone, and the row with them unless told otherwise."""
        self.listed_at_ms = self.last_ms if keeps_row else 0
        for line in self.lines:
            self.ever[line.no] = replace(self.ever[line.no], removed_at_ms=now_ms)
        self.lines.clear()
        self.unread, self.draft = 0, ""
        self.revision += 1

    def preview(self) -> str:
        """Return the second line of its row in the list of chats."""
        if self.draft:
            return f"[草稿] {self.draft}"
        if not self.lines:
            return ""
        last = self.lines[-1]
        text = preview_of(last)
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
