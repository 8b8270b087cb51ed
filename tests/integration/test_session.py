"""The agent's stream against a real gRPC server: exactly once, whatever breaks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from agent import session as session_module
from agent.epochs import Claim
from agent.errors import LeaseLost
from agent.intents import Intents
from agent.model import Ended, Result, Settings
from agent.model import FriendAdd as AddAction
from agent.outbox import Outbox
from agent.session import Greeting, Session
from agent.wire import Pulse
from protos import wire
from protos.facts import (
    EventSetAside,
    GapSeen,
    PhoneFacts,
    PhoneStateChanged,
    TaskArmed,
    TaskEnded,
    TaskReturned,
)
from protos.fleet_pb2 import Down, FriendAdd, LeaseRenewed, Task
from tests.support.fleetstub import FleetStub, Seen, until

SERIAL = "STUB01"


@dataclass
class Rig:
    """One agent's stream and the controller it talks to."""

    stub: FleetStub
    outbox: Outbox
    intents: Intents
    session: Session

    @property
    def seen(self) -> Seen:
        return self.stub.phone(SERIAL)

    def all_acked(self) -> bool:
        return self.outbox.acked == self.outbox.highest


def open_session(stub: FleetStub, outbox: Outbox) -> Session:
    return Session(
        target=stub.target,
        greeting=Greeting(phone=PhoneFacts(serial=SERIAL, slot="1-2", host="h"), version="1.2.3"),
        outbox=outbox,
        intents=Intents(outbox),
        pulse=lambda: Pulse(state="ready", battery_percent=80),
        settings=Settings(),
    )


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(session_module, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(session_module, "LONGEST_PAUSE_S", 0.2)
    outbox = Outbox.open(tmp_path / "a.db")
    with FleetStub() as stub:
        session = open_session(stub, outbox)
        session.start()
        yield Rig(stub, outbox, session.intents, session)
        session.close()
        assert session.failure is None
    outbox.close()


def state(n: int) -> PhoneStateChanged:
    return PhoneStateChanged(state="ready", cause=f"n{n}")


def task(task_id: str = "t1", attempt: int = 1) -> Task:
    return Task(
        task_id=task_id,
        job_id="j",
        attempt=attempt,
        permit_id="p",
        friend_add=FriendAdd(query="q", query_kind="mobile", greeting="g", remark="r"),
    )


def causes(seen: Seen) -> list[str]:
    return [e.fact.cause for e in seen.events() if isinstance(e.fact, PhoneStateChanged)]


def test_greets_beats_and_delivers_in_order(rig: Rig) -> None:
    for n in range(500):
        rig.outbox.add(state(n))
    until(rig.all_acked, "all acks")
    assert causes(rig.seen) == [f"n{n}" for n in range(500)]
    assert set(rig.seen.deliveries.values()) == {1}
    hello = rig.seen.hellos[0].hello
    assert (hello.serial, hello.slot, hello.agent_version, hello.protocol) == (SERIAL, "1-2", "1.2.3", 1)
    until(lambda: len(rig.seen.heartbeats) >= 3, "heartbeats")
    assert rig.seen.heartbeats[0].heartbeat.battery_percent == 80
    assert rig.session.settings.unattended


def test_events_wait_while_a_batch_is_under_way_and_then_go_together(rig: Rig) -> None:
    until(lambda: rig.session.is_connected, "welcome")
    rig.stub.does.keep_acks = True
    rig.outbox.add(state(0))
    until(lambda: rig.seen.batches, "the first batch")
    for n in range(1, 50):
        rig.outbox.add(state(n))
    rig.stub.does.keep_acks = False
    rig.stub.drop_all()
    until(rig.all_acked, "acks after the reconnect")
    assert len(rig.seen.batches) <= 3
    assert causes(rig.seen) == [f"n{n}" for n in range(50)]


def test_lost_ack_brings_nothing_twice_into_the_archive(rig: Rig) -> None:
    rig.stub.does.drop_after_archive = True
    rig.outbox.add(*(state(n) for n in range(10)))
    until(rig.all_acked, "acks")
    assert causes(rig.seen) == [f"n{n}" for n in range(10)]
    # The welcome told how far the archive was: not even the batch went out again.
    assert set(rig.seen.deliveries.values()) == {1}
    assert rig.seen.streams == 2


def test_restored_controller_gets_back_what_it_lost(rig: Rig) -> None:
    rig.outbox.add(*(state(n) for n in range(20)))
    until(rig.all_acked, "acks")
    for seq in range(11, 21):
        del rig.seen.archive[rig.outbox.spool_id, seq]
    rig.stub.drop_all()
    until(lambda: len(rig.seen.archive) == 20, "the lost events")
    assert causes(rig.seen) == [f"n{n}" for n in range(20)]


def test_nack_rewinds_to_what_is_expected(rig: Rig) -> None:
    rig.outbox.add(state(0))
    until(rig.all_acked, "the first ack")
    del rig.seen.archive[rig.outbox.spool_id, 1]
    rig.outbox.add(state(1))
    until(lambda: len(rig.seen.archive) == 2 and rig.all_acked(), "both events")
    assert causes(rig.seen) == ["n0", "n1"]


def test_controller_that_asks_for_what_it_just_refused_is_greeted_anew(rig: Rig) -> None:
    until(lambda: rig.session.is_connected, "welcome")
    rig.stub.does.nack_once = True
    rig.outbox.add(state(0))
    until(rig.all_acked, "the ack on the next stream")
    assert rig.seen.streams >= 2


def test_archive_ahead_of_the_file_makes_a_new_spool(rig: Rig) -> None:
    rig.outbox.add(state(0))
    until(rig.all_acked, "the ack")
    old = rig.outbox.spool_id
    rig.stub.stop()
    until(lambda: not rig.session.is_connected, "the loss of the stream")
    for seq in range(2, 10):
        rig.seen.archive[old, seq] = rig.seen.archive[old, 1]
    rig.outbox.add(state(1))
    rig.stub.start()
    until(lambda: rig.outbox.spool_id != old and rig.all_acked(), "a new spool")
    first = wire.unseal(rig.seen.archive[rig.outbox.spool_id, 1]).fact
    assert isinstance(first, GapSeen)
    assert first.cause == "outbox_behind"
    assert rig.seen.high_water(rig.outbox.spool_id) == rig.outbox.highest


def test_controller_that_comes_back_on_its_port_gets_what_was_kept(rig: Rig) -> None:
    until(lambda: rig.session.is_connected, "welcome")
    rig.stub.stop()
    until(lambda: not rig.session.is_connected, "the loss of the stream")
    for n in range(30):
        rig.outbox.add(state(n))
    rig.stub.start()
    until(rig.all_acked, "catching up")
    assert causes(rig.seen) == [f"n{n}" for n in range(30)]


def test_two_restarts_of_the_agent_deliver_each_event_once(tmp_path: Path) -> None:
    with FleetStub() as stub:
        for run in range(3):
            outbox = Outbox.open(tmp_path / "a.db")
            session = open_session(stub, outbox)
            session.start()
            outbox.add(*(state(run * 10 + n) for n in range(10)))
            if run == 2:
                until(lambda: session.is_connected, "welcome")  # noqa: B023 -- called at once
            session.close(flush_s=10 if run == 2 else 0)
            outbox.close()
        assert causes(stub.phone(SERIAL)) == [f"n{n}" for n in range(30)]


def test_task_is_durable_before_it_is_done_and_its_end_goes_out(rig: Rig) -> None:
    rig.stub.tasks.put(task())
    rig.session.want(1)
    until(rig.intents.open_tasks, "the task")
    (mine,) = rig.intents.open_tasks()
    assert isinstance(mine.action, AddAction)
    assert mine.action.query == "q"
    assert rig.session.wanted == 0
    until(lambda: "t1" in rig.seen.heartbeats[-1].heartbeat.held_task_ids, "a heartbeat that holds it")
    rig.intents.arm(mine)
    rig.intents.end(mine, Ended(result=Result.DONE, outcome="requested"))
    until(rig.all_acked, "the reports")
    kinds = [type(e.fact) for e in rig.seen.events()]
    assert kinds == [TaskArmed, TaskEnded]
    assert rig.stub.leased == ["t1"]


def test_no_task_comes_unasked_and_the_wish_is_taken_back(rig: Rig) -> None:
    rig.session.want(1)
    until(lambda: rig.seen.wants == [1], "the wish")
    rig.session.want(0)
    until(lambda: rig.seen.wants == [1, 0], "the wish taken back")
    rig.stub.tasks.put(task())
    beats = len(rig.seen.heartbeats)
    until(lambda: len(rig.seen.heartbeats) > beats + 1, "two more heartbeats")
    assert rig.intents.open_tasks() == []


def test_wish_is_told_again_after_a_reconnect(rig: Rig) -> None:
    rig.session.want(1)
    until(lambda: rig.seen.wants == [1], "the wish")
    rig.stub.drop_all()
    until(lambda: rig.seen.wants == [1, 1], "the wish on the next stream")


def test_a_lease_runs_from_before_the_frame_that_brings_it(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    until(lambda: rig.session.is_connected, "welcome")
    rig.stub.does.heartbeat_ms = 60_000
    rig.stub.drop_all()
    until(lambda: len(rig.seen.hellos) == 2 and rig.session.is_connected, "a stream that beats seldom")
    beats = len(rig.seen.heartbeats)
    rig.session.beat()
    until(lambda: len(rig.seen.heartbeats) > beats, "its first beat, before the host sleeps")
    # The host sleeps, and the frames it was sent are read when it wakes up.
    awake_ms = session_module.boot_ms
    monkeypatch.setattr(session_module, "boot_ms", lambda: awake_ms() + 100_000)
    rig.session.want(1)
    rig.stub.tasks.put(task())
    until(rig.intents.open_tasks, "the task")
    (mine,) = rig.intents.open_tasks()
    assert mine.until_boot_ms <= awake_ms() + 120_000
    rig.stub.tell(SERIAL, Down(lease_renewed=LeaseRenewed(task_id="t1", lease_ms=90_000)))
    until(lambda: rig.intents.open_tasks()[0].until_boot_ms != mine.until_boot_ms, "the renewal")
    assert rig.intents.open_tasks()[0].until_boot_ms <= awake_ms() + 90_000


def test_a_stream_that_slept_is_not_believed_any_more(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    until(lambda: rig.seen.heartbeats, "a heartbeat")
    awake_ms = session_module.boot_ms
    monkeypatch.setattr(session_module, "boot_ms", lambda: awake_ms() + session_module.SLEPT_MS + 1_000)
    until(lambda: len(rig.seen.hellos) == 2, "a new greeting")
    beats = len(rig.seen.heartbeats)
    until(lambda: len(rig.seen.heartbeats) > beats + 2, "heartbeats again")
    assert len(rig.seen.hellos) == 2


def test_renewal_of_nothing_ends_the_lease(rig: Rig) -> None:
    rig.stub.tasks.put(task())
    rig.session.want(1)
    until(rig.intents.open_tasks, "the task")
    rig.stub.does.renew_ms = 0
    until(lambda: rig.intents.open_tasks()[0].until_boot_ms == 0, "the end of the lease")
    with pytest.raises(LeaseLost):
        rig.intents.arm(rig.intents.open_tasks()[0])


def test_lease_goes_on_in_the_epoch_of_a_reconnect(rig: Rig) -> None:
    rig.stub.tasks.put(task())
    rig.session.want(1)
    until(rig.intents.open_tasks, "the task")
    rig.stub.drop_all()
    until(lambda: rig.outbox.phone_epoch == 2, "the next epoch")
    assert list(rig.seen.hellos[-1].hello.open_task_ids) == ["t1"]
    until(lambda: rig.intents.open_tasks()[0].phone_epoch == 2, "the renewal in it")
    rig.intents.arm(rig.intents.open_tasks()[0])


def test_greeting_tells_what_was_told_before(tmp_path: Path) -> None:
    with FleetStub() as stub:
        for _ in range(2):
            outbox = Outbox.open(tmp_path / "a.db")
            session = open_session(stub, outbox)
            session.start()
            outbox.add(state(0))
            until(lambda: session.is_connected, "welcome")  # noqa: B023 -- called at once
            session.close(flush_s=10)
            outbox.close()
        first, second = (up.hello for up in stub.phone(SERIAL).hellos)
    assert (first.last_farm_epoch, first.last_phone_epoch, first.spool_acked) == (0, 0, 0)
    assert (second.last_farm_epoch, second.last_phone_epoch, second.spool_acked) == (1, 1, 1)


def test_controller_behind_what_it_told_before_is_served_and_not_obeyed(rig: Rig) -> None:
    rig.stub.does.farm_epoch = 3
    rig.stub.drop_all()
    until(lambda: rig.outbox.claim.farm_epoch == 3 and rig.session.is_connected, "the higher epoch")
    assert rig.session.settings.unattended
    known = rig.outbox.claim
    rig.stub.does.farm_epoch = 2
    rig.stub.drop_all()
    until(lambda: rig.session.is_connected and not rig.session.settings.unattended, "a stale welcome")
    rig.outbox.add(state(1))
    until(rig.all_acked, "the events all the same")
    assert rig.outbox.claim == known
    # Neither a later word nor a task of it counts.
    rig.stub.allow(SERIAL, unattended=True)
    rig.stub.tasks.put(task())
    rig.session.want(1)
    until(lambda: rig.seen.wants and "t1" in rig.stub.leased, "the task sent")
    until(lambda: any(isinstance(e.fact, TaskReturned) for e in rig.seen.events()), "the return")
    assert rig.intents.open_tasks() == []
    assert not rig.session.settings.unattended
    rig.stub.does.farm_epoch = 3
    rig.stub.drop_all()
    until(lambda: rig.session.settings.unattended, "the welcome that counts")


def test_later_claim_on_the_phone_is_told_to_its_own_farm_only(tmp_path: Path) -> None:
    def greet(on_phone: Claim, name: str) -> tuple[list[tuple[int, int]], bool]:
        outbox = Outbox.open(tmp_path / name)
        outbox.claim_on_phone = on_phone
        with FleetStub() as stub:
            session = open_session(stub, outbox)
            session.start()
            until(lambda: session.is_connected, "welcome")
            session.close()
            hellos = [up.hello for up in stub.phone(SERIAL).hellos]
        outbox.close()
        return [(h.last_farm_epoch, h.last_phone_epoch) for h in hellos], session.settings.unattended

    # A new host's file knows nothing; the phone's mark is of this farm: greeted anew, and not obeyed.
    assert greet(Claim("stub", 1, 40), "a.db") == ([(0, 0), (1, 40)], False)
    # The numbers of another farm would make this one believe that it was restored.
    assert greet(Claim("other", 9, 40), "b.db") == ([(0, 0)], True)


def test_unknown_action_is_given_back(rig: Rig) -> None:
    rig.stub.tasks.put(Task(task_id="t9", attempt=3))
    rig.session.want(1)
    until(lambda: rig.outbox.highest and rig.all_acked(), "the return")
    (event,) = rig.seen.events()
    assert event.fact == TaskReturned(task_id="t9", attempt=3, cause="unknown_action")


def test_poison_event_is_set_aside_and_the_rest_goes_on(rig: Rig) -> None:
    rig.stub.does.poison = b"n7"
    rig.outbox.add(*(state(n) for n in range(20)))
    until(rig.all_acked, "all but the poison")
    got = rig.seen.events()
    assert len(got) == 20
    assert got[7].fact == EventSetAside(seq=8, cause="the controller answered INTERNAL")
    assert causes(rig.seen) == [f"n{n}" for n in range(20) if n != 7]


def test_controller_that_refuses_everything_costs_no_event(rig: Rig) -> None:
    until(lambda: rig.session.is_connected, "welcome")
    rig.stub.does.poison = b"-"  # in the uid of every event, so also in each note
    rig.outbox.add(*(state(n) for n in range(5)))
    until(lambda: rig.seen.streams >= 8, "several broken streams")
    rig.stub.does.poison = b""
    until(rig.all_acked, "acks after the fault")
    aside = [e for e in rig.seen.events() if isinstance(e.fact, EventSetAside)]
    assert len(aside) <= 1
    assert len(rig.seen.events()) == 5


def test_network_trouble_sets_nothing_aside(rig: Rig) -> None:
    rig.stub.does.poison = b"n1"
    rig.stub.does.poison_code = grpc.StatusCode.UNAVAILABLE
    rig.outbox.add(*(state(n) for n in range(3)))
    until(lambda: rig.seen.streams >= 6, "several broken streams")
    rig.stub.does.poison = b""
    until(rig.all_acked, "acks after the fault")
    assert causes(rig.seen) == ["n0", "n1", "n2"]


@pytest.mark.parametrize("reason", ["superseded", "revoked"])
def test_stop_for_good_ends_the_session(rig: Rig, reason: str) -> None:
    until(lambda: rig.session.is_connected, "welcome")
    rig.stub.stop_agent(SERIAL, reason)
    until(lambda: rig.session.stop_reason == reason, "the word")
    rig.outbox.add(state(1))
    until(rig.all_acked, "the last events")
    rig.stub.drop_all()
    until(lambda: not rig.session.is_connected, "the end")
    rig.session.close()
    assert rig.seen.streams == 1


def test_controller_that_shuts_down_is_tried_again(rig: Rig) -> None:
    until(lambda: rig.session.is_connected, "welcome")
    rig.stub.stop_agent(SERIAL, "shutting_down")
    until(lambda: rig.seen.streams == 2, "the next stream")
    assert rig.session.stop_reason == ""


def test_handset_without_a_number_beats_and_sends_no_events(rig: Rig) -> None:
    until(lambda: rig.session.is_connected, "welcome")
    rig.stub.does.phone_id = ""
    rig.stub.drop_all()
    until(lambda: rig.seen.streams >= 2, "a stream without a number")
    rig.outbox.add(state(0))
    rig.session.want(1)
    beats = len(rig.seen.heartbeats)
    until(lambda: len(rig.seen.heartbeats) > beats + 2, "heartbeats")
    assert rig.seen.batches == []
    rig.stub.does.phone_id = "002"
    rig.stub.drop_all()
    until(rig.all_acked, "the event once it has a number")


def test_controller_that_never_answers_is_left(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "WELCOME_WITHIN_S", 0.3)
    until(lambda: rig.session.is_connected, "welcome")
    rig.stub.does.mute = True
    rig.stub.drop_all()
    until(lambda: rig.seen.streams >= 3, "a second try after silence")
    rig.stub.does.mute = False
    until(lambda: rig.session.is_connected, "welcome", 15)


def test_fault_in_the_sender_is_handed_to_the_phones_thread(tmp_path: Path) -> None:
    def broken() -> Pulse:
        raise ZeroDivisionError

    outbox = Outbox.open(tmp_path / "a.db")
    with FleetStub() as stub:
        session = open_session(stub, outbox)
        session.pulse = broken
        session.start()
        until(lambda: session.failure is not None, "the fault")
        assert isinstance(session.failure, ZeroDivisionError)
        session.close()
    outbox.close()
    assert not [t for t in threading.enumerate() if t.name == "session"]
