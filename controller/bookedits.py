"""Changes of a book of words and rules: pure functions from one document to the next."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.errors import BadRequest
from controller.rulereading import EVERY_CATEGORY
from controller.rules import DEFAULT_RULE
from controller.words import lexicon
from controller.words.lexicon import Category, Entry, EntryType, Lexicon, LexiconWrong, Severity

Document = Mapping[str, Any]

# What nobody gave a category belongs here: a rule on all categories finds it.
OWN = Category(id="own", label="自定义", severity=Severity.HIGH)
# Entries with such ids are the configuration's: only its words make and unmake them.
CONFIGURED = "C"
PARTS = ("categories", "entries", "allow", "rules", "groups", "exceptions")
_KEYS = frozenset({"version", "note", *PARTS})
_MOST_NAMED = 5


def normal(document: Document) -> dict[str, Any]:
    """Return a document with every entry in full and only the keys of a book; BadRequest in one line."""
    _be_book(document)
    try:
        read = lexicon.read(document)
    except LexiconWrong as wrong:
        raise BadRequest(str(wrong)) from None
    words = _homed(read)
    rest = {name: document[name] for name in ("rules", "groups", "exceptions") if name in document}
    return {**lexicon.to_document(words), **rest}


def _homed(read: Lexicon) -> Lexicon:
    """Return a lexicon in which every entry has a category; OWN is always among them."""
    if OWN.id in read.categories and all(entry.category for entry in read.entries):
        return read
    entries = tuple(entry if entry.category else _in(entry, OWN.id) for entry in read.entries)
    return Lexicon(
        version=read.version,
        note=read.note,
        categories={OWN.id: OWN, **read.categories},
        entries=entries,
        allow=read.allow,
    )


def _in(entry: Entry, category: str) -> Entry:
    return Entry(
        id=entry.id,
        word=entry.word,
        category=category,
        severity=entry.severity,
        type=entry.type,
        initials=entry.initials,
        boundary=entry.boundary,
        describe=entry.describe,
    )


@dataclass(frozen=True, slots=True)
class Table:
    """Words out of a table, of each what its cells say: an empty cell changes nothing of a known word."""

    rows: tuple[Mapping[str, Any], ...]


def from_table(text: str) -> Table:
    """Return the words of a CSV text; BadRequest naming the line."""
    try:
        rows = lexicon.parse_csv(text)
    except LexiconWrong as wrong:
        raise BadRequest(str(wrong)) from None
    if not rows:
        raise BadRequest("the table names no words")
    return Table(rows)


def _documents(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return list(lexicon.to_document(Lexicon(entries=tuple(entries)))["entries"])


def merged(document: Document, given: Any, *, replaces: bool = False) -> dict[str, Any]:
    """Return a book with another one's parts put in: entries by word, rules and exceptions by id.

    With `replaces` each part that is given stands alone, except for the configuration's own words.
    """
    if isinstance(given, Table):
        known = {} if replaces else {entry["word"]: entry for entry in document.get("entries", ())}
        given = {"entries": [_changed(known.get(row["word"], {}), row) for row in given.rows]}
    _be_book(given)
    if not any(given.get(part) for part in PARTS):
        raise BadRequest(f"the book is empty; it has at least one of {', '.join(PARTS)}")
    _be_single(given)
    result = dict(document)
    put_in = _replaced if replaces else _joined
    for part in PARTS:
        if part in given:
            result[part] = put_in(part, document.get(part), given[part])
    if "note" in given:
        result["note"] = given["note"]
    _be_known(given, result)
    return normal(result)


def _be_book(given: Any) -> None:
    if not isinstance(given, Mapping):
        raise BadRequest("a book is a JSON object with entries, rules or both")
    unknown = sorted(str(name) for name in given if name not in _KEYS)
    if unknown:
        raise BadRequest(f"no book has {unknown[0][:40]!r}; it has {', '.join(PARTS)}")


def _be_single(given: Document) -> None:
    """Refuse an id that is given twice: put into a book one would hide the other."""
    for part in ("entries", "rules", "exceptions"):
        rows = given.get(part)
        named = [_id_in(row) for row in rows] if isinstance(rows, list) else []
        twice = next((name for name, count in Counter(filter(None, named)).items() if count > 1), "")
        if twice:
            raise BadRequest(f"{part}: the id {twice[:40]!r} is given twice")


def _id_in(row: Any) -> str:
    name = row.get("id") if isinstance(row, Mapping) else ""
    return name if isinstance(name, str) else ""


def _be_known(given: Document, result: Document) -> None:
    """Refuse entries of a category that nobody described."""
    entries, known = given.get("entries"), result.get("categories")
    if not isinstance(entries, list) or not isinstance(known, Mapping):
        return  # whoever reads the book says what is wrong
    for entry in entries:
        name = entry.get("category") if isinstance(entry, Mapping) else ""
        if isinstance(name, str) and name and name not in known:
            word = str(entry.get("id") or entry.get("word"))[:40]
            raise BadRequest(f"entry {word!r}: no category {name[:40]!r}; there are {', '.join(known)}")


def _replaced(part: str, old: Any, new: Any) -> Any:
    if part == "entries" and isinstance(new, list):
        return with_rows([one for one in old or () if is_configured(one)], new)
    if part == "categories" and isinstance(new, Mapping):
        own = {name: one for name, one in (old or {}).items() if name == OWN.id}
        return {**own, **new}
    return new


def _joined(part: str, old: Any, new: Any) -> Any:
    if part == "entries" and isinstance(new, list):
        return with_rows(old or (), new)
    if part == "allow" and isinstance(new, Mapping):
        kinds = [*(old or {}), *new]
        return {kind: _together((old or {}).get(kind), new.get(kind)) for kind in dict.fromkeys(kinds)}
    if part in {"rules", "exceptions"} and isinstance(new, list):
        return _by_id(old or (), new)
    if part in {"categories", "groups"} and isinstance(new, Mapping):
        return {**(old or {}), **new}
    return new  # of a wrong type: whoever reads the book says so


def _together(old: Any, new: Any) -> Any:
    if new is None or (isinstance(new, list) and all(isinstance(one, str) for one in new)):
        return list(dict.fromkeys([*(old or ()), *(new or ())]))
    return new


def _by_id(old: Sequence[Any], new: Sequence[Any]) -> list[Any]:
    """Return rows with others put in: one of the same id takes the place of the former."""
    places = {_id_in(row): at for at, row in enumerate(old)}
    rows = list(old)
    for row in new:
        name = _id_in(row)
        if name and name in places:
            rows[places[name]] = row
        else:
            places[name] = len(rows)
            rows.append(row)
    return rows


def is_configured(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry is the configuration's own."""
    name = entry.get("id")
    return isinstance(name, str) and name == configured_id(str(entry.get("word")))


def configured_id(word: str) -> str:
    """Return the id that a word of the configuration has."""
    return CONFIGURED + hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def with_rows(old: Sequence[Mapping[str, Any]], new: Sequence[Any]) -> list[Any]:
    """Return entries with others put in: one of the same word, else of the same id, takes its place."""
    rows: list[Any] = list(old)
    by_word = {row.get("word"): at for at, row in enumerate(rows)}
    by_id = {row.get("id"): at for at, row in enumerate(rows)}
    for row in new:
        word = row.get("word") if isinstance(row, Mapping) else None
        if not isinstance(word, str):
            rows.append(row)  # whoever reads the book says what is wrong
            continue
        word, name = word.strip(), _id_in(row)
        at = by_word.get(word, by_id.get(name) if name else None)
        if at is None:
            by_word[word] = by_id[name] = len(rows)
            rows.append(row)
        elif not is_configured(rows[at]):
            by_word.pop(rows[at].get("word"), None)
            by_word[word] = at
            rows[at] = {**row, "id": rows[at].get("id")}
    return rows


def without_entries(document: Document, names: Sequence[str]) -> dict[str, Any]:
    """Return a book without entries, each named by its id or its word; BadRequest if one is not there."""
    wanted = {name.strip() for name in names}
    gone = [entry for entry in document["entries"] if {entry["id"], entry["word"]} & wanted]
    missing = wanted - {name for entry in gone for name in (entry["id"], entry["word"])}
    if missing or not wanted:
        raise BadRequest(f"no such word or id: {', '.join(sorted(missing)[:_MOST_NAMED]) or '(none named)'}")
    kept = next((entry["word"] for entry in gone if is_configured(entry)), None)
    if kept is not None:
        raise BadRequest(f"{kept!r} is a word of the configuration: take it out of [controller] words there")
    ids = {entry["id"] for entry in gone}
    return {**document, "entries": [entry for entry in document["entries"] if entry["id"] not in ids]}


def with_configured(document: Document, words: Iterable[str]) -> dict[str, Any]:
    """Return a book whose configured entries are exactly these words; BadRequest if one cannot be a word."""
    wanted = dict.fromkeys(word.strip() for word in words if word.strip())
    others = [entry for entry in document.get("entries", ()) if not is_configured(entry)]
    known = {entry["word"] for entry in others}
    own = [
        Entry(id=configured_id(word), word=word, category=OWN.id, severity=OWN.severity, type=EntryType.WORD)
        for word in wanted
        if word not in known
    ]
    categories = dict(document.get("categories", {}))
    if own:
        categories.setdefault(OWN.id, {"label": OWN.label, "severity": OWN.severity.value})
    return normal({**document, "categories": categories, "entries": [*others, *_documents(own)]})


def asked_row(document: Document, word: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a word's entry with some parts changed: those of the entry that is there, else as usual."""
    known = next((entry for entry in document["entries"] if entry["word"] == word.strip()), None)
    if known is not None and is_configured(known):
        raise BadRequest(f"{known['word']!r} is a word of the configuration: change it there")
    return _changed(known or {"category": OWN.id}, {"word": word.strip(), **given})


def _changed(known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry with some parts changed; in another category it has that one's severity."""
    row = {**known, **given}
    if row.get("category") != known.get("category") and "severity" not in given:
        row.pop("severity", None)
    return row


def rules_of(document: Document) -> list[Mapping[str, Any]]:
    """Return the rules of a document as they are written, also the one of a document that names none."""
    rules = document.get("rules")
    if rules is None:
        everything = {"categories": [EVERY_CATEGORY]}
        return [{"id": DEFAULT_RULE, "name": "all words", "on": everything, "collapse_s": 0}]
    return list(rules)


def with_rules(document: Document, rules: Sequence[Any]) -> dict[str, Any]:
    """Return a book with rules put in, each in the place of one of the same id."""
    return {**document, "rules": _by_id(rules_of(document), rules)}


def switched(document: Document, rule_id: str, *, is_enabled: bool) -> dict[str, Any]:
    """Return a book with a rule enabled or not; BadRequest if there is none."""
    rules = rules_of(document)
    row = next((rule for rule in rules if rule.get("id") == rule_id), None)
    if row is None:
        raise BadRequest(f"no rule {rule_id[:40]!r}")
    if bool(row.get("enabled", True)) is is_enabled:
        return dict(document)
    return with_rules(document, [{**row, "enabled": is_enabled}])


def with_waiver(document: Document, waiver: Mapping[str, Any]) -> dict[str, Any]:
    """Return a book with one exception more."""
    return {**document, "exceptions": [*document.get("exceptions", ()), dict(waiver)]}


def without_named(document: Document, part: str, name: str) -> dict[str, Any]:
    """Return a book without the rule or the exception of an id; BadRequest if there is none."""
    rows = rules_of(document) if part == "rules" else document.get(part, ())
    kept = [one for one in rows if one.get("id") != name]
    if len(kept) == len(rows):
        raise BadRequest(f"no {name[:40]!r} among the {part}")
    return {**document, part: kept}
