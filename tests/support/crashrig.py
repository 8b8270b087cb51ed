"""A farm of one phone whose agent and controller end at named places; the world's counters are the judge.

Real adb, real gRPC, the real agent and the real core on SQLite; the agent and the controller are processes.
"""

from __future__ import annotations

import select
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.config import AgentConfig, encode
from agent.virtual.farm import VirtualFarm, VirtualPhone
from agent.virtual.scenario import parse_scenario
from controller.clock import SystemClock
from controller.core import Core, CoreSettings
from controller.model import PhoneId, Task
from controller.store import open_store
from tests.support import crashrules
from tests.support.adb import AdbServer, free_port
from tests.support.corefarm import greeting
from tests.support.crashcases import ENDED, HOLDS, Case, Verdict
from tests.support.crashchild import hear, say
from tests.support.crashkinds import ACCOUNT, ADD, PHONE, SERIAL, Kind
from tests.support.crashnursery import Child, Nursery

UNPLUG = "unplug"
LIMIT_S = 90.0
# So often the controller is asked how the rows stand; asked without a pause it would do nothing else.
ASK_S = 0.05
# So long a thawed agent is watched: longer than a tap may be late, and than its call may take.
THAW_S = 1.5
# A row that ended is still watched while its agent comes to rest.
IDLE_LIMIT_S = 15.0


class Rig:
    """Runs cases one after another; each gets a new world, a new outbox and a new database."""

    def __init__(self, folder: Path, adb: AdbServer, kind: Kind = ADD) -> None:
        self.folder, self.adb, self.kind = folder, adb, kind
        self.nursery = Nursery(adb.environment)
        self.port = free_port()
        self._scenario = parse_scenario(kind.scenario.encode(), name="crash")
        self._templates: dict[tuple[int, int], tuple[Path, str]] = {}
        self._n = 0

    def close(self) -> None:
        """End the process that forks."""
        self.nursery.close()

    def run(self, case: Case, *, record: bool = False) -> Verdict:
        """Run a case to its end and judge it."""
        self._n += 1
        folder = self.folder / f"case{self._n}"
        folder.mkdir()
        began_s = time.monotonic()
        with VirtualFarm(self._scenario, time_scale=case.time_scale) as farm:
            phone = farm.phones[0]
            self.adb.connect(phone.address)
            try:
                verdict = _Run(self, case, folder, farm, phone, record=record).run()
            finally:
                self.adb.run("disconnect", phone.address)
        verdict.seconds = time.monotonic() - began_s
        shutil.rmtree(folder)
        return verdict

    def template(self, rows: int, per_day: int) -> tuple[Path, str]:
        """Return a database in which the job waits for its phone, and the job's id."""
        if (rows, per_day) not in self._templates:
            path = self.folder / f"template-{rows}-{per_day}.db"
            store = open_store(f"sqlite:///{path}")
            core = Core(store, SystemClock(), CoreSettings(**crashrules.settings(per_day=per_day)))
            core.fleet.hello(greeting(SERIAL))
            core.fleet.number(PhoneId(PHONE), SERIAL, actor="op")
            core.fleet.assign(PhoneId(PHONE), account_id=ACCOUNT, actor="op")
            job = self.kind.submit(core, rows)
            store.close()
            self._templates[rows, per_day] = (path, job.id)
        return self._templates[rows, per_day]


class _Run:
    def __init__(
        self, rig: Rig, case: Case, folder: Path, farm: VirtualFarm, phone: VirtualPhone, *, record: bool
    ) -> None:
        self.rig, self.case, self.folder, self.farm, self.phone = rig, case, folder, farm, phone
        self.record = record
        template, self.job_id = rig.template(case.rows, case.per_day)
        self.database = folder / "farm.db"
        shutil.copy(template, self.database)
        self.agent: Child | None = None
        self.frozen: Child | None = None
        self.controller: Child | None = None
        self.agents = self.controllers = 0
        self.is_serving = self.is_ready = False
        self.waits_for_acts = len(case.agent) + len(case.again) + len(case.controller)
        self.tasks: list[list[str]] = []
        self.hold = ""
        self.taps = 0
        self.is_gone = False
        self.is_asked = False
        self.ask_at_s = 0.0

    def run(self) -> Verdict:
        until_s = time.monotonic() + LIMIT_S
        ended_at_s: float | None = None
        late = 0
        try:
            while time.monotonic() < until_s:
                self._keep_alive()
                self._listen(0.02)
                if self._is_over():
                    if ended_at_s is None:
                        ended_at_s = time.monotonic()
                    if self._is_at_rest() or time.monotonic() - ended_at_s > IDLE_LIMIT_S:
                        late = self._thaw()
                        break
                else:
                    ended_at_s = None
        finally:
            for child in (self.agent, self.frozen, self.controller):
                if child is not None:
                    child.end()
        verdict = self._judge()
        verdict.late = late
        return verdict

    def _thaw(self) -> int:
        """Let a frozen agent go on while its follower rests; return how often it touches the phone."""
        if self.frozen is None:
            return 0
        if self.controller is not None:
            # With a link it would be welcomed anew, the phone its own again; alone it has only the mark.
            self.controller.end()
            self.controller = None
        before = self.farm.do(lambda: len(self.phone.handset.touches))
        self.frozen.signal(signal.SIGCONT)
        # It does what it was about to do, or learns whose the phone is, and has nothing to do after that.
        until_s = time.monotonic() + THAW_S
        while time.monotonic() < until_s and hear_within(self.frozen.link, until_s - time.monotonic()):
            pass
        return self.farm.do(lambda: len(self.phone.handset.touches)) - before

    # ---- keeping both sides alive, as keeper and init would

    def _keep_alive(self) -> None:
        if self.controller is None:
            self.is_serving = self.is_asked = False
            self.controller = self._start_controller()
        if self.agent is None and self.is_serving and self._may_follow():
            self.is_ready = False
            self.agent = self._start_agent()
        may_ask = self.is_serving and not self.is_asked and time.monotonic() >= self.ask_at_s
        if self.controller is not None and may_ask:
            say(self.controller.link, {"job": self.job_id})
            self.is_asked, self.ask_at_s = True, time.monotonic() + ASK_S

    def _may_follow(self) -> bool:
        """Tell whether the next agent may come: after a lease that is to expire, not before it has."""
        if not self.case.expires or self.agents != 1:
            return True
        return bool(self.tasks) and all(state not in ("leased", "armed") for state, _, _ in self.tasks)

    def _start_controller(self) -> Child:
        self.controllers += 1
        message: dict[str, Any] = {
            "role": "controller",
            "store": f"sqlite:///{self.database}",
            "port": self.rig.port,
            "settings": {"per_day": self.case.per_day, "expires": self.case.expires},
            "switch": self.case.switch,
            "errors": str(self.folder / "controller.log"),
        }
        if self.controllers == 1:
            message["acts"] = [act.message() for act in self.case.controller]
            message["log"] = str(self.folder / "controller.places") if self.record else ""
        return Child(self.rig.nursery, message)

    def _start_agent(self) -> Child:
        self.agents += 1
        host = min(2, self.agents) if self.case.replaced else 1
        config = AgentConfig(
            path=None,
            controller=f"127.0.0.1:{self.rig.port}",
            data_dir=self.folder / f"data{host}",
            lock_dir=self.folder / f"locks{host}",
            host=f"host{host}",
            adb_path="",
            adb_port=self.rig.adb.port,
        )
        message: dict[str, Any] = {
            "role": "agent",
            "config": encode(config),
            "address": self.phone.address,
            "expires": self.case.expires,
            "switch": self.case.switch,
            "errors": str(self.folder / "agent.log"),
        }
        message["acts"] = [
            act.message() for act in {1: self.case.agent, 2: self.case.again}.get(self.agents, ())
        ]
        if self.record:
            message["log"] = str(self.folder / f"agent{self.agents}.places")
        return Child(self.rig.nursery, message)

    # ---- what they say

    def _listen(self, within_s: float) -> None:
        links = {child.link: child for child in (self.agent, self.controller) if child is not None}
        for link in select.select(list(links), [], [], within_s)[0]:
            try:
                message = hear(link)
            except OSError:
                message = None
            self._take(links[link], message)

    def _take(self, child: Child, message: dict[str, Any] | None) -> None:
        if message is None:
            self._ended(child)
            return
        match message["at"]:
            case "tap":
                self.taps += 1
            case "serving":
                self.is_serving = True
            case "tasks":
                self.tasks, self.hold = message["tasks"], message["hold"]
                self.is_asked = False
            case "ended":
                self.is_gone = message["of"] == "PhoneGone"
            case "state":
                self.is_ready = message["state"] == "ready"
            case "crash" | "frozen" | "fault" as act:
                self.waits_for_acts -= 1
                self._acted(child, act, message)

    def _acted(self, child: Child, act: str, message: dict[str, Any]) -> None:
        if act == "frozen":
            self.frozen, self.agent = self.agent, None
        elif act == "fault":
            self._set_fault(message["fault"])
            say(child.link, {})

    def _ended(self, child: Child) -> None:
        child.end()
        # What the controller said before this end is no news of what comes after it.
        self.is_asked, self.tasks = False, []
        if child is self.agent:
            self.agent = None
            self._put_cable_back()
        else:
            self.controller = None

    def _set_fault(self, fault: list[Any]) -> None:
        name, method = fault
        if name == UNPLUG and method == "*":
            self.phone.unplug()
        else:
            self.phone.faults(name, method, 1)

    def _put_cable_back(self) -> None:
        """Do what a keeper and a person do when an agent ended because its phone is gone."""
        if self.is_gone:
            self.is_gone = False
            self.phone.plug()
            self.rig.adb.run("disconnect", self.phone.address)
            self.rig.adb.connect(self.phone.address)

    # ---- the end

    def _is_over(self) -> bool:
        is_held = self.hold in HOLDS
        return bool(self.tasks) and all(
            state in ENDED or (state == "queued" and is_held) for state, _, _ in self.tasks
        )

    def _is_at_rest(self) -> bool:
        """Tell whether nothing more is to come: all acts are over, and the agent has nothing to do."""
        return self.waits_for_acts <= 0 and self.agent is not None and self.is_ready

    def _judge(self) -> Verdict:
        truth = next(row for row in self.farm.truth()["phones"] if row["serial"] == SERIAL)
        effects = self.rig.kind.effects(truth)
        store = open_store(f"sqlite:///{self.database}")
        core = Core(store, SystemClock(), CoreSettings(**crashrules.settings(per_day=self.case.per_day)))
        tasks = core.jobs.tasks(self.job_id)
        permits = max(use.used_day for use in core.quotas.use(ACCOUNT))
        store.close()
        verdict = Verdict(case=self.case, effects=effects, permits=permits, reached=self.waits_for_acts <= 0)
        verdict.states = [[str(task.state), task.outcome, task.cause] for task in tasks]
        verdict.hold = self.hold
        tapped = self.farm.do(lambda: self.phone.handset.counters["input_tap"])
        verdict.twice = sum(count > 1 for count in effects.values()) + max(0, tapped - self.taps)
        made = effects.total()
        verdict.over = max(0, made - self.case.per_day, made - permits)
        verdict.lost = sum(_is_lost(str(task.state), effects[_target(task)]) for task in tasks)
        verdict.places = _lines(self.folder / "agent1.places")
        verdict.places_again = _lines(self.folder / "agent2.places")
        verdict.controller_places = _lines(self.folder / "controller.places")
        if not verdict.is_sound or not self._is_over() or self.agents > 2 + len(self.case.again):
            logs = [(self.folder / f"{who}.log") for who in ("agent", "controller")]
            verdict.errors = "\n".join(log.read_text()[-6000:] for log in logs if log.exists())
        return verdict


def _target(task: Task) -> str:
    """Return how the world names what a row is about."""
    return task.query


def _is_lost(state: str, effects: int) -> bool:
    """Tell whether a row hides what happened to its target: it says more, or less, than the world knows."""
    match state:
        case "done":
            return effects != 1
        case "not_done" | "queued":
            return effects != 0
        case "unknown" | "leased" | "armed":
            return False  # what is still in an agent's hands at the end is no end: see `came_to_an_end`
        case _:
            return True


def hear_within(link: socket.socket, within_s: float) -> bool:
    """Tell whether a message came in time; it is dropped."""
    return bool(select.select([link], [], [], max(0.0, within_s))[0]) and hear(link) is not None


def _lines(path: Path) -> list[str]:
    return [line.split(" ", 1)[1] for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def rig(folder: Path, adb: AdbServer, kind: Kind = ADD) -> Iterator[Rig]:
    """Have a rig for a while."""
    made = Rig(folder, adb, kind)
    try:
        yield made
    finally:
        made.close()
