"""Whatever people do about violations, in any order: no decision vanishes, and states follow from decisions.

The model beside the desk is written from the rules as people are told them, not from the code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from controller import rulings, verdicts
from controller.clock import DAY_MS
from controller.deskstats import By
from controller.errors import FarmError
from controller.ledger import Work
from controller.records import Violation, ViolationState
from controller.store import open_store
from controller.store.sql import SqlTx
from controller.verdicts import Act, Appeal, Decision
from tests.support.clock import fixed_clock
from tests.support.corefarm import core_on
from tests.support.findings import find, said, told_phone
from tests.support.postgres import Cluster

HOLDERS = ("王芳", "李娜")
PEOPLE = (*HOLDERS, "ann", "bob", "cyd")
REASON = {
    "confirm": "illegal",
    "dismiss": "wrong_word",
    "escalate": "unclear",
    "close": "trained",
    "reopen": "second_look",
    "uphold": "no_new_facts",
}
CLAIMS = {"confirm": "confirmed", "dismiss": "dismissed"}


@dataclass
class Model:
    """One violation as the rules have it."""

    holder: str
    state: str = "new"
    needs_two: bool = False
    votes: dict[str, str] = field(default_factory=dict)
    judges: set[str] = field(default_factory=set)
    upheld_verdict: str = ""
    verdict_at_ms: int = 0
    appeal: str = ""

    def do(self, act: str, who: str, now_ms: int) -> bool:
        """Take an act if the rules let it happen; tell whether they do."""
        if not self.may(act, who, now_ms):
            return False
        self.appeal = {"appeal": "open", "uphold": "upheld", "grant": "granted"}.get(act, self.appeal)
        if act in CLAIMS:
            self.judges.add(who)
            self.vote(who, CLAIMS[act], now_ms)
        elif act == "escalate":
            self.state, self.needs_two, self.votes = "escalated", True, {}
        elif act == "reopen":
            self.state, self.votes = "escalated" if self.needs_two else "new", {}
        elif act == "close":
            self.state = "closed"
        elif act == "grant":
            self.state = self.upheld_verdict = "dismissed"
        return True

    def vote(self, who: str, claim: str, now_ms: int) -> None:
        if self.needs_two:
            self.votes[who] = claim
            if list(self.votes.values()).count(claim) < 2:
                return
        self.state = self.upheld_verdict = claim
        self.verdict_at_ms = now_ms

    def may(self, act: str, who: str, now_ms: int) -> bool:
        if act == "note":
            return True
        if act == "appeal":
            is_right = self.state in ("confirmed", "closed") and self.upheld_verdict == "confirmed"
            is_in_time = now_ms <= self.verdict_at_ms + 30 * DAY_MS
            return who == self.holder and is_right and is_in_time and self.appeal == ""
        if who == self.holder:
            return False
        if self.appeal == "open":
            return act == "assign" or (act in ("uphold", "grant") and who not in self.judges)
        if act in CLAIMS:
            is_new = self.votes.get(who) != CLAIMS[act]
            return self.state == "new" or (self.state == "escalated" and is_new)
        return {
            "assign": self.state in ("new", "escalated", "confirmed"),
            "escalate": self.state == "new",
            "close": self.state in ("confirmed", "dismissed"),
            "reopen": self.state in ("confirmed", "dismissed", "closed") and self.appeal != "granted",
        }.get(act, False)


class Desk(RuleBasedStateMachine):
    """Two holders, three others, four violations; `seen` is every decision that was ever shown."""

    url: Callable[[], str] = staticmethod(lambda: "sqlite://")

    def __init__(self) -> None:
        super().__init__()
        self.clock = fixed_clock()
        self.store = open_store(self.url())
        self.core = core_on(self.store, self.clock)
        self.models: dict[int, Model] = {}
        for number, holder in enumerate(HOLDERS, 1):
            phone = told_phone(self.core, number, holder)
            for message in said(phone, "红包", "红包 2", key=f"chat {number}"):
                self.models[find(self.core, phone, message, "红包").id] = Model(holder)
        self.ids = sorted(self.models)
        self.seen: dict[int, list[Decision]] = {number: [] for number in self.ids}

    def teardown(self) -> None:
        self.store.close()

    @rule(
        picks=st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True),
        act=st.sampled_from(["confirm", "dismiss", "escalate", "close", "reopen", "note", "assign"]),
        who=st.sampled_from(PEOPLE),
    )
    def decide(self, picks: list[int], act: str, who: str) -> None:
        ids = [self.ids[pick] for pick in picks]
        may = [self.models[number].do(act, who, self.clock.now_ms()) for number in ids]
        outcomes = self.core.violations.decide(
            ids, Act(act), actor=who, reason=REASON.get(act, ""), note="n", assignee="ann"
        )
        assert [one.decision is not None for one in outcomes] == may, (act, who)

    @rule(pick=st.integers(0, 3), who=st.sampled_from(PEOPLE))
    def appeal(self, pick: int, who: str) -> None:
        number = self.ids[pick]
        self.expect(
            self.models[number].do("appeal", who, self.clock.now_ms()),
            lambda: self.core.violations.appeal(number, by=who, text="no", actor="ann"),
        )

    @rule(pick=st.integers(0, 3), judge=st.sampled_from(PEOPLE))
    def confirm_and_hear_the_person(self, pick: int, judge: str) -> None:
        self.decide([pick], "confirm", judge)
        self.appeal(pick, self.models[self.ids[pick]].holder)

    @rule(pick=st.integers(0, 3), who=st.sampled_from(PEOPLE), act=st.sampled_from(["uphold", "grant"]))
    def answer(self, pick: int, who: str, act: str) -> None:
        number = self.ids[pick]
        self.expect(
            self.models[number].do(act, who, self.clock.now_ms()),
            lambda: self.core.violations.answer(
                number, Act(act), text="so", reason=REASON.get(act, ""), actor=who
            ),
        )

    def expect(self, may: bool, act: Callable[[], object]) -> None:
        try:
            act()
        except FarmError:
            assert not may
        else:
            assert may

    @rule(days=st.sampled_from([1, 31]))
    def wait(self, days: int) -> None:
        self.clock.advance(days * DAY_MS)

    @rule(picks=st.lists(st.integers(0, 3), min_size=2, max_size=4, unique=True))
    def break_half_way(self, picks: list[int]) -> None:
        """The store fails at the second of several: as if nobody had asked."""
        calls: list[int] = []
        enter = rulings.enter

        def failing(*args: Any, **parts: Any) -> None:
            calls.append(1)
            if len(calls) == 2:
                raise OSError("no space left")
            enter(*args, **parts)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rulings, "enter", failing)
            with pytest.raises(OSError, match="no space"):
                self.core.violations.decide(
                    [self.ids[pick] for pick in picks], Act.NOTE, actor="ann", note="n"
                )

    @rule()
    def restart(self) -> None:
        self.core = core_on(self.store, self.clock)

    # ---- what always holds

    @invariant()
    def no_decision_vanishes_or_changes(self) -> None:
        for number, before in self.seen.items():
            now = self.core.violations.history(number)
            assert now[: len(before)] == before
            self.seen[number] = now

    @invariant()
    def states_follow_from_decisions(self) -> None:
        for number, model in self.models.items():
            kept = self.core.violations.get(number)
            assert (str(kept.state), kept.appeal) == (model.state, model.appeal)
            state = "new"
            for one in self.core.violations.history(number):
                assert one.from_state == state
                state = one.to_state
            assert state == kept.state

    @invariant()
    def nobody_judges_themselves(self) -> None:
        for number, model in self.models.items():
            acts = [one.act for one in self.seen[number] if one.actor == model.holder]
            assert set(acts) <= {Act.NOTE, Act.APPEAL}

    @invariant()
    def what_was_escalated_is_decided_by_two(self) -> None:
        for history in self.seen.values():
            voters: dict[str, Act] = {}
            for one in history:
                if one.act in (Act.ESCALATE, Act.REOPEN):
                    voters = {}
                if one.act in (Act.CONFIRM, Act.DISMISS):
                    voters[one.actor] = one.act
                    if one.from_state == "escalated" and one.to_state != "escalated":
                        assert list(voters.values()).count(one.act) >= 2

    @invariant()
    def an_appeal_is_answered_once_by_another(self) -> None:
        for number, model in self.models.items():
            history = self.seen[number]
            answers = [n for n, one in enumerate(history) if one.act in (Act.UPHOLD, Act.GRANT)]
            assert len(answers) <= 1
            for place in answers:
                judges = {one.actor for one in history[:place] if one.act in (Act.CONFIRM, Act.DISMISS)}
                assert history[place].actor not in judges | {model.holder}

    @invariant()
    def counts_are_those_of_the_states(self) -> None:
        (line,) = self.core.violations.stats.by(By.RULE)
        kept = [self.core.violations.get(number) for number in self.ids]
        assert line.hits == len(kept)
        assert line.open == sum(one.state == "new" for one in kept)
        assert line.escalated == sum(one.state == "escalated" for one in kept)
        verdicts_now = [m.upheld_verdict for m in self.models.values() if m.state not in ("new", "escalated")]
        assert (line.confirmed, line.dismissed) == (
            verdicts_now.count("confirmed"),
            verdicts_now.count("dismissed"),
        )


def run(url: Callable[[], str], *, examples: int) -> None:
    machine = type("DeskThere", (Desk,), {"url": staticmethod(url)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            report_multiple_bugs=False,
            # Without shrinking: a failure shows its steps, and the tests that want one end in time.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_desk_keeps_its_rules_on_sqlite() -> None:
    run(lambda: "sqlite://", examples=40)


def test_the_desk_keeps_its_rules_on_postgresql(servers: Callable[[], Cluster]) -> None:
    with servers().lent_again() as url:
        run(url, examples=4)


def test_the_machine_sees_a_verdict_of_one_where_two_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "_after_verdict", lambda _v, _h, verdict, _a: verdict)
    with pytest.raises(AssertionError):
        run(lambda: "sqlite://", examples=60)


def test_the_machine_sees_people_who_judge_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "_be_allowed", lambda *_: None)
    with pytest.raises(AssertionError):
        run(lambda: "sqlite://", examples=60)


def test_the_machine_sees_an_appeal_answered_by_its_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "has_judged", lambda *_: False)
    with pytest.raises(AssertionError):
        run(lambda: "sqlite://", examples=60)


def test_the_machine_sees_a_decision_that_was_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqlTx, "add_decision", lambda _, decision: decision)
    with pytest.raises(AssertionError):
        run(lambda: "sqlite://", examples=60)


def test_the_machine_sees_a_state_that_no_decision_made(monkeypatch: pytest.MonkeyPatch) -> None:
    real = rulings._keep

    def careless(work: Work, violation: Violation, decision: Decision, *, typed_by: str) -> Decision:
        kept = real(work, violation, decision, typed_by=typed_by)
        work.tx.stand(
            violation.id, state=ViolationState.CLOSED, assignee="", appeal=Appeal.NONE, at_ms=work.now_ms
        )
        return kept

    monkeypatch.setattr(rulings, "_keep", careless)
    with pytest.raises(AssertionError):
        run(lambda: "sqlite://", examples=60)
