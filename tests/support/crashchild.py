"""Forks agents and controllers of the crash rig: a process with the imports done, and what its children do.

Run as `python -m tests.support.crashchild FD`. Each request comes with the descriptor of a connection for the
child; what the child is asked to do wrong stands in the request.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from protos import crashpoint

MESSAGE_BYTES = 1 << 20
PRELOAD = (
    "agent.process",
    "agent.nursery",
    "agent.driver",
    "uiautomator2",
    "lxml.etree",
    "grpc",
    "grpc.aio",
    "grpc._channel",
    "encodings.idna",
    "controller.core",
    "controller.store.sqlite",
    "controller.corethread",
    "controller.rpc.service",
    "protos.fleet_pb2_grpc",
    "tests.support.crashswitches",
)
Message = dict[str, Any]

# A process that waits less between its tries; nothing here changes what it does.
HASTE: dict[str, dict[str, object]] = {
    "agent.runner": {"NAP_S": 0.02, "TROUBLE_PAUSES_S": (0.05,), "FLUSH_S": 0.2},
    "agent.session": {"FIRST_PAUSE_S": 0.02, "LONGEST_PAUSE_S": 0.1},
    "agent.capture.sweep": {"SKIP_S": 0.2, "WHOLE_LIST_EVERY_S": 1.0},
    "agent.wechat.friends": {"ANSWER_LIMIT_S": 2.0, "SENT_LIMIT_S": 1.0},
    "agent.wechat.moments": {"ANSWER_LIMIT_S": 1.5},
    "agent.wechat.momentswalk": {"POPUP_LIMIT_S": 1.5, "MORE_LIMIT_S": 1.0},
}
TAP = "agent.before_tap"
# What the rig itself asks the controller is no part of the farm's work.
ASKED = (".tasks", ".blockers")
LONGEST_PAUSE_S = 0.005


def say(link: socket.socket, message: Message) -> None:
    """Send one message; a reader that is gone does not matter."""
    with suppress(OSError):
        link.send(json.dumps(message).encode())


def hear(link: socket.socket) -> Message | None:
    """Return the next message, None at the end."""
    packet = link.recv(MESSAGE_BYTES)
    return json.loads(packet) if packet else None


def plan(message: Message, link: socket.socket) -> None:
    """Note where this process records, meets a fault, freezes or ends."""
    if path := message.get("log"):
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

        def note(name: str) -> None:
            if not name.endswith(ASKED):
                os.write(log, f"{time.monotonic():.3f} {name}\n".encode())

        crashpoint.record(note)
    # The rig counts the taps that are meant, and compares them with those that the phone saw.
    crashpoint.record(lambda name: name == TAP and say(link, {"at": "tap"}))
    for name, n, what, after in message.get("acts", ()):
        act = _act(what, link)
        if after:
            place, _, since = after.rpartition(":")
            crashpoint.arm(place, int(since), partial(crashpoint.arm, name, n, act))
        else:
            crashpoint.arm(name, n, act)


def _act(what: Any, link: socket.socket) -> Callable[[], object]:
    if what == "crash":

        def crash() -> None:
            say(link, {"at": "crash"})
            crashpoint.die()

        return crash
    if what == "freeze":

        def freeze() -> None:
            say(link, {"at": "frozen"})
            os.kill(os.getpid(), signal.SIGSTOP)

        return freeze

    def ask() -> None:
        say(link, {"at": "fault", "fault": what})
        hear(link)

    return ask


# ---- an agent


def _hasten(message: Message) -> None:
    """Wait less in this process; a name that is gone is an error, not a slow test."""
    from tests.support import crashrules

    margin = {"LEASE_MARGIN_MS": crashrules.SHORT_MARGIN_MS} if message.get("expires") else {}
    for module, values in {**HASTE, "agent.intents": margin, "agent.verdicts": margin}.items():
        found = importlib.import_module(module)
        for name, value in values.items():
            assert hasattr(found, name), f"{module} has no {name} any more"
            setattr(found, name, value)


def be_agent(message: Message, link: socket.socket) -> None:
    """Run the life of one phone as `farm-agent` does, in more of a hurry."""
    from agent import process
    from agent.config import ADB_HOST, decode
    from agent.grip import Grip
    from tests.support import crashswitches

    _hasten(message)

    def pause(seconds: float) -> None:
        time.sleep(min(seconds, LONGEST_PAUSE_S))

    def patiently(seconds: float) -> bool:
        pause(seconds)
        return True

    settings = decode(message["config"])
    switch = crashswitches.SWITCHES[message.get("switch", "")]
    stop = process._Stop()
    stop.pause = patiently  # type: ignore[method-assign]  # shorter, and nobody asks this process to stop

    def open_phone() -> Any:
        driver = switch.driver(message["address"], adb_host=ADB_HOST, adb_port=settings.adb_port)
        phone = switch.phone(driver, pause=pause)
        try:
            phone.ping()
        except BaseException:
            driver.close()
            raise
        return phone

    def announce(state: str, cause: str) -> None:
        say(link, {"at": "state", "state": state, "cause": cause})

    switch.apply()
    grip = Grip(open_phone, patiently)
    process._live(settings, grip.phone.facts(), grip, announce, stop)


# ---- a controller


def be_controller(message: Message, link: socket.socket) -> None:
    """Serve agents from a database, and answer the rig what its core answers."""
    from controller.clock import SystemClock
    from controller.core import Core, CoreSettings
    from controller.corethread import CoreThread
    from controller.model import JobId
    from controller.rpc.service import FleetServer
    from controller.store import open_store
    from tests.support import crashrules, crashswitches

    crashswitches.SWITCHES[message.get("switch", "")].apply()
    store = open_store(message["store"])
    core = Core(store, SystemClock(), CoreSettings(**crashrules.settings(**message["settings"])))
    thread = CoreThread()
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def on_loop(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    async def make() -> FleetServer:
        return FleetServer(core, thread, "crash-farm")

    server = on_loop(make())
    on_loop(server.start(f"127.0.0.1:{message['port']}"))
    say(link, {"at": "serving"})
    while (asked := hear(link)) is not None:
        rows = on_loop(thread.call(core.jobs.tasks, JobId(asked["job"])))
        holds = on_loop(thread.call(core.jobs.blockers, JobId(asked["job"])))
        hold = next((held.cause for held in holds.values() if held is not None), "")
        tasks = [[str(row.state), row.outcome, row.cause] for row in rows]
        say(link, {"at": "tasks", "tasks": tasks, "hold": hold})


# ---- the process that forks them


def be_killfarm(message: Message, link: socket.socket) -> None:
    """Be a process of the farm that is killed under load."""
    from tests.support import killfarm

    killfarm.be_killfarm(message, link)


ROLES = {"agent": be_agent, "controller": be_controller, "killfarm": be_killfarm}


def _be_born(message: Message, link: socket.socket, parent: int) -> None:
    status = 1
    try:
        from agent.nursery import die_with_parent

        die_with_parent(parent)
        if path := message.get("errors"):
            errors = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(errors, 2)
        plan(message, link)
        ROLES[message["role"]](message, link)
        status = 0
    except BaseException as error:  # noqa: BLE001 -- the last frame of this process
        traceback.print_exc()
        say(link, {"at": "ended", "of": type(error).__name__})
    finally:
        sys.stderr.flush()
        os._exit(status)


def reap() -> None:
    """Forget the children that ended; the one asked for last is kept until now, so that its id is its own."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main() -> None:
    """Fork for each request until the rig is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in PRELOAD:
        importlib.import_module(name)
    from agent.nursery import warm_up

    warm_up()
    say(control, {"at": "ready"})
    while True:
        packet, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 1)
        if not packet:
            return
        with socket.socket(fileno=descriptors[0]) as link:
            reap()
            message = json.loads(packet)
            for name in message.get("imports", ()):
                importlib.import_module(name)
            me = os.getpid()
            pid = os.fork()
            if pid == 0:
                control.close()
                _be_born(message, link, me)
            say(control, {"pid": pid})


def command(descriptor: int) -> list[str]:
    """Return how to start this module."""
    return [sys.executable, "-m", "tests.support.crashchild", str(descriptor)]


ROOT = Path(__file__).parents[2]

if __name__ == "__main__":
    main()
