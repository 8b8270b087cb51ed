"""Every place at which agent or controller can end, with every fault of the tap: what the world counts then.

Nothing is done twice, nothing over the quota, and no row says more or less than what really happened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.conftest import EXPLORATION
from tests.support.adb import adb_server, bundled_adb
from tests.support.crashcases import Act, Case, Verdict
from tests.support.crashkinds import KINDS
from tests.support.crashplan import ARMED, TAP, TAPPED, plan
from tests.support.crashreport import tally
from tests.support.crashrig import Rig, rig

pytestmark = pytest.mark.timeout(600)

# Some twenty cases of adding friends, always the same ones; likes go the same ways, and have each kind of
# case. The nightly profile has them all.
SAMPLES = {
    "add": {
        "tap meets a fault": 6,
        "look meets a fault": 2,
        "agent crashes": 7,
        "controller crashes": 3,
        "both crash": 1,
        "crash, and crash while settling": 2,
        "fault, then crash": 1,
    },
    "like": {
        "tap meets a fault": 3,
        "look meets a fault": 1,
        "agent crashes": 4,
        "controller crashes": 1,
        "both crash": 1,
        "crash, and crash while settling": 1,
        "fault, then crash": 1,
    },
}

Tell = Callable[[str, Sequence[Verdict]], None]


@pytest.fixture(scope="module", params=sorted(KINDS))
def farm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with (
        adb_server(bundled_adb()) as adb,
        rig(tmp_path_factory.mktemp("rig"), adb, KINDS[request.param]) as made,
    ):
        yield made


@pytest.fixture
def tell(request: pytest.FixtureRequest, farm: Rig, record_property: Callable[[str, object], None]) -> Tell:
    """Keep what was found: in the summary of this run, and as JSON for later."""

    def keep(what: str, verdicts: Sequence[Verdict]) -> None:
        found = tally(f"{farm.kind.name}, {what}", verdicts)
        record_property(EXPLORATION, found.line())
        cache = request.config.cache
        if cache is not None:
            folder = Path(cache.mkdir("explorations"))
            (folder / f"{farm.kind.name}-{what}.json".replace(" ", "-")).write_text(
                json.dumps(found.to_json(), indent=2)
            )

    return keep


def until_its_end(farm: Rig, case: Case) -> Verdict:
    """Run a case, a second time if a starved machine did not come to an end with it."""
    verdict = farm.run(case)
    return verdict if verdict.came_to_an_end or not verdict.is_sound else farm.run(case)


def explore(farm: Rig, cases: Sequence[Case]) -> list[Verdict]:
    """Run cases and fail with all that are not sound."""
    verdicts = [until_its_end(farm, case) for case in cases]
    wrong = [str(verdict) for verdict in verdicts if not verdict.is_sound or not verdict.came_to_an_end]
    assert not wrong, "\n".join(wrong)
    return verdicts


def test_a_sample_of_all_crashes_and_faults(farm, tell):
    verdicts = explore(farm, plan(farm, is_full=False).sample(SAMPLES[farm.kind.name]))
    tell("sample", verdicts)
    # Places move a little between runs, by a look more or less; if many were missed, nothing was explored.
    assert sum(verdict.reached for verdict in verdicts) > 0.9 * len(verdicts)


@pytest.mark.nightly
@pytest.mark.timeout(6 * 3600)
def test_all_crashes_and_faults(farm, tell):
    found = []
    for name, cases in plan(farm, is_full=True).groups.items():
        verdicts = explore(farm, cases)
        tell(name, verdicts)
        found += verdicts
    tell("all", found)
    assert sum(verdict.reached for verdict in found) > 0.9 * len(found)


def test_the_quota_holds_through_crashes_of_a_job_that_is_larger(farm, tell):
    """Three rows and two permits: what is not proved to have been left undone is paid for."""
    acts = [(), (Act(TAPPED, 1),), (Act(TAP, 1, "lost_after_act", "shell:input"),), (Act(ARMED),)]
    verdicts = explore(farm, [Case(agent=act, rows=3, per_day=2) for act in acts])
    tell("small quota", verdicts)
    assert all(verdict.effects.total() <= 2 for verdict in verdicts)
    assert verdicts[0].effects.total() == 2
    assert [state for state, _, _ in verdicts[0].states].count("queued") == 1


def test_a_task_that_was_lost_on_the_way_is_tried_again_with_its_permit_back(farm):
    """The agent ends with the frame in its hands: it never durably had it."""
    verdict = farm.run(Case(agent=(Act("agent.heard.task"),), per_day=1))
    assert verdict.is_sound, str(verdict)
    assert verdict.reached
    assert [state for state, _, _ in verdict.states] == ["done"]


def test_an_ack_that_was_lost_archives_nothing_twice(farm):
    verdict = farm.run(Case(controller=(Act("rpc.before_send.ack", 3),), per_day=1))
    assert verdict.is_sound, str(verdict)
    assert verdict.reached
    state, _, cause = verdict.states[0]
    # The link may also end between arm and tap: then nothing went out, and the day's permit stays spent.
    assert state == "done" or (cause == "not_sent" and not verdict.effects), str(verdict)


def test_an_agent_that_slept_through_its_replacement_touches_nothing(farm):
    verdict = farm.run(
        Case(agent=(Act("device.sending.shell_once", 1, "freeze", after=f"{TAP}:1"),), replaced=True)
    )
    assert verdict.reached
    assert verdict.is_sound, str(verdict)
    assert verdict.effects.total() <= 1
