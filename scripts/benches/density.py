"""Memory of an agent: forked from the keeper's fork server against started as a program of its own.

Both kinds drive virtual phones through a real adb server and stream to a gRPC server, in one run. What
counts is PSS (pages shared with others counted in parts); keeper and fork server are divided over agents.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from protos.fleet_pb2 import FriendAdd, Task
from tests.support import hostrig
from tests.support.fleetstub import until
from tests.support.hostrig import Host, Running

GOAL_MIB = 12.0
# Each phone adds this many friends before the second measurement: pages read, screens parsed, files written.
TASKS_EACH = 2
SCENARIO = """
[phones_like]
count = {count}
[[people_like]]
count = 999
mobile = "138{{n:08}}"
nickname = "客户{{n:03}}"
"""


def pss_mib(pid: int) -> float:
    """Return the proportional set size of a process in MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise LookupError(pid)


def each_mib(pids: list[int], count: int) -> float:
    """Return what one of `count` agents costs when these processes serve them all."""
    return sum(pss_mib(pid) for pid in pids) / count


@contextmanager
def forked(host: Host, ready: int) -> Iterator[list[int]]:
    """Run the keeper; yield its process, the fork server's and the agents'."""
    with host.keeper(host.phones) as keeper:
        keeper.wait_said(f"providing {ready} of {ready}", within_s=180)
        yield [keeper.process.pid, *(child.pid for child in keeper.descendants() if is_ours(child))]


def is_ours(process: psutil.Process) -> bool:
    """Tell an agent or the fork server from the adb server, which serves both kinds."""
    return "adb" not in Path(process.cmdline()[0]).name


@contextmanager
def spawned(host: Host) -> Iterator[list[int]]:
    """Start one program for each phone; yield their processes."""
    running: list[Running] = []
    try:
        for phone in host.phones:
            running.append(host.program("run", "--serial", phone.address))  # noqa: PERF401 -- kept one by one
        until(lambda: all(seen(host, phone.serial, "ready") for phone in host.phones), "ready agents", 180)
        yield [one.process.pid for one in running]
    finally:
        for one in running:
            one.process.terminate()
        for one in running:
            one.process.wait(15)


def seen(host: Host, serial: str, state: str) -> bool:
    """Tell whether the newest heartbeat of a phone tells this state."""
    beats = host.stub.phone(serial).heartbeats
    return bool(beats) and beats[-1].heartbeat.state == state


def work(host: Host, name: str) -> None:
    """Let every phone add its friends, and wait until all is archived and the phones are idle again."""
    tasks = len(host.phones) * TASKS_EACH
    for n in range(1, tasks + 1):
        add = FriendAdd(query=f"138{n:08}", query_kind="mobile", greeting="你好", remark="r")
        host.stub.tasks.put(Task(task_id=f"{name}-{n}", attempt=1, friend_add=add))

    def ended() -> int:
        phones = [host.stub.phone(phone.serial) for phone in host.phones]
        return sum(b"requested" in body or b"not_done" in body for p in phones for body in p.archive.values())

    until(lambda: host.stub.tasks.empty() and ended() >= tasks, f"{tasks} friends", 600)
    until(lambda: all(seen(host, phone.serial, "ready") for phone in host.phones), "idle phones", 60)


def measure(kind: str, count: int, folder: Path) -> tuple[float, float]:
    """Return MiB for each idle agent, and after work."""
    folder.mkdir()
    with hostrig.host(folder, count, SCENARIO) as host:
        host.stub.accounts = {phone.serial: phone.account_id for phone in host.phones}
        host.stub.does.heartbeat_ms = 1_000
        if kind == "forked":
            running = forked(host, count)
        else:
            for phone in host.phones:
                hostrig.adb(host, "connect", phone.address)
            running = spawned(host)
        with running as pids:
            idle = each_mib(pids, count)
            work(host, kind)
            return idle, each_mib(pids, count)


def main() -> int:
    """Measure both kinds, print a table, and return 1 if the goal is missed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--phones", type=int, default=20)
    count = asked.parse_args().phones
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        rows = {kind: measure(kind, count, Path(folder) / kind) for kind in ("forked", "spawned")}
    took_s = time.monotonic() - started_s
    print(f"{count} agents, MiB PSS each (keeper and fork server included); {took_s:.0f} s")
    print(f"{'':<10}{'idle':>8}{'worked':>8}")
    for kind, (idle, worked) in rows.items():
        print(f"{kind:<10}{idle:>8.1f}{worked:>8.1f}")
    worst = max(rows["forked"])
    print(f"ratio spawned / forked after work: {rows['spawned'][1] / rows['forked'][1]:.1f}")
    print(f"goal: {GOAL_MIB:g} MiB or less forked; {'kept' if worst <= GOAL_MIB else 'MISSED'} ({worst:.1f})")
    return 0 if worst <= GOAL_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
