"""What the farm says to people goes past the word monitor first: pure functions."""

from __future__ import annotations

from functools import lru_cache

from controller.errors import SafetyRefusal
from controller.words import Matcher, make


@lru_cache(maxsize=2)
def _matcher(words: tuple[str, ...]) -> Matcher:
    return make(words)


def word_in(words: tuple[str, ...], text: str) -> str:
    """Return the first sensitive word in a text; empty if there is none."""
    hits = _matcher(words)(text) if text else []
    return hits[0].word if hits else ""


def refuse_words(words: tuple[str, ...], text: str, *, what: str) -> None:
    """Raise SafetyRefusal, naming the word, if a text must not be said to a person."""
    if word := word_in(words, text):
        raise SafetyRefusal(f"{what} holds the sensitive word {word!r}")
