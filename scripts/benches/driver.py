"""What a call to a phone costs: stock uiautomator2 and our driver on one virtual phone behind real adb.

Calls of both sides alternate in one run; medians and their ratio are printed. Ends with 1 if the ratio of a
small call is below the goal. The phone's own work is not in it: on a real one it comes on top of both sides.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import adbutils
import uiautomator2

from agent.driver import Driver
from agent.phone import Phone
from agent.wechat.pages import read_page
from agent.wechat.screens import ScreenName
from tests.support.adb import AdbServer, adb_server, bundled_adb

GOAL = 50.0


SCENARIO = """
[phones_like]
count = 1
[[people]]
nickname = "话多"
wechat_id = "huaduo"
friend_of = ["all"]
[[chats]]
peer = "huaduo"
history = 60
"""


@contextmanager
def virtual_phone() -> Iterator[str]:
    """Run one virtual phone in a process of its own and give its address."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "bench.toml"
        scenario.write_text(SCENARIO, encoding="utf-8")
        command = [sys.executable, "-m", "agent", "virtual", "--scenario", str(scenario), "--time-scale", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout is None or not (line := process.stdout.readline()):
                raise SystemExit("the virtual phone did not start")
            yield line.split()[1]
        finally:
            process.kill()
            process.communicate(timeout=10)


def ms(call: Callable[[], object]) -> float:
    """Return how long a call takes, in ms."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def alternate(sides: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median time of each side in ms; sides take turns, so that both see the same machine."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for call in sides.values():
        call()
    for _ in range(rounds):
        for name, call in sides.items():
            times[name].append(ms(call))
    return {name: statistics.median(taken) for name, taken in times.items()}


def open_chat(phone: Phone) -> None:
    """Leave a chat page in front, the largest page that is polled."""
    chats = phone.home()
    rows = [node for node in chats.page.children(chats.lists()[0]) if node.clickable]
    phone.tap(chats.spot(rows[0]))
    phone.expect(ScreenName.CHAT, what="a chat")


def measure(adb: AdbServer, address: str, rounds: int) -> float:
    """Print all rows and return the ratio of the first one."""
    adb.connect(address)
    adb.wait_state(address, "device")
    driver = Driver(address, adb_host="127.0.0.1", adb_port=adb.port)
    # Ours starts the server on the phone; the stock client finds it running and uses it.
    open_chat(Phone(driver))
    stock = uiautomator2.connect(adbutils.AdbClient("127.0.0.1", adb.port).device(address))

    def parse() -> object:
        xml = driver.call("dumpWindowHierarchy", False, 50)
        return read_page(xml, package="com.tencent.mm", activity="", read_at_s=0.0)

    def ours_on_a_new_connection() -> object:
        driver.hang_up()
        return driver.call("deviceInfo")

    rows = [
        ("deviceInfo", lambda: stock.info, lambda: driver.call("deviceInfo")),
        ("deviceInfo, new connection", lambda: stock.info, ours_on_a_new_connection),
        (
            "dump of a chat page",
            stock.dump_hierarchy,
            lambda: driver.call("dumpWindowHierarchy", False, 50),
        ),
        ("dump and parse", lambda: stock.xpath("//*[@text='无']").exists, parse),
        (
            "shell getprop",
            lambda: stock.shell("getprop ro.serialno"),
            lambda: driver.shell("getprop ro.serialno"),
        ),
    ]
    print(f"{'':28} {'stock ms':>9} {'ours ms':>9} {'ratio':>7}")
    ratios = []
    try:
        for name, old, new in rows:
            found = alternate({"stock": old, "ours": new}, rounds)
            ratios.append(found["stock"] / found["ours"])
            print(f"{name:28} {found['stock']:9.2f} {found['ours']:9.2f} {ratios[-1]:7.1f}")
    finally:
        driver.close()
    return ratios[0]


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with adb_server(bundled_adb()) as adb, virtual_phone() as address:
        ratio = measure(adb, address, options.rounds)
    print(f"goal {GOAL:.0f}, reached {ratio:.1f}")
    return 0 if ratio >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
