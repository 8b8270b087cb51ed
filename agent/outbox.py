"""The events of one phone in one file until they are archived: gapless numbers, one writing connection."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Self

from agent import chatbook, cursors, facts, outboxfile, salvage, spool
from agent.ballast import Ballast, Level, Limits, Space, is_crowded
from agent.boottime import wall_ms
from agent.epochs import Claim
from agent.errors import OutboxFull
from agent.hostlock import HostLock
from agent.model import Bubble
from agent.salvage import IN_DOUBT, UNSENT_FROM
from protos import wire
from protos.channel import MAX_BATCH_BYTES, MAX_BATCH_EVENTS
from protos.crashpoint import reach
from protos.facts import Event, EventSetAside, Fact

if TYPE_CHECKING:
    from agent.capture.chatlog import ChatRead, Tail

# A controller restored from a backup of last week can still be given what it lost.
KEEP_ACKED_MS = 7 * 86_400_000
# So many archived events go in one commit: a hundred thousand at once would fill the disk with their WAL.
_PURGED_AT_ONCE = 2_000
_FULL_SINCE = "full_since"  # note: since when there is no room, ms
# What must not begin without room, and what is written about room itself.
_NEEDS_ROOM = frozenset({"add_chat"})
_ABOUT_ROOM = frozenset({"room", "purge"})


class Outbox:
    """Events, capture cursors and a few notes of one phone; every method may be called from any thread.

    A method that writes has written durably when it returns.
    """

    def __init__(
        self, conn: sqlite3.Connection, lock: HostLock, clock: Callable[[], int], space: Space
    ) -> None:
        self._conn = conn
        self._host_lock = lock
        self._clock = clock
        self._space = space
        self._lock = threading.RLock()
        self._spool_id = self._meta("spool_id")
        self._highest = int(self._one("SELECT COALESCE(MAX(seq), 0) FROM event"))
        self._acked = int(self._one("SELECT COALESCE(MAX(seq), 0) FROM event WHERE acked_at_ms IS NOT NULL"))
        self._is_full_noted = bool(self._meta(_FULL_SINCE))
        self.claim = Claim.read(self._meta("claim"), self._meta("phone_epoch"))
        self.phone_epoch = self.claim.phone_epoch
        self.claim_on_phone = Claim()  # what the phone's owner mark said when this process began
        self.account_id = ""  # account last seen on the phone; stands on every event
        self.on_growth: Callable[[], None] = lambda: None  # called after each write, without the lock

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Callable[[], int] = wall_ms,
        limits: Limits | None = None,
        ballast: Ballast | None = None,
    ) -> Self:
        """Open or make the file. What can be read of a damaged one goes on, with a gap for the rest.

        Raises AlreadyRunning, OutboxFull, or OutboxNewer for a file of a later release.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = HostLock.take(path.parent, path.name)
        space = Space(path.parent, limits or Limits(), ballast)
        with ExitStack() as undo, outboxfile.full_by_name():
            undo.callback(lock.release)
            conn = salvage.opened(path, clock)
            undo.callback(conn.close)
            outbox = cls(conn, lock, clock, space)
            outbox._begin()
            undo.pop_all()
            return outbox

    def _begin(self) -> None:
        # What is numbered from here on was sent to nobody until a controller's first word: `hear_high_water`.
        if not self._meta(UNSENT_FROM):
            self.remember(UNSENT_FROM, str(self._highest + 1))
        self.purge()

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

        `what` names it among the places at which a test can end this process. OutboxFull if there is no room;
        the reserve is given up then, so that small writes can be tried once more.
        """
        with self._lock:
            self._look_at_room(what)
            highest, acked = self._highest, self._acked
            try:
                self._conn.execute("BEGIN IMMEDIATE")
                yield self._conn
                reach(f"agent.{what}.before_commit")
                self._conn.execute("COMMIT")
            except BaseException as error:
                self._highest, self._acked = highest, acked
                with suppress(sqlite3.Error):  # after a full disk SQLite has rolled back already
                    self._conn.execute("ROLLBACK")
                if outboxfile.is_full(error):
                    self._space.met_the_end()
                    raise OutboxFull from error
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
            try:
                self._ack(up_to)
            except OutboxFull:
                # The reserve is free now. If even that does not do, the controller will say it again.
                with suppress(OutboxFull):
                    self._ack(up_to)

    def _ack(self, up_to: int) -> None:
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

    def hear_high_water(self, high_water: int, *, may_renumber: bool = True) -> bool:
        """Take a controller's word on what it archived of this spool; False if a new spool had to begin.

        It has numbers that this file never sent when the file was restored from a copy, or lost its end:
        going on would give two events one number, and the later one would never be sent.
        """
        with self._lock:
            unsent_from = int(self._meta(UNSENT_FROM) or self._highest + 1)
            if high_water >= unsent_from and may_renumber:
                self.renumber(archived=unsent_from - 1)
                return False
            self.rewind(high_water)
            self.remember(UNSENT_FROM, "")
            return True

    def renumber(self, *, archived: int = 0) -> None:
        """Begin a new spool with the events that are not archived, and say that there was a break.

        Up to `archived` they are in any case, whatever this file noted.
        """
        with self.transaction("renumber") as conn:
            bodies = spool.emptied(conn, archived)
            self._highest = self._acked = 0
            self.append(conn, [facts.hole("outbox_behind", self._clock())])
            self._highest = spool.extend(conn, self._highest, bodies)
            spool_id = secrets.token_hex(16)
            outboxfile.set_meta(conn, "spool_id", spool_id)
            outboxfile.set_meta(conn, UNSENT_FROM, "1")
        self._spool_id = spool_id

    def set_aside(self, seq: int, cause: str) -> None:
        """Put a note in the place of an event that cannot be sent; its body stays in this file."""
        with self.transaction("set_aside") as conn:
            note = self._seal(EventSetAside(seq=seq, cause=cause), self._clock())
            spool.set_aside(conn, seq, note, cause=cause, now_ms=self._clock())

    def put_back(self, seq: int) -> None:
        """Undo `set_aside`: the fault was not the event's."""
        with self.transaction("put_back") as conn:
            spool.put_back(conn, seq)

    def purge(self) -> None:
        """Forget events archived more than a week ago; where room is short, archived ones, oldest first."""
        before_ms = self._clock() - KEEP_ACKED_MS
        while self._purge_some(before_ms) == _PURGED_AT_ONCE:
            pass
        with self._lock:
            while is_crowded(spool.used_bytes(self._conn), self._space.limits, self._space.level):
                if not self._purge_some(None):
                    break

    def _purge_some(self, before_ms: int | None) -> int:
        with self.transaction("purge") as conn:
            return spool.purge(conn, below=self._highest, before_ms=before_ms, most=_PURGED_AT_ONCE)

    # ---- room

    @property
    def is_full(self) -> bool:
        """Tell whether chats must wait for room, measured now; at the end of it a gap tells how long."""
        with self._lock:
            self._look_at_room("")
            return self._space.level is Level.FULL

    @property
    def plight(self) -> str:
        """Return what is wrong with this file or its disk in one word, empty if nothing is."""
        if self._space.level in (Level.NEARLY_FULL, Level.FULL):
            return self._space.level.value
        return self.actions_in_doubt

    @property
    def actions_in_doubt(self) -> str:
        """Return why nothing may be acted on this phone before a person has looked at it; empty if it may."""
        return self.recall(IN_DOUBT)

    @property
    def backlog(self) -> int:
        """Return how many events are not archived yet."""
        return self._highest - self._acked

    def _look_at_room(self, what: str) -> None:
        used = spool.used_bytes(self._conn)
        level = self._space.look(used)
        if what in _ABOUT_ROOM:
            return
        with suppress(OutboxFull):
            if is_crowded(used, self._space.limits, level) and self._purge_some(None):
                level = self._space.look(spool.used_bytes(self._conn))
            if (level is Level.FULL) != self._is_full_noted:
                self._note_room(is_full=level is Level.FULL)
        if level is Level.FULL and what in _NEEDS_ROOM:
            raise OutboxFull

    def _note_room(self, *, is_full: bool) -> None:
        with self.transaction("room") as conn:
            if not is_full:
                since_ms = int(self._meta(_FULL_SINCE))
                self.append(conn, [facts.hole("disk_full", self._clock(), from_ms=since_ms)])
            outboxfile.set_meta(conn, _FULL_SINCE, str(self._clock()) if is_full else "")
        self._is_full_noted = is_full

    # ---- capture cursors

    def tail_of(self, key: str) -> Tail:
        """Return how far a conversation of the present account is archived; position 0 for a new one."""
        from agent.capture.chatlog import Tail

        with self._lock:
            row = cursors.find(self._conn, self.account_id, key)
        if row is None:
            return Tail(position=0, bubbles=())
        bubbles = tuple(Bubble(**fields) for fields in json.loads(row[1]))
        return Tail(position=row[0], bubbles=bubbles, read_at_ms=row[2])

    def add_chat(self, read: ChatRead) -> list[int]:
        """Keep what was read of a conversation together with how far it was read; it is not due any more.

        OutboxFull while there is no room: nothing is kept, and the conversation stays where it was.
        """
        with self.transaction("add_chat") as conn:
            row = cursors.find(conn, self.account_id, read.key)
            now_ms = self._clock()
            new = facts.of_chat(read, from_ms=row[2] if row else 0, to_ms=now_ms)
            seqs = self.append(conn, [*new, *facts.adds_of_chat(read, self.account_id)])
            bubbles = json.dumps([asdict(bubble) for bubble in read.tail.bubbles], ensure_ascii=False)
            cursors.move(conn, (self.account_id, read.key, read.tail.position, bubbles, now_ms))
            chatbook.settle(conn, self.account_id, read)
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
