"""The crash test sees what it is for: with any one guard switched off it finds a violation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.support.adb import adb_server, bundled_adb
from tests.support.crashcases import Act, Case
from tests.support.crashkinds import KINDS
from tests.support.crashplan import TAP, TAPPED
from tests.support.crashrig import Rig, rig

pytestmark = pytest.mark.timeout(300)

TRIES = 3
# The tap that sends a request is the second one that lasts; that of a like the only one.
LAST_TAP = {"add": 2, "like": 1}


def cases(kind: str) -> dict[str, Case]:
    """Return a case for each guard in which nothing else helps."""
    n = LAST_TAP[kind]
    frozen = Act("device.sending.shell_once", 1, "freeze", after=f"{TAP}:{n}")
    return {
        "no one-shot rule": Case(agent=(Act(TAP, n, "lost_after_act", "shell:input"),)),
        "no intent": Case(agent=(Act(TAPPED, n),)),
        "no fence": Case(agent=(frozen,), replaced=True),
        "expiry returns permits": Case(
            agent=(Act(TAPPED, n),), rows=2, per_day=1, expires=True, replaced=True
        ),
    }


@pytest.fixture(scope="module")
def farm_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Rig]]:
    made: dict[str, Rig] = {}
    with ExitStack() as stack:
        adb = stack.enter_context(adb_server(bundled_adb()))

        def of(kind: str) -> Rig:
            if kind not in made:
                made[kind] = stack.enter_context(rig(tmp_path_factory.mktemp(kind), adb, KINDS[kind]))
            return made[kind]

        yield of


# Each guard once; the other kind of action goes the same ways, and is proved in the nightly profile.
PROOFS = [
    pytest.param(kind, guard, marks=[] if kind == "add" else pytest.mark.nightly)
    for kind in KINDS
    for guard in cases(kind)
]


@pytest.mark.parametrize(("kind", "guard"), PROOFS)
def test_a_guard_that_is_switched_off_is_missed(farm_of, kind, guard):
    case = cases(kind)[guard]
    kept = [farm_of(kind).run(case)]
    broken = [farm_of(kind).run(replace(case, switch=guard))]
    # On a busy machine the agent may give the task back first, and the act meets another tap than is meant.
    while len(broken) < TRIES and (broken[-1].is_sound or not kept[-1].reached):
        kept.append(farm_of(kind).run(case))
        broken.append(farm_of(kind).run(replace(case, switch=guard)))
    assert kept[-1].reached
    assert all(verdict.is_sound for verdict in kept), "\n".join(map(str, kept))
    assert not broken[-1].is_sound, str(broken[-1])
