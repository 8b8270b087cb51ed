"""Who is a friend of which account: kept from what tasks came to and from what was seen."""

from __future__ import annotations

from dataclasses import replace

from controller.ledger import Ledger, Work
from controller.model import AccountId, Action, Task, TaskState
from controller.people import Friend
from controller.targets import person, target_of_task
from controller.transitions import ACCEPTED, ADDED, ALREADY_FRIEND, ALREADY_MARKED, REQUESTED


def friend_after(task: Task, now_ms: int) -> Friend | None:
    """Return the friend that the end of a task tells of; None if it tells of none or not by name."""
    is_done = task.state is TaskState.DONE
    is_there = task.state is TaskState.NOT_DONE and task.outcome in (ALREADY_FRIEND, ALREADY_MARKED)
    tags = task.tags
    match task.action:
        case Action.FRIEND_ADD if is_done and task.outcome in (ADDED, ACCEPTED):
            # The client shows a remark in the name's place from the first moment on.
            name = task.remark or task.peer_name
        case Action.FRIEND_ADD if is_there:
            name, tags = task.peer_name, ()
        case Action.FRIEND_ACCEPT | Action.CONTACT_MARK if is_done or is_there:
            name = task.remark or task.query
        case _:
            return None
    if not name or task.account_id is None:
        return None
    target = target_of_task(task) if task.action is Action.FRIEND_ADD else ""
    return Friend(
        account_id=task.account_id,
        peer_name=name,
        target=target,
        tags=tags,
        since_ms=task.ended_at_ms or now_ms,
        how=task.outcome,
    )


def keep(work: Work, friend: Friend, *, former_name: str = "") -> None:
    """Keep a friend; what was known under this name or the former one stays known."""
    names = dict.fromkeys(name for name in (friend.peer_name, former_name) if name)
    there = [known for name in names if (known := work.tx.friend(friend.account_id, name)) is not None]
    if former_name and former_name != friend.peer_name:
        work.tx.drop_friend(friend.account_id, former_name)
    for known in there:
        friend = replace(
            friend,
            target=friend.target or known.target,
            tags=tuple(dict.fromkeys((*known.tags, *friend.tags))),
            since_ms=min(friend.since_ms, known.since_ms),
            how=known.how,
        )
    work.tx.save_friend(friend)


def keep_after(work: Work, task: Task) -> None:
    """Keep the friend that the end of a task tells of."""
    friend = friend_after(task, work.now_ms)
    if friend is not None:
        former = task.query if task.action is Action.CONTACT_MARK else ""
        keep(work, friend, former_name=former)


def accepted(work: Work, account_id: AccountId, *, title: str, how: str) -> None:
    """Keep that a contact accepted an earlier request of an account, ours or one made by hand."""
    asked = [t for t in work.tx.tasks_of_peer(account_id, title) if t.outcome == REQUESTED]
    # Two people shown under one title: who accepted is not known, so nobody is said to have.
    if len(asked) > 1:
        return
    task = asked[0] if asked else _asked_as_friend(work, account_id, title)
    if task is None:
        friend = Friend(account_id=account_id, peer_name=title, since_ms=work.now_ms, how=how)
    else:
        work.tx.save_task(replace(task, outcome=ACCEPTED))
        friend = Friend(
            account_id=account_id,
            peer_name=title,
            target=target_of_task(task),
            tags=task.tags,
            since_ms=work.now_ms,
            how=ACCEPTED,
        )
    if title:
        keep(work, friend)


def _asked_as_friend(work: Work, account_id: AccountId, title: str) -> Task | None:
    """Return the request to whom is known as a friend under this title, as after a change of the remark."""
    friend = work.tx.friend(account_id, title)
    if friend is None or not friend.target:
        return None
    whom = person(work.tx.contact_key(), friend.target)
    task = work.tx.against(Action.FRIEND_ADD, whom).task
    if task is None or task.account_id != account_id or task.outcome != REQUESTED:
        return None
    return work.tx.lock_task(task.id)


class Friends:
    """The friends of accounts, for readers."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def of(self, account_id: AccountId) -> list[Friend]:
        """Return the friends of an account that are known here, by name."""
        with self._ledger.look() as tx:
            return tx.friends_of(account_id)

    def tagged(self, tag: str) -> list[Friend]:
        """Return the friends that bear a tag, by account and name."""
        with self._ledger.look() as tx:
            return tx.friends_tagged(tag.strip())
