"""The events of one phone in one file until they are archived: gapless numbers, one writing connection."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Self

from agent import chatbook, facts, outboxfile
from agent.boottime import wall_ms
from agent.epochs import Claim
from agent.hostlock import HostLock
from agent.model import Bubble
from protos import wire
from protos.channel import MAX_BATCH_BYTES, MAX_BATCH_EVENTS
from protos.crashpoint import reach
from protos.facts import Event, EventSetAside, Fact

if TYPE_CHECKING:
    from agent.capture.chats import ChatRead, Tail

# A controller restored from a backup of last week can still be given what it lost.
KEEP_ACKED_MS = 7 * 86_400_000


class Outbox:
    """Events, capture cursors and a few notes of one phone; every method may be called from any thread.

    A method that writes has written durably when it returns.
    """

    def __init__(self, conn: sqlite3.Connection, lock: HostLock, clock: Callable[[], int]) -> None:
        self._conn = conn
        self._host_lock = lock
        self._clock = clock
        self._lock = threading.RLock()
        self._spool_id = self._meta("spool_id")
        self._highest = int(self._one("SELECT COALESCE(MAX(seq), 0) FROM event"))
        self._acked = int(self._one("SELECT COALESCE(MAX(seq), 0) FROM event WHERE acked_at_ms IS NOT NULL"))
        self.claim = Claim.read(self._meta("claim"), self._meta("phone_epoch"))
        self.phone_epoch = self.claim.phone_epoch
        self.claim_on_phone = Claim()  # what the phone's owner mark said when this process began
        self.account_id = ""  # account last seen on the phone; stands on every event
        self.on_growth: Callable[[], None] = lambda: None  # called after each write, without the lock

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], int] = wall_ms) -> Self:
        """Open or make the file. A damaged one is moved aside and a gap recorded.

        Raises AlreadyRunning, or OutboxNewer for a file of a later release.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = HostLock.take(path.parent, path.name)
        try:
            conn = outboxfile.connect(path)
            damage = outboxfile.damage(conn)
            if damage:
                conn.close()
                outboxfile.move_aside(path, clock())
                conn = outboxfile.connect(path)
            try:
                outboxfile.prepare(conn, path.name)
                outbox = cls(conn, lock, clock)
            except BaseException:
                conn.close()
                raise
            if damage:
                outbox.add(facts.hole("outbox_damaged", clock()))
            outbox.purge()
        except BaseException:
            lock.release()
            raise
        return outbox

    @property
    def spool_id(self) -> str:
        """Return the random name of this numbering."""
        return self._spool_id

    @property
    def highest(self) -> int:
        """Return the newest number, 0 when nothing was ever written."""
        with self._lock:
            return self._highest

    @property
    def lowest(self) -> int:
        """Return the oldest number still kept, 0 when nothing is."""
        with self._lock:
            return int(self._one("SELECT COALESCE(MIN(seq), 0) FROM event"))

    @property
    def acked(self) -> int:
        """Return the highest number that is known to be archived."""
        return self._acked

    def add(self, *new: Fact) -> list[int]:
        """Seal and keep facts in one transaction; returns their numbers."""
        with self.transaction("add") as conn:
            return self.append(conn, new)

    @contextmanager
    def transaction(self, what: str = "write") -> Iterator[sqlite3.Connection]:
        """Hold the file for one durable, all-or-nothing write; it commits where the block ends.

        `what` names it among the places at which a test can end this process.
        """
        with self._lock:
            highest, acked = self._highest, self._acked
            self._conn.execute("BEGIN IMMEDIATE")
            try:
                yield self._conn
                reach(f"agent.{what}.before_commit")
                self._conn.execute("COMMIT")
            except BaseException:
                self._highest, self._acked = highest, acked
                with suppress(sqlite3.Error):  # after a full disk SQLite has rolled back already
                    self._conn.execute("ROLLBACK")
                raise
        reach(f"agent.{what}.after_commit")
        self.on_growth()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Hold the file for reads that belong together."""
        with self._lock:
            yield self._conn

    def append(self, conn: sqlite3.Connection, new: Sequence[Fact]) -> list[int]:
        """Number facts inside a `transaction` of the caller."""
        now_ms = self._clock()
        seqs = []
        for fact in new:
            self._highest += 1
            conn.execute(
                "INSERT INTO event (seq, body) VALUES (?, ?)", (self._highest, self._seal(fact, now_ms))
            )
            seqs.append(self._highest)
        return seqs

    def _seal(self, fact: Fact, now_ms: int) -> bytes:
        return wire.seal(
            Event(
                uid=facts.new_uid(now_ms),
                at_ms=now_ms,
                phone_epoch=self.phone_epoch,
                account_id=self.account_id,
                fact=fact,
            )
        )

    # ---- sending

    def batch(self, from_seq: int, *, most: int = MAX_BATCH_EVENTS) -> list[bytes]:
        """Return bodies from exactly this number on, within the channel's limits; one at least if kept."""
        bodies: list[bytes] = []
        size = 0
        with self._lock:
            rows = self._conn.execute(
                "SELECT seq, body FROM event WHERE seq >= ? ORDER BY seq LIMIT ?", (from_seq, most)
            )
            for seq, body in rows:
                size += len(body)
                if (bodies and size > MAX_BATCH_BYTES) or seq != from_seq + len(bodies):
                    break
                bodies.append(body)
            rows.close()
        return bodies

    def ack(self, up_to: int) -> None:
        """Note that all events up to a number are archived; they stay for a week more."""
        with self._lock:
            up_to = min(up_to, self._highest)
            if up_to <= self._acked:
                return
            with self.transaction("ack") as conn:
                conn.execute(
                    "UPDATE event SET acked_at_ms = ? WHERE seq > ? AND seq <= ?",
                    (self._clock(), self._acked, up_to),
                )
                self._acked = up_to

    def enter_epoch(self, phone_epoch: int, *, farm_id: str = "", farm_epoch: int = 0) -> None:
        """Keep the newest claim of a controller to this phone; a second time does nothing."""
        self.claim = Claim(farm_id, farm_epoch, phone_epoch)
        self.remember("claim", self.claim.note())
        self.phone_epoch = phone_epoch

    def rewind(self, to: int) -> None:
        """Believe the controller that it has events up to `to` only, or up to `to` already."""
        with self._lock:
            if to >= self._acked:
                self.ack(to)
                return
            with self.transaction("rewind") as conn:
                conn.execute("UPDATE event SET acked_at_ms = NULL WHERE seq > ?", (to,))
                self._acked = to

    def renumber(self) -> None:
        """Begin a new spool with the events that are not archived, and say that there was a break.

        For a file older than what the controller archived of it (restored from a copy): going on with its
        numbers would give two events one number.
        """
        with self.transaction("renumber") as conn:
            bodies = conn.execute("SELECT body FROM event WHERE acked_at_ms IS NULL ORDER BY seq").fetchall()
            conn.execute("DELETE FROM event")
            self._highest = self._acked = 0
            self.append(conn, [facts.hole("outbox_behind", self._clock())])
            for (body,) in bodies:
                self._highest += 1
                conn.execute("INSERT INTO event (seq, body) VALUES (?, ?)", (self._highest, body))
            spool_id = secrets.token_hex(16)
            outboxfile.set_meta(conn, "spool_id", spool_id)
        self._spool_id = spool_id

    def set_aside(self, seq: int, cause: str) -> None:
        """Put a note in the place of an event that cannot be sent; its body stays in this file."""
        with self.transaction("set_aside") as conn:
            note = self._seal(EventSetAside(seq=seq, cause=cause), self._clock())
            conn.execute(
                "INSERT INTO set_aside (seq, body, cause, at_ms) SELECT seq, body, ?, ? FROM event"
                " WHERE seq = ? ON CONFLICT (seq) DO NOTHING",
                (cause, self._clock(), seq),
            )
            conn.execute("UPDATE event SET body = ? WHERE seq = ?", (note, seq))

    def put_back(self, seq: int) -> None:
        """Undo `set_aside`: the fault was not the event's."""
        with self.transaction("put_back") as conn:
            conn.execute(
                "UPDATE event SET body = (SELECT body FROM set_aside s WHERE s.seq = event.seq)"
                " WHERE seq = ? AND seq IN (SELECT seq FROM set_aside)",
                (seq,),
            )
            conn.execute("DELETE FROM set_aside WHERE seq = ?", (seq,))

    def purge(self) -> None:
        """Forget events archived more than a week ago."""
        before_ms = self._clock() - KEEP_ACKED_MS
        with self.transaction("purge") as conn:
            # Only a prefix goes, and never the newest: numbers must have no hole and must not begin again.
            (kept,) = conn.execute(
                "SELECT MIN(seq) FROM event WHERE acked_at_ms IS NULL OR acked_at_ms >= ?", (before_ms,)
            ).fetchone()
            conn.execute("DELETE FROM event WHERE seq < ?", (self._highest if kept is None else kept,))
            conn.execute("DELETE FROM set_aside WHERE at_ms < ?", (before_ms,))

    # ---- capture cursors

    def tail_of(self, key: str) -> Tail:
        """Return how far a conversation of the present account is archived; position 0 for a new one."""
        from agent.capture.chats import Tail

        with self._lock:
            row = self._conn.execute(
                "SELECT position, bubbles FROM cursor WHERE account_id = ? AND key = ?",
                (self.account_id, key),
            ).fetchone()
        if row is None:
            return Tail(position=0, bubbles=())
        return Tail(position=row[0], bubbles=tuple(Bubble(**fields) for fields in json.loads(row[1])))

    def add_chat(self, read: ChatRead) -> list[int]:
        """Keep what was read of a conversation together with how far it was read; it is not due any more."""
        with self.transaction("add_chat") as conn:
            key = (self.account_id, read.key)
            row = conn.execute(
                "SELECT read_at_ms FROM cursor WHERE account_id = ? AND key = ?", key
            ).fetchone()
            now_ms = self._clock()
            new = facts.of_chat(read, from_ms=row[0] if row else 0, to_ms=now_ms)
            seqs = self.append(conn, [*new, *facts.adds_of_chat(read, self.account_id)])
            bubbles = json.dumps([asdict(bubble) for bubble in read.tail.bubbles], ensure_ascii=False)
            conn.execute(
                "INSERT INTO cursor (account_id, key, position, bubbles, read_at_ms) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (account_id, key) DO UPDATE SET position = excluded.position,"
                " bubbles = excluded.bubbles, read_at_ms = excluded.read_at_ms",
                (*key, read.tail.position, bubbles, now_ms),
            )
            if read.row is not None:
                chatbook.cover(conn, self.account_id, read.row)
            return seqs

    # ---- notes

    def recall(self, name: str) -> str:
        """Return a note, empty if there is none."""
        with self._lock:
            return self._meta(name)

    def remember(self, name: str, value: str) -> None:
        """Keep a note; nothing is written when it says so already."""
        with self._lock:
            if self._meta(name) != value:
                with self.transaction("remember") as conn:
                    outboxfile.set_meta(conn, name, value)

    def note(self, conn: sqlite3.Connection, name: str, value: str) -> None:
        """Keep a note inside a `transaction` of the caller."""
        outboxfile.set_meta(conn, name, value)

    def add_with_note(self, new: Sequence[Fact], name: str, value: str) -> list[int]:
        """Keep facts and the note of what they were concluded from in one transaction."""
        with self.transaction("add_with_note") as conn:
            seqs = self.append(conn, new)
            outboxfile.set_meta(conn, name, value)
            return seqs

    def close(self) -> None:
        """Close the file and let others have it."""
        with self._lock:
            self._conn.close()
        self._host_lock.release()

    def _one(self, sql: str) -> int | str:
        found: int | str = self._conn.execute(sql).fetchone()[0]
        return found

    def _meta(self, name: str) -> str:
        row = self._conn.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""
