"""Batches of events on their way into the archive: looked up once, and written with few statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import NamedTuple

from controller import captures
from controller.batches import Batch, Sealed, Stretch, unsealed
from controller.capturerules import OTHER_ACCOUNT, Gate, VersionInForce
from controller.chatplaces import Places
from controller.errors import BadRequest, SpoolGap
from controller.fleet import known_phone
from controller.ingestchats import ChatIntake, First, Seen
from controller.ledger import Work
from controller.model import AccountId, Phone, PhoneId, Tenure
from controller.monitoring import Watch
from controller.readings import GramsOf, Reading
from controller.reports import Reports, Source, account_of
from controller.store.base_ingest import ChatSaid, NewEvent
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
from protos.wire import MessageRow, kind_of

# What tells about somebody's chats: kept only where the account's gate lets it in.
CHAT_FACTS = (MessageSeen, MessageChanged, ChatRemoved, GapSeen, FriendAccepted, FriendRequestSeen)

_MESSAGE = "message_seen"
# Not NewEvent._make: that takes three times as long, for each event.
_new_event = partial(tuple.__new__, NewEvent)
POISON = "poison"
REFUSED = "refused_"

# Both databases count in signed 64 bits.
_MAX_SEQ = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Opened:
    """A batch whose phone, account and spool are locked; `tenures` are looked up if an event is older."""

    batch: Batch
    reading: Reading
    phone: Phone
    high_water: int
    tenures: Sequence[Tenure]

    def phone_at(self, at_ms: int) -> Phone:
        """Return the phone with the holder and the account it had at a moment."""
        return as_of(self.phone, self.tenures, at_ms)

    def phone_of(self, sealed: Sealed) -> Phone:
        """Return the phone with the holder and the account it had when an event was written."""
        event = sealed.event or sealed.unfit
        return self.phone if event is None else self.phone_at(event.at_ms)


class Steady(NamedTuple):
    """A time, half-open, in which what may be kept of an account stays the same; chats open in it."""

    from_ms: int
    to_ms: int
    open_keys: set[str]


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
        self._steady: dict[tuple[str, str], Steady] = {}
        self._grams_of = grams_of
        self._watch = Watch(work)
        self._chats = ChatIntake(work, known, self._watch)

    def open(self, batch: Batch) -> Opened:
        """Lock what a batch needs; BadRequest, UnknownPhone, SpoolGap before anything is changed by it."""
        if batch.first_seq < 1 or batch.first_seq + batch.size > _MAX_SEQ:
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
        earliest_ms = batch.earliest_ms()
        is_older = earliest_ms is not None and earliest_ms < phone.held_since_ms
        reading = batch.read_by(self._watch.shelf, self._grams_of)
        return Opened(batch, reading, phone, high_water, tx.tenures(phone.phone_id) if is_older else ())

    def take(self, opened: Opened) -> int:
        """Take the events of an opened batch in; returns the highest contiguous seq of its spool."""
        batch, high_water = opened.batch, opened.high_water
        if firsts := self._firsts(opened):
            self._chats.expect(batch.spool_id, firsts)
        place = 0
        for part in batch.parts:
            if isinstance(part, Stretch):
                self._take_stretch(opened, place, part)
                place += len(part.rows)
            else:
                self._take_one(opened, place, part)
                place += 1
        reached = batch.first_seq + batch.size - 1
        if reached > high_water:
            self._reached[batch.phone_id, batch.spool_id] = reached
        return max(reached, high_water)

    def _firsts(self, opened: Opened) -> list[First]:
        """Return the first messages of chats that nobody met before, as far as they may be kept."""
        firsts: dict[tuple[AccountId, str], First] = {}
        last_key = None
        for seq, at_ms, seen_account, seen in _messages(opened.batch):
            key = seen.conversation_key
            if key == last_key:
                continue
            last_key = key
            source = Source(opened.phone_at(at_ms), opened.batch.spool_id, seq)
            account_id = account_of(source, seen_account)
            is_new = seq > opened.high_water and not self._chats.knows(account_id, key)
            if not is_new or (account_id, key) in firsts or self._why_not(source, account_id, key, at_ms):
                continue
            said = ChatSaid(
                account_id, source.phone.phone_id, key, seen.conversation_title, seen.conversation_kind
            )
            firsts[account_id, key] = First(source, said, at_ms)
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

    # ---- messages by the stretch

    def _take_stretch(self, opened: Opened, place: int, stretch: Stretch) -> None:
        # The spool is held: beyond its high water no place is taken.
        is_new = opened.batch.first_seq + place > opened.high_water
        for start, end in stretch.chats:
            # Who had the phone may have changed in between.
            if not (is_new and not opened.tenures and self._take_run(opened, place, stretch, start, end)):
                for n in range(start, end):
                    self._take_one(opened, place + n, unsealed(stretch.bodies[n]))

    def _take_run(self, opened: Opened, place: int, stretch: Stretch, start: int, end: int) -> bool:
        """Take messages of one chat in, all of one fate; False, and nothing is kept, if they are not."""
        batch, phone, rows = opened.batch, opened.phone, stretch.rows[start:end]
        seq = batch.first_seq + place + start
        source = Source(phone, batch.spool_id, seq)
        account_id = account_of(source, rows[0].account_id)
        if not self._keeps_all(source, account_id, rows):
            return False
        places = range(place + start, place + end)
        told, found = opened.reading.grams, opened.reading.marks
        marks = {n - places.start: found[n] for n in places if n in found} if found else {}
        if not self._chats.take_run(source, account_id, rows, told[places.start : places.stop], marks):
            return False
        self._events += map(
            _new_event,
            zip(
                repeat(phone.phone_id),
                repeat(batch.spool_id),
                range(seq, seq + len(rows)),
                repeat(_MESSAGE),
                stretch.bodies[start:end],
                stretch.hashes[start:end],
                repeat(""),
                repeat(rows[0].phone_epoch),
                [row.at_ms for row in rows],
                repeat(self._work.now_ms),
                strict=False,  # most of these have no end
            ),
        )
        return True

    def _keeps_all(self, source: Source, account_id: AccountId, rows: Sequence[MessageRow]) -> bool:
        """Tell whether all these messages of a chat may be kept; False also where that is not sure."""
        if account_id != source.phone.account_id:
            return False
        times = [row.at_ms for row in rows]
        first_ms, last_ms = min(times), max(times)
        holder = source.phone.holder
        steady = self._steady.get((account_id, holder))
        if steady is None or not steady.from_ms <= first_ms < steady.to_ms:
            steady = Steady(*self._gate(account_id, holder).steady(first_ms), set())
            self._steady[account_id, holder] = steady
        if last_ms >= steady.to_ms:
            return False
        key = rows[0].conversation_key
        if key not in steady.open_keys:
            if self._why_not(source, account_id, key, first_ms):
                return False
            steady.open_keys.add(key)
        return True

    # ---- one by one

    def _take_one(self, opened: Opened, place: int, sealed: Sealed) -> None:
        seq = opened.batch.first_seq + place
        # The spool is held: beyond its high water no place is taken.
        if seq > opened.high_water or not self._is_there(opened, seq, sealed):
            source = Source(opened.phone_of(sealed), opened.batch.spool_id, seq)
            reading = opened.reading
            self._take(source, sealed, Seen(reading.grams[place], reading.marks.get(place)))

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
            if refusal != OTHER_ACCOUNT or self._work.tx.phone_of_account(
                account_of(source, event.account_id)
            ):
                self._chats.refused(source, event, refusal)
            return
        if isinstance(fact, UnknownFact):
            sealed = self._bared(source, sealed)
        self._keep(source, sealed, kind=kind_of(fact))
        if not self._chats.take(source, event, seen):
            self._reports.apply(self._work, source, event)

    def _refusal(self, source: Source, event: Event) -> str:
        """Return why a chat event may not be kept; empty if it may."""
        account_id = account_of(source, event.account_id)
        return self._why_not(source, account_id, _key_of(event.fact), event.at_ms)

    def _why_not(self, source: Source, account_id: AccountId, key: str, at_ms: int) -> str:
        if account_id != source.phone.account_id:
            return OTHER_ACCOUNT
        # By the moment of reading: a notice does not cover what was read before the holder was told.
        return self._gate(account_id, source.phone.holder).verdict(key, at_ms)

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


def _messages(batch: Batch) -> Iterator[tuple[int, int, str, MessageRow | MessageSeen]]:
    """Yield seq, time, account seen and what is told by messages; of neighbours of one chat by the first."""
    seq = batch.first_seq
    for part in batch.parts:
        if isinstance(part, Stretch):
            for start, _ in part.chats:
                row = part.rows[start]
                yield seq + start, row.at_ms, row.account_id, row
            seq += len(part.rows)
            continue
        event = part.event
        if event is not None and isinstance(event.fact, MessageSeen):
            yield seq, event.at_ms, event.account_id, event.fact
        seq += 1


def _key_of(fact: Fact) -> str:
    """Return the key of the chat a fact is about; a friend, also one to be, has a private chat."""
    if isinstance(fact, MessageSeen):  # nearly all
        return fact.conversation_key
    match fact:
        case FriendAccepted(conversation_title=name) | FriendRequestSeen(peer_name=name):
            return conversation_key(name.strip(), "private")
    return str(getattr(fact, "conversation_key", ""))
