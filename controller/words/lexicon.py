"""The lexicon: read from JSON or a spreadsheet's table, checked whole, and written again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from controller.words.entry import (
    MAX_ENTRIES,
    MAX_ID_CHARS,
    PATTERN_CLASSES,
    Allow,
    Category,
    Entry,
    EntryType,
    Lexicon,
    LexiconWrong,
    Severity,
    id_of,
    word_wrong,
)
from controller.words.lexicon_csv import parse_csv

__all__ = [
    "PATTERN_CLASSES",
    "Allow",
    "Category",
    "Entry",
    "EntryType",
    "Lexicon",
    "LexiconWrong",
    "Severity",
    "parse",
    "parse_csv",
    "read",
    "to_document",
]


def parse(text: str) -> Lexicon:
    """Return the lexicon of a JSON text, or raise LexiconWrong; a byte order mark is fine."""
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except ValueError as wrong:
        raise LexiconWrong(f"the lexicon is not JSON: {wrong}") from None
    except RecursionError:
        raise LexiconWrong("the lexicon is not JSON that can be read: it is nested too deeply") from None
    return read(document)


def read(document: Mapping[str, Any]) -> Lexicon:
    """Return the lexicon of a document, or raise LexiconWrong; keys that are not ours are ignored."""
    if not isinstance(document, Mapping):
        raise LexiconWrong("the lexicon must be an object with entries")
    version = document.get("version", 0)
    if not isinstance(version, int) or isinstance(version, bool):
        raise LexiconWrong("version must be a whole number")
    categories = _categories(document.get("categories", {}))
    return Lexicon(
        version=version,
        note=_text(document, "note", "the lexicon"),
        categories=categories,
        entries=_entries(document.get("entries", []), categories),
        allow=_allow(document.get("allow", {})),
    )


def to_document(lexicon: Lexicon) -> dict[str, Any]:
    """Return the lexicon as the JSON document that read() takes."""
    return {
        "version": lexicon.version,
        "note": lexicon.note,
        "categories": {
            one.id: {"label": one.label, "severity": one.severity.value}
            for one in lexicon.categories.values()
        },
        "entries": [_entry_document(entry) for entry in lexicon.entries],
        "allow": {
            "phrases": list(lexicon.allow.phrases),
            "phones": list(lexicon.allow.phones),
            "domains": list(lexicon.allow.domains),
            "emails": list(lexicon.allow.emails),
        },
    }


def _entries(rows: Any, categories: Mapping[str, Category]) -> tuple[Entry, ...]:
    if not isinstance(rows, list | tuple):
        raise LexiconWrong("entries must be a list")
    if len(rows) > MAX_ENTRIES:
        raise LexiconWrong(f"the lexicon has {len(rows)} entries, at most {MAX_ENTRIES} are allowed")
    seen: set[str] = set()
    entries = []
    for number, row in enumerate(rows, start=1):
        entry = _entry(row, number, categories)
        if entry.id in seen:
            raise LexiconWrong(f"entry {number}: the id {entry.id!r} is given twice")
        seen.add(entry.id)
        entries.append(entry)
    return tuple(entries)


def _entry(row: Any, number: int, categories: Mapping[str, Category]) -> Entry:
    if not isinstance(row, Mapping):
        raise LexiconWrong(f"entry {number} must be an object with a word")
    what = _named(row, number)
    word = _text(row, "word", what).strip()
    if wrong := word_wrong(word):
        raise LexiconWrong(f"{what}: {wrong}")
    category = _text(row, "category", what)
    if category and category not in categories:
        raise LexiconWrong(f"{what}: the category {category!r} is not among the categories")
    usual = categories[category].severity if category else Severity.MEDIUM
    return Entry(
        id=_id(row, what) or id_of(word),
        word=word,
        category=category,
        severity=_severity(row, what, usual),
        type=_type(row, word, what),
        initials=_initials(row, what),
        boundary=_boundary(row, what),
        describe=_text(row, "describe", what),
    )


def _named(row: Mapping[str, Any], number: int) -> str:
    given = row.get("id")
    return (
        f"entry {given!r}" if isinstance(given, str) and 0 < len(given) <= MAX_ID_CHARS else f"entry {number}"
    )


def _id(row: Mapping[str, Any], what: str) -> str:
    given = _text(row, "id", what).strip()
    if len(given) > MAX_ID_CHARS:
        raise LexiconWrong(f"{what}: the id is longer than {MAX_ID_CHARS} characters")
    return given


def _text(row: Mapping[str, Any], key: str, what: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LexiconWrong(f"{what}: {key} must be text")
    return value


def _severity(row: Mapping[str, Any], what: str, usual: Severity) -> Severity:
    given = row.get("severity")
    if given is None or given == "":
        return usual
    try:
        return Severity(given)
    except ValueError:
        raise LexiconWrong(f"{what}: severity must be one of {', '.join(Severity)}") from None


def _type(row: Mapping[str, Any], word: str, what: str) -> EntryType:
    given = row.get("type")
    if given is None or given == "":
        return EntryType.PATTERN if word in PATTERN_CLASSES else EntryType.WORD
    try:
        kind = EntryType(given)
    except ValueError:
        raise LexiconWrong(f"{what}: type must be word or pattern") from None
    if kind is EntryType.PATTERN and word not in PATTERN_CLASSES:
        raise LexiconWrong(f"{what}: a pattern must be one of {', '.join(sorted(PATTERN_CLASSES))}")
    return kind


def _initials(row: Mapping[str, Any], what: str) -> bool:
    given = row.get("initials")
    if given is not None and not isinstance(given, bool):
        raise LexiconWrong(f"{what}: initials must be true or false")
    return bool(given)


def _boundary(row: Mapping[str, Any], what: str) -> str:
    given = _text(row, "boundary", what)
    if given not in ("", "latin"):
        raise LexiconWrong(f'{what}: boundary must be "latin" or left out')
    return given


def _categories(rows: Any) -> dict[str, Category]:
    if not isinstance(rows, Mapping):
        raise LexiconWrong("categories must be an object")
    categories = {}
    for name, row in rows.items():
        if not isinstance(name, str) or not name.strip():
            raise LexiconWrong("a category needs a name")
        what = f"category {name!r}"
        if not isinstance(row, Mapping):
            raise LexiconWrong(f"{what} must be an object with label and severity")
        severity = _severity(row, what, Severity.MEDIUM)
        categories[name] = Category(id=name, label=_text(row, "label", what) or name, severity=severity)
    return categories


def _allow(rows: Any) -> Allow:
    if not isinstance(rows, Mapping):
        raise LexiconWrong("allow must be an object")
    return Allow(
        phrases=_texts(rows, "phrases"),
        phones=_texts(rows, "phones"),
        domains=_texts(rows, "domains"),
        emails=_texts(rows, "emails"),
    )


def _texts(rows: Mapping[str, Any], key: str) -> tuple[str, ...]:
    given = rows.get(key, ())
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise LexiconWrong(f"allow.{key} must be a list of texts")
    if len(given) > MAX_ENTRIES:
        raise LexiconWrong(f"allow.{key} has {len(given)} texts, at most {MAX_ENTRIES} are allowed")
    if any("\ud800" <= char <= "\udfff" for one in given for char in one):
        raise LexiconWrong(f"allow.{key} holds a character that cannot be stored")
    return tuple(dict.fromkeys(one.strip() for one in given if one.strip()))


def _entry_document(entry: Entry) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": entry.id,
        "word": entry.word,
        "category": entry.category,
        "severity": entry.severity.value,
        "type": entry.type.value,
    }
    if entry.type is EntryType.WORD:
        document["initials"] = entry.initials
    if entry.boundary:
        document["boundary"] = entry.boundary
    if entry.describe:
        document["describe"] = entry.describe
    return document
