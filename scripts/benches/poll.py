"""What a look at a phone costs this host: stock dump and parse against ours, unchanged and changed pages.

Both sides look at one virtual phone, which runs in a process of its own, behind real adb; compared is the CPU
time of this process. Then a chat is captured, and the dumps it took are counted per message. Ends with 1 if a
ratio is below its goal. The phone's own work, by far the larger part on a real one, is in neither side.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import adbutils
import uiautomator2

from agent.capture.chatlog import ChatRead, Tail
from agent.capture.chats import look_over, read_chat
from agent.driver import Driver
from agent.phone import Phone
from agent.wechat.screens import ScreenName
from scripts.benches.driver import open_chat, virtual_phone
from tests.support.adb import AdbServer, adb_server, bundled_adb

GOAL_UNCHANGED, GOAL_CHANGED = 50.0, 2.5


@dataclass
class Counted:
    """A driver's calls, counted by method."""

    driver: Driver
    dumps: int = 0

    def __post_init__(self) -> None:
        call = self.driver.call

        def counted(method: str, *params: object, **how: float) -> object:
            self.dumps += method == "dumpWindowHierarchy"
            return call(method, *params, **how)

        self.driver.call = counted  # type: ignore[method-assign]  # the bench counts, the product does not


def cpu_ms(call: Callable[[], object]) -> float:
    """Return the CPU time a call takes in this process, in ms."""
    began = time.process_time()
    call()
    return (time.process_time() - began) * 1000


def scroll_unseen(phone: Phone, share: float) -> None:
    """Move the chat in front by a part of its height, without a look at what that comes to."""
    screen = phone.expect(ScreenName.CHAT, what="a chat")
    first = screen.lists()[0]
    phone.scroll(screen.spot(first), first.box, share=share)


def measure(adb: AdbServer, address: str, rounds: int) -> tuple[float, float]:
    """Print all rows and return how many times cheaper an unchanged and a changed page are."""
    adb.connect(address)
    adb.wait_state(address, "device")
    driver = Driver(address, adb_host="127.0.0.1", adb_port=adb.port)
    counted, phone = Counted(driver), Phone(driver)
    try:
        capture(phone, counted)
        open_chat(phone)
        stock = uiautomator2.connect(adbutils.AdbClient("127.0.0.1", adb.port).device(address))

        def stock_look() -> object:
            return stock.xpath("//*[@text='无']").exists

        taken: dict[str, list[float]] = {"stock": [], "unchanged": [], "changed": []}
        stock_look(), phone.glimpse(), phone.page()
        for turn in range(rounds):
            taken["stock"].append(cpu_ms(stock_look))
            taken["unchanged"].append(cpu_ms(phone.glimpse))
            if turn % 4 == 0:
                scroll_unseen(phone, 0.3 if turn % 8 == 0 else -0.3)
                taken["changed"].append(cpu_ms(phone.page))
    finally:
        driver.close()
    found = {name: statistics.median(times) for name, times in taken.items()}
    print(f"{'CPU of this host, ms a look':36} {'ms':>8} {'times cheaper':>14}")
    for name, ms in found.items():
        print(f"{name:36} {ms:8.3f} {found['stock'] / ms:14.1f}")
    return found["stock"] / found["unchanged"], found["stock"] / found["changed"]


def capture(phone: Phone, counted: Counted) -> None:
    """Read all chats and print how many dumps a message took."""
    reads: list[ChatRead] = []
    tails: dict[str, Tail] = {}
    for row in look_over(phone, lambda _: True, is_whole_list=True).hints:
        counted.dumps = 0
        reads.append(read_chat(phone, row, lambda key: tails.get(key, Tail(0, ()))))
        count = max(1, len(reads[-1].new))
        print(f"first visit: {counted.dumps} dumps for {count} messages, {counted.dumps / count:.2f} each")


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    with adb_server(bundled_adb()) as adb, virtual_phone() as address:
        unchanged, changed = measure(adb, address, options.rounds)
    print(f"goals {GOAL_UNCHANGED:.0f} and {GOAL_CHANGED}, reached {unchanged:.1f} and {changed:.1f}")
    return 0 if unchanged >= GOAL_UNCHANGED and changed >= GOAL_CHANGED else 1


if __name__ == "__main__":
    sys.exit(main())
