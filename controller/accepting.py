"""Accepting those who ask an account: off by default, set by a named person, once for each request."""

from __future__ import annotations

from dataclasses import replace

from controller.audit import enter, named
from controller.clock import DAY_MS, day_of
from controller.errors import BadRequest
from controller.greetings import refuse_words
from controller.hours import ALL_WEEK, WHOLE_DAY, next_open_ms
from controller.ledger import Ledger, Work
from controller.model import (
    Account,
    AccountId,
    Action,
    Job,
    JobId,
    JobState,
    PhoneId,
    QueryKind,
    Task,
    TaskId,
    TaskState,
)
from controller.people import AcceptPolicy
from controller.targets import content_hash, person
from controller.transitions import ended, repeated
from protos.facts import FriendRequestSeen, peer_key

OPEN = "open"
# One job of each for an account, which goes on with every new request.
STANDING = frozenset({Action.FRIEND_ACCEPT, Action.FIRST_REPLY})
# A request that could not be accepted is seen again at each look; a person should see it before the machine
# tries a second time.
_AGAIN_AFTER_MS = 3 * DAY_MS
_MAX_REPLY_CHARS = 200
_MAX_TAGS = 10


def opens_at_ms(policy: AcceptPolicy, account: Account | None, now_ms: int, *, farm_zone: str) -> int:
    """Return the first moment from now on within a policy's hours, read where the account lives."""
    zone_name = (account.time_zone if account else "") or farm_zone
    found = next_open_ms(policy.hours, policy.weekdays, zone_name, now_ms)
    return now_ms + DAY_MS if found is None else found


def requested(work: Work, phone_id: PhoneId, account_id: AccountId, fact: FriendRequestSeen) -> None:
    """Keep whether a request is open, and make the task that accepts it if the account's policy is on."""
    tx = work.tx
    phone = tx.phone(phone_id)
    if not account_id or not fact.peer_name.strip() or phone is None or phone.account_id != account_id:
        return
    if fact.state != OPEN:
        tx.drop_request(account_id, fact.peer_name)
        return
    # An agent tells only what changed: whoever switches accepting on later needs to know who asked.
    tx.keep_request(account_id, fact.peer_name, work.now_ms)
    policy = tx.accept_policy(account_id)
    if policy is not None and policy.is_on:
        _accept(work, policy, phone_id, account_id, fact.peer_name)


def answered(work: Work, task: Task) -> None:
    """Keep that a request is not open any more, because a task accepted it."""
    if task.account_id is not None:
        work.tx.drop_request(task.account_id, task.query)


def _accept(
    work: Work, policy: AcceptPolicy, phone_id: PhoneId, account_id: AccountId, peer_name: str
) -> None:
    """Make the task that accepts an open request; at most one a request."""
    tx = work.tx
    target = peer_key(account_id, peer_name)
    job = _standing_job(work, policy, phone_id, account_id, Action.FRIEND_ACCEPT)
    before = [
        task
        for task in tx.tasks_of_person(person(tx.contact_key(), target))
        if task.action is Action.FRIEND_ACCEPT
    ]
    if not before:
        _add(work, job, phone_id, account_id, name=peer_name, tags=policy.tags)
    elif _may_try_again(before[-1], job, work.now_ms):
        tx.save_task(repeated(before[-1], work.now_ms))
    else:
        return
    _open(work, job)
    work.offer()


def _may_try_again(task: Task, job: Job, now_ms: int) -> bool:
    if task.job_id != job.id or not task.query:
        return False
    is_long_ago = (task.ended_at_ms or now_ms) + _AGAIN_AFTER_MS <= now_ms
    return task.state is TaskState.CANCELLED or (task.state is TaskState.NOT_DONE and is_long_ago)


def say_first(work: Work, task: Task) -> None:
    """Make the task that says the first reply to whom an account has just accepted, once ever."""
    account_id, phone_id = task.account_id, task.phone_id
    if account_id is None or phone_id is None:
        return
    policy = work.tx.accept_policy(account_id)
    name = task.remark or task.query
    if policy is None or not policy.is_on or not policy.reply or not name:
        return
    whom = person(work.tx.contact_key(), peer_key(account_id, name))
    if any(there.action is Action.FIRST_REPLY for there in work.tx.tasks_of_person(whom)):
        return
    job = _standing_job(work, policy, phone_id, account_id, Action.FIRST_REPLY)
    if _add(work, job, phone_id, account_id, name=name):
        _open(work, job)
        work.offer()


def _standing_job(
    work: Work, policy: AcceptPolicy, phone_id: PhoneId, account_id: AccountId, action: Action
) -> Job:
    """Return the job in which an account accepts, or says this reply; made when first needed."""
    text = policy.reply if action is Action.FIRST_REPLY else ""
    fingerprint = content_hash(work.tx.contact_key(), action, account_id, text)
    there = work.tx.job_by_hash(fingerprint)
    if there is not None:
        return there
    day = day_of(work.now_ms)
    name = "accepting" if action is Action.FRIEND_ACCEPT else "first reply"
    job = Job(
        id=JobId(f"{day}-{work.tx.next_job_number(day):02}"),
        action=action,
        state=JobState.RUNNING,
        created_at_ms=work.now_ms,
        created_by=policy.set_by,
        content_hash=fingerprint,
        source_name=f"{name} {phone_id}",
        greeting=text,
        pool=(phone_id,),
    )
    # False if another controller made it while this one waited for its number.
    if work.tx.add_job(job):
        return job
    return work.tx.job_by_hash(fingerprint) or job


def _add(
    work: Work,
    job: Job,
    phone_id: PhoneId,
    account_id: AccountId,
    *,
    name: str,
    tags: tuple[str, ...] = (),
) -> bool:
    place = sum(work.tx.task_counts(job.id).values()) + 1
    task = Task(
        id=TaskId(f"{job.id}.{place:04}"),
        job_id=job.id,
        row_no=place,
        action=job.action,
        query=name,
        query_kind=QueryKind.NAME,
        remark="",
        basis="asked this account",
        basis_at="",
        state=TaskState.QUEUED,
        pinned_phone_id=phone_id,
        pinned_account_id=account_id,
        tags=tags,
        not_before_ms=work.now_ms,
        created_at_ms=work.now_ms,
    )
    return work.tx.add_task(task, peer_key(account_id, name))


def _open(work: Work, job: Job) -> None:
    # As it is now: what a person paused meanwhile stays so.
    there = work.tx.lock_job(job.id)
    if there is not None and there.state is JobState.ENDED:
        work.tx.set_job_state(job.id, JobState.RUNNING, cause="", by="", judged_from_ms=job.judged_from_ms)


def stop(work: Work, job: Job, *, reason: str, actor: str) -> None:
    """Switch accepting off for the account of a standing job, if it is on."""
    pinned = [task.pinned_account_id for task in work.tx.tasks(job.id) if task.pinned_account_id]
    account_id = pinned[0] if pinned else None
    if account_id is None or work.tx.lock_account(account_id) is None:
        return
    policy = work.tx.accept_policy(account_id)
    if policy is not None and policy.is_on:
        off = replace(policy, is_on=False, set_by=named(actor), set_at_ms=work.now_ms)
        _keep(work, account_id, off, reason=reason, actor=actor)


def _keep(work: Work, account_id: AccountId, policy: AcceptPolicy, *, reason: str, actor: str) -> None:
    phone_id = work.tx.phone_of_account(account_id)
    work.tx.set_accept_policy(account_id, policy)
    if not policy.is_on:
        for task in work.tx.unfinished_accepts(account_id):
            work.tx.save_task(ended(task, TaskState.CANCELLED, work.now_ms, cause="accepting_off"))
            work.jobs_to_close.add(task.job_id)
    elif phone_id is not None:
        for peer_name in work.tx.open_requests(account_id):
            _accept(work, policy, phone_id, account_id, peer_name)
    told = f"{'on' if policy.is_on else 'off'}; {reason}"
    enter(work, actor=actor, what="accepting.set", object_=account_id, reason=told)
    work.touch(phone_id)


class Accepting:
    """The policies of accepting, for people."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def policy(self, account_id: AccountId) -> AcceptPolicy:
        """Return whether and how an account accepts; off if nobody ever decided."""
        with self._ledger.look() as tx:
            return tx.accept_policy(account_id) or AcceptPolicy()

    def set(self, account_id: AccountId, policy: AcceptPolicy, *, reason: str, actor: str) -> AcceptPolicy:
        """Keep whether and how an account accepts; switched off, what still waits is cancelled.

        Switched on, the requests that were seen and are still open are accepted too.

        BadRequest without a name or a reason, for an account no phone was ever bound to, or impossible hours;
        SafetyRefusal if the reply holds a sensitive word.
        """
        if not reason.strip():
            raise BadRequest("say why this account accepts so")
        self._check(policy)
        with self._ledger.work() as work:
            if work.tx.lock_account(account_id) is None:
                raise BadRequest("no phone was ever bound to this account")
            kept = replace(
                policy,
                reply=policy.reply.strip(),
                tags=tuple(dict.fromkeys(tag.strip() for tag in policy.tags if tag.strip())),
                set_by=named(actor),
                set_at_ms=work.now_ms,
            )
            _keep(work, account_id, kept, reason=reason.strip(), actor=actor)
            return kept

    def _check(self, policy: AcceptPolicy) -> None:
        from_minute, to_minute = policy.hours
        if not 0 <= from_minute < to_minute <= WHOLE_DAY[1]:
            raise BadRequest("the hours are minutes of a day, from before to: 0 to 1440")
        if not policy.weekdays or not policy.weekdays <= ALL_WEEK:
            raise BadRequest("say the weekdays as 1 (Monday) to 7")
        if len(policy.reply.strip()) > _MAX_REPLY_CHARS:
            raise BadRequest(f"the reply has at most {_MAX_REPLY_CHARS} characters")
        if len(policy.tags) > _MAX_TAGS:
            raise BadRequest(f"at most {_MAX_TAGS} tags")
        refuse_words(self._ledger.shelves.current(), policy.reply, what="the reply")
