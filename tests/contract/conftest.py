"""Both databases for one suite; a racer gets its own connection where several writers are allowed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from controller.core import Core
from controller.store import open_store
from tests.support import postgres
from tests.support.backends import Backend
from tests.support.clock import fixed_clock


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that points test_phone.py at a real handset of the running adb server."""
    parser.addoption("--phone", default=None, help="adb serial of a real handset, for test_phone.py")


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[], postgres.Cluster]]:
    """Return the way to the one cluster of this run, started when first wanted."""
    with postgres.on_demand() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with this release's schema and no row in it, to be copied."""
    path = tmp_path_factory.mktemp("template") / "farm.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    servers: Callable[[], postgres.Cluster],
    sqlite_file: Path,
) -> Iterator[Backend]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{shutil.copy(sqlite_file, tmp_path / 'farm.db')}"
        else:
            url = stack.enter_context(servers().lent())
        made = Backend(kind=request.param, url=url, clock=fixed_clock())
        stack.callback(made.close)
        yield made


@pytest.fixture
def core(backend: Backend) -> Core:
    return backend.core()
