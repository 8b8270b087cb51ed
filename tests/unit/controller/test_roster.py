"""What is shown and allowed of a phone, as values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.model import Account, AccountId, ActingMode, Held, Phone, PhoneId
from controller.roster import allowed, overlaid, reported, standing
from protos.facts import PhoneFacts, PhoneState

ACTS = Account(account_id=AccountId("wx"), mode=ActingMode.UNATTENDED)
RESTS = Account(
    account_id=AccountId("wx"), mode=ActingMode.UNATTENDED, resting_since_ms=1, resting_cause="TOO_FREQUENT"
)
FROZEN = Account(
    account_id=AccountId("wx"), mode=ActingMode.UNATTENDED, frozen_since_ms=1, frozen_cause="observed"
)


def phone(state: PhoneState = PhoneState.READY, **parts: str) -> Phone:
    values = {"account_id": AccountId("wx"), "account_seen": "wx", "holder": "h", **parts}
    return Phone(phone_id=PhoneId("001"), facts=PhoneFacts(serial="S"), state=state, **values)  # type: ignore[arg-type]  # tests name the parts


@pytest.mark.parametrize("state", list(PhoneState))
def test_every_state_can_be_reported(state: PhoneState) -> None:
    assert reported(state, "why" * 100) == (state, ("why" * 100)[:120])


def test_a_state_this_release_does_not_know_is_tolerated() -> None:
    assert reported("levitating", "x") == (PhoneState.PREPARING, "unknown state levitating")


@pytest.mark.parametrize(
    ("of", "account", "has_notice", "shown"),
    [
        (phone(), ACTS, True, PhoneState.READY),
        (phone(), ACTS, False, PhoneState.NO_NOTICE),
        (phone(holder=""), ACTS, False, PhoneState.READY),
        (phone(PhoneState.BUSY), RESTS, True, PhoneState.BACKOFF),
        (phone(PhoneState.BUSY), FROZEN, True, PhoneState.BACKOFF),
        (phone(account_seen="other"), RESTS, True, PhoneState.QUARANTINED),
        (phone(PhoneState.ABSENT, account_seen="other"), RESTS, False, PhoneState.ABSENT),
        (phone(PhoneState.IN_HAND), RESTS, False, PhoneState.IN_HAND),
    ],
)
def test_what_the_controller_knows_stands_over_a_phone_at_work(
    of: Phone, account: Account, has_notice: bool, shown: PhoneState
) -> None:
    why = "" if has_notice or not of.holder else "none recorded"
    assert overlaid(of, account, why_untold=why).state is shown


@pytest.mark.parametrize(
    ("of", "account", "held"),
    [
        (phone(), ACTS, None),
        (phone(PhoneState.NO_NOTICE), ACTS, None),
        (phone(account_seen=""), ACTS, None),
        (phone(), None, "no_account"),
        (phone(), Account(account_id=AccountId("wx")), None),
        (phone(), FROZEN, "frozen"),
        (phone(), RESTS, "resting"),
        (phone(account_seen="other"), ACTS, "account_mismatch"),
        *(
            (phone(state), ACTS, f"phone_{state}")
            for state in PhoneState
            if state not in (PhoneState.READY, PhoneState.BUSY, PhoneState.NO_NOTICE, PhoneState.BACKOFF)
        ),
    ],
)
def test_a_phone_takes_tasks_only_when_nothing_stands_against_it(
    of: Phone, account: Account | None, held: str | None
) -> None:
    assert standing(of, account) == (Held(cause=held) if held else None)


def test_tapping_waits_for_a_decision_and_capture_for_a_notice() -> None:
    told = allowed(phone(), ACTS, has_notice=True, sweep_pause_ms=9)
    assert (told.unattended, told.capture_allowed, told.account_id, told.sweep_pause_ms) == (
        True,
        True,
        "wx",
        9,
    )
    assert not allowed(phone(), None, has_notice=True, sweep_pause_ms=9).unattended
    assert not allowed(phone(holder=""), ACTS, has_notice=True, sweep_pause_ms=9).capture_allowed


@pytest.mark.parametrize(
    ("account", "unattended", "assist"),
    [
        (ACTS, True, False),
        (replace(ACTS, mode=ActingMode.ASSIST), False, True),
        (RESTS, False, False),
        (replace(RESTS, mode=ActingMode.ASSIST), False, False),
        (FROZEN, False, False),
        (replace(FROZEN, mode=ActingMode.ASSIST), False, False),
        (None, False, False),
    ],
)
def test_the_machine_taps_or_a_person_does_and_neither_while_the_account_stands_still(
    account: Account | None, unattended: bool, assist: bool
) -> None:
    told = allowed(phone(), account, has_notice=True, sweep_pause_ms=9)
    assert (told.unattended, told.assist) == (unattended, assist)


def test_a_rest_and_a_freeze_are_shown_with_their_cause() -> None:
    rests = overlaid(phone(), replace(RESTS, cooldown_until_ms=77), why_untold="")
    assert (rests.cause, rests.cooldown_until_ms) == ("TOO_FREQUENT", 77)
    assert overlaid(phone(), FROZEN, why_untold="").cause == "frozen: observed"


@pytest.mark.parametrize(
    "of", [phone(account_id=""), phone(account_seen="other")], ids=["unbound", "another"]
)
def test_an_account_that_is_not_bound_is_not_captured(of: Phone) -> None:
    assert not allowed(of, ACTS, has_notice=True, sweep_pause_ms=9).capture_allowed
    assert allowed(phone(account_seen=""), ACTS, has_notice=True, sweep_pause_ms=9).capture_allowed
