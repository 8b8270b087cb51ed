"""Tasks in agents' hands: each step is one transaction's worth of checking and taking."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace

from controller.clock import DAY_MS
from controller.fleet import current_phone
from controller.ledger import CLOCK_JUMPED, CoreSettings, Work
from controller.model import (
    Account,
    ActingMode,
    Action,
    Held,
    Lease,
    PermitId,
    Phone,
    PhoneId,
    Task,
    TaskId,
    TaskState,
)
from controller.quotas import rule_for, verdict
from controller.roster import is_resting, standing
from controller.sessions import Renewal
from controller.store.base import Permit
from controller.transitions import ended, queued_again

# The only action of this release.
ACTION = Action.FRIEND_ADD


def hold(work: Work, phone: Phone, account: Account | None, settings: CoreSettings) -> Held | None:
    """Return why a phone may take no task now; None if it may. See `lease` for the locks."""
    if work.clock_jumped:
        return Held(cause=CLOCK_JUMPED)
    held = standing(phone, account)
    if held is not None or account is None:
        return held
    if work.tx.live_tasks(phone.phone_id):
        return Held(cause="busy")
    uses = work.tx.permit_uses(account.account_id, ACTION, work.now_ms - DAY_MS)
    return verdict(rule_for(settings.quota_rules, ACTION), uses, work.now_ms)


def lease(
    work: Work, settings: CoreSettings, phone_id: PhoneId, *, epoch: int, spool_id: str
) -> Lease | Held | None:
    """Hand the oldest task for a phone to exactly one caller, with its permit; None: nothing to do.

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
    now_ms = work.read_time()
    held = hold(work, phone, account, settings)
    if held is not None or account is None:
        return held
    task = tx.take_oldest(phone_id, account.account_id, now_ms)
    job = tx.job(task.job_id) if task is not None else None
    if task is None or job is None:
        return None
    permit = Permit(
        id=PermitId(secrets.token_hex(8)),
        account_id=account.account_id,
        action=task.action,
        task_id=task.id,
        attempt=task.attempt + 1,
        phone_id=phone_id,
        taken_at_ms=now_ms,
        last_use_ms=now_ms + settings.lease_ms,
    )
    tx.add_permit(permit)
    work.keeps_time = True
    leased = replace(
        task,
        state=TaskState.LEASED,
        attempt=permit.attempt,
        phone_id=phone_id,
        account_id=account.account_id,
        permit_id=permit.id,
        phone_epoch=epoch,
        lease_until_ms=permit.last_use_ms,
        spool_id=spool_id,
        cause="",
    )
    tx.save_task(leased)
    return Lease(task=leased, job=job, permit_id=permit.id, phone_epoch=epoch, until_ms=permit.last_use_ms)


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
    if task is None or task.phone_id != phone.phone_id or not _may_go_on(work, task):
        return 0
    until_ms = work.now_ms + settings.lease_ms
    work.tx.save_task(replace(task, lease_until_ms=until_ms))
    work.tx.set_permit_use(task.id, task.attempt, until_ms)
    return settings.lease_ms


def _may_go_on(work: Work, task: Task) -> bool:
    # An expired lease is not taken up again: its agent has stopped by its own clock.
    if task.lease_until_ms is None or task.lease_until_ms < work.now_ms:
        return False
    if task.state is TaskState.ARMED:
        return True
    account = work.tx.account(task.account_id) if task.account_id else None
    return (
        task.state is TaskState.LEASED
        and account is not None
        and account.mode is ActingMode.UNATTENDED
        and not is_resting(account)
    )


def reconcile(
    work: Work,
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
            work.tx.save_task(ended(task, TaskState.UNKNOWN, work.now_ms, cause=cause))
            work.jobs_to_close.add(task.job_id)
            continue
        work.tx.return_permit(task.id, task.attempt)
        work.tx.save_task(queued_again(task, cause="never_received", not_before_ms=work.now_ms))
        work.offer()


def give_up(work: Work, settings: CoreSettings) -> None:
    """Let the tasks be unknown whose lease ended long ago without a word; their permits stay used."""
    for task in work.tx.tasks_without_word(work.now_ms - settings.give_up_ms):
        work.tx.save_task(ended(task, TaskState.UNKNOWN, work.now_ms, cause="no_word"))
        work.jobs_to_close.add(task.job_id)
        work.touch(task.phone_id)
