"""Keeps one agent process alive for each attached phone of this host; the only program that starts them."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

from agent import adbserver, keepertalk, nursery, roster
from agent.adbwatch import AdbWatch, Listing, diff
from agent.errors import AdbUnusable, AgentError
from agent.exits import Exit
from agent.hostlock import HostLock
from agent.title import ROOM

# adb 29 redials TCP phones itself, each 10 s; only those it does not know at all are asked for.
REDIAL_S = 5.0
# Everything ends within this after TERM: 10 s until KILL, and the time to reap.
STOP_WITHIN_S = 13.0


@dataclass(frozen=True, slots=True)
class _Stop:
    """A person or the service manager wants the keeper to end."""


@dataclass(frozen=True, slots=True)
class _NurseryEnded:
    """The fork server died, and all agents with it."""

    number: int


@dataclass(frozen=True, slots=True)
class KeeperSettings:
    """What the keeper needs of the configuration; `text` is all of it, for the agents.

    The configuration's own class would bring libraries that cost 4 MiB into a process that lives as long as
    the host.
    """

    lock_dir: Path
    adb_port: int
    adb_path: str
    tcp_phones: tuple[str, ...]
    text: str

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Return what `config.encode` wrote."""
        raw = json.loads(text)
        return cls(Path(raw["lock_dir"]), raw["adb_port"], raw["adb_path"], tuple(raw["tcp_phones"]), text)


_News = Listing | nursery.Message | _Stop | _NurseryEnded


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Keeper:
    """One per host and adb server; `say` gets one line for each event."""

    def __init__(self, settings: KeeperSettings, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._say = say
        self._news: queue.SimpleQueue[_News] = queue.SimpleQueue()
        self._roster = roster.Roster()
        self._listing: Listing = ()
        self._states: dict[str, str] = {}
        self._provided = ""
        self._complaint = ""
        self._stop_until_ms: int | None = None
        self._nursery: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._nursery_number = 0
        self._nursery_since_ms = 0
        self._nursery_failures = 0
        self._nursery_again_ms = 0
        self._watch: AdbWatch | None = None
        self._closing = threading.Event()

    def run(self) -> int:
        """Keep agents until SIGTERM or SIGINT; raises AlreadyRunning if this adb server has a keeper."""
        with HostLock.take(self._settings.lock_dir, f"keeper-{self._settings.adb_port}"):
            before = {
                number: signal.signal(number, lambda *_: self._news.put(_Stop()))
                for number in (signal.SIGTERM, signal.SIGINT)
            }
            try:
                self._serve()
            finally:
                self._close()
                for number, handler in before.items():
                    signal.signal(number, handler)
        return 0

    def _serve(self) -> None:
        self._start_nursery()
        self._watch = AdbWatch(
            port=self._settings.adb_port, adb_path=self._settings.adb_path, complain=self._complain
        )
        threading.Thread(target=self._read_listings, args=(self._watch,), name="adb", daemon=True).start()
        if self._settings.tcp_phones:
            threading.Thread(target=self._redial, name="redial", daemon=True).start()
        wake_at_ms: int | None = _now_ms()
        while not self._is_done():
            ended = self._next_news(wake_at_ms)
            if self._control is None and _now_ms() >= self._nursery_again_ms and not self._is_stopping():
                self._start_nursery()
            can_start = self._control is not None
            decision = roster.decide(
                self._roster,
                self._listing,
                ended,
                _now_ms(),
                stopping=self._is_stopping(),
                can_start=can_start,
            )
            self._roster = decision.roster
            for action in decision.actions:
                self._act(action)
            wake_at_ms = decision.wake_at_ms
            if not can_start and not self._is_stopping():
                wake_at_ms = min(wake_at_ms or self._nursery_again_ms, self._nursery_again_ms)
            self._count()

    def _is_stopping(self) -> bool:
        return self._stop_until_ms is not None

    def _is_done(self) -> bool:
        if self._stop_until_ms is None:
            return False
        return not self._roster.entries or _now_ms() >= self._stop_until_ms

    # ---- news

    def _next_news(self, wake_at_ms: int | None) -> list[roster.Ended]:
        """Wait for news, take all there is, and return the processes that ended."""
        if self._is_stopping():
            wake_at_ms = min(wake_at_ms or _now_ms() + 1000, _now_ms() + 1000)
        wait_s = None if wake_at_ms is None else max(0.0, (wake_at_ms - _now_ms()) / 1000)
        ended: list[roster.Ended] = []
        with suppress(queue.Empty):
            ended += self._hear(self._news.get(timeout=wait_s))
            while True:
                ended += self._hear(self._news.get_nowait())
        return ended

    def _hear(self, news: _News) -> list[roster.Ended]:
        match news:
            case _Stop():
                if self._stop_until_ms is None:
                    self._stop_until_ms = _now_ms() + int(STOP_WITHIN_S * 1000)
            case _NurseryEnded(number):
                return self._nursery_ended(number)
            case tuple():
                self._hear_listing(news)
            case {"at": "ended", "serial": str(serial), "status": int(status)}:
                self._states.pop(serial, None)
                return [roster.Ended(serial=serial, status=status)]
            case {"at": "state", "serial": str(serial), "state": str(state), "cause": str(cause)}:
                self._hear_state(serial, state, cause)
            case _:
                pass  # started and ready need no answer
        return []

    def _hear_listing(self, listing: Listing) -> None:
        for change in diff(self._listing, listing):
            if line := keepertalk.of_change(change):
                self._say(line)
        for serial, phones in keepertalk.twice(listing).items():
            if serial not in keepertalk.twice(self._listing):
                self._say(keepertalk.of_twice(serial, phones))
        self._listing = listing

    def _hear_state(self, serial: str, state: str, cause: str) -> None:
        entry = self._roster.entries.get(serial)
        if entry is None:
            return
        before = self._states.get(serial, "")
        self._states[serial] = state
        if line := keepertalk.of_state(entry.phone, before, state, cause):
            self._say(line)

    def _count(self) -> None:
        provided = sum(1 for state in self._states.values() if keepertalk.is_provided(state))
        line = f"providing {provided} of {len(self._listing)}"
        if line != self._provided and not self._is_stopping():
            self._provided = line
            self._say(line)

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._complaint = text
            self._say(f"! {text}")

    # ---- actions

    def _act(self, action: roster.Action) -> None:
        match action:
            case roster.Start(phone=phone):
                self._request(
                    {
                        "op": "start",
                        "serial": phone.serial,
                        "transport_id": phone.transport_id,
                        "slot": phone.slot,
                    }
                )
            case roster.Signal(serial=serial, number=number):
                self._request({"op": "signal", "serial": serial, "number": int(number)})
            case roster.Note():
                self._say(keepertalk.of_note(action))

    def _request(self, message: nursery.Message) -> None:
        # A fork server that died just now is noticed by its reader, which tells about all its agents.
        with suppress(OSError):
            if self._control is not None:
                nursery.send(self._control, message)

    # ---- the fork server

    def _start_nursery(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        settings = self._settings
        with theirs:
            self._nursery = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "agent.nursery",
                    str(theirs.fileno()),
                    str(os.getpid()),
                    ROOM,
                ],
                env={
                    **adbserver.environment(settings.adb_port, settings.adb_path),
                    **nursery.ENVIRONMENT,
                },
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is for the keeper, which then ends agents in order
            )
        nursery.send(ours, {"config": settings.text})
        self._control = ours
        self._nursery_since_ms = _now_ms()
        self._nursery_number += 1
        threading.Thread(
            target=self._read_nursery, args=(ours, self._nursery_number), name="nursery", daemon=True
        ).start()

    def _read_nursery(self, control: socket.socket, number: int) -> None:
        # Agents hold copies of the other end, so the connection ends with the last of them; they die with
        # their parent, at once.
        with suppress(OSError):
            while (message := nursery.receive(control)) is not None:
                self._news.put(message)
        self._news.put(_NurseryEnded(number))

    def _nursery_ended(self, number: int) -> list[roster.Ended]:
        if number != self._nursery_number or self._control is None:
            return []
        self._control.close()
        self._control = None
        if self._nursery is not None:
            self._nursery.wait()
        self._states.clear()
        lived_ms = _now_ms() - self._nursery_since_ms
        self._nursery_failures = 1 if lived_ms >= roster.QUIET_MS else self._nursery_failures + 1
        pause_ms = roster.pause_ms(self._nursery_failures)
        self._nursery_again_ms = _now_ms() + pause_ms
        if not self._is_stopping():
            self._say(f"! the fork server ended, and all agents with it; again in {pause_ms // 1000} s")
        return [
            roster.Ended(serial=serial, status=-signal.SIGKILL)
            for serial, entry in self._roster.entries.items()
            if entry.phase in (roster.Phase.RUNNING, roster.Phase.ENDING)
        ]

    # ---- threads

    def _read_listings(self, watch: AdbWatch) -> None:
        for listing in watch.listings():
            self._complaint = ""
            self._news.put(listing)

    def _redial(self) -> None:
        while not self._closing.is_set():
            known = {phone.serial for phone in self._listing}
            wait_s = REDIAL_S
            for address in self._settings.tcp_phones:
                if address in known or self._closing.is_set():
                    continue
                try:
                    adbserver.query(self._settings.adb_port, f"host:connect:{address}")
                except AdbUnusable:
                    wait_s = 1.0  # the server is being started
            self._closing.wait(wait_s)

    def _close(self) -> None:
        self._closing.set()
        if self._watch is not None:
            self._watch.close()
        if self._control is not None:
            # The end of the connection ends the fork server, and with it whatever it still has.
            self._control.shutdown(socket.SHUT_RDWR)
            self._control.close()
            self._control = None
        if self._nursery is not None:
            try:
                self._nursery.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self._nursery.kill()
                self._nursery.wait()


def become(text: str) -> NoReturn:
    """Go on in this process as `python -m agent.keeper`, without all that reading the command line took.

    `text` is the configuration as `config.encode` writes it.
    """
    handed = os.memfd_create("settings", 0)  # no flag: it must outlive the exec
    os.write(handed, text.encode())
    os.lseek(handed, 0, os.SEEK_SET)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", "agent.keeper", str(handed)])  # noqa: S606 -- ours


def _say_line(line: str) -> None:
    # Each line at once, also into a pipe: people and tests wait for it.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run as `python -m agent.keeper FD`, the configuration in that file; errors are one line on stderr."""
    with open(int(arguments[0]), encoding="utf-8") as handed:  # noqa: PTH123 -- a descriptor, no path
        settings = KeeperSettings.of_text(handed.read())
    try:
        return Keeper(settings, _say_line).run()
    except AgentError as error:
        sys.stderr.write(f"farm-agent: {error}\n")
    except Exception as error:  # noqa: BLE001 -- the last line of defence: a person must not meet a traceback
        sys.stderr.write(f"farm-agent: unexpected {type(error).__name__}\n")
    return Exit.FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
