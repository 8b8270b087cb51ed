"""A time line is resolved to an interval that holds the moment it was written for, never a narrower one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.capture.timelabels import CLOCK_SLACK_MS, is_time_line, resolve, zone_named

SHANGHAI = zone_named("Asia/Shanghai")
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
WEEKDAYS = "一二三四五六日"
ENGLISH_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def ms(text, zone=SHANGHAI):
    """Return the UTC ms of a local moment."""
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


NOW = "2026-03-11T15:30:20"  # a Wednesday


@pytest.mark.parametrize(
    ("label", "start", "minutes"),
    [
        ("10:44", "2026-03-11T10:44", 1),
        ("上午10:44", "2026-03-11T10:44", 1),
        ("下午 3:05", "2026-03-11T15:05", 1),
        ("凌晨12:30", "2026-03-11T00:30", 1),
        ("中午12:30", "2026-03-11T12:30", 1),
        ("中午1:10", "2026-03-11T13:10", 1),
        ("10:44 AM", "2026-03-11T10:44", 1),
        ("12:05 AM", "2026-03-11T00:05", 1),
        ("昨天 10:44", "2026-03-10T10:44", 1),
        ("昨天", "2026-03-10T00:00", 1440),
        ("昨天 晚上8:05", "2026-03-10T20:05", 1),
        ("前天 10:44", "2026-03-09T10:44", 1),
        ("星期一 10:44", "2026-03-09T10:44", 1),
        ("周日 下午3:05", "2026-03-08T15:05", 1),
        ("周六", "2026-03-07T00:00", 1440),
        ("星期三 10:44", "2026-03-04T10:44", 1),
        ("3月5日 10:44", "2026-03-05T10:44", 1),
        ("3月5日 上午10:44", "2026-03-05T10:44", 1),
        ("3月12日 10:44", "2025-03-12T10:44", 1),
        ("12月31日", "2025-12-31T00:00", 1440),
        ("2月29日 10:44", "2024-02-29T10:44", 1),
        ("2025年3月5日 10:44", "2025-03-05T10:44", 1),
        ("2025年3月5日", "2025-03-05T00:00", 1440),
        ("2025/3/5 10:44", "2025-03-05T10:44", 1),
        ("Yesterday 10:44 AM", "2026-03-10T10:44", 1),
        ("Yesterday 10:44\u202fPM", "2026-03-10T22:44", 1),
        ("Mon 10:44", "2026-03-09T10:44", 1),
        ("Tuesday 10:44", "2026-03-10T10:44", 1),
        ("Mar 5 10:44", "2026-03-05T10:44", 1),
        ("Mar 5, 2025 10:44 AM", "2025-03-05T10:44", 1),
        ("Sept 5, 2025, 1:44 PM", "2025-09-05T13:44", 1),
    ],
)
def test_every_form_names_its_minute_or_day(label, start, minutes):
    assert is_time_line(label)
    assert resolve(label, ms(NOW), SHANGHAI) == (ms(start), ms(start) + minutes * MINUTE_MS)


@pytest.mark.parametrize(
    "label", ["", "好的", "10:44见", "25:10", "10:75", "13月5日", "2月30日 10:44", "你撤回了一条消息", "9点"]
)
def test_what_names_no_time_is_not_resolved(label):
    assert resolve(label, ms(NOW), SHANGHAI) is None


def test_a_clock_later_than_the_reading_is_of_the_day_before():
    assert resolve("23:10", ms(NOW), SHANGHAI) == (ms("2026-03-10T23:10"), ms("2026-03-10T23:11"))


def test_the_phones_clock_may_run_a_little_ahead():
    ahead = "15:32"
    assert ms("2026-03-11T15:32") < ms(NOW) + CLOCK_SLACK_MS
    assert resolve(ahead, ms(NOW), SHANGHAI) == (ms("2026-03-11T15:32"), ms("2026-03-11T15:33"))


def test_an_hour_of_twelve_without_its_half_is_of_either():
    assert resolve("3:05", ms(NOW), SHANGHAI, is_12h=True) == (ms("2026-03-11T03:05"), ms("2026-03-11T15:06"))
    assert resolve("4:05", ms(NOW), SHANGHAI, is_12h=True) == (ms("2026-03-11T04:05"), ms("2026-03-11T04:06"))


def test_midnight_called_evening_is_of_either_day():
    span = resolve("3月5日 晚上12:10", ms(NOW), SHANGHAI)
    assert span == (ms("2026-03-05T00:10"), ms("2026-03-06T00:11"))


def test_round_midnight_either_day_counts():
    at = ms("2026-03-11T23:59:30")
    assert resolve("00:01", at, SHANGHAI) == (ms("2026-03-11T00:01"), ms("2026-03-12T00:02"))
    assert resolve("昨天 10:44", at, SHANGHAI) == (ms("2026-03-10T10:44"), ms("2026-03-11T10:45"))


def test_a_doubled_hour_is_both():
    berlin = ZoneInfo("Europe/Berlin")
    span = resolve("Oct 26, 2025 2:30", ms("2025-11-01T12:00", berlin), berlin)
    assert span is not None
    assert span[1] - span[0] == 61 * MINUTE_MS


def label_of(at, now, style):
    """Write a moment as a client would, given as local datetimes."""
    days = (now.date() - at.date()).days
    hour = at.hour % 12 or 12
    parts = ((18, "晚上"), (13, "下午"), (12, "中午"), (8, "上午"), (5, "早上"), (0, "凌晨"))
    clock = {
        "24h": f"{at:%H:%M}",
        "short": f"{at.hour}:{at:%M}",
        "halves": f"{'上午' if at.hour < 12 else '下午'}{hour}:{at:%M}",
        "parts": f"{next(word for first, word in parts if at.hour >= first)} {hour}:{at:%M}",
        "english": f"{hour}:{at:%M} {at:%p}",
    }[style]
    is_english = style == "english"
    if days == 0:
        return clock
    if days == 1:
        return f"{'Yesterday' if is_english else '昨天'} {clock}"
    if days < 7:
        day = ENGLISH_DAYS[at.weekday()] if is_english else f"星期{WEEKDAYS[at.weekday()]}"
        return f"{day} {clock}"
    if is_english:
        day = f"{MONTHS[at.month - 1]} {at.day}"
        return f"{day} {clock}" if at.year == now.year else f"{day}, {at.year} {clock}"
    day = f"{at.month}月{at.day}日"
    return f"{day} {clock}" if at.year == now.year else f"{at.year}年{day} {clock}"


@given(
    now_s=st.integers(1_577_836_800, 1_893_456_000),
    ago_min=st.one_of(st.integers(0, 3 * 1440), st.integers(0, 366 * 1440)),
    style=st.sampled_from(("24h", "short", "halves", "parts", "english")),
    zone=st.sampled_from(("Asia/Shanghai", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns")),
    skew_ms=st.integers(-CLOCK_SLACK_MS + 1000, CLOCK_SLACK_MS - 1000),
)
def test_the_interval_holds_the_moment(now_s, ago_min, style, zone, skew_ms):
    """Whatever the client writes of a minute of the last year, also by a clock that is off a little."""
    where = zone_named(zone)
    now = datetime.fromtimestamp(now_s, tz=UTC).astimezone(where)
    at = (now.astimezone(UTC) - timedelta(minutes=ago_min)).astimezone(where)
    label = label_of(at, now, style)
    span = resolve(label, now_s * 1000 + skew_ms, where)
    assert span is not None, label
    assert span[0] <= at.timestamp() * 1000 < span[1], (label, span)
    is_near_midnight = now.hour * 60 + now.minute < 3 or now.hour * 60 + now.minute > 1436
    if zone == "Asia/Shanghai" and not is_near_midnight:
        assert span[1] - span[0] == MINUTE_MS, label


def test_every_minute_of_a_year_is_found_again():
    now = datetime(2026, 3, 11, 15, 30, tzinfo=SHANGHAI)
    read_ms = round(now.timestamp() * 1000)
    for ago_min in range(0, 366 * 1440, 37):
        at = now - timedelta(minutes=ago_min)
        assert resolve(label_of(at, now, "24h"), read_ms, SHANGHAI) == (
            read_ms - ago_min * MINUTE_MS,
            read_ms - (ago_min - 1) * MINUTE_MS,
        )
