"""Tables for the virtual client itself: those known, and made-up ones for builds that nobody knows."""

from __future__ import annotations

import random
import string
from dataclasses import replace
from types import MappingProxyType

from agent.virtual.wechat import english
from agent.wechat.clients import ClientTable, nearest, table_for


def table_of(
    version_name: str, version_code: int, installer: str = "", *, language: str = "zh-CN"
) -> ClientTable:
    """Return the table to draw by; an unknown build gets ids of its own, the same ones every time."""
    known = table_for(version_name, version_code, installer)
    table = known or _renamed(nearest(version_name), f"{version_name} {version_code} {installer}".strip())
    return table if language == "zh-CN" else _in_english(table)


def _renamed(base: ClientTable, build: str) -> ClientTable:
    """Return a table with every id of the client's own renamed; one id of many roles stays one."""
    rng = random.Random(build)
    letters = string.ascii_lowercase + string.digits
    old = set(base.ids.values())
    names: dict[str, str] = {}
    for value in base.ids.values():
        if ":" in value:
            names[value] = value
        while value not in names:
            made = rng.choice(string.ascii_lowercase) + "".join(rng.choices(letters, k=3))
            if made not in old and made not in names.values():
                names[value] = made
    ids = {role: names[value] for role, value in base.ids.items()}
    return replace(
        base,
        name=f"unknown {build}",
        ids=MappingProxyType(ids),
        id_variants=MappingProxyType({role: (value,) for role, value in ids.items()}),
    )


def _in_english(table: ClientTable) -> ClientTable:
    texts = {
        role: (english.TEXTS[role],) if role in english.TEXTS else said for role, said in table.texts.items()
    }
    return replace(table, texts=MappingProxyType(texts))
