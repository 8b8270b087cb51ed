"""What an exploration found, as one line and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tests.support.crashcases import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The sums over many verdicts; `unreached` cases ended before their place came."""

    what: str
    cases: int
    done: int
    not_done: int
    unknown: int
    queued: int
    twice: int
    over: int
    lost: int
    unreached: int
    seconds: float

    def line(self) -> str:
        """Return the tally for people."""
        share = self.unknown / max(1, self.cases)
        return (
            f"{self.what}: {self.cases} cases: {self.done} done, {self.not_done} not_done,"
            f" {self.unknown} unknown ({share:.1%}), {self.queued} waiting;"
            f" twice={self.twice} over={self.over} lost={self.lost};"
            f" {self.unreached} places not reached; {self.seconds:.0f} s"
        )

    def to_json(self) -> dict[str, object]:
        """Return the tally as plain values."""
        return asdict(self)


def tally(what: str, verdicts: Sequence[Verdict]) -> Tally:
    """Return the sums of an exploration."""
    states = Counter(state for verdict in verdicts for state, _, _ in verdict.states)
    return Tally(
        what=what,
        cases=len(verdicts),
        done=states["done"],
        not_done=states["not_done"],
        unknown=states["unknown"],
        queued=states["queued"],
        twice=sum(verdict.twice for verdict in verdicts),
        over=sum(verdict.over for verdict in verdicts),
        lost=sum(verdict.lost for verdict in verdicts),
        unreached=sum(not verdict.reached for verdict in verdicts),
        seconds=sum(verdict.seconds for verdict in verdicts),
    )
