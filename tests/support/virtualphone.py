"""One virtual phone with a stub app on a loop of its own, for blocking tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from agent.virtual.adbd import PhonePort
from agent.virtual.handset import Handset
from agent.virtual.looper import Looper
from tests.support.stubapp import StubApp

P = ParamSpec("P")
T = TypeVar("T")


class VirtualPhone:
    """A handset, its port and its loop; `do` runs a function on the loop's thread."""

    def __init__(self, looper: Looper, handset: Handset, app: StubApp, port: PhonePort) -> None:
        self.looper, self.handset, self.app, self.port = looper, handset, app, port

    @property
    def address(self) -> str:
        return self.port.address

    def do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return self.looper.do(function, *args, **kwargs)

    def fault(self, name: str, method: str = "*", count: int | None = 1, ms: int = 0) -> None:
        self.do(self.handset.faults.set, name, method, count, ms)

    def clear_faults(self) -> None:
        self.do(self.handset.faults.clear)

    def unplug(self) -> None:
        self.looper.call(self.port.unplug())

    def plug(self) -> None:
        self.looper.call(self.port.plug())


def stub_handset(app: StubApp | None = None, **changes: Any) -> Handset:
    """Return a handset with a stub app in WeChat's place and gestures that take no time."""
    values: dict[str, Any] = {
        "serial": "VIRT0001",
        "app": app or StubApp(),
        "wechat_version_name": "8.0.61",
        "wechat_version_code": 2_840,
        "time_scale": 0.0,
    }
    return Handset(**{**values, **changes})


@contextmanager
def virtual_phone(app: StubApp | None = None, **changes: Any) -> Iterator[VirtualPhone]:
    """Run one virtual phone on a free port."""
    stub = app or StubApp()
    with Looper() as looper:
        handset = looper.do(stub_handset, stub, **changes)
        port = looper.call(PhonePort.open(handset))
        try:
            yield VirtualPhone(looper, handset, stub, port)
        finally:
            looper.call(port.close())
