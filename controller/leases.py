"""Tasks in agents' hands: each step is one transaction's worth of checking and taking."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial

from controller import observations, restoring
from controller.clock import DAY_MS
from controller.fleet import current_phone
from controller.ledger import CLOCK_JUMPED, CoreSettings, Work
from controller.model import (
    Account,
    Action,
    Held,
    Job,
    Lease,
    PermitId,
    Phone,
    PhoneId,
    Task,
    TaskId,
    TaskState,
)
from controller.obstacles import first_fit, given_back, may_go_on
from controller.overrides import rule_of
from controller.planning import Lane
from controller.quotas import rule_for, terms_of, verdict
from controller.roster import is_frozen, is_resting, standing
from controller.sessions import Renewal
from controller.store.base import Permit
from controller.transitions import ended, queued_again

# The action of lists of customers.
ACTION = Action.FRIEND_ADD


def rule_now(
    work: Work, settings: CoreSettings, account: Account, action: Action, *, but: PermitId | None = None
) -> Held | None:
    """Return why an account may not take a permit for an action now; `but` is one that does not count."""
    uses = work.tx.permit_uses(account.account_id, action, work.now_ms - DAY_MS, but=but)
    rule = rule_of(work.tx, settings, account.account_id, action)
    return verdict(rule, uses, work.now_ms, terms=terms_of(account, settings.time_zone))


def hold(
    work: Work,
    phone: Phone,
    account: Account | None,
    settings: CoreSettings,
    action: Action = Action.FRIEND_ADD,
) -> Held | None:
    """Return why a phone may take no task of an action now; None if it may. See `lease` for the locks."""
    held = _hold_phone(work, phone, account)
    if held is not None or account is None:
        return held
    return rule_now(work, settings, account, action)


def lane(work: Work, settings: CoreSettings, phone: Phone, action: Action) -> Lane:
    """Return a phone as a plan for an action begins with it."""
    account = work.tx.account(phone.account_id) if phone.account_id else None
    if account is None:
        return Lane(
            phone_id=phone.phone_id,
            account_id=None,
            rule=rule_for(settings.quota_rules, action),
            uses=[],
            held=standing(phone, account),
        )
    return Lane(
        phone_id=phone.phone_id,
        account_id=account.account_id,
        rule=rule_of(work.tx, settings, account.account_id, action),
        uses=work.tx.permit_uses(account.account_id, action, work.now_ms - DAY_MS),
        held=standing(phone, account) or _restored(work),
        terms=terms_of(account, settings.time_zone),
    )


def _hold_phone(work: Work, phone: Phone, account: Account | None) -> Held | None:
    if work.clock_jumped:
        return Held(cause=CLOCK_JUMPED)
    held = standing(phone, account) or _restored(work)
    if held is not None:
        return held
    return Held(cause="busy") if work.tx.live_tasks(phone.phone_id) else None


def _restored(work: Work) -> Held | None:
    until_ms = restoring.holds_until_ms(work)
    return None if until_ms is None else Held(cause=restoring.RESTORED, retry_at_ms=until_ms)


def lease(
    work: Work, settings: CoreSettings, phone_id: PhoneId, *, epoch: int, spool_id: str
) -> Lease | Held | None:
    """Hand the oldest task that may be done now to exactly one caller, with its permit; None: nothing to do.

    UnknownPhone, StaleEpoch.
    """
    tx = work.tx
    phone = current_phone(tx, phone_id, epoch)
    earliest_ms = tx.next_not_before(phone_id)
    if earliest_ms is None:
        return None
    if earliest_ms > work.now_ms:
        return Held(cause="waiting", retry_at_ms=earliest_ms)
    # Counting and taking are one step only while nobody else counts: the account stays locked to the end.
    account = tx.lock_account(phone.account_id) if phone.account_id else None
    work.read_time()
    held = _hold_phone(work, phone, account)
    if held is not None or account is None:
        return held
    found = _choose(work, settings, phone_id, account)
    if not isinstance(found, Task):
        return found
    job = tx.job(found.job_id)
    return None if job is None else _take(work, settings, found, job, phone, account, spool_id)


def _choose(work: Work, settings: CoreSettings, phone_id: PhoneId, account: Account) -> Task | Held | None:
    """Return the oldest task whose action and contact may have a permit now, locked; or what stops it."""
    tx, now_ms = work.tx, work.now_ms
    against: list[Held] = []
    ready: list[tuple[Task, Action, int]] = []
    for action in Action:
        earliest_ms = tx.next_not_before(phone_id, action)
        if earliest_ms is None:
            continue
        held = _waiting(earliest_ms, now_ms) or rule_now(work, settings, account, action)
        if held is None:
            paused_after_ms = now_ms - _contact_pause_ms(work, settings, account, action)
            task = tx.oldest(
                phone_id, account.account_id, now_ms, action=action, paused_after_ms=paused_after_ms
            )
            if task is not None:
                ready.append((task, action, paused_after_ms))
                continue
            held = _paused(work, phone_id, account, action, paused_after_ms)
        if held is not None:
            against.append(held)
    for _, action, paused_after_ms in sorted(ready, key=lambda one: (one[0].created_at_ms, one[0].job_id)):
        take = partial(
            tx.take_oldest,
            phone_id,
            account.account_id,
            now_ms,
            action=action,
            paused_after_ms=paused_after_ms,
        )
        taken = first_fit(work, settings, take)
        if taken is not None:
            return taken
    return _soonest(against)


def _waiting(earliest_ms: int, now_ms: int) -> Held | None:
    return Held(cause="waiting", retry_at_ms=earliest_ms) if earliest_ms > now_ms else None


def _contact_pause_ms(work: Work, settings: CoreSettings, account: Account, action: Action) -> int:
    rule = rule_of(work.tx, settings, account.account_id, action)
    return rule.contact_pause_ms if rule else 0


def _paused(
    work: Work, phone_id: PhoneId, account: Account, action: Action, paused_after_ms: int
) -> Held | None:
    last_ms = work.tx.contact_free_ms(
        phone_id, account.account_id, work.now_ms, action=action, paused_after_ms=paused_after_ms
    )
    if last_ms is None:
        return None
    return Held(cause="contact_pause", retry_at_ms=last_ms + work.now_ms - paused_after_ms)


def _soonest(against: Sequence[Held]) -> Held | None:
    """Return the hold that ends first; one that waits for a person only if there is no other."""
    never = 2**63
    return min(
        against, key=lambda held: never if held.retry_at_ms is None else held.retry_at_ms, default=None
    )


def _take(
    work: Work,
    settings: CoreSettings,
    task: Task,
    job: Job,
    phone: Phone,
    account: Account,
    spool_id: str,
) -> Lease:
    now_ms = work.now_ms
    permit = Permit(
        id=PermitId(secrets.token_hex(8)),
        account_id=account.account_id,
        action=task.action,
        task_id=task.id,
        attempt=task.attempt + 1,
        phone_id=phone.phone_id,
        taken_at_ms=now_ms,
        last_use_ms=now_ms + settings.lease_ms,
    )
    work.tx.add_permit(permit)
    work.keeps_time = True
    leased = replace(
        task,
        state=TaskState.LEASED,
        attempt=permit.attempt,
        phone_id=phone.phone_id,
        account_id=account.account_id,
        permit_id=permit.id,
        phone_epoch=phone.epoch,
        lease_until_ms=permit.last_use_ms,
        spool_id=spool_id,
        cause="",
    )
    work.tx.save_task(leased)
    known = work.tx.posts_of(account.account_id, task.query) if task.action is Action.MOMENTS_LIKE else []
    return Lease(
        task=leased,
        job=job,
        permit_id=permit.id,
        phone_epoch=phone.epoch,
        until_ms=permit.last_use_ms,
        known_posts=tuple(dict.fromkeys(known)),
    )


def renew(
    work: Work, settings: CoreSettings, phone_id: PhoneId, *, epoch: int, task_ids: Sequence[TaskId]
) -> list[Renewal]:
    """Extend a phone's leases; 0 for one that is over or must not be acted on. UnknownPhone, StaleEpoch."""
    phone = current_phone(work.tx, phone_id, epoch)
    return [
        Renewal(task_id=task_id, lease_ms=_renewed_ms(work, settings, phone, task_id))
        for task_id in dict.fromkeys(task_ids)
    ]


def _renewed_ms(work: Work, settings: CoreSettings, phone: Phone, task_id: TaskId) -> int:
    task = work.tx.lock_task(task_id)
    if task is None or task.phone_id != phone.phone_id or not _may_go_on(work, settings, task):
        return 0
    until_ms = work.now_ms + settings.lease_ms
    work.tx.save_task(replace(task, lease_until_ms=until_ms))
    work.tx.set_permit_use(task.id, task.attempt, until_ms)
    return settings.lease_ms


def _may_go_on(work: Work, settings: CoreSettings, task: Task) -> bool:
    # An expired lease is not taken up again: its agent has stopped by its own clock.
    if task.lease_until_ms is None or task.lease_until_ms < work.now_ms:
        return False
    if task.state is TaskState.ARMED:
        return True
    account = work.tx.account(task.account_id) if task.account_id else None
    if task.state is not TaskState.LEASED or account is None or is_resting(account) or is_frozen(account):
        return False
    # A lease that is renewed while the clock stands still would be paid for in the past.
    if work.stands_still:
        return False
    # What was lowered, frozen or seen since bites on a lease that has done nothing lasting yet.
    if restoring.holds_until_ms(work) is not None or not may_go_on(work, settings, task):
        return False
    return rule_now(work, settings, account, task.action, but=task.permit_id) is None


def reconcile(
    work: Work,
    settings: CoreSettings,
    phone_id: PhoneId,
    *,
    epoch: int,
    spool_id: str,
    open_task_ids: Collection[TaskId],
) -> None:
    """Settle the tasks that a phone should hold by what its agent says, after its backlog is archived.

    A task it never durably received is queued again and its permit given back. One that went down with a lost
    outbox, or whose arming is archived and which the agent does not know, is unknown. StaleEpoch.
    """
    current_phone(work.tx, phone_id, epoch)
    for task in work.tx.live_tasks(phone_id):
        if task.id in open_task_ids:
            continue
        if task.spool_id != spool_id or task.state is TaskState.ARMED:
            cause = "spool_lost" if task.spool_id != spool_id else "intent_lost"
            _end_unknown(work, settings, task, cause)
            continue
        work.tx.return_permit(task.id, task.attempt)
        again = queued_again(task, cause="never_received", not_before_ms=work.now_ms)
        work.tx.save_task(given_back(work, again))
        work.offer()


def give_up(work: Work, settings: CoreSettings) -> None:
    """Let the tasks be unknown whose lease ended long ago without a word; their permits stay used."""
    before_ms = work.now_ms - settings.give_up_ms
    for account_id in work.tx.accounts_without_word(before_ms):
        work.tx.lock_account(account_id)
    for task in work.tx.tasks_without_word(before_ms):
        _end_unknown(work, settings, task, "no_word")
        work.touch(task.phone_id)


def _end_unknown(work: Work, settings: CoreSettings, task: Task, cause: str) -> None:
    over = ended(task, TaskState.UNKNOWN, work.now_ms, cause=cause)
    work.tx.save_task(over)
    work.jobs_to_close.add(task.job_id)
    observations.settle(work, settings, over, attempt=task.attempt)
