"""Which event breaks the stream each time it is sent: found by sending it alone, then set aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.logs import get_logger
from protos.channel import MAX_BATCH_EVENTS

if TYPE_CHECKING:
    from agent.outbox import Outbox

log = get_logger()

# How often an event must fail alone.
ENOUGH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """At most one of them is a number: the event to set aside, or the one to put back."""

    set_aside: int | None = None
    put_back: int | None = None


class Poison:
    """Counts broken streams by what was in flight. Decides by numbers only."""

    def __init__(self) -> None:
        self._first = 0  # the batch that broke a stream: first and last number, 0 = none
        self._last = 0
        self._alone = 0  # how often `first` failed alone
        self._note = 0  # the number whose note is on its way
        self._may_set_aside = True

    def most(self) -> int:
        """Return how many events the next batch may have."""
        return 1 if self._last else MAX_BATCH_EVENTS

    def failed(self, first: int, last: int) -> Verdict:
        """Take note that a stream broke for a reason of the batch `first` to `last`."""
        if first == self._note:
            # The note is known to be good: the fault is the controller's. The event gets its place back.
            self._note = 0
            self._alone = 0
            self._may_set_aside = False
            return Verdict(put_back=first)
        if first != self._first or not self._last:
            self._first, self._last, self._alone = first, max(last, self._last), 0
        if first == last:
            self._alone += 1
        if self._alone >= ENOUGH and self._may_set_aside:
            self._note = first
            return Verdict(set_aside=first)
        return Verdict()

    def acked(self, up_to: int) -> None:
        """Take note that events were archived: the controller takes what is good."""
        self._may_set_aside = True
        if up_to >= self._note:
            self._note = 0
        if up_to >= self._first:
            self._alone = 0
        if up_to >= self._last:
            self._first = self._last = 0

    def blame(self, flight: tuple[int, int], outbox: Outbox, answer: str) -> None:
        """Count a stream that broke with these numbers in flight, and do to their events what follows."""
        verdict = self.failed(*flight)
        if verdict.set_aside is not None:
            outbox.set_aside(verdict.set_aside, f"the controller answered {answer}")
            log.error("event set aside", seq=verdict.set_aside, code=answer)
        elif verdict.put_back is not None:
            outbox.put_back(verdict.put_back)
            log.warning("event put back", seq=verdict.put_back)
