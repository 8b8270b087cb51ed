"""What the farm says to people goes past the words and rules in force first."""

from __future__ import annotations

from controller.errors import SafetyRefusal
from controller.rulecheck import held_by
from controller.shelves import Shelf


def word_in(shelf: Shelf, text: str) -> str:
    """Return the first word in a text for which a rule holds it back; empty if there is none."""
    held = held_by(shelf.book, text, shelf.monitor.find(text)) if text else None
    return held.word if held else ""


def refuse_words(shelf: Shelf, text: str, *, what: str) -> None:
    """Raise SafetyRefusal, naming the word, if a text must not be said to a person."""
    if word := word_in(shelf, text):
        raise SafetyRefusal(f"{what} holds the sensitive word {word!r}")
