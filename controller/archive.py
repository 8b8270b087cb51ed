"""The archive of events: exact bytes under (phone, spool, seq), each once, effects in the same commit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from controller.errors import BadRequest, SpoolGap, UnknownConversation
from controller.fleet import known_phone
from controller.ledger import Ledger, Work
from controller.model import AccountId, Phone, PhoneId
from controller.records import BlindScreen, Conversation, Gap, Message, Warned
from controller.reports import CHAT_FACTS, Reports, Source, Unfit, fit
from controller.store.base import StoredEvent
from controller.words import make, version_of
from protos.wire import Unsealable, kind_of, unseal

_MAX_ROWS = 500
# Both databases count in signed 64 bits.
_MAX_SEQ = 2**63 - 1
POISON = "poison"
REFUSED_NO_NOTICE = "refused_no_notice"


class Archive:
    """What phones reported, and what was read out of it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        words = ledger.settings.words
        self._reports = Reports(ledger.settings, make(words), version_of(words))

    # ---- for sessions

    def accept(self, phone_id: PhoneId, spool_id: str, first_seq: int, bodies: Sequence[bytes]) -> int:
        """Archive a batch with its effects and return the highest contiguous seq; a second time is harmless.

        SpoolGap if it begins beyond the next expected seq; UnknownPhone; BadRequest if numbered below 1.
        """
        if first_seq < 1 or first_seq + len(bodies) > _MAX_SEQ:
            raise BadRequest("events are numbered from 1")
        with self._ledger.work() as work:
            phone = known_phone(work.tx, phone_id, locks=True)
            if phone.account_id is not None:
                # Phone, account, task: in the order in which a lease takes them.
                work.tx.lock_account(phone.account_id)
            high_water = work.tx.lock_spool(phone_id, spool_id, work.now_ms)
            if first_seq > high_water + 1:
                raise SpoolGap(expected_seq=high_water + 1)
            told_at_ms = work.tx.told_at_ms(phone.holder) if phone.holder else None
            for seq, body in enumerate(bodies, first_seq):
                if seq > high_water or not self._is_there(work, phone, spool_id, seq, body):
                    self._take(work, phone, spool_id, seq, body, told_at_ms=told_at_ms)
            reached = first_seq + len(bodies) - 1
            if reached > high_water:
                work.tx.set_high_water(phone_id, spool_id, reached)
            return max(reached, high_water)

    def high_water(self, phone_id: PhoneId, spool_id: str) -> int:
        """Return the highest contiguous seq archived of a spool; 0 for one never seen."""
        with self._ledger.look() as tx:
            return tx.high_water(phone_id, spool_id)

    # ---- for readers

    def conversations(
        self, *, phone_id: PhoneId | None = None, account_id: AccountId | None = None, limit: int = 200
    ) -> list[Conversation]:
        """Return chats, the most recently archived first."""
        with self._ledger.look() as tx:
            return tx.conversations(phone_id=phone_id, account_id=account_id, limit=_bounded(limit))

    def conversation(self, conversation_id: int) -> Conversation:
        """Return a chat; UnknownConversation."""
        with self._ledger.look() as tx:
            conversation = tx.conversation(conversation_id)
        if conversation is None:
            raise UnknownConversation
        return conversation

    def messages(
        self, conversation_id: int, *, before_position: int | None = None, limit: int = 100
    ) -> list[Message]:
        """Return the last messages of a chat before a position, in order; UnknownConversation."""
        self.conversation(conversation_id)
        with self._ledger.look() as tx:
            return tx.messages(conversation_id, before_position=before_position, limit=_bounded(limit))

    def gaps(self, conversation_id: int) -> list[Gap]:
        """Return what could not be captured of a chat; UnknownConversation."""
        self.conversation(conversation_id)
        with self._ledger.look() as tx:
            return tx.gaps(conversation_id)

    def warnings(self, *, phone_id: PhoneId | None = None, limit: int = 100) -> list[Warned]:
        """Return the newest platform warnings, newest first."""
        with self._ledger.look() as tx:
            return tx.warnings(phone_id=phone_id, limit=_bounded(limit))

    def blind_screens(self, phone_id: PhoneId, *, limit: int = 20) -> list[BlindScreen]:
        """Return the screens of a phone that its agent could not read, newest first."""
        with self._ledger.look() as tx:
            return tx.blind_screens(phone_id, limit=_bounded(limit))

    def event(self, phone_id: PhoneId, spool_id: str, seq: int) -> StoredEvent | None:
        """Return an archived event."""
        with self._ledger.look() as tx:
            return tx.event(phone_id, spool_id, seq)

    def conflicts(self) -> int:
        """Return how many events came with another body than the one archived in their place."""
        with self._ledger.look() as tx:
            return tx.conflicts()

    # ---- inside

    def _is_there(self, work: Work, phone: Phone, spool_id: str, seq: int, body: bytes) -> bool:
        there = work.tx.event(phone.phone_id, spool_id, seq)
        if there is None:
            return False  # below a hole that was closed as lost: late, but welcome
        if there.body_hash != hashlib.sha256(body).digest():
            # Evidence is never replaced; a second body under one number is itself a finding.
            work.tx.add_conflict(_stored(work, phone, spool_id, seq, body, kind=there.kind))
        return True

    def _take(
        self, work: Work, phone: Phone, spool_id: str, seq: int, body: bytes, *, told_at_ms: int | None
    ) -> None:
        try:
            event = fit(unseal(body))
        except (Unsealable, Unfit) as error:
            # Set aside with its bytes: one broken event must not stop the phone's spool.
            poison = _stored(work, phone, spool_id, seq, body, kind=POISON, cause=str(error)[:200])
            work.tx.add_event(poison)
            return
        # By the moment of reading: a notice does not cover what was read before the holder was told.
        is_covered = told_at_ms is not None and event.at_ms >= told_at_ms
        refused = isinstance(event.fact, CHAT_FACTS) and not is_covered
        stored = StoredEvent(
            phone_id=phone.phone_id,
            spool_id=spool_id,
            seq=seq,
            kind=kind_of(event.fact),
            body=None if refused else body,
            body_hash=hashlib.sha256(body).digest(),
            cause=REFUSED_NO_NOTICE if refused else "",
            phone_epoch=event.phone_epoch,
            at_ms=event.at_ms,
            archived_at_ms=work.now_ms,
        )
        if not work.tx.add_event(stored):
            return
        source = Source(phone=phone, spool_id=spool_id, seq=seq)
        if refused:
            work.tx.count_refused(phone.phone_id, 1)
            self._reports.refused(work, source, event)
            return
        self._reports.apply(work, source, event)


def _stored(
    work: Work, phone: Phone, spool_id: str, seq: int, body: bytes, *, kind: str, cause: str = ""
) -> StoredEvent:
    return StoredEvent(
        phone_id=phone.phone_id,
        spool_id=spool_id,
        seq=seq,
        kind=kind,
        body=body,
        body_hash=hashlib.sha256(body).digest(),
        cause=cause,
        phone_epoch=0,
        at_ms=0,
        archived_at_ms=work.now_ms,
    )


def _bounded(limit: int) -> int:
    return max(1, min(limit, _MAX_ROWS))
