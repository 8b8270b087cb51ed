"""Where chats and their messages stand, as earlier transactions of this process found or made it."""

from __future__ import annotations

from collections.abc import Mapping

# Some ten MiB.
_MOST_PLACES = 50_000

# What was said of a chat last: phone, epoch of the phone, title, kind.
Told = tuple[str, int, str, str]
# From which of its positions on a spool begins where in a chat, in order.
Bases = tuple[tuple[int, int], ...]
# A spool, and since when its phone has its account: back from another phone it looks who wrote meanwhile.
Writer = tuple[str, int]


class Places:
    """What transactions that are committed found; forgotten as a whole when it becomes too much."""

    def __init__(self) -> None:
        self.chats: dict[tuple[str, str], tuple[int, Told]] = {}  # (account, key) -> id, what was said
        self.bases: dict[tuple[int, str], Bases] = {}  # (id, spool) -> where its positions begin
        self.writers: dict[int, Writer] = {}  # id -> who wrote in it last

    def learn(
        self,
        chats: Mapping[tuple[str, str], tuple[int, Told]],
        bases: Mapping[tuple[int, str], Bases],
        writers: Mapping[int, Writer],
    ) -> None:
        """Keep what a transaction that is committed found; forget everything when it becomes too much."""
        if len(self.chats) + len(self.bases) > _MOST_PLACES:
            self.chats.clear()
            self.bases.clear()
            self.writers.clear()
        self.chats.update(chats)
        self.bases.update(bases)
        self.writers.update(writers)


def base_in(bases: Bases, position: int) -> int:
    """Return the base of a position: of the last turn that begins at it or before."""
    if len(bases) == 1:
        return bases[0][1]
    return next((base for from_position, base in reversed(bases) if from_position <= position), bases[0][1])
