"""Batches of events on their way into the archive: looked up once, and written with few statements."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from controller import captures
from controller.capturerules import OTHER_ACCOUNT, Gate, VersionInForce
from controller.errors import BadRequest, SpoolGap
from controller.fleet import known_phone
from controller.ingestchats import ChatIntake, Places, Seen
from controller.ledger import Work
from controller.model import AccountId, Phone, PhoneId, Tenure
from controller.monitoring import Watch
from controller.readings import GramsOf, Reading, grams_of, read
from controller.reports import Reports, Source, Unfit, account_of, fit
from controller.shelves import Shelf
from controller.store.base_ingest import NewEvent
from controller.tenures import as_of
from protos.facts import (
    ChatRemoved,
    Event,
    Fact,
    FriendAccepted,
    FriendRequestSeen,
    GapSeen,
    MessageChanged,
    MessageSeen,
    UnknownFact,
    conversation_key,
)
from protos.wire import Unsealable, kind_of, unseal

# What tells about somebody's chats: kept only where the account's gate lets it in.
CHAT_FACTS = (MessageSeen, MessageChanged, ChatRemoved, GapSeen, FriendAccepted, FriendRequestSeen)

POISON = "poison"
REFUSED = "refused_"

# Both databases count in signed 64 bits.
_MAX_SEQ = 2**63 - 1


class Sealed(NamedTuple):
    """An event with its exact bytes; without `event` it is broken, and `flaw` says how."""

    body: bytes | None  # None: not to be kept
    body_hash: bytes
    event: Event | None
    flaw: str = ""
    unfit: Event | None = None  # what a broken one tells, as far as it can be read


def unsealed(body: bytes) -> Sealed:
    """Return an event out of its bytes; one that cannot be read or kept is said to be broken."""
    digest = hashlib.sha256(body).digest()
    event = None
    try:
        event = unseal(body)
        # A text that holds a NUL has a zero byte on the wire.
        return Sealed(body, digest, fit(event, is_without_nul=b"\0" not in body))
    except (Unsealable, Unfit) as error:
        return Sealed(body, digest, None, str(error)[:200], event)


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one outbox, numbered from `first_seq` without holes."""

    phone_id: PhoneId
    spool_id: str
    first_seq: int
    events: Sequence[Sealed]
    reading: Reading | None = None  # what words and rules see in the events; None: not looked at yet

    @classmethod
    def of(
        cls,
        phone_id: PhoneId,
        spool_id: str,
        first_seq: int,
        bodies: Iterable[bytes],
        *,
        shelf: Shelf | None = None,
        grams_of: GramsOf = grams_of,
    ) -> Batch:
        """Unseal a batch and look at its texts; best where nobody waits for the core's thread."""
        events = [unsealed(body) for body in bodies]
        reading = None
        if shelf is not None:
            facts = [sealed.event for sealed in events]
            reading = read(facts, shelf, grams_of(facts))
        return cls(phone_id, spool_id, first_seq, events, reading)

    def read_by(self, shelf: Shelf, grams_of: GramsOf) -> Reading:
        """Return what words and rules of a shelf see in the events; looked at again only if it is another."""
        if self.reading is not None and self.reading.version == shelf.version:
            return self.reading
        facts = [sealed.event for sealed in self.events]
        return read(facts, shelf, self.reading.grams if self.reading is not None else grams_of(facts))


@dataclass(frozen=True, slots=True)
class Opened:
    """A batch whose phone, account and spool are locked; `tenures` are looked up if an event is older."""

    batch: Batch
    reading: Reading
    phone: Phone
    high_water: int
    tenures: Sequence[Tenure]

    def phone_of(self, sealed: Sealed) -> Phone:
        """Return the phone with the holder and the account it had when an event was written."""
        event = sealed.event or sealed.unfit
        return self.phone if event is None else as_of(self.phone, self.tenures, event.at_ms)


class Intake:
    """What one transaction takes in; nothing is there for readers before `finish`."""

    def __init__(
        self,
        work: Work,
        known: Places,
        reports: Reports,
        *,
        grams_of: GramsOf,
    ) -> None:
        self._work = work
        self._reports = reports
        self._events: list[NewEvent] = []
        self._reached: dict[tuple[PhoneId, str], int] = {}
        self._versions: tuple[VersionInForce, ...] | None = None
        self._gates: dict[tuple[str, str], Gate] = {}
        self._grams_of = grams_of
        self._watch = Watch(work)
        self._chats = ChatIntake(work, known, self._watch)

    def open(self, batch: Batch) -> Opened:
        """Lock what a batch needs; BadRequest, UnknownPhone, SpoolGap before anything is changed by it."""
        if batch.first_seq < 1 or batch.first_seq + len(batch.events) > _MAX_SEQ:
            raise BadRequest("events are numbered from 1")
        tx = self._work.tx
        phone = known_phone(tx, batch.phone_id, locks=True)
        if phone.account_id is not None:
            # Phone, account, task: in the order in which a lease takes them.
            tx.lock_account(phone.account_id)
        if (batch.phone_id, batch.spool_id) in self._reached:
            self.finish()
        high_water = tx.lock_spool(batch.phone_id, batch.spool_id, self._work.now_ms)
        if batch.first_seq > high_water + 1:
            raise SpoolGap(expected_seq=high_water + 1)
        dated = [event.at_ms for sealed in batch.events if (event := sealed.event or sealed.unfit)]
        is_older = bool(dated) and min(dated) < phone.held_since_ms
        reading = batch.read_by(self._watch.shelf, self._grams_of)
        return Opened(batch, reading, phone, high_water, tx.tenures(phone.phone_id) if is_older else ())

    def take(self, opened: Opened) -> int:
        """Take the events of an opened batch in; returns the highest contiguous seq of its spool."""
        batch, high_water = opened.batch, opened.high_water
        if firsts := self._firsts(opened):
            self._chats.expect(batch.spool_id, firsts)
        told, marks = opened.reading.grams, opened.reading.marks
        for place, sealed in enumerate(batch.events):
            seq = batch.first_seq + place
            # The spool is held: beyond its high water no place is taken.
            if seq > high_water or not self._is_there(opened, seq, sealed):
                source = Source(opened.phone_of(sealed), batch.spool_id, seq)
                self._take(source, sealed, Seen(told[place], marks.get(place)))
        reached = batch.first_seq + len(batch.events) - 1
        if reached > high_water:
            self._reached[batch.phone_id, batch.spool_id] = reached
        return max(reached, high_water)

    def _firsts(self, opened: Opened) -> list[tuple[Source, Event]]:
        """Return the first messages of chats that nobody met before, as far as they may be kept."""
        batch = opened.batch
        firsts: dict[tuple[AccountId, str], tuple[Source, Event]] = {}
        last_key = None
        for seq, sealed in enumerate(batch.events, batch.first_seq):
            event = sealed.event
            fact = None if event is None else event.fact
            if event is None or not isinstance(fact, MessageSeen) or fact.conversation_key == last_key:
                continue
            last_key = fact.conversation_key
            source = Source(opened.phone_of(sealed), batch.spool_id, seq)
            chat = (account_of(source, event), last_key)
            is_new = seq > opened.high_water and chat not in firsts and not self._chats.knows(*chat)
            if is_new and not self._refusal(source, event):
                firsts[chat] = (source, event)
        # A single one is found as quickly on its way.
        return list(firsts.values()) if len(firsts) > 1 else []

    def finish(self) -> None:
        """Write what waits."""
        if self._reached:
            self._work.tx.put_high_waters(self._reached)
            self._reached = {}
        if self._events:
            self._work.tx.put_events(self._events)
            self._events = []
        self._chats.finish()

    def keep(self) -> None:
        """Let later transactions know what this one found; only after the commit."""
        self._chats.keep()

    # ---- inside

    def _is_there(self, opened: Opened, seq: int, sealed: Sealed) -> bool:
        # It may have come in this very transaction.
        self.finish()
        batch = opened.batch
        there = self._work.tx.event(batch.phone_id, batch.spool_id, seq)
        if there is None:
            return False  # below a hole that was closed as lost: late, but welcome
        if there.body_hash != sealed.body_hash:
            # Evidence is never replaced; a second body under one number is itself a finding.
            self._work.tx.add_conflict(
                batch.phone_id,
                batch.spool_id,
                seq,
                body=sealed.body
                if self._may_keep(Source(opened.phone_of(sealed), "", seq), sealed)
                else None,
                body_hash=sealed.body_hash,
                archived_at_ms=self._work.now_ms,
            )
        return True

    def _take(self, source: Source, sealed: Sealed, seen: Seen) -> None:
        event = sealed.event
        if event is None:
            # Set aside with its bytes: one broken event must not stop the phone's spool.
            self._keep(source, self._bared(source, sealed), kind=POISON, cause=sealed.flaw)
            # Whatever it told is missing.
            self._work.tx.add_event_gap(
                source.phone.phone_id,
                source.spool_id,
                from_seq=source.seq,
                to_seq=source.seq,
                cause="set_aside",
                at_ms=self._work.now_ms,
            )
            return
        fact = event.fact
        if isinstance(fact, CHAT_FACTS) and (refusal := self._refusal(source, event)):
            self._keep(source, sealed._replace(body=None), kind=kind_of(fact), cause=REFUSED + refusal)
            self._work.tx.count_refused(source.phone.phone_id, 1)
            # Of an account that nobody has watched not even the times are kept.
            if refusal != OTHER_ACCOUNT or self._work.tx.phone_of_account(account_of(source, event)):
                self._chats.refused(source, event, refusal)
            return
        if isinstance(fact, UnknownFact):
            sealed = self._bared(source, sealed)
        self._keep(source, sealed, kind=kind_of(fact))
        if not self._chats.take(source, event, seen):
            self._reports.apply(self._work, source, event)

    def _refusal(self, source: Source, event: Event) -> str:
        """Return why a chat event may not be kept; empty if it may."""
        account_id = account_of(source, event)
        if account_id != source.phone.account_id:
            return OTHER_ACCOUNT
        # By the moment of reading: a notice does not cover what was read before the holder was told.
        return self._gate(account_id, source.phone.holder).verdict(_key_of(event.fact), event.at_ms)

    def _gate(self, account_id: AccountId, holder: str) -> Gate:
        gate = self._gates.get((account_id, holder))
        if gate is None:
            if self._versions is None:
                self._versions = tuple(self._work.tx.notice_versions())
            gate = captures.gate(self._work, account_id, holder=holder, versions=self._versions)
            self._gates[account_id, holder] = gate
        return gate

    def _bared(self, source: Source, sealed: Sealed) -> Sealed:
        """Return an event without its bytes if these may be of a chat that may not be kept."""
        return sealed if self._may_keep(source, sealed) else sealed._replace(body=None)

    def _may_keep(self, source: Source, sealed: Sealed) -> bool:
        event = sealed.event or sealed.unfit
        if event is not None and isinstance(event.fact, CHAT_FACTS):
            return not self._refusal(source, event)
        if event is not None and not isinstance(event.fact, UnknownFact):
            return True
        # Nobody here knows what it tells: it may be a message of any chat.
        account_id, holder = source.phone.account_id, source.phone.holder
        at_ms = self._work.now_ms if event is None else event.at_ms
        return account_id is not None and self._gate(account_id, holder).is_open(at_ms)

    def _keep(self, source: Source, sealed: Sealed, *, kind: str, cause: str = "") -> None:
        event = sealed.event
        self._events.append(
            NewEvent(
                source.phone.phone_id,
                source.spool_id,
                source.seq,
                kind,
                sealed.body,
                sealed.body_hash,
                cause,
                event.phone_epoch if event else 0,
                event.at_ms if event else 0,
                self._work.now_ms,
            )
        )


def _key_of(fact: Fact) -> str:
    """Return the key of the chat a fact is about; a friend, also one to be, has a private chat."""
    if isinstance(fact, MessageSeen):  # nearly all
        return fact.conversation_key
    match fact:
        case FriendAccepted(conversation_title=name) | FriendRequestSeen(peer_name=name):
            return conversation_key(name.strip(), "private")
    return str(getattr(fact, "conversation_key", ""))
