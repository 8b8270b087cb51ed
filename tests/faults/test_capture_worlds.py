"""Whatever is said while whatever breaks: archived exactly once and in order, or covered by a gap.

Real agent and controller processes over real adb; the world is what Hypothesis makes up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.conftest import EXPLORATION
from tests.support.adb import adb_server, bundled_adb
from tests.support.worldjudge import Verdict
from tests.support.worldrig import GROUP, WorldRig, world_rig
from tests.support.worldscript import Step, scripts

RUNS, NIGHTLY_RUNS = int(os.environ.get("FARM_TEST_WORLDS", "30")), 1_000
pytestmark = pytest.mark.timeout(900)
# A failing world is shown as it was made: making it smaller would take an hour.
_HOW = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorldRig]:
    with adb_server(bundled_adb()) as adb, world_rig(tmp_path_factory.mktemp("worlds"), adb) as made:
        yield made


def live(rig: WorldRig, script: list[Step]) -> tuple[Verdict, int]:
    """Live through a script; return its judgement and how many lines were said."""
    with rig.world() as world:
        for step in script:
            step.do(world)
            world.keep(0)
        found = world.settle()
    assert found.total.is_sound, f"{script}\n{found}"
    return found.total, found.lines


def explore(rig: WorldRig, runs: int, tell: Callable[[str, object], None]) -> None:
    """Live through so many worlds and tell what they came to."""
    found = Verdict()
    lines = worlds = 0

    @settings(_HOW, max_examples=runs)
    @given(scripts())
    def one(script: list[Step]) -> None:
        nonlocal found, lines, worlds
        verdict, said = live(rig, script)
        found, lines, worlds = found.and_(verdict), lines + said, worlds + 1

    try:
        one()
    finally:
        tell(
            EXPLORATION,
            f"capture, {worlds} worlds: {lines} lines; {found.holes} silent holes, {found.repeats} repeats; "
            f"{found.covered} lines under gaps, {found.doubtful} marked as perhaps repeated",
        )


def test_what_is_said_is_archived_once_and_in_order_or_owned_up_to(rig, record_property):
    explore(rig, RUNS, record_property)


def test_alike_cards_as_tall_as_half_a_page_are_all_kept(rig):
    with rig.world() as world:
        for kind, sender in (("image", "阿明"), *(("location", "阿芳"),) * 4):
            world.say(GROUP, "在吗?" if kind == "location" else "好的", side="in", kind=kind, sender=sender)
        for _ in range(7):
            world.say("小满", "在吗?", side="in", kind="text", sender="")
        found = world.settle()
    assert found.total == Verdict(), str(found)


@pytest.mark.parametrize(("guard", "fault"), [("no cursor", "repeats"), ("a message lost", "holes")])
def test_a_guard_that_is_switched_off_is_missed(rig, guard, fault):
    with rig.world(switch=guard) as world:
        for _ in range(2):
            for text in ("在吗", "您好", "请问什么时候发货"):
                world.say("小雪", text, side="in", kind="text", sender="")
            found = world.settle(limit_s=5)
    assert getattr(found.total, fault) > 0, str(found)


@pytest.mark.nightly
@pytest.mark.timeout(4 * 3600)
def test_a_thousand_worlds(rig, record_property):
    explore(rig, NIGHTLY_RUNS, record_property)
