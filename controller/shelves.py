"""The book in force, ready to be used: kept in memory, swapped whole, never changed."""

from __future__ import annotations

import hashlib
import json
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from controller.errors import BookWrong
from controller.rulebook import Book, read_book
from controller.store.base import Tx
from controller.words import Monitor, compiled
from controller.words.lexicon import Lexicon, LexiconWrong
from controller.words.lexicon import read as read_lexicon

# Of the words of so many versions what was made to find them stays: changes of rules alone need nothing new.
_KEPT_MONITORS = 4
# Words by the thousand take a second and more to be made ready.
_QUICK_ENTRIES = 500
# As long as somebody makes a newer version ready elsewhere, the former one goes on so long.
GRACE_MS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One version of the words and rules with everything that finds them; nobody changes the document."""

    version: int
    document: Mapping[str, Any]
    book: Book
    monitor: Monitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A version that may follow `base`, the one it was made from."""

    base: int
    shelf: Shelf
    packed: bytes


class _Monitors:
    """What was made to find the words of the last few lexicons, for this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Monitor] = OrderedDict()

    def has(self, document: Mapping[str, Any]) -> bool:
        """Tell whether the words of a document need no work."""
        with self._lock:
            return _key(document) in self._kept

    def of(self, document: Mapping[str, Any], lexicon: Lexicon) -> Monitor:
        """Return what finds the words of a document."""
        key = _key(document)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = compiled(lexicon)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > _KEPT_MONITORS:
                self._kept.popitem(last=False)
        return made


_monitors = _Monitors()


def _key(document: Mapping[str, Any]) -> str:
    parts = [document.get("entries", []), document.get("allow", {}), document.get("categories", {})]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def prepare(document: Mapping[str, Any], base: int) -> Prepared:
    """Return a document ready to follow the version it was made from; BookWrong names what is wrong.

    Pure, for any thread; ten thousand new words take a second or two.
    """
    numbered = {**document, "version": base + 1}
    return Prepared(base=base, shelf=_shelved(numbered, base + 1), packed=packed(numbered))


def packed(document: Mapping[str, Any]) -> bytes:
    """Return a document as it is stored."""
    return zlib.compress(json.dumps(document, ensure_ascii=False, sort_keys=True).encode(), level=3)


def unpacked(body: bytes) -> dict[str, Any]:
    """Return a stored document."""
    document: dict[str, Any] = json.loads(zlib.decompress(body))
    return document


def _shelved(document: Mapping[str, Any], version: int) -> Shelf:
    try:
        lexicon = read_lexicon(document)
    except LexiconWrong as wrong:
        raise BookWrong(str(wrong)) from None
    # First the rules: what is wrong with them must not wait for the words.
    book = read_book(document, version, lexicon=lexicon)
    return Shelf(version=version, document=document, book=book, monitor=_monitors.of(document, lexicon))


class Shelves:
    """Where everybody finds the book; `load` and `swap` are called on the core's thread only."""

    def __init__(self, steady_ms: Callable[[], int]) -> None:
        self._steady_ms = steady_ms
        self._shelf: Shelf | None = None
        # Somebody makes newer versions ready on another thread as soon as they are seen.
        self.has_helper = False
        self._late: tuple[int, int] = (0, 0)  # the newer version that was seen, and when

    def current(self) -> Shelf:
        """Return the book in force as this process knows it; for any thread, without waiting."""
        if self._shelf is None:
            raise LookupError("no book of words and rules was read yet")
        return self._shelf

    def swap(self, shelf: Shelf) -> None:
        """Put a version in force that is committed."""
        self._shelf = shelf

    def load(self, tx: Tx) -> Shelf:
        """Return the version that a transaction sees; made ready here if another controller made it.

        Where many new words would keep the core waiting and somebody makes them ready elsewhere, the former
        version, whole, holds for at most GRACE_MS more.
        """
        version = tx.book_version()
        shelf = self._shelf
        if shelf is not None and shelf.version == version:
            return shelf
        document = stored_document(tx, version)
        if shelf is not None and self._may_wait(document, version):
            return shelf
        self._shelf = _shelved(document, version)
        return self._shelf

    def _may_wait(self, document: Mapping[str, Any], version: int) -> bool:
        if not self.has_helper or len(document["entries"]) <= _QUICK_ENTRIES or _monitors.has(document):
            return False
        if self._late[0] != version:
            self._late = (version, self._steady_ms())
        return self._steady_ms() - self._late[1] < GRACE_MS


def stored_document(tx: Tx, version: int) -> dict[str, Any]:
    """Return the document of a version; LookupError if there is none."""
    stored = tx.book(version)
    if stored is None:
        raise LookupError(f"book {version}")
    return unpacked(stored.packed)
