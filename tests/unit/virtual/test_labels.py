"""Times as the client writes them."""

from datetime import datetime

import pytest

from agent.virtual.wechat.labels import CHINA, LabelStyle, chat_label, list_label

NOW = "2025-11-19 15:00"  # a Wednesday
HALF_DAY = LabelStyle(is_12h=True)
LONG = LabelStyle(long_weekdays=True)
ENGLISH = LabelStyle(is_english=True)
BOTH = LabelStyle(is_english=True, is_12h=True)


def ms(text: str) -> int:
    """Return a time of day in China as ms UTC."""
    return round(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=CHINA).timestamp() * 1000)


@pytest.mark.parametrize(
    ("at", "style", "label"),
    [
        ("2025-11-19 09:05", LabelStyle(), "09:05"),
        ("2025-11-18 23:59", LabelStyle(), "昨天 23:59"),
        ("2025-11-17 10:44", LabelStyle(), "周一 10:44"),
        ("2025-11-13 10:44", LONG, "星期四 10:44"),
        ("2025-11-12 10:44", LONG, "11月12日 10:44"),
        ("2024-03-05 10:44", LabelStyle(), "2024年3月5日 10:44"),
        ("2025-11-19 00:07", HALF_DAY, "凌晨12:07"),
        ("2025-11-19 06:30", HALF_DAY, "早上6:30"),
        ("2025-11-19 10:44", HALF_DAY, "上午10:44"),
        ("2025-11-19 12:01", HALF_DAY, "中午12:01"),
        ("2025-11-18 15:05", HALF_DAY, "昨天 下午3:05"),
        ("2025-03-05 21:10", HALF_DAY, "3月5日 晚上9:10"),
        ("2025-11-19 14:05", ENGLISH, "14:05"),
        ("2025-11-18 10:44", BOTH, "Yesterday 10:44 AM"),
        ("2025-11-17 12:00", BOTH, "Mon 12:00 PM"),
        ("2025-03-05 10:44", ENGLISH, "Mar 5 10:44"),
        ("2024-03-05 10:44", BOTH, "Mar 5, 2024 10:44 AM"),
    ],
)
def test_time_lines(at: str, style: LabelStyle, label: str) -> None:
    assert chat_label(ms(at), ms(NOW), style) == label


def test_rows_of_the_list_name_old_days_without_the_time() -> None:
    assert list_label(ms("2025-11-17 10:44"), ms(NOW)) == "周一"
    assert list_label(ms("2025-03-05 10:44"), ms(NOW), ENGLISH) == "Mar 5"
    assert list_label(ms("2025-11-18 10:44"), ms(NOW), HALF_DAY) == "昨天 上午10:44"
