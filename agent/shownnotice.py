"""What a monitored phone shows its holder: that its chats are read, for as long as they are."""

from __future__ import annotations

from typing import Protocol

TAG = "farm-notice"
TITLE = "聊天记录提示"
DEFAULT = "本机为公司工作手机，微信聊天内容正在被记录。"
ENDED = "本机的微信聊天内容现在不再被记录。"
# A person may wipe the notification away.
LOOK_EVERY_S = 60.0


class Shade(Protocol):
    """The notification shade of a phone."""

    def post(self, tag: str, title: str, text: str, /) -> None:
        """Show a notification in the place of the one of this tag."""

    def has(self, tag: str, /) -> bool:
        """Tell whether one of this tag stands there."""


class ShownNotice:
    """The notification of one phone; a shell on Android can replace its text, and cannot take it away."""

    def __init__(self) -> None:
        self._shown: str | None = None  # None: nobody knows what an earlier process left there
        self._look_at_s = 0.0

    def keep(self, shade: Shade, text: str, now_s: float) -> None:
        """Have the phone show that its chats are read; raises kinds of DriverError."""
        wanted = text or DEFAULT
        if self._shown == wanted and now_s < self._look_at_s:
            return
        if self._shown != wanted or not shade.has(TAG):
            shade.post(TAG, TITLE, wanted)
        self._shown, self._look_at_s = wanted, now_s + LOOK_EVERY_S

    def end(self, shade: Shade) -> None:
        """Have the phone say that its chats are not read any more, if it ever said that they are."""
        if self._shown == ENDED:
            return
        if self._shown is not None or shade.has(TAG):
            shade.post(TAG, TITLE, ENDED)
        self._shown = ENDED
