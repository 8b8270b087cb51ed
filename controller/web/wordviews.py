"""How words, rules, versions and exceptions are shown over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controller import bookdiff, bookedits
from controller.rules import Rule, Waiver
from controller.shelves import Shelf
from controller.store.base_books import BookLine
from controller.words.lexicon import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """A word or a pattern; `rules`: the enabled rules that look for it, none: nobody does."""

    entry_id: str
    word: str
    category: str
    label: str
    severity: str
    type: str
    initials: bool
    boundary: str
    is_configured: bool
    rules: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsView:
    """What is in force: its version and those of its words that were asked for."""

    version: int
    words: int
    rules: int
    exceptions: int
    entries: list[EntryView]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceView:
    """One thing that differs between two versions."""

    part: str
    act: str
    id: str
    name: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """What a change does to version `base`; `version` is in force now, null: nothing was changed.

    `unwatched` are entries that no enabled rule looks for.
    """

    base: int
    version: int | None
    differences: list[DifferenceView]
    unwatched: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    """Who made a version, when, and what they changed."""

    version: int
    at_ms: int
    actor: str
    act: str
    note: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """A rule as it is written (`document`), and how many entries it looks for.

    `tells_grave`: it notifies of high and critical ones though its actions do not name it.
    """

    rule_id: str
    name: str
    is_enabled: bool
    severity: str
    direction: str
    actions: list[str]
    tells_grave: bool
    entries: int
    document: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverView:
    """An exception: what stands inside of its phrase is no finding of its rule and entry; empty is any."""

    waiver_id: str
    rule: str
    entry: str
    phrase: str
    accounts: list[str]
    by: str
    at_ms: int
    why: str
    violation_id: int | None


def entry_view(shelf: Shelf, entry: Entry) -> EntryView:
    """Show an entry and who looks for it."""
    return EntryView(
        entry_id=entry.id,
        word=entry.word,
        category=entry.category,
        label=shelf.book.lexicon.categories[entry.category].label,
        severity=entry.severity,
        type=entry.type,
        initials=entry.initials,
        boundary=entry.boundary,
        is_configured=entry.id == bookedits.configured_id(entry.word),
        rules=[rule.id for rule in shelf.book.rules_on.get(entry.id, ())],
    )


def unwatched(shelf: Shelf) -> list[str]:
    """Return the entries that no enabled rule looks for."""
    return [entry.id for entry in shelf.book.lexicon.entries if not shelf.book.rules_on.get(entry.id)]


def rule_view(rule: Rule, row: Mapping[str, Any]) -> RuleView:
    """Show a rule and how it is written."""
    return RuleView(
        rule_id=rule.id,
        name=rule.name,
        is_enabled=rule.is_enabled,
        severity=rule.severity or "",
        direction=rule.direction,
        actions=sorted(rule.actions),
        tells_grave=rule.tells_grave,
        entries=len(rule.on.entries),
        document=dict(row),
    )


def version_view(line: BookLine) -> VersionView:
    """Show a version."""
    return VersionView(
        version=line.version,
        at_ms=line.at_ms,
        actor=line.actor,
        act=line.act,
        note=line.note,
        sha256=line.sha256,
    )


def difference_views(found: tuple[bookdiff.Difference, ...]) -> list[DifferenceView]:
    """Show what differs."""
    return [
        DifferenceView(part=one.part, act=one.act, id=one.id, name=one.name, detail=one.detail)
        for one in found
    ]


def waiver_view(one: Waiver) -> WaiverView:
    """Show an exception."""
    return WaiverView(
        waiver_id=one.id,
        rule=one.rule,
        entry=one.entry,
        phrase=one.phrase,
        accounts=sorted(one.accounts),
        by=one.by,
        at_ms=one.at_ms,
        why=one.why,
        violation_id=one.violation_id,
    )
