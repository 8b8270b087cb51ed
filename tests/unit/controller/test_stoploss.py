"""When a job stops itself: the pure decision at its borders."""

from __future__ import annotations

import pytest

from controller.stoploss import ACCEPTANCE, NOT_FOUND, StopLoss, verdict

RULES = StopLoss(window_rows=10, max_not_found_percent=50, min_requests=20, min_accepted_percent=5)


def said(missing: int, others: int = 0) -> str:
    outcomes = ["not_found"] * missing + ["requested"] * others
    return verdict(RULES, outcomes=outcomes, asked=0, accepted=0)


@pytest.mark.parametrize(
    ("missing", "others", "cause"),
    [(9, 0, ""), (5, 5, ""), (6, 4, NOT_FOUND), (10, 0, NOT_FOUND), (0, 10, ""), (5, 50, "")],
)
def test_too_many_unknown_people_among_the_last_rows(missing: int, others: int, cause: str) -> None:
    assert said(missing, others) == cause


def test_only_the_last_rows_count() -> None:
    assert verdict(RULES, outcomes=["requested"] * 10 + ["not_found"] * 90, asked=0, accepted=0) == ""


@pytest.mark.parametrize(
    ("asked", "accepted", "cause"),
    [(19, 0, ""), (20, 0, ACCEPTANCE), (20, 1, ""), (100, 4, ACCEPTANCE), (100, 5, "")],
)
def test_too_few_acceptances(asked: int, accepted: int, cause: str) -> None:
    assert verdict(RULES, outcomes=[], asked=asked, accepted=accepted) == cause
