"""What the client puts into the notification shade: one entry a chat with unread lines."""

from __future__ import annotations

from agent.virtual.accounts import Account
from agent.virtual.talk import Chat, Line, preview_of
from agent.virtual.ui import Notification

CHANNEL = "message_channel_new_id"
COUNT_MOST = 999


def entries(account: Account) -> list[Notification]:
    """Return one entry a chat with unread lines; muted chats and the chat in front have none."""
    return [
        _entry(chat, line)
        for chat in account.chats_in_order()
        if chat.unread and not chat.muted and chat.kind != "service"
        for line in _last(chat)
    ]


def java_hash(text: str) -> int:
    """Return what Java's String.hashCode returns: the client's id of a conversation's notification."""
    value = 0
    for unit in memoryview(text.encode("utf-16-le")).cast("H"):
        value = (31 * value + unit) & 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


def _entry(chat: Chat, line: Line) -> Notification:
    """Direct 1: text; direct n: [n条]Name: text; group 1: Nick: text; group n: [n条]Nick: text."""
    words = preview_of(line)
    ticker = f"{line.sender or chat.title}: {words}"
    is_alone = chat.unread == 1
    text = words if is_alone and chat.kind != "group" else ticker
    return Notification(
        key_id=java_hash(chat.key),
        channel=CHANNEL,
        title=chat.title,
        text=text if is_alone else f"[{min(chat.unread, COUNT_MOST)}条]{text}",
        ticker=ticker,
        when_ms=line.at_ms,
    )


def _last(chat: Chat) -> list[Line]:
    """Return the last line that is not the account's own, none if there is none."""
    return next(([line] for line in reversed(chat.lines) if line.side != "out"), [])
