"""Limits, adds by hand, strikes and freezes, as statements."""

from __future__ import annotations

from typing import Any

from controller.model import AccountId, Action, PermitId, PhoneId, QuotaChange, TaskId
from controller.store.quota_rows import Observed, Override
from controller.store.sql_rows import Row, Statements


class QuotaSql(Statements):
    """See controller.store.quota_rows.QuotaRows."""

    def override(self, account_id: AccountId, action: Action) -> Override:
        """Return what a person set for an account and action."""
        row = self._one("quota_override", account_id=account_id, action=action)
        return _override(row) if row else Override()

    def save_override(self, account_id: AccountId, action: Action, override: Override) -> None:
        """Keep what a person set for an account and action."""
        hours = override.hours or (None, None)
        self._do(
            "save_quota_override",
            account_id=account_id,
            action=action,
            per_day=override.per_day,
            per_hour=override.per_hour,
            spacing_ms=override.spacing_ms,
            from_minute=hours[0],
            to_minute=hours[1],
            weekdays=_days(override.weekdays),
            contact_pause_ms=override.contact_pause_ms,
        )

    def add_quota_change(self, change: QuotaChange) -> None:
        """Append a change of a limit (its id is ignored)."""
        self._do(
            "add_quota_change",
            at_ms=change.at_ms,
            account_id=change.account_id,
            action=change.action,
            field=change.field,
            before=change.before,
            after=change.after,
            reason=change.reason,
            actor=change.actor,
        )

    def quota_changes(self, account_id: AccountId, *, action: Action | None, limit: int) -> list[QuotaChange]:
        """Return the newest changes of an account's limits, newest first."""
        rows = self._all(
            "quota_changes", account_id=account_id, action="" if action is None else action, max_rows=limit
        )
        return [_change(row) for row in rows]

    def set_time_zone(self, account_id: AccountId, time_zone: str) -> None:
        """Keep the zone by which an account's hours are read; empty: the farm's."""
        self._do("set_time_zone", account_id=account_id, time_zone=time_zone)

    def set_first_bound(self, account_id: AccountId, now_ms: int) -> None:
        """Keep when a phone was first bound to an account; a kept moment stays."""
        self._do("set_first_bound", account_id=account_id, now_ms=now_ms)

    def add_observed(self, observed: Observed) -> bool:
        """Keep that an add was seen; False if the same was seen before."""
        added = self._do(
            "add_observed",
            account_id=observed.account_id,
            action=observed.action,
            kind=observed.kind,
            peer_key=observed.peer_key,
            seen_ms=observed.seen_ms,
            counted_ms=observed.counted_ms,
            task_id=observed.task_id,
        )
        return added == 1

    def observed(self, account_id: AccountId, action: Action, after_ms: int) -> list[Observed]:
        """Return the adds by hand counted after a moment, in order, tasks of ours left out."""
        rows = self._all("observed_adds", account_id=account_id, action=action, after_ms=after_ms)
        return [_observed(row) for row in rows]

    def excuse_observed(self, account_id: AccountId, *, peer_key: str, task_id: TaskId, from_ms: int) -> int:
        """Let what was seen of this person since a moment be this task's work; returns how many rows."""
        return self._do(
            "excuse_observed", account_id=account_id, peer_key=peer_key, task_id=task_id, from_ms=from_ms
        )

    def is_observed(self, account_id: AccountId, *, peer_key: str, kind: str) -> bool:
        """Tell whether such an add was seen before."""
        return self._one("is_observed", account_id=account_id, peer_key=peer_key, kind=kind) is not None

    def names_of_tasks(
        self, account_id: AccountId, action: Action, after_ms: int
    ) -> list[tuple[TaskId, str]]:
        """Return names of the people of tasks that are armed, or done or unknown since a moment."""
        rows = self._all("names_of_tasks", account_id=account_id, action=action, after_ms=after_ms)
        return [
            (TaskId(row["id"]), name)
            for row in rows
            for name in (row["peer_name"], row["remark"], row["name"])
            if name.strip()
        ]

    def has_armed(self, account_id: AccountId, action: Action) -> bool:
        """Tell whether a task of an account is armed."""
        return self._one("has_armed", account_id=account_id, action=action) is not None

    def second_taps(self, task_id: TaskId) -> dict[PermitId, int]:
        """Return the permits of taps that lost data had paid for, with their attempts: all below zero."""
        return {PermitId(row["id"]): row["attempt"] for row in self._all("second_taps", task_id=task_id)}

    def repin(self, account_id: AccountId, phone_id: PhoneId) -> int:
        """Let the queued rows that only this account may do go to its phone; returns how many."""
        return self._do("repin", account_id=account_id, phone_id=phone_id)

    def posts_of(self, account_id: AccountId, query: str) -> list[str]:
        """Return the keys of what an account acted on at a contact, in order."""
        return [row["object_key"] for row in self._all("posts_of", account_id=account_id, query=query)]

    def accounts_without_word(self, before_ms: int) -> list[AccountId]:
        """Return the accounts of live tasks whose lease ended before, in order."""
        return [
            AccountId(row["account_id"]) for row in self._all("accounts_without_word", before_ms=before_ms)
        ]

    def add_strike(self, account_id: AccountId, *, at_ms: int, cause: str) -> None:
        """Append a warning that counts."""
        self._do("add_strike", account_id=account_id, at_ms=at_ms, cause=cause)

    def strikes(self, account_id: AccountId, after_ms: int) -> list[tuple[int, str]]:
        """Return moment and cause of the warnings that count after a moment, in order."""
        rows = self._all("strikes", account_id=account_id, after_ms=after_ms)
        return [(int(row["at_ms"]), row["cause"]) for row in rows]

    def set_cooldown(self, account_id: AccountId, *, strikes: int, until_ms: int) -> None:
        """Keep how often an account was warned lately, and until when its rest is meant (never earlier)."""
        self._do("set_cooldown", account_id=account_id, strikes=strikes, until_ms=until_ms)

    def freeze(self, account_id: AccountId, *, since_ms: int, cause: str) -> bool:
        """Freeze an account; False if it is frozen already."""
        return self._do("freeze", account_id=account_id, since_ms=since_ms, cause=cause) == 1

    def thaw(self, account_id: AccountId) -> bool:
        """End the freeze of an account; False if it is not frozen."""
        return self._do("thaw", account_id=account_id) == 1

    def set_probation(self, account_id: AccountId, until_ms: int) -> None:
        """Keep until when an account gets less after its rest; its cooldown is over."""
        self._do("set_probation", account_id=account_id, until_ms=until_ms)

    def frozen_until_ms(self) -> int:
        """Return until when the whole farm takes no permit; 0: it never had to wait."""
        return int(self._the("farm_frozen")["frozen_until_ms"])

    def freeze_farm(self, until_ms: int) -> None:
        """Let the whole farm take no permit until a moment; a later one that is kept stays."""
        self._do("freeze_farm", until_ms=until_ms)

    def raise_farm_epoch(self, above: int) -> int:
        """Raise the epoch of the farm's data above itself and another one, and return it."""
        return int(self._the("raise_farm_epoch", above=above)["epoch"])

    def known_high_water(self, phone_id: PhoneId, spool_id: str) -> int | None:
        """Return the highest contiguous seq archived of a spool; None for one never seen."""
        row = self._one("high_water", phone_id=phone_id, spool_id=spool_id)
        return int(row["high_water"]) if row else None

    def was_leased(self, task_id: TaskId, phone_id: PhoneId) -> bool:
        """Tell whether a permit for this task was ever taken for this phone."""
        return self._count("permits_of_task", task_id=task_id, phone_id=phone_id) > 0


def _days(days: frozenset[int] | None) -> str | None:
    return None if days is None else "".join(str(day) for day in sorted(days))


def _override(row: Row) -> Override:
    return Override(
        per_day=row["per_day"],
        per_hour=row["per_hour"],
        spacing_ms=row["spacing_ms"],
        hours=None if row["from_minute"] is None else (row["from_minute"], row["to_minute"]),
        weekdays=None if row["weekdays"] is None else frozenset(int(day) for day in row["weekdays"]),
        contact_pause_ms=row["contact_pause_ms"],
    )


def _change(row: Row) -> QuotaChange:
    values: dict[str, Any] = dict(row)
    return QuotaChange(**{**values, "action": Action(values["action"])})


def _observed(row: Row) -> Observed:
    values: dict[str, Any] = dict(row)
    return Observed(**{**values, "action": Action(values["action"])})
