"""What targets are told, when it is tried again, and how many are told in an hour: values alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from controller.alerts import (
    AlertSettings,
    Target,
    addresses_of,
    line_of,
    next_try_ms,
    room_at_ms,
    summary_of,
    summary_title,
    targets_of,
    title_of,
)
from controller.clock import HOUR_MS
from controller.errors import ConfigWrong
from controller.model import AccountId, PhoneId
from controller.records import Violation, ViolationState

MASKED = Target(name="duty", severities=("high",), language="en")
OPEN = Target(name="duty", severities=("high",), language="en", masked=False)


def found(text: str = "", hit: str = "", **parts: Any) -> Violation:
    start = text.index(hit) if hit else 0
    values: dict[str, Any] = {
        "id": 123,
        "entry_id": "L012",
        "rule_id": "R000",
        "category": "offpay",
        "severity": "high",
        "message_id": 5,
        "conversation_id": 1,
        "phone_id": PhoneId("017"),
        "account_id": AccountId("wx017"),
        "holder": "王芳",
        "word": hit,
        "start": start,
        "end": start + len(hit),
        "text": text,
        "side": "out",
        "state": ViolationState.NEW,
        "found_at_ms": 0,
    }
    return Violation(**{**values, **parts})


def settings(*tables: dict[str, Any]) -> AlertSettings:
    return msgspec.convert(
        {"targets": [{"name": "duty", "url": "json://x", **table} for table in tables]}, AlertSettings
    )


# ---- what is said


@pytest.mark.parametrize("text", ["加我微信 abc12345 转账", "转账", ""])
def test_a_masked_alert_has_no_word_of_the_message(text: str) -> None:
    line = line_of(MASKED, found(text, "转账" if text else ""))
    assert line == "L012 offpay, phone 017, 王*, violation 123"


def test_a_behaviour_is_told_by_its_rule() -> None:
    line = line_of(MASKED, found(entry_id="", category="", kind="behaviour", rule_id="R007", message_id=None))
    assert line == "R007 behaviour, phone 017, 王*, violation 123"
    assert line_of(MASKED, found(holder="")).split(", ")[2] == "-"


@pytest.mark.parametrize(
    "secret",
    [
        "13800138000",
        "138 0013 8000",
        "+86 138-0013-8000",
        "6222021234567890123",
        "11010519491231002X",
        "wxid_ab12cd34",
        "zhang2024",
    ],
)
def test_an_open_alert_hides_numbers_and_ids(secret: str) -> None:
    line = line_of(OPEN, found(f"私下转账到 {secret} 就好", "转账"))
    assert "【转账】" in line
    assert secret not in line


def test_an_open_alert_has_the_text_around_the_hit_only() -> None:
    line = line_of(OPEN, found("前" * 300 + "转账" + "后" * 300, "转账"))
    assert "【转账】" in line
    assert len(line) < 160
    assert line.count("…") == 2


@pytest.mark.parametrize(("start", "end"), [(0, 0), (0, 99), (50, 60), (2, 1)])
def test_a_place_outside_of_the_text_is_no_harm(start: int, end: int) -> None:
    assert "转账" in line_of(OPEN, found("请转账", start=start, end=end)).replace("【", "").replace("】", "")


def test_what_steers_a_terminal_is_written_out() -> None:
    assert "\x1b" not in line_of(OPEN, found("转账\x1b[31m", "转账"))


def test_headings_are_in_the_target_s_language() -> None:
    zh = Target(name="duty", severities=("high",), language="zh", per_hour=5)
    assert title_of(zh, "critical") == "违规告警（严重）"
    assert title_of(MASKED, "critical") == "Violation (critical)"
    counts = {("high", "offpay"): 2, ("critical", "abuse"): 1, ("high", "lead"): 3}
    assert summary_title(zh, 6) == "违规告警：另有 6 条"
    assert summary_of(zh, counts) == (
        "一小时内超出 5 条，未逐条发送 6 条：1 abuse (严重)，3 lead (高)，2 offpay (高)"
    )


# ---- when


def test_pauses_grow_and_end_at_an_hour() -> None:
    assert [next_try_ms(tries, 0) // 1000 for tries in (0, 1, 2, 3, 7, 8, 1_000)] == [
        *(30, 30, 60, 120, 1_920, 3_600, 3_600),
    ]


def test_there_is_room_when_the_oldest_of_the_hour_is_over() -> None:
    sent = [HOUR_MS, 5_000, 7_000]
    assert room_at_ms(3, [], HOUR_MS) is None
    assert room_at_ms(4, sent, HOUR_MS) is None
    assert room_at_ms(3, sent, HOUR_MS) == HOUR_MS + 5_000
    assert room_at_ms(3, sent, HOUR_MS + 4_999) == HOUR_MS + 5_000
    assert room_at_ms(3, sent, HOUR_MS + 5_000) is None


# ---- settings


def test_severities_are_named_or_begin_at_one() -> None:
    assert targets_of(settings({}))[0].severities == ("high", "critical")
    assert targets_of(settings({"min_severity": "low"}))[0].severities == (
        "low",
        "medium",
        "high",
        "critical",
    )
    assert targets_of(settings({"severities": ["medium"]}))[0].severities == ("medium",)


@pytest.mark.parametrize(
    "table",
    [
        {"url_env": "X"},
        {"url": ""},
        {"min_severity": "high", "severities": ["low"]},
        {"severities": ["urgent"]},
        {"per_hour": 0},
        {"language": "fr"},
        {"name": "a b"},
        {"url_env": "1X", "url": ""},
    ],
)
def test_a_target_that_contradicts_itself_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        settings(table)


def test_two_targets_of_one_name_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="two targets are called duty"):
        settings({}, {})


def test_addresses_come_from_the_file_or_the_environment() -> None:
    table = settings({"name": "a"}, {"name": "b", "url": "", "url_env": "FARM_B"})
    assert addresses_of(table, {"FARM_B": "json://y"}) == {"a": "json://x", "b": "json://y"}
    with pytest.raises(ConfigWrong, match="FARM_B is not set"):
        addresses_of(table, {})
