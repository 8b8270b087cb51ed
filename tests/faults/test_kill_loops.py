"""kill -9 under load, restores, lost files, a broken transport: each event is archived once, or is a gap."""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import socket
import sqlite3
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.outbox import Outbox
from controller.clock import SystemClock
from controller.core import Core
from controller.errors import SpoolGap
from controller.records import Gap, Message
from controller.store import open_store
from tests.support import postgres
from tests.support.adb import free_port
from tests.support.backends import Backend
from tests.support.clock import fixed_clock
from tests.support.corefarm import body, core_on, handset, message
from tests.support.crashnursery import Nursery
from tests.support.fleetstub import until
from tests.support.killfarm import HOLDER, file_of
from tests.support.rpcfarm import Agent, serving


class Child:
    """A process of tests.support.killfarm and what it said."""

    def __init__(self, nursery: Nursery, errors: Path, *words: object) -> None:
        self.said: list[list[str]] = []
        self._counts: Counter[str] = Counter()
        self._errors = errors
        ours, theirs = socket.socketpair()
        with theirs:
            asked = {
                "role": "killfarm",
                "imports": ["tests.support.killfarm"],
                "words": [str(word) for word in words],
                "errors": str(errors),
            }
            self._pidfd = os.pidfd_open(nursery.fork(asked, theirs))
        self._link = ours
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self._link, self._link.makefile(encoding="utf-8") as lines, suppress(ConnectionResetError):
            for line in lines:
                if line.endswith("\n"):  # a line cut by the kill said nothing
                    self.said.append(line.split())
                    self._counts[self.said[-1][0]] += 1

    def times(self, word: str) -> int:
        """Return how often it said this until now."""
        return self._counts[word]

    def acks(self, phone: int) -> list[int]:
        """Return the acknowledged numbers that it said of one phone, in their order."""
        return [int(line[3]) for line in list(self.said) if line[:2] == ["acked", str(phone)]]

    def wait_for(self, word: str, within_s: float = 90, times: int = 1) -> None:
        def has_said() -> bool:
            if not self._reader.is_alive() and self._counts[word] < times:
                raise AssertionError("\n".join(self._errors.read_text().splitlines()[-20:]))
            return self._counts[word] >= times

        until(has_said, word, within_s)

    def kill(self) -> None:
        if self._pidfd < 0:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        assert select.select([self._pidfd], [], [], 10)[0], "a killed process is still there"
        os.close(self._pidfd)
        self._pidfd = -1
        # Ends behind the last line that the process wrote.
        self._reader.join(10)
        assert not self._reader.is_alive()


@dataclass
class Ground:
    """A database, the files of some phones, and what their agents said before they were killed."""

    folder: Path
    url: str
    cluster: postgres.Cluster | None
    phones: int
    nursery: Nursery
    port: int = field(default_factory=free_port)
    kept: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))  # phone -> texts
    acked: dict[tuple[int, str], int] = field(default_factory=dict)  # phone, spool -> number
    children: list[Child] = field(default_factory=list)

    def controller(self) -> Child:
        return self._start("serving", "controller", self.url, self.port, self.phones)

    def agents(self, what: str = "load") -> Child:
        self.files.mkdir(exist_ok=True)
        return self._start("open", "agents", self.port, self.files, self.phones, what)

    def _start(self, ready: str, *words: object) -> Child:
        errors = self.folder / f"child{len(self.children)}.log"
        child = Child(self.nursery, errors, *words)
        self.children.append(child)
        child.wait_for(ready)
        return child

    def kill(self, child: Child) -> None:
        child.kill()
        for line in child.said:
            if line[0] == "kept":
                self.kept[int(line[1])].append(int(line[2]))
            elif line[0] == "acked":
                place = (int(line[1]), line[2])
                self.acked[place] = max(self.acked.get(place, 0), int(line[3]))

    @property
    def files(self) -> Path:
        return self.folder / "agents"

    # ---- backups: taken and put back while no controller runs

    def back_up(self) -> str:
        if self.cluster is not None:
            copy = self.cluster.fresh_url()
            copy_database(self.url, copy)
            return copy
        copy = f"sqlite:///{self.folder}/backup.db"
        with (
            closing(sqlite3.connect(path_of(self.url))) as from_,
            closing(sqlite3.connect(path_of(copy))) as to,
        ):
            from_.backup(to)
        return copy

    def restore(self, copy: str) -> None:
        if self.cluster is not None:
            self.url = copy
            return
        for part in ("", "-wal", "-shm"):
            path_of(self.url + part).unlink(missing_ok=True)
        shutil.copyfile(path_of(copy), path_of(self.url))

    # ---- the end

    def drain(self) -> None:
        """Let the agents send all that waits, and end every process."""
        child = self.agents("drain")
        child.wait_for("drained", 90)
        for child in self.children:
            self.kill(child)

    def judge(self, lost_files: frozenset[int] = frozenset()) -> int:
        """Compare the archive with what was said and with the files; returns how many messages there are."""
        store = open_store(self.url)
        try:
            core = core_on(store, SystemClock())
            assert core.archive.conflicts() == 0
            return sum(self._judge_phone(core, n, n in lost_files) for n in range(1, self.phones + 1))
        finally:
            store.close()

    def _judge_phone(self, core: Core, number: int, has_lost: bool) -> int:
        phone_id = core.fleet.phones()[number - 1].phone_id
        (chat,) = core.archive.conversations(phone_id=phone_id)
        messages = all_messages(core, chat.id)
        texts = [int(m.text) for m in messages]
        assert texts == sorted(set(texts)), "a message twice, or out of order"
        missing = set(self.kept[number]) - set(texts)
        gaps: list[Gap] = core.archive.gaps(chat.id)
        if has_lost:
            assert any(gap.cause == "spool_changed" for gap in gaps), "the lost file is no gap"
        else:
            assert not missing, f"{len(missing)} committed messages are not archived"
            assert [m.position for m in messages] == list(range(1, len(messages) + 1))
        for (phone, spool), seq in self.acked.items():
            if phone == number:
                assert core.archive.high_water(phone_id, spool) >= seq, "acknowledged and not there"
        self._judge_bodies(core, number, str(phone_id))
        return len(messages)

    def _judge_bodies(self, core: Core, number: int, phone_id: str) -> None:
        outbox = Outbox.open(file_of(self.files, number))
        try:
            assert outbox.backlog == 0
            for first in range(outbox.lowest, outbox.highest + 1, 200):
                for seq, sealed in enumerate(outbox.batch(first), first):
                    stored = core.archive.event(phone_id, outbox.spool_id, seq)  # type: ignore[arg-type]  # a plain number
                    assert stored is not None
                    assert stored.body == sealed
        finally:
            outbox.close()


def all_messages(core: Core, conversation_id: int) -> list[Message]:
    found: list[Message] = []
    while page := core.archive.messages(
        conversation_id, before_position=found[0].position if found else None, limit=500
    ):
        found = page + found
    return found


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def copy_database(source: str, target: str) -> None:
    """Copy all tables with their rows from one database of a cluster into an empty one."""
    name, copy = (url.removeprefix("postgresql:///").split("?")[0] for url in (source, target))
    with psycopg.connect(source.replace(f"/{name}?", "/postgres?"), autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {copy}")
        conn.execute(f"CREATE DATABASE {copy} TEMPLATE {name}")


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[], postgres.Cluster]]:
    with postgres.on_demand() as server:
        yield server


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """The process that has the imports done: they are most of what a controller costs that is soon killed."""
    made = Nursery(dict(os.environ))
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def ground(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    servers: Callable[[], postgres.Cluster],
    nursery: Nursery,
) -> Iterator[Ground]:
    cluster = servers() if request.param == "postgresql" else None
    url = cluster.fresh_url() if cluster else f"sqlite:///{tmp_path}/farm.db"
    made = Ground(tmp_path, url, cluster, phones=3, nursery=nursery)
    yield made
    for child in made.children:
        child.kill()


def loop(ground: Ground, rounds: int, chance: random.Random) -> None:
    """Kill one side or the other while the load goes on."""
    controller, agents = ground.controller(), ground.agents()
    for number in range(rounds):
        agents.wait_for("acked", times=chance.randint(1, 20))
        if number % 2 or chance.random() < 0.3:
            ground.kill(controller)
            controller = ground.controller()
        if not number % 2 or chance.random() < 0.3:
            ground.kill(agents)
            agents = ground.agents()
    agents.wait_for("acked")
    ground.kill(agents)


def test_killed_in_turn_under_load_everything_is_archived_once(ground: Ground) -> None:
    loop(ground, 3, random.Random(1))
    ground.drain()
    assert ground.judge() > 30
    if ground.cluster is None:
        check_the_judge(ground)


def check_the_judge(ground: Ground) -> None:
    """Show that a lost message, a doubled one and a lost acknowledgement are found."""
    for tampering, found in (
        ("DELETE FROM messages WHERE id = 9", "committed messages are not archived"),
        (
            # By that of the one before it in its chat: the next id may be of another phone.
            """UPDATE messages SET text = (
              SELECT m.text FROM messages m
              WHERE m.position = messages.position - 1 AND m.conversation_id = messages.conversation_id
            ) WHERE id = (SELECT max(id) FROM messages)""",
            "a message twice",
        ),
        ("UPDATE spools SET high_water = 1", "acknowledged and not there"),
    ):
        copy = ground.back_up()
        with closing(sqlite3.connect(path_of(ground.url), isolation_level=None)) as conn:
            conn.execute(tampering)
        with pytest.raises(AssertionError, match=found):
            ground.judge()
        ground.restore(copy)


@pytest.mark.nightly
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("seed", range(2))
def test_killed_very_often_under_load_everything_is_archived_once(ground: Ground, seed: int) -> None:
    loop(ground, 50, random.Random(seed))
    ground.drain()
    assert ground.judge() > 500


def test_an_old_backup_gets_back_what_it_lost_and_a_lost_file_is_a_gap(ground: Ground) -> None:
    controller, agents = ground.controller(), ground.agents()
    agents.wait_for("acked", times=10)
    ground.kill(controller)
    backup = ground.back_up()
    controller = ground.controller()
    agents.wait_for("acked", times=agents.times("acked") + 10)
    ground.kill(controller)
    ground.restore(backup)
    lost = agents.acks(1)
    controller = ground.controller()

    def has_sent_again() -> bool:
        # One may still be of the controller that was killed.
        since = agents.acks(1)[len(lost) :]
        return len(since) > 1 and since[-1] >= max(lost, default=0)

    # Before its file is lost, the phone gives back what the backup does not have.
    until(has_sent_again, "sent again", 90)
    ground.kill(agents)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file_of(ground.files, 1)}{suffix}").unlink(missing_ok=True)
    agents = ground.agents()
    agents.wait_for("acked", times=20)
    ground.kill(agents)
    ground.drain()
    assert ground.judge(lost_files=frozenset({1})) > 30


def streams(ground: Ground, count: int) -> None:
    ground.phones = count
    controller, agents = ground.controller(), ground.agents()
    agents.wait_for("acked", times=count, within_s=100)
    ground.kill(controller)
    agents.wait_for("kept", times=agents.times("kept") + 3 * count, within_s=60)
    ground.controller()
    agents.wait_for("acked", times=agents.times("acked") + count, within_s=60)
    ground.kill(agents)
    ground.drain()
    assert ground.judge() > 3 * count


@pytest.mark.parametrize(
    "ground", ["sqlite", pytest.param("postgresql", marks=pytest.mark.nightly)], indirect=True
)
def test_a_hundred_streams_that_come_back_at_once_lose_nothing(ground: Ground) -> None:
    streams(ground, 100)


@pytest.mark.nightly
@pytest.mark.timeout(1_200)
def test_five_hundred_streams_that_come_back_at_once_lose_nothing(ground: Ground) -> None:
    streams(ground, 500)


# ---- the transport

COUNT = 24
DELIVERIES = st.lists(st.tuples(st.integers(1, COUNT), st.integers(1, 8)), max_size=40)


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(
    request: pytest.FixtureRequest, tmp_path: Path, servers: Callable[[], postgres.Cluster]
) -> Iterator[Backend]:
    url = f"sqlite:///{tmp_path}/farm.db" if request.param == "sqlite" else servers().fresh_url()
    made = Backend(kind=request.param, url=url, clock=fixed_clock())
    yield made
    made.close()


def sealed(number: int) -> list[bytes]:
    account = f"wx{number:03}"
    return [
        body(message(str(n), n), account_id=account, at_ms=fixed_clock().now_ms())
        for n in range(1, COUNT + 1)
    ]


def test_batches_in_any_order_lost_or_doubled_are_archived_once_and_in_order(backend: Backend) -> None:
    core = backend.core()
    core.notices.record(HOLDER, version="1", how="paper", actor="op")
    numbers = iter(range(1, 900))

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(deliveries=DELIVERIES)
    def deliver(deliveries: list[tuple[int, int]]) -> None:
        number = next(numbers)
        phone = handset(core, number, holder=HOLDER)
        bodies = sealed(number)
        reached = 0
        for first, length in [*deliveries, (1, COUNT)]:
            batch = bodies[first - 1 : first - 1 + length]
            if first > reached + 1:
                with pytest.raises(SpoolGap) as gap:
                    core.archive.accept(phone.phone_id, "s", first, batch)
                assert gap.value.expected_seq == reached + 1
            else:
                reached = max(reached, first + len(batch) - 1)
                assert core.archive.accept(phone.phone_id, "s", first, batch) == reached
            assert core.archive.high_water(phone.phone_id, "s") == reached
        (chat,) = core.archive.conversations(phone_id=phone.phone_id)
        told = all_messages(core, chat.id)
        assert [m.text for m in told] == [str(n) for n in range(1, COUNT + 1)]
        assert [m.position for m in told] == list(range(1, COUNT + 1))

    deliver()
    assert core.archive.conflicts() == 0


def test_frames_doubled_and_out_of_order_on_the_wire_are_answered_by_what_is_there(backend: Backend) -> None:
    core = backend.core()
    core.notices.record(HOLDER, version="1", how="paper", actor="op")
    phone = handset(core, 1, holder=HOLDER)
    bodies = sealed(1)
    with serving(core) as edge, closing(Agent(edge.port, "V001", spool_id="s")) as agent:
        assert agent.hello(spool_lowest=1, spool_highest=COUNT).high_water == 0
        agent.batch(9, bodies[8:16])
        assert agent.next("nack").expected_seq == 1
        for first, last, reached in (
            (1, 8, 8),
            (1, 8, 8),
            (5, 12, 12),
            (9, 16, 16),
            (1, COUNT, COUNT),
            (3, 4, COUNT),
        ):
            agent.batch(first, bodies[first - 1 : last])
            assert agent.next("ack").up_to_seq == reached
    (chat,) = core.archive.conversations(phone_id=phone.phone_id)
    assert [m.text for m in all_messages(core, chat.id)] == [str(n) for n in range(1, COUNT + 1)]
    assert core.archive.conflicts() == 0
