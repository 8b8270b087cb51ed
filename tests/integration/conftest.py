"""Real adb servers, one per installed version, and virtual phones behind them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.adb import AdbServer, adb_binaries, adb_server
from tests.support.virtualphone import VirtualPhone, virtual_phone

BINARIES = adb_binaries()


@pytest.fixture(scope="module", params=sorted(BINARIES))
def adb(request: pytest.FixtureRequest) -> Iterator[AdbServer]:
    """A private adb server; the test runs once for each installed version."""
    with adb_server(BINARIES[request.param]) as server:
        yield server


@pytest.fixture(scope="module")
def one_adb() -> Iterator[AdbServer]:
    """A private adb server of the bundled version, for tests that are not about adb."""
    with adb_server(BINARIES["bundled"]) as server:
        yield server


@pytest.fixture
def phone() -> Iterator[VirtualPhone]:
    """A virtual phone with a stub app, not connected yet."""
    with virtual_phone() as running:
        yield running


@pytest.fixture
def connected(adb: AdbServer, phone: VirtualPhone) -> Iterator[VirtualPhone]:
    """A virtual phone that the adb server shows as a device."""
    adb.connect(phone.address)
    adb.wait_state(phone.address, "device")
    yield phone
    adb.run("disconnect", phone.address)
