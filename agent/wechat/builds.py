"""Which build of WeChat is installed: versions of one name differ by build and by store."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agent.errors import UnknownVersion
from agent.model import LearnedTable
from agent.wechat.clients import ClientTable, table_for

# The build is asked again after this long: a person may have updated the client.
BUILD_LIFE_S = 600.0
# Lines of `dumpsys package`; the installer is left out or "null" where none is known.
_VERSION_NAME = re.compile(r"versionName=(\S+)")
_VERSION_CODE = re.compile(r"versionCode=(\d+)")
_INSTALLER = re.compile(r"installerPackageName=(\S+)")


@dataclass(frozen=True, slots=True)
class Build:
    """What tells builds apart; `installer` is the package that installed it, "" if none is named."""

    version_name: str
    version_code: int
    installer: str

    def __str__(self) -> str:
        return f"{self.version_name or 'none'} ({self.version_code}) {self.installer}".strip()


def build_of(said: str) -> Build:
    """Return the build that `dumpsys package com.tencent.mm` tells of; empty where it tells nothing."""
    name, code, installer = (one.search(said) for one in (_VERSION_NAME, _VERSION_CODE, _INSTALLER))
    by = installer[1] if installer else ""
    return Build(name[1] if name else "", int(code[1]) if code else 0, "" if by == "null" else by)


class Installed:
    """The client on one phone: its build, asked of the phone by `ask`, and the table that fits it."""

    def __init__(self, ask: Callable[[], str], *, clock: Callable[[], float]) -> None:
        self._ask = ask
        self._clock = clock
        self._table: ClientTable | None = None
        self._assumed: ClientTable | None = None
        self._table_at_s = float("-inf")
        self.last = Build("", 0, "")  # as last seen
        self.learned: tuple[LearnedTable, ...] = ()

    def learn(self, learned: tuple[LearnedTable, ...]) -> None:
        """Take the tables that persons accepted in place of those told before."""
        if learned != self.learned:
            self.learned = learned
            self._table_at_s = float("-inf")

    @contextmanager
    def reading_by(self, table: ClientTable) -> Iterator[None]:
        """Read pages by a table of words for a while, whatever build is installed; only to learn its ids."""
        self._assumed = table
        try:
            yield
        finally:
            self._assumed = None

    def wear_out(self) -> None:
        """Ask the phone again which build is installed, at the next use."""
        self._table = None

    def build(self) -> Build:
        """Return which build is installed now."""
        self.last = build_of(self._ask())
        return self.last

    def table(self) -> ClientTable:
        """Return what is known of the installed build; UnknownVersion if nobody knows it."""
        if self._assumed is not None:
            return self._assumed
        if self._table is None or self._clock() - self._table_at_s > BUILD_LIFE_S:
            build = self.build()
            name, code, installer = build.version_name, build.version_code, build.installer
            self._table = table_for(name, code, installer, self.learned)
            if self._table is None:
                raise UnknownVersion(
                    f"WeChat {build} is not known", version_name=name, version_code=code, installer=installer
                )
            self._table_at_s = self._clock()
        return self._table
