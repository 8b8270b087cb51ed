"""Sessions over real gRPC on loopback: greeting, events, tasks, fences, settings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog

from controller.clock import SystemClock
from controller.core import Core
from controller.errors import ConfigWrong
from controller.model import AccountId, ActingMode, Action, PhoneId, QuotaRule
from controller.rpc.service import FleetServer
from controller.store import open_store
from protos.channel import MAX_BATCH_EVENTS
from protos.facts import TaskArmed, TaskEnded
from protos.fleet_pb2 import Hello
from tests.support.corefarm import body, core_on, customers, facts, greeting, message
from tests.support.rpcfarm import Agent, Edge, serving

ONE = PhoneId("001")


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    store = open_store(f"sqlite:///{tmp_path}/farm.db")
    yield core_on(store, SystemClock(), retry_pause_ms=200)
    store.close()


@pytest.fixture
def edge(core: Core) -> Iterator[Edge]:
    with serving(core) as edge:
        yield edge


@pytest.fixture
def connect(edge: Edge) -> Iterator[Callable[..., Agent]]:
    agents: list[Agent] = []

    def connect(serial: str = "V1", **how: Any) -> Agent:
        agents.append(Agent(edge.port, serial, **how))
        return agents[-1]

    yield connect
    for agent in agents:
        agent.close()


@pytest.fixture
def number(edge: Edge) -> Callable[..., None]:
    def number(text: str = "1", serial: str = "V1", *, account: str = "wx1", holder: str = "") -> None:
        core = edge.core
        if not any(s.facts.serial == serial for s in edge.call(core.fleet.sightings)):
            edge.call(core.fleet.heartbeat_unnumbered, facts(serial), account)
        edge.call(core.fleet.number, PhoneId(text), serial, actor="op")
        edge.call(core.fleet.assign, PhoneId(text), account_id=account, holder=holder, actor="op")

    return number


def submit(edge: Edge, count: int = 1) -> None:
    edge.call(
        edge.core.jobs.submit_friend_adds,
        customers(count),
        pool=[ONE],
        greeting="您好",
        source_name="x",
        actor="op",
    )


def until(condition: Callable[[], object], what: str, within_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"{what} did not come"
        time.sleep(0.01)


# ---- greeting


def test_a_numbered_phone_is_welcomed_with_its_number_and_what_it_may(edge: Edge, connect, number) -> None:
    number()
    welcome = connect().hello()
    assert (welcome.farm_id, welcome.phone_id, welcome.phone_epoch) == ("test-farm", "001", 1)
    assert (welcome.high_water, welcome.heartbeat_ms) == (0, 10_000)
    assert welcome.settings.unattended
    assert welcome.settings.account_id == "wx1"
    assert not welcome.settings.capture_allowed


def test_a_handset_without_a_number_is_seen_and_learns_its_number_by_greeting_again(
    edge: Edge, connect, number
) -> None:
    agent = connect("V9")
    assert agent.hello().phone_id == ""
    agent.beat(account_id="wx9")
    until(
        lambda: [s.account_seen for s in edge.call(edge.core.fleet.sightings)] == ["wx9"],
        "the account seen",
    )
    agent.batch(1, [body(message("kept by the agent", 1))])
    agent.want()
    number("9", "V9", account="wx9")
    assert agent.end() is grpc.StatusCode.OK
    again = connect("V9")
    welcome = again.hello(spool_lowest=1, spool_highest=1)
    assert (welcome.phone_id, welcome.high_water) == ("009", 0)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"protocol": 99}, grpc.StatusCode.FAILED_PRECONDITION),
        ({"serial": ""}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"spool_id": " "}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"spool_lowest": 5, "spool_highest": 2}, grpc.StatusCode.INVALID_ARGUMENT),
    ],
    ids=["protocol", "serial", "spool", "impossible"],
)
def test_a_greeting_that_cannot_be_understood_is_refused_with_its_cause(connect, claims, code) -> None:
    agent = connect()
    agent.send(hello=Hello(**{"protocol": 1, "serial": "V1", "spool_id": "s", **claims}))
    assert agent.end() is code


def test_a_stream_begins_with_its_greeting_and_has_one(connect, number) -> None:
    first = connect()
    first.beat()
    assert first.end() is grpc.StatusCode.INVALID_ARGUMENT
    number()
    twice = connect()
    twice.hello()
    twice.send(hello=Hello(protocol=1, serial="V1", spool_id="s"))
    assert twice.end() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("address", ["0.0.0.0:0", "10.1.2.3:7443", "127.0.0.1", "farm.example:1", "[::]:0"])
def test_agents_are_served_on_loopback_only(edge: Edge, address: str) -> None:
    with pytest.raises(ConfigWrong):
        edge.on_loop(edge.server.start(address))


def test_a_taken_port_is_said(edge: Edge, core: Core) -> None:
    second = FleetServer(core, edge.thread, "another-farm")
    with pytest.raises(ConfigWrong):
        edge.on_loop(second.start(f"127.0.0.1:{edge.port}"))


# ---- events


def test_a_batch_is_acknowledged_and_again_without_harm(edge: Edge, connect, number) -> None:
    number(holder="h")
    edge.call(edge.core.notices.record, "h", version="1", how="signed", actor="op")
    agent = connect()
    assert agent.hello(spool_lowest=1, spool_highest=2).settings.capture_allowed
    read_ms = edge.core.clock.now_ms()
    bodies = [body(message("a", 1), at_ms=read_ms), body(message("b", 2), at_ms=read_ms)]
    for _ in range(2):
        agent.batch(1, bodies)
        ack = agent.next("ack")
        assert (ack.spool_id, ack.up_to_seq) == ("spool-1", 2)
    assert edge.call(edge.core.archive.conversations)[0].messages == 2
    later = connect()
    assert later.hello(spool_lowest=1, spool_highest=2).high_water == 2


def test_a_batch_beyond_the_next_event_is_answered_with_what_is_expected(connect, number) -> None:
    number()
    agent = connect()
    agent.hello()
    agent.batch(3, [body(message("c", 3))])
    nack = agent.next("nack")
    assert (nack.spool_id, nack.expected_seq) == ("spool-1", 1)
    agent.batch(1, [body(message("a", 1))])
    assert agent.next("ack").up_to_seq == 1


def test_a_poison_event_is_acknowledged_and_set_aside(edge: Edge, connect, number) -> None:
    number()
    agent = connect()
    agent.hello()
    agent.batch(1, [b"\xff\xff"])
    assert agent.next("ack").up_to_seq == 1
    assert edge.call(edge.core.archive.event, ONE, "spool-1", 1).kind == "poison"


def test_a_batch_that_is_too_large_ends_the_stream(connect, number) -> None:
    number()
    agent = connect()
    agent.hello()
    agent.batch(1, [b""] * (MAX_BATCH_EVENTS + 1))
    assert agent.end() is grpc.StatusCode.INVALID_ARGUMENT


# ---- tasks


def test_an_agent_that_wants_a_task_gets_it_when_one_is_submitted(edge: Edge, connect, number) -> None:
    number()
    agent = connect()
    agent.hello()
    agent.beat(account_id="wx1")
    agent.want()
    submit(edge, 2)
    task = agent.next("task")
    assert (task.job_id[-3:], task.attempt, task.phone_epoch) == ("-01", 1, 1)
    assert (task.friend_add.query, task.friend_add.query_kind) == ("13900000000", "mobile")
    assert (task.friend_add.greeting, task.friend_add.remark) == ("您好", "c0")
    assert task.lease_ms == 120_000
    agent.want()
    armed = TaskArmed(task_id=task.task_id, attempt=1)
    ended = TaskEnded(
        task_id=task.task_id,
        attempt=1,
        result="done",
        outcome="requested",
        evidence="",
        was_armed=True,
        peer_name="",
    )
    agent.batch(1, [body(armed, epoch=1)])
    assert agent.next("ack").up_to_seq == 1
    agent.batch(2, [body(ended, epoch=1)])
    assert agent.next("ack").up_to_seq == 2
    assert agent.next("task").friend_add.query == "13900000001"


def test_a_held_phone_gets_its_task_when_the_spacing_is_over(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/spaced.db")
    rule = QuotaRule(action=Action.FRIEND_ADD, per_day=10, per_hour=10, spacing_ms=700)
    try:
        with serving(core_on(store, SystemClock(), rule=rule)) as edge:
            edge.call(edge.core.fleet.heartbeat_unnumbered, facts("V1"), "wx1")
            edge.call(edge.core.fleet.number, ONE, "V1", actor="op")
            edge.call(edge.core.fleet.assign, ONE, actor="op")
            submit(edge, 2)
            agent = Agent(edge.port, "V1")
            try:
                agent.hello()
                agent.beat(account_id="wx1")
                agent.want()
                task = agent.next("task")
                ended = TaskEnded(
                    task_id=task.task_id,
                    attempt=1,
                    result="not_done",
                    outcome="not_found",
                    evidence="",
                    was_armed=False,
                    peer_name="",
                )
                agent.batch(1, [body(ended, epoch=1)])
                agent.next("ack")
                began_s = time.monotonic()
                agent.want()
                agent.next("task")
                assert 0.5 < time.monotonic() - began_s < 5
            finally:
                agent.close()
    finally:
        store.close()


def test_a_task_lost_on_the_way_is_offered_again(edge: Edge, connect, number) -> None:
    number()
    submit(edge)
    agent = connect()
    agent.hello()
    agent.beat(account_id="wx1")
    agent.want()
    assert agent.next("task").attempt == 1
    agent.close()
    again = connect()
    again.hello()
    again.want()
    assert again.next("task").attempt == 2


def test_a_task_the_agent_holds_is_not_offered_again_and_its_lease_renewed(
    edge: Edge, connect, number
) -> None:
    number()
    submit(edge)
    agent = connect()
    agent.hello()
    agent.beat(account_id="wx1")
    agent.want()
    task_id = agent.next("task").task_id
    agent.close()
    again = connect()
    again.hello(open_task_ids=[task_id])
    again.want()
    again.beat(held_task_ids=[task_id, "other"], account_id="wx1")
    renewed = [again.next("lease_renewed") for _ in range(2)]
    assert [(r.task_id, r.lease_ms) for r in renewed] == [(task_id, 120_000), ("other", 0)]
    assert again.is_quiet


def test_nothing_is_taken_back_before_the_backlog_is_archived(edge: Edge, connect, number) -> None:
    number()
    submit(edge, 2)
    agent = connect()
    agent.hello()
    agent.beat(account_id="wx1")
    agent.want()
    task_id = agent.next("task").task_id
    agent.close()
    ended = TaskEnded(
        task_id=task_id,
        attempt=1,
        result="done",
        outcome="requested",
        evidence="",
        was_armed=True,
        peer_name="",
    )
    again = connect()
    again.hello(spool_lowest=1, spool_highest=1)
    again.want()
    again.beat(account_id="wx1")
    until(lambda: edge.call(edge.core.fleet.phone, ONE).state == "ready", "the heartbeat")
    assert again.is_quiet
    again.batch(1, [body(ended, epoch=1)])
    assert again.next("ack").up_to_seq == 1
    assert again.next("task").task_id != task_id
    job_id = edge.call(edge.core.jobs.jobs)[0].id
    assert edge.call(edge.core.jobs.counts, job_id) == {"requested": 1, "leased": 1}


def test_an_outbox_older_than_the_archive_loses_its_task(edge: Edge, connect, number) -> None:
    number()
    submit(edge)
    agent = connect()
    agent.hello()
    agent.beat(account_id="wx1")
    agent.want()
    task_id = agent.next("task").task_id
    agent.batch(1, [body(TaskArmed(task_id=task_id, attempt=1), epoch=1)])
    agent.next("ack")
    agent.close()
    rolled_back = connect()
    assert rolled_back.hello(open_task_ids=[task_id]).high_water == 1
    rolled_back.beat(account_id="wx1", held_task_ids=[task_id])
    assert rolled_back.next("lease_renewed").lease_ms == 0
    job_id = edge.call(edge.core.jobs.jobs)[0].id
    task = edge.call(edge.core.jobs.tasks, job_id)[0]
    assert (task.state, task.cause) == ("unknown", "spool_lost")


def test_an_outbox_older_than_the_archive_gets_no_task_and_its_successor_does(
    edge: Edge, connect, number
) -> None:
    number()
    agent = connect()
    agent.hello()
    agent.batch(1, [body(message("a", 1), epoch=1)])
    agent.next("ack")
    agent.close()
    submit(edge)
    rolled_back = connect()
    assert rolled_back.hello().high_water == 1
    rolled_back.want()
    for _ in range(3):
        rolled_back.beat(account_id="wx1", held_task_ids=["x"])
        assert rolled_back.next("lease_renewed").lease_ms == 0
    successor = connect(spool_id="spool-2")
    successor.hello()
    assert rolled_back.next("stop").reason == "superseded"
    successor.want()
    assert successor.next("task").attempt == 1


# ---- what nobody expected


def test_an_error_nobody_expected_tells_its_place_and_not_its_message(
    core: Core, edge: Edge, connect, number, caplog, monkeypatch
) -> None:
    number()

    def failing(*_args: object, **_named: object) -> None:
        raise LookupError("13900000001")

    agent = connect()
    agent.hello()
    monkeypatch.setattr(core.fleet, "heartbeat", failing)
    with structlog.testing.capture_logs() as lines:
        agent.beat(account_id="wx1")
        assert agent.end() is grpc.StatusCode.INTERNAL
        until(lambda: any(line["event"] == "session failed" for line in lines), "the log line")
    line = next(line for line in lines if line["event"] == "session failed")
    assert line["error"] == "LookupError"
    assert ".failing:" in line["frames"][-1]
    assert agent.details == "something unexpected happened; see the controller's log"
    assert "13900000001" not in f"{lines}{caplog.text}"


def test_a_sweep_that_fails_unexpectedly_is_followed_by_another(tmp_path: Path, monkeypatch) -> None:
    store = open_store(f"sqlite:///{tmp_path}/swept.db")
    try:
        core = core_on(store, SystemClock(), lost_after_ms=300)
        tries: list[int] = []

        def failing() -> None:
            tries.append(1)
            raise LookupError("13900000001")

        monkeypatch.setattr(core, "sweep", failing)
        with serving(core):
            until(lambda: len(tries) > 1, "the second sweep")
    finally:
        store.close()


# ---- fences


def test_an_older_session_is_stopped_gets_no_task_and_may_still_hand_over_events(
    edge: Edge, connect, number
) -> None:
    number()
    old = connect()
    old.hello()
    old.beat(account_id="wx1")
    old.want()
    until(lambda: edge.call(edge.core.fleet.phone, ONE).state == "ready", "the heartbeat")
    new = connect()
    assert new.hello().phone_epoch == 2
    assert old.next("stop").reason == "superseded"
    submit(edge)
    old.beat(account_id="wx1", held_task_ids=["x"])
    old.want()
    old.batch(1, [body(message("last words", 1), epoch=1)])
    assert old.next("ack").up_to_seq == 1
    new.want()
    assert new.next("task").phone_epoch == 2
    assert old.is_quiet


def test_a_session_overtaken_at_another_controller_finds_out_by_its_heartbeat(
    edge: Edge, connect, number
) -> None:
    number()
    agent = connect()
    agent.hello()
    edge.call(edge.core.fleet.hello, greeting("V1", spool_id="elsewhere"))
    agent.beat()
    assert agent.next("stop").reason == "superseded"


# ---- settings and the end


def test_what_is_allowed_is_pushed_when_it_changes_and_only_then(edge: Edge, connect, number) -> None:
    number(holder="h")
    agent = connect()
    assert not agent.hello().settings.capture_allowed
    edge.call(edge.core.notices.record, "h", version="1", how="signed", actor="op")
    assert agent.next("settings").capture_allowed
    edge.call(edge.core.notices.record, "h", version="2", how="signed", actor="op")
    edge.call(edge.core.fleet.assign, ONE, unattended=False, actor="op")
    pushed = agent.next("settings")
    assert (pushed.capture_allowed, pushed.unattended, pushed.account_id) == (True, False, "wx1")


def test_what_is_allowed_is_told_before_the_task_that_it_allows(edge: Edge, connect, number) -> None:
    number()
    edge.call(edge.core.fleet.assign, ONE, unattended=False, actor="op")
    agent = connect()
    assert not agent.hello().settings.unattended
    agent.beat(account_id="wx1")
    until(lambda: edge.call(edge.core.fleet.phone, ONE).state == "ready", "the heartbeat")

    def allow() -> None:
        # As another controller on the same database does it: nobody here is told.
        with edge.core.jobs._ledger.store.transaction() as tx:
            tx.set_mode(AccountId("wx1"), ActingMode.UNATTENDED)

    edge.call(allow)
    submit(edge)
    agent.want()
    assert agent.next("settings").unattended
    assert agent.next("task").task_id


def test_a_heartbeat_is_kept_and_silence_shows(edge: Edge, connect, number) -> None:
    number()
    agent = connect()
    agent.hello()
    agent.beat("in_hand", cause="touched", temperature_decicelsius=301)
    until(lambda: edge.call(edge.core.fleet.phone, ONE).state == "in_hand", "the heartbeat")
    phone = edge.call(edge.core.fleet.phone, ONE)
    assert (phone.cause, phone.temperature_decicelsius) == ("touched", 301)
    before_ms = phone.last_seen_ms
    agent.hang_up()
    assert agent.end() is grpc.StatusCode.OK
    until(lambda: edge.call(edge.core.fleet.phone, ONE).last_seen_ms > before_ms, "the last contact")


def test_agents_are_told_of_a_shutdown(edge: Edge, connect, number) -> None:
    number()
    agent = connect()
    agent.hello()
    edge.stop()
    assert agent.next("stop").reason == "shutting_down"
    assert agent.end() is grpc.StatusCode.OK


def test_a_silent_phone_is_swept(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/swept.db")
    try:
        with serving(core_on(store, SystemClock(), lost_after_ms=300)) as edge:
            edge.call(edge.core.fleet.number, ONE, "V1", actor="op")
            agent = Agent(edge.port, "V1")
            try:
                agent.hello()
                agent.beat("blind")
                until(lambda: edge.call(edge.core.fleet.phone, ONE).state == "blind", "the heartbeat")
                until(lambda: edge.call(edge.core.fleet.phone, ONE).state == "absent", "the sweep")
            finally:
                agent.close()
    finally:
        store.close()
