"""What one visit adds to a conversation: new messages, and what became of earlier ones. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.capture.changes import Change, changes, merged
from agent.capture.visits import TAIL_LENGTH, Verdict
from agent.model import Bubble, ChatRow


@dataclass(frozen=True, slots=True)
class Tail:
    """The last bubbles archived of a conversation, at most 60, and the position of the last one (0: none).

    The bubbles are as they looked last. `read_at_ms` is when, in UTC ms; 0 if it is not known.
    """

    position: int
    bubbles: tuple[Bubble, ...]
    read_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class SeenBubble:
    """A bubble to archive at a position; `ambiguous` if it may repeat one that is archived."""

    position: int
    bubble: Bubble
    ambiguous: bool


@dataclass(frozen=True, slots=True)
class ChatRead:
    """What one visit to a chat found; `gap_cause` tells why messages before the new ones may be missing."""

    key: str
    title: str
    kind: str  # private | group | service
    new: tuple[SeenBubble, ...]
    gap_cause: str
    tail: Tail
    row: ChatRow | None = None  # its row as seen just before it was opened, None if another was meant
    changes: tuple[Change, ...] = ()
    removed: str = ""  # cleared: what was archived is not in the chat any more
    last_position: int = 0  # of what was archived before
    is_finished: bool = True  # it was read to its end; if not it stays due
    is_passive: bool = False  # read without a tap: its row was not seen
    recheck_at_ms: int | None = None  # when to look again though its row shows nothing new, UTC


class ChatLog:
    """The tail of a conversation as it grows while its chat is read."""

    def __init__(self, tail: Tail) -> None:
        self.new: list[SeenBubble] = []
        self.changes: list[Change] = []
        self.position = tail.position
        self._looks = list(tail.bubbles)

    @property
    def looks(self) -> tuple[Bubble, ...]:
        """Return the last bubbles as they look now, at most 60."""
        return tuple(self._looks[-TAIL_LENGTH:])

    def take(self, read: Sequence[Bubble], verdict: Verdict, *, is_unsure: bool) -> None:
        """Take in what was read up to the end of the chat."""
        first = len(read) - verdict.new
        if verdict.overlap and not verdict.has_holes:
            self._compare(read[first - verdict.overlap : first])
        elif not verdict.overlap:
            self._looks.clear()
        for bubble in read[first:]:
            self.position += 1
            self.new.append(SeenBubble(self.position, bubble, is_unsure or verdict.ambiguous))
            self._looks.append(bubble)

    def _compare(self, seen: Sequence[Bubble]) -> None:
        known = self._looks[-len(seen) :]
        self.changes += changes(known, seen, first_position=self.position - len(seen) + 1)
        self._looks[-len(seen) :] = [merged(then, now) for then, now in zip(known, seen, strict=True)]
