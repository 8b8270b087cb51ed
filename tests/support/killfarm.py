"""A controller and many agents' streams as processes that can be killed, forked by the crash rig's nursery.

`controller URL PORT PHONES` serves until it is killed. `agents PORT FOLDER PHONES load|drain` writes messages
into each file and says what was committed and what acknowledged, or sends what waits and ends.
"""

from __future__ import annotations

import os
import random
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from agent import session as session_module
from agent.capture.chatlog import ChatRead, SeenBubble, Tail
from agent.intents import Intents
from agent.model import Bubble, Settings
from agent.outbox import Outbox
from agent.session import Greeting, Session
from agent.wire import Pulse
from controller.clock import SystemClock
from controller.store import open_store
from protos import channel
from protos.facts import PhoneFacts
from tests.support.corefarm import core_on, handset
from tests.support.rpcfarm import Edge

KEY = "k"
HOLDER = "holder"
DRAIN_WITHIN_S = 60.0
_saying = threading.Lock()


def serial_of(number: int) -> str:
    return f"V{number:03}"


def file_of(folder: Path, number: int) -> Path:
    return folder / f"{serial_of(number)}.db"


def say(*words: object) -> None:
    with _saying:
        sys.stdout.write(" ".join(map(str, words)) + "\n")
        sys.stdout.flush()


def controller(url: str, port: int, phones: int) -> None:
    core = core_on(open_store(url), SystemClock())
    if len(core.fleet.phones()) < phones:
        core.notices.record(HOLDER, version="1", how="paper", actor="op")
        for number in range(1, phones + 1):
            handset(core, number, holder=HOLDER)
    edge = Edge(core)
    edge.start(port)
    say("serving")
    threading.Event().wait()


def one_message(tail: Tail) -> tuple[int, ChatRead]:
    """Return a message whose text is a number that grows, whatever is killed between."""
    stamp = time.time_ns()
    bubble = Bubble(side="in", kind="text", text=str(stamp), time_label="")
    position = tail.position + 1
    seen = (SeenBubble(position, bubble, False),)
    return stamp, ChatRead(KEY, "title", "private", seen, "", Tail(position, (bubble,)))


class Phone:
    """One file and its stream."""

    def __init__(self, port: int, folder: Path, number: int) -> None:
        self.number = number
        self.outbox = Outbox.open(file_of(folder, number))
        self.outbox.account_id = f"wx{number:03}"
        self.session = Session(
            target=f"127.0.0.1:{port}",
            greeting=Greeting(
                phone=PhoneFacts(serial=serial_of(number), brand="phonefarm", is_virtual=True), version="1"
            ),
            outbox=self.outbox,
            intents=Intents(self.outbox),
            pulse=lambda: Pulse(state="ready", account_id=f"wx{number:03}"),
            settings=Settings(),
        )

    def write(self, most: int, pause_s: float) -> None:
        """Write until the process is killed, `most` events ahead of the controller."""
        acked = -1
        while True:
            if self.outbox.backlog < most:
                stamp, read = one_message(self.outbox.tail_of(KEY))
                self.outbox.add_chat(read)
                say("kept", self.number, stamp)
            if self.outbox.acked != acked:
                acked = self.outbox.acked
                say("acked", self.number, self.outbox.spool_id, acked)
            time.sleep(random.uniform(0, pause_s))


def agents(port: int, folder: Path, phones: int, what: str) -> None:
    # In life each agent is a process with a connection of its own; here they would share one, of 32 streams.
    apart = [*channel.agent_options(), ("grpc.use_local_subchannel_pool", 1)]
    channel.agent_options = lambda: apart
    session_module.FIRST_PAUSE_S, session_module.LONGEST_PAUSE_S = 0.05, 0.3
    all_phones = [Phone(port, folder, number) for number in range(1, phones + 1)]
    say("open")
    for phone in all_phones:
        phone.session.start()
    if what == "load":
        for phone in all_phones:
            threading.Thread(target=phone.write, args=(400, 0.01 * phones), daemon=True).start()
        threading.Event().wait()
    until_s = time.monotonic() + DRAIN_WITHIN_S
    while any(not p.session.is_connected or p.outbox.backlog for p in all_phones):
        if time.monotonic() > until_s or any(p.session.failure for p in all_phones):
            raise SystemExit(f"{sum(p.outbox.backlog for p in all_phones)} events are not archived")
        time.sleep(0.02)
    for phone in all_phones:
        phone.session.close()
        phone.outbox.close()
    say("drained")


def be_killfarm(message: dict[str, Any], link: socket.socket) -> None:
    """Do what the words of the message ask for; what is said goes over the connection."""
    os.dup2(link.fileno(), 1)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    what, *words = message["words"]
    if what == "controller":
        url, port, phones = words
        controller(url, int(port), int(phones))
    else:
        port, folder, phones, task = words
        agents(int(port), Path(folder), int(phones), task)
