"""Searching the history again by the words and rules in force: asking for it, and how it stands."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request

from controller.store.base_books import Scan
from controller.web.desk import Actor, At
from controller.web.scanning import Scanning
from controller.web.values import Number, Text

router = APIRouter(prefix="/words", tags=["words"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanAsked:
    """Since when the history is searched, and why."""

    since_ms: Number
    reason: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanView:
    """A search of the history: `found` violations that were not there before, of `looked_at` messages."""

    id: int
    book_version: int
    since_ms: int
    after_message_id: int
    last_message_id: int
    looked_at: int
    found: int
    state: str
    asked_by: str
    at_ms: int
    ended_at_ms: int | None


def scan_view(scan: Scan) -> ScanView:
    """Show a search."""
    return ScanView(**asdict(scan))


@router.post("/rescans", summary="Search the history again")
async def begin_rescan(at: At, actor: Actor, request: Request, asked: ScanAsked) -> ScanView:
    """Search what was archived since a moment; it goes on when nobody waits for it, also after a restart."""
    scan = await at.ask(lambda core: core.rescans.begin(asked.since_ms, reason=asked.reason, actor=actor))
    scanning_of(request).wake()
    return scan_view(scan)


@router.get("/rescans", summary="List searches of the history")
async def list_rescans(at: At, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[ScanView]:
    """Return searches, newest first."""
    return [scan_view(scan) for scan in await at.ask(lambda core: core.rescans.list(limit=limit))]


@router.post("/rescans/{scan_id}/stop", summary="Stop a search of the history")
async def stop_rescan(at: At, actor: Actor, scan_id: Number) -> ScanView:
    """Stop a search where it stands; what it found stays."""
    return scan_view(await at.ask(lambda core: core.rescans.stop(scan_id, actor=actor)))


def scanning_of(request: Request) -> Scanning:
    """Return what runs the searches of this app."""
    return cast(Scanning, request.app.state.scanning)
