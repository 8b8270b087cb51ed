"""What asks for another look: notifications, and rows that may hide a message like the last one."""

from __future__ import annotations

from dataclasses import replace

from agent.capture.chatlog import ChatRead, SeenBubble, Tail
from agent.capture.keys import conversation_key, may_be_excluded
from agent.capture.notifications import Hint, read_hints
from agent.capture.sweep import MINUTE_SLACK_MS, recheck_at
from agent.model import Bubble, ChatRow, Settings

SHADE = """Current Notification Manager state:
  Notification List:
    NotificationRecord(0x0a: pkg=com.tencent.mm user=UserHandle{0} id=7 tag=null importance=4 key=0|a: Notification(channel=message_channel_new_id shortcut=null))
      extras={
        android.title=String (小满 (客户))
        android.text=String ([3条]小满: 好的)
在吗?)
      }
    NotificationRecord(0x0b: pkg=com.tencent.mm user=UserHandle{0} id=8 tag=null importance=4 key=0|b: Notification(channel=reminder_channel_id))
      extras={
        android.title=String (微信)
        android.text=String (提醒)
      }
    NotificationRecord(0x0c: pkg=com.android.shell user=UserHandle{0} id=9 tag=x importance=4 key=0|c: Notification(channel=shell_cmd))
      extras={
        android.title=String (小满)
        android.text=String (假的)
      }
    NotificationRecord(0x0d: pkg=com.tencent.mm user=UserHandle{0} id=10 tag=null importance=4 key=0|d: Notification(channel=message_channel_new_id))
      extras={
        android.title=String (售后群)
        android.text=String (阿明: [强])
      }
    NotificationRecord(0x0e: pkg=com.tencent.mm user=UserHandle{0} id=11 tag=null importance=4 key=0|e: Notification(channel=message_channel_new_id))
      extras={
        android.title=String [length=2]
        android.text=String [length=9]
      }
"""  # noqa: E501 -- as a phone prints it
NOW_MS = 1_700_000_010_000  # 06:13:30 in China
ROW = ChatRow(title="小满", preview="好的", time_label="06:13", unread=0, is_muted=False)
READ = ChatRead("k", "小满", "private", (), "", Tail(1, ()), ROW)


def test_only_messages_of_the_client_count_and_their_texts_may_hold_anything() -> None:
    assert read_hints(SHADE) == [
        Hint(title="小满 (客户)", count=3, text="小满: 好的)\n在吗?"),
        Hint(title="售后群", count=1, text="阿明: [强]"),
    ]
    assert read_hints("") == []


def when(read: ChatRead, opened_ms: int = NOW_MS) -> int | None:
    settings = Settings(sweep_pause_ms=5_000)
    return recheck_at(read, settings, opened_ms=opened_ms, now_ms=opened_ms + 1_000)


def test_a_chat_with_news_is_opened_once_more_soon_and_again_when_its_minute_is_over() -> None:
    seen = SeenBubble(1, Bubble(side="in", kind="text", text="好的", time_label=""), False)
    assert when(replace(READ, new=(seen,))) == NOW_MS + 11_000
    minute_end_ms = NOW_MS // 60_000 * 60_000 + 60_000
    assert when(READ) == minute_end_ms + MINUTE_SLACK_MS + 1
    # Then it can hide nothing any more.
    assert when(READ, opened_ms=minute_end_ms + MINUTE_SLACK_MS + 1) is None
    for label in ("昨天", "星期一", "11月3日", ""):
        assert when(replace(READ, row=replace(ROW, time_label=label))) is None


def test_a_row_is_let_alone_if_a_chat_of_its_name_is_excluded_whatever_its_kind() -> None:
    excluded = (conversation_key("家人", "group"),)
    assert may_be_excluded("家人", excluded)
    assert not may_be_excluded("客户", excluded)
    assert not may_be_excluded("家人", ())
