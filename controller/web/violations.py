"""Violations: sensitive words found in captured messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from controller.core import Core
from controller.records import Violation, ViolationState
from controller.safe import masked
from controller.web.desk import Actor, At

router = APIRouter(prefix="/violations", tags=["violations"])

_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationView:
    """A sensitive word in a message: text[start:end] is what matched."""

    violation_id: int
    found_at_ms: int
    phone_id: str
    account_id: str
    holder: str
    word: str
    start: int
    end: int
    text: str
    side: str
    state: str
    book_version: int
    conversation_id: int | None
    message_id: int | None


def violation_view(found: Violation) -> ViolationView:
    """Show a violation."""
    return ViolationView(
        violation_id=found.id,
        found_at_ms=found.found_at_ms,
        phone_id=found.phone_id,
        account_id=found.account_id,
        holder=found.holder,
        word=found.word,
        start=found.start,
        end=found.end,
        text=masked(found.text),
        side=found.side,
        state=found.state,
        book_version=found.book_version,
        conversation_id=found.conversation_id,
        message_id=found.message_id,
    )


@router.get("", summary="List violations")
async def list_violations(
    at: At,
    actor: Actor,
    phones: str = "all",
    state: ViolationState | None = None,
    since_ms: int = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> list[ViolationView]:
    """Return violations, newest first; they quote chats, so the look is recorded."""
    return await at.ask(_found, phones, state, since_ms, limit, actor)


def _found(
    core: Core, phones: str, state: ViolationState | None, since_ms: int, limit: int, actor: str
) -> list[ViolationView]:
    wanted = [None] if phones == "all" else [phone.phone_id for phone in core.fleet.select(phones)]
    core.audit.record(actor=actor, what="violations.read", object=phones)
    found = [
        violation
        for phone_id in wanted
        for violation in core.violations.list(since_ms=since_ms, state=state, phone_id=phone_id, limit=limit)
    ]
    found.sort(key=lambda violation: -violation.id)
    return [violation_view(violation) for violation in found[:limit]]
