"""Tables for the virtual client itself: those known, and made-up ones for versions that nobody knows."""

from __future__ import annotations

import random
import string
from dataclasses import replace
from types import MappingProxyType

from agent.wechat.clients import ClientTable, table_for, tables


def table_of(version_name: str, version_code: int) -> ClientTable:
    """Return the table to draw by; an unknown version gets ids of its own, the same ones every time."""
    known = table_for(version_name, version_code)
    if known is not None:
        return known
    newest = tables()[-1]
    rng = random.Random(f"{version_name} {version_code}")
    letters = string.ascii_lowercase + string.digits
    ids = {
        role: value
        if ":" in value
        else rng.choice(string.ascii_lowercase) + "".join(rng.choices(letters, k=2))
        for role, value in newest.ids.items()
    }
    return replace(
        newest,
        name=f"unknown {version_name}",
        ids=MappingProxyType(ids),
        id_variants=MappingProxyType({role: (value,) for role, value in ids.items()}),
    )
