"""The limits of each action as the configuration file says them: cautious defaults, and where they come from.

Every value is ours, not WeChat's: no official number of friend adds a day exists, nor one for the other
actions. The first warning of the platform rests the account, whatever is left here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Protocol

import msgspec

from controller.hours import ALL_WEEK
from controller.model import Action, QuotaRule

_MINUTES = 1_440

Count = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Pause = Annotated[float, msgspec.Meta(ge=0, le=366 * 86_400)]
Hours = Annotated[str, msgspec.Meta(pattern=r"^\d\d:\d\d-\d\d:\d\d$")]
Weekdays = Annotated[
    tuple[Annotated[int, msgspec.Meta(ge=1, le=7)], ...], msgspec.Meta(min_length=1, max_length=7)
]
Step = tuple[Annotated[int, msgspec.Meta(ge=1, le=3_650)], Count]
Ramp = Annotated[tuple[Step, ...], msgspec.Meta(max_length=12)]
Origin = Annotated[str, msgspec.Meta(max_length=500)]

_EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
# A request in the night is unusual for an office, and nobody is there to see a warning.
_BY_DAY = "08:00-22:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """What no configuration and no person passes: a typing error such as 1000 must not become a policy."""

    per_day: int
    per_hour: int


CEILINGS = {
    Action.FRIEND_ADD: Ceiling(per_day=50, per_hour=50),
    Action.FRIEND_ACCEPT: Ceiling(per_day=100, per_hour=50),
    Action.FIRST_REPLY: Ceiling(per_day=100, per_hour=50),
    Action.MOMENTS_LIKE: Ceiling(per_day=200, per_hour=60),
    Action.CONTACT_MARK: Ceiling(per_day=500, per_hour=120),
}


class Table(Protocol):
    """What the table of every action holds."""

    @property
    def per_day(self) -> int: ...  # noqa: D102 -- keys of the file, explained in config.example.toml
    @property
    def per_hour(self) -> int: ...  # noqa: D102
    @property
    def spacing_s(self) -> float: ...  # noqa: D102
    @property
    def hours(self) -> str: ...  # noqa: D102
    @property
    def weekdays(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def ramp(self) -> tuple[tuple[int, int], ...]: ...  # noqa: D102
    @property
    def contact_pause_s(self) -> float: ...  # noqa: D102
    @property
    def origin(self) -> str: ...  # noqa: D102


def _minutes(hours: str) -> tuple[int, int]:
    """Return 08:00-22:00 as minutes of the day; ValueError unless the first comes before the last."""
    first, last = (int(part[:2]) * 60 + int(part[3:]) for part in hours.split("-"))
    if not 0 <= first < last <= _MINUTES or any(int(part[3:]) > 59 for part in hours.split("-")):
        raise ValueError("hours run from an earlier to a later time of one day, as 08:00-22:00")
    return first, last


class _Checked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    def __post_init__(self) -> None:
        _minutes(getattr(self, "hours", "00:00-24:00"))
        days = [step[0] for step in getattr(self, "ramp", ())]
        if days != sorted(set(days)):
            raise ValueError("the days of a ramp ascend")


class FriendAddQuota(_Checked, frozen=True, forbid_unknown_fields=True):
    """Friend requests of one account."""

    per_day: Annotated[int, msgspec.Meta(ge=0, le=CEILINGS[Action.FRIEND_ADD].per_day)] = 10
    per_hour: Annotated[int, msgspec.Meta(ge=0, le=CEILINGS[Action.FRIEND_ADD].per_hour)] = 3
    spacing_s: Seconds = 90
    hours: Hours = _BY_DAY
    weekdays: Weekdays = _EVERY_DAY
    ramp: Ramp = ((3, 3), (7, 5))
    contact_pause_s: Pause = 86_400
    origin: Origin = (
        "no official figure; reports: keep below 10 a day (m.sboyo.com, undated), about 3 an hour, may be "
        "inexact (wxpy#76, 2017-06-09), more than 10 in a row is risky (pywechat#210, 2026-04-17); "
        "spacing, hours and ramp: ours"
    )


class FriendAcceptQuota(_Checked, frozen=True, forbid_unknown_fields=True):
    """Requests of others that one account accepts."""

    per_day: Annotated[int, msgspec.Meta(ge=0, le=CEILINGS[Action.FRIEND_ACCEPT].per_day)] = 20
    per_hour: Annotated[int, msgspec.Meta(ge=0, le=CEILINGS[Action.FRIEND_ACCEPT].per_hour)] = 6
    spacing_s: Seconds = 60
    hours: Hours = _BY_DAY
    weekdays: Weekdays = _EVERY_DAY
    ramp: Ramp = ((3, 6), (7, 10))
    contact_pause_s: Pause = 0
    origin: Origin = (
        "no figure for accepting found; one SCRM product adds 20 a day by default (product, 2024-2026); "
        "the rest: ours"
    )


class FirstReplyQuota(_Checked, frozen=True, forbid_unknown_fields=True):
    """First replies of one account to new friends."""

    per_day: Annotated[int, msgspec.Meta(ge=0, le=CEILINGS[Action.FIRST_REPLY].per_day)] = 20
    per_hour: Annotated[int, msgspec.Meta(ge=0, le=CEILINGS[Action.FIRST_REPLY].per_hour)] = 6
    spacing_s: Seconds = 60
    hours: Hours = _BY_DAY
    weekdays: Weekdays = _EVERY_DAY
    ramp: Ramp = ((3, 6), (7, 10))
    contact_pause_s: Pause = 86_400
    origin: Origin = (
        "no figure for replies found; bursts: about 60 without pause (WeixinBot#149, py2webwx#2, 2017-2018, "
        "old protocol); as many as accepted requests: ours"
    )


class MomentsLikeQuota(_Checked, frozen=True, forbid_unknown_fields=True):
    """Likes of one account."""

    per_day: Annotated[int, msgspec.Meta(ge=0, le=CEILINGS[Action.MOMENTS_LIKE].per_day)] = 30
    per_hour: Annotated[int, msgspec.Meta(ge=0, le=CEILINGS[Action.MOMENTS_LIKE].per_hour)] = 10
    spacing_s: Seconds = 30
    hours: Hours = _BY_DAY
    weekdays: Weekdays = _EVERY_DAY
    ramp: Ramp = ((1, 0), (7, 10))
    contact_pause_s: Pause = 86_400
    origin: Origin = (
        "no figure for likes found; after a new login moments are for browsing only for 24 h (error list of "
        "a protocol gateway, 52301, 2026); the rest: ours"
    )


class ContactMarkQuota(_Checked, frozen=True, forbid_unknown_fields=True):
    """Remarks and tags that one account sets."""

    per_day: Annotated[int, msgspec.Meta(ge=0, le=CEILINGS[Action.CONTACT_MARK].per_day)] = 100
    per_hour: Annotated[int, msgspec.Meta(ge=0, le=CEILINGS[Action.CONTACT_MARK].per_hour)] = 30
    spacing_s: Seconds = 10
    hours: Hours = _BY_DAY
    weekdays: Weekdays = _EVERY_DAY
    ramp: Ramp = ()
    contact_pause_s: Pause = 0
    origin: Origin = (
        "no limit on remarks or tags found; 100 contacts deleted a day is the nearest report (help-w.com, "
        "undated); ours"
    )


class Quotas(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table for each action."""

    friend_add: FriendAddQuota = FriendAddQuota()
    friend_accept: FriendAcceptQuota = FriendAcceptQuota()
    first_reply: FirstReplyQuota = FirstReplyQuota()
    moments_like: MomentsLikeQuota = MomentsLikeQuota()
    contact_mark: ContactMarkQuota = ContactMarkQuota()


def rules_of(quotas: Quotas) -> tuple[QuotaRule, ...]:
    """Return the rule of each action."""
    return tuple(_rules(quotas))


def _rules(quotas: Quotas) -> Iterator[QuotaRule]:
    for action in Action:
        table: Table = getattr(quotas, action)
        yield QuotaRule(
            action=action,
            per_day=table.per_day,
            per_hour=table.per_hour,
            spacing_ms=round(table.spacing_s * 1_000),
            hours=_minutes(table.hours),
            weekdays=frozenset(table.weekdays) & ALL_WEEK,
            ramp=table.ramp,
            contact_pause_ms=round(table.contact_pause_s * 1_000),
            origin=table.origin,
        )


def are_hours(hours: tuple[int, int]) -> bool:
    """Tell whether minutes of the day run from an earlier to a later one."""
    return 0 <= hours[0] < hours[1] <= _MINUTES
