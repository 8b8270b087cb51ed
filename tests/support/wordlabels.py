"""Messages with labels of what should be found in them, and the lexicon of the tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

DATA = Path(__file__).parents[1] / "data" / "words"


class Hit(NamedTuple):
    """A word of the lexicon and where it stands in the text, end exclusive."""

    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message with either a technique and its hits, or a trap and none."""

    id: str
    text: str
    hits: tuple[Hit, ...]
    technique: str = ""
    trap: str = ""


@cache
def lexicon(path: Path = DATA / "lexicon.json") -> dict[str, Any]:
    """Return a lexicon as its file has it."""
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


@cache
def messages(path: Path = DATA / "labelled.jsonl") -> tuple[Message, ...]:
    """Return the labelled messages of a file, in its order."""
    found = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        hits = tuple(Hit(str(word), int(start), int(end)) for word, start, end in row["hits"])
        names = {key: row.get(key) or "" for key in ("technique", "trap")}
        found.append(Message(id=str(row["id"]), text=row["text"], hits=hits, **names))
    return tuple(found)
