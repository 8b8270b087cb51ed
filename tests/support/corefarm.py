"""A core with phones that may act, and events as an agent seals them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from controller.clock import Clock
from controller.core import Core, CoreSettings
from controller.model import Action, Customer, Job, Lease, PhoneId, QueryKind, QuotaRule
from controller.sessions import Greeting, Pulse
from controller.store.base import Store
from protos.facts import Event, Fact, MessageSeen, PhoneFacts, TaskArmed, TaskEnded, TaskReturned
from protos.wire import seal
from tests.support.clock import START_MS

GENEROUS = QuotaRule(action=Action.FRIEND_ADD, per_day=1_000, per_hour=1_000, spacing_ms=0)
EVERYTHING = tuple(replace(GENEROUS, action=action) for action in Action)
_uids = itertools.count(1)


def core_on(store: Store, clock: Clock, *, rule: QuotaRule = GENEROUS, **settings: Any) -> Core:
    """Return a core with one quota rule."""
    settings.setdefault("quota_rules", (rule,))
    # What a test finds are the words that it gives.
    settings.setdefault("words_default", False)
    return Core(store, clock, CoreSettings(**settings))


def facts(serial: str, *, is_virtual: bool = True) -> PhoneFacts:
    return PhoneFacts(serial=serial, brand="phonefarm" if is_virtual else "HONOR", is_virtual=is_virtual)


def greeting(serial: str, *, spool_id: str = "spool-a", **claims: Any) -> Greeting:
    return Greeting(facts=facts(serial), spool_id=spool_id, **claims)


@dataclass
class Handset:
    """A numbered phone in the test's hands: it speaks to the core as a session would."""

    core: Core
    phone_id: PhoneId
    serial: str
    spool_id: str
    epoch: int = 0
    seq: int = 0

    def greet(self, **claims: Any) -> None:
        claims.setdefault("spool_highest", self.seq)
        claims.setdefault("spool_lowest", min(1, self.seq))
        admission = self.core.fleet.hello(greeting(self.serial, spool_id=self.spool_id, **claims))
        self.epoch = admission.phone_epoch

    def new_outbox(self, spool_id: str) -> None:
        self.spool_id, self.seq = spool_id, 0

    def beat(self, state: str = "ready", **parts: Any) -> Any:
        return self.core.fleet.heartbeat(self.phone_id, self.epoch, Pulse(state=state, **parts))

    def lease(self) -> Any:
        return self.core.jobs.lease(self.phone_id, epoch=self.epoch, spool_id=self.spool_id)

    def take(self) -> Lease:
        lease = self.lease()
        assert isinstance(lease, Lease), lease
        return lease

    def say(self, *said: Fact, account_id: str = "", at_ms: int = START_MS) -> int:
        bodies = [body(fact, epoch=self.epoch, account_id=account_id, at_ms=at_ms) for fact in said]
        up_to = self.core.archive.accept(self.phone_id, self.spool_id, self.seq + 1, bodies)
        self.seq += len(bodies)
        return up_to

    def reconcile(self, *open_task_ids: str) -> None:
        self.core.jobs.reconcile(
            self.phone_id,
            epoch=self.epoch,
            spool_id=self.spool_id,
            open_task_ids=frozenset(open_task_ids),  # type: ignore[arg-type]  # tests write task ids as plain text
        )


def body(fact: Fact, *, epoch: int = 0, account_id: str = "", at_ms: int = START_MS) -> bytes:
    """Return an event as an agent's outbox holds it."""
    return seal(
        Event(uid=f"u{next(_uids)}", at_ms=at_ms, phone_epoch=epoch, account_id=account_id, fact=fact)
    )


def handset(core: Core, number: int, *, holder: str = "", can_act: bool = True) -> Handset:
    """Return a numbered virtual phone with an account, ready for tasks."""
    serial = f"V{number:03}"
    core.fleet.hello(greeting(serial))
    phone = core.fleet.number(PhoneId(str(number)), serial, rack="A", actor="op")
    if can_act:
        core.fleet.assign(phone.phone_id, account_id=f"wx{number:03}", holder=holder, actor="op")
    made = Handset(core=core, phone_id=phone.phone_id, serial=serial, spool_id=f"spool-{number}")
    made.greet()
    if can_act:
        made.beat(account_id=f"wx{number:03}")
    return made


def customers(count: int, *, first: int = 0, pinned: PhoneId | None = None) -> list[Customer]:
    return [
        Customer(
            row_no=n + 2,
            query=f"139{n:08}",
            query_kind=QueryKind.MOBILE,
            basis="order",
            basis_at="2026-11-01",
            remark=f"c{n}",
            pinned_phone_id=pinned,
        )
        for n in range(first, first + count)
    ]


def submit(core: Core, count: int, pool: Sequence[Handset], *, first: int = 0, text: str = "hello") -> Job:
    return core.jobs.submit_friend_adds(
        customers(count, first=first),
        pool=[h.phone_id for h in pool],
        greeting=text,
        source_name="list.csv",
        actor="op",
    ).job


def armed(lease: Lease) -> TaskArmed:
    return TaskArmed(task_id=lease.task.id, attempt=lease.task.attempt)


def returned(lease: Lease, cause: str = "in_hand") -> TaskReturned:
    return TaskReturned(task_id=lease.task.id, attempt=lease.task.attempt, cause=cause)


def over(
    lease: Lease, result: str = "done", outcome: str = "requested", *, was_armed: bool = True, peer: str = ""
) -> TaskEnded:
    return TaskEnded(
        task_id=lease.task.id,
        attempt=lease.task.attempt,
        result=result,
        outcome=outcome,
        evidence="",
        was_armed=was_armed,
        peer_name=peer,
    )


def message(text: str, position: int, *, key: str = "chat", side: str = "out") -> MessageSeen:
    return MessageSeen(
        conversation_key=key,
        conversation_title="title",
        conversation_kind="private",
        position=position,
        side=side,
        kind="text",
        text=text,
        time_label="",
        ambiguous=False,
    )
