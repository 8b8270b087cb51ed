"""Words, rules and exceptions in versions: each change makes one, and the newest is in force."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from controller import bookdiff, bookedits
from controller.audit import enter, named
from controller.bookedits import Document
from controller.errors import BadRequest, BookChanged, ConfigWrong
from controller.ledger import CoreSettings, Ledger, Work
from controller.pastlines import Bounds, History, Stretch, bounds
from controller.rules import Waiver
from controller.shelves import Prepared, Shelf, prepare, stored_document
from controller.store.base_books import BookLine, StoredBook

# Who makes versions at a start.
CONFIGURATION = "configuration"
_TRIES = 20
_MAX_LINES = 500
_MAX_NOTE_CHARS = 500


def default_document() -> dict[str, Any]:
    """Return the words and rules that a new farm begins with."""
    words = json.loads(files("controller.words").joinpath("default.json").read_text(encoding="utf-8"))
    rules = json.loads(files("controller").joinpath("defaultrules.json").read_text(encoding="utf-8"))
    return bookedits.normal({**words, **rules})


class WordBooks:
    """The book and its versions."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # ---- reading

    def current(self) -> Shelf:
        """Return the book in force as this process knows it; for any thread."""
        return self._ledger.shelves.current()

    def load(self, work: Work) -> Shelf:
        """Return the book that a transaction sees."""
        return work.shelf()

    def document(self, version: int | None = None) -> Mapping[str, Any]:
        """Return a version's document, that in force if none is named; BadRequest if there is none."""
        with self._ledger.look() as tx:
            wanted = tx.book_version() if version is None else version
            if wanted == self.current().version:
                return self.current().document
            if tx.book(wanted) is None:
                raise BadRequest(f"no version {wanted} of the words and rules")
            return stored_document(tx, wanted)

    def history(self, *, before_version: int | None = None, limit: int = 50) -> list[BookLine]:
        """Return who made which version, newest first."""
        with self._ledger.look() as tx:
            return tx.books(before_version=before_version, limit=max(1, min(limit, _MAX_LINES)))

    def newer(self) -> tuple[int, bytes] | None:
        """Return another controller's newer version, packed; None: this process has the newest."""
        with self._ledger.look() as tx:
            version = tx.book_version()
            stored = None if version == self.current().version else tx.book(version)
        return None if stored is None else (version, stored.packed)

    def adopt(self) -> int:
        """Put the newest version in force here, and return it."""
        with self._ledger.look() as tx:
            return self._ledger.shelves.load(tx).version

    def has_helper(self, has: bool) -> None:
        """Say whether somebody makes newer versions ready elsewhere, see Shelves.load."""
        self._ledger.shelves.has_helper = has

    @property
    def is_shared(self) -> bool:
        """Tell whether other controllers may make versions too."""
        return self._ledger.store.kind != "sqlite"

    # ---- the history that is tried on

    def reach(self, since_ms: int) -> Bounds:
        """Return which messages were archived since a moment."""
        with self._ledger.look() as tx:
            return bounds(tx, since_ms)

    def stretch(self, history: History) -> Stretch:
        """Return the next stretch of a history; some milliseconds of the core's time."""
        with self._ledger.look() as tx:
            return history.read(tx)

    # ---- versions

    def open(self) -> None:
        """Put the newest version in force, made if there is none, with the configuration's own words.

        ConfigWrong if the configuration holds what can be no word; BookWrong of a kept book that is none.
        """
        settings = self._ledger.settings
        for _ in range(_TRIES):
            with self._ledger.look() as tx:
                version = tx.book_version()
                known = stored_document(tx, version) if version else None
                wanted = _wanted(known, settings)
                if known is not None and not bookdiff.diff(known, wanted):
                    self._ledger.shelves.load(tx)
                    return
            act = "begin" if known is None else "configure"
            note = "" if known is None else bookdiff.told(bookdiff.diff(known, wanted))
            try:
                self.put(prepare(wanted, version), actor=CONFIGURATION, act=act, note=note)
            except BookChanged:
                continue  # another controller started with us
            return
        raise BookChanged

    def put(self, prepared: Prepared, *, actor: str, act: str, note: str = "") -> int:
        """Put a version in force for the next message; BookChanged if it is not made from the newest."""
        with self._ledger.work() as work:
            return self.put_in(work, prepared, actor=actor, act=act, note=note)

    def put_in(self, work: Work, prepared: Prepared, *, actor: str, act: str, note: str = "") -> int:
        """Put a version in force with a transaction's commit; BookChanged, and nothing of it is kept."""
        shelf = prepared.shelf
        line = BookLine(
            version=shelf.version,
            at_ms=work.now_ms,
            actor=named(actor),
            act=act,
            note=note[:_MAX_NOTE_CHARS],
            sha256=shelf.book.sha256,
        )
        if work.tx.book_version() != prepared.base or not work.tx.add_book(
            StoredBook(line=line, packed=prepared.packed)
        ):
            raise BookChanged
        if actor != CONFIGURATION:
            enter(work, actor=actor, what=f"words.{act}", object_=f"book {shelf.version}", reason=note)
        work.put_shelf(shelf)
        return shelf.version

    def edit(
        self, change: Callable[[Document], Document], *, actor: str, act: str, note: str = ""
    ) -> int | None:
        """Put the book in force as `change` makes it; None if nothing differs. Compiles where it is called.

        Without a note what differs is the note.
        """
        for _ in range(_TRIES):
            made = changed(self.document(), change)
            if made is None:
                return None
            prepared, differences = made
            try:
                return self.put(prepared, actor=actor, act=act, note=note or bookdiff.told(differences))
            except BookChanged:
                continue
        raise BookChanged

    def add(self, entries: Sequence[Mapping[str, Any]], *, actor: str, note: str = "") -> int | None:
        """Add words, or change those that are there; None if nothing differs."""
        return self.edit(
            lambda document: bookedits.merged(document, {"entries": list(entries)}),
            actor=actor,
            act="add",
            note=note,
        )

    def remove(self, names: Iterable[str], *, actor: str, note: str = "") -> int | None:
        """Remove words by id or word; BadRequest if one is not there."""
        wanted = list(names)
        return self.edit(
            lambda document: bookedits.without_entries(document, wanted), actor=actor, act="remove", note=note
        )

    # ---- exceptions

    def add_waiver(
        self,
        work: Work,
        *,
        rule: str = "",
        entry: str = "",
        phrase: str = "",
        accounts: Sequence[str] = (),
        why: str,
        violation_id: int | None = None,
        actor: str,
    ) -> Waiver:
        """Add an exception with a transaction's commit; nothing is compiled. BookChanged, BookWrong."""
        if not why.strip():
            raise BadRequest("say why this is an exception")
        shelf = work.shelf()
        base = work.tx.book_version()
        if shelf.version != base:
            raise BookChanged
        # The version's number: no exception ever gets the id of a former one.
        waiver_id = f"X{base + 1:03}"
        waiver = {
            "id": waiver_id,
            "rule": rule,
            "entry": entry,
            "phrase": phrase,
            "accounts": list(accounts),
            "by": named(actor),
            "at_ms": work.now_ms,
            "why": why.strip(),
            "violation_id": violation_id,
        }
        prepared = prepare(bookedits.with_waiver(shelf.document, waiver), base)
        self.put_in(work, prepared, actor=actor, act="except", note=f"{waiver_id}: {phrase or entry or rule}")
        return next(one for one in prepared.shelf.book.waivers if one.id == waiver_id)

    def remove_waiver(self, waiver_id: str, *, why: str, actor: str) -> int | None:
        """Take an exception back; BadRequest if there is none, or without a reason."""
        if not why.strip():
            raise BadRequest("say why this is no exception any more")
        return self.edit(
            lambda document: bookedits.without_named(document, "exceptions", waiver_id),
            actor=actor,
            act="include",
            note=f"{waiver_id}: {why.strip()}",
        )


def changed(
    document: Document, change: Callable[[Document], Document]
) -> tuple[Prepared, tuple[bookdiff.Difference, ...]] | None:
    """Return a document as `change` makes it, ready, with what differs; None if nothing does. Slow."""
    wanted = change(document)
    differences = bookdiff.diff(document, wanted)
    if not differences:
        return None
    return prepare(wanted, int(document["version"])), differences


def _wanted(known: Document | None, settings: CoreSettings) -> dict[str, Any]:
    """Return the book as the configuration wants it: a known one with its own words."""
    if known is None:
        known = default_document() if settings.words_default else bookedits.normal({})
    try:
        return {
            **bookedits.with_configured(known, settings.words),
            "version": known.get("version", 0),
        }
    except BadRequest as wrong:
        raise ConfigWrong(f"[controller] words: {wrong}") from None
