"""The [agent] table of the shared configuration file; every other table is another program's business."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import re
import shutil
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from agent.errors import ConfigWrong

FILE_NAME = "config.toml"
# Whoever reaches the adb server owns every phone on it: it is never anywhere else.
ADB_HOST = "127.0.0.1"
ADB_PORT = 5037

_Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=7 * 86_400)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section [agent] as written; empty values mean the default."""

    controller: str = "127.0.0.1:7443"
    data_dir: str = ""
    lock_dir: str = ""
    host: Annotated[str, msgspec.Meta(max_length=64)] = ""
    adb_path: str = ""
    adb_port: _Port = 0
    tcp_phones: tuple[str, ...] = ()
    preload: bool = True
    controller_lost_s: _Seconds = 600
    media_limit_mb: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 2_000


class AgentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What agents and their keeper work with; `path` is None when no file was found."""

    path: Path | None
    controller: str
    data_dir: Path
    lock_dir: Path
    host: str
    adb_path: str
    adb_port: int
    tcp_phones: tuple[str, ...] = ()  # adb addresses of phones on TCP, connected by the keeper
    preload: bool = True  # fork agents from a process that has the imports, 12 instead of 30 MiB each
    controller_lost_s: int = 600  # an agent that was never welcomed ends after this; 0 = never
    media_limit_mb: int = 2_000

    @property
    def media(self) -> tuple[Path, int]:
        """Return the folder of the pictures out of chats on this host, and how many bytes it may hold."""
        return self.data_dir / "media", self.media_limit_mb * 1_000_000


def find(named: str | None, env: Mapping[str, str]) -> Path | None:
    """Return the file to read: named, $FARM_CONFIG, or the first that exists; ConfigWrong if it is gone."""
    chosen = named or env.get("FARM_CONFIG")
    if chosen:
        path = Path(chosen)
        if not path.is_file():
            raise ConfigWrong(f"no such configuration file: {path}")
        return path
    base = env.get("XDG_CONFIG_HOME")
    user = (Path(base) if base else Path.home() / ".config") / "farm"
    places = (Path(FILE_NAME), user / FILE_NAME, Path("/etc/farm") / FILE_NAME)
    return next((path for path in places if path.is_file()), None)


def load(named: str | None = None, env: Mapping[str, str] = os.environ) -> AgentConfig:
    """Read the configuration, or the defaults when there is no file; ConfigWrong in one line."""
    path = find(named, env)
    folder = path.resolve().parent if path else Path.cwd()
    table = _read(path) if path else _Table()
    try:
        return _resolve(table, path, folder, env)
    except ConfigWrong as error:
        raise ConfigWrong(f"{path or 'built-in defaults'}: {error}") from None


def _read(path: Path) -> _Table:
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigWrong(f"{path}: not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise ConfigWrong(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise ConfigWrong(f"{path}: cannot be read: {error.strerror}") from None
    try:
        return msgspec.convert(raw.get("agent", {}), _Table)
    except msgspec.ValidationError as error:
        raise ConfigWrong(f"{path}: {_explain(str(error))}") from None


def _explain(error: str) -> str:
    """Turn a message of msgspec into one that speaks of keys."""
    if unknown := re.search(r"unknown field `([^`]*)`", error):
        return f'unknown key "{unknown[1]}" in [agent]'
    what, _, at = error.partition(" - at `$.")
    what = what.replace("`", "")
    return f"[agent] {at.rstrip('`')}: {what[:1].lower()}{what[1:]}" if at else f"[agent]: {what}"


def _resolve(table: _Table, path: Path | None, folder: Path, env: Mapping[str, str]) -> AgentConfig:
    data_dir = _folder(table.data_dir, folder) or _data_home(env) / "agent"
    return AgentConfig(
        path=path,
        controller=_loopback(table.controller, "controller"),
        data_dir=data_dir,
        lock_dir=_folder(table.lock_dir, folder) or _lock_home(data_dir, env),
        host=table.host or socket.gethostname(),
        adb_path=_adb_path(table.adb_path, env),
        adb_port=table.adb_port or _env_port(env),
        tcp_phones=table.tcp_phones,
        preload=table.preload,
        controller_lost_s=table.controller_lost_s,
        media_limit_mb=table.media_limit_mb,
    )


def _folder(written: str, folder: Path) -> Path | None:
    return folder / Path(written).expanduser() if written else None


def _data_home(env: Mapping[str, str]) -> Path:
    base = env.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "farm"


def _lock_home(data_dir: Path, env: Mapping[str, str]) -> Path:
    """Return a folder that all agents of this host share, whatever their data folders are."""
    if os.geteuid() == 0:
        return Path("/run/farm")
    runtime = env.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "farm" if runtime else data_dir / "locks"


def _loopback(address: str, key: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) <= 65_535:
        raise ConfigWrong(f"[agent] {key}: not HOST:PORT: {address}")
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ConfigWrong(
            f"[agent] {key}: {host} is another machine; hosts cannot be enrolled with certificates yet, "
            "so only 127.0.0.1 is allowed"
        )
    return address


def _env_port(env: Mapping[str, str]) -> int:
    text = env.get("ANDROID_ADB_SERVER_PORT", "")
    if not text:
        return ADB_PORT
    if not text.isdigit() or not 0 < int(text) <= 65_535:
        raise ConfigWrong(f"ANDROID_ADB_SERVER_PORT: not a port: {text}")
    return int(text)


def _adb_path(written: str, env: Mapping[str, str]) -> str:
    """Return the one adb used on this host: as written, the bundled one, or the one in PATH."""
    named = written or env.get("ADBUTILS_ADB_PATH", "")
    if named:
        found = shutil.which(named)
        if not found:
            raise ConfigWrong(f"[agent] adb_path: no such program: {named}")
        return found
    # The bundled one first: adb before 31 announces neither an unplugged TCP phone nor `unauthorized`.
    spec = importlib.util.find_spec("adbutils")
    bundled = Path(spec.origin).parent / "binaries" / "adb" if spec and spec.origin else None
    if bundled and os.access(bundled, os.X_OK):
        return str(bundled)
    return shutil.which("adb") or ""


def encode(settings: AgentConfig) -> str:
    """Return the configuration as text for another process of ours."""
    return msgspec.json.encode(settings, enc_hook=str).decode()


def decode(text: str) -> AgentConfig:
    """Return what `encode` wrote."""
    return msgspec.json.decode(text, type=AgentConfig, dec_hook=lambda kind, value: kind(value))
