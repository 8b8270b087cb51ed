"""What the checkout itself must keep: sizes, locks, no addresses, no wall clock in the core."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.test_imports import PARTS, ROOT, imports, modules

LONGEST_MODULE_LINES = 400


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [ROOT / n for n in names if (ROOT / n).is_file()]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_has_one_noun_in_it(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_MODULE_LINES


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_pins_by_hash_and_names_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "index-url" not in text
    pins = re.findall(r"^([a-z0-9-]+(?:\[[a-z]+\])?)==", text, re.MULTILINE)
    blocks = re.split(r"^(?=[a-z0-9-]+(?:\[[a-z]+\])?==)", text, flags=re.MULTILINE)[1:]
    assert len(pins) > 20
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_program_imports_only_what_its_lock_installs() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = {m.lower() for m in re.findall(r"^([A-Za-z0-9-]+)", lock, re.MULTILINE)}
    owners = importlib.metadata.packages_distributions()
    wanted: dict[str, str] = {}
    for path in modules():
        for name in imports(ast.parse(path.read_text())):
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names and top not in PARTS:
                wanted[top] = str(path.relative_to(ROOT))
    missing = {
        top: where
        for top, where in wanted.items()
        if not {d.lower().replace("_", "-") for d in owners.get(top, [])} & pinned
    }
    assert missing == {}


def test_nobody_else_provides_our_import_names() -> None:
    # An editable install lists no packages, a wheel lists ours; anything else would shadow us.
    owners = importlib.metadata.packages_distributions()
    assert [part for part in PARTS if set(owners.get(part, [])) - {"phonefarm"}] == []


CLOCKS = {("time", "time"), ("datetime", "now"), ("datetime", "utcnow"), ("time", "sleep")}
# Edges that own a clock or wait for the outside world.
CLOCK_HOMES = (
    "controller/clock.py",
    "controller/cli/",
    "agent/virtual/",
    "agent/boottime.py",
    "agent/deadline.py",
    "agent/driver",
    "agent/keeper",
    "agent/nursery",
    "agent/adbwatch",
    "agent/session.py",
    "agent/cli.py",
)


def reads_a_clock(source: str) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr) in CLOCKS
        for node in ast.walk(ast.parse(source))
    )


def test_the_core_is_told_the_time() -> None:
    assert reads_a_clock("import time\nx = time.time()")
    strays = [
        str(p.relative_to(ROOT))
        for p in modules()
        if not str(p.relative_to(ROOT)).startswith(CLOCK_HOMES) and reads_a_clock(p.read_text())
    ]
    assert strays == []


def test_no_file_names_a_place_outside_the_project() -> None:
    # Written in pieces so that this file does not name them either.
    words = ["/wo" + "rk/", "/ro" + "ot/", "pypi" + ".org", "registry" + ".npmjs", "deb.deb" + "ian.org"]
    strays = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in tracked()
        if path.suffix not in {".png", ".jar"}
        for word in words
        if word in path.read_text(errors="replace")
    ]
    assert strays == []
