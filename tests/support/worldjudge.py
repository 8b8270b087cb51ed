"""What an archive of a chat is worth against what was said: holes, repeats, and what gaps own up to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """How a line may look on a page, and so in an archive."""

    side: str
    kind: str
    text: str
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the world; `may_be_missing` if it was gone before anybody could have read it."""

    looks: frozenset[Look]
    may_be_missing: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A message of the archive in its order; `has_gap` if the archive owns up to a hole right before it."""

    look: Look
    has_gap: bool = False
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Lines missing without a word, messages nobody said (again), and both as far as they are owned up to."""

    holes: int = 0
    repeats: int = 0
    doubtful: int = 0  # repeats that are marked as perhaps being one
    covered: int = 0  # missing lines where a gap stands

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing is missing or repeated in silence."""
        return not (self.holes or self.repeats)

    @property
    def weight(self) -> tuple[int, int]:
        """Return how bad it is, for choosing the mildest reading."""
        return self.holes + self.repeats, self.doubtful + self.covered

    def and_(self, other: Verdict) -> Verdict:
        """Return both together."""
        return Verdict(
            self.holes + other.holes,
            self.repeats + other.repeats,
            self.doubtful + other.doubtful,
            self.covered + other.covered,
        )


def judge(world: Sequence[Said], kept: Sequence[Kept], *, gap_at_end: bool = False) -> Verdict:
    """Return the mildest reading of an archive: both in order, each message for one line at most."""
    size = len(kept)
    # best[i]: the mildest way to have gone through the lines so far with i messages of the archive used.
    best: list[Verdict] = [Verdict()]
    for i in range(size):
        best.append(best[i].and_(_extra(kept[i])))
    for said in world:
        after = [best[0].and_(_missing(said, _gap(kept, 0, gap_at_end=gap_at_end)))]
        for i in range(1, size + 1):
            ways = [
                best[i].and_(_missing(said, _gap(kept, i, gap_at_end=gap_at_end))),
                after[i - 1].and_(_extra(kept[i - 1])),
            ]
            if kept[i - 1].look in said.looks:
                ways.append(best[i - 1])
            after.append(min(ways, key=lambda way: way.weight))
        best = after
    return best[size]


def _gap(kept: Sequence[Kept], at: int, *, gap_at_end: bool) -> bool:
    return kept[at].has_gap if at < len(kept) else gap_at_end


def _missing(said: Said, has_gap: bool) -> Verdict:
    if said.may_be_missing:
        return Verdict()
    return Verdict(covered=1) if has_gap else Verdict(holes=1)


def _extra(kept: Kept) -> Verdict:
    return Verdict(doubtful=1) if kept.is_doubtful else Verdict(repeats=1)


def total(verdicts: Collection[Verdict]) -> Verdict:
    """Return the verdicts of many chats as one."""
    found = Verdict()
    for verdict in verdicts:
        found = found.and_(verdict)
    return found
