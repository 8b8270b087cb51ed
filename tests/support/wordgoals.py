"""The goals of a matcher of words, with the stretch of each, and what a score reaches of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.wordscore import FOLDING, LONGER_ALLOWED, LONGER_OTHERS, NOISE, Score

HARMLESS = (
    "boundary",
    LONGER_ALLOWED,
    LONGER_OTHERS,
    "skip",
    "latin",
    "homophone",
    "number",
    "split",
    "repeat",
    "plain",
)


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure beside its goal, in percent where its name says nothing else; `most` where less is better."""

    name: str
    value: float | None
    goal: float
    stretch: float
    most: bool = False

    @property
    def reached(self) -> bool:
        """Whether the goal is reached; what was not measured misses nothing."""
        return self._as_good_as(self.goal)

    @property
    def stretched(self) -> bool:
        """Whether the ambition is reached as well."""
        return self._as_good_as(self.stretch)

    def _as_good_as(self, wanted: float) -> bool:
        if self.value is None:
            return True
        value = round(self.value, 9)
        return value <= wanted if self.most else value >= wanted

    def line(self) -> str:
        """Return the figure as one line of a report."""
        value = "–" if self.value is None else f"{self.value:,.1f}"
        sign = "≤" if self.most else "≥"
        tick = ("✓" if self.reached else "✗") + ("★" if self.reached and self.stretched else " ")
        goals = f"goal {sign} {self.goal:,g}, stretch {sign} {self.stretch:,g}"
        return f"  {tick} {self.name:<44} {value:>11}   {goals}"


def measures(result: Score) -> Iterator[Measure]:
    """Yield every figure of the goals, in their order."""
    yield Measure("words: precision", result.words.precision, 93, 96)
    yield Measure("words: recall", result.words.recall, 92, 96)
    yield Measure("words: F1", result.words.f1, 92, 96)
    yield Measure("patterns: F1", result.patterns.f1, 95, 98)
    yield Measure("words and patterns: F1", result.both.f1, 92, 96)
    yield Measure("messages: F1", result.messages.f1, 92, 96)
    loss = result.both.f1 - result.both.strict_f1
    yield Measure("F1 lost by strict spans", loss, 3, 0, most=True)
    yield Measure("evasions: macro recall", result.macro_recall(), 92, 96)
    yield Measure("recall of plain", result.recall("plain"), 99, 100)
    yield Measure("recall of plain_trap", result.recall("plain_trap"), 90, 100)
    for technique in (*FOLDING, *NOISE):
        yield Measure(f"recall of {technique}", result.recall(technique), 97, 100)
    for technique, least in _WRITING.items():
        yield Measure(f"recall of {technique}", result.recall(technique), least, 95)
    yield Measure("harmless flagged", result.flagged(*HARMLESS), 8, 4, most=True)
    for trap, (goal, stretch) in _TRAPS.items():
        yield Measure(f"flagged: {trap}", result.flagged(trap), goal, stretch, most=True)


_WRITING = {
    "homophone": 85,
    "pinyin": 90,
    "initials": 85,
    "numeral": 90,
    "split": 85,
    "shape": 60,
    "emoji_sub": 85,
    "mixed": 85,
}
_TRAPS: dict[str, tuple[float, float]] = {
    "policy": (15, 5),
    "boundary": (8, 3),
    "skip": (5, 3),
    "latin": (3, 3),
    "homophone": (15, 3),
    "number": (5, 3),
    LONGER_ALLOWED: (0, 0),
    LONGER_OTHERS: (60, 30),
    "plain": (0, 0),
}
