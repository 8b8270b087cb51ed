"""Adds that were seen on a screen: what no task of ours did was done by hand, and counts like permits."""

from __future__ import annotations

from controller.audit import enter
from controller.clock import DAY_MS, HOUR_MS
from controller.ledger import CoreSettings, Work
from controller.model import Account, AccountId, Action, QueryKind, Task, TaskId, TaskState
from controller.overrides import rule_of
from controller.quotas import most_in_window, per_day_at, terms_of, used
from controller.restoring import MACHINE
from controller.store.quota_rows import Observed
from protos.facts import AddObserved, peer_key

OBSERVED = "observed"

_ACTIONS = {
    "requested": Action.FRIEND_ADD,
    "added": Action.FRIEND_ADD,
    "accepted": Action.FRIEND_ACCEPT,
}
_MAX_KEY_CHARS = 64
# An add of ours that is first seen later than this counts as made by hand: the safe side.
_NAMES_KEPT_MS = 31 * DAY_MS
# A word of a state that this release does not know counts as what is dearest.
_DEAREST = Action.FRIEND_ADD


def observe(
    work: Work, settings: CoreSettings, account_id: AccountId, fact: AddObserved, *, seen_ms: int
) -> None:
    """Count an add that was seen unless it was a task of ours; more than the day allows freezes the account.

    It counts from now: when exactly a person tapped is not known, and later is the safe side.
    """
    if not account_id:
        return
    tx = work.tx
    tx.ensure_account(account_id)
    # Whoever takes a permit for this account waits: it must not count past what is written here.
    account = tx.lock_account(account_id)
    now_ms = work.read_time()
    kind, key = fact.kind[:_MAX_KEY_CHARS], fact.peer_key[:_MAX_KEY_CHARS]
    if tx.is_observed(account_id, peer_key=key, kind=kind):
        return
    action = _ACTIONS.get(fact.kind, _DEAREST)
    observed = Observed(
        account_id=account_id,
        action=action,
        kind=kind,
        peer_key=key,
        seen_ms=min(seen_ms, now_ms),
        counted_ms=now_ms,
        task_id=_task_of(work, account_id, action, fact.peer_key),
    )
    if tx.add_observed(observed) and observed.task_id is None and account is not None:
        _judge(work, settings, account, action)


def settle(work: Work, settings: CoreSettings, task: Task, *, attempt: int) -> None:
    """Look again at what was seen while an attempt had no outcome: now it is known whose work it was."""
    tx = work.tx
    permit = tx.permit_of(task.id, attempt)
    if permit is None or task.action not in _ACTIONS.values():
        return
    account_id = permit.account_id
    account = tx.lock_account(account_id)
    if account is None:
        return
    if task.state in (TaskState.DONE, TaskState.UNKNOWN):
        for key in keys_of(task, account_id):
            # What was seen before the attempt began is not its work.
            tx.excuse_observed(account_id, peer_key=key, task_id=task.id, from_ms=permit.taken_at_ms)
    if tx.observed(account_id, task.action, permit.taken_at_ms - 1):
        _judge(work, settings, account, task.action)


def keys_of(task: Task, account_id: AccountId) -> set[str]:
    """Return the digests under which the person of a task may be seen: by name, by remark, by query."""
    names = {task.peer_name, task.remark}
    if task.query_kind is QueryKind.NAME:
        names.add(task.query)
    return {peer_key(account_id, name) for name in names if name.strip()}


def _task_of(work: Work, account_id: AccountId, action: Action, key: str) -> TaskId | None:
    after_ms = work.now_ms - _NAMES_KEPT_MS
    for task_id, name in work.tx.names_of_tasks(account_id, action, after_ms):
        if peer_key(account_id, name) == key:
            return task_id
    return None


def _judge(work: Work, settings: CoreSettings, account: Account, action: Action) -> None:
    """Freeze the account if more was done than the day allows; not while an attempt's outcome is open."""
    tx, now_ms = work.tx, work.now_ms
    rule = rule_of(tx, settings, account.account_id, action)
    if rule is None or tx.has_armed(account.account_id, action):
        return
    limit, _ = per_day_at(rule, terms_of(account, settings.time_zone), now_ms)
    uses = tx.permit_uses(account.account_id, action, now_ms - DAY_MS)
    by_hand = tx.observed(account.account_id, action, now_ms - DAY_MS)
    is_over = used(uses, DAY_MS, now_ms) > limit or _was_over(work, account, action, by_hand, limit)
    if is_over and tx.freeze(account.account_id, since_ms=now_ms, cause=OBSERVED):
        told = f"{action}: {len(by_hand)} by hand and {len(uses) - len(by_hand)} by task, of {limit} a day"
        enter(work, actor=MACHINE, what="account.freeze", object_=account.account_id, reason=told)
        phone_id = tx.phone_of_account(account.account_id)
        if phone_id is not None:
            work.touch(phone_id)


def _was_over(work: Work, account: Account, action: Action, by_hand: list[Observed], limit: int) -> bool:
    """Tell whether what an agent told late was too much at its own time, give or take an hour."""
    late = [one for one in by_hand if one.seen_ms < one.counted_ms - HOUR_MS]
    if not late:
        return False
    after_ms = min(one.seen_ms for one in late) - DAY_MS - HOUR_MS
    moments = work.tx.permit_uses(account.account_id, action, after_ms)
    for one in late:
        moments.remove(one.counted_ms)
        moments.append(one.seen_ms)
    return most_in_window(moments, DAY_MS + HOUR_MS) > limit
