"""Batches of events as they come out of an outbox: unsealed and read without a database, for any thread."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from controller.model import PhoneId
from controller.readings import GramsOf, Reading, Told, grams_of, read
from controller.reports import Unfit, fit, is_fit
from controller.shelves import Shelf
from protos.facts import Event
from protos.wire import MessageRow, Unsealable, message_row, unseal

# What messages have in common that are taken in together: epoch, account, and how their chat is called.
_CHAT = slice(MessageRow._fields.index("phone_epoch"), MessageRow._fields.index("conversation_kind") + 1)


class Sealed(NamedTuple):
    """An event with its exact bytes; without `event` it is broken, and `flaw` says how."""

    body: bytes | None  # None: not to be kept
    body_hash: bytes
    event: Event | None
    flaw: str = ""
    unfit: Event | None = None  # what a broken one tells, as far as it can be read


class Stretch(NamedTuple):
    """Messages that follow each other in an outbox and can be kept as they are: nearly all that ever comes.

    `chats` says from where to before where they are of one chat.
    """

    bodies: Sequence[bytes]
    hashes: Sequence[bytes]
    rows: Sequence[MessageRow]
    chats: Sequence[tuple[int, int]]


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


def parts_of(bodies: Iterable[bytes]) -> list[Sealed | Stretch]:
    """Return events out of their bytes, in order: messages in stretches as long as they can be."""
    parts: list[Sealed | Stretch] = []
    waiting: list[bytes] = []
    rows: list[MessageRow] = []

    def end_stretch() -> None:
        if rows:
            parts.append(_stretch(tuple(waiting), tuple(rows)))
            waiting.clear()
            rows.clear()

    for body in bodies:
        row = None if b"\0" in body else message_row(body)
        if row is not None and is_fit(row):
            waiting.append(body)
            rows.append(row)
        else:
            end_stretch()
            parts.append(unsealed(body))
    end_stretch()
    return parts


def _stretch(bodies: Sequence[bytes], rows: Sequence[MessageRow]) -> Stretch:
    chats = [row[_CHAT] for row in rows]
    turns = [n for n, (before, chat) in enumerate(pairwise(chats), 1) if before != chat]
    hashes = [hashlib.sha256(body).digest() for body in bodies]
    return Stretch(bodies, hashes, rows, list(pairwise((0, *turns, len(rows)))))


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one outbox, numbered from `first_seq` without holes."""

    phone_id: PhoneId
    spool_id: str
    first_seq: int
    size: int
    parts: Sequence[Sealed | Stretch]
    reading: Reading | None = None  # what words and rules see in the events; None: not looked at yet

    @classmethod
    def of(
        cls,
        phone_id: PhoneId,
        spool_id: str,
        first_seq: int,
        bodies: Sequence[bytes],
        *,
        shelf: Shelf | None = None,
        grams_of: GramsOf = grams_of,
    ) -> Batch:
        """Unseal a batch and look at its texts; best where nobody waits for the core's thread."""
        parts = parts_of(bodies)
        reading = None
        if shelf is not None:
            told = _told(parts)
            reading = read(told, shelf, grams_of(told))
        return cls(phone_id, spool_id, first_seq, len(bodies), parts, reading)

    def read_by(self, shelf: Shelf, grams_of: GramsOf) -> Reading:
        """Return what words and rules of a shelf see in the events; looked at again only if it is another."""
        if self.reading is not None and self.reading.version == shelf.version:
            return self.reading
        told = _told(self.parts)
        return read(told, shelf, self.reading.grams if self.reading is not None else grams_of(told))

    def earliest_ms(self) -> int | None:
        """Return when the first of the events was written, as far as they can be read."""
        dated: list[int] = []
        for part in self.parts:
            if isinstance(part, Stretch):
                dated.append(min(row.at_ms for row in part.rows))
            elif event := part.event or part.unfit:
                dated.append(event.at_ms)
        return min(dated, default=None)


def _told(parts: Iterable[Sealed | Stretch]) -> list[Told]:
    told: list[Told] = []
    for part in parts:
        if isinstance(part, Stretch):
            told += part.rows
        else:
            told.append(None if part.event is None else part.event.fact)
    return told
