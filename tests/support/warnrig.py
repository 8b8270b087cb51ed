"""Many virtual phones that are warned, each with the real agent on it, and one real controller over SQLite.

Agents are threads that live the life of an agent's process; both sides can be ended and started again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from agent import owner
from agent.config import AgentConfig
from agent.errors import AgentError
from agent.grip import Grip
from agent.outbox import Outbox
from agent.phone import Phone
from agent.runner import Life
from agent.virtual.farm import VirtualFarm, VirtualPhone
from agent.virtual.scenario import Scenario
from controller.clock import SystemClock
from controller.core import Core, CoreSettings
from controller.model import Customer, JobId, PhoneId, QueryKind
from controller.store import open_store
from controller.store.base import Store
from tests.support import crashrules
from tests.support.adb import AdbServer
from tests.support.corefarm import facts
from tests.support.rpcfarm import Edge

POLL_S = 0.1
# More agents at work in one process keep each other from being in time.
AT_ONCE = 9
END_LIMIT_S = 20.0


class Agent:
    """The agent of one phone on a thread of its own."""

    def __init__(self, phone: VirtualPhone, config: AgentConfig) -> None:
        self._phone, self._config = phone, config
        self._end = threading.Event()
        self.states: list[tuple[str, str]] = []
        self.fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"agent-{phone.serial}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end."""
        self._end.set()

    def join(self) -> None:
        """Wait until it has ended."""
        self._thread.join(END_LIMIT_S)
        assert not self._thread.is_alive(), f"the agent of {self._phone.serial} did not end"

    def _pause(self, wait_s: float) -> bool:
        return not self._end.wait(wait_s)

    def _run(self) -> None:
        try:
            self._live()
        except AgentError as error:
            self.fault = None if self._end.is_set() else error

    def _live(self) -> None:
        opening = partial(
            Phone.open, self._phone.address, adb_host="127.0.0.1", adb_port=self._config.adb_port
        )
        grip = Grip(opening, self._pause)
        outbox = Outbox.open(self._config.data_dir / f"outbox-{self._phone.serial}.db")
        try:
            if (mark := owner.read_mark(grip.phone)) is not None:
                outbox.claim_on_phone = mark.claim()
            life = Life(
                self._config,
                grip.phone.facts(),
                grip,
                outbox,
                lambda state, cause: self.states.append((state, cause)),
                is_stopping=self._end.is_set,
                pause=self._pause,
            )
            life.live()
        finally:
            outbox.close()
            grip.close()


@dataclass(frozen=True, slots=True)
class Told:
    """A phone as the controller shows it to people, and the rows of its job: state and outcome."""

    state: str
    cause: str
    epoch: int
    tasks: tuple[tuple[str, str], ...]

    @property
    def is_over(self) -> bool:
        """Tell whether every row has ended."""
        return all(state in ("done", "not_done", "unknown") for state, _ in self.tasks)

    @property
    def outcomes(self) -> list[str]:
        """Return the outcomes in the order of the rows."""
        return [outcome for _, outcome in self.tasks]


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything at one moment, by serial: what the controller believes and what really happened."""

    told: dict[str, Told]
    truth: dict[str, dict[str, Any]]


@dataclass
class WarnRig:
    """What the tests of one farm share."""

    folder: Path
    farm: VirtualFarm
    adb: AdbServer
    edge: Edge
    store: Store
    agents: dict[str, Agent] = field(default_factory=dict)
    jobs: dict[str, JobId] = field(default_factory=dict)
    port: int = 0

    # ---- the controller

    def start_controller(self) -> None:
        """Serve the database; the second time on the port of the first."""
        self.store = open_store(f"sqlite:///{self.folder}/farm.db")
        settings = crashrules.settings(per_day=100) | {"sweep_pause_ms": 500}
        self.edge = Edge(Core(self.store, SystemClock(), CoreSettings(**settings)))
        self.edge.start(port=self.port)
        self.port = self.edge.port

    def stop_controller(self) -> None:
        """End it; agents try to come back."""
        self.edge.close()
        self.store.close()

    def core(self, ask: Callable[[Core], Any]) -> Any:
        """Ask the core on its own thread."""
        return self.edge.call(ask, self.edge.core)

    # ---- phones and what they have to do

    def phone_id(self, phone: VirtualPhone) -> PhoneId:
        """Return the number painted on a phone."""
        return PhoneId(phone.serial.removeprefix("VP"))

    def assign(self, core: Core) -> None:
        """Give every phone its number and account, with leave to act."""
        for phone in self.farm.phones:
            core.fleet.heartbeat_unnumbered(facts(phone.serial), phone.account_id)
            core.fleet.number(self.phone_id(phone), phone.serial, actor="op")
            core.fleet.assign(self.phone_id(phone), account_id=phone.account_id, actor="op")

    def add(self, core: Core, mobiles: Mapping[str, list[str]]) -> None:
        """Submit a job of friend adds for each phone."""
        for phone in self.farm.phones:
            customers = [
                Customer(
                    row_no=n + 2,
                    query=mobile,
                    query_kind=QueryKind.MOBILE,
                    basis="order",
                    basis_at="2026-07-01",
                    remark="",
                )
                for n, mobile in enumerate(mobiles[phone.serial])
            ]
            self.jobs[phone.serial] = core.jobs.submit_friend_adds(
                customers,
                pool=[self.phone_id(phone)],
                greeting="您好",
                source_name="list.csv",
                actor="op",
            ).job.id

    def look(self) -> Sight:
        """Return how everything stands now."""
        return Sight(self.core(self._phones), self.truths())

    def truths(self) -> dict[str, dict[str, Any]]:
        """Return what really happened on each phone."""
        rows: list[dict[str, Any]] = self.farm.do(self.farm.world.truth.phones)
        return {row["serial"]: row for row in rows}

    def _phones(self, core: Core) -> dict[str, Told]:
        found = {}
        for phone in core.fleet.phones():
            serial = f"VP{phone.phone_id}"
            tasks = tuple((str(task.state), task.outcome) for task in core.jobs.tasks(self.jobs[serial]))
            found[serial] = Told(str(phone.state), phone.cause, phone.epoch, tasks)
        return found

    # ---- agents

    def start_agent(self, phone: VirtualPhone) -> None:
        """Start an agent on a phone."""
        config = AgentConfig(
            path=None,
            controller=f"127.0.0.1:{self.port}",
            data_dir=self.folder,
            lock_dir=self.folder,
            host="host",
            adb_path="",
            adb_port=self.adb.port,
        )
        self.agents[phone.serial] = Agent(phone, config)

    def restart_agent(self, phone: VirtualPhone) -> None:
        """End a phone's agent and start another: its pauses are short again."""
        self.agents[phone.serial].stop()
        self.agents[phone.serial].join()
        self.start_agent(phone)

    def stop_agents(self) -> None:
        """End all agents."""
        for agent in self.agents.values():
            agent.stop()
        for agent in self.agents.values():
            agent.join()

    def wait(self, serials: Iterable[str], holds: Callable[[Sight, str], bool], within_s: float) -> set[str]:
        """Wait until something held once of each phone; return the serials of which it never did."""
        left = set(serials)
        until_s = time.monotonic() + within_s
        while left and time.monotonic() < until_s:
            sight = self.look()
            left = {serial for serial in left if not holds(sight, serial)}
            time.sleep(POLL_S)
        return left

    def in_turn(
        self,
        begin: Callable[[VirtualPhone], None],
        holds: Callable[[Sight, str], bool],
        within_s: float,
    ) -> set[str]:
        """Begin with a few phones at a time, so that many slow none down; return those that came late."""
        late: set[str] = set()
        phones = self.farm.phones
        for at in range(0, len(phones), AT_ONCE):
            group = phones[at : at + AT_ONCE]
            for phone in group:
                begin(phone)
            late |= self.wait([phone.serial for phone in group], holds, within_s)
        return late


@contextmanager
def warn_rig(folder: Path, scenario: Scenario, adb: AdbServer) -> Iterator[WarnRig]:
    """Run phones and controller; agents are started by the test."""
    with VirtualFarm(scenario, time_scale=0) as farm:
        rig = WarnRig(folder, farm, adb, edge=None, store=None)  # type: ignore[arg-type]  # set by the next line
        rig.start_controller()
        for phone in farm.phones:
            adb.connect(phone.address)
        try:
            yield rig
        finally:
            for agent in rig.agents.values():
                agent.stop()
            for agent in rig.agents.values():
                agent.join()
            rig.stop_controller()
            for phone in farm.phones:
                adb.run("disconnect", phone.address)
