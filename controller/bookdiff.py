"""What differs between two books of words and rules: pure functions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from controller.bookedits import Document

_MOST_NAMED = 6
_LONGEST_NOTE = 400


class Act(StrEnum):
    """What became of a part of a book."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs: `name` is what a person calls it, `detail` which fields changed, and how."""

    part: str  # word | category | allow | rule | group | exception
    act: Act
    id: str
    name: str
    detail: str = ""


def diff(old: Document, new: Document) -> tuple[Difference, ...]:
    """Return what differs, part by part; the order of entries and rules does not matter."""
    return (
        *_rows("word", old.get("entries", ()), new.get("entries", ()), "word"),
        *_named("category", old.get("categories", {}), new.get("categories", {})),
        *_allowed(old.get("allow", {}), new.get("allow", {})),
        *_rows("rule", old.get("rules", ()), new.get("rules", ()), "name"),
        *_named("group", old.get("groups", {}), new.get("groups", {})),
        *_rows("exception", old.get("exceptions", ()), new.get("exceptions", ()), "phrase"),
    )


def told(differences: Sequence[Difference]) -> str:
    """Return differences in one short line for the history."""
    parts = []
    for (part, act), count in Counter((one.part, one.act) for one in differences).items():
        names = [one.name or one.id for one in differences if (one.part, one.act) == (part, act)]
        more = f" and {count - _MOST_NAMED} more" if count > _MOST_NAMED else ""
        noun = part if count == 1 else f"{part[:-1]}ies" if part.endswith("y") else f"{part}s"
        parts.append(f"{count} {noun} {act}: {', '.join(names[:_MOST_NAMED])}{more}")
    text = "; ".join(parts)
    return text if len(text) <= _LONGEST_NOTE else text[: _LONGEST_NOTE - 1] + "…"


def _rows(
    part: str, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], title: str
) -> Iterator[Difference]:
    before, after = ({str(row.get("id")): row for row in rows} for rows in (old, new))
    for name, row in after.items():
        if name not in before:
            yield Difference(part=part, act=Act.ADDED, id=name, name=str(row.get(title, "")))
        elif row != before[name]:
            detail = ", ".join(_fields(before[name], row))
            yield Difference(part=part, act=Act.CHANGED, id=name, name=str(row.get(title, "")), detail=detail)
    for name, row in before.items():
        if name not in after:
            yield Difference(part=part, act=Act.REMOVED, id=name, name=str(row.get(title, "")))


def _named(part: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*new, *old]):
        if name not in old:
            yield Difference(part=part, act=Act.ADDED, id=name, name=name)
        elif name not in new:
            yield Difference(part=part, act=Act.REMOVED, id=name, name=name)
        elif old[name] != new[name]:
            detail = f"{_short(old[name])} → {_short(new[name])}"
            yield Difference(part=part, act=Act.CHANGED, id=name, name=name, detail=detail)


def _allowed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for kind in dict.fromkeys([*new, *old]):
        before, after = (dict.fromkeys(rows.get(kind, ())) for rows in (old, new))
        for text in after:
            if text not in before:
                yield Difference(part="allow", act=Act.ADDED, id=kind, name=text)
        for text in before:
            if text not in after:
                yield Difference(part="allow", act=Act.REMOVED, id=kind, name=text)


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys([*new, *old]):
        if old.get(name) == new.get(name):
            continue
        if name == "enabled":  # what says nothing of it is enabled
            yield "enabled → disabled" if new.get(name) is False else "disabled → enabled"
        else:
            yield f"{name} {_short(old.get(name))} → {_short(new.get(name))}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "(none)" if value is None else text
    return text if len(text) <= 60 else text[:59] + "…"
