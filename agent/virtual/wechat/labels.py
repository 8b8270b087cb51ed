"""How the client writes times; phones of the farm stand in the time zone UTC+8."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))
WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
LONG_WEEKDAYS = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")
ENGLISH_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# The parts of a day of the 12-hour clock, each from its hour on.
PARTS = ((18, "晚上"), (13, "下午"), (12, "中午"), (8, "上午"), (5, "早上"), (0, "凌晨"))
DAYS_BY_WEEKDAY = 7  # older lines are named by their date
# Older posts are named by their date; where the client really changes over is not recorded.
POSTS_BY_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStyle:
    """How one phone writes times."""

    is_english: bool = False
    is_12h: bool = False
    long_weekdays: bool = False


PLAIN = LabelStyle()


def list_label(at_ms: int, now_ms: int, style: LabelStyle = PLAIN) -> str:
    """Return the time of a row of the list of chats: 14:57, 昨天 14:57, 周三, 8月3日, 2023年8月3日."""
    at, now = _local(at_ms), _local(now_ms)
    days = (now.date() - at.date()).days
    if days <= 0:
        return _clock(at, style)
    if days == 1:
        return f"{_yesterday(style)} {_clock(at, style)}"
    return _weekday(at, style) if days < DAYS_BY_WEEKDAY else _date(at, now, style)


def chat_label(at_ms: int, now_ms: int, style: LabelStyle = PLAIN) -> str:
    """Return a time line of a chat: 10:50, 昨天 10:50, 周一 10:44, 8月3日 10:44, 2023年8月3日 10:44.

    With the 12-hour clock 上午10:50; with long weekdays 星期一; in English Yesterday 10:50 AM, Mon 10:44,
    Aug 3 10:44, Aug 3, 2023 10:44.
    """
    at, now = _local(at_ms), _local(now_ms)
    days = (now.date() - at.date()).days
    if days <= 0:
        return _clock(at, style)
    if days == 1:
        return f"{_yesterday(style)} {_clock(at, style)}"
    day = _weekday(at, style) if days < DAYS_BY_WEEKDAY else _date(at, now, style)
    return f"{day} {_clock(at, style)}"


def post_label(at_ms: int, now_ms: int) -> str:
    """Return the time under a post in moments: 刚刚, 5分钟前, 2小时前, 昨天, 3天前, 8月3日, 2023年8月3日."""
    minutes = max(0, now_ms - at_ms) // 60_000
    if minutes < 60:
        return f"{minutes}分钟前" if minutes else "刚刚"
    days = (_local(now_ms).date() - _local(at_ms).date()).days
    if days == 0:
        return f"{minutes // 60}小时前"
    if days > POSTS_BY_DAYS:
        return _date(_local(at_ms), _local(now_ms), PLAIN)
    return "昨天" if days == 1 else f"{days}天前"


def _local(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone(CHINA)


def _clock(at: datetime, style: LabelStyle) -> str:
    if not style.is_12h:
        return f"{at.hour:02}:{at.minute:02}"
    hour = at.hour % 12 or 12
    if style.is_english:
        return f"{hour}:{at.minute:02} {'AM' if at.hour < 12 else 'PM'}"
    part = next(word for first, word in PARTS if at.hour >= first)
    return f"{part}{hour}:{at.minute:02}"


def _yesterday(style: LabelStyle) -> str:
    return "Yesterday" if style.is_english else "昨天"


def _weekday(at: datetime, style: LabelStyle) -> str:
    if style.is_english:
        return ENGLISH_WEEKDAYS[at.weekday()]
    return (LONG_WEEKDAYS if style.long_weekdays else WEEKDAYS)[at.weekday()]


def _date(at: datetime, now: datetime, style: LabelStyle) -> str:
    is_this_year = at.year == now.year
    if style.is_english:
        day = f"{MONTHS[at.month - 1]} {at.day}"
        return day if is_this_year else f"{day}, {at.year}"
    day = f"{at.month}月{at.day}日"
    return day if is_this_year else f"{at.year}年{day}"
