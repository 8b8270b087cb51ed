"""Alerts: who outside is told of which violations, what is said, how often, and when it is tried again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from controller.clock import DAY_MS, HOUR_MS
from controller.errors import ConfigWrong
from controller.records import Violation
from controller.safe import masked, masked_number, safe

SEVERITIES = ("low", "medium", "high", "critical")
Severity = Literal["low", "medium", "high", "critical"]

# What was not told within a day is not news any more; it stays in the list as failed.
TOLD_WITHIN_MS = DAY_MS
# Longer than any target is waited for, see controller.alerting: whoever has it in hands that long is gone.
IN_HANDS_MS = 120_000
_FIRST_PAUSE_MS = 30_000
_LONGEST_PAUSE_MS = HOUR_MS
_MAX_TEXT_CHARS = 80
# Numbers and names of accounts: six signs or more with a digit among them, of any width.
_ID = re.compile(r"(?=[A-Za-z_-]*\d)[A-Za-z\d_-]{6,}")


class AlertState(StrEnum):
    """How an alert stands; only `sent` and `summed` were told."""

    WAITING = "waiting"  # for its turn, or for its next try
    SENDING = "sending"  # in hands
    SENT = "sent"
    BEYOND = "beyond"  # over what its target may get in an hour: told as part of one line when that is over
    SUMMING = "summing"  # that line is in hands
    SUMMED = "summed"
    FAILED = "failed"  # a day went by


class AlertTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One [[controller.alerts.targets]]: an address of apprise, or the name of the variable that holds it."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,32}$")]
    url: str = ""
    url_env: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")] = ""
    min_severity: Severity | None = None
    severities: tuple[Severity, ...] = ()
    # Also what a rule asks to tell somebody, whatever its severity.
    notified: bool = True
    per_hour: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 30
    language: Literal["zh", "en"] = "zh"
    masked: bool = True

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.url_env):
            raise ValueError("say url or url_env, one of both")
        if self.min_severity is not None and self.severities:
            raise ValueError("say min_severity or severities, not both")


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section [controller.alerts]."""

    targets: tuple[AlertTarget, ...] = ()

    def __post_init__(self) -> None:
        names = Counter(target.name for target in self.targets)
        if twice := [name for name, many in names.items() if many > 1]:
            raise ValueError(f"two targets are called {twice[0]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Who is told of what and how; its address is known at the edge only."""

    name: str
    severities: tuple[str, ...]
    notified: bool = True
    per_hour: int = 30
    language: str = "zh"
    masked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One violation that one target is told of."""

    id: int
    violation_id: int
    target: str
    severity: str
    state: AlertState
    tries: int
    next_at_ms: int  # while waiting the next try, in hands the end of that; once told the moment of it
    at_ms: int  # when it was made, or a person had it tried again
    ended_at_ms: int | None
    error: str  # of the last try, never with words of the target


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCounts:
    """How alerts of a target stand: `failing` of `waiting` failed before, `failed` in the last day."""

    waiting: int = 0
    failing: int = 0
    beyond: int = 0
    failed: int = 0


def targets_of(settings: AlertSettings) -> tuple[Target, ...]:
    """Return the targets as the core knows them: without addresses."""
    return tuple(
        Target(
            name=target.name,
            severities=target.severities or _from(target.min_severity or "high"),
            notified=target.notified,
            per_hour=target.per_hour,
            language=target.language,
            masked=target.masked,
        )
        for target in settings.targets
    )


def addresses_of(settings: AlertSettings, env: Mapping[str, str]) -> dict[str, str]:
    """Return the address of each target by its name; ConfigWrong if a variable is not set."""
    found = {}
    for target in settings.targets:
        address = target.url or env.get(target.url_env, "")
        if not address:
            raise ConfigWrong(f"alert target {target.name}: the variable {target.url_env} is not set")
        found[target.name] = address
    return found


def _from(least: str) -> tuple[str, ...]:
    return SEVERITIES[SEVERITIES.index(least) :]


def next_try_ms(tries: int, now_ms: int) -> int:
    """Return when it is tried again after so many tries: 30 s, then twice as long each time, 1 h at most."""
    return now_ms + min(_FIRST_PAUSE_MS << min(max(tries, 1) - 1, 20), _LONGEST_PAUSE_MS)


def room_at_ms(per_hour: int, sent_ms: Sequence[int], now_ms: int) -> int | None:
    """Return None if one more may be told now, else when the hour of the oldest of those told is over."""
    lately = sorted(at_ms for at_ms in sent_ms if at_ms > now_ms - HOUR_MS)
    return None if len(lately) < per_hour else lately[0] + HOUR_MS


_LEVELS = {
    "zh": {"low": "低", "medium": "中", "high": "高", "critical": "严重"},
    "en": {severity: severity for severity in SEVERITIES},
}


def title_of(target: Target, severity: str) -> str:
    """Return the heading of an alert."""
    level = _LEVELS[target.language].get(severity, severity)
    return f"违规告警（{level}）" if target.language == "zh" else f"Violation ({level})"


def line_of(target: Target, found: Violation) -> str:
    """Return what a target is told: place and number; what was written only if it may have that."""
    what = f"{found.entry_id or found.rule_id} {found.category or found.kind}".strip()
    holder = (_masked_name(found.holder) if target.masked else found.holder) or "-"
    if target.language == "zh":
        line = f"{what}，手机 {found.phone_id}，{holder}，违规 {found.id}"
    else:
        line = f"{what}, phone {found.phone_id}, {holder}, violation {found.id}"
    if target.masked or not found.text:
        return safe(line)
    return safe(f"{line}{'：' if target.language == 'zh' else ': '}{_quoted(found)}")


def _masked_name(name: str) -> str:
    return f"{name[0]}*" if name else ""


def _quoted(found: Violation) -> str:
    """Return the text around what was found, in 【】; numbers and ids are masked, lengths stay."""
    text = _ID.sub(lambda run: _hidden(run[0]), masked(found.text))
    low = max(0, min(found.start, found.end - _MAX_TEXT_CHARS // 2) - _MAX_TEXT_CHARS // 4)
    high = min(len(text), low + _MAX_TEXT_CHARS)
    end = min(found.end, high)
    before, hit, after = text[low : found.start], text[found.start : end], text[end:high]
    marked = f"{before}【{hit}】{after}" if hit else f"{before}{after}"
    return f"{'…' if low else ''}{marked}{'…' if high < len(text) else ''}"


def _hidden(run: str) -> str:
    if "*" in run or len(run) < 6:
        return run
    return (
        masked_number(run)
        if run.isdecimal() and len(run) >= 11
        else f"{run[:2]}{'*' * (len(run) - 4)}{run[-2:]}"
    )


def summary_title(target: Target, many: int) -> str:
    """Return the heading of the line about what was over a target's number in an hour."""
    return f"违规告警：另有 {many} 条" if target.language == "zh" else f"Violations: {many} more"


def summary_of(target: Target, counts: Mapping[tuple[str, str], int]) -> str:
    """Return one line about many alerts, counted by severity and category, the most severe first."""
    ranked = sorted(counts.items(), key=lambda item: (-_rank(item[0][0]), -item[1], item[0][1]))
    parts = [
        f"{many} {category or '-'} ({_LEVELS[target.language].get(severity, severity)})"
        for (severity, category), many in ranked
    ]
    many = sum(counts.values())
    if target.language == "zh":
        return safe(f"一小时内超出 {target.per_hour} 条，未逐条发送 {many} 条：{'，'.join(parts)}")
    return safe(f"{many} more than {target.per_hour} in an hour, not told one by one: {', '.join(parts)}")


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1
