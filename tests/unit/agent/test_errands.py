"""An armed task is settled by looking: with the account that armed it, and not by one look that failed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.boottime import boot_id, boot_ms
from agent.errands import SETTLES, Errands
from agent.errors import Moved, PhoneGone, Unreadable
from agent.evidence import Evidence
from agent.grip import Grip
from agent.hand import Hand
from agent.intents import Intents
from agent.model import FriendAdd, LeasedTask
from agent.outbox import Outbox
from agent.phone import Phone
from protos import wire
from protos.facts import TaskEnded


class Gone(Phone):
    """A handset that cannot be looked at any more."""

    def __init__(self) -> None:
        pass

    def home(self, *, is_own_way: bool = False) -> None:  # type: ignore[override]  # it never returns
        raise PhoneGone

    def screenshot(self) -> bytes:
        raise PhoneGone

    def close(self) -> None:
        pass

    def heed(self, hand: Hand) -> None:
        pass


class Restless(Gone):
    """A handset on which nothing stands still long enough to be tapped."""

    def home(self, *, is_own_way: bool = False) -> None:  # type: ignore[override]  # it never returns
        raise Moved

    def rest(self, seconds: float) -> None:
        pass


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox.open(tmp_path / "a.db")
    yield made
    made.close()


def armed(
    outbox: Outbox, account_id: str, folder: Path, handset: type[Gone] = Gone
) -> tuple[Errands, Intents, LeasedTask]:
    """Return the errands of a phone with one task armed by an account."""
    intents = Intents(outbox)
    task = LeasedTask(
        task_id="t1",
        job_id="j",
        attempt=1,
        permit_id="p",
        phone_epoch=0,
        until_boot_ms=boot_ms() + 120_000,
        boot_id=boot_id(),
        action=FriendAdd(query="q", query_kind="mobile", greeting="", remark=""),
    )
    outbox.account_id = account_id
    intents.receive(task)
    intents.arm(task)
    grip = Grip(handset, lambda _: True)
    errands = Errands(
        grip, outbox, intents, Evidence(folder), may_go_on=lambda _: True, pause=lambda _: True, host="h"
    )
    return errands, intents, task


@pytest.mark.parametrize(("armed_as", "seen"), [("a", "b"), ("", "a"), ("", "")])
def test_another_or_an_unknown_account_is_not_asked(
    outbox: Outbox, tmp_path: Path, armed_as: str, seen: str
) -> None:
    errands, intents, task = armed(outbox, armed_as, tmp_path)
    outbox.account_id = seen
    errands.settle(task)
    assert intents.armed() == []
    ended = wire.unseal(outbox.batch(1)[-1]).fact
    assert isinstance(ended, TaskEnded)
    assert (ended.result, ended.outcome) == ("unknown", "answer_lost")


def test_an_account_that_is_not_shown_is_looked_for_again(outbox: Outbox, tmp_path: Path) -> None:
    errands, intents, task = armed(outbox, "a", tmp_path)
    outbox.account_id = ""
    for _ in range(SETTLES - 1):
        with pytest.raises(Unreadable):
            errands.settle(task)
        assert intents.armed() == [task]
    outbox.account_id = "a"
    with pytest.raises(PhoneGone):
        errands.settle(task)
    outbox.account_id = ""
    errands.settle(task)
    assert intents.armed() == []
    ended = wire.unseal(outbox.batch(1)[-1]).fact
    assert isinstance(ended, TaskEnded)
    assert (ended.result, ended.outcome, ended.evidence) == ("unknown", "screen_unreadable", "Unreadable")


def test_the_account_that_armed_it_is_asked(outbox: Outbox, tmp_path: Path) -> None:
    errands, intents, task = armed(outbox, "a", tmp_path)
    with pytest.raises(PhoneGone):
        errands.settle(task)
    assert intents.armed() == [task]


def test_a_look_that_fails_leaves_it_armed_to_be_looked_at_again(outbox: Outbox, tmp_path: Path) -> None:
    errands, intents, task = armed(outbox, "a", tmp_path, Restless)
    for _ in range(SETTLES - 1):
        with pytest.raises(Moved):
            errands.settle(task)
        assert intents.armed() == [task]
    # It must not hold the phone for ever: then a person has to judge it, and its permit stays spent.
    errands.settle(task)
    assert intents.armed() == []
    ended = wire.unseal(outbox.batch(1)[-1]).fact
    assert isinstance(ended, TaskEnded)
    assert (ended.result, ended.outcome, ended.evidence) == ("unknown", "screen_unreadable", "Moved")
