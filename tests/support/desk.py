"""A person at a desk: the real `farm` against a real HTTP side, whose core the test can reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from controller.core import Core
from controller.hours import WHOLE_DAY
from controller.limits import Quotas, rules_of
from controller.model import QuotaRule
from tests.support.corefarm import Handset, handset
from tests.support.farm_program import Home, Said
from tests.support.running_api import TOKEN, RunningApi

T = TypeVar("T")


@dataclass
class Desk:
    """Commands go to a controller in this process, under the farm's own limits at any hour of the day."""

    folder: Path
    words: tuple[str, ...] = ()
    rules: tuple[QuotaRule, ...] = tuple(
        replace(rule, hours=WHOLE_DAY, ramp=()) for rule in rules_of(Quotas())
    )
    home: Home = field(init=False)
    api: RunningApi = field(init=False)

    def __enter__(self) -> Self:
        self.home = Home(self.folder)
        self.api = RunningApi(self.folder, words=self.words, rules=self.rules)
        self.api.__enter__()
        token = self.folder / "token"
        token.write_text(TOKEN, encoding="utf-8")
        self.home.env |= {"FARM_URL": self.api.url, "FARM_TOKEN_FILE": str(token)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.api.__exit__(kind, error, at)

    def farm(self, *args: str) -> Said:
        """Run a command; a person must never meet a traceback."""
        said = self.home.farm(*args)
        assert "Traceback" not in said.out + said.err, said.err
        return said

    def refused(self, code: int, *args: str, words: str = "") -> None:
        """Check that a command fails in one line with an exit code."""
        said = self.farm(*args)
        assert said.code == code, said
        lines = [line for line in said.err.splitlines() if not line.startswith("Try: ")]
        assert len(lines) == 1, said.err
        assert lines[0].startswith("farm: ")
        assert words in lines[0]

    def ask(self, fn: Callable[[Core], T]) -> T:
        """Run fn(core) on the core's thread."""
        return self.api.ask(fn)

    def phone(self, number: int) -> Handset:
        """Return a numbered virtual phone with an account that may act."""
        return self.ask(lambda core: handset(core, number))

    def write(self, name: str, text: str) -> str:
        """Write a file into the person's folder and return its name."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return name
