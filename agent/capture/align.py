"""Where two pieces of one chat overlap. Pure: sequences of keys in, counts out; never one text alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from agent.model import Bubble

K = TypeVar("K", bound=Hashable)

# An overlap of fewer messages may be chance.
SURE_OVERLAP = 5
# Two readings of one scroll may differ by this much in where they put the same message.
SHIFT_SLACK_PX = 2


class Key(NamedTuple):
    """What two sightings of one message share; time labels drift (12:03, 昨天 12:03) and stay out."""

    side: str
    kind: str
    text: str


def key_of(bubble: Bubble) -> Key:
    """Return the key of a bubble."""
    return Key(bubble.side, bubble.kind, bubble.text)


def is_recall(key: Key) -> bool:
    """Tell whether this is the line that takes the place of a message taken back."""
    return key.side == "system" and "撤回了一条消息" in key.text


@dataclass(frozen=True, slots=True)
class Fit:
    """One way to join the archived tail and what was read: the last `new` items are new."""

    new: int
    overlap: int


@dataclass(frozen=True, slots=True)
class Joint:
    """One way to lay an older page over the next: its last `overlap` items are the other's first."""

    overlap: int
    shift_px: int


def borders(older: Sequence[K], newer: Sequence[K]) -> list[int]:
    """Return every length L > 0 with older[-L:] == newer[:L], longest first (Knuth, Morris and Pratt)."""
    reach = min(len(older), len(newer))
    if not reach:
        return []
    failure = _failure(newer[:reach])
    at = _run(newer[:reach], failure, older[len(older) - reach :])
    found = []
    while at:
        found.append(at)
        at = failure[at - 1]
    return found


def occurrences(part: Sequence[K], whole: Sequence[K]) -> list[int]:
    """Return every index where `part` begins in `whole`, ascending; overlapping ones too."""
    size = len(part)
    if not size or size > len(whole):
        return []
    failure = _failure(part)
    found = []
    at = 0
    for index, item in enumerate(whole):
        while at and (at == size or part[at] != item):
            at = failure[at - 1]
        if part[at] == item:
            at += 1
        if at == size:
            found.append(index - size + 1)
    return found


def fits(tail: Sequence[Key], read: Sequence[Key]) -> list[Fit]:
    """Return every way in which `read`, the newest part of a chat, continues the tail; most overlap first.

    A recall line in `read` stands for whatever it replaced, if nothing fits otherwise.
    """
    size, count = len(tail), len(read)
    found = {count - overlap: overlap for overlap in borders(tail, read)}
    found |= {count - at - size: size for at in occurrences(tail, read)}
    if not found and any(is_recall(key) for key in read):
        found = _fits_with_recalls(tail, read)
    return sorted(
        (Fit(new, overlap) for new, overlap in found.items()), key=lambda fit: (-fit.overlap, fit.new)
    )


def joints(
    older: Sequence[tuple[K, int]], newer: Sequence[tuple[K, int]], *, expected_px: int
) -> list[Joint]:
    """Return the ways to lay an older page over the next, by (key, top in px); the likeliest first.

    Only ways in which all common items moved by one distance count. `expected_px` is the commanded scroll.
    """
    tops = [top for _, top in newer]
    found = []
    for overlap in borders([key for key, _ in older], [key for key, _ in newer]):
        shifts = [top - tops[at] for at, (_, top) in enumerate(older[len(older) - overlap :])]
        if max(shifts) - min(shifts) <= SHIFT_SLACK_PX:
            found.append(Joint(overlap, shifts[0]))
    return sorted(found, key=lambda joint: (abs(joint.shift_px - expected_px), -joint.overlap))


def _failure(part: Sequence[K]) -> list[int]:
    failure = [0] * len(part)
    at = 0
    for index in range(1, len(part)):
        while at and part[at] != part[index]:
            at = failure[at - 1]
        if part[at] == part[index]:
            at += 1
        failure[index] = at
    return failure


def _run(part: Sequence[K], failure: Sequence[int], text: Sequence[K]) -> int:
    """Return the length of the longest prefix of `part` that `text` (of its length or shorter) ends with."""
    at = 0
    for item in text:
        while at and (at == len(part) or part[at] != item):
            at = failure[at - 1]
        if part[at] == item:
            at += 1
    return at


def _fits_with_recalls(tail: Sequence[Key], read: Sequence[Key]) -> dict[int, int]:
    found = {}
    for new in range(len(read)):
        overlap = min(len(read) - new, len(tail))
        end = len(read) - new
        pairs = list(zip(tail[len(tail) - overlap :], read[end - overlap : end], strict=True))
        if _agree(pairs, lambda then, now: then == now or is_recall(now)):
            equal = sum(1 for then, now in pairs if then == now)
            if equal >= min(SURE_OVERLAP, len(tail) - 1) and equal:
                found[new] = equal
    return found


def _agree(pairs: Sequence[tuple[Key, Key]], same: Callable[[Key, Key], bool]) -> bool:
    return bool(pairs) and all(same(then, now) for then, now in pairs)
