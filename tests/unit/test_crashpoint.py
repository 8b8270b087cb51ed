"""Named places: nothing happens without a test, and with one exactly what it asks for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from protos import crashpoint

ROOT = Path(__file__).parents[2]
PROGRAM = """
from protos.crashpoint import reach, scope
for _ in range(3):
    reach("a")
    with scope("lease"):
        reach("b")
print("lived")
"""


@pytest.fixture(autouse=True)
def nobody_watches(monkeypatch):
    monkeypatch.setattr(crashpoint, "_watch", None)


def run(**environment):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=20,
    )


def test_the_process_ends_at_the_named_time_and_says_what_it_reached(tmp_path):
    log = tmp_path / "places"
    done = run(FARM_CRASH_AT="b.lease:2", FARM_CRASH_LOG=str(log))
    assert (done.returncode, done.stdout) == (crashpoint.KILLED, "")
    assert log.read_text().split() == ["a", "b.lease", "a", "b.lease"]


def test_without_a_wish_nothing_happens():
    done = run()
    assert (done.returncode, done.stdout) == (0, "lived\n")


@pytest.mark.parametrize("wish", ["a", "a:0", ":1", "a:x"])
def test_a_wish_that_is_no_place_and_number_is_an_error(wish):
    with pytest.raises(ValueError, match="FARM_CRASH_AT"):
        crashpoint.obey({"FARM_CRASH_AT": wish})


def test_several_acts_at_one_place_are_done_in_order_and_count_from_now():
    done = []
    crashpoint.arm("a", 2, lambda: done.append("second"))
    crashpoint.reach("a")
    crashpoint.arm("a", 1, lambda: done.append("also"))
    crashpoint.arm("b", 1, lambda: crashpoint.arm("a", 1, lambda: done.append("after b")))
    crashpoint.reach("a")
    crashpoint.reach("b")
    crashpoint.reach("a")
    crashpoint.reach("a")
    assert done == ["second", "also", "after b"]


def test_listeners_hear_each_place():
    heard = []
    crashpoint.record(heard.append)
    crashpoint.reach("a")
    with crashpoint.scope("hello"):
        crashpoint.reach("b")
    crashpoint.reach("a")
    assert heard == ["a", "b.hello", "a"]
