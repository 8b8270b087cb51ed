"""One person over the whole fleet: what is known, that nobody contacts them, that they are forgotten."""

from __future__ import annotations

from controller.audit import enter, named
from controller.errors import BadRequest, SafetyRefusal
from controller.ledger import Ledger, Work
from controller.model import AccountId, QueryKind, Task, TaskState
from controller.obstacles import FORGOTTEN, SUPPRESSED
from controller.people import ContactView, Person, Suppression, SuppressionAct
from controller.store.base import Tx
from controller.targets import keys_of_task, person, target_of_task, typed
from controller.transitions import ended

_WAITING = frozenset({TaskState.QUEUED, TaskState.HELD})
# In the diary a person is named by the beginning of the digest: it finds the decision and tells nothing.
_SHORT = 12


class Customers:
    """Persons by the mobile or WeChat id that somebody types; written forms of one number are one person.

    Only a row that holds both tells that a mobile and a WeChat id belong together: its tasks answer to both,
    and who is forgotten is forgotten by both. Other decisions are about the one that was typed.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def show(self, query: str) -> ContactView:
        """Return everything known of a person; BadRequest for what is neither a mobile nor a WeChat id."""
        target, kind = typed(query)
        with self._ledger.look() as tx:
            whom = person(tx.contact_key(), target)
            tasks = tx.tasks_of_person(whom)
            history = tx.suppressions(whom.digest)
            return ContactView(
                target=target,
                kind=kind,
                tasks=tuple(tasks),
                friends=tuple(tx.friends_of_target(target)),
                history=tuple(history),
                is_suppressed=_last(history) not in (None, SuppressionAct.RELEASE),
                is_forgotten=_last(history) is SuppressionAct.FORGET,
                perhaps_same=tuple(_perhaps_same(tx, tasks)),
            )

    def suppress(self, query: str, *, reason: str, source: str, actor: str) -> ContactView:
        """Let nobody contact a person from now on; rows that wait are cancelled. BadRequest."""
        target, _ = typed(query)
        if not reason.strip():
            raise BadRequest("say why this person must not be contacted")
        with self._ledger.work() as work:
            whom = person(work.tx.contact_key(), target)
            if _last(work.tx.suppressions(whom.digest)) is not SuppressionAct.FORGET:
                self._decide(work, whom, SuppressionAct.SUPPRESS, reason=reason, source=source, actor=actor)
            for task in self._about(work, whom):
                if task.state in _WAITING:
                    self._cancel(work, task, SUPPRESSED)
        return self.show(query)

    def release(self, query: str, *, reason: str, actor: str) -> ContactView:
        """Let a person be contacted again. BadRequest; SafetyRefusal for one who was forgotten."""
        target, _ = typed(query)
        if not reason.strip():
            raise BadRequest("say why this person may be contacted again")
        with self._ledger.work() as work:
            whom = person(work.tx.contact_key(), target)
            last = _last(work.tx.suppressions(whom.digest))
            if last is SuppressionAct.FORGET:
                raise SafetyRefusal("this person was forgotten and is never contacted again")
            if last is not SuppressionAct.SUPPRESS:
                raise BadRequest("nothing stands against contacting this person")
            self._decide(work, whom, SuppressionAct.RELEASE, reason=reason, source="", actor=actor)
        return self.show(query)

    def forget(self, query: str, *, reason: str, actor: str) -> int:
        """Take a person out of tasks, friends and decisions; returns how many tasks were blanked.

        A digest under the farm's key stays, so that the person is never contacted again. What waits is
        cancelled; what a phone holds comes back or goes on to its look. Chats and archived events are not
        touched: they have their own retention. BadRequest.
        """
        target, _ = typed(query)
        if not reason.strip():
            raise BadRequest("say why this person is forgotten")
        with self._ledger.work() as work:
            tx = work.tx
            whom = person(tx.contact_key(), target)
            about = self._about(work, whom)
            also = _other_keys(about, target)
            for account_id, peer_name in _contacts(tx, whom, about):
                tx.drop_friend(account_id, peer_name)
            for task in about:
                if task.state in _WAITING:
                    self._cancel(work, task, FORGOTTEN)
                if task.query:
                    stand_in = person(tx.contact_key(), target_of_task(task)).forgotten
                    other = person(tx.contact_key(), task.alias).forgotten if task.alias else ""
                    tx.blank_task(task.id, target=stand_in, alias=other)
            for key in (target, *also):
                one = person(tx.contact_key(), key)
                tx.blank_suppressions(one.digest)
                self._decide(work, one, SuppressionAct.FORGET, reason="", source="", actor=actor)
        return len(about)

    # ---- inside

    def _about(self, work: Work, whom: Person) -> list[Task]:
        """Return the tasks of a person, and those about the contacts that they became."""
        found = {task.id: task for task in work.tx.tasks_of_person(whom)}
        for account_id, peer_name in _contacts(work.tx, whom, list(found.values())):
            for task in work.tx.tasks_of_contact(account_id, peer_name):
                # Of another list's row the name alone proves nothing: two customers may be shown alike.
                if task.query_kind is QueryKind.NAME:
                    found[task.id] = task
        return list(found.values())

    def _cancel(self, work: Work, task: Task, cause: str) -> None:
        work.tx.save_task(ended(task, TaskState.CANCELLED, work.now_ms, cause=cause))
        work.jobs_to_close.add(task.job_id)

    def _decide(
        self, work: Work, whom: Person, act: SuppressionAct, *, reason: str, source: str, actor: str
    ) -> None:
        decision = Suppression(
            act=act,
            at_ms=work.now_ms,
            actor=named(actor),
            source=source.strip(),
            reason=reason.strip(),
        )
        work.tx.add_suppression(whom.digest, decision)
        enter(work, actor=actor, what=f"contact.{act}", object_=whom.digest[:_SHORT])


def _last(history: list[Suppression]) -> SuppressionAct | None:
    return history[-1].act if history else None


def _other_keys(tasks: list[Task], target: str) -> list[str]:
    """Return by what else the rows of lists name a person."""
    rows = [keys_of_task(task) for task in tasks if task.query and task.query_kind is not QueryKind.NAME]
    return sorted({key for keys in rows if target in keys for key in keys} - {target})


def _contacts(tx: Tx, whom: Person, tasks: list[Task]) -> list[tuple[AccountId, str]]:
    """Return as which contacts of which accounts a person is known."""
    pairs = [(friend.account_id, friend.peer_name) for friend in tx.friends_of_target(whom.target)]
    for task in tasks:
        if task.account_id is not None and task.state is not TaskState.QUEUED:
            pairs += [(task.account_id, name) for name in (task.remark, task.peer_name) if name]
    return list(dict.fromkeys(pairs))


def _perhaps_same(tx: Tx, tasks: list[Task]) -> list[Task]:
    own = {task.id for task in tasks}
    shown = {(task.account_id, task.peer_name) for task in tasks if task.account_id and task.peer_name}
    return [
        other
        for account_id, peer_name in sorted(shown)
        for other in tx.tasks_of_contact(account_id, peer_name)
        if other.peer_name == peer_name and other.id not in own
    ]
