"""How the client writes times; phones of the farm stand in the time zone UTC+8."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))
WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
DAYS_BY_WEEKDAY = 7  # older lines are named by their date
# Older posts are named by their date; where the client really changes over is not recorded.
POSTS_BY_DAYS = 30


def list_label(at_ms: int, now_ms: int) -> str:
    """Return the time of a row of the list of chats: 14:57, 昨天 14:57, 周三, 8月3日, 2023年8月3日."""
    at, now = _local(at_ms), _local(now_ms)
    days = (now.date() - at.date()).days
    if days <= 0:
        return _clock(at)
    if days == 1:
        return f"昨天 {_clock(at)}"
    if days < DAYS_BY_WEEKDAY:
        return WEEKDAYS[at.weekday()]
    return _date(at, now)


def chat_label(at_ms: int, now_ms: int) -> str:
    """Return a time line of a chat: 10:50, 昨天 10:50, 周一 10:44, 8月3日 10:44, 2023年8月3日 10:44."""
    at, now = _local(at_ms), _local(now_ms)
    days = (now.date() - at.date()).days
    if days <= 0:
        return _clock(at)
    if days == 1:
        return f"昨天 {_clock(at)}"
    day = WEEKDAYS[at.weekday()] if days < DAYS_BY_WEEKDAY else _date(at, now)
    return f"{day} {_clock(at)}"


def post_label(at_ms: int, now_ms: int) -> str:
    """Return the time under a post in moments: 刚刚, 5分钟前, 2小时前, 昨天, 3天前, 8月3日, 2023年8月3日."""
    minutes = max(0, now_ms - at_ms) // 60_000
    if minutes < 60:
        return f"{minutes}分钟前" if minutes else "刚刚"
    days = (_local(now_ms).date() - _local(at_ms).date()).days
    if days == 0:
        return f"{minutes // 60}小时前"
    if days > POSTS_BY_DAYS:
        return _date(_local(at_ms), _local(now_ms))
    return "昨天" if days == 1 else f"{days}天前"


def _local(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone(CHINA)


def _clock(at: datetime) -> str:
    return f"{at.hour:02}:{at.minute:02}"


def _date(at: datetime, now: datetime) -> str:
    day = f"{at.month}月{at.day}日"
    return day if at.year == now.year else f"{at.year}年{day}"
