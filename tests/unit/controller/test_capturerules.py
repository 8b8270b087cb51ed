"""What may be kept: a current notice at the moment of reading, no private chat, within the hours."""

from dataclasses import replace
from random import Random

import pytest

from controller.capturerules import (
    CaptureMode,
    CaptureRules,
    Gate,
    OnceExcluded,
    VersionInForce,
    told_by,
    why_not_told,
)
from controller.model import AccountId, Notice
from controller.weekhours import read_windows

MONDAY_MS = 1_795_363_200_000  # 2026-11-23 00:00 in Shanghai
HOUR_MS = 3_600_000


def told(version: str, at_ms: int, withdrawn_at_ms: int | None = None) -> Notice:
    return Notice(
        holder="h",
        version=version,
        how="paper",
        recorded_by="op",
        at_ms=at_ms,
        withdrawn_at_ms=withdrawn_at_ms,
    )


def gate(*records: Notice, hours: str = "always", set_at_ms: int = 0, excluded: str = "") -> Gate:
    return Gate(
        records=records,
        versions=(),
        rules=CaptureRules(
            account_id=AccountId("a"), capture_windows=read_windows(hours), set_at_ms=set_at_ms
        ),
        excluded=frozenset({excluded}) - {""},
        zone="Asia/Shanghai",
    )


@pytest.mark.parametrize(
    ("records", "at_ms", "is_told"),
    [
        ([], 10, False),
        ([told("v1", 10)], 10, True),
        ([told("v1", 10)], 9, False),
        ([told("v1", 10, 20)], 19, True),
        ([told("v1", 10, 20)], 20, False),
        ([told("v1", 10, 20), told("v1", 30)], 25, False),
        ([told("v1", 10, 20), told("v1", 30)], 31, True),
    ],
)
def test_a_notice_covers_what_was_read_while_it_held(
    records: list[Notice], at_ms: int, is_told: bool
) -> None:
    assert (told_by(records, [VersionInForce("v1", 0)], at_ms) is not None) is is_told


def test_a_new_version_covers_nothing_until_it_was_given_and_the_old_keeps_what_it_covered() -> None:
    versions = [VersionInForce("v1", 0), VersionInForce("v2", 100)]
    old = [told("v1", 10)]
    assert told_by(old, versions, 99)
    assert told_by(old, versions, 100) is None
    # Given before it came into force: from then on without a hole.
    both = [*old, told("v2", 50)]
    assert told_by(both, versions, 99)
    assert told_by(both, versions, 100)


def test_before_the_first_version_any_counted() -> None:
    assert told_by([told("whatever", 10)], [VersionInForce("v1", 100)], 99)
    assert told_by([told("whatever", 10)], [], 99)


def test_people_hear_what_stands_against_reading() -> None:
    versions = [VersionInForce("v2", 0)]
    assert why_not_told([], versions, 50) == "no notice recorded for the holder"
    assert why_not_told([told("v1", 10)], versions, 50) == "the holder was told version v1, current is v2"
    assert why_not_told([told("v2", 10, 20)], versions, 50) == "the holder's notice was withdrawn"
    assert why_not_told([told("v2", 10)], versions, 50) == ""


def test_the_gate_names_its_cause() -> None:
    notice = told("v1", 0)
    assert gate(notice).verdict("k", MONDAY_MS) == ""
    assert gate().verdict("k", MONDAY_MS) == "no_notice"
    assert gate(notice, excluded="k").verdict("k", MONDAY_MS) == "excluded"
    assert gate(notice, excluded="k").verdict("other", MONDAY_MS) == ""
    office = gate(notice, hours="mon 8-9")
    assert office.verdict("k", MONDAY_MS + 8 * HOUR_MS) == ""
    assert office.verdict("k", MONDAY_MS + 9 * HOUR_MS) == "outside_hours"
    assert office.verdict("", MONDAY_MS + 9 * HOUR_MS) == "outside_hours"


def test_new_hours_take_nothing_back_and_a_private_chat_is_private_from_the_start() -> None:
    late = MONDAY_MS + 9 * HOUR_MS
    later = gate(told("v1", 0), hours="mon 8-9", set_at_ms=late + 1, excluded="k")
    assert later.verdict("other", late) == ""
    assert later.verdict("k", late) == "excluded"


def test_nothing_changes_a_verdict_within_a_steady_time() -> None:
    chance = Random(7)
    for _ in range(60):
        records = [
            told("1", chance.randint(0, 400), chance.choice((None, chance.randint(0, 400)))) for _ in "ab"
        ]
        now = replace(
            gate(*records, hours=chance.choice(("always", "mon 0-1")), set_at_ms=chance.randint(0, 300)),
            versions=(VersionInForce("1", 0), VersionInForce(chance.choice("12"), chance.randint(0, 400))),
            former_rules=(CaptureRules(account_id=AccountId("a"), mode=CaptureMode.OFF, set_at_ms=100),),
            once_excluded=(OnceExcluded("k", chance.randint(0, 200), chance.randint(200, 400)),),
        )
        for at_ms in range(0, 420, 7):
            first, last = now.steady(at_ms)
            assert first <= at_ms < last
            for other_ms in range(max(first, 0), min(last, 420)):
                assert now.verdict("k", other_ms) == now.verdict("k", at_ms)
                assert now.verdict("l", other_ms) == now.verdict("l", at_ms)
    hours = gate(told("", 0), hours="mon 0-1")
    assert hours.steady(MONDAY_MS - 1) == (MONDAY_MS - 60_000, MONDAY_MS)
