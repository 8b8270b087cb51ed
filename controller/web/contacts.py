"""Contacts: what is known of one person over the whole fleet, that nobody contacts them, their tags.

A person comes in the body and never in the address: addresses end up in logs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import APIRouter

from controller.core import Core
from controller.model import Customer, PhoneId, QueryKind
from controller.people import ContactView, Friend
from controller.safe import masked, masked_id
from controller.selection import phone_id_of
from controller.targets import typed
from controller.web.desk import Actor, At
from controller.web.jobs import SubmittedView, TaskView, task_view, viewed
from controller.web.lists import problem_view

router = APIRouter(prefix="/contacts", tags=["contacts"])


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendView:
    """A contact of one account, under the name its client shows; who that is in a list is masked."""

    account_id: str
    phone_id: str | None
    name: str
    who: str
    tags: list[str]
    since_ms: int
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """One decision about contacting a person."""

    act: str
    at_ms: int
    actor: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """Everything known of one person; `perhaps_same` are rows shown under the same name elsewhere."""

    who: str
    kind: str
    may_be_contacted: bool
    is_suppressed: bool
    is_forgotten: bool
    tasks: list[TaskView]
    friends: list[FriendView]
    history: list[DecisionView]
    perhaps_same: list[TaskView]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who is meant, by mobile or WeChat id as people write it."""

    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Who is meant, and why; `source` says where the wish came from."""

    query: str
    reason: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgottenView:
    """How many rows of jobs were emptied of a person."""

    who: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What one contact of one phone gets; the name is as the phone's client shows it."""

    phone_id: str
    name: str
    remark: str = ""
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Contacts and what they get."""

    marks: list[Mark]
    source: str = ""


@router.get("", summary="List contacts of accounts")
async def list_contacts(at: At, tag: str = "", phones: str = "all") -> list[FriendView]:
    """Return the known contacts of the accounts on the phones that a selector names, by phone and name."""
    return await at.ask(_listed, tag.strip(), phones)


@router.post("/show", summary="Show what is known of a person")
async def show_contact(at: At, asked: Asked) -> PersonView:
    """Return every row, friendship and decision about one person over the whole fleet."""
    return await at.ask(lambda core: _person(core, core.contacts.show(asked.query)))


@router.post("/suppress", summary="Let nobody contact a person")
async def suppress_contact(at: At, actor: Actor, asked: Decided) -> PersonView:
    """Keep that a person must not be contacted; rows that wait are cancelled. Needs a reason."""

    def suppress(core: Core) -> PersonView:
        found = core.contacts.suppress(asked.query, reason=asked.reason, source=asked.source, actor=actor)
        return _person(core, found)

    return await at.ask(suppress)


@router.post("/release", summary="Let a person be contacted again")
async def release_contact(at: At, actor: Actor, asked: Decided) -> PersonView:
    """Take a suppression back; never for a person who was forgotten. Needs a reason."""
    return await at.ask(
        lambda core: _person(core, core.contacts.release(asked.query, reason=asked.reason, actor=actor))
    )


@router.post("/forget", summary="Forget a person")
async def forget_contact(at: At, actor: Actor, asked: Decided) -> ForgottenView:
    """Take a person out of rows, friends and decisions for good; nobody contacts them again."""

    def forget(core: Core) -> ForgottenView:
        target, kind = typed(asked.query)
        rows = core.contacts.forget(asked.query, reason=asked.reason, actor=actor)
        return ForgottenView(who=_hidden(target, kind), rows=rows)

    return await at.ask(forget)


@router.post("/marks", summary="Give contacts a remark and tags", status_code=201)
async def submit_marks(at: At, actor: Actor, asked: Marks) -> SubmittedView:
    """Make a job that sets remarks and tags; the same again on one day is the same job."""

    def submit(core: Core) -> SubmittedView:
        made = core.jobs.submit_marks(
            [_mark(row_no, mark) for row_no, mark in enumerate(asked.marks, 1)],
            source_name=asked.source,
            actor=actor,
        )
        return SubmittedView(
            job=viewed(core, made.job),
            is_new=made.is_new,
            skipped=[problem_view(problem) for problem in made.skipped],
        )

    return await at.ask(submit)


def _mark(row_no: int, mark: Mark) -> Customer:
    return Customer(
        row_no=row_no,
        query=mark.name.strip(),
        query_kind=QueryKind.NAME,
        basis="contact of this account",
        basis_at="",
        remark=mark.remark.strip(),
        tags=tuple(dict.fromkeys(tag.strip() for tag in mark.tags if tag.strip())),
        pinned_phone_id=phone_id_of(mark.phone_id),
    )


def _listed(core: Core, tag: str, phones: str) -> list[FriendView]:
    return [
        _friend(friend, phone.phone_id)
        for phone in core.fleet.select(phones)
        if phone.account_id is not None
        for friend in core.friends.of(phone.account_id)
        if not tag or tag in friend.tags
    ]


def _friend(friend: Friend, phone_id: PhoneId | None) -> FriendView:
    return FriendView(
        account_id=friend.account_id,
        phone_id=phone_id,
        name=masked(friend.peer_name),
        who=_hidden(friend.target) if friend.target else "",
        tags=list(friend.tags),
        since_ms=friend.since_ms,
        how=friend.how,
    )


def _hidden(target: str, kind: QueryKind | None = None) -> str:
    """Return whom a list named, masked."""
    is_number = target.lstrip("+").isdecimal() if kind is None else kind is QueryKind.MOBILE
    return masked(target) if is_number else masked_id(target)


def _person(core: Core, found: ContactView) -> PersonView:
    bound = {phone.account_id: phone.phone_id for phone in core.fleet.phones() if phone.account_id}
    return PersonView(
        who=_hidden(found.target, found.kind),
        kind=found.kind,
        may_be_contacted=not (found.is_suppressed or found.is_forgotten),
        is_suppressed=found.is_suppressed,
        is_forgotten=found.is_forgotten,
        tasks=[task_view(task) for task in found.tasks],
        friends=[_friend(friend, bound.get(friend.account_id)) for friend in found.friends],
        history=[
            DecisionView(
                act=one.act,
                at_ms=one.at_ms,
                actor=one.actor,
                source=masked(one.source),
                reason=masked(one.reason),
            )
            for one in found.history
        ],
        perhaps_same=[task_view(task) for task in found.perhaps_same],
    )
