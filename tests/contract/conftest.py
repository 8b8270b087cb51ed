"""Both databases for one suite; a racer gets its own connection where several writers are allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.core import Core
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


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(
    request: pytest.FixtureRequest, tmp_path: Path, servers: Callable[[], postgres.Cluster]
) -> Iterator[Backend]:
    url = f"sqlite:///{tmp_path}/farm.db" if request.param == "sqlite" else servers().fresh_url()
    made = Backend(kind=request.param, url=url, clock=fixed_clock())
    yield made
    made.close()


@pytest.fixture
def core(backend: Backend) -> Core:
    return backend.core()
