"""What the monitor and the index make of events before they wait for the core's thread. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from controller import grams, gramtable
from controller.findings import SYSTEM
from controller.rulebook import Behaviour, Book
from controller.rulecheck import OWN_DETAIL
from controller.shelves import Shelf
from controller.splitwords import SHORT_CHARS, is_part
from controller.words.found import Found
from protos.facts import Fact, MessageChanged, MessageSeen
from protos.wire import MessageRow

# What an event tells; None where it cannot be read.
Told = Fact | MessageRow | None

# Kinds of messages that are a behaviour.
_BEHAVIOUR_KINDS = {
    Behaviour.RED_PACKET: "red_packet",
    Behaviour.TRANSFER: "transfer",
    Behaviour.CONTACT_CARD: "contact_card",
    Behaviour.QR: "image",
}


@dataclass(slots=True)
class Mark:
    """Why rules look at a message more closely: what was found in it, or what it may be a part of."""

    found: list[Found] = field(default_factory=list)
    in_detail: list[Found] = field(default_factory=list)
    is_part: bool = False  # of a word that is split over short messages
    has_term: bool = False  # something that a rule looks for near another message


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in a batch, by one version of the book; a message without a mark is done with.

    `grams` has a text for each event, `marks` only places of events that rules care about.
    """

    version: int
    grams: Sequence[str]
    marks: dict[int, Mark]


def grams_of(facts: Sequence[Told]) -> list[str]:
    """Return what the search index keeps of each event; empty for what is not found by its text."""
    return gramtable.of_texts([_searched(fact) for fact in facts])


def no_grams(facts: Sequence[Told]) -> list[str]:
    """Return that nothing is kept in the search index."""
    return [""] * len(facts)


GramsOf = Callable[[Sequence[Told]], list[str]]


def read(facts: Sequence[Told], shelf: Shelf, told: Sequence[str]) -> Reading:
    """Return what the words and rules of a shelf see in what events tell; `told` are their grams."""
    marks: dict[int, Mark] = {}
    texts: list[str] = []
    places: list[tuple[int, bool]] = []  # of each text: of which event, and whether it is its detail
    sight = _Sight(shelf.book)
    for place, fact in enumerate(facts):
        text, detail = _texts_of(fact)
        if text:
            texts.append(text)
            places.append((place, False))
        if detail:
            texts.append(detail)
            places.append((place, True))
        if isinstance(fact, MessageRow | MessageSeen):
            sight.look(fact, place, marks)
    for number, one in shelf.monitor.find_all(texts):
        place, is_detail = places[number]
        mark = marks.setdefault(place, Mark())
        (mark.in_detail if is_detail else mark.found).append(one)
    return Reading(shelf.version, told, marks)


def _texts_of(fact: Told) -> tuple[str, str]:
    """Return the text and the detail of an event that words are looked for in; empty: there is none."""
    if isinstance(fact, MessageRow | MessageSeen):
        if SYSTEM in (fact.side, fact.kind):
            return "", ""
        return fact.text, fact.detail if fact.kind in OWN_DETAIL else ""
    return (fact.text, "") if isinstance(fact, MessageChanged) else ("", "")


class _Sight:
    """What of a message is worth a closer look though no word stands in it; made once for many."""

    def __init__(self, book: Book) -> None:
        self._part_chars = SHORT_CHARS if book.joins else 0
        self._kinds = {kind for behaviour, kind in _BEHAVIOUR_KINDS.items() if behaviour in book.rules_of}
        self._terms = book.near_terms

    def look(self, fact: MessageRow | MessageSeen, place: int, marks: dict[int, Mark]) -> None:
        """Mark a message that rules look at for what it is, or for what it may be a part of."""
        side, kind, text = fact.side, fact.kind, fact.text
        part = len(text) <= self._part_chars and is_part(side, kind, text)
        term = bool(self._terms) and any(term in grams.fold(text) for term in self._terms)
        if (part or term or kind in self._kinds) and SYSTEM not in (side, kind):
            marks[place] = Mark(is_part=part, has_term=term)


def _searched(fact: Told) -> str:
    if isinstance(fact, MessageRow | MessageSeen):
        return f"{fact.text}\n{fact.detail}" if fact.detail else fact.text
    return fact.text if isinstance(fact, MessageChanged) else ""
