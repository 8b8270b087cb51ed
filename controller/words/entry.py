"""What is watched: words, pattern classes, categories, allowed texts; and what a word may be."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MAX_WORD_CHARS = 64
# About eight times the largest list found in use; more is a mistake such as a dictionary given as a list.
MAX_ENTRIES = 200_000
MAX_ID_CHARS = 64

PATTERN_CLASSES = frozenset({"@PHONE", "@BANKCARD", "@IDCARD", "@WECHATID", "@URL", "@EMAIL"})


class LexiconWrong(ValueError):
    """A lexicon cannot be used; the message is one line for the person who wrote it."""


class Severity(StrEnum):
    """How grave a hit is, the mildest first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class EntryType(StrEnum):
    """A literal word, or a class of texts such as @PHONE."""

    WORD = "word"
    PATTERN = "pattern"


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A kind of words; its severity counts for entries that name none."""

    id: str
    label: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One watched word or pattern class; boundary is "latin" or empty."""

    id: str
    word: str
    category: str = ""
    severity: Severity = Severity.MEDIUM
    type: EntryType = EntryType.WORD
    initials: bool = False
    boundary: str = ""
    describe: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """What is never a hit: phrases around a word, numbers, domains with their subdomains, addresses."""

    phrases: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """All of a list; ids are unique, every word is 1 to 64 characters and can be seen."""

    version: int = 0
    note: str = ""
    categories: Mapping[str, Category] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    allow: Allow = Allow()


def word_wrong(word: str) -> str:
    """Return why a text cannot be a watched word; empty if it can. The text is stripped already."""
    if not word:
        return "the word is empty"
    if len(word) > MAX_WORD_CHARS:
        return f"the word has {len(word)} characters, at most {MAX_WORD_CHARS} are allowed"
    kinds = {unicodedata.category(char) for char in word}
    if kinds & {"Cc", "Cs"}:
        return "the word holds a control character"
    if not any(kind[0] in "LNS" for kind in kinds):
        return "the word holds no letter, digit or symbol"
    return ""


def id_of(word: str) -> str:
    """Return the id of an entry that was given none; the same word always has the same."""
    return "W" + hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()[:12]
