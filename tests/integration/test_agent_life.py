"""A whole agent on a virtual phone with a stub controller: what it reports is what the world saw."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from agent import owner
from protos.facts import (
    Fact,
    MessageSeen,
    PhoneStateChanged,
    PlatformWarned,
    TaskArmed,
    TaskEnded,
    TaskReturned,
)
from protos.fleet_pb2 import FriendAdd, Task
from tests.support.fleetstub import Seen, until
from tests.support.hostrig import Host, Running, host

WORLD = """
[phones_like]
count = {count}

[client]
request_limit = 2

[[people_like]]
count = 9
mobile = "1380000{{n:04}}"
nickname = "客户{{n}}"

[[chats]]
accounts = ["farm_001"]
peer = "13800000009"
unread = 2
lines = [{{text = "在吗"}}, {{text = "在吗"}}]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 1, WORLD) as made:
        for phone in made.phones:
            made.stub.accounts[phone.serial] = phone.account_id
        made.stub.settings.sweep_pause_ms = 500
        yield made


def seen(desk: Host) -> Seen:
    return desk.stub.phone(desk.phones[0].serial)


def facts(desk: Host, kind: type[Fact]) -> list[Fact]:
    return [event.fact for event in seen(desk).events() if isinstance(event.fact, kind)]


def states(desk: Host) -> list[str]:
    return [fact.state for fact in facts(desk, PhoneStateChanged)]


def offer(desk: Host, n: int, attempt: int = 1) -> None:
    add = FriendAdd(query=f"1380000{n:04}", query_kind="mobile", greeting="你好", remark="")
    desk.stub.tasks.put(Task(task_id=f"t{n}", attempt=attempt, friend_add=add))


def requests(desk: Host) -> dict[str, int]:
    """Return how many requests really went out to whom."""
    (phone,) = desk.farm.truth()["phones"]
    return {one["query"]: one["count"] for one in phone["requests"]}


def agent_of(keeper: Running) -> psutil.Process:
    (found,) = [p for p in keeper.descendants() if p.cmdline()[:2] == ["farm-agent", "run"]]
    return found


def test_friends_are_added_once_and_chats_are_captured_once(desk: Host) -> None:
    offer(desk, 1)
    offer(desk, 2)
    with desk.keeper(desk.phones):
        until(lambda: len(facts(desk, TaskEnded)) == 2, "two ends", 60)
        until(lambda: len(facts(desk, MessageSeen)) == 2, "two messages", 30)
    ended = facts(desk, TaskEnded)
    assert [(e.result, e.outcome, e.was_armed) for e in ended] == [("done", "requested", True)] * 2
    assert requests(desk) == {"13800000001": 1, "13800000002": 1}
    messages = facts(desk, MessageSeen)
    assert [(m.position, m.side, m.text) for m in messages] == [(1, "in", "在吗"), (2, "in", "在吗")]
    assert {e.account_id for e in seen(desk).events() if isinstance(e.fact, MessageSeen)} == {"farm_001"}
    mark = owner.parse(desk.farm.do(lambda: desk.phones[0].handset.files.read(owner.PATH)).decode())
    assert mark is not None
    assert (mark.farm_id, mark.phone_epoch, mark.host) == ("stub", seen(desk).epoch, "test-host")


def test_a_phone_of_another_farm_is_captured_and_not_acted_on(desk: Host) -> None:
    files = desk.phones[0].handset.files
    foreign = "other-farm 9 90 some-host boot spool\n"
    desk.farm.do(lambda: files.write(owner.PATH, foreign.encode()))
    offer(desk, 1)
    with desk.keeper(desk.phones):
        until(lambda: "quarantined" in states(desk), "the refusal", 60)
        until(lambda: len(facts(desk, MessageSeen)) == 2, "two messages", 30)
    assert [f.cause for f in facts(desk, PhoneStateChanged) if f.state == "quarantined"] == ["other_farm"]
    assert (desk.stub.leased, "ready" in states(desk)) == ([], False)
    assert (requests(desk), facts(desk, TaskArmed)) == ({}, [])
    assert desk.farm.do(lambda: files.read(owner.PATH)).decode() == foreign
    # Its numbers mean nothing to this farm.
    assert seen(desk).hellos[0].hello.last_phone_epoch == 0


def is_armed_on_disk(desk: Host) -> bool:
    path = desk.folder / "data" / f"outbox-{desk.phones[0].serial}.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
        return bool(conn.execute("SELECT count(*) FROM intent WHERE state = 'armed'").fetchone()[0])


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(is_armed_on_disk, id="armed"),
        pytest.param(lambda desk: bool(requests(desk)), id="tapped"),
        pytest.param(lambda desk: bool(facts(desk, TaskArmed)), id="reported"),
    ],
)
def test_killed_around_the_tap_settles_by_looking_and_never_taps_twice(
    desk: Host, moment: Callable[[Host], bool]
) -> None:
    with desk.keeper(desk.phones) as keeper:
        keeper.wait_said("ready")
        agent = agent_of(keeper)
        offer(desk, 1)
        until(lambda: moment(desk), "the moment to kill", 40)
        os.kill(agent.pid, signal.SIGKILL)
        until(lambda: facts(desk, TaskEnded), "the end", 60)
        until(lambda: states(desk)[-1] == "ready", "the phone at work again", 60)
    (ended,) = facts(desk, TaskEnded)
    assert ended.was_armed
    assert len(facts(desk, TaskArmed)) == 1
    sent = requests(desk).get("13800000001", 0)
    assert (ended.result, ended.outcome) in {
        0: {("not_done", "not_sent")},
        1: {("done", "requested"), ("unknown", "answer_lost")},
    }[sent]


@pytest.mark.parametrize("word", ["rest", "superseded"])
def test_what_the_controller_says_between_the_two_taps_stops_the_second(desk: Host, word: str) -> None:
    serial = desk.phones[0].serial
    with desk.keeper(desk.phones) as keeper:
        keeper.wait_said("ready")
        desk.phones[0].faults("slow", "setText", None, 3_000)
        offer(desk, 1)
        until(lambda: is_armed_on_disk(desk), "the armed task", 40)
        if word == "rest":
            desk.stub.allow(serial, unattended=False)
        else:
            desk.stub.stop_agent(serial, word)
        # An agent that is told to go tells the next one's stream; the file knows in any case.
        until(lambda: not is_armed_on_disk(desk), "the end of the task", 60)
    assert requests(desk) == {}
    outbox = desk.folder / "data" / f"outbox-{serial}.db"
    with closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as conn:
        assert conn.execute("SELECT result, outcome FROM intent").fetchall() == [("not_done", "not_sent")]


def test_lost_answer_to_the_tap_is_settled_by_looking(desk: Host) -> None:
    with desk.keeper(desk.phones) as keeper:
        keeper.wait_said("ready")
        armed_before = seen(desk).streams
        offer(desk, 1)
        offer(desk, 2)
        until(lambda: len(facts(desk, TaskArmed)) == 1, "the first armed task", 40)
        # The lasting tap that comes next is done and its answer lost: it is settled by looking.
        desk.phones[0].faults("lost_after_act", "shell:input", 1)
        until(lambda: len(facts(desk, TaskEnded)) + len(facts(desk, TaskReturned)) >= 2, "both settled", 90)
        assert seen(desk).streams == armed_before
    assert all(count == 1 for count in requests(desk).values())


def test_task_in_hand_but_not_begun_goes_back_after_a_restart(desk: Host) -> None:
    with desk.keeper(desk.phones) as keeper:
        keeper.wait_said("ready")
        desk.phones[0].faults("hang", "dumpWindowHierarchy", None)
        offer(desk, 1)
        until(lambda: desk.stub.leased, "the lease", 30)
        until(lambda: "t1" in seen(desk).heartbeats[-1].heartbeat.held_task_ids, "the durable task", 30)
        os.kill(agent_of(keeper).pid, signal.SIGKILL)
        desk.phones[0].clear_faults()
        until(lambda: facts(desk, TaskReturned), "the return", 60)
    assert {f.task_id for f in facts(desk, TaskReturned)} == {"t1"}
    assert facts(desk, TaskArmed) == []
    assert requests(desk) == {}


def test_warning_rests_the_account_through_restarts_until_the_controller_says_otherwise(desk: Host) -> None:
    for n in range(1, 5):
        offer(desk, n)
    serial = desk.phones[0].serial
    with desk.keeper(desk.phones) as keeper:
        until(lambda: facts(desk, PlatformWarned), "the warning", 90)
        desk.stub.allow(serial, unattended=False)
        until(lambda: states(desk)[-1] == "backoff", "the rest", 20)
        leased = list(desk.stub.leased)
        os.kill(agent_of(keeper).pid, signal.SIGKILL)
        until(lambda: seen(desk).streams == 2, "the next agent", 30)
        until(lambda: states(desk)[-1] == "backoff", "the rest after the restart", 30)
        beats = len(seen(desk).heartbeats)
        until(lambda: len(seen(desk).heartbeats) > beats + 5, "some heartbeats")
        assert desk.stub.leased == leased
        told = [fact for fact in facts(desk, PlatformWarned) if isinstance(fact, PlatformWarned)]
        # The warning at once, and once more with its picture.
        assert [bool(fact.picture) for fact in told] == [False, True]
        assert {fact.task_id for fact in told} == {told[0].task_id}
        desk.stub.allow(serial, unattended=True)
        # If the dialog still stands on the screen, the account is let go and rests again at the sight of it.
        until(
            lambda: states(desk)[-1] == "ready" or len(facts(desk, PlatformWarned)) == 2,
            "the end of the rest",
            30,
        )
    assert requests(desk) == {"13800000001": 1, "13800000002": 1}


def test_another_account_on_the_phone_stops_it(desk: Host) -> None:
    desk.stub.accounts[desk.phones[0].serial] = "somebody_else"
    offer(desk, 1)
    with desk.keeper(desk.phones) as keeper:
        keeper.wait_said("quarantined (account_mismatch)")
        beats = len(seen(desk).heartbeats)
        until(lambda: len(seen(desk).heartbeats) > beats + 5, "some heartbeats")
    assert seen(desk).heartbeats[-1].heartbeat.account_id == "farm_001"
    assert desk.stub.leased == []
    assert facts(desk, MessageSeen) == []


def test_without_a_notice_nothing_is_captured_and_without_leave_nothing_is_done(desk: Host) -> None:
    desk.stub.settings.capture_allowed = False
    desk.stub.settings.unattended = False
    offer(desk, 1)
    with desk.keeper(desk.phones) as keeper:
        keeper.wait_said("ready")
        beats = len(seen(desk).heartbeats)
        until(lambda: len(seen(desk).heartbeats) > beats + 10, "some heartbeats")
    assert facts(desk, MessageSeen) == []
    assert desk.stub.leased == []


def test_capture_goes_on_while_the_controller_is_away(desk: Host) -> None:
    with desk.keeper(desk.phones) as keeper:
        keeper.wait_said("ready")
        until(lambda: len(facts(desk, MessageSeen)) == 2, "the first messages", 30)
        desk.stub.stop()
        desk.farm.say("farm_001", "13800000009", "还在吗", "in")
        outbox = desk.folder / "data" / f"outbox-{desk.phones[0].serial}.db"
        assert outbox.exists()
        until(
            lambda: "还在吗".encode() in outbox.with_name(outbox.name + "-wal").read_bytes(), "the line", 30
        )
        desk.stub.start()
        until(lambda: len(facts(desk, MessageSeen)) == 3, "the third message", 60)
    assert [m.text for m in facts(desk, MessageSeen)] == ["在吗", "在吗", "还在吗"]
