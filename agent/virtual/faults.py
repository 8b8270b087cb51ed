"""Faults of one virtual phone, scripted per method and by count, and conditions that hold.

A method is one of JSON-RPC ("click"), "shell" for a whole line of the shell, or "shell:input" for a command.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """What can go wrong. The first group strikes an RPC, the second the start of the server.

    Of those hang, hang_after_act, drop, lost_after_act, slow and the two of the plug strike a command of the
    shell; a whole line is struck before it runs.
    """

    HANG = "hang"  # never answered, not acted on
    HANG_AFTER_ACT = "hang_after_act"  # acted on, never answered
    DROP = "drop"  # connection closed, not acted on
    LOST_AFTER_ACT = "lost_after_act"  # acted on, connection closed
    HALF_REPLY = "half_reply"  # acted on, half of the answer
    HTTP_500 = "http_500"  # acted on, status 500
    NOT_CONNECTED = "not_connected"  # acted on, "UiAutomation not connected"
    DEAD_OBJECT = "dead_object"  # acted on, DeadObjectException
    SLOW = "slow"  # `ms` later than usual
    EMPTY_TREE = "empty_tree"  # the screen has no nodes for this call
    SCRAMBLED_TREE = "scrambled_tree"  # nodes without text, description, id or class
    NONSENSE_TREE = "nonsense_tree"  # words and ids without sense, in another structure each time
    SERVER_KILLED = "server_killed"  # the server process dies at this call, not acted on

    UNPLUG = "unplug"  # the cable is pulled, not acted on; `plug` puts it back
    UNPLUG_AFTER_ACT = "unplug_after_act"  # acted on, the cable is pulled before the answer

    START_ALREADY_REGISTERED = "start_already_registered"
    START_CRASH = "start_crash"
    START_SLOW = "start_slow"  # listens only `ms` (default 40 s) later

    STORAGE_FULL = "storage_full"
    SCREEN_OFF = "screen_off"
    MUTE = "mute"  # adbd reads and writes nothing
    UNAUTHORIZED = "unauthorized"  # the person has not accepted the host's key


# These are states of the phone, not events: they hold until cleared, whatever the count.
CONDITIONS = frozenset({Fault.STORAGE_FULL, Fault.SCREEN_OFF, Fault.MUTE, Fault.UNAUTHORIZED})
ANY = "*"  # any method of JSON-RPC; a shell is named
SHELL = "shell"


@dataclass(slots=True)
class Planned:
    """One fault that waits for its method; `left` None = until cleared, `ms` only for the slow ones."""

    fault: Fault
    method: str
    left: int | None
    ms: int


class Faults:
    """The faults of one phone. Calls are made on the loop of the virtual phones."""

    def __init__(self) -> None:
        self._planned: list[Planned] = []
        self._watchers: list[Callable[[], None]] = []
        self.pull_plug: Callable[[], None] = lambda: None  # set by the port the phone hangs on

    def set(self, name: str, method: str = ANY, count: int | None = 1, ms: int = 0) -> None:
        """Plan a fault for the next `count` calls of a method, None: until cleared; ValueError if unknown."""
        fault = Fault(name)
        left = None if fault in CONDITIONS else count
        self._planned = [p for p in self._planned if (p.fault, p.method) != (fault, method)]
        if left is None or left > 0:
            self._planned.append(Planned(fault, method, left, ms))
        self._changed()

    def clear(self, name: str | None = None) -> None:
        """Forget one fault by name, or all."""
        self._planned = [p for p in self._planned if name is not None and p.fault != name]
        self._changed()

    def holds(self, name: str) -> bool:
        """Tell whether a fault is planned, without using it up."""
        return any(p.fault == name for p in self._planned)

    def take(self, name: str, method: str = ANY) -> Planned | None:
        """Use a fault up once if it is planned for this method."""
        for planned in self._planned:
            is_any = planned.method == ANY and not method.startswith(SHELL)
            if planned.fault == name and (is_any or planned.method == method):
                if planned.left is not None:
                    planned.left -= 1
                    if planned.left <= 0:
                        self._planned.remove(planned)
                return planned
        return None

    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at each change; returns the function that ends it."""
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the planned faults as plain values."""
        return [
            {"name": str(p.fault), "method": p.method, "count": p.left, "ms": p.ms} for p in self._planned
        ]

    def from_json(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace all faults by those of `to_json`; count and ms may be absent. ValueError if unknown."""
        self.clear()
        for row in rows:
            self.set(row["name"], row.get("method", ANY), row.get("count", 1), row.get("ms", 0))

    def _changed(self) -> None:
        for callback in list(self._watchers):
            callback()
