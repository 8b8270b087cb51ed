"""How well a matcher does on labelled messages: hit by hit, by technique and by trap, beside the goals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tests.support.wordlabels import Hit, Message

Match = Callable[[str], Sequence[tuple[str, int, int]]]

FOLDING = ("fullwidth", "styled", "case", "traditional")
NOISE = ("space", "punct", "emoji_insert", "zerowidth", "repeat")
WRITING = ("homophone", "shape", "pinyin", "initials", "numeral", "split", "emoji_sub", "mixed")
# The mean of these is the macro recall; words in reverse order stand outside every sum.
EVASIONS = (*FOLDING, *NOISE, *WRITING)
OUTSIDE = "reverse"
# A trap of the kind `longer` stands in the allow list or it does not: two goals.
LONGER_ALLOWED, LONGER_OTHERS = "longer, allowed", "longer, others"
IOU = 0.5


@dataclass(frozen=True, slots=True)
class Failure:
    """What a matcher got wrong in one message."""

    kind: str
    message: Message
    missed: tuple[Hit, ...]
    wrong: tuple[Hit, ...]


@dataclass(slots=True)
class Tally:
    """True, false and missed hits."""

    right: int = 0
    strict: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        """Share of the reported hits that are right, in percent."""
        return _share(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Share of the true hits that are found, in percent."""
        return _share(self.right, self.right + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in percent."""
        return _share(2 * self.right, 2 * self.right + self.wrong + self.missed)

    @property
    def strict_f1(self) -> float:
        """As f1, where a hit counts only if both of its ends are right, in percent."""
        return _share(2 * self.strict, 2 * self.right + self.wrong + self.missed)


@dataclass(slots=True)
class Score:
    """What a matcher found of a set; `reverse` counts only in its own technique."""

    words: Tally = field(default_factory=Tally)
    patterns: Tally = field(default_factory=Tally)
    both: Tally = field(default_factory=Tally)
    messages: Tally = field(default_factory=Tally)
    techniques: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    traps: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    failures: list[Failure] = field(default_factory=list)

    def recall(self, technique: str) -> float | None:
        """Return the recall of a technique in percent; None where the set has none of it."""
        return self.techniques[technique].recall if technique in self.techniques else None

    def flagged(self, *traps: str) -> float | None:
        """Return the share of harmless messages of these traps that were flagged, in percent."""
        tallies = [self.traps[trap] for trap in traps if trap in self.traps]
        wrong = sum(t.wrong for t in tallies)
        return _share(wrong, wrong + sum(t.right for t in tallies)) if tallies else None

    def macro_recall(self) -> float:
        """Return the mean recall of the evasions that the set has, in percent."""
        found = [self.techniques[name].recall for name in EVASIONS if name in self.techniques]
        return sum(found) / len(found) if found else 0.0


def _share(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 100.0


def iou(one: Hit, other: Hit) -> float:
    """Return how much two spans share, 0 to 1."""
    common = min(one.end, other.end) - max(one.start, other.start)
    return max(0, common) / (max(one.end, other.end) - min(one.start, other.start))


def paired(truth: Sequence[Hit], found: Sequence[Hit]) -> dict[int, int]:
    """Pair hits of the same word that share half of their span, the best pairs first: truth → found."""
    close = [
        (iou(t, f), i, j)
        for i, t in enumerate(truth)
        for j, f in enumerate(found)
        if t.word == f.word and iou(t, f) >= IOU
    ]
    pairs: dict[int, int] = {}
    for _, i, j in sorted(close, key=lambda c: (-c[0], c[1], c[2])):
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def score(messages: Iterable[Message], match: Match, allowed: Sequence[str] = ()) -> Score:
    """Return what a matcher found; a `longer` trap counts apart where an allowed phrase covers it."""
    result = Score()
    for message in messages:
        found = [Hit(*hit) for hit in match(message.text)]
        pairs = paired(message.hits, found)
        missed = tuple(h for i, h in enumerate(message.hits) if i not in pairs)
        wrong = tuple(h for j, h in enumerate(found) if j not in pairs.values())
        trap = message.trap
        if trap == "longer":
            trap = LONGER_ALLOWED if any(phrase in message.text for phrase in allowed) else LONGER_OTHERS
        _count(result, message, trap, found, pairs)
        if missed or wrong:
            kind = message.technique or f"trap {trap}"
            result.failures.append(Failure(kind, message, missed, wrong))
    return result


def _count(result: Score, message: Message, trap: str, found: list[Hit], pairs: dict[int, int]) -> None:
    """Add one message to all tallies."""
    if trap:
        tally = result.traps[trap]
        tally.wrong += bool(found)
        tally.right += not found
    sums = [result.techniques[message.technique]] if message.technique else []
    if message.technique != OUTSIDE:
        sums.append(result.both)
        truth = bool(message.hits)
        result.messages.right += truth and bool(found)
        result.messages.wrong += not truth and bool(found)
        result.messages.missed += truth and not found
    for of_hit, tallies in (
        (lambda h: not h.word.startswith("@"), [*sums, result.words]),
        (lambda h: h.word.startswith("@"), [*sums, result.patterns]),
    ):
        if message.technique == OUTSIDE:
            del tallies[-1]
        for tally in tallies:
            _add(tally, message.hits, found, pairs, of_hit)


def _add(
    tally: Tally, truth: Sequence[Hit], found: list[Hit], pairs: dict[int, int], of_hit: Callable[[Hit], bool]
) -> None:
    """Add the hits of one kind to a tally."""
    for i, hit in enumerate(truth):
        if of_hit(hit):
            tally.right += i in pairs
            tally.missed += i not in pairs
            tally.strict += i in pairs and found[pairs[i]] == hit
    used = set(pairs.values())
    tally.wrong += sum(of_hit(hit) for j, hit in enumerate(found) if j not in used)
