"""The named statements and the numbered steps of the schema, read from their files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

_HEADING = re.compile(r"^-- (name|part): (\w+)$", re.MULTILINE)
_PART = re.compile(r"/\*part: (\w+)\*/")
_COMMENT_LINE = re.compile(r"^--.*$", re.MULTILINE)
_ONLY_ONE = re.compile(r"/\*(sqlite|postgres): (.*?)\*/", re.DOTALL)
_PARAMETER = re.compile(r"(?<![:\w]):([a-z][a-z0-9_]*)")
# A percent sign, but for those of parameters by place.
_PERCENT = re.compile(r"%(?!s\b)")
_STEP = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One forward step of the schema, statement by statement."""

    number: int
    name: str
    statements: tuple[str, ...]


def for_sqlite() -> dict[str, str]:
    """Return the statements as SQLite runs them: parameters are :name, the locks are left out."""
    return _named("sqlite")


def for_postgres() -> dict[str, str]:
    """Return the statements as psycopg runs them: parameters are %(name)s, the locks are uncovered."""
    return {
        name: _PARAMETER.sub(r"%(\1)s", _PERCENT.sub("%%", text)) for name, text in _named("postgres").items()
    }


def many(statement: str, parameter: str) -> str:
    """Return PostgreSQL's statement of one text parameter for a JSON list of `values`, each with its rows.

    Rows are locked in the order of the list.
    """
    each = statement.replace(f"%({parameter})s", "wanted.value")
    wanted = "json_array_elements_text(CAST(%(values)s AS JSON)) AS wanted (value)"
    # Of the file's own statements alone; the values are a parameter.
    return f"SELECT wanted.value AS asked_for, found.* FROM {wanted} CROSS JOIN LATERAL ({each}) AS found"  # noqa: S608 see above


@lru_cache(maxsize=8)
def of_rows(statement: str, how_many: int) -> str:
    """Return SQLite's statement that writes so many rows, of one that ends with the values of one."""
    head, values, row = statement.rpartition("VALUES ")
    return head + values + ", ".join([row] * how_many)


def steps(types: Mapping[str, str]) -> list[Step]:
    """Return the steps of the schema in order, with `{name}` replaced by a database's own type.

    The type called `database` is sqlite or postgres, and says whose own statements are seen.
    """
    found = []
    for entry in sorted(files("controller.store").joinpath("migrations").iterdir(), key=lambda e: e.name):
        if (match := _STEP.fullmatch(entry.name)) is None:
            continue
        text = _COMMENT_LINE.sub("", entry.read_text(encoding="utf-8"))
        text = _uncovered(text, types["database"])
        for name, own in types.items():
            text = text.replace("{" + name + "}", own)
        parts = tuple(part.strip() for part in text.split(";") if part.strip())
        found.append(Step(number=int(match[1]), name=entry.name.removesuffix(".sql"), statements=parts))
    return found


def _uncovered(text: str, database: str) -> str:
    """Return a text with what one database alone sees; what the other one alone sees is left out."""
    return _ONLY_ONE.sub(lambda found: found[2] if found[1] == database else "", text)


def _named(database: str) -> dict[str, str]:
    text = files("controller.store").joinpath("queries.sql").read_text(encoding="utf-8")
    # The head of the file says what the comments mean, and is no statement.
    pieces = _HEADING.split(text[text.index("-- name:") :])
    named: dict[str, dict[str, str]] = {"name": {}, "part": {}}
    for heading, name, body in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        named[heading][name] = _uncovered(body, database).strip().rstrip(";")
    return {
        name: _PART.sub(lambda found: named["part"][found[1]], body) for name, body in named["name"].items()
    }
