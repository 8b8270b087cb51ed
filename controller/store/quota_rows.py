"""The part of the store's contract that limits read and write; see controller.store.base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from controller.model import (
    Account,
    AccountId,
    ActingMode,
    Action,
    PermitId,
    PhoneId,
    QuotaChange,
    Task,
    TaskId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """An add that was seen; `task_id` names the task of ours that it was, so that it does not count twice."""

    account_id: AccountId
    action: Action
    kind: str
    peer_key: str
    seen_ms: int  # by the agent's clock
    counted_ms: int  # by the farm's clock: when it was archived
    task_id: TaskId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What a person set for one account and action; None leaves the farm's value."""

    per_day: int | None = None
    per_hour: int | None = None
    spacing_ms: int | None = None
    hours: tuple[int, int] | None = None
    weekdays: frozenset[int] | None = None
    contact_pause_ms: int | None = None


class AccountRows(Protocol):
    """Accounts, who taps for them, and their rest."""

    def account(self, account_id: AccountId) -> Account | None:
        """Return an account."""

    def lock_account(self, account_id: AccountId) -> Account | None:
        """Return an account; locks, so that its permits can be counted and taken as one step."""

    def ensure_account(self, account_id: AccountId) -> None:
        """Make an account known; a known one stays as it is."""

    def set_mode(self, account_id: AccountId, mode: ActingMode) -> None:
        """Keep who makes the irreversible tap for an account."""

    def rest(self, account_id: AccountId, *, since_ms: int, cause: str) -> bool:
        """Let an account rest; False if it rests already."""

    def lift(self, account_id: AccountId) -> bool:
        """End the rest of an account; False if it does not rest."""


class QuotaRows(Protocol):
    """Limits of accounts, what was done by hand, warnings that count, and a farm that was restored."""

    def override(self, account_id: AccountId, action: Action) -> Override:
        """Return what a person set for an account and action."""

    def save_override(self, account_id: AccountId, action: Action, override: Override) -> None:
        """Keep what a person set for an account and action."""

    def add_quota_change(self, change: QuotaChange) -> None:
        """Append a change of a limit (its id is ignored)."""

    def quota_changes(self, account_id: AccountId, *, action: Action | None, limit: int) -> list[QuotaChange]:
        """Return the newest changes of an account's limits, newest first."""

    def set_time_zone(self, account_id: AccountId, time_zone: str) -> None:
        """Keep the zone by which an account's hours are read; empty: the farm's."""

    def set_first_bound(self, account_id: AccountId, now_ms: int) -> None:
        """Keep when a phone was first bound to an account; a kept moment stays."""

    def add_observed(self, observed: Observed) -> bool:
        """Keep that an add was seen; False if the same was seen before."""

    def observed(self, account_id: AccountId, action: Action, after_ms: int) -> list[Observed]:
        """Return the adds by hand counted after a moment, in order, tasks of ours left out."""

    def excuse_observed(self, account_id: AccountId, *, peer_key: str, task_id: TaskId, from_ms: int) -> int:
        """Let what was seen of this person since a moment be this task's work; returns how many rows."""

    def is_observed(self, account_id: AccountId, *, peer_key: str, kind: str) -> bool:
        """Tell whether such an add was seen before."""

    def names_of_tasks(
        self, account_id: AccountId, action: Action, after_ms: int
    ) -> list[tuple[TaskId, str]]:
        """Return names of the people of tasks that are armed, or done or unknown since a moment."""

    def has_armed(self, account_id: AccountId, action: Action) -> bool:
        """Tell whether a task of an account is armed."""

    def second_taps(self, task_id: TaskId) -> dict[PermitId, int]:
        """Return the permits of taps that lost data had paid for, with their attempts: all below zero."""

    def repin(self, account_id: AccountId, phone_id: PhoneId) -> int:
        """Let the queued rows that only this account may do go to its phone; returns how many."""

    def posts_of(self, account_id: AccountId, query: str) -> list[str]:
        """Return the keys of what an account acted on at a contact, in order."""

    def accounts_without_word(self, before_ms: int) -> list[AccountId]:
        """Return the accounts of live tasks whose lease ended before, in order."""

    def oldest(
        self, phone_id: PhoneId, account_id: AccountId, now_ms: int, *, action: Action, paused_after_ms: int
    ) -> Task | None:
        """Return the oldest queued task of an action for this phone and account.

        Passes by contacts for whom another task of the action had a permit after `paused_after_ms`.
        """

    def take_oldest(
        self, phone_id: PhoneId, account_id: AccountId, now_ms: int, *, action: Action, paused_after_ms: int
    ) -> Task | None:
        """Return what `oldest` does; locks, and passes by rows others hold."""

    def contact_free_ms(
        self, phone_id: PhoneId, account_id: AccountId, now_ms: int, *, action: Action, paused_after_ms: int
    ) -> int | None:
        """Return the earliest last use by which `oldest` passes somebody by; None: it passes nobody by."""

    def add_strike(self, account_id: AccountId, *, at_ms: int, cause: str) -> None:
        """Append a warning that counts."""

    def strikes(self, account_id: AccountId, after_ms: int) -> list[tuple[int, str]]:
        """Return moment and cause of the warnings that count after a moment, in order."""

    def set_cooldown(self, account_id: AccountId, *, strikes: int, until_ms: int) -> None:
        """Keep how often an account was warned lately, and until when its rest is meant (never earlier)."""

    def freeze(self, account_id: AccountId, *, since_ms: int, cause: str) -> bool:
        """Freeze an account; False if it is frozen already."""

    def thaw(self, account_id: AccountId) -> bool:
        """End the freeze of an account; False if it is not frozen."""

    def set_probation(self, account_id: AccountId, until_ms: int) -> None:
        """Keep until when an account gets less after its rest; its cooldown is over."""

    def frozen_until_ms(self) -> int:
        """Return until when the whole farm takes no permit; 0: it never had to wait."""

    def freeze_farm(self, until_ms: int) -> None:
        """Let the whole farm take no permit until a moment; a later one that is kept stays."""

    def raise_farm_epoch(self, above: int) -> int:
        """Raise the epoch of the farm's data above itself and another one, and return it."""

    def known_high_water(self, phone_id: PhoneId, spool_id: str) -> int | None:
        """Return the highest contiguous seq archived of a spool; None for one never seen."""

    def was_leased(self, task_id: TaskId, phone_id: PhoneId) -> bool:
        """Tell whether a permit for this task was ever taken for this phone."""
