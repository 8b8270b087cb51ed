"""Lists become jobs: each row one task, nobody added twice over the fleet, nobody against their will."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from controller.audit import enter, named
from controller.clock import day_of
from controller.errors import BadRequest, BadRows, SafetyRefusal, UnknownPhone
from controller.greetings import refuse_words
from controller.ledger import CoreSettings, Work
from controller.model import (
    AccountId,
    Action,
    Customer,
    Job,
    JobId,
    JobState,
    PhoneId,
    QueryKind,
    RowProblem,
    Submitted,
    Task,
    TaskId,
    TaskState,
)
from controller.obstacles import suppressed_target
from controller.people import Against, Friend
from controller.store.base import Tx
from controller.targets import content_hash, keys_of, person, target_of
from protos.facts import peer_key

TWICE = "stands twice in this list"
SUPPRESSED = "must not be contacted"
_MAX_AGE_DAYS = 30


def newest_first(customers: Sequence[Customer]) -> list[Customer]:
    """Return rows in the order in which they are done: the newest basis first, then as in the list."""
    return sorted(sorted(customers, key=lambda c: c.row_no), key=lambda c: c.basis_at, reverse=True)


def already(tx: Tx, customers: Sequence[Customer]) -> dict[int, str]:
    """Return for each row that must not be added why, in words."""
    key = tx.contact_key()
    keys = {c.row_no: keys_of(c) for c in customers}
    found: dict[str, str] = {}
    for target in {target for both in keys.values() for target in both}:
        why = _why_not(tx.against(Action.FRIEND_ADD, person(key, target)))
        if why:
            found[target] = why
    whys = {row_no: [found[target] for target in both if target in found] for row_no, both in keys.items()}
    # That a person must not be contacted says more than that they were asked.
    return {row_no: SUPPRESSED if SUPPRESSED in why else why[0] for row_no, why in whys.items() if why}


def _why_not(against: Against) -> str:
    task = against.task
    if against.is_suppressed:
        return SUPPRESSED
    if task is None:
        return f"is a friend of account {against.friend_of}" if against.friend_of else ""
    match task.state:
        case TaskState.DONE:
            return f"was added in job {task.job_id}"
        case TaskState.UNKNOWN:
            return f"may have been added in job {task.job_id}: its outcome is unknown"
        case TaskState.NOT_DONE:
            return f"must not be asked again: {task.outcome} in job {task.job_id}"
        case _:
            return f"is being added in job {task.job_id}"


def check_adds(settings: CoreSettings, customers: Sequence[Customer], pool: Sequence[PhoneId]) -> None:
    """Refuse a list that must not run. BadRequest, SafetyRefusal."""
    _check_size(settings, customers)
    if not pool and any(c.pinned_phone_id is None for c in customers):
        raise BadRequest("say which phones may do this")
    nobody = [
        c.row_no for c in customers if c.query_kind is QueryKind.NAME or not target_of(c.query, c.query_kind)
    ]
    if nobody:
        raise BadRequest(f"rows without a mobile or a WeChat id: {_some(nobody)}")
    without = [c.row_no for c in customers if not (c.basis.strip() and c.basis_at.strip())]
    if without:
        raise SafetyRefusal(f"rows without a basis for contact and its date: {_some(without)}")


def friend_adds(
    work: Work,
    settings: CoreSettings,
    customers: Sequence[Customer],
    *,
    pool: Sequence[PhoneId],
    greeting: str,
    source_name: str,
    actor: str,
) -> Submitted:
    """Make a job of a list; see `Jobs.submit_friend_adds`."""
    check_adds(settings, customers, pool)
    refuse_words(work.shelf(), greeting, what="the greeting")
    fingerprint = content_hash(work.tx.contact_key(), greeting, customers=customers)
    phone_ids = {*pool, *(c.pinned_phone_id for c in customers if c.pinned_phone_id)}
    job, is_new = _job(
        work,
        Action.FRIEND_ADD,
        fingerprint,
        pool=pool,
        phone_ids=phone_ids,
        greeting=greeting,
        source_name=source_name,
        actor=actor,
    )
    if not is_new:
        return Submitted(job=job, is_new=False)
    refused = already(work.tx, customers)
    left_out = [c for c in customers if c.row_no in refused]
    taken: set[str] = set()
    for place, customer in enumerate(customers, 1):
        if customer.row_no in refused:
            continue
        target, *_ = keys = keys_of(customer)
        # The store keeps one row a target; an alias may meet a target or another alias of this list.
        if not taken.isdisjoint(keys) or not work.tx.add_task(_task(work, job, customer, place), target):
            left_out.append(customer)
        taken.update(keys)
    return _submitted(work, job, customers, left_out, refused, actor=actor)


def friends_tagged(
    tx: Tx, *, tag: str, pool: Sequence[PhoneId], max_age_days: int
) -> list[tuple[Customer, Friend]]:
    """Return the friends with a tag on the phones of a pool as rows. BadRequest, BadRows, UnknownPhone."""
    if not tag.strip():
        raise BadRequest("say the tag of the contacts")
    if not 1 <= max_age_days <= _MAX_AGE_DAYS:
        raise BadRequest(f"posts may be 1 to {_MAX_AGE_DAYS} days old")
    if not pool:
        raise BadRequest("say which phones may do this")
    phones = {phone_id: _account_of(tx, phone_id) for phone_id in pool}
    by_account = {account_id: phone_id for phone_id, account_id in phones.items() if account_id}
    friends = [friend for friend in tx.friends_tagged(tag.strip()) if friend.account_id in by_account]
    if not friends:
        raise BadRows("no contact with this tag is known on these phones")
    return [
        (
            Customer(
                row_no=row_no,
                query=friend.peer_name,
                query_kind=QueryKind.NAME,
                basis=f"tag {tag.strip()}",
                basis_at="",
                pinned_phone_id=by_account[friend.account_id],
            ),
            friend,
        )
        for row_no, friend in enumerate(friends, 1)
    ]


def suppressed_rows(work: Work, rows: Sequence[tuple[Customer, Friend]]) -> dict[int, str]:
    """Return for each friend who must not be contacted why, in words."""
    return {
        row.row_no: SUPPRESSED
        for row, friend in rows
        if friend.target and suppressed_target(work, friend.target)
    }


def problems(rows: Sequence[Customer], refused: Mapping[int, str]) -> tuple[RowProblem, ...]:
    """Return the rows that are left out, by row, with the reason."""
    return tuple(
        RowProblem(row_no=c.row_no, column="query", value=c.query, problem=refused[c.row_no])
        for c in sorted(rows, key=lambda c: c.row_no)
        if c.row_no in refused
    )


def likes(
    work: Work,
    settings: CoreSettings,
    *,
    tag: str,
    pool: Sequence[PhoneId],
    max_age_days: int,
    source_name: str,
    actor: str,
) -> Submitted:
    """Make a job of one like for each friend with a tag; the same again on one day is one job."""
    rows = friends_tagged(work.tx, tag=tag, pool=pool, max_age_days=max_age_days)
    _check_size(settings, [row for row, _ in rows])
    wanted = (tag.strip(), ",".join(sorted(set(pool))), str(max_age_days), day_of(work.now_ms))
    job, is_new = _job(
        work,
        Action.MOMENTS_LIKE,
        content_hash(work.tx.contact_key(), Action.MOMENTS_LIKE, *wanted),
        pool=pool,
        phone_ids=set(pool),
        source_name=source_name,
        actor=actor,
        max_age_days=max_age_days,
    )
    if not is_new:
        return Submitted(job=job, is_new=False)
    refused = suppressed_rows(work, rows)
    accounts = {row.row_no: friend.account_id for row, friend in rows}
    return _submit_named(work, job, [row for row, _ in rows], accounts, refused, actor=actor)


def marks(
    work: Work, settings: CoreSettings, rows: Sequence[Customer], *, source_name: str, actor: str
) -> Submitted:
    """Make a job that gives contacts remarks and tags; the same again on one day is one job."""
    _check_size(settings, rows)
    accounts: dict[int, AccountId] = {}
    for row in rows:
        account_id = _account_of(work.tx, row.pinned_phone_id) if row.pinned_phone_id else None
        if row.query_kind is not QueryKind.NAME or not row.query.strip() or account_id is None:
            raise BadRequest(f"row {row.row_no}: say the name as shown, and a phone with an account")
        if not row.remark.strip() and not row.tags:
            raise BadRequest(f"row {row.row_no}: neither a remark nor a tag")
        accounts[row.row_no] = account_id
    pool = tuple(dict.fromkeys(row.pinned_phone_id for row in rows if row.pinned_phone_id))
    job, is_new = _job(
        work,
        Action.CONTACT_MARK,
        content_hash(work.tx.contact_key(), Action.CONTACT_MARK, day_of(work.now_ms), customers=rows),
        pool=pool,
        phone_ids=set(pool),
        source_name=source_name,
        actor=actor,
    )
    if not is_new:
        return Submitted(job=job, is_new=False)
    return _submit_named(work, job, rows, accounts, {}, actor=actor)


def _submit_named(
    work: Work,
    job: Job,
    rows: Sequence[Customer],
    accounts: dict[int, AccountId],
    refused: dict[int, str],
    *,
    actor: str,
) -> Submitted:
    left_out = [row for row in rows if row.row_no in refused]
    for place, row in enumerate(rows, 1):
        account_id = accounts[row.row_no]
        if row.row_no in refused:
            continue
        task = _task(work, job, row, place, account_id=account_id)
        if not work.tx.add_task(task, peer_key(account_id, row.query)):
            left_out.append(row)
    return _submitted(work, job, rows, left_out, refused, actor=actor)


def _job(
    work: Work,
    action: Action,
    fingerprint: str,
    *,
    pool: Sequence[PhoneId],
    phone_ids: set[PhoneId],
    source_name: str,
    actor: str,
    greeting: str = "",
    max_age_days: int = 0,
) -> tuple[Job, bool]:
    """Return the job with this content, and whether it was made now; UnknownPhone."""
    tx = work.tx
    for phone_id in sorted(phone_ids):
        _account_of(tx, phone_id)
    # Whoever waited here sees now what was submitted meanwhile.
    tx.begin_submitting()
    if (there := tx.job_by_hash(fingerprint)) is not None:
        return there, False
    day = day_of(work.now_ms)
    job = Job(
        id=JobId(f"{day}-{tx.next_job_number(day):02}"),
        action=action,
        state=JobState.RUNNING,
        created_at_ms=work.now_ms,
        created_by=named(actor),
        content_hash=fingerprint,
        source_name=source_name,
        greeting=greeting,
        pool=tuple(dict.fromkeys(pool)),
        max_age_days=max_age_days,
    )
    if not tx.add_job(job):
        raise RuntimeError("a job with this content came past the turn of submitting")
    return job, True


def _task(
    work: Work, job: Job, customer: Customer, place: int, *, account_id: AccountId | None = None
) -> Task:
    return Task(
        id=TaskId(f"{job.id}.{place:04}"),
        job_id=job.id,
        row_no=customer.row_no,
        action=job.action,
        query=customer.query,
        query_kind=customer.query_kind,
        remark=customer.remark,
        basis=customer.basis,
        basis_at=customer.basis_at,
        state=TaskState.QUEUED,
        pinned_phone_id=customer.pinned_phone_id,
        pinned_account_id=account_id,
        tags=customer.tags,
        alias=customer.alias,
        not_before_ms=work.now_ms,
        created_at_ms=work.now_ms,
    )


def _submitted(
    work: Work,
    job: Job,
    customers: Sequence[Customer],
    left_out: Sequence[Customer],
    refused: dict[int, str],
    *,
    actor: str,
) -> Submitted:
    if len(left_out) == len(customers):
        raise BadRows("no row is left: every person of this list was added, is being added or must not be")
    why = {c.row_no: refused.get(c.row_no, TWICE) for c in left_out}
    enter(work, actor=actor, what="job.submit", object_=job.id, reason=job.source_name)
    work.offer()
    return Submitted(job=job, is_new=True, skipped=problems(customers, why))


def _account_of(tx: Tx, phone_id: PhoneId) -> AccountId | None:
    phone = tx.phone(phone_id)
    if phone is None:
        raise UnknownPhone(f"no phone {phone_id}")
    return phone.account_id


def _check_size(settings: CoreSettings, customers: Sequence[Customer]) -> None:
    if not customers:
        raise BadRequest("the list has no rows")
    if len(customers) > settings.job_cap:
        raise SafetyRefusal(f"a job has at most {settings.job_cap} rows")


def _some(row_nos: Sequence[int]) -> str:
    return ", ".join(map(str, row_nos[:10]))
