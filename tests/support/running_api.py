"""The HTTP API over a real socket, with its core on its thread, for blocking tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
import uvicorn

from controller.addresses import bind, shown
from controller.clock import SystemClock
from controller.core import Core, CoreSettings
from controller.corethread import CoreThread
from controller.model import Action, PhoneId, QuotaRule
from controller.sessions import Greeting
from controller.store import open_store
from controller.web.app import app
from protos.facts import Event, Fact, PhoneFacts
from protos.wire import seal

T = TypeVar("T")

TOKEN = "token-of-this-test"


class RunningApi:
    """A controller's HTTP side on a free port of 127.0.0.1."""

    def __init__(
        self,
        folder: Path,
        *,
        words: tuple[str, ...] = (),
        per_day: int = 10,
        rules: tuple[QuotaRule, ...] | None = None,
    ) -> None:
        rule = QuotaRule(action=Action.FRIEND_ADD, per_day=per_day, per_hour=per_day, spacing_ms=0)
        self._settings = CoreSettings(quota_rules=rules or (rule,), words=words, words_default=False)
        self._store_url = f"sqlite:///{folder / 'farm.db'}"
        self._up = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._seqs: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._up.wait(20), "the API did not start"
        if self._failure is not None:
            raise self._failure
        self.client = httpx2.Client(
            base_url=f"{self.url}/api/v1",
            headers={"authorization": f"Bearer {TOKEN}", "x-farm-actor": "li.ops"},
            timeout=20,
            trust_env=False,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.client.close()
        self._web.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  handed to the test's own thread
            self._failure = error
            self._up.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._core_thread = CoreThread()
        store = await self._core_thread.call(open_store, self._store_url)
        self.core = Core(store, SystemClock(), self._settings)
        listener = bind("127.0.0.1:0")
        self.url = f"http://{shown(listener)}"
        api = app(self.core, self._core_thread, TOKEN, farm_id="test-farm")
        config = uvicorn.Config(api, log_config=None, access_log=False, lifespan="off")
        self._web = uvicorn.Server(config)
        self._up.set()
        await self._web.serve([listener])
        await self._core_thread.call(store.close)
        self._core_thread.close()

    def ask(self, fn: Callable[[Core], T]) -> T:
        """Run fn(core) on the core's thread."""

        async def call() -> T:
            return await self._core_thread.call(fn, self.core)

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(20)

    def plug_in(self, serial: str, slot: str = "1-1") -> None:
        """Let a handset say hello."""
        facts = PhoneFacts(
            serial=serial, slot=slot, host="shelf-1", brand="phonefarm", model="Virtual", is_virtual=True
        )
        self.ask(lambda core: core.fleet.hello(Greeting(facts=facts, spool_id=f"spool-{serial}")))

    def report(self, phone_id: str, *facts: Fact, account_id: str, at_ms: int | None = None) -> None:
        """Let a numbered phone send events."""
        read_at_ms = self.core.clock.now_ms() if at_ms is None else at_ms
        first = self._seqs.get(phone_id, 0) + 1
        bodies = [
            seal(
                Event(
                    uid=f"{phone_id}-{first + at}",
                    at_ms=read_at_ms + at,
                    phone_epoch=1,
                    account_id=account_id,
                    fact=fact,
                )
            )
            for at, fact in enumerate(facts)
        ]
        self._seqs[phone_id] = first + len(bodies) - 1
        self.ask(lambda core: core.archive.accept(PhoneId(phone_id), f"spool-{phone_id}", first, bodies))

    def get(self, path: str, **params: Any) -> httpx2.Response:
        """Ask for something."""
        return self.client.get(path, params=params)

    def post(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        """Change something."""
        return self.client.post(path, json=body)

    def upload(self, path: str, raw: bytes, **params: Any) -> httpx2.Response:
        """Send a list."""
        return self.client.post(path, content=raw, params=params, headers={"content-type": "text/csv"})
