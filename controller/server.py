"""The controller as one process: gRPC and HTTP in one loop, the core on one thread."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from typing import cast

import uvicorn
from fastapi import FastAPI

from controller.addresses import bind, check_loopback, shown
from controller.alerting import Alerting
from controller.alerts import addresses_of, targets_of
from controller.clock import HOUR_MS, SystemClock
from controller.config import Config
from controller.core import Core, CoreSettings
from controller.corethread import CoreThread, collect_rarely
from controller.errors import ConfigWrong
from controller.limits import rules_of
from controller.logs import log_to_stderr
from controller.rpc.service import FleetServer
from controller.stoploss import StopLoss
from controller.store import open_store
from controller.tokens import read_token
from controller.web.app import app
from controller.web.bookwatch import BookWatch
from controller.web.scanning import Scanning
from controller.words.tables import load_tables

_GRACE_S = 3


def settings_of(config: Config) -> CoreSettings:
    """Return what the configuration says to the core."""
    section = config.controller
    return CoreSettings(
        quota_rules=rules_of(section.quotas),
        time_zone=section.time_zone,
        words=config.words,
        words_default=section.default_lexicon,
        notice_version=section.notices.version,
        lease_ms=round(section.lease_s * 1000),
        lost_after_ms=round(section.lost_after_s * 1000),
        not_sent_pause_ms=round(section.not_sent_pause_s * 1000),
        hand_quiet_ms=round(section.hand_quiet_s * 1000),
        sweep_pause_ms=round(section.sweep_pause_s * 1000),
        stop_loss=StopLoss(
            window_rows=section.stop_loss.window_rows,
            max_not_found_percent=section.stop_loss.max_not_found_percent,
            min_requests=section.stop_loss.min_requests,
            accept_after_ms=section.stop_loss.accept_after_h * HOUR_MS,
            min_accepted_percent=section.stop_loss.min_accepted_percent,
        ),
        alerts=targets_of(section.alerts),
    )


def run(config: Config) -> None:
    """Serve until SIGINT or SIGTERM; FarmError in one line if it cannot begin."""
    for address in (config.controller.grpc, config.controller.http):
        check_loopback(address)
    token = read_token(config.token_file)
    log_to_stderr()
    collect_rarely()
    asyncio.run(_serve(config, token))


async def _serve(config: Config, token: str) -> None:
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    thread = CoreThread()
    try:
        store = await thread.call(open_store, config.store_url)
        try:
            core = Core(store, SystemClock(), settings_of(config))
            await _listen(config, core, thread, token, stop)
        finally:
            await thread.call(store.close)
    finally:
        thread.close()


async def _listen(config: Config, core: Core, thread: CoreThread, token: str, stop: asyncio.Event) -> None:
    section = config.controller
    # Before gRPC: its own words for a taken port name neither the address nor the cause.
    bind(section.grpc).close()
    alerting = Alerting(core, thread, addresses_of(section.alerts, os.environ))
    with contextlib.closing(bind(section.http)) as http:
        fleet = FleetServer(core, thread, section.farm_id)
        grpc_port = await fleet.start(section.grpc)
        api = app(core, thread, token, farm_id=section.farm_id, alerting=alerting)
        watch, scanning = BookWatch(core, thread), cast(Scanning, api.state.scanning)
        web = _Web(api)
        served = asyncio.create_task(web.serve([http]))
        try:
            await web.until_up(served)
            alerting.start()
            # Searches of the history that a former run left go on.
            scanning.wake()
            if core.books.is_shared:
                watch.start()
            _announce(config, grpc_port, http)
            # The first suspicious message should not wait for them.
            tables = asyncio.create_task(asyncio.to_thread(load_tables))
            await _until_stopped(stop, served)
            await tables
        finally:
            web.should_exit = True
            await scanning.stop()
            await watch.stop()
            await fleet.stop(_GRACE_S)
            await asyncio.to_thread(alerting.stop, _GRACE_S)
            await asyncio.gather(served, return_exceptions=True)


class _Web(uvicorn.Server):
    """uvicorn without its own signal handlers: one place stops everything."""

    def __init__(self, api: FastAPI) -> None:
        config = uvicorn.Config(
            api,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_GRACE_S,
            server_header=False,
        )
        super().__init__(config)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the controller."""
        yield

    async def until_up(self, served: asyncio.Task[None]) -> None:
        """Wait until requests are answered; the error of a server that ended before."""
        while not self.started:
            if served.done():
                await served
                raise ConfigWrong("the HTTP server ended before it was up")
            await asyncio.sleep(0.01)


def _announce(config: Config, grpc_port: int, http: socket.socket) -> None:
    host, _, _ = config.controller.grpc.rpartition(":")
    web = f"http://{shown(http)}"
    sys.stdout.write(
        f"Ready. Agents: {host}:{grpc_port}  People and programs: {web}  Data: {config.data_dir}\n"
    )
    sys.stdout.flush()


async def _until_stopped(stop: asyncio.Event, served: asyncio.Task[None]) -> None:
    """Wait for the signal; an HTTP server that ends before takes the controller down with its error."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, served}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if served.done():
        served.result()
