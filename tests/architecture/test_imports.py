"""Directions of import are a table; a new edge shows in review."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("agent", "controller", "protos")

# What may be imported only by those (path prefixes).
ONLY = {
    "uiautomator2": ("agent/driver",),
    "adbutils": ("agent/driver",),
    "grpc": ("agent/session.py", "controller/rpc/", "protos/", "controller/answers.py"),
    "sqlite_utils": (
        "agent/outbox.py",
        "agent/outboxfile.py",
        "agent/intents.py",
        "agent/chatbook.py",
        "controller/store/",
    ),
    "sqlite3": (
        "agent/outbox.py",
        "agent/outboxfile.py",
        "agent/intents.py",
        "agent/chatbook.py",
        "agent/cursors.py",
        "agent/salvage.py",
        "agent/spool.py",
        "controller/store/",
    ),
    "psycopg": ("controller/store/",),
    "fastapi": ("controller/web/", "controller/server.py"),
    "uvicorn": ("controller/server.py", "controller/web/"),
    "apprise": ("controller/notifier.py",),
    "asyncio": (
        "controller/rpc/",
        "controller/web/",
        "controller/server.py",
        "controller/corethread.py",
        "agent/virtual/",
    ),
    "protos.fleet_pb2": ("protos/", "agent/wire.py", "agent/session.py", "controller/rpc/"),
    "protos.fleet_pb2_grpc": ("protos/", "agent/wire.py", "agent/session.py", "controller/rpc/"),
}
# Modules that stand on nothing of ours but the shared vocabulary.
BARE = (
    "agent/model.py",
    "agent/errors.py",
    "controller/model.py",
    "controller/records.py",
    "controller/errors.py",
    "controller/clock.py",
)
BARE_FOLDERS = ("controller/words/",)
VOCABULARY = {"protos.facts", "controller.model", "controller.records", "controller.words"}


def modules() -> list[Path]:
    return [p for part in PARTS for p in sorted((ROOT / part).rglob("*.py")) if "_pb2" not in p.name]


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offences(name: str, source: str) -> list[str]:
    found = []
    names = set(imports(ast.parse(source)))
    for wanted, allowed in ONLY.items():
        if not name.startswith(allowed) and any(n == wanted or n.startswith(wanted + ".") for n in names):
            found.append(f"{name} imports {wanted}")
    side = name.split("/", maxsplit=1)[0]
    other = {"agent": "controller", "controller": "agent"}.get(side)
    if other and any(n == other or n.startswith(other + ".") for n in names):
        found.append(f"{name} imports the other side")
    if side == "protos" and any(n.split(".")[0] in ("agent", "controller") for n in names):
        found.append(f"{name} imports a side")
    if name in BARE or name.startswith(BARE_FOLDERS):
        ours = {n for n in names if n.split(".")[0] in PARTS}
        found += [
            f"{name} imports {n}"
            for n in ours
            if not any(n == v or n.startswith(v + ".") for v in VOCABULARY)
        ]
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_module_keeps_to_the_directions_of_import(path: Path) -> None:
    assert offences(str(path.relative_to(ROOT)), path.read_text()) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("agent/wechat/friends.py", "import uiautomator2 as u2"),
        ("controller/jobs.py", "from protos import fleet_pb2"),
        ("controller/jobs.py", "import sqlite3"),
        ("agent/runner.py", "from controller.model import Job"),
        ("controller/model.py", "from controller.store import open_store"),
        ("agent/keeper.py", "import asyncio.subprocess"),
    ],
)
def test_the_table_catches_a_forbidden_edge(name: str, source: str) -> None:
    assert offences(name, source)


SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\b", re.DOTALL
)
SQL_HOMES = (
    "controller/store/",
    "agent/outbox.py",
    "agent/outboxfile.py",
    "agent/intents.py",
    "agent/chatbook.py",
    "agent/cursors.py",
    "agent/salvage.py",
    "agent/spool.py",
)


def has_sql(source: str) -> bool:
    return any(
        SQL.search(node.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def test_sql_stands_only_in_the_stores() -> None:
    assert has_sql('x = "SELECT a FROM b"')
    strays = [
        str(p.relative_to(ROOT))
        for p in modules()
        if not str(p.relative_to(ROOT)).startswith(SQL_HOMES) and has_sql(p.read_text())
    ]
    assert strays == []


def commits(source: str) -> int:
    """Count the calls of Phone.commit: taps that cannot be taken back."""
    return sum(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
        and ast.unparse(node.func.value).split(".")[-1] in ("phone", "_phone")
        for node in ast.walk(ast.parse(source))
    )


FLOWS = ("agent/wechat/", "agent/capture/")
# What flows would need to touch a phone past agent.commit and the verbs of agent.phone.
BELOW = ("_driver", "fence", "call", "shell", "shell_once", "shell_bytes")


def reaches_below(source: str) -> list[str]:
    """Return the names below Phone that a module takes off an object or imports."""
    return sorted(
        {
            node.attr
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Attribute) and node.attr in BELOW
        }
        | {name for name in imports(ast.parse(source)) if name.startswith(("agent.driver", "agent.fence"))}
    )


def test_flows_reach_no_raw_touch() -> None:
    assert reaches_below("phone._driver.call('click', 1, 2)") == ["_driver", "call"]
    assert reaches_below("tap = phone.fence.tap") == ["fence"]
    assert reaches_below("phone.shell('input tap 1 2')") == ["shell"]
    assert reaches_below("from agent.driver import Driver") == ["agent.driver", "agent.driver.Driver"]
    found = {
        name: reaches_below(p.read_text())
        for p in modules()
        if (name := str(p.relative_to(ROOT))).startswith(FLOWS)
    }
    assert len(found) > 10
    assert {name: names for name, names in found.items() if names} == {}


def test_taps_that_last_stand_in_one_place() -> None:
    assert commits("phone.commit(spot)") == 1
    assert commits("self._phone.commit(spot)") == 1
    found = {str(p.relative_to(ROOT)): commits(p.read_text()) for p in modules()}
    assert {name: count for name, count in found.items() if count} == {"agent/commit.py": 1}
    below = [str(p.relative_to(ROOT)) for p in modules() if ".fence.tap" in p.read_text()]
    assert below == ["agent/phone.py"]
