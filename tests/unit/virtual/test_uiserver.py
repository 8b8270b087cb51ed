"""The on-phone server over HTTP: keep-alive, faults, and its life with its shell stream."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agent.virtual import uiserver
from agent.virtual.channel import LocalEnd, socket_pair
from agent.virtual.handset import Handset
from agent.virtual.shellio import NoInput, Output
from agent.virtual.shellservice import new_shell
from tests.support.stubapp import StubApp
from tests.support.virtualphone import stub_handset

START = "CLASSPATH=/data/local/tmp/u2.jar app_process / com.wetest.uia2.Main -p 9008"


class Running:
    """A handset whose on-phone server runs in a shell; `dial` opens a connection to it."""

    def __init__(self, handset: Handset, app: StubApp) -> None:
        self.handset, self.app = handset, app
        self.output = bytearray()
        self.shell = asyncio.create_task(self.start())

    async def start(self) -> int:
        async def sink(data: bytes) -> None:
            self.output.extend(data)

        out = Output(sink)
        return await new_shell(self.handset).run(START, NoInput(), out, out)

    def dial(self) -> LocalEnd:
        listener = self.handset.listener("tcp:9008")
        assert listener is not None, "nobody listens"
        near, far = socket_pair()
        self.served = asyncio.ensure_future(listener(far))
        return near

    async def listening(self) -> None:
        await until(lambda: self.handset.listener("tcp:9008") is not None)


async def until(condition: Callable[[], bool]) -> None:
    """Poll a condition; the test's own time-out ends it."""
    while not condition():  # noqa: ASYNC110  # the conditions are facts of the phone, not events
        await asyncio.sleep(0.001)


def run(work: Callable[[Running], Awaitable[None]]) -> Running:
    async def main() -> Running:
        app = StubApp()
        handset = stub_handset(app)
        handset.files.write("/data/local/tmp/u2.jar", b"jar")
        handset.start_app("com.tencent.mm")
        running = Running(handset, app)
        try:
            await running.listening()
            await asyncio.wait_for(work(running), 10)
        finally:
            running.shell.cancel()
            await asyncio.gather(running.shell, return_exceptions=True)
        return running

    return asyncio.run(main())


def request(verb: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    head = f"{verb} {path} HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def call(method: str, *params: Any) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    return request("POST", "/jsonrpc/0", body)


async def answer(end: LocalEnd) -> tuple[int, bytes]:
    """Return status and body of one response; ConnectionError when it does not come whole."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += await some(end)
    head, _, body = raw.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += await some(end)
    return int(head.split()[1]), body


async def some(end: LocalEnd) -> bytes:
    data = await end.read()
    if not data:
        raise ConnectionError
    return data


def test_one_connection_carries_many_requests() -> None:
    async def work(running: Running) -> None:
        end = running.dial()
        for _ in range(3):
            await end.write(request("GET", "/ping"))
            assert await answer(end) == (200, b"pong")
        await end.write(call("getText", {"mask": 1, "text": "确定"}))
        status, body = await answer(end)
        assert (status, json.loads(body)["result"]) == (200, "确定")
        await end.write(request("GET", "/screenshot/0"))
        assert (await answer(end))[1].startswith(b"\xff\xd8")
        await end.write(request("GET", "/nothing"))
        assert (await answer(end))[0] == 404
        whole = request("GET", "/ping")
        await end.write(whole[:10])
        await end.write(whole[10:] + whole)
        assert await answer(end) == (200, b"pong")

    run(work)


def test_a_body_without_charset_is_ascii() -> None:
    async def work(running: Running) -> None:
        end = running.dial()
        body = '{"id":1,"method":"exist","params":[{"mask":1,"text":"确定"}]}'.encode()
        await end.write(request("POST", "/jsonrpc/0", body))
        assert json.loads((await answer(end))[1])["result"] is False
        await end.write(request("POST", "/jsonrpc/0", body, "application/json; charset=utf-8"))
        assert json.loads((await answer(end))[1])["result"] is True
        await end.write(request("POST", "/jsonrpc/0", b"{"))
        assert json.loads((await answer(end))[1])["error"]["code"] == -32700

    run(work)


def test_an_idle_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert uiserver.IDLE_CLOSE_S == 5.0
    monkeypatch.setattr(uiserver, "IDLE_CLOSE_S", 0.05)

    async def work(running: Running) -> None:
        end = running.dial()
        await end.write(request("GET", "/ping"))
        assert await answer(end) == (200, b"pong")
        assert await end.read() == b""

    run(work)


# (fault, taps made, what the client gets)
STRIKES = [
    ("drop", 0, "closed"),
    ("lost_after_act", 1, "closed"),
    ("half_reply", 1, "closed"),
    ("http_500", 1, "500"),
    ("not_connected", 1, "UiAutomation not connected"),
    ("dead_object", 1, "android.os.DeadObjectException"),
    ("server_killed", 0, "closed"),
    ("hang", 0, "silence"),
    ("hang_after_act", 1, "silence"),
]


@pytest.mark.parametrize(("fault", "taps", "outcome"), STRIKES)
def test_faults_of_a_call(fault: str, taps: int, outcome: str) -> None:
    async def work(running: Running) -> None:
        running.handset.faults.set(fault, "click")
        end = running.dial()
        await end.write(call("exist", {"mask": 1, "text": "确定"}))  # another method: nothing happens
        assert (await answer(end))[0] == 200
        await end.write(call("click", 540, 550))
        got = await told(end)
        assert outcome in got
        assert running.handset.counters["tap"] == taps
        if fault == "server_killed":
            assert running.handset.listener("tcp:9008") is None
            assert await running.shell == 0
            assert running.handset.ui_automation is None
        else:
            again = running.dial()
            await again.write(call("click", 540, 550))
            assert (await answer(again))[0] == 200  # struck once

    run(work)


async def told(end: LocalEnd) -> str:
    try:
        status, body = await asyncio.wait_for(answer(end), 0.2)
    except TimeoutError:
        return "silence"
    except ConnectionError:
        return "closed"
    return "500" if status == 500 else body.decode()


def test_a_slow_answer_comes_later() -> None:
    async def work(running: Running) -> None:
        running.handset.faults.set("slow", "ping", ms=100)
        end = running.dial()
        began = asyncio.get_running_loop().time()
        await end.write(call("ping"))
        assert (await answer(end))[0] == 200
        assert asyncio.get_running_loop().time() - began >= 0.1

    run(work)


def test_a_call_is_finished_though_the_client_hangs_up() -> None:
    async def work(running: Running) -> None:
        running.handset.time_scale = 0.5
        end = running.dial()
        await end.write(call("click", 540, 550))
        await end.close()
        await until(lambda: bool(running.app.taps))

    assert run(work).app.taps == [(540, 550)]


def test_the_server_dies_with_its_shell() -> None:
    async def work(running: Running) -> None:
        end = running.dial()
        running.shell.cancel()
        await asyncio.gather(running.shell, return_exceptions=True)
        assert running.handset.listener("tcp:9008") is None
        assert running.handset.ui_automation is None
        assert running.handset.processes.named("app_process") is None
        assert await end.read() == b""

    run(work)


def test_stop_ends_it() -> None:
    async def work(running: Running) -> None:
        end = running.dial()
        await end.write(request("GET", "/stop"))
        assert (await answer(end))[0] == 200
        assert await running.shell == 0

    run(work)


def test_a_second_one_is_already_registered() -> None:
    async def work(running: Running) -> None:
        second = Running(running.handset, running.app)
        assert await second.shell == 1
        assert b"already registered" in second.output
        assert running.handset.listener("tcp:9008") is not None

    run(work)


def test_a_stale_one_can_be_killed_by_name() -> None:
    async def work(running: Running) -> None:
        async def sink(data: bytes) -> None:
            running.output.extend(data)

        out = Output(sink)
        shell = new_shell(running.handset)
        assert await shell.run("pkill -f com.wetest.uia2.Main", NoInput(), out, out) == 0
        assert await running.shell == 0

    run(work)


def test_without_its_jar_it_does_not_start() -> None:
    async def work(running: Running) -> None:
        running.handset.files.remove("/data/local/tmp/u2.jar")
        second = Running(running.handset, running.app)
        assert await second.shell == 1
        assert b"Could not find or load main class" in second.output

    run(work)


def test_toasts_of_before_the_start_are_not_seen() -> None:
    async def main() -> Any:
        app = StubApp()
        handset = stub_handset(app)
        handset.start_app("com.tencent.mm")
        handset.files.write("/data/local/tmp/u2.jar", b"jar")
        app.tap(540, 550)
        running = Running(handset, app)
        await running.listening()
        seen = handset.toast()
        running.shell.cancel()
        await asyncio.gather(running.shell, return_exceptions=True)
        return seen

    assert asyncio.run(main()) is None
