"""A book: words, rules, groups of staff and exceptions of one version, read from a document. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.errors import BookWrong
from controller.grams import fold
from controller.rulereading import read_groups, read_rules, read_waivers
from controller.rules import (
    DEFAULT_RULE,
    Behaviour,
    Chats,
    Direction,
    On,
    Per,
    Rate,
    Rule,
    RuleAction,
    Scope,
    Term,
    Waiver,
)
from controller.words.lexicon import Entry, Lexicon, LexiconWrong
from controller.words.lexicon import read as read_lexicon

__all__ = [
    "DEFAULT_RULE",
    "Behaviour",
    "Book",
    "BookWrong",
    "Chats",
    "Direction",
    "On",
    "Per",
    "Rate",
    "Rule",
    "RuleAction",
    "Scope",
    "Term",
    "Waiver",
    "assembled",
    "digest_of",
    "read_book",
    "read_waivers",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Everything the monitor goes by; `sha256` is of the document, whatever the order of its keys.

    What follows is what enabled rules look for, so that most messages are done with at a glance.
    """

    version: int
    lexicon: Lexicon
    rules: tuple[Rule, ...]
    groups: Mapping[str, frozenset[str]]
    waivers: tuple[Waiver, ...]
    sha256: str
    entries: Mapping[str, Entry] = field(default_factory=dict)
    rules_on: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)  # by entry
    rules_of: Mapping[Behaviour, tuple[Rule, ...]] = field(default_factory=dict)
    reaching: tuple[Rule, ...] = ()  # those that look at neighbouring messages too
    near_terms: frozenset[str] = frozenset()  # folded texts that these look for
    joins: bool = False  # words may be split over messages

    def rule(self, rule_id: str) -> Rule | None:
        """Return a rule by its id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)


def read_book(document: Mapping[str, Any], version: int, *, lexicon: Lexicon | None = None) -> Book:
    """Return the book of a document; BookWrong names what is wrong. `lexicon`: the document's, if known."""
    if lexicon is None:
        try:
            lexicon = read_lexicon(document)
        except LexiconWrong as wrong:
            raise BookWrong(str(wrong)) from None
    groups = read_groups(document.get("groups"))
    rules = read_rules(document.get("rules"), lexicon, groups)
    waivers = read_waivers(document.get("exceptions"))
    return assembled(version, lexicon, rules, groups, waivers, digest_of(document))


def digest_of(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document's content; the order of keys does not matter. BookWrong."""
    try:
        text = json.dumps(document, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise BookWrong("the book holds something that is no JSON") from None
    return hashlib.sha256(text.encode()).hexdigest()


def assembled(
    version: int,
    lexicon: Lexicon,
    rules: tuple[Rule, ...],
    groups: Mapping[str, frozenset[str]],
    waivers: tuple[Waiver, ...],
    sha256: str,
) -> Book:
    """Return a book of these parts, which belong together."""
    rules_on: dict[str, tuple[Rule, ...]] = {}
    rules_of: dict[Behaviour, tuple[Rule, ...]] = {}
    in_force = [rule for rule in rules if rule.is_enabled]
    keeping = [rule for rule in in_force if rule.keeps]
    reaching = tuple(rule for rule in keeping if rule.within_messages > 1)
    for rule in in_force:
        for entry_id in rule.on.entries:
            rules_on[entry_id] = (*rules_on.get(entry_id, ()), rule)
        if rule.on.behaviour is not None and rule.keeps:
            rules_of[rule.on.behaviour] = (*rules_of.get(rule.on.behaviour, ()), rule)
    return Book(
        version=version,
        lexicon=lexicon,
        rules=rules,
        groups=groups,
        waivers=waivers,
        sha256=sha256,
        entries={entry.id: entry for entry in lexicon.entries},
        rules_on=rules_on,
        rules_of=rules_of,
        reaching=reaching,
        near_terms=frozenset(
            fold(term.text) for rule in reaching for term in (*rule.all_of, *rule.none_of) if fold(term.text)
        ),
        joins=any(rule.joined and rule.on.entries for rule in keeping),
    )
