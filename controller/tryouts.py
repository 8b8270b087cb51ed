"""What a changed book would find in the history, beside what is found there now: counted, not kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from controller.findings import Finding, Line, Tally, rated
from controller.pastlines import Stretch, examine
from controller.safe import masked
from controller.shelves import Shelf
from controller.violationcontext import hidden_number

# So many examples of each rule and word, and so many in all.
_EXAMPLES = 5
_MOST_EXAMPLES = 100
# Of a long message what stands so near the hit.
_AROUND_CHARS = 40
_NEIGHBOURS = 2
_LONGEST_LINE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A hit that one of both books has and the other not: masked, with what stands around it.

    `text[start:end]` is what matched; both 0: the whole message.
    """

    rule_id: str
    entry_id: str
    is_new: bool
    message_id: int
    conversation_id: int
    phone_id: str
    holder: str
    side: str
    read_at_ms: int
    text: str
    start: int
    end: int
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Count:
    """Hits of a rule and a word by the book in force and by the changed one; `gone` and `added` differ."""

    rule_id: str
    entry_id: str
    word: str
    severity: str
    now: int = 0
    then: int = 0
    added: int = 0
    gone: int = 0


@dataclass(slots=True)
class TryOut:
    """Counts the hits of two books, stretch by stretch."""

    now: Shelf
    then: Shelf
    counts: dict[tuple[str, str], Count] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    looked_at: int = 0
    from_ms: int = 0  # when the first message was read; 0: none was
    to_ms: int = 0
    accounts: set[str] = field(default_factory=set)
    _marks: tuple[Tally, Tally] = field(default_factory=lambda: (Tally(), Tally()))
    _shown: dict[tuple[str, str, bool], int] = field(default_factory=dict)

    def look_at(self, stretch: Stretch) -> None:
        """Count the hits in a stretch."""
        fresh = stretch.lines[stretch.fresh_from :]
        self.looked_at += len(fresh)
        if fresh:
            self.from_ms = min(self.from_ms or fresh[0].read_at_ms, *(line.read_at_ms for line in fresh))
            self.to_ms = max(self.to_ms, *(line.read_at_ms for line in fresh))
        self.accounts |= {line.account_id for line in fresh}
        now = self._found(self.now, stretch, self._marks[0])
        same = self.now.version == self.then.version
        then = now if same else self._found(self.then, stretch, self._marks[1])
        for key, finding in now.items():
            count = self._count(finding)
            count.now += 1
            if key not in then:
                count.gone += 1
                self._show(finding, stretch, is_new=False)
        for key, finding in then.items():
            count = self._count(finding)
            count.then += 1
            if key not in now:
                count.added += 1
                self._show(finding, stretch, is_new=True)

    def _found(self, shelf: Shelf, stretch: Stretch, marks: Tally) -> dict[str, Finding]:
        return {finding.key: finding for finding in rated(examine(shelf, stretch), marks)}

    def _count(self, finding: Finding) -> Count:
        key = (finding.rule.id, finding.entry_id or finding.word)
        if key not in self.counts:
            self.counts[key] = Count(
                rule_id=finding.rule.id,
                entry_id=finding.entry_id,
                word=finding.word,
                severity=finding.severity,
            )
        return self.counts[key]

    def _show(self, finding: Finding, stretch: Stretch, *, is_new: bool) -> None:
        key = (finding.rule.id, finding.entry_id or finding.word, is_new)
        shown = self._shown.get(key, 0)
        if shown < _EXAMPLES and len(self.examples) < _MOST_EXAMPLES:
            self._shown[key] = shown + 1
            self.examples.append(_example(finding, stretch.lines, is_new=is_new))


def _example(finding: Finding, lines: Sequence[Line], *, is_new: bool) -> Example:
    line = finding.line
    near = [
        other
        for other in lines
        if other.conversation_id == line.conversation_id
        and 0 < abs(other.position - line.position) <= _NEIGHBOURS
    ]
    near.sort(key=lambda other: other.position)
    # Places in another text than the message's own mark nothing in it.
    is_own = finding.detail == "" or finding.detail.startswith("joined")
    low, high = (finding.start, finding.end) if is_own else (0, 0)
    whole = line.text
    if finding.kind == "pattern" and low < high:
        whole = whole[:low] + hidden_number(finding.word, whole[low:high]) + whole[high:]
    text, start, end = _cut(whole, low, high)
    return Example(
        rule_id=finding.rule.id,
        entry_id=finding.entry_id,
        is_new=is_new,
        message_id=line.message_id,
        conversation_id=line.conversation_id,
        phone_id=line.phone_id,
        holder=line.holder,
        side=line.side,
        read_at_ms=line.read_at_ms,
        text=masked(text),
        start=start,
        end=end,
        before=tuple(_short(other) for other in near if other.position < line.position),
        after=tuple(_short(other) for other in near if other.position > line.position),
    )


def _cut(text: str, start: int, end: int) -> tuple[str, int, int]:
    """Return what stands around a place of a text, and the place in it."""
    low, high = max(start - _AROUND_CHARS, 0), min(max(end, start + _AROUND_CHARS) + _AROUND_CHARS, len(text))
    head = "…" if low else ""
    cut = f"{head}{text[low:high]}{'…' if high < len(text) else ''}"
    shift = len(head) - low
    return cut, start + shift if end else 0, min(end, high) + shift if end else 0


def _short(line: Line) -> str:
    text = masked(line.text) or f"[{line.kind}]"
    side = {"out": "→", "in": "←"}.get(line.side, "·")
    return f"{side} {text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + '…'}"
