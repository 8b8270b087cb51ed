"""Words split over short messages that follow each other: 加 / 我 / 微 / 信. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from controller.clock import MINUTE_MS
from controller.findings import SYSTEM, Line
from controller.words.found import Found, How

FindAll = Callable[[Sequence[str]], Sequence[tuple[int, Found]]]

SHORT_CHARS = 8
JOIN_WITHIN_MS = 2 * MINUTE_MS
MOST_PARTS = 16


class Split(NamedTuple):
    """A word over several messages: `found` is its part in the last, `within` its place in all of `text`."""

    first: Line
    last: Line
    parts: int
    found: Found
    text: str
    within: Found


def is_part(side: str, kind: str, text: str) -> bool:
    """Tell whether a message is short enough to be a part of a word."""
    return 0 < len(text) <= SHORT_CHARS and kind == "text" and side != SYSTEM


def split_words(lines: Sequence[Line], find_all: FindAll, fresh_from: int = 0) -> Iterator[Split]:
    """Yield words that lines make only together and that end from `fresh_from` on; some come twice."""
    runs = _runs(lines, fresh_from)
    if not runs:
        return
    texts = ["".join(lines[place].text for place in run) for run in runs]
    for number, one in find_all(texts):
        # A few letters in messages of their own mean anything.
        if one.how == How.INITIALS:
            continue
        touched, last_start = _touched(lines, runs[number], one)
        if touched and touched[-1] >= fresh_from:
            found = one._replace(start=0, end=one.end - last_start)
            yield Split(lines[touched[0]], lines[touched[-1]], len(touched), found, texts[number], one)


def _runs(lines: Sequence[Line], fresh_from: int) -> list[list[int]]:
    """Return the places of short lines that follow each other, of runs that hold fresh ones."""
    parts = [place for place, line in enumerate(lines) if is_part(line.side, line.kind, line.text)]
    parts.sort(key=lambda place: (lines[place].conversation_id, lines[place].position))
    runs: list[list[int]] = []
    for place in parts:
        if not runs or not _follows(lines[runs[-1][-1]], lines[place]):
            runs.append([place])
        elif len(runs[-1]) == MOST_PARTS:
            # The next stretch overlaps: a word over the border has its place in one of both.
            runs.append([*runs[-1][MOST_PARTS // 2 :], place])
        else:
            runs[-1].append(place)
    return [run for run in runs if len(run) > 1 and any(place >= fresh_from for place in run)]


def _follows(before: Line, line: Line) -> bool:
    """Tell whether a line follows another one at once, said by the same person."""
    if (before.conversation_id, before.position + 1) != (line.conversation_id, line.position):
        return False
    if (before.side, before.sender) != (line.side, line.sender):
        return False
    if before.to_ms and line.from_ms:
        return line.from_ms - before.to_ms <= JOIN_WITHIN_MS
    return line.read_at_ms - before.read_at_ms <= JOIN_WITHIN_MS


def _touched(lines: Sequence[Line], run: Sequence[int], one: Found) -> tuple[list[int], int]:
    """Return the places of the lines that a split word stands in, and where in all the last one begins.

    None if it is no split word: in ordinary talk words meet over a border by chance, but a piece of a word
    stands alone only if somebody split it.
    """
    touched, start, last_start, has_piece = [], 0, 0, False
    for place in run:
        end = start + len(lines[place].text)
        if start < one.end and end > one.start:
            touched.append(place)
            has_piece = has_piece or (one.start <= start and end <= one.end)
            last_start = start
        start = end
    return (touched, last_start) if len(touched) > 1 and has_piece else ([], 0)
