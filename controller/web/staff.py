"""Staff: the records that holders were told of monitoring."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from controller.core import Core
from controller.model import Notice
from controller.web.desk import Actor, At

router = APIRouter(prefix="/staff", tags=["staff"])


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """A holder and the newest record that the holder was told; `version` is None if there is no record."""

    holder: str
    version: str | None
    how: str
    recorded_by: str
    at_ms: int | None


def notice_view(notice: Notice) -> NoticeView:
    """Show a record that a holder was told."""
    return NoticeView(
        holder=notice.holder,
        version=notice.version,
        how=notice.how,
        recorded_by=notice.recorded_by,
        at_ms=notice.at_ms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Who was told, by which version of the notice, and how: signed paper, a meeting, a scan."""

    holder: str
    version: str
    how: str


@router.get("/notices", summary="List who was told of monitoring")
async def list_notices(at: At) -> list[NoticeView]:
    """Return the newest record of each holder; holders of phones without a record come with version null."""
    return await at.ask(_notices)


@router.post("/notices", summary="Record that a holder was told")
async def record_notice(at: At, actor: Actor, told: Told) -> NoticeView:
    """Keep that a holder was told; chats on the holder's phones are captured from now on."""

    def record(core: Core) -> NoticeView:
        return notice_view(core.notices.record(told.holder, version=told.version, how=told.how, actor=actor))

    return await at.ask(record)


def _notices(core: Core) -> list[NoticeView]:
    told = {notice.holder: notice_view(notice) for notice in core.notices.all()}
    for phone in core.fleet.phones():
        if phone.holder and phone.holder not in told:
            told[phone.holder] = NoticeView(
                holder=phone.holder, version=None, how="", recorded_by="", at_ms=None
            )
    return sorted(told.values(), key=lambda notice: notice.holder)
