"""Builds of the client: asking a phone to learn one, and deciding on what it learned."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from controller.core import Core
from controller.model import PhoneId
from controller.store.base_clients import Candidate
from controller.web.desk import Actor, At

router = APIRouter(tags=["clients"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateView:
    """Ids read off a phone, for a person to accept; `failure` says why there are none."""

    id: int
    phone_id: str
    request_id: str
    version_name: str
    version_code: int
    installer: str
    base: str
    ids: dict[str, str]
    missing: list[str]
    failure: str
    state: str
    at_ms: int


def candidate_view(one: Candidate) -> CandidateView:
    """Show a candidate."""
    return CandidateView(
        id=one.id,
        phone_id=one.phone_id,
        request_id=one.request_id,
        version_name=one.table.version_name,
        version_code=one.table.version_code,
        installer=one.table.installer,
        base=one.table.base,
        ids=dict(one.table.ids),
        missing=list(one.missing),
        failure=one.failure,
        state=one.state,
        at_ms=one.at_ms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The request that the phone will answer."""

    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Why a candidate is accepted or rejected."""

    reason: str


@router.post("/phones/{phone_id}/calibration", summary="Ask a phone to learn the ids of its client")
async def calibrate_phone(at: At, actor: Actor, phone_id: str) -> Asked:
    """Ask; the answer comes as a candidate with this request's id, usually within a minute."""

    def calibrate(core: Core) -> Asked:
        return Asked(request_id=core.clients.calibrate(PhoneId(phone_id), actor=actor))

    return await at.ask(calibrate)


@router.get("/clients/candidates", summary="List what phones learned")
async def list_candidates(at: At, limit: int = 20, request_id: str | None = None) -> list[CandidateView]:
    """Return candidates, newest first; with a request only the one that answers it."""

    def candidates(core: Core) -> list[CandidateView]:
        if request_id is not None:
            found = core.clients.answer(request_id)
            return [candidate_view(found)] if found else []
        return [candidate_view(one) for one in core.clients.candidates(limit=limit)]

    return await at.ask(candidates)


@router.post("/clients/candidates/{candidate_id}/acceptance", summary="Accept what a phone learned")
async def accept_candidate(at: At, actor: Actor, candidate_id: int, asked: Decision) -> CandidateView:
    """Let phones of exactly this build use these ids: a named person decides, with a reason."""
    return await at.ask(
        lambda core: candidate_view(core.clients.accept(candidate_id, reason=asked.reason, actor=actor))
    )


@router.post("/clients/candidates/{candidate_id}/rejection", summary="Reject what a phone learned")
async def reject_candidate(at: At, actor: Actor, candidate_id: int, asked: Decision) -> CandidateView:
    """Put a candidate aside: a named person decides, with a reason."""
    return await at.ask(
        lambda core: candidate_view(core.clients.reject(candidate_id, reason=asked.reason, actor=actor))
    )
