"""What the monitor and the index make of events before they wait for the core's thread. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from controller import grams
from controller.findings import SYSTEM
from controller.rulebook import Behaviour, Book
from controller.rulecheck import OWN_DETAIL
from controller.shelves import Shelf
from controller.splitwords import is_part
from controller.words.found import Found
from protos.facts import Event, MessageChanged, MessageSeen

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


def grams_of(events: Sequence[Event | None]) -> list[str]:
    """Return what the search index keeps of each event; empty for what is not found by its text."""
    return [_grams_of(event) for event in events]


def no_grams(events: Sequence[Event | None]) -> list[str]:
    """Return that nothing is kept in the search index."""
    return [""] * len(events)


GramsOf = Callable[[Sequence[Event | None]], list[str]]


def read(events: Sequence[Event | None], shelf: Shelf, told: Sequence[str]) -> Reading:
    """Return what the words and rules of a shelf see in events; `told` are their grams."""
    marks: dict[int, Mark] = {}
    texts: list[str] = []
    places: list[tuple[int, bool]] = []  # of each text: of which event, and whether it is its detail
    sight = _Sight(shelf.book)
    for place, event in enumerate(events):
        fact = None if event is None else event.fact
        if isinstance(fact, MessageSeen):
            if fact.side == SYSTEM or fact.kind == SYSTEM:
                continue
            if fact.text:
                texts.append(fact.text)
                places.append((place, False))
            if fact.detail and fact.kind in OWN_DETAIL:
                texts.append(fact.detail)
                places.append((place, True))
            sight.look(fact, place, marks)
        elif isinstance(fact, MessageChanged) and fact.text:
            texts.append(fact.text)
            places.append((place, False))
    for number, one in shelf.monitor.find_all(texts):
        place, is_detail = places[number]
        mark = marks.setdefault(place, Mark())
        (mark.in_detail if is_detail else mark.found).append(one)
    return Reading(shelf.version, told, marks)


class _Sight:
    """What of a message is worth a closer look though no word stands in it; made once for many."""

    def __init__(self, book: Book) -> None:
        self._joins = book.joins
        self._kinds = {kind for behaviour, kind in _BEHAVIOUR_KINDS.items() if behaviour in book.rules_of}
        self._takes_all = Behaviour.NIGHT in book.rules_of
        self._terms = book.near_terms

    def look(self, fact: MessageSeen, place: int, marks: dict[int, Mark]) -> None:
        """Mark a message that rules look at for what it is, or for what it may be a part of."""
        part = self._joins and is_part(fact.side, fact.kind, fact.text)
        term = bool(self._terms) and any(term in grams.fold(fact.text) for term in self._terms)
        if part or term or self._takes_all or fact.kind in self._kinds:
            marks[place] = Mark(is_part=part, has_term=term)


def _grams_of(event: Event | None) -> str:
    fact = None if event is None else event.fact
    if isinstance(fact, MessageSeen):
        return grams.of_text(fact.text, fact.detail)
    return grams.of_text(fact.text) if isinstance(fact, MessageChanged) else ""
