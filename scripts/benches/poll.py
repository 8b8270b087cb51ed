"""What a look at a phone costs this host: stock dump and parse against ours, unchanged and changed pages.

Both sides look at one virtual phone, which runs in a process of its own, behind real adb; compared is the CPU
time of this process, medians of rows of looks that take turns. The bare exchange of the same bytes tells what
no look can go below. First chats are read, their dumps counted per message. Ends with 1 if a
ratio is below its goal. The phone's own work, by far the larger part on a real one, is in neither side.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import adbutils
import uiautomator2

from agent import jsonrpc
from agent.capture.chatlog import ChatRead, Tail
from agent.capture.chats import look_over, read_chat
from agent.driver import CALL_LIMIT_S, MAX_DEPTH, RPC_PATH, SERVER_PORT, Driver
from agent.line import ready
from agent.phone import Phone
from agent.trees import DUMP, Tree
from agent.wechat.screens import ScreenName
from scripts.benches.driver import open_chat, virtual_phone
from tests.support.adb import AdbServer, adb_server, bundled_adb

GOAL_UNCHANGED, GOAL_CHANGED = 50.0, 2.5
# Looks of one side in a row, as a host that polls makes them; then it is the other side's turn.
ROW = 16
ALONE, BARE = "unchanged, first after stock", "bare send and receive"


@dataclass
class Counted:
    """A driver whose dumps are counted until `stop`."""

    driver: Driver
    dumps: int = 0

    def __post_init__(self) -> None:
        dump = self.driver.dump

        def counted(*, within_s: float = CALL_LIMIT_S) -> Tree:
            self.dumps += 1
            return dump(within_s=within_s)

        self.driver.dump = counted  # type: ignore[method-assign]  # the bench counts, the product does not

    def stop(self) -> None:
        """Count no more."""
        del self.driver.dump


def row_ms(look: Callable[[], object]) -> float:
    """Return the CPU time of a look in this process, in ms, of several in a row."""

    def row() -> None:
        for _ in range(ROW):
            look()

    return cpu_ms(row) / ROW


def cpu_ms(call: Callable[[], object]) -> float:
    """Return the CPU time a call takes in this process, in ms."""
    began = time.process_time()
    call()
    return (time.process_time() - began) * 1000


def bare_look(phone: adbutils.AdbDevice) -> Callable[[], object]:
    """Return what asks for a tree and looks at no byte of the answer: no look can cost less."""
    request = ready("POST", RPC_PATH, jsonrpc.request(DUMP, [False, MAX_DEPTH]))
    sock: socket.socket = phone.create_connection(adbutils.Network.TCP, SERVER_PORT)
    sock.settimeout(None)
    room = bytearray(1 << 20)

    def look() -> int:
        sock.sendall(request)
        seen = sock.recv_into(room)
        head = room.find(b"\r\n\r\n", 0, seen) + 4
        whole = head + int(room[:head].lower().split(b"content-length:")[1].split()[0])
        while seen < whole:
            seen += sock.recv_into(memoryview(room)[seen:])
        return seen

    return look


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
        counted.stop()
        open_chat(phone)
        stock = uiautomator2.connect(adbutils.AdbClient("127.0.0.1", adb.port).device(address))

        def stock_look() -> object:
            return stock.xpath("//*[@text='无']").exists

        taken: dict[str, list[float]] = {name: [] for name in ("stock", "unchanged", ALONE, "changed", BARE)}
        bare = bare_look(stock.adb_device)
        for look in (stock_look, phone.glimpse, phone.page):
            look()
        for turn in range(rounds):
            row_ms(phone.glimpse)  # what stands still is sent in a few orders of its windows
            taken["stock"].append(row_ms(stock_look))
            taken[ALONE].append(cpu_ms(phone.glimpse))
            taken["unchanged"].append(row_ms(phone.glimpse))
            taken[BARE].append(row_ms(bare))
            scroll_unseen(phone, -0.3 if turn % 2 else 0.3)
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
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    with adb_server(bundled_adb()) as adb, virtual_phone() as address:
        unchanged, changed = measure(adb, address, options.rounds)
    print(f"goals {GOAL_UNCHANGED:.0f} and {GOAL_CHANGED}, reached {unchanged:.1f} and {changed:.1f}")
    return 0 if unchanged >= GOAL_UNCHANGED and changed >= GOAL_CHANGED else 1


if __name__ == "__main__":
    sys.exit(main())
