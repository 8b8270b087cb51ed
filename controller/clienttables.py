"""Builds of the client that no release knows: learned on a phone when asked, used once a person accepts."""

from __future__ import annotations

import re
import uuid

from controller.audit import enter, named
from controller.errors import BadRequest, UnknownPhone
from controller.ledger import Ledger, Work
from controller.model import Phone, PhoneId
from controller.selection import phone_id_of
from controller.sessions import LearnedTable
from controller.store.base_clients import Candidate, CandidateState
from protos.facts import ClientLearned, PhoneState

_MAX_CANDIDATES = 100
_MAX_IDS = 400
# What an agent sends is not trusted further than its form.
_ROLE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ID = re.compile(r"[A-Za-z0-9_.:/]{1,128}")
_CALIBRATES = frozenset({PhoneState.READY, PhoneState.BLIND, PhoneState.NO_NOTICE})


def learned(work: Work, phone: Phone, fact: ClientLearned) -> None:
    """Keep what an agent learned as a candidate; a second time is harmless."""
    table = LearnedTable(
        version_name=fact.version_name,
        version_code=fact.version_code,
        installer=fact.installer,
        base=fact.base,
        ids=tuple(
            (role, value) for role, value in fact.ids if _ROLE.fullmatch(role) and _ID.fullmatch(value)
        )[:_MAX_IDS],
    )
    candidate = Candidate(
        phone_id=phone.phone_id,
        request_id=fact.request_id,
        table=table,
        missing=fact.missing[:_MAX_IDS],
        failure=fact.failure,
        state=CandidateState.FAILED if fact.failure or not table.ids else CandidateState.NEW,
        at_ms=work.now_ms,
    )
    work.tx.add_candidate(candidate)
    if fact.version_name:
        # The greeting may be older than an update of the client.
        work.tx.set_build(phone.phone_id, fact.version_name, fact.version_code, fact.installer)


class ClientTables:
    """Candidates and accepted tables, for people who decide."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def candidates(self, *, limit: int = 20) -> list[Candidate]:
        """Return the newest candidates, newest first."""
        with self._ledger.look() as tx:
            return tx.candidates(limit=max(1, min(limit, _MAX_CANDIDATES)))

    def answer(self, request_id: str) -> Candidate | None:
        """Return what a phone answered to a request to calibrate, None as long as nothing came."""
        found = self.candidates(limit=_MAX_CANDIDATES)
        return next((one for one in found if one.request_id == request_id), None)

    def calibrate(self, phone_id: PhoneId, *, actor: str) -> str:
        """Ask a phone's agent to learn the ids of its client; returns the request's id.

        UnknownPhone; BadRequest while the phone is in a state in which nothing is opened on it.
        """
        named(actor)
        with self._ledger.work() as work:
            phone = work.tx.lock_phone(phone_id_of(phone_id))
            if phone is None:
                raise UnknownPhone(f"no phone {phone_id}")
            if phone.state not in _CALIBRATES:
                raise BadRequest(
                    f"phone {phone.phone_id} is {phone.state}; it is calibrated while ready or blind"
                )
            request_id = uuid.uuid4().hex
            enter(work, actor=actor, what="client.calibrate", object_=phone.phone_id, reason=request_id)
            work.calibrate(phone.phone_id, request_id)
            return request_id

    def accept(self, candidate_id: int, *, reason: str, actor: str) -> Candidate:
        """Let phones of exactly this build use what was learned; BadRequest without a reason."""
        with self._ledger.work() as work:
            candidate = self._open(work, candidate_id, reason)
            work.tx.accept_table(candidate, accepted_by=named(actor), at_ms=work.now_ms)
            table = candidate.table
            for phone_id in work.tx.phones_of_build(table.version_name, table.version_code, table.installer):
                work.touch(phone_id)
            work.offer()
            return self._decide(work, candidate, CandidateState.ACCEPTED, reason, actor)

    def reject(self, candidate_id: int, *, reason: str, actor: str) -> Candidate:
        """Put a candidate aside; BadRequest without a reason or such a one."""
        with self._ledger.work() as work:
            candidate = self._open(work, candidate_id, reason)
            return self._decide(work, candidate, CandidateState.REJECTED, reason, actor)

    def _open(self, work: Work, candidate_id: int, reason: str) -> Candidate:
        if not reason.strip():
            raise BadRequest("say why")
        candidate = work.tx.lock_candidate(candidate_id)
        if candidate is None:
            raise BadRequest(f"no candidate {candidate_id}")
        if candidate.state is not CandidateState.NEW:
            raise BadRequest(f"candidate {candidate_id} is {candidate.state} already")
        return candidate

    def _decide(
        self, work: Work, candidate: Candidate, state: CandidateState, reason: str, actor: str
    ) -> Candidate:
        work.tx.set_candidate_state(candidate.id, state)
        enter(
            work,
            actor=actor,
            what=f"client.{state}",
            object_=f"candidate {candidate.id}, WeChat {candidate.table.version_name}",
            reason=reason,
        )
        decided = work.tx.lock_candidate(candidate.id)
        if decided is None:
            raise LookupError("candidate")
        return decided
