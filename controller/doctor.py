"""Checks of one machine: each finding says what is, and what a person can do about it."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from controller.config import Config
from controller.errors import ConfigWrong, FarmError

_MIB = 1024 * 1024
_DISK_WARN_MIB = 2_048
_DISK_FAIL_MIB = 256
_CLOCK_WARN_MS = 2_000
_CLOCK_REMEDIES = {
    "clock_jumped": "The wall clock jumped ahead and no task is handed out: correct it, or restart the "
    "controller if it is right now",
    "clock_behind": "The farm's clock is ahead of the wall clock and stands still until that reaches it: "
    "correct the wall clock if it is wrong",
}
_ADB_PORT = 5037
_LISTEN = "0A"  # the state of a listening socket in /proc/net/tcp


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor."""

    level: Level
    about: str
    what: str
    remedy: str = ""


def examine(
    load: Callable[[], Config], ask: Callable[[], Mapping[str, Any]], *, now_ms: Callable[[], int]
) -> list[Finding]:
    """Check everything; `ask` returns the controller's status or raises FarmError."""
    findings: list[Finding] = []
    try:
        config: Config | None = load()
    except ConfigWrong as error:
        config = None
        findings.append(Finding(Level.FAIL, "config", str(error), "Correct the file"))
    if config is not None:
        findings.append(_config(config))
        findings += [_data_folder(config.data_dir), _token(config.token_file), _disk(config.data_dir)]
    findings += controller(ask, now_ms)
    findings += adb(_agent_table(config), os.environ)
    return findings


def _config(config: Config) -> Finding:
    if config.path is None:
        return Finding(Level.WARN, "config", "no file; built-in defaults are used", "Make one: farm init")
    return Finding(Level.OK, "config", str(config.path))


def _data_folder(folder: Path) -> Finding:
    if not folder.is_dir():
        return Finding(Level.FAIL, "data", f"{folder} does not exist", "Make it: farm init")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(Level.FAIL, "data", f"{folder}: {error.strerror}", "Give this user the folder")
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        return Finding(Level.WARN, "data", f"{folder} is open to other users", f"chmod 700 {folder}")
    return Finding(Level.OK, "data", str(folder))


def _token(path: Path) -> Finding:
    if not path.is_file():
        return Finding(Level.FAIL, "token", f"{path} is missing", "Make it: farm init")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Finding(Level.FAIL, "token", f"{path} can be read by others", f"chmod 600 {path}")
    return Finding(Level.OK, "token", str(path))


def _disk(folder: Path) -> Finding:
    at = next((place for place in (folder, *folder.parents) if place.is_dir()), Path("/"))
    free = shutil.disk_usage(at).free // _MIB
    what = f"{free:,} MiB free on {at}"
    if free < _DISK_FAIL_MIB:
        return Finding(Level.FAIL, "disk", what, "Make room: without it nothing can be archived")
    if free < _DISK_WARN_MIB:
        return Finding(Level.WARN, "disk", what, "Make room soon")
    return Finding(Level.OK, "disk", what)


def controller(ask: Callable[[], Mapping[str, Any]], now_ms: Callable[[], int]) -> list[Finding]:
    """Check that the controller answers, and that its clock and this machine's agree."""
    before = now_ms()
    try:
        status = ask()
    except FarmError as error:
        return [Finding(Level.FAIL, "controller", str(error))]
    after = now_ms()
    answered = f"release {status['version']} answered in {after - before} ms, {status['store']}"
    if status["clock_cause"]:
        remedy = _CLOCK_REMEDIES.get(status["clock_cause"], "")
        return [
            Finding(Level.OK, "controller", answered),
            Finding(Level.FAIL, "clock", status["clock_cause"], remedy),
        ]
    off = max(before - status["at_ms"], status["at_ms"] - after, 0)
    alerts = _alerts(status)
    clock = Finding(Level.OK, "clock", "agrees with the controller's")
    if off > _CLOCK_WARN_MS:
        what = f"{off / 1000:.0f} s off the controller's"
        clock = Finding(Level.WARN, "clock", what, "Switch time synchronisation on")
    return [Finding(Level.OK, "controller", answered), clock, *alerts]


def _alerts(status: Mapping[str, Any]) -> list[Finding]:
    """Return how it stands with who is told of violations; nothing where nobody is."""
    remedy = "See why: farm alerts list, then farm alerts test TARGET"
    if status["alerts_failed"]:
        what = f"{status['alerts_failed']} given up in the last day"
        return [Finding(Level.FAIL, "alerts", what, remedy)]
    if status["alerts_failing"]:
        what = f"{status['alerts_failing']} could not be sent yet"
        return [Finding(Level.WARN, "alerts", what, remedy)]
    if status["alert_targets"]:
        return [Finding(Level.OK, "alerts", f"targets: {status['alert_targets']}, none fails")]
    return []


def adb(table: Mapping[str, Any], env: Mapping[str, str]) -> list[Finding]:
    """Check the adb program, and that nobody else can reach the adb server."""
    program = str(table.get("adb_path") or "adb")
    found = shutil.which(program)
    binary = (
        Finding(Level.OK, "adb", found)
        if found
        else Finding(
            Level.WARN, "adb", f"{program} was not found", "Needed where the hubs are: apt install adb"
        )
    )
    port = table.get("adb_port") or env.get("ANDROID_ADB_SERVER_PORT") or _ADB_PORT
    return [binary, _adb_server(int(port))]


def _adb_server(port: int) -> Finding:
    bound = listeners(port)
    if not bound:
        return Finding(
            Level.OK, "adb server", f"none on port {port}; farm-agent starts one where it is needed"
        )
    open_to = sorted(address for address in bound if not is_loopback_hex(address))
    if open_to:
        return Finding(
            Level.FAIL,
            "adb server",
            f"port {port} is open to the network: whoever reaches it owns every phone",
            "Stop it (adb kill-server) and start it without -a",
        )
    return Finding(Level.OK, "adb server", f"port {port}, this machine only")


def listeners(port: int, root: Path = Path("/proc/net")) -> list[str]:
    """Return the local addresses, in the kernel's hexadecimal form, on which a TCP port listens."""
    return [address for table in ("tcp", "tcp6") for address in _listening(root / table, port)]


def _listening(table: Path, port: int) -> Iterator[str]:
    if not table.is_file():
        return
    for line in table.read_text().splitlines()[1:]:
        local, state = line.split()[1], line.split()[3]
        address, _, number = local.partition(":")
        if state == _LISTEN and int(number, 16) == port:
            yield address


def is_loopback_hex(address: str) -> bool:
    """Tell whether an address of /proc/net is 127.x.x.x or ::1; its words are little-endian."""
    if len(address) == 8:
        return address.endswith("7F")
    return address == "00000000000000000000000001000000" or (
        address.startswith("0000000000000000FFFF0000") and address.endswith("7F")
    )


def _agent_table(config: Config | None) -> Mapping[str, Any]:
    """Return the agent's own table: the doctor only needs where adb is."""
    if config is None or config.path is None:
        return {}
    table = tomllib.loads(config.path.read_text(encoding="utf-8-sig")).get("agent", {})
    return table if isinstance(table, dict) else {}
