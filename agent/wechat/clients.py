"""Ids, fixed texts and activities of WeChat by client version: data in clients/*.toml, read once."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import resources
from types import MappingProxyType

from agent.model import LearnedTable

PACKAGE = "com.tencent.mm"
PLAY_STORE = "com.android.vending"


class Market(StrEnum):
    """Where a build comes from: builds of one version name have other ids in each."""

    DOMESTIC = "domestic"
    PLAY = "play"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTable:
    """What is known of one range of client versions. Roles are named in clients/*.toml."""

    name: str
    market: Market
    first_version: tuple[int, ...]
    last_version: tuple[int, ...]
    ids: Mapping[str, str]  # role -> resource id, the usual one
    id_variants: Mapping[str, tuple[str, ...]]  # role -> every value seen, `ids[role]` first
    texts: Mapping[str, tuple[str, ...]]  # role -> wordings, the usual one first
    activities: Mapping[str, tuple[str, ...]]  # screen -> full class names, the usual one first
    warnings: Mapping[str, tuple[str, ...]]  # warning class -> wordings seen
    foreign_tabs: Mapping[str, tuple[str, ...]]  # language the agent does not read -> its four tabs

    def knows(self, role: str) -> bool:
        """Tell whether an id of this role is known in these versions."""
        return role in self.ids

    def rid(self, role: str) -> str:
        """Return the full resource name of a role; KeyError if these versions' id is not known."""
        return full_id(self.ids[role])

    def rids(self, role: str) -> tuple[str, ...]:
        """Return every full resource name seen for a role, empty if none is known."""
        return tuple(full_id(value) for value in self.id_variants.get(role, ()))

    def text(self, role: str) -> str:
        """Return the usual wording of a role; KeyError if there is none."""
        return self.texts[role][0]

    def activity(self, screen: str) -> str:
        """Return the usual activity of a screen; KeyError if there is none."""
        return self.activities[screen][0]

    def covers(self, version: tuple[int, ...]) -> bool:
        """Tell whether a version lies in the range of this table."""
        return self.first_version <= version <= self.last_version


def full_id(value: str) -> str:
    """Return the resource name as a dump shows it; names written in full are kept."""
    return value if ":" in value else f"{PACKAGE}:id/{value}"


def parse_version(version_name: str) -> tuple[int, ...] | None:
    """Return "8.0.66" as (8, 0, 66), None if it is not of that form."""
    return (
        tuple(int(part) for part in version_name.split("."))
        if re.fullmatch(r"[0-9]+(\.[0-9]+){1,3}", version_name)
        else None
    )


def market_of(installer: str) -> Market:
    """Return where a client comes from: Google's store, by its package name, has builds of its own."""
    return Market.PLAY if installer == PLAY_STORE else Market.DOMESTIC


def table_for(
    version_name: str, version_code: int, installer: str = "", learned: Sequence[LearnedTable] = ()
) -> ClientTable | None:
    """Return the table of a client's build, None if the build is not known.

    A table that a person accepted counts for exactly its version name, version code and installer, before
    those of the package. A version between or after the known ranges, or from a store whose builds are not
    known, is unknown on purpose: ids are never guessed.
    """
    for one in learned:
        if (one.version_name, one.version_code, one.installer) == (version_name, version_code, installer):
            return learned_table(one)
    version = parse_version(version_name)
    if version is None:
        return None
    market = market_of(installer)
    return next((table for table in tables() if table.market is market and table.covers(version)), None)


def learned_table(one: LearnedTable) -> ClientTable | None:
    """Return the table of learned ids over the texts and activities of its base; None without that base."""
    base = next((table for table in tables() if table.name == one.base), None)
    version = parse_version(one.version_name)
    if base is None or version is None:
        return None
    ids = dict(one.ids)
    return replace(
        base,
        name=f"learned {one.version_name} ({one.version_code}) {one.installer}".strip(),
        market=market_of(one.installer),
        first_version=version,
        last_version=version,
        ids=MappingProxyType(ids),
        id_variants=MappingProxyType({role: (value,) for role, value in ids.items()}),
    )


def nearest(version_name: str) -> ClientTable:
    """Return the table of the nearest lower version, the lowest one if there is none."""
    version = parse_version(version_name) or ()
    lower = [table for table in tables() if table.first_version <= version]
    return lower[-1] if lower else tables()[0]


def without_ids(table: ClientTable) -> ClientTable:
    """Return a table that knows texts and activities only, for builds whose ids are not known."""
    return replace(
        table, name=f"{table.name}, no ids", ids=MappingProxyType({}), id_variants=MappingProxyType({})
    )


@functools.cache
def tables() -> tuple[ClientTable, ...]:
    """Return all tables of the package, ordered by version."""
    folder = resources.files("agent.wechat").joinpath("clients")
    raws = [
        tomllib.loads(entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    ]
    by_name = {str(raw["name"]): raw for raw in raws}
    return tuple(sorted((_table(raw, by_name) for raw in raws), key=lambda table: table.first_version))


def _table(raw: dict[str, object], by_name: Mapping[str, dict[str, object]]) -> ClientTable:
    base = by_name[str(raw["based_on"])] if "based_on" in raw else {}
    variants = _lists(raw, "ids")
    first = parse_version(str(raw["first_version"]))
    last = parse_version(str(raw["last_version"]))
    if first is None or last is None:
        raise ValueError(f"table {raw['name']}: first_version and last_version are dotted numbers")
    return ClientTable(
        name=str(raw["name"]),
        market=Market(str(raw["market"])),
        first_version=first,
        last_version=last,
        ids=MappingProxyType({role: values[0] for role, values in variants.items()}),
        id_variants=MappingProxyType(variants),
        texts=MappingProxyType(_lists(base, "texts") | _lists(raw, "texts")),
        activities=MappingProxyType(
            {
                screen: tuple(f"{PACKAGE}.{value}" for value in values)
                for screen, values in (_lists(base, "activities") | _lists(raw, "activities")).items()
            }
        ),
        warnings=MappingProxyType(_lists(base, "warnings") | _lists(raw, "warnings")),
        foreign_tabs=MappingProxyType(_lists(base, "foreign_tabs") | _lists(raw, "foreign_tabs")),
    )


def _lists(raw: Mapping[str, object], section: str) -> dict[str, tuple[str, ...]]:
    found = raw.get(section, {})
    if not isinstance(found, dict):
        raise TypeError(f"[{section}] is a table")
    return {
        str(key): (value,) if isinstance(value, str) else tuple(str(one) for one in value)
        for key, value in found.items()
    }
