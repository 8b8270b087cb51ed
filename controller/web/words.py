"""Words, rules and exceptions: what is in force, its history, and changes, each a version of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from controller import bookdiff, bookedits, bookfiles
from controller.bookedits import Document
from controller.core import Core
from controller.errors import BadRequest, BookChanged
from controller.shelves import Shelf
from controller.web.apart import apart
from controller.web.desk import Actor, At, Desk
from controller.web.values import Number, Text
from controller.web.wordviews import (
    ChangeView,
    DifferenceView,
    RuleView,
    VersionView,
    WaiverView,
    WordsView,
    difference_views,
    entry_view,
    rule_view,
    unwatched,
    version_view,
    waiver_view,
)
from controller.wordbooks import changed

router = APIRouter(prefix="/words", tags=["words"])

_TRIES = 10
_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAsked:
    """A word to add, or to change; without a severity it has its category's."""

    word: Text
    category: Text = ""
    severity: Text = ""
    initials: bool | None = None
    boundary: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAsked:
    """Words to add; the note stands in the history."""

    entries: list[EntryAsked]
    note: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAsked:
    """Words to remove, each by id or as it is written."""

    names: list[Text]
    note: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesAsked:
    """Rules as they are written in a book; one of a known id takes its place."""

    rules: list[dict[str, Any]]
    note: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAsked:
    """Why something is changed; it stands in the history."""

    note: Text = ""


@router.get("", summary="List words")
async def list_words(at: At, category: Text = "", rule: Text = "", word: Text = "") -> WordsView:
    """Return the words in force, of a category, of a rule, or one of them by id or as it is written."""
    shelf = at.core.books.current()
    return await apart(_words, shelf, category, rule, word)


@router.get("/book", summary="Export the whole book")
async def export_book(at: At, version: Number | None = None) -> dict[str, Any]:
    """Return words, rules, groups and exceptions of a version as one document, as an import takes it."""
    return dict(await at.ask(lambda core: core.books.document(version)))


@router.get("/history", summary="List versions")
async def list_versions(
    at: At, before: Number | None = None, limit: Annotated[int, Query(ge=1, le=_MOST)] = 50
) -> list[VersionView]:
    """Return who changed what, newest first."""
    lines = await at.ask(lambda core: core.books.history(before_version=before, limit=limit))
    return [version_view(line) for line in lines]


@router.get("/history/{version}", summary="Show what a version changed")
async def show_version(at: At, version: Number) -> list[DifferenceView]:
    """Return what differs between a version and the one before it."""

    def both(core: Core) -> tuple[Document, Document]:
        new = core.books.document(version)
        return core.books.document(version - 1) if version > 1 else {}, new

    old, new = await at.ask(both)
    return await apart(lambda: difference_views(bookdiff.diff(old, new)))


@router.post("/add", summary="Add words, or change them")
async def add_words(at: At, actor: Actor, asked: AddAsked) -> ChangeView:
    """Put words in force for the next message; one that is there gets the parts that are given."""

    def change(document: Document) -> Document:
        rows = [row_of(document, one) for one in asked.entries]
        return bookedits.merged(document, {"entries": rows})

    if not asked.entries:
        raise BadRequest("name at least one word")
    return await put(at, change, actor=actor, act="add", note=asked.note)


@router.post("/remove", summary="Remove words")
async def remove_words(at: At, actor: Actor, asked: RemoveAsked) -> ChangeView:
    """Let words be found no longer; what they found before stays."""
    return await put(
        at,
        lambda document: bookedits.without_entries(document, asked.names),
        actor=actor,
        act="remove",
        note=asked.note,
    )


@router.post("/import", summary="Import a book")
async def import_book(
    at: At,
    actor: Actor,
    request: Request,
    name: Text = "",
    replaces: bool = False,
    is_dry_run: bool = False,
    base: Number | None = None,
    note: Text = "",
) -> ChangeView:
    """Put the parts of a file in force: a book as JSON, or a table of words as CSV (the body).

    `replaces`: each part that the file has stands alone. With `base` only if that version is in force still.
    """
    raw = await request.body()
    given = await apart(bookfiles.read, raw, name)

    def change(document: Document) -> Document:
        return bookedits.merged(document, given, replaces=replaces)

    said = note or (f"from {name}" if name else "")
    return await put(
        at,
        change,
        actor=actor,
        act="import",
        note=said,
        is_dry_run=is_dry_run,
        only_base=base,
        adds_told=True,
    )


@router.get("/rules", summary="List rules")
async def list_rules(at: At) -> list[RuleView]:
    """Return the rules in force, in their order."""
    shelf = at.core.books.current()
    rows = {row["id"]: row for row in bookedits.rules_of(shelf.document)}
    return [rule_view(rule, rows[rule.id]) for rule in shelf.book.rules]


@router.post("/rules", summary="Set rules")
async def set_rules(at: At, actor: Actor, asked: RulesAsked) -> ChangeView:
    """Add rules, or put others in the place of those with the same id."""
    return await put(
        at,
        lambda document: bookedits.with_rules(document, asked.rules),
        actor=actor,
        act="rules",
        note=asked.note,
    )


@router.post("/rules/{rule_id}/{act}", summary="Enable, disable or remove a rule")
async def switch_rule(at: At, actor: Actor, rule_id: Text, act: Text, asked: NoteAsked) -> ChangeView:
    """Enable, disable or remove a rule; what it found before stays."""
    changes: dict[str, Callable[[Document], Document]] = {
        "enable": lambda document: bookedits.switched(document, rule_id, is_enabled=True),
        "disable": lambda document: bookedits.switched(document, rule_id, is_enabled=False),
        "remove": lambda document: bookedits.without_named(document, "rules", rule_id),
    }
    if act not in changes:
        raise BadRequest(f"a rule is one of {', '.join(changes)}d, not {act[:20]!r}")
    return await put(at, changes[act], actor=actor, act="rules", note=asked.note)


@router.get("/exceptions", summary="List exceptions")
async def list_waivers(at: At) -> list[WaiverView]:
    """Return the exceptions in force, newest first."""
    return [waiver_view(one) for one in reversed(at.core.books.current().book.waivers)]


@router.post("/exceptions/{waiver_id}/remove", summary="Take an exception back")
async def remove_waiver(at: At, actor: Actor, waiver_id: Text, asked: NoteAsked) -> ChangeView:
    """Let what an exception silenced be found again; needs a note that says why."""
    if not asked.note.strip():
        raise BadRequest("say why this is no exception any more")
    return await put(
        at,
        lambda document: bookedits.without_named(document, "exceptions", waiver_id),
        actor=actor,
        act="include",
        note=f"{waiver_id}: {asked.note}",
    )


async def put(
    at: Desk,
    change: Callable[[Document], Document],
    *,
    actor: str,
    act: str,
    note: str = "",
    is_dry_run: bool = False,
    only_base: int | None = None,
    adds_told: bool = False,
) -> ChangeView:
    """Put a change in force; the slow part of it keeps neither the core nor other requests waiting."""
    for _ in range(_TRIES):
        document = await at.ask(lambda core: core.books.document())
        base = int(document["version"])
        if only_base is not None and only_base != base:
            raise BookChanged(f"version {base} is in force now, not {only_base}: look at the changes again")
        made = await apart(changed, document, change)
        if made is None:
            return ChangeView(base=base, version=None, differences=[])
        prepared, differences = made
        shown = ChangeView(
            base=base,
            version=None,
            differences=difference_views(differences),
            unwatched=unwatched(prepared.shelf),
        )
        if is_dry_run:
            return shown
        told = bookdiff.told(differences)
        line = f"{note}: {told}" if note and adds_told else note or told
        try:
            version = await at.ask(_put_prepared, prepared, actor, act, line)
        except BookChanged:
            continue
        return ChangeView(
            base=base, version=version, differences=shown.differences, unwatched=shown.unwatched
        )
    raise BookChanged


def _put_prepared(core: Core, prepared: Any, actor: str, act: str, note: str) -> int:
    return core.books.put(prepared, actor=actor, act=act, note=note)


def row_of(document: Document, asked: EntryAsked) -> dict[str, Any]:
    """Return the entry of a book that somebody asks for; what they do not say stays as it is."""
    parts = {"category": asked.category, "severity": asked.severity, "boundary": asked.boundary}
    given: dict[str, Any] = {name: value for name, value in parts.items() if value}
    if asked.initials is not None:
        given["initials"] = asked.initials
    return bookedits.asked_row(document, asked.word, given)


def _words(shelf: Shelf, category: str, rule: str, word: str) -> WordsView:
    book = shelf.book
    named = book.rule(rule) if rule else None
    if rule and named is None:
        raise BadRequest(f"no rule {rule[:40]!r}; see farm words rules list")
    if category and category not in book.lexicon.categories:
        raise BadRequest(f"no category {category[:40]!r}; there are {', '.join(book.lexicon.categories)}")
    chosen = [
        entry
        for entry in book.lexicon.entries
        if category in ("", entry.category)
        and word in ("", entry.id, entry.word)
        and (named is None or entry.id in named.on.entries)
    ]
    if word and not chosen:
        raise BadRequest(f"no word and no id {word[:64]!r}")
    return WordsView(
        version=shelf.version,
        words=len(book.lexicon.entries),
        rules=len(book.rules),
        exceptions=len(book.waivers),
        entries=[entry_view(shelf, entry) for entry in chosen],
    )
