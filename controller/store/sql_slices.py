"""The search index in PostgreSQL: each gram once for every slice of neighbouring messages.

A gram stands behind the number of its message's slice. So what is archived together lies together in the
index: that of a large archive is written in one place, which stays in memory, as that of a small one is. And
search walks from slice to slice, newest first: what is common is found in the first, what is rare is looked
up in each, and no list that is read is longer than a slice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from controller import grams as tokens
from controller.store.sql import SqlTx

# 65,536 messages: smaller slices are a longer walk for what is rare, larger ones have longer lists.
SLICE_BITS = 16
# What stands in many messages is found sooner by reading the newest ones than by their lists.
NEWEST_READ = 1_024
# Each further look goes into so many times as many slices.
_FURTHER = 8


def code_of(slice_: int) -> str:
    """Return what stands before each gram of a slice; none is the beginning of another."""
    return f"{slice_:x}."


def slice_of(message_id: int) -> int:
    """Return the slice of a message."""
    return message_id >> SLICE_BITS


def coded(message_id: int, grams: str) -> str:
    """Return the grams of a message, with blanks between them, as the index keeps them."""
    code = code_of(slice_of(message_id))
    return code + grams.replace(" ", " " + code) if grams else ""


def tsquery(wanted: Sequence[str], slice_: int) -> str:
    """Return the question for messages of a slice that have all of these grams, as `to_tsquery` reads it."""
    code = code_of(slice_)
    return " & ".join(
        f"'{code}{token.removesuffix(tokens.PREFIX)}'" + (":*" if token.endswith(tokens.PREFIX) else "")
        for token in wanted
    )


def walk(high: int) -> Iterator[tuple[int, ...]]:
    """Return the slices that hold ids from 1 up to below `high`, newest first, more with each step."""
    newest, how_many = slice_of(high - 1), 1
    while newest >= 0 and high > 1:
        yield tuple(range(newest, max(newest - how_many, -1), -1))
        newest, how_many = newest - how_many, how_many * _FURTHER


class SlicedTx(SqlTx):
    """The verbs of the contract whose statements know of slices."""

    def index_message(self, message_id: int, grams: str) -> None:
        """Let a message be found by further grams, as those of a transcript; see controller.grams."""
        super().index_message(message_id, coded(message_id, grams))

    def _put_grams(self, rows: Sequence[tuple[int, str]]) -> None:
        super()._put_grams([(message_id, coded(message_id, grams)) for message_id, grams in rows])

    def _newest(self, grams: list[str], places: list[str], *, high: int, limit: int) -> list[int]:
        wanted = grams + places
        if high <= 1:
            return []
        read = slice_of(high - 1)
        low = max(high - NEWEST_READ, read << SLICE_BITS)
        rows = self._all("search_newest", tsquery=tsquery(wanted, read), low=low, high=high, max_rows=limit)
        found = [int(row["id"]) for row in rows]
        for slices in walk(low):
            if len(found) >= limit:
                break
            asked = [tsquery(wanted, slice_) for slice_ in slices]
            rows = self._all(
                "search_slices", tsqueries=json.dumps(asked), high=low, max_rows=limit - len(found)
            )
            found += [int(row["id"]) for row in rows]
        return found
