"""Leases and intents: what may be armed, what is reported, and that no step happens twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import LeaseLost
from agent.intents import LEASE_MARGIN_MS, HostTime, Intents, why_not_tap
from agent.model import Ended, FriendAdd, LeasedTask, Result
from agent.outbox import KEEP_ACKED_MS, Outbox
from protos import wire
from protos.facts import Fact, TaskArmed, TaskEnded, TaskReturned

DONE = Ended(result=Result.DONE, outcome="requested", evidence="等待验证", peer_name="p")


class Host:
    """Clocks that a test moves."""

    def __init__(self) -> None:
        self.boot_ms = 1_000_000
        self.boot_id = "boot-1"
        self.wall_ms = 1_700_000_000_000

    def time(self) -> HostTime:
        return HostTime(
            boot_ms=lambda: self.boot_ms, boot_id=lambda: self.boot_id, wall_ms=lambda: self.wall_ms
        )


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def outbox(tmp_path: Path, host: Host) -> Iterator[Outbox]:
    made = Outbox.open(tmp_path / "a.db", clock=lambda: host.wall_ms)
    made.enter_epoch(3)
    yield made
    made.close()


@pytest.fixture
def intents(outbox: Outbox, host: Host) -> Intents:
    return Intents(outbox, host.time())


def task(host: Host, task_id: str = "t1", attempt: int = 1, lease_ms: int = 120_000) -> LeasedTask:
    return LeasedTask(
        task_id=task_id,
        job_id="j",
        attempt=attempt,
        permit_id="p",
        phone_epoch=3,
        until_boot_ms=host.boot_ms + lease_ms,
        boot_id=host.boot_id,
        action=FriendAdd(query="q", query_kind="mobile", greeting="g", remark="r"),
    )


def facts(outbox: Outbox) -> list[Fact]:
    return [wire.unseal(body).fact for body in outbox.batch(1)]


def test_a_task_goes_from_received_over_armed_to_ended(intents: Intents, outbox: Outbox, host: Host) -> None:
    mine = task(host)
    assert intents.receive(mine)
    assert intents.open_tasks() == [mine]
    assert intents.armed() == []
    intents.arm(mine)
    assert intents.armed() == [mine]
    assert intents.is_armed(mine)
    intents.end(mine, DONE)
    assert intents.open_tasks() == []
    assert facts(outbox) == [
        TaskArmed(task_id="t1", attempt=1),
        TaskEnded(
            task_id="t1",
            attempt=1,
            result="done",
            outcome="requested",
            evidence="等待验证",
            was_armed=True,
            peer_name="p",
        ),
    ]


def test_a_task_that_ended_without_arming_says_so(intents: Intents, outbox: Outbox, host: Host) -> None:
    intents.receive(task(host))
    intents.end(task(host), replace(DONE, result=Result.NOT_DONE, outcome="not_found"))
    (ended,) = facts(outbox)
    assert isinstance(ended, TaskEnded)
    assert not ended.was_armed


def test_open_tasks_survive_a_restart(tmp_path: Path, intents: Intents, outbox: Outbox, host: Host) -> None:
    intents.receive(task(host))
    intents.receive(task(host, "t2"))
    intents.arm(task(host, "t2"))
    outbox.close()
    again = Outbox.open(tmp_path / "a.db")
    known = Intents(again, host.time())
    assert [t.task_id for t in known.open_tasks()] == ["t1", "t2"]
    assert known.armed() == [task(host, "t2")]
    again.close()


def test_the_same_offer_twice_is_one_task(intents: Intents, host: Host) -> None:
    assert intents.receive(task(host))
    assert not intents.receive(task(host, lease_ms=240_000))
    (mine,) = intents.open_tasks()
    assert mine.until_boot_ms == host.boot_ms + 240_000
    intents.end(mine, DONE)
    assert not intents.receive(task(host))
    assert intents.open_tasks() == []
    assert intents.receive(task(host, attempt=2))


def test_arming_twice_is_refused(intents: Intents, outbox: Outbox, host: Host) -> None:
    intents.receive(task(host))
    intents.arm(task(host))
    with pytest.raises(LeaseLost, match="armed already"):
        intents.arm(task(host))
    assert facts(outbox) == [TaskArmed(task_id="t1", attempt=1)]


def test_near_its_end_a_lease_allows_no_tap(intents: Intents, outbox: Outbox, host: Host) -> None:
    intents.receive(task(host))
    host.boot_ms += 120_000 - LEASE_MARGIN_MS + 1
    with pytest.raises(LeaseLost, match="ms left"):
        intents.arm(task(host))
    assert facts(outbox) == []
    host.boot_ms -= 1
    intents.arm(task(host))


def test_the_lease_in_the_file_counts_and_not_the_one_in_hand(intents: Intents, host: Host) -> None:
    mine = task(host)
    intents.receive(mine)
    intents.renew("t1", 0)
    with pytest.raises(LeaseLost):
        intents.arm(mine)
    host.boot_ms += 300_000
    intents.renew("t1", host.boot_ms + 120_000)
    intents.arm(mine)


def test_another_boot_voids_every_lease(intents: Intents, host: Host) -> None:
    mine = task(host)
    intents.receive(mine)
    host.boot_id = "boot-2"
    with pytest.raises(LeaseLost, match="another boot"):
        intents.arm(mine)


def test_a_newer_claim_to_the_phone_voids_the_lease_until_it_is_renewed(
    intents: Intents, outbox: Outbox, host: Host
) -> None:
    mine = task(host)
    intents.receive(mine)
    outbox.enter_epoch(4)
    with pytest.raises(LeaseLost, match="epoch 3, this is 4"):
        intents.arm(mine)
    intents.renew("t1", host.boot_ms + 120_000)
    intents.arm(mine)


def test_a_task_never_received_is_not_armed(intents: Intents, host: Host) -> None:
    with pytest.raises(LeaseLost, match="never received"):
        intents.arm(task(host))


@pytest.mark.parametrize("state", ["armed", "ended", "returned"])
def test_only_received_tasks_are_armed(state: str) -> None:
    row = (10**9, "b", 3, state)
    why = why_not_tap(row, state="received", now_boot_ms=0, boot="b", phone_epoch=3)
    assert why == f"it is {state} already"


def test_between_two_taps_the_lease_is_asked_again(intents: Intents, outbox: Outbox, host: Host) -> None:
    mine = task(host)
    intents.receive(mine)
    with pytest.raises(LeaseLost, match="received already"):
        intents.check(mine)
    intents.arm(mine)
    host.boot_ms += 120_000 - LEASE_MARGIN_MS
    intents.check(mine)
    host.boot_ms += 1
    with pytest.raises(LeaseLost, match="ms left"):
        intents.check(mine)
    intents.renew("t1", host.boot_ms + 120_000)
    intents.check(mine)
    outbox.enter_epoch(4)
    with pytest.raises(LeaseLost, match="epoch 3, this is 4"):
        intents.check(mine)


def test_an_intent_knows_the_account_that_armed_it(
    tmp_path: Path, intents: Intents, outbox: Outbox, host: Host
) -> None:
    mine = task(host)
    intents.receive(mine)
    assert intents.armed_as(mine) == ""
    outbox.account_id = "farm_001"
    intents.arm(mine)
    outbox.account_id = "other"
    assert intents.armed_as(mine) == "farm_001"
    with outbox.transaction() as conn:  # as the first builds made the table
        conn.execute("ALTER TABLE intent DROP COLUMN account_id")
    outbox.close()
    again = Outbox.open(tmp_path / "a.db")
    assert Intents(again, host.time()).armed() == [mine]
    assert Intents(again, host.time()).armed_as(mine) == ""
    again.close()


def test_an_intent_knows_what_was_armed(tmp_path: Path, intents: Intents, outbox: Outbox, host: Host) -> None:
    mine, other = task(host), task(host, "t2")
    intents.receive(mine)
    intents.receive(other)
    assert intents.armed_key(mine) == ""
    intents.arm(mine, "digest")
    assert intents.armed_key(mine) == "digest"
    with outbox.transaction() as conn:  # as earlier builds made the table
        conn.execute("ALTER TABLE intent DROP COLUMN object_key")
    outbox.close()
    again = Outbox.open(tmp_path / "a.db")
    known = Intents(again, host.time())
    assert known.armed_key(mine) == ""
    known.arm(other, "later")
    assert known.armed_key(other) == "later"
    again.close()


def test_a_task_is_given_back_once_and_only_unarmed(intents: Intents, outbox: Outbox, host: Host) -> None:
    mine = task(host)
    intents.receive(mine)
    intents.give_back(mine, "phone_busy")
    intents.give_back(mine, "phone_busy")
    assert facts(outbox) == [TaskReturned(task_id="t1", attempt=1, cause="phone_busy")]
    other = task(host, "t2")
    intents.receive(other)
    intents.arm(other)
    with pytest.raises(ValueError, match="armed"):
        intents.give_back(other, "x")
    assert intents.armed() == [other]


def test_the_end_is_reported_once(intents: Intents, outbox: Outbox, host: Host) -> None:
    intents.receive(task(host))
    intents.end(task(host), DONE)
    intents.end(task(host), replace(DONE, outcome="added"))
    assert len(facts(outbox)) == 1


def test_words_of_an_ended_task_are_forgotten(intents: Intents, outbox: Outbox, host: Host) -> None:
    intents.receive(task(host))
    intents.end(task(host), DONE)
    with outbox.reading() as conn:
        row = conn.execute("SELECT action FROM lease").fetchone()
    assert row == ("",)


def test_ended_tasks_are_purged_after_a_week_and_open_ones_stay(
    intents: Intents, outbox: Outbox, host: Host
) -> None:
    intents.receive(task(host))
    intents.arm(task(host))
    intents.end(task(host), DONE)
    intents.receive(task(host, "t2"))
    host.wall_ms += KEEP_ACKED_MS + 1
    intents.purge()
    with outbox.reading() as conn:
        assert conn.execute("SELECT task_id FROM lease").fetchall() == [("t2",)]
        assert conn.execute("SELECT count(*) FROM intent").fetchone() == (0,)
