"""Whatever is submitted, cancelled, repeated, paused or lost, in any order: nobody is asked twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from controller import steering
from controller.clock import DAY_MS
from controller.errors import BadRequest, BadRows, SafetyRefusal
from controller.model import JobId, Lease, Task, TaskState
from controller.store import open_store
from tests.support.clock import fixed_clock
from tests.support.corefarm import armed, core_on, customers, handset, over, returned
from tests.support.postgres import Cluster

PEOPLE = 4
TAKEN = {TaskState.DONE, TaskState.UNKNOWN}

lists = st.sets(st.integers(0, PEOPLE - 1), min_size=1)
texts = st.sampled_from(["hello", "good day"])
picks = st.integers(0, 30)
ends = st.sampled_from(
    [
        ("done", "requested", True),
        ("done", "added", True),
        ("unknown", "answer_lost", True),
        ("not_done", "not_sent", True),
        ("not_done", "unexpected_dialog", True),
        ("not_done", "screen_unreadable", False),
        ("not_done", "not_found", False),
        ("not_done", "cannot_be_added", False),
        ("not_done", "already_friend", False),
    ]
)


class Jobs(RuleBasedStateMachine):
    """A farm with two phones and a few customers; `sent` is the truth about what went out."""

    url: Callable[[], str] = staticmethod(lambda: "sqlite://")

    def __init__(self) -> None:
        super().__init__()
        self.clock = fixed_clock()
        self.store = open_store(self.url())
        self.core = core_on(self.store, self.clock)
        self.phones = [handset(self.core, 1), handset(self.core, 2)]
        self.held: dict[int, Lease] = {}
        self.lost: list[tuple[int, Lease]] = []
        self.sent: Counter[str] = Counter()

    def teardown(self) -> None:
        self.store.close()

    def job_ids(self) -> list[JobId]:
        return [job.id for job in self.core.jobs.jobs()]

    def tasks(self) -> list[Task]:
        return [task for job_id in self.job_ids() for task in self.core.jobs.tasks(job_id)]

    # ---- people

    @initialize()
    def begin(self) -> None:
        self.submit(set(range(PEOPLE)), "hello")

    @rule(people=lists, text=texts)
    def submit_one_more(self, people: set[int], text: str) -> None:
        self.submit(people, text)

    def submit(self, people: set[int], text: str) -> None:
        rows = customers(PEOPLE)
        before = len(self.job_ids())
        try:
            made = self.core.jobs.submit_friend_adds(
                [rows[n] for n in sorted(people)],
                pool=[phone.phone_id for phone in self.phones],
                greeting=text,
                source_name="x",
                actor="op",
            )
        except BadRows:
            assert len(self.job_ids()) == before
        else:
            assert len(self.job_ids()) == before + made.is_new

    @rule(pick=picks)
    def repeat(self, pick: int) -> None:
        self.decide(pick, "retry")

    @rule(pick=picks, what=st.sampled_from(["pause", "resume", "cancel"]))
    def decide_otherwise(self, pick: int, what: str) -> None:
        self.decide(pick, what)

    def decide(self, pick: int, what: str) -> None:
        job_ids = self.job_ids()
        job_id = job_ids[pick % len(job_ids)]
        try:
            if what == "retry":
                self.core.jobs.retry(job_id, actor="op")
            else:
                getattr(self.core.jobs, what)(job_id, reason="why", actor="op")
        except BadRequest:
            return

    @rule(who=st.integers(0, PEOPLE - 1), what=st.sampled_from(["suppress", "release"]))
    def suppress(self, who: int, what: str) -> None:
        query = customers(PEOPLE)[who].query
        try:
            if what == "suppress":
                self.core.contacts.suppress(query, reason="r", source="", actor="op")
            else:
                self.core.contacts.release(query, reason="r", actor="op")
        except (BadRequest, SafetyRefusal):
            return

    # ---- phones

    @rule(number=st.integers(0, 1), rows=st.lists(ends, min_size=1, max_size=4))
    def work(self, number: int, rows: list[tuple[str, str, bool]]) -> None:
        for end in rows:
            self.take(number)
            self.end(number, end)

    @rule(number=st.integers(0, 1))
    def take(self, number: int) -> None:
        if number in self.held:
            return
        lease = self.phones[number].lease()
        if isinstance(lease, Lease):
            self.held[number] = lease

    def end(self, number: int, end: tuple[str, str, bool]) -> None:
        if (lease := self.held.pop(number, None)) is None:
            return
        result, outcome, was_armed = end
        if was_armed:
            self.phones[number].say(armed(lease))
        if result != "not_done":
            self.sent[lease.task.query] += 1
        self.phones[number].say(over(lease, result, outcome, was_armed=was_armed))

    @precondition(lambda self: self.held)
    @rule(number=st.integers(0, 1))
    def give_back(self, number: int) -> None:
        if (lease := self.held.pop(number, None)) is not None:
            self.phones[number].say(returned(lease))

    @precondition(lambda self: self.held)
    @rule(number=st.integers(0, 1))
    def forget(self, number: int) -> None:
        """The agent comes back and does not know what it was given."""
        phone = self.phones[number]
        phone.greet()
        phone.reconcile()
        phone.beat(account_id=f"wx00{number + 1}")
        if (lease := self.held.pop(number, None)) is not None:
            self.lost.append((number, lease))

    @precondition(lambda self: self.lost)
    @rule()
    def late_word(self) -> None:
        """And after all it did: no row of that person may go out any more, and nothing breaks."""
        number, lease = self.lost.pop()
        self.phones[number].say(armed(lease), over(lease))
        assert [t for t in self.tasks() if t.query == lease.task.query and t.state is TaskState.QUEUED] == []

    @rule(ms=st.sampled_from([10_000, 60_000, 8 * DAY_MS]))
    def wait(self, ms: int) -> None:
        self.clock.advance(ms)
        self.beat()

    def beat(self) -> None:
        for number, phone in enumerate(self.phones):
            phone.beat(account_id=f"wx00{number + 1}")

    # ---- what always holds

    @invariant()
    def nobody_was_asked_twice(self) -> None:
        assert [who for who, times in self.sent.items() if times > 1] == []

    @invariant()
    def nobody_stands_twice(self) -> None:
        found = Counter(task.query for task in self.tasks() if task.state in TAKEN)
        assert [who for who, times in found.items() if times > 1] == []


def run(url: Callable[[], str], *, examples: int) -> None:
    machine = type("JobsThere", (Jobs,), {"url": staticmethod(url)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            report_multiple_bugs=False,
            # Without shrinking: a failure shows its steps, and the tests that want one end in time.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_nobody_is_asked_twice_on_sqlite() -> None:
    run(lambda: "sqlite://", examples=150)


def test_nobody_is_asked_twice_on_postgresql(servers: Callable[[], Cluster]) -> None:
    with servers().lent_again() as url:
        run(url, examples=12)


def test_the_machine_sees_a_repeat_of_what_may_have_been_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering, "is_worth_repeating", lambda task, _: task.state in TAKEN)
    monkeypatch.setattr(steering, "_may_stand", lambda *_: True)
    with pytest.raises(AssertionError):
        run(lambda: "sqlite://", examples=150)


def test_the_machine_sees_a_repeat_of_whom_another_row_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering, "_may_stand", lambda *_: True)
    with pytest.raises(Exception, match=r"(?i)unique"):
        run(lambda: "sqlite://", examples=300)
