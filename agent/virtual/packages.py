"""The packages installed on a virtual phone, and its processes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

FIRST_APP_UID = 10_000
INPUT_METHOD_PACKAGE = "com.github.uiautomator"
INPUT_METHOD_ID = "com.github.uiautomator/.AdbKeyboard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One installed package; `main` is the launcher's activity, empty if it has none."""

    name: str
    version_name: str
    version_code: int
    target_sdk: int = 33
    is_system: bool = False
    main: str = ""
    installer: str = ""  # the package that installed it, "" if none is named
    installed_at_ms: int = 0
    updated_at_ms: int = 0

    @property
    def path(self) -> str:
        """Return the path of the package's APK."""
        if self.is_system:
            return f"/system/app/{self.name}/{self.name}.apk"
        return f"/data/app/~~{zlib.crc32(self.name.encode()):08x}==/{self.name}-1/base.apk"

    @property
    def uid(self) -> int:
        """Return the Linux user id, the same for the same name."""
        return FIRST_APP_UID + zlib.crc32(self.name.encode()) % 9_000


class Packages:
    """What is installed, by package name."""

    def __init__(self) -> None:
        self._by_name: dict[str, Package] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[Package]:
        return iter(list(self._by_name.values()))

    def get(self, name: str) -> Package | None:
        """Return the package or None."""
        return self._by_name.get(name)

    def install(self, package: Package) -> None:
        """Install or replace a package."""
        self._by_name[package.name] = package

    def uninstall(self, name: str) -> bool:
        """Remove a package; False if it is not installed or belongs to the system."""
        found = self._by_name.get(name)
        if found is None or found.is_system:
            return False
        del self._by_name[name]
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One line of `ps`; `args` is what `ps -o ARGS` and `pgrep -f` look at."""

    pid: int
    name: str
    user: str
    args: str


class Processes:
    """The process table; numbers grow and are not used again."""

    def __init__(self) -> None:
        self._next = 1
        self._by_pid: dict[int, Process] = {}
        for name, user in (("init", "root"), ("adbd", "shell"), ("system_server", "system")):
            self.start(name, user=user)
        self._next = 2_000

    def __iter__(self) -> Iterator[Process]:
        return iter(list(self._by_pid.values()))

    def start(self, name: str, *, user: str, args: str = "") -> Process:
        """Add a process and return it."""
        process = Process(pid=self._next, name=name, user=user, args=args or name)
        self._next += 7
        self._by_pid[process.pid] = process
        return process

    def end(self, pid: int) -> None:
        """Remove a process if it is there."""
        self._by_pid.pop(pid, None)

    def named(self, name: str) -> Process | None:
        """Return the process of that name or None."""
        return next((p for p in self._by_pid.values() if p.name == name), None)
