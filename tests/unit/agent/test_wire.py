"""Frames between values and protobuf."""

from __future__ import annotations

import pytest

from agent import wire
from agent.model import FriendAdd, Settings
from protos import channel
from protos.facts import PhoneFacts
from protos.fleet_pb2 import Down, Task, Welcome
from protos.fleet_pb2 import FriendAdd as PbFriendAdd
from protos.fleet_pb2 import Settings as PbSettings

PHONE = PhoneFacts(
    serial="S",
    slot="1-2.3",
    host="rack-a",
    brand="b",
    model="m",
    android_version="13",
    sdk=33,
    wechat_version="8.0.66",
    wechat_version_code=2980,
    is_virtual=True,
)


def test_hello_carries_every_fact_of_the_phone() -> None:
    up = wire.hello_up(
        PHONE, version="1", boot_id="b", spool_id="s", lowest=3, highest=9, open_task_ids=["t"]
    )
    hello = up.hello
    assert (hello.protocol, hello.agent_version, hello.host, hello.serial, hello.slot) == (
        channel.PROTOCOL,
        "1",
        "rack-a",
        "S",
        "1-2.3",
    )
    assert (hello.spool_id, hello.spool_lowest, hello.spool_highest) == ("s", 3, 9)
    assert list(hello.open_task_ids) == ["t"]
    assert {f.name: getattr(hello.phone, f.name) for f in hello.phone.DESCRIPTOR.fields} == {
        "brand": "b",
        "model": "m",
        "android_version": "13",
        "sdk": 33,
        "wechat_version": "8.0.66",
        "wechat_version_code": 2980,
        "is_virtual": True,
        "wechat_installer": "",
    }


def test_heartbeat_and_batch() -> None:
    pulse = wire.Pulse(
        state="ready", cause="c", battery_percent=-1, temperature_decicelsius=285, account_id="a"
    )
    beat = wire.heartbeat_up(pulse, held_task_ids=["t"], at_ms=5).heartbeat
    assert (beat.state, beat.cause, beat.battery_percent, beat.temperature_decicelsius) == (
        "ready",
        "c",
        -1,
        285,
    )
    assert (beat.account_id, beat.agent_at_ms, list(beat.held_task_ids)) == ("a", 5, ["t"])
    batch = wire.batch_up("s", 4, [b"x", b"y"]).batch
    assert (batch.spool_id, batch.first_seq, list(batch.events)) == ("s", 4, [b"x", b"y"])
    assert wire.want_up(1).want.tasks == 1


def test_a_task_ends_on_this_hosts_own_clock() -> None:
    pb = Task(
        task_id="t",
        job_id="j",
        attempt=2,
        permit_id="p",
        phone_epoch=5,
        lease_ms=120_000,
        not_after_ms=1,
        friend_add=PbFriendAdd(query="q", query_kind="wechat_id", greeting="g", remark="r"),
    )
    task = wire.task_of(pb, from_boot_ms=1_000, boot_id="b")
    assert task.until_boot_ms == 121_000
    assert task.boot_id == "b"
    assert (task.task_id, task.job_id, task.attempt, task.permit_id, task.phone_epoch) == (
        "t",
        "j",
        2,
        "p",
        5,
    )
    assert task.action == FriendAdd(query="q", query_kind="wechat_id", greeting="g", remark="r")


def test_a_task_without_a_known_action_is_refused() -> None:
    with pytest.raises(wire.UnknownAction, match="t9"):
        wire.task_of(Task(task_id="t9"), from_boot_ms=0, boot_id="b")


def test_missing_values_of_an_older_controller_get_defaults() -> None:
    welcome = wire.welcome_of(Down(welcome=Welcome(phone_id="001", phone_epoch=2, high_water=7)))
    assert welcome.heartbeat_ms == channel.HEARTBEAT_MS
    assert welcome.settings == Settings()
    assert not wire.settings_of(PbSettings()).capture_allowed
    full = PbSettings(
        capture_allowed=True, unattended=True, account_id="a", sweep_pause_ms=9, media="pictures"
    )
    assert wire.settings_of(full) == Settings(
        capture_allowed=True, unattended=True, account_id="a", sweep_pause_ms=9, media="pictures"
    )
