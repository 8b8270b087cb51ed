"""Whether this host can keep phones: one finding for each check, with the remedy."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from agent import adbserver, adbwatch
from agent.config import AgentConfig
from agent.errors import AdbUnusable, AlreadyRunning
from agent.hostlock import HostLock
from agent.keepertalk import REMEDIES, name

CONNECT_S = 2.0
# Forty phones that wait a week for their controller need less than this.
ROOM_BYTES = 1 << 30


class Grade(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the examination; `remedy` is empty when there is nothing to do."""

    check: str
    grade: Grade
    seen: str
    remedy: str = ""


def examine(settings: AgentConfig) -> Iterator[Finding]:
    """Yield the findings in the order in which things depend on each other; starts no server."""
    yield Finding(check="configuration", grade=Grade.OK, seen=str(settings.path or "built-in defaults"))
    yield _adb_program(settings)
    yield from _adb_server(settings)
    yield _controller(settings)
    yield _data_dir(settings)
    yield _keeper(settings)


def _adb_program(settings: AgentConfig) -> Finding:
    if not settings.adb_path:
        return Finding(
            check="adb",
            grade=Grade.FAIL,
            seen="no adb program",
            remedy="install adb or set adb_path in [agent]",
        )
    return Finding(check="adb", grade=Grade.OK, seen=settings.adb_path)


def _adb_server(settings: AgentConfig) -> Iterator[Finding]:
    port = settings.adb_port
    strangers = adbserver.open_addresses(port)
    if strangers:
        yield Finding(
            check="adb server",
            grade=Grade.FAIL,
            seen=f"port {port} also listens on {', '.join(strangers)}",
            remedy="adb kill-server, and start it without -a: whoever reaches it owns every phone",
        )
        return
    try:
        number = adbserver.version(port)
        listing = adbwatch.parse(adbserver.query(port, "host:devices-l"))
    except AdbUnusable as error:
        yield Finding(
            check="adb server", grade=Grade.WARN, seen=str(error), remedy="farm-agent keep starts one"
        )
        return
    yield Finding(check="adb server", grade=Grade.OK, seen=f"version {number} on 127.0.0.1:{port} only")
    yield from (_phone(phone) for phone in listing)
    if not listing:
        yield Finding(
            check="phones", grade=Grade.WARN, seen="none", remedy="plug them in, switch USB debugging on"
        )


def _phone(phone: adbwatch.Attached) -> Finding:
    remedy = next((words for start, words in REMEDIES if phone.state.startswith(start)), "")
    grade = Grade.OK if phone.is_usable else Grade.WARN
    return Finding(check=f"phone {name(phone)}", grade=grade, seen=phone.state, remedy=remedy)


def _controller(settings: AgentConfig) -> Finding:
    host, _, port = settings.controller.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    except OSError as error:
        return Finding(
            check="controller",
            grade=Grade.FAIL,
            seen=f"{settings.controller}: {error.strerror or 'no answer'}",
            remedy="start it (farm serve), or correct controller in [agent]",
        )
    return Finding(check="controller", grade=Grade.OK, seen=settings.controller)


def _data_dir(settings: AgentConfig) -> Finding:
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding(
            check="data folder",
            grade=Grade.FAIL,
            seen=f"{existing} cannot be written",
            remedy="correct data_dir in [agent] or its owner",
        )
    free = shutil.disk_usage(existing).free
    seen = f"{folder}, {free // (1 << 20)} MiB free"
    if free < ROOM_BYTES:
        return Finding(check="data folder", grade=Grade.WARN, seen=seen, remedy="make room: at least 1 GiB")
    return Finding(check="data folder", grade=Grade.OK, seen=seen)


def _keeper(settings: AgentConfig) -> Finding:
    try:
        HostLock.take(settings.lock_dir, f"keeper-{settings.adb_port}").release()
    except AlreadyRunning as error:
        return Finding(check="keeper", grade=Grade.OK, seen=f"running: {error}")
    except OSError as error:
        return Finding(
            check="keeper",
            grade=Grade.FAIL,
            seen=f"{settings.lock_dir}: {error.strerror}",
            remedy="correct lock_dir in [agent] or its owner",
        )
    return Finding(check="keeper", grade=Grade.OK, seen="not running")


def worst(findings: list[Finding]) -> Grade:
    """Return the worst grade."""
    grades = {finding.grade for finding in findings}
    return next((grade for grade in (Grade.FAIL, Grade.WARN) if grade in grades), Grade.OK)
