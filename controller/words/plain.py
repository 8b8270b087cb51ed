"""A plain list of words: literal occurrences only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from controller.records import Hit

Matcher = Callable[[str], list[Hit]]


def make_plain(words: Iterable[str]) -> Matcher:
    """Return the matcher of a list: the hits of a text in order; text[start:end] is what matched."""
    wanted = tuple(sorted({word for word in words if word.strip()}))

    def match(text: str) -> list[Hit]:
        hits = [
            Hit(word=word, start=start, end=start + len(word))
            for word in wanted
            if word in text
            for start in _places(text, word)
        ]
        return sorted(hits, key=lambda hit: (hit.start, hit.end))

    return match


def version_of(words: Iterable[str]) -> str:
    """Return the name of a list's content; the order of its words does not matter."""
    text = "\n".join(sorted({word for word in words if word.strip()}))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _places(text: str, word: str) -> list[int]:
    places = []
    start = text.find(word)
    while start >= 0:
        places.append(start)
        start = text.find(word, start + len(word))
    return places
