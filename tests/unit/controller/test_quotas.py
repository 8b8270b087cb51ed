"""The sliding count, as values: what a window holds, when it lets go, and that it is never passed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.clock import DAY_MS, HOUR_MS
from controller.model import Action, Held, QuotaRule
from controller.quotas import rule_for, used, verdict

NOW = 10 * DAY_MS


def rule(*, day: int = 5, hour: int = 3, spacing_ms: int = 0) -> QuotaRule:
    return QuotaRule(action=Action.FRIEND_ADD, per_day=day, per_hour=hour, spacing_ms=spacing_ms)


def test_a_use_leaves_its_window_exactly_when_the_window_has_passed() -> None:
    assert used([NOW - HOUR_MS], HOUR_MS, NOW) == 0
    assert used([NOW - HOUR_MS + 1], HOUR_MS, NOW) == 1
    assert used([NOW + 5], HOUR_MS, NOW) == 1


@pytest.mark.parametrize(
    ("of", "uses", "held"),
    [
        (rule(), [], None),
        (rule(), [NOW - 1, NOW - 1], None),
        (rule(), [NOW - 30, NOW - 20, NOW - 10], Held(cause="quota_hour", retry_at_ms=NOW - 30 + HOUR_MS)),
        (
            rule(day=2),
            [NOW - 2 * HOUR_MS, NOW - HOUR_MS],
            Held(cause="quota_day", retry_at_ms=NOW - 2 * HOUR_MS + DAY_MS),
        ),
        (rule(spacing_ms=60), [NOW - 59], Held(cause="spacing", retry_at_ms=NOW + 1)),
        (rule(spacing_ms=60), [NOW - 60], None),
        (rule(spacing_ms=60), [NOW + 40], Held(cause="spacing", retry_at_ms=NOW + 100)),
        (rule(hour=0), [], Held(cause="quota_hour")),
        (rule(day=0), [], Held(cause="quota_day")),
        (None, [], Held(cause="no_quota_rule")),
    ],
    ids=[
        "free",
        "left",
        "hour",
        "day",
        "spacing",
        "spacing_over",
        "lease_runs",
        "none_an_hour",
        "none_a_day",
        "no_rule",
    ],
)
def test_the_verdict_names_what_stands_against_it(of, uses: list[int], held: Held | None) -> None:
    assert verdict(of, uses, NOW) == held


def test_a_rule_belongs_to_its_action() -> None:
    assert rule_for([rule()], Action.FRIEND_ADD) == rule()
    assert rule_for([], Action.FRIEND_ADD) is None


@given(
    day=st.integers(1, 6),
    hour=st.integers(1, 4),
    spacing_ms=st.sampled_from([0, 60_000, 20 * 60_000]),
    pauses=st.lists(st.integers(0, 5 * HOUR_MS), min_size=1, max_size=60),
    leases=st.lists(st.integers(0, 120_000), min_size=1, max_size=60),
)
def test_no_window_ever_holds_more_acts_than_the_rule_allows(
    day: int, hour: int, spacing_ms: int, pauses: list[int], leases: list[int]
) -> None:
    of = rule(day=day, hour=hour, spacing_ms=spacing_ms)
    now_ms, uses, acts = NOW, [], []
    for place, pause_ms in enumerate(pauses):
        now_ms += pause_ms
        if verdict(of, uses, now_ms) is None:
            last_use_ms = now_ms + leases[place % len(leases)]
            # The act comes at any moment of the lease; first, last and middle take turns.
            acts.append(now_ms + (last_use_ms - now_ms) * (place % 3) // 2)
            uses = sorted([*uses, last_use_ms])
    for window_ms, limit in ((DAY_MS, day), (HOUR_MS, hour)):
        assert max(sum(1 for act in acts if 0 <= act - first < window_ms) for first in acts) <= limit


@given(uses=st.lists(st.integers(NOW - DAY_MS, NOW + 120_000), max_size=12).map(sorted))
def test_at_the_named_time_the_named_cause_is_gone(uses: list[int]) -> None:
    held = verdict(rule(spacing_ms=60_000), uses, NOW)
    if held is not None:
        assert held.retry_at_ms is not None
        assert held.retry_at_ms > NOW
        assert verdict(rule(spacing_ms=60_000), uses, held.retry_at_ms) is None
