"""What follows from an error in the middle of a task, and when an account may act again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.errors import (
    AnswerLost,
    LeaseLost,
    LoggedOut,
    NotInTime,
    NotOurs,
    NotRecognised,
    NotSent,
    PhoneGone,
    PlatformWarning,
    Refused,
    Unreadable,
)
from agent.model import Ended, FriendAdd, LeasedTask, Result, Settings
from agent.poison import Poison, Verdict
from agent.verdicts import GiveBack, Look, Settle, after_error, is_lifted, why_not_begin
from protos.channel import MAX_BATCH_EVENTS

DRIVER = [NotSent(), AnswerLost(), Refused(), PhoneGone(), NotOurs()]
SCREEN = [Unreadable(), NotRecognised(), NotInTime(what="x")]
WARNING = PlatformWarning(warning="TOO_FREQUENT", surface="dialog", text="t")


@pytest.mark.parametrize("error", [*DRIVER, *SCREEN], ids=lambda e: type(e).__name__)
def test_after_arming_only_the_screen_can_tell(error: Exception) -> None:
    assert after_error(error, is_armed=True) == Look()


@pytest.mark.parametrize(
    "error", [*DRIVER, *SCREEN, LeaseLost(), LoggedOut()], ids=lambda e: type(e).__name__
)
def test_before_arming_a_task_goes_back(error: Exception) -> None:
    assert isinstance(after_error(error, is_armed=False), GiveBack)


@pytest.mark.parametrize("error", [NotRecognised(), NotInTime(what="x")], ids=lambda e: type(e).__name__)
def test_a_row_that_leads_to_unknown_screens_does_not_come_back_for_ever(error: Exception) -> None:
    assert isinstance(after_error(error, is_armed=False, attempt=2), GiveBack)
    verdict = after_error(error, is_armed=False, attempt=3)
    assert isinstance(verdict, Settle)
    assert (verdict.ended.result, verdict.ended.outcome) == (Result.NOT_DONE, "screen_unreadable")


def test_an_unreadable_screen_is_the_phones_fault_and_never_ends_a_task() -> None:
    assert after_error(Unreadable(), is_armed=False, attempt=99) == GiveBack("screen_unreadable")


@pytest.mark.parametrize(("is_armed", "result"), [(False, Result.NOT_DONE), (True, Result.UNKNOWN)])
def test_a_warning_ends_the_task(is_armed: bool, result: Result) -> None:
    verdict = after_error(WARNING, is_armed=is_armed)
    assert verdict == Settle(Ended(result=result, outcome="warned", evidence="TOO_FREQUENT"))


def test_an_outcome_seen_in_spite_of_a_warning_counts() -> None:
    seen = Ended(result=Result.DONE, outcome="requested")
    warning = PlatformWarning(warning="W", surface="toast", text="t", settled=seen)
    assert after_error(warning, is_armed=True) == Settle(seen)


def test_signing_out_after_the_tap_is_unknown() -> None:
    verdict = after_error(LoggedOut(), is_armed=True)
    assert isinstance(verdict, Settle)
    assert verdict.ended.result is Result.UNKNOWN


TASK = LeasedTask(
    task_id="t",
    job_id="j",
    attempt=1,
    permit_id="p",
    phone_epoch=3,
    until_boot_ms=100_000,
    boot_id="b",
    action=FriendAdd(query="q", query_kind="mobile", greeting="", remark=""),
)
ALLOWED = Settings(unattended=True, account_id="wx")


def why(
    task: LeasedTask = TASK,
    settings: Settings = ALLOWED,
    *,
    epoch: int = 3,
    seen: str = "wx",
    now_ms: int = 0,
) -> str:
    return why_not_begin(
        task, settings, phone_epoch=epoch, account_seen=seen, now_boot_ms=now_ms, boot_id="b"
    )


def test_a_task_that_fits_may_begin() -> None:
    assert why() == ""


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        ("must_not_act", why(settings=replace(ALLOWED, unattended=False))),
        ("lease_lost", why(now_ms=95_000)),
        ("lease_lost", why(replace(TASK, boot_id="other"))),
        ("stale_epoch", why(epoch=4)),
        ("account_mismatch", why(seen="other")),
        ("account_mismatch", why(seen="")),
        ("account_mismatch", why(settings=replace(ALLOWED, account_id=""), seen="")),
    ],
)
def test_a_task_that_does_not_fit_is_refused_with_a_reason(reason: str, found: str) -> None:
    assert found == reason


@pytest.mark.parametrize(
    ("is_archived", "could_act", "has_new_word", "unattended", "lifted"),
    [
        (False, True, True, True, False),  # the controller does not know of the warning yet
        (True, True, False, True, False),  # what it allowed before does not count
        (True, True, True, False, False),  # it says that the account rests
        (True, True, True, True, True),
        (True, False, False, False, True),
    ],
)
def test_only_a_word_after_the_warning_ends_a_rest(
    is_archived: bool, could_act: bool, has_new_word: bool, unattended: bool, lifted: bool
) -> None:
    settings = Settings(unattended=unattended)
    assert (
        is_lifted(
            is_archived=is_archived,
            could_act=could_act,
            has_new_word=has_new_word,
            settings=settings,
        )
        is lifted
    )


def test_poison_is_found_by_sending_events_alone() -> None:
    poison = Poison()
    assert poison.most() == MAX_BATCH_EVENTS
    assert poison.failed(1, 20) == Verdict()
    assert poison.most() == 1
    poison.acked(1)
    assert poison.most() == 1  # the one that broke the batch may come later in it
    assert poison.failed(2, 2) == Verdict()
    assert poison.failed(2, 2) == Verdict(set_aside=2)
    for seq in range(2, 21):
        poison.acked(seq)
    assert poison.most() == MAX_BATCH_EVENTS


def test_fault_of_the_controller_puts_the_event_back_and_sets_no_other_aside() -> None:
    poison = Poison()
    assert [poison.failed(5, 5) for _ in range(2)][-1] == Verdict(set_aside=5)
    assert poison.failed(5, 5) == Verdict(put_back=5)
    assert {poison.failed(5, 5) for _ in range(10)} == {Verdict()}
    poison.acked(5)
    assert [poison.failed(6, 6) for _ in range(2)][-1] == Verdict(set_aside=6)
