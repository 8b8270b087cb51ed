"""Staff: the records that holders were told of monitoring."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from controller.core import Core
from controller.errors import BadRequest
from controller.model import Notice
from controller.notices import Standing
from controller.web.desk import Actor, At
from controller.web.values import Text

router = APIRouter(prefix="/staff", tags=["staff"])


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """A holder and the newest record that the holder was told; `version` is None if there is no record.

    `is_current`: chats on the holder's phones may be captured; else `why` says what stands against it.
    """

    holder: str
    version: str | None
    how: str
    recorded_by: str
    at_ms: int | None
    withdrawn_at_ms: int | None
    wanted_version: str
    is_current: bool
    why: str


def notice_view(standing: Standing) -> NoticeView:
    """Show how a holder stands."""
    record = standing.record
    return NoticeView(
        holder=standing.holder,
        version=record.version if record else None,
        how=record.how if record else "",
        recorded_by=record.recorded_by if record else "",
        at_ms=record.at_ms if record else None,
        withdrawn_at_ms=record.withdrawn_at_ms if record else None,
        wanted_version=standing.wanted,
        is_current=not standing.why,
        why=standing.why,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """One record that a holder was told; `withdrawn_at_ms` None: it was not withdrawn."""

    version: str
    how: str
    recorded_by: str
    at_ms: int
    withdrawn_at_ms: int | None


def record_view(record: Notice) -> RecordView:
    """Show one record."""
    return RecordView(
        version=record.version,
        how=record.how,
        recorded_by=record.recorded_by,
        at_ms=record.at_ms,
        withdrawn_at_ms=record.withdrawn_at_ms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderView:
    """How a holder stands, and every record, oldest first."""

    standing: NoticeView
    records: list[RecordView]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Who was told, and how: signed paper, a meeting, a scan; without a version: the one in force."""

    holder: Text
    version: Text = ""
    how: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """Whose notice is withdrawn, and why."""

    holder: Text
    reason: Text = ""


@router.get("/notices", summary="List who was told of monitoring")
async def list_notices(at: At) -> list[NoticeView]:
    """Return how each holder stands; holders of phones without a record come with version null."""
    return await at.ask(lambda core: [notice_view(standing) for standing in core.notices.all()])


@router.get("/notices/{holder}", summary="Show what a holder was told")
async def show_notices(at: At, holder: Text) -> HolderView:
    """Return how a holder stands, and every record, also of older versions and withdrawn ones."""
    return await at.ask(_holder, holder)


@router.post("/notices", summary="Record that a holder was told")
async def record_notice(at: At, actor: Actor, told: Told) -> NoticeView:
    """Keep that a holder was told; chats on the holder's phones are captured from now on."""

    def record(core: Core) -> NoticeView:
        version = told.version.strip() or core.notices.standing(told.holder).wanted
        if not version:
            raise BadRequest("say which version of the notice was given")
        notice = core.notices.record(told.holder, version=version, how=told.how, actor=actor)
        return notice_view(core.notices.standing(notice.holder))

    return await at.ask(record)


@router.post("/notices/withdraw", summary="Withdraw a holder's notice")
async def withdraw_notice(at: At, actor: Actor, asked: Withdrawn) -> NoticeView:
    """End capture on the holder's phones from now on; what was captured before stays. Needs a reason."""

    def withdraw(core: Core) -> NoticeView:
        core.notices.withdraw(asked.holder, reason=asked.reason, actor=actor)
        return notice_view(core.notices.standing(asked.holder))

    return await at.ask(withdraw)


def _holder(core: Core, holder: str) -> HolderView:
    records = [record_view(record) for record in core.notices.history(holder)]
    return HolderView(standing=notice_view(core.notices.standing(holder)), records=records)
