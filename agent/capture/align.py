"""Where two pieces of one chat overlap. Pure: sequences of keys in, counts out; never one text alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from agent.capture.systemlines import SystemCode, code_of, recaller
from agent.model import Bubble
from protos.facts import MessageKind

K = TypeVar("K", bound=Hashable)

# An overlap of fewer messages may be chance.
SURE_OVERLAP = 5
# So many messages of the tail may have been deleted one by one before it is not recognised any more.
MOST_HOLES = 3
# Cards whose words change with what becomes of them.
CARDS = frozenset({"transfer"})
# The client offers this beside the holder's own recall for some minutes.
_EDIT_AGAIN = re.compile(r"\s*(?:重新编辑|Re-?edit|Edit)\s*$")
# Two readings of one scroll may differ by this much in where they put the same message.
SHIFT_SLACK_PX = 2


class Key(NamedTuple):
    """What two sightings of one message share; time labels drift (12:03, 昨天 12:03) and stay out."""

    side: str
    kind: str
    text: str
    sender: str = ""
    length_s: int = -1


def key_of(bubble: Bubble) -> Key:
    """Return the key of a bubble; what a card shows later, as that money was taken, is no part of it."""
    text = "" if bubble.kind in CARDS else bubble.text
    if bubble.side == "system":
        text = _EDIT_AGAIN.sub("", text)
    return Key(bubble.side, bubble.kind, text, bubble.sender, bubble.length_s)


def is_recall(bubble: Bubble) -> bool:
    """Tell whether this is the line that takes the place of a message taken back."""
    return bubble.side == "system" and code_of(bubble.text) == SystemCode.RECALLED


def is_same(then: Bubble, now: Bubble) -> bool:
    """Tell whether two sightings may be of one message, though something may have become of it between."""
    one, two = key_of(then), key_of(now)
    if one == two:
        return -1 in (then.amount_fen, now.amount_fen) or then.amount_fen == now.amount_fen
    if now.side == "system" and is_recall(now):
        return _may_be_gone(then, now.text)
    is_folded = then.fragment or now.fragment
    return is_folded and one._replace(text="") == two._replace(text="") and _begin_alike(one.text, two.text)


def is_nearly_same(then: Bubble, now: Bubble) -> bool:
    """Tell the same with names of members left out, and what could not be read once."""
    if MessageKind.OTHER in (then.kind, now.kind):
        return then.side == now.side
    return is_same(replace(then, sender=""), replace(now, sender=""))


def _may_be_gone(then: Bubble, line: str) -> bool:
    """Tell whether a recall line may stand for a message: the holder takes back what went out."""
    who = recaller(line)
    if who is None:
        return then.side != "system"
    return then.side == ("in" if who else "out")


def _begin_alike(one: str, two: str) -> bool:
    short, long = sorted((one.rstrip("…. "), two), key=len)
    return bool(short) and long.startswith(short)


@dataclass(frozen=True, slots=True)
class Fit:
    """One way to join the archived tail and what was read: the last `new` items are new.

    Of the `overlap` before them `equal` show the same; the others show what became of a message.
    """

    new: int
    overlap: int
    equal: int = field(default=-1, compare=False)


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


def fits(tail: Sequence[Bubble], read: Sequence[Bubble]) -> list[Fit]:
    """Return every way in which `read`, the newest part of a chat, continues the tail; most overlap first.

    A recall line in `read` may stand for what it replaced. If nothing fits, names of members do not count:
    somebody may have taken another one, and then all of a chat bears it.
    """
    return _fits(tail, read, is_same) or _fits(tail, read, is_nearly_same)


def _fits(
    tail: Sequence[Bubble], read: Sequence[Bubble], same: Callable[[Bubble, Bubble], bool]
) -> list[Fit]:
    size, count = len(tail), len(read)
    then, now = [key_of(one) for one in tail], [key_of(one) for one in read]
    found = []
    for new in range(count):
        overlap = min(count - new, size)
        equal = 0
        for back in range(1, overlap + 1):
            at = count - new - back
            if then[-back] == now[at] and tail[-back].amount_fen == read[at].amount_fen:
                equal += 1
            elif not same(tail[-back], read[at]):
                break
        else:
            if overlap:
                found.append(Fit(new, overlap, equal))
    return sorted(found, key=lambda fit: (-fit.overlap, fit.new))


def fits_with_holes(tail: Sequence[Bubble], read: Sequence[Bubble]) -> list[Fit]:
    """Return the ways in which `read` continues the tail if a few messages were deleted on the phone.

    What is in both must be long enough to be no chance; `overlap` counts it, and the most of it wins.
    """
    found = []
    for new in range(len(read)):
        matched = _matched(tail, read[: len(read) - new])
        if matched >= SURE_OVERLAP + MOST_HOLES:
            found.append(Fit(new, matched, matched))
    most = max((way.overlap for way in found), default=0)
    return [way for way in found if way.overlap == most]


def _matched(tail: Sequence[Bubble], read: Sequence[Bubble]) -> int:
    """Return how many of the last ones read are in the tail, in order up to the begin of either; 0 if not."""
    at, holes, matched = len(tail), 0, 0
    for one in reversed(read):
        while at and not is_same(tail[at - 1], one):
            at, holes = at - 1, holes + 1
        if holes > MOST_HOLES:
            return 0
        if not at:
            break
        at, matched = at - 1, matched + 1
    return matched


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
