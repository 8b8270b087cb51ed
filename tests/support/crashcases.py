"""One run of the crash test: what is to go wrong in it, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.support import crashrules

# Why a row that waits is not tried within this test.
HOLDS = frozenset(
    {"quota_day", "quota_hour", "frozen", "restored", "resting", "cooldown", "contact_pause", "ramp"}
)
ENDED = frozenset({"done", "not_done", "unknown", "expired", "cancelled"})


@dataclass(frozen=True, slots=True)
class Act:
    """At the n-th time a place is reached, since `after` (place:n) if told: crash, freeze, a fault."""

    place: str
    n: int = 1
    what: str = "crash"
    method: str = "*"
    after: str = ""

    def __str__(self) -> str:
        """Return the act in a few words."""
        since = f"{self.after}>" if self.after else ""
        return f"{since}{self.place}:{self.n} {self.what}" + ("" if self.method == "*" else f" {self.method}")

    def message(self) -> list[Any]:
        """Return the act as the process that does it hears it."""
        what = self.what if self.what in ("crash", "freeze") else [self.what, self.method]
        return [self.place, self.n, what, self.after]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run: what its agent, in its first and second life, and its controller meet."""

    agent: tuple[Act, ...] = ()
    again: tuple[Act, ...] = ()
    controller: tuple[Act, ...] = ()
    switch: str = ""
    rows: int = 1
    per_day: int = crashrules.PER_DAY
    time_scale: float = 0.0  # of what the phone draws
    expires: bool = False  # leases end at once without a word
    replaced: bool = (
        False  # the second agent is on another host: it has neither locks nor outbox of the first
    )

    @property
    def label(self) -> str:
        """Return the case in one line."""
        said = [f"{who} {act}" for who in ("agent", "again", "controller") for act in getattr(self, who)]
        return ", ".join([*said, self.switch]).strip(", ") or "nothing"


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What came of a case: the rows as the controller has them, what really happened, what is wrong."""

    case: Case
    states: list[list[str]] = field(default_factory=list)
    effects: Counter[str] = field(default_factory=Counter)
    permits: int = 0
    twice: int = 0  # targets met twice, and taps on the glass that nobody meant
    over: int = 0
    lost: int = 0
    late: int = 0  # touches by an agent that another one had followed
    reached: bool = True
    seconds: float = 0.0
    places: list[str] = field(default_factory=list)
    places_again: list[str] = field(default_factory=list)
    controller_places: list[str] = field(default_factory=list)
    hold: str = ""
    errors: str = ""

    @property
    def came_to_an_end(self) -> bool:
        """Tell whether each row has an end, or waits for a reason that lasts."""
        return all(state in ENDED or self.hold in HOLDS for state, _, _ in self.states)

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing was done twice, over the quota, too late, or lost."""
        return not (self.twice or self.over or self.lost or self.late)

    def __str__(self) -> str:
        """Return the verdict in one line."""
        return (
            f"{self.case.label}: {self.states} {self.hold} really {dict(self.effects)} permits {self.permits}"
            f" twice {self.twice} over {self.over} lost {self.lost} late {self.late} {self.seconds:.1f}s"
            f"\n{self.errors}"
        )
