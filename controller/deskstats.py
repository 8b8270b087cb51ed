"""Violations counted by rule, word, person or judge: hits, false alarms, appeals, time to verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from controller.errors import BadRequest
from controller.ledger import Ledger
from controller.periods import FOREVER_MS
from controller.records import ViolationState
from controller.store.base_supervision import By, Counted, Stretch
from controller.verdicts import Appeal

__all__ = ["By", "Counting", "DeskStats", "Line", "percentile"]

_PERCENT = 100
# So many ids are looked at in one step; it also bounds by how much ids of one time can be out of order.
STEP = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Violations of one name: those found in a time, as they stand now. Closed ones count by their verdict.

    `hits` counts rows, `repeats` what was found again and made no row of its own; `open` waits for a verdict,
    `escalated` for its two persons. Times are from found to the first verdict, None: there is none.
    """

    key: str
    hits: int
    repeats: int
    open: int
    escalated: int
    confirmed: int
    dismissed: int
    appeals: int
    granted: int
    median_ms: int | None
    p90_ms: int | None

    @property
    def judged(self) -> int:
        """Return how many have a verdict."""
        return self.confirmed + self.dismissed

    @property
    def false_alarm_share(self) -> float | None:
        """Return how many of those with a verdict were dismissed, 0 to 1; None: none has a verdict."""
        return self.dismissed / self.judged if self.judged else None


def percentile(sorted_ms: Sequence[int], percent: int) -> int | None:
    """Return the nearest-rank percentile of sorted values; None of none."""
    if not sorted_ms:
        return None
    rank = -(-percent * len(sorted_ms) // _PERCENT)
    return sorted_ms[max(rank, 1) - 1]


class DeskStats:
    """Statistics of the desk; they hold no text."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def counting(self, by: By, *, since_ms: int = 0, until_ms: int = FOREVER_MS) -> Counting:
        """Return a count that is made step by step; BadRequest if the time ends before it begins."""
        if since_ms >= until_ms:
            raise BadRequest("the period ends before it begins")
        return Counting(self._ledger, by, since_ms, until_ms)

    def by(self, by: By, *, since_ms: int = 0, until_ms: int = FOREVER_MS) -> list[Line]:
        """Return a line for each name, most hits first; all steps of a count at once."""
        counting = self.counting(by, since_ms=since_ms, until_ms=until_ms)
        while counting.go_on():
            pass
        return counting.lines()


class Counting:
    """A count in steps, so that the core can do other things between two of them."""

    def __init__(self, ledger: Ledger, by: By, since_ms: int, until_ms: int) -> None:
        self._ledger = ledger
        self._by = by
        self._since_ms = since_ms
        self._until_ms = until_ms
        self._bounds: tuple[int, int] | None = None  # counted up to this id, ends with this one
        self._counted: dict[str, list[Counted]] = {}
        self._took_ms: dict[str, list[int]] = {}

    def go_on(self) -> bool:
        """Count some thousand more; False: that was all."""
        with self._ledger.look() as tx:
            if self._bounds is None:
                first_id, last_id = tx.ids_found(self._since_ms)
                self._bounds = (max(first_id - STEP, 0), last_id if first_id else 0)
            after_id, last_id = self._bounds
            stretch = Stretch(
                since_ms=self._since_ms,
                until_ms=self._until_ms,
                after_id=after_id,
                last_id=min(after_id + STEP, last_id),
            )
            for one in tx.count_by(self._by, stretch):
                self._counted.setdefault(one.name, []).append(one)
            for name, ms in tx.times_to_verdict(self._by, stretch):
                self._took_ms.setdefault(name, []).append(ms)
        self._bounds = (stretch.last_id, last_id)
        return stretch.last_id < last_id

    def lines(self) -> list[Line]:
        """Return a line for each name, most hits first."""
        found = [
            _line(name, counted, sorted(self._took_ms.get(name, ())))
            for name, counted in self._counted.items()
        ]
        return sorted(found, key=lambda line: (-line.hits, line.key))


def _line(name: str, counted: Sequence[Counted], took_ms: Sequence[int]) -> Line:
    def total(*, state: str = "", verdict: str = "", appeals: Sequence[str] = ()) -> int:
        return sum(
            one.found
            for one in counted
            if (not state or one.state == state)
            and (not verdict or one.verdict == verdict)
            and (not appeals or one.appeal in appeals)
        )

    return Line(
        key=name,
        hits=total(),
        repeats=sum(one.repeats for one in counted),
        open=total(state=ViolationState.NEW),
        escalated=total(state=ViolationState.ESCALATED),
        confirmed=total(verdict=ViolationState.CONFIRMED),
        dismissed=total(verdict=ViolationState.DISMISSED),
        appeals=total(appeals=(Appeal.OPEN, Appeal.UPHELD, Appeal.GRANTED)),
        granted=total(appeals=(Appeal.GRANTED,)),
        median_ms=percentile(took_ms, 50),
        p90_ms=percentile(took_ms, 90),
    )
