"""How many friends one phone adds in an hour: stock uiautomator2 and our agent, on one virtual phone.

Both do the same add by number with the same greeting, and take turns. Neither pauses, and no quota is asked.
Ours does all that the agent does from one task to the next: it reads the page of new friends, claims the
phone, arms durably, looks anew before each of the taps that last, reads back what it typed, and reads the
outcome. Ends with 1 if ours is slower.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import adbutils
import uiautomator2

from agent.boottime import boot_id, boot_ms
from agent.errands import Errands
from agent.evidence import Evidence
from agent.grip import Grip
from agent.intents import Intents
from agent.model import FriendAdd, LeasedTask, Settings
from agent.observe import Observer
from agent.outbox import Outbox
from agent.phone import Phone
from agent.wechat import identity
from protos import crashpoint
from tests.support.adb import AdbServer, adb_server, bundled_adb

GREETING = "您好，我是小店的客服"
HOUR_S = 3600.0
SCENARIO = """
[phones_like]
count = 1
[[people_like]]
count = {count}
mobile = "138{{n:08}}"
"""


@contextmanager
def virtual_phone(people: int, time_scale: float) -> Iterator[tuple[str, str]]:
    """Run one virtual phone in a process of its own; gives its address and the control URL."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "bench.toml"
        scenario.write_text(SCENARIO.format(count=people), encoding="utf-8")
        command = [sys.executable, "-m", "agent", "virtual", "--scenario", str(scenario)]
        process = subprocess.Popen(
            [*command, "--time-scale", str(time_scale)], stdout=subprocess.PIPE, text=True
        )
        try:
            if process.stdout is None or not (line := process.stdout.readline()):
                raise SystemExit("the virtual phone did not start")
            yield line.split()[1], process.stdout.readline().split()[1]
        finally:
            process.kill()
            process.communicate(timeout=10)


class Ours:
    """The agent without its session: tasks come from here, everything else is the real thing."""

    def __init__(self, address: str, adb_port: int, folder: Path) -> None:
        self._grip = Grip(
            partial(Phone.open, address, adb_host="127.0.0.1", adb_port=adb_port), pause=self._pause
        )
        self._outbox = Outbox.open(folder / "outbox.db")
        self._outbox.enter_epoch(1, farm_id="bench", farm_epoch=1)
        self._outbox.account_id = identity.read_account(self._grip.phone)
        self._settings = Settings(unattended=True, account_id=self._outbox.account_id)
        self._intents = Intents(self._outbox)
        self._observer = Observer(self._outbox)
        self._errands = Errands(
            self._grip,
            self._outbox,
            self._intents,
            Evidence(folder / "evidence"),
            may_go_on=lambda _: True,
            pause=self._pause,
        )
        self._n = 0

    @staticmethod
    def _pause(seconds: float) -> bool:
        time.sleep(seconds)
        return True

    def add(self, mobile: str) -> None:
        """Do one task from its lease to its end."""
        self._n += 1
        task = LeasedTask(
            task_id=f"bench.{self._n}",
            job_id="bench",
            attempt=1,
            permit_id="bench",
            phone_epoch=1,
            until_boot_ms=boot_ms() + 120_000,
            boot_id=boot_id(),
            action=FriendAdd(query=mobile, query_kind="mobile", greeting=GREETING, remark=""),
        )
        self._observer.observe(self._grip.phone, may_name=False)
        self._intents.receive(task)
        refusal = self._errands.refuse(task, self._settings)
        if refusal:
            raise SystemExit(f"ours refused a task: {refusal}")
        self._errands.do(task, self._settings)

    def close(self) -> None:
        """End what runs on the phone."""
        self._grip.close()
        self._outbox.close()


class Stock:
    """The script a firm would write: no check but that the next thing to tap is there."""

    def __init__(self, address: str, adb_port: int) -> None:
        self._d = uiautomator2.connect(adbutils.AdbClient("127.0.0.1", adb_port).device(address))

    def add(self, mobile: str) -> None:
        """Add a person by number."""
        d = self._d
        while not d(description="更多功能按钮").wait(timeout=0.5):
            d.press("back")
        d(description="更多功能按钮").click()
        d(text="添加朋友").click()
        d(textContains="手机号").click()
        d(className="android.widget.EditText").set_text(mobile)
        d(textStartsWith="搜索:").click()
        d(text="添加到通讯录").click()
        d(text="申请添加朋友").wait()
        d(className="android.widget.EditText").set_text(GREETING)
        d(text="发送").click()
        d(text="添加到通讯录").wait()


def truth(control: str) -> dict[str, int]:
    """Return how many requests the world counted, by mobile."""
    with urllib.request.urlopen(f"{control}/truth", timeout=10) as answer:
        phones: list[dict[str, Any]] = json.load(answer)["phones"]
    return {one["query"]: one["count"] for one in phones[0]["requests"]}


def measure(sides: dict[str, Any], rounds: int) -> dict[str, list[float]]:
    """Return how long each add of each side took, in s; the sides take turns."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    people = iter(range(1, 10_000))
    for turn in range(rounds + 1):
        for name, side in sides.items():
            began = time.perf_counter()
            side.add(f"138{next(people):08}")
            if turn:  # the first of each finds everything cold
                times[name].append(time.perf_counter() - began)
    return times


def profiled(ours: Ours, mobile: str) -> list[tuple[str, int, float]]:
    """Return how often each call to the phone was made in one more add, and the seconds spent in it."""
    spent: dict[str, list[float]] = {}
    began: dict[str, float] = {}

    def note(place: str) -> None:
        head, _, call = place.rpartition(".")
        if head == "device.before":
            began[call] = time.perf_counter()
        elif head == "device.after" and call in began:
            spent.setdefault(call, []).append(time.perf_counter() - began.pop(call))

    crashpoint.record(note)
    whole = time.perf_counter()
    ours.add(mobile)
    whole = time.perf_counter() - whole
    rows = [(call, len(each), sum(each)) for call, each in spent.items()]
    rows.sort(key=lambda row: -row[2])
    return [*rows, ("everything else", 1, whole - sum(row[2] for row in rows))]


def run(adb: AdbServer, rounds: int, time_scale: float) -> float:
    """Print a row for each side and return how many times as fast ours is."""
    with (
        virtual_phone(2 * rounds + 4, time_scale) as (address, control),
        tempfile.TemporaryDirectory() as kept,
    ):
        adb.connect(address)
        adb.wait_state(address, "device")
        # Ours starts the server on the phone; the stock client finds it running and uses it.
        ours = Ours(address, adb.port, Path(kept))
        try:
            stock = Stock(address, adb.port)
            times = measure({"stock": stock, "ours": ours}, rounds)
            profile = profiled(ours, f"138{2 * rounds + 3:08}")
            counted = truth(control)
        finally:
            ours.close()
            adb.run("disconnect", address)
    if set(counted.values()) != {1} or len(counted) != 2 * rounds + 3:
        raise SystemExit(f"{len(counted)} people got a request, {2 * rounds + 3} should have, once each")
    median = {name: statistics.median(each) for name, each in times.items()}
    print(f"time scale of the phone {time_scale:g}, {rounds} adds each")
    print(f"{'':8} {'s an add':>9} {'adds/hour':>10} {'slowest':>8}")
    for name, each in times.items():
        print(f"{name:8} {median[name]:9.2f} {HOUR_S / median[name]:10.0f} {max(each):8.2f}")
    ratio = median["stock"] / median["ours"]
    print(f"ours makes {ratio:.1f} times as many")
    print("one add of ours:")
    for call, count, seconds in profile:
        print(f"  {call:32} {count:4} x {1000 * seconds:8.0f} ms")
    print()
    return ratio


def explorations() -> None:
    """Print what the last runs of the crash test counted, if there are any."""
    folder = Path(__file__).parents[2] / ".pytest_cache" / "d" / "explorations"
    for path in sorted(folder.glob("*.json")):
        found = json.loads(path.read_text())
        share = found["unknown"] / max(1, found["cases"])
        print(
            f"{found['what']}: {found['cases']} cases, twice {found['twice']}, over {found['over']},"
            f" lost {found['lost']}, unknown {share:.1%}"
        )


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--time-scale", type=float, action="append", help="1 = a phone that draws as slowly as a real one"
    )
    options = parser.parse_args()
    with adb_server(bundled_adb()) as adb:
        ratios = [run(adb, options.rounds, scale) for scale in options.time_scale or (1.0, 0.0)]
    explorations()
    return 0 if min(ratios) >= 1.0 else 1


if __name__ == "__main__":
    sys.exit(main())
