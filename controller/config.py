"""The configuration file: TOML to frozen structs; an unknown key is refused in one line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from controller.alerts import AlertSettings
from controller.errors import ConfigWrong
from controller.hours import FARM_ZONE, zone
from controller.limits import Quotas

FILE_NAME = "config.toml"


class StopLossLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a job of friend adds pauses itself, see controller.stoploss; a person lets it go on."""

    window_rows: Annotated[int, msgspec.Meta(ge=5, le=1_000)] = 30
    max_not_found_percent: Annotated[int, msgspec.Meta(ge=1, le=99)] = 50
    min_requests: Annotated[int, msgspec.Meta(ge=5, le=1_000)] = 30
    accept_after_h: Annotated[int, msgspec.Meta(ge=1, le=720)] = 72
    min_accepted_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5


class NoticeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which notice holders must have been given (docs/compliance.md); under another nothing is captured."""

    version: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,32}$")] = "v1"


class Controller(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section [controller]; relative paths count from the file's folder."""

    # Stands in the mark on each phone, so it is one word of these signs.
    farm_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._:+-]{1,64}$")] = "farm"
    data_dir: str = ""
    store_url: str = ""
    grpc: str = "127.0.0.1:7443"
    http: str = "127.0.0.1:7480"
    lease_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 120
    lost_after_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 30
    not_sent_pause_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 60
    # How long a phone is left alone after a touch, and how long an agent rests between two sweeps.
    hand_quiet_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 30
    sweep_pause_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 5
    words_file: str = ""
    words: tuple[str, ...] = ()
    # Whether a farm without any words yet begins with those of the release.
    default_lexicon: bool = True
    # By which the allowed hours of accounts are read.
    time_zone: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = FARM_ZONE
    quotas: Quotas = Quotas()
    stop_loss: StopLossLimits = StopLossLimits()
    notices: NoticeSettings = NoticeSettings()
    alerts: AlertSettings = AlertSettings()

    def __post_init__(self) -> None:
        zone(self.time_zone)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    controller: Controller = Controller()
    agent: dict[str, Any] = {}  # the agent checks its own table


class Config(msgspec.Struct, frozen=True):
    """What the controller and the `farm` program work with; `path` is None when no file was found."""

    controller: Controller
    path: Path | None
    folder: Path
    data_dir: Path
    store_url: str
    words: tuple[str, ...]

    @property
    def token_file(self) -> Path:
        """Return the file that holds the API token, readable by its owner only."""
        return self.data_dir / "token"

    @property
    def label(self) -> str:
        """Return the file's name for messages."""
        return str(self.path) if self.path else "built-in defaults"


def config_home(env: Mapping[str, str]) -> Path:
    """Return the user's own configuration folder."""
    base = env.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "farm"


def data_home(env: Mapping[str, str]) -> Path:
    """Return the user's own data folder."""
    base = env.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "farm"


def places(env: Mapping[str, str]) -> list[Path]:
    """Return the files looked for when none is named, first wins."""
    return [Path(FILE_NAME), config_home(env) / FILE_NAME, Path("/etc/farm") / FILE_NAME]


def find(named: str | None, env: Mapping[str, str]) -> Path | None:
    """Return the file to read: the named one, $FARM_CONFIG, or the first that exists."""
    chosen = named or env.get("FARM_CONFIG")
    if chosen:
        path = Path(chosen)
        if not path.is_file():
            raise ConfigWrong(f"no such configuration file: {path}. Make one: farm init --config {path}")
        return path
    return next((path for path in places(env) if path.is_file()), None)


def load(named: str | None = None, env: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration, or the defaults when there is no file; ConfigWrong in one line."""
    path = find(named, env)
    if path is None:
        return _resolve(Controller(), None, Path.cwd(), env)
    return _resolve(_read(path).controller, path, path.resolve().parent, env)


def _read(path: Path) -> _File:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigWrong(f"{path}: not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise ConfigWrong(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise ConfigWrong(f"{path}: cannot be read: {error.strerror}") from None
    try:
        return msgspec.convert(raw, _File)
    except msgspec.ValidationError as error:
        raise ConfigWrong(f"{path}: {explain(str(error))}") from None


_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]*)`(?: - at `\$\.?(?P<at>[^`]*)`)?")
_WRONG = re.compile(r"(?P<what>.*?) - at `\$\.(?P<at>[^`]*)`")


def explain(error: str) -> str:
    """Turn a message of msgspec into one that speaks of keys and sections."""
    if unknown := _UNKNOWN.search(error):
        section = f"in [{unknown['at']}]" if unknown["at"] else "at the top level"
        return f'unknown key "{unknown["key"]}" {section}'
    if wrong := _WRONG.search(error):
        section, _, key = wrong["at"].rpartition(".")
        what = wrong["what"].replace("`", "")
        return f"[{section}] {key}: {what[:1].lower()}{what[1:]}" if section else f"[{key}]: {what}"
    return error


def _resolve(section: Controller, path: Path | None, folder: Path, env: Mapping[str, str]) -> Config:
    data_dir = folder / Path(section.data_dir).expanduser() if section.data_dir else data_home(env)
    return Config(
        controller=section,
        path=path,
        folder=folder,
        data_dir=data_dir,
        store_url=_store_url(section.store_url, folder) or f"sqlite:///{data_dir / 'farm.db'}",
        words=(*section.words, *_words_in(section.words_file, folder)),
    )


def _store_url(url: str, folder: Path) -> str:
    """Return the address of the store; the path of a SQLite file counts from the configuration's folder."""
    path = url.removeprefix("sqlite:///")
    return f"sqlite:///{folder / Path(path).expanduser()}" if path != url and path else url


def _words_in(name: str, folder: Path) -> list[str]:
    """Read one word a line; empty lines and lines that begin with # are comments."""
    if not name:
        return []
    path = folder / Path(name).expanduser()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ConfigWrong(f"words_file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigWrong(f"words_file {path}: not UTF-8 text") from None
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
