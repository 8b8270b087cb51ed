"""The right to make lasting taps for tests of flows, and ways to break one of those taps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.commit import Commit
from agent.errors import AnswerLost
from agent.owner import Mark
from agent.phone import Phone

MARK = Mark(farm_id="farm", farm_epoch=1, phone_epoch=1, host="host", boot_id="boot", spool_id="spool")


class Crash(BaseException):
    """The agent is gone: nothing catches it, nothing is cleaned up."""


class Arm:
    """Counts how often a task was armed; `error` is raised in place of arming."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error


def commit_of(
    phone: Phone,
    arm: Callable[[], None] = lambda: None,
    check: Callable[[], None] = lambda: None,
    keys: list[str] | None = None,
) -> Commit:
    """Return a task's right to make lasting taps; `keys` gets what is armed."""

    def record(object_key: str) -> None:
        arm()
        if keys is not None:
            keys.append(object_key)

    return Commit(phone, arm=record, check=check, mark=lambda: MARK)


class Taps:
    """Counts the lasting taps on one phone; the `broken` one (from 1) goes wrong as told.

    lost: made, no answer. never: not made, no answer. before, after: the agent dies around it.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, phone: Phone, *, broken: int = 0, how: str = ""
    ) -> None:
        self.count = 0
        self._real: Callable[..., None] = phone.commit
        self._broken, self._how = broken, how
        monkeypatch.setattr(phone, "commit", self._tap)

    def _tap(self, *args: Any, **kwargs: Any) -> None:
        self.count += 1
        how = self._how if self.count == self._broken else ""
        if how == "before":
            raise Crash
        if how != "never":
            self._real(*args, **kwargs)
        if how == "after":
            raise Crash
        if how in ("lost", "never"):
            raise AnswerLost
