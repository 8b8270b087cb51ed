"""Which spans of time were watched, and how well: told as facts, noted so that a crash loses a minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from agent.boottime import wall_ms
from agent.errors import OutboxFull
from agent.outbox import Outbox
from protos.facts import CoverageSeen, CoverageState

HOUR_MS = 3_600_000
# What holds on and on is told so often, that who looks sees the last minutes too; parts of an hour.
TELL_EVERY_MS = 300_000
NOTE_EVERY_MS = 60_000
# The wall clock may be put right by so much without a break in what was watched.
SLACK_MS = 2_000
# What held at the last word is not believed to have held through a longer silence: the process stood still.
SILENCE_MS = 600_000
_NOTE = "coverage"


@dataclass(frozen=True, slots=True)
class Span:
    """An open span: what holds since `from_ms`, and until when it is known to have held."""

    account_id: str
    state: str
    cause: str
    from_ms: int
    to_ms: int


def by_hours(span: Span) -> Iterator[CoverageSeen]:
    """Yield the facts of a span, cut at full hours; none for one without length."""
    from_ms = span.from_ms
    while from_ms < span.to_ms:
        to_ms = min(span.to_ms, (from_ms // HOUR_MS + 1) * HOUR_MS)
        yield CoverageSeen(from_ms=from_ms, to_ms=to_ms, state=span.state, cause=span.cause)
        from_ms = to_ms


class Coverage:
    """The coverage of one phone; told again and again what holds now, by one thread.

    Spans never overlap, whatever the wall clock does. Between two words that lie further apart by the wall
    clock than by the host's running time the host slept, or its clock was set: nothing was watched there.
    Nor was it in a long silence, as of a process that was stopped.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        wall: Callable[[], int] = wall_ms,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = outbox
        self._wall = wall
        self._clock = clock
        noted = outbox.recall(_NOTE)
        self._open: Span | None = None
        self._waiting: list[Span] = []  # over, and not in the file yet
        self._left: Span | None = msgspec.json.decode(noted, type=Span) if noted else None
        self._ended_ms = self._left.to_ms if self._left else 0
        self._noted_ms = 0
        self._told_at_s = 0.0

    def recover(self) -> None:
        """Close what another process left open, as far as it was noted; before any account is known."""
        if self._left is None:
            return
        left, self._left = self._left, None
        self._write(left, None)

    def be(self, state: CoverageState, cause: str = "") -> None:
        """Say what holds from the last word until now, if it is the same, and from now on."""
        now_ms = self._advance()
        span = self._open
        account_id = self._outbox.account_id
        if span is None:
            # After a clock was set back: what is told of already is not told twice.
            if now_ms >= self._ended_ms:
                self._write(None, Span(account_id, state, cause, now_ms, now_ms))
        elif (span.state, span.cause, span.account_id) != (state, cause, account_id):
            self._write(span, Span(account_id, state, cause, span.to_ms, span.to_ms))
        elif (told_ms := span.to_ms // TELL_EVERY_MS * TELL_EVERY_MS) > span.from_ms:
            self._write(_between(span, span.from_ms, told_ms), _between(span, told_ms, span.to_ms))
        elif now_ms - self._noted_ms >= NOTE_EVERY_MS:
            self._note(span)

    def still(self) -> None:
        """Say that what held at the last word holds: in the middle of something long."""
        if (span := self._open) is not None:
            self.be(CoverageState(span.state), span.cause)

    def end(self) -> None:
        """Close the open span: nothing is watched from here on."""
        self._advance()
        self._write(self._open, None)

    def _advance(self) -> int:
        """Carry the open span on until now; across a sleep or a set clock it is closed where that began."""
        now_ms, now_s = self._wall(), self._clock()
        span = self._open
        if span is not None:
            ran_ms = round((now_s - self._told_at_s) * 1000)
            known_ms = span.to_ms + ran_ms
            if ran_ms > SILENCE_MS:
                self._write(span, None)
            elif abs(now_ms - known_ms) <= SLACK_MS:
                self._open = _between(span, span.from_ms, max(span.to_ms, now_ms))
            else:
                to_ms = min(known_ms, max(now_ms, span.to_ms))
                self._write(_between(span, span.from_ms, to_ms), None)
        self._told_at_s = now_s
        return now_ms

    def _note(self, span: Span) -> None:
        with suppress(OutboxFull):
            self._outbox.remember(_NOTE, msgspec.json.encode(span).decode())
            self._noted_ms = span.to_ms

    def _write(self, closed: Span | None, opened: Span | None) -> None:
        """Tell of a span that is over and note the one that begins; without room in the file, later."""
        if closed is not None:
            self._waiting.append(closed)
            self._ended_ms = max(self._ended_ms, closed.to_ms)
        self._open = opened
        self._noted_ms = opened.to_ms if opened else 0
        # Without an open span the note says up to when all is told: a clock set back may meet a restart.
        noted = opened or Span("", "", "", self._ended_ms, self._ended_ms)
        note = msgspec.json.encode(noted).decode()
        with suppress(OutboxFull):
            while self._waiting:
                self._tell(self._waiting[0], note)
                del self._waiting[0]
            self._outbox.remember(_NOTE, note)

    def _tell(self, span: Span, note: str) -> None:
        """Keep the facts of a span with the note of the open one, in one transaction."""
        # Events bear the account seen last; these belong to who was signed in then.
        now_id, self._outbox.account_id = self._outbox.account_id, span.account_id
        try:
            self._outbox.add_with_note(list(by_hours(span)), _NOTE, note)
        finally:
            self._outbox.account_id = now_id


def _between(span: Span, from_ms: int, to_ms: int) -> Span:
    return Span(span.account_id, span.state, span.cause, from_ms, to_ms)
