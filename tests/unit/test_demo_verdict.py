"""The demo's verdict must be able to say no."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

DEMO = Path(__file__).parents[2] / "scripts" / "demo_farm"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"demo_{name}", DEMO / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


verdict = load("verdict")
world = load("world")


def truth(count: int = 1) -> dict[str, Any]:
    asked = {"peer": "p", "query": "q", "count": count}
    return {
        "phones": [{"serial": "VP001", "account": "a", "requests": [asked] if count else [], "added": []}],
        "messages": [
            {"account": "a", "title": "t", "side": "in", "text": "x"},
            {"account": "a", "title": "t", "side": "system", "text": "s"},
            {"account": "a", "title": "t", "side": "in", "text": "x"},
        ],
        "expected": {"q": "requested"},
        "expected_by_account": {"b": {"q": "already_friend"}},
    }


TASK = {"row_no": 2, "phone_id": "001", "state": "done", "outcome": "requested"}


def test_belief_and_truth_that_agree() -> None:
    (row,) = verdict.rows([TASK], {2: "q"}, truth())
    assert row.agrees
    assert verdict.twice([row]) == []
    assert verdict.over_quota(truth(), per_day=1) == []


def test_a_row_that_differs_says_state_and_evidence() -> None:
    task = {**TASK, "state": "unknown", "outcome": "screen_unreadable", "evidence": "Moved"}
    (row,) = verdict.rows([task], {2: "q"}, truth())
    assert not row.agrees
    assert str(row) == (
        "row 2: unknown screen_unreadable (Moved), expected requested, requests that went out: 1"
    )


@pytest.mark.parametrize(
    ("task", "count"),
    [
        (TASK, 0),  # believed, never sent
        (TASK, 2),  # sent twice
        ({**TASK, "outcome": "not_found"}, 1),
        ({**TASK, "state": "unknown", "outcome": "answer_lost"}, 1),
    ],
)
def test_a_difference_is_seen(task: dict[str, Any], count: int) -> None:
    (row,) = verdict.rows([task], {2: "q"}, truth(count))
    assert not row.agrees


def test_a_friend_of_this_account_is_not_to_be_asked() -> None:
    task = {**TASK, "account_id": "b", "outcome": "already_friend", "state": "not_done"}
    (row,) = verdict.rows([task], {2: "q"}, truth(0))
    assert row.agrees
    (row,) = verdict.rows([{**task, "account_id": "a"}], {2: "q"}, truth(0))
    assert not row.agrees


@pytest.mark.parametrize("outcome", ["added", "accepted"])
def test_a_request_that_was_accepted(outcome: str) -> None:
    task = {**TASK, "outcome": outcome}
    (row,) = verdict.rows([task], {2: "q"}, truth(), accepting={"q"})
    assert row.agrees
    (row,) = verdict.rows([task], {2: "q"}, truth(2), accepting={"q"})
    assert not row.agrees
    (row,) = verdict.rows([task], {2: "q"}, truth())
    assert not row.agrees


def test_a_row_without_a_task_is_seen() -> None:
    (row,) = verdict.rows([], {2: "q"}, truth())
    assert (row.state, row.agrees) == ("missing", False)


def test_a_phone_over_its_quota_is_named() -> None:
    assert verdict.over_quota(truth(3), per_day=2) == ["VP001"]
    (row,) = verdict.rows([TASK], {2: "q"}, truth(3))
    assert verdict.twice([row]) == [2]


@pytest.mark.parametrize(
    "archived",
    [
        [("in", "x")],  # the repeat was dropped
        [("in", "x"), ("in", "x"), ("in", "x")],
        [("out", "x"), ("in", "x")],
        [],
    ],
)
def test_a_wrong_archive_is_seen(archived: list[tuple[str, str]]) -> None:
    said = verdict.conversations(truth())
    assert list(verdict.chat_findings(said, {("a", "t"): archived}))


def test_the_same_lines_in_order_are_right() -> None:
    said = verdict.conversations(truth())
    assert list(verdict.chat_findings(said, {("a", "t"): [("in", "x"), ("in", "x")]})) == []
    assert list(verdict.chat_findings(said, {**said, ("b", "t"): [("in", "x")]}))


def test_the_list_and_the_world_speak_of_the_same_people() -> None:
    made = world.make(8, 40)
    lines = made.customers_csv.decode("utf-8-sig").splitlines()
    assert len(lines) == 41
    assert all(world.query(n) in lines[n] and world.query(n) in made.scenario_toml for n in range(1, 41))
    assert made.violations == 2
    assert made.lines == made.scenario_toml.count("[[says]]") == 16
