"""When a time line of a chat says its messages came, as intervals: never narrower than what is said. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from types import MappingProxyType
from zoneinfo import ZoneInfo

_MINUTE_MS = 60_000
# The clock of the host that reads and the clock of the phone that writes may differ by so much.
CLOCK_SLACK_MS = 120_000
# A date without a year is looked for in so many years back: 29 February needs eight round 1900 and 2100.
_YEARS_BACK = 8
# Hours of the twelve-hour clock by part of the day, as (word, hour shown) -> hours of the day it may mean.
_MORNING = frozenset({"凌晨", "清晨", "早上", "上午", "am"})
_NOON = "中午"
_AFTERNOON = frozenset({"下午", "傍晚", "pm"})
_PARTS = "凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|半夜"
_WEEKDAYS: Mapping[str, int] = MappingProxyType(
    {sign: at for at, sign in enumerate("一二三四五六日")}
    | {"天": 6}
    | {sign: at for at, sign in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
)
_MONTHS: Mapping[str, int] = MappingProxyType(
    {
        name: at
        for at, name in enumerate(
            ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
        )
    }
)
_DAYS_AGO: Mapping[str, int] = MappingProxyType({"今天": 0, "昨天": 1, "前天": 2, "today": 0, "yesterday": 1})
_MONTH_NAME = "(?P<month_name>jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\\.?"
_DAY = (
    r"(?P<ago>今天|昨天|前天|today|yesterday)"
    r"|(?:周|週|星期|礼拜)(?P<weekday>[一二三四五六日天])"
    r"|(?P<weekday_name>mon|tue|wed|thu|fri|sat|sun)(?:s|nes|rs|ur)?(?:day)?\.?"
    r"|(?:(?P<year>\d{4})年)?(?P<month>\d{1,2})月(?P<day>\d{1,2})日"
    r"|(?P<iso_year>\d{4})[-/](?P<iso_month>\d{1,2})[-/](?P<iso_day>\d{1,2})"
    rf"|{_MONTH_NAME}\s?(?P<name_day>\d{{1,2}})(?:,?\s(?P<name_year>\d{{4}}))?"
)
_CLOCK = rf"(?P<part>{_PARTS})?\s?(?P<hour>\d{{1,2}})[:：](?P<minute>\d{{2}})(?:\s?(?P<half>[ap])\.?m\.?)?"
_LABEL = re.compile(
    rf"(?:(?:{_DAY})(?:,?\s?(?:{_CLOCK}))?|{_CLOCK.replace('?P<', '?P<only_')})", re.IGNORECASE
)


def is_time_line(text: str) -> bool:
    """Tell whether a grey line is a time and nothing else, in Chinese or English."""
    return len(text) <= 40 and _LABEL.fullmatch(text.strip()) is not None


@functools.lru_cache(maxsize=4)
def zone_named(name: str) -> tzinfo:
    """Return a time zone by its name, like Asia/Shanghai; ZoneInfoNotFoundError if there is none."""
    return ZoneInfo(name)


def resolve(label: str, read_at_ms: int, zone: tzinfo, is_12h: bool = False) -> tuple[int, int] | None:
    """Return the half-open interval of UTC ms that a label read at `read_at_ms` names, None if it is none.

    A label with a clock names a minute, one without a day. What would lie after the reading belongs to the
    day, week or year before. With `is_12h` an hour without a part of the day may be of either half.
    """
    match = _LABEL.fullmatch(label.strip())
    if match is None:
        return None
    said = {key.removeprefix("only_"): value.lower() for key, value in match.groupdict().items() if value}
    clocks = list(_clocks(said, is_12h=is_12h)) if "hour" in said else [None]
    # Round midnight it is not sure from which day the label was written.
    days = {
        datetime.fromtimestamp((read_at_ms + slack_ms) / 1000, tz=zone).date()
        for slack_ms in (-CLOCK_SLACK_MS, CLOCK_SLACK_MS)
    }
    spans = [_resolved(said, clocks, day, read_at_ms + CLOCK_SLACK_MS, zone) for day in days]
    found = [span for span in spans if span is not None]
    return (min(span[0] for span in found), max(span[1] for span in found)) if found else None


def _resolved(
    said: Mapping[str, str],
    clocks: Sequence[tuple[int, int, int] | None],
    today: date,
    latest_ms: int,
    zone: tzinfo,
) -> tuple[int, int] | None:
    for day in _days(said, today):
        spans = [_span(day + timedelta(days=clock[0] if clock else 0), clock, zone) for clock in clocks]
        past = [span for span in spans if span[0] <= latest_ms]
        if past:
            return min(span[0] for span in past), max(span[1] for span in past)
    return None


def _clocks(said: Mapping[str, str], *, is_12h: bool) -> Iterator[tuple[int, int, int]]:
    """Yield what a clock may mean: days after the day that is named, hour and minute."""
    hour, minute = int(said["hour"]), int(said["minute"])
    part = f"{said['half']}m" if "half" in said else said.get("part", "")
    if hour > 23 or minute > 59:
        return
    if hour > 12 or (not part and not is_12h):
        yield 0, hour, minute
    elif not part:
        yield from ((0, hour % 12, minute), (0, hour % 12 + 12, minute))
    elif part in _MORNING:
        yield 0, hour % 12, minute
    elif part in _AFTERNOON:
        yield 0, hour % 12 + 12, minute
    elif part == _NOON:
        yield 0, hour if hour >= 10 else hour + 12, minute
    elif 5 <= hour < 12:
        yield 0, hour + 12, minute
    else:
        # Midnight and after, called evening or night: of which of two days is not said.
        yield from ((0, hour % 12, minute), (1, hour % 12, minute))


def _days(said: Mapping[str, str], today: date) -> Iterator[date]:
    """Yield the days a label may mean, the likeliest first; the next ones count if it lies ahead."""
    weekday = said.get("weekday") or said.get("weekday_name")
    if "ago" in said:
        yield today - timedelta(days=_DAYS_AGO[said["ago"]])
    elif weekday:
        # Today is named by its clock alone: the same weekday is that of the last week.
        yield today - timedelta(days=(today.weekday() - _WEEKDAYS[weekday]) % 7 or 7)
    elif "day" in said or "iso_day" in said or "name_day" in said:
        yield from _dates(said, today)
    else:
        yield today
        yield today - timedelta(days=1)


def _dates(said: Mapping[str, str], today: date) -> Iterator[date]:
    year = said.get("year") or said.get("iso_year") or said.get("name_year")
    month = said.get("month") or said.get("iso_month") or str(_MONTHS[said.get("month_name", "jan")[:3]])
    day = said.get("day") or said.get("iso_day") or said["name_day"]
    for one in (int(year),) if year else range(today.year, today.year - _YEARS_BACK - 1, -1):
        try:
            yield date(one, int(month), int(day))
        except ValueError:  # no such day in that year
            continue


def _span(day: date, clock: tuple[int, int, int] | None, zone: tzinfo) -> tuple[int, int]:
    """Return the UTC ms of a minute, or without a clock of a whole day; both readings of a doubled hour."""
    if clock is None:
        return _utc_ms(day, time(0), zone, fold=0), _utc_ms(day + timedelta(days=1), time(0), zone, fold=1)
    at = time(clock[1], clock[2])
    ways = [_utc_ms(day, at, zone, fold=fold) for fold in (0, 1)]
    return min(ways), max(ways) + _MINUTE_MS


def _utc_ms(day: date, at: time, zone: tzinfo, *, fold: int) -> int:
    return round(datetime.combine(day, at, tzinfo=zone).replace(fold=fold).timestamp() * 1000)
