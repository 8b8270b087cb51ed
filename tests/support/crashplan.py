"""Which cases the crash test runs: made from the places that runs of the rig reached, not by hand."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.support.crashcases import Act, Case, Verdict
from tests.support.crashrig import Rig

ARMED = "agent.arm.after_commit"
TAP, TAPPED = "agent.before_tap", "agent.after_tap"
# What the tap that lasts meets: it is one line of the phone's shell, with `input` in it.
TAP_FAULTS = (
    ("hang", "shell:input"),
    ("hang_after_act", "shell:input"),
    ("drop", "shell:input"),
    ("lost_after_act", "shell:input"),
    ("hang", "shell"),
    ("drop", "shell"),
    ("lost_after_act", "shell"),
    ("unplug", "shell:input"),
    ("unplug_after_act", "shell:input"),
)
# What the first call of the server after the tap meets.
LOOK_FAULTS = (
    "hang",
    "hang_after_act",
    "drop",
    "lost_after_act",
    "half_reply",
    "http_500",
    "not_connected",
    "dead_object",
    "server_killed",
    "unplug",
)
LANDMARKS = (ARMED, TAP, TAPPED)
MOST_LOOKS = 40
SURVEYS = 3
CALL = "device.before."
SHELL_CALL = "device.before.shell_"


@dataclass(frozen=True, slots=True)
class Plan:
    """Cases by what they explore; the first ones are run on each change, all of them at night."""

    groups: dict[str, list[Case]]

    def all(self) -> list[Case]:
        """Return every case."""
        return [case for cases in self.groups.values() for case in cases]

    def sample(self, sizes: dict[str, int]) -> list[Case]:
        """Return so many cases of each group, always the same ones while the places stay the same."""
        return [
            case
            for name, cases in self.groups.items()
            for case in sorted(cases, key=_spread)[: sizes.get(name, 0)]
        ]


def _spread(case: Case) -> int:
    return zlib.crc32(case.label.encode())


def addressed(places: Sequence[str]) -> list[Act]:
    """Return each place as an act, counted since the last landmark: arming, and each tap that lasts.

    While the agent waits for a screen it looks again and again; only the first looks are taken.
    """
    seen: Counter[str] = Counter()
    marks: Counter[str] = Counter()
    found = []
    after = ""
    for place in places:
        seen[place] += 1
        if seen[place] <= MOST_LOOKS:
            found.append(Act(place, seen[place], after=after))
        if place in LANDMARKS:
            marks[place] += 1
            after, seen = f"{place}:{marks[place]}", Counter()
    return found


def survey(rig: Rig) -> Verdict:
    """Return an undisturbed run with its places."""
    verdict = _surveyed(rig, Case())
    assert [state for state, _, _ in verdict.states] == ["done"], str(verdict)
    return verdict


def plan(rig: Rig, *, is_full: bool) -> Plan:
    """Return the cases for an action; with `is_full` also those that need a survey of each fault."""
    calm = survey(rig)
    places = addressed(calm.places)
    taps = calm.places.count(TAP)
    groups = {
        "agent crashes": [Case(agent=(act,)) for act in places],
        "controller crashes": [Case(controller=(act,)) for act in addressed(calm.controller_places)],
        "tap meets a fault": [
            Case(agent=(Act(TAP, n, fault, method),)) for n in _from_1(taps) for fault, method in TAP_FAULTS
        ],
        "look meets a fault": [
            Case(agent=(Act(TAPPED, n, fault),)) for n in _from_1(taps) for fault in LOOK_FAULTS
        ],
        "both crash": [
            Case(agent=(Act(TAPPED, n),), controller=(act,))
            for n in _from_1(taps)
            for act in addressed(calm.controller_places)
        ],
        "crash, and crash while settling": _while_settling(rig, range(1, taps + 1) if is_full else [taps]),
    }
    if is_full:
        groups["a call meets a fault"] = _calls_meet_faults(places)
    groups["fault, then crash"] = _after_faults(rig, _from_1(taps) if is_full else [taps], is_full=is_full)
    return Plan(groups)


def _from_1(count: int) -> range:
    return range(1, count + 1)


def _while_settling(rig: Rig, taps: Iterable[int]) -> list[Case]:
    cases = []
    for n in taps:
        first = Act(TAPPED, n)
        settled = _surveyed(rig, Case(agent=(first,)))
        cases += [Case(agent=(first,), again=(act,)) for act in addressed(settled.places_again)]
    return cases


def _calls_meet_faults(places: Sequence[Act]) -> list[Case]:
    cases = []
    for act in places:
        if not act.place.startswith(CALL):
            continue
        method = "shell" if act.place.startswith(SHELL_CALL) else act.place.removeprefix(CALL)
        faults = {fault for fault, _ in TAP_FAULTS} if method == "shell" else LOOK_FAULTS
        cases += [Case(agent=(Act(act.place, act.n, fault, method, act.after),)) for fault in sorted(faults)]
    return cases


def _after_faults(rig: Rig, taps: Iterable[int], *, is_full: bool) -> list[Case]:
    """Return crashes at each place that follows a tap which met a fault."""
    cases = []
    for n in taps:
        for fault, method in TAP_FAULTS if is_full else TAP_FAULTS[1:4:2]:
            hit = Act(TAP, n, fault, method)
            seen = _surveyed(rig, Case(agent=(hit,))).places
            before = [at for at, place in enumerate(seen) if place == TAP][n - 1]
            done = addressed(seen[: before + 1])
            cases += [Case(agent=(hit, act)) for act in addressed(seen)[len(done) :]]
    return cases


def _surveyed(rig: Rig, case: Case) -> Verdict:
    """Run a case until its acts were reached: on a busy machine the agent looks more, or gives up."""
    for _ in range(SURVEYS):
        verdict = rig.run(case, record=True)
        assert verdict.is_sound, str(verdict)
        if verdict.reached and verdict.came_to_an_end:
            return verdict
    raise AssertionError(f"not reached in {SURVEYS} runs: {verdict}")
