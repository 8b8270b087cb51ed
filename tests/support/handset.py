"""A farm of virtual phones behind a private adb server, and the agent's own hands on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from agent.driver import Driver
from agent.phone import Phone
from agent.virtual.farm import VirtualFarm, VirtualPhone
from agent.virtual.scenario import Scenario
from tests.support.adb import AdbServer


@dataclass
class Handsets:
    """The farm, its adb server, and what was opened on it."""

    farm: VirtualFarm
    adb: AdbServer
    stack: ExitStack = field(default_factory=ExitStack)

    def open(self, phone: VirtualPhone) -> Phone:
        """Return the agent's phone over a virtual one."""
        self.connect(phone)
        opened = Phone.open(phone.address, adb_host="127.0.0.1", adb_port=self.adb.port)
        self.stack.callback(opened.close)
        return opened

    def driver(self, phone: VirtualPhone) -> Driver:
        """Return a driver over a virtual phone."""
        self.connect(phone)
        driver = Driver(phone.address, adb_host="127.0.0.1", adb_port=self.adb.port)
        self.stack.callback(driver.close)
        return driver

    def connect(self, phone: VirtualPhone) -> None:
        self.adb.connect(phone.address)
        self.adb.wait_state(phone.address, "device")

    def truth(self, phone: VirtualPhone) -> dict[str, Any]:
        """Return what really happened on one phone."""
        rows: list[dict[str, Any]] = self.farm.truth()["phones"]
        return next(row for row in rows if row["serial"] == phone.serial)

    def requests(self, phone: VirtualPhone) -> dict[str, int]:
        """Return how many requests really went out, by what was searched."""
        return {row["query"]: row["count"] for row in self.truth(phone)["requests"]}


@contextmanager
def handsets(
    scenario: Scenario, adb: AdbServer, *, count: int | None = None, time_scale: float = 0.05, seed: int = 0
) -> Iterator[Handsets]:
    """Run a farm; what was opened on it is closed first."""
    with VirtualFarm(scenario, count=count, time_scale=time_scale, seed=seed) as farm:
        hands = Handsets(farm, adb)
        try:
            yield hands
        finally:
            hands.stack.close()
            for phone in farm.phones:
                adb.run("disconnect", phone.address)
