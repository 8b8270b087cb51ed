"""Data that knows less than an agent was restored from a backup: no permits until all it forgot is past."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from controller import followups
from controller.audit import enter
from controller.clock import DAY_MS
from controller.ledger import CoreSettings, Work
from controller.model import AccountId, PermitId, Phone, PhoneId, Task, TaskState
from controller.sessions import Greeting
from controller.store.base import Permit
from controller.transitions import restored

RESTORED = "restored"
MACHINE = "phonefarm"
# An agent that claims more lies or is broken; both databases count in signed 64 bits.
_MAX_EPOCH = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """What an agent says that its phone did: an attempt that was armed."""

    account_id: AccountId
    phone_id: PhoneId
    attempt: int


def claimed(epoch: int) -> int:
    """Return an epoch that an agent claims, as far as it is believed."""
    return min(max(epoch, 0), _MAX_EPOCH)


def evidence(work: Work, phone: Phone | None, greeting: Greeting) -> str:
    """Return what an agent knows and the data does not; empty if nothing. See docs/decisions/0009.

    An agent can say too much and so freeze the farm; nothing that it says ends a freeze.
    """
    tx = work.tx
    farm_epoch = tx.farm_epoch()
    if claimed(greeting.last_farm_epoch) > farm_epoch:
        return "farm epoch"
    # Who last spoke with data older than the last restore has its explanation: that restore was dealt with.
    if phone is None or 0 < greeting.last_farm_epoch < farm_epoch:
        return ""
    if claimed(greeting.last_phone_epoch) > phone.epoch:
        return "phone epoch"
    high_water = tx.known_high_water(phone.phone_id, greeting.spool_id)
    if high_water is not None and greeting.spool_acked > high_water:
        return "acknowledged events"
    if any(not tx.was_leased(task_id, phone.phone_id) for task_id in greeting.open_task_ids):
        return "open task"
    return ""


def freeze(work: Work, settings: CoreSettings, *, above: int, told: str, actor: str = MACHINE) -> int:
    """Take no permit of the whole farm for 24 h and a lease, raise its epoch, and return until when."""
    until_ms = work.now_ms + DAY_MS + settings.lease_ms
    work.tx.raise_farm_epoch(above)
    work.tx.freeze_farm(until_ms)
    work.keeps_time = True
    enter(work, actor=actor, what="farm.restored", object_="farm", reason=told)
    for phone in work.tx.phones():
        work.touch(phone.phone_id)
    return until_ms


def suspect(work: Work, settings: CoreSettings, told: str) -> None:
    """Freeze the farm's permits unless they are: during a freeze none was taken that could be forgotten."""
    if holds_until_ms(work) is None:
        freeze(work, settings, above=0, told=told)


def recount(work: Work, settings: CoreSettings, task: Task, tap: Tap) -> Task:
    """Count an armed attempt that was paid for in data that a restored backup does not hold."""
    permit = _permit(work, task, tap, PermitId(secrets.token_hex(8)))
    if permit.account_id:
        work.tx.ensure_account(permit.account_id)
        work.tx.add_permit(permit)
    suspect(work, settings, f"armed attempt; phone {tap.phone_id}")
    return _stopped(work, task, permit)


def recount_second(work: Work, settings: CoreSettings, task: Task, tap: Tap) -> None:
    """Count, once, a tap of an attempt that restored data gave to another phone.

    It gets a number below zero: leases count up from one and never meet it.
    """
    known = work.tx.second_taps(task.id)
    id_ = PermitId(f"restored-{task.id}-{tap.attempt}-{tap.phone_id}")
    if id_ in known:
        work.tx.set_permit_use(task.id, known[id_], work.now_ms)
        return
    suspect(work, settings, f"attempt of two phones; phone {tap.phone_id}")
    told = f"attempt {tap.attempt} was another phone's, and phone {tap.phone_id} tapped"
    enter(work, actor=MACHINE, what="task.second_tap", object_=task.id, reason=told)
    permit = _permit(work, task, replace(tap, attempt=min(known.values(), default=0) - 1), id_)
    if permit.account_id:
        work.tx.ensure_account(permit.account_id)
        work.tx.add_permit(permit)
    # What the other phone has in hand ends there or comes back (see obstacles); unknown says enough.
    if task.state not in (TaskState.LEASED, TaskState.ARMED, TaskState.UNKNOWN):
        _stopped(work, task, permit)


def _permit(work: Work, task: Task, tap: Tap, id_: PermitId) -> Permit:
    return Permit(
        id=id_,
        account_id=tap.account_id,
        action=task.action,
        task_id=task.id,
        attempt=tap.attempt,
        phone_id=tap.phone_id,
        taken_at_ms=work.now_ms,
        last_use_ms=work.now_ms,
    )


def _stopped(work: Work, task: Task, permit: Permit) -> Task:
    if followups.stop_other(work, task):
        return task
    found = restored(task, permit, work.now_ms)
    work.tx.save_task(found)
    work.jobs_to_close.add(task.job_id)
    return found


def holds_until_ms(work: Work) -> int | None:
    """Return until when the farm takes no permit after a restore; None if it may."""
    until_ms = work.tx.frozen_until_ms()
    return until_ms if until_ms > work.now_ms else None
