"""Assist mode: the agent prepares, a hand on the phone makes each tap that lasts, the agent looks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.virtual.farm import VirtualPhone
from protos.facts import Fact, PhoneStateChanged, TaskArmed, TaskEnded
from protos.fleet_pb2 import FriendAdd, Task
from tests.support.fleetstub import until
from tests.support.hostrig import Host, host

WORLD = """
[phones_like]
count = {count}

[[people_like]]
count = 3
mobile = "1380000{{n:04}}"
nickname = "客户{{n}}"
"""
TAG = "farm-assist"
ADD, SEND = "添加到通讯录", "发送"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 1, WORLD) as made:
        (phone,) = made.phones
        made.stub.accounts[phone.serial] = phone.account_id
        made.stub.settings.unattended = False
        made.stub.settings.assist = True
        made.stub.settings.assist_wait_ms = 60_000
        yield made


def facts(desk: Host, kind: type[Fact]) -> list[Fact]:
    events = desk.stub.phone(desk.phones[0].serial).events()
    return [event.fact for event in events if isinstance(event.fact, kind)]


def requests(desk: Host) -> dict[str, int]:
    (phone,) = desk.farm.truth()["phones"]
    return {one["query"]: one["count"] for one in phone["requests"]}


def offer(desk: Host) -> None:
    add = FriendAdd(query="13800000001", query_kind="mobile", greeting="你好，我是客服", remark="")
    desk.stub.tasks.put(Task(task_id="t1", attempt=1, friend_add=add))


def told(desk: Host, phone: VirtualPhone) -> str:
    """Return what the phone shows its holder."""

    def read() -> str:
        entry = phone.handset.posted.get(TAG)
        return entry.text if entry else ""

    return str(desk.farm.do(read))


def press(desk: Host, phone: VirtualPhone, label: str) -> bool:
    """Touch the button with these words as a person does; False if it is not in sight."""

    def touch() -> bool:
        found = [node for root in phone.handset.roots() for node in root.walk() if node.text == label]
        if found:
            left, top, right, bottom = found[0].bounds
            phone.handset.touch_by_hand((left + right) / 2, (top + bottom) / 2)
        return bool(found)

    return bool(desk.farm.do(touch))


@contextmanager
def person(desk: Host, *, presses: tuple[str, ...]) -> Iterator[list[str]]:
    """Have a person at the phone who taps what the notification names, if it is among `presses`."""
    (phone,) = desk.phones
    done: list[str] = []
    stop = threading.Event()

    def live() -> None:
        while not stop.wait(0.05):
            text = told(desk, phone)
            for label in presses:
                if f"“{label}”" in text and label not in done and press(desk, phone, label):
                    done.append(label)

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join(5)


def one(find: Callable[[], list[Fact]], what: str) -> Fact:
    until(lambda: bool(find()), what, 40)
    return find()[0]


def test_the_person_taps_and_the_agent_sees_the_request_go_out(desk: Host) -> None:
    with desk.keeper(desk.phones), person(desk, presses=(ADD, SEND)) as done:
        offer(desk)
        ended = one(lambda: facts(desk, TaskEnded), "end of the task")
    assert done == [ADD, SEND]
    assert isinstance(ended, TaskEnded)
    assert (ended.result, ended.outcome, ended.was_armed) == ("done", "requested", True)
    assert requests(desk) == {"13800000001": 1}
    states = [f.cause for f in facts(desk, PhoneStateChanged) if isinstance(f, PhoneStateChanged)]
    assert states.count("waits_for_tap") == 2
    # Nothing but the two touches by hand reached a button that lasts: the machine makes none here.
    assert "谢谢" in told(desk, desk.phones[0])


def test_nobody_taps_and_nothing_is_sent(desk: Host) -> None:
    desk.stub.settings.assist_wait_ms = 1_500
    with desk.keeper(desk.phones):
        offer(desk)
        ended = one(lambda: facts(desk, TaskEnded), "end of the task")
    assert isinstance(ended, TaskEnded)
    assert (ended.result, ended.outcome, ended.was_armed) == ("not_done", "not_sent", True)
    assert requests(desk) == {}
    assert len(facts(desk, TaskArmed)) == 1
    assert "已取消" in told(desk, desk.phones[0])


def test_a_right_taken_back_while_waiting_ends_the_wait(desk: Host) -> None:
    with desk.keeper(desk.phones), person(desk, presses=(ADD,)):
        offer(desk)
        until(lambda: f"“{SEND}”" in told(desk, desk.phones[0]), "the second question", 40)
        desk.stub.allow(desk.phones[0].serial, assist=False)
        ended = one(lambda: facts(desk, TaskEnded), "end of the task")
    assert isinstance(ended, TaskEnded)
    assert ended.outcome == "not_sent"
    assert requests(desk) == {}
