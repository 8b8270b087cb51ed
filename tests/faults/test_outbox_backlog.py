"""Days without a controller: it catches up oldest first, and what is now does not wait behind what was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.intents import Intents
from agent.model import Settings
from agent.outbox import Outbox
from agent.session import Greeting, Session
from agent.wire import Pulse
from controller.clock import SystemClock
from controller.core import Core
from controller.store import open_store
from protos.facts import PhoneFacts
from tests.support.corefarm import core_on, handset, message
from tests.support.fleetstub import until
from tests.support.rpcfarm import serving

EVENTS_PER_S = 500  # what is promised for each phone
BATCHES = 40


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    store = open_store(f"sqlite:///{tmp_path}/farm.db")
    core = core_on(store, SystemClock())
    core.notices.record("h", version="1", how="paper", actor="op")
    handset(core, 1, holder="h")
    yield core
    store.close()


def test_a_long_backlog_is_caught_up_in_order_while_the_newest_state_goes_ahead(
    core: Core, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    outbox = Outbox.open(tmp_path / "a.db")
    outbox.account_id = "wx001"
    for batch in range(BATCHES):
        outbox.add(*(message(str(n), n) for n in range(batch * 200 + 1, batch * 200 + 201)))
    count = outbox.highest
    pulse = [Pulse(state="ready", account_id="wx001")]
    session = Session(
        target="",
        greeting=Greeting(phone=PhoneFacts(serial="V001", brand="phonefarm", is_virtual=True), version="1"),
        outbox=outbox,
        intents=Intents(outbox),
        pulse=lambda: pulse[0],
        settings=Settings(),
    )
    with serving(core) as edge:
        session._target = f"127.0.0.1:{edge.port}"
        phone_id = edge.call(core.fleet.phones)[0].phone_id
        session.start()
        until(lambda: outbox.acked > 0, "the first acknowledgement", 20)
        began_s, began = time.monotonic(), outbox.acked
        assert edge.call(core.fleet.phone, phone_id).cause.startswith("backlog ")
        pulse[0] = Pulse(state="backoff", cause="now", account_id="wx001")
        session.beat()
        until(lambda: edge.call(core.fleet.phone, phone_id).cause == "now", "the newest state", 20)
        behind = outbox.backlog
        until(lambda: outbox.backlog == 0, "the whole backlog", 60)
        rate = (count - began) / (time.monotonic() - began_s)
        session.close()
    outbox.close()
    assert behind > 0, "the state came only after the backlog"
    record_property("exploration", f"backlog: {rate:.0f} events/s caught up, state ahead of {behind} events")
    assert rate >= EVENTS_PER_S
    (chat,) = core.archive.conversations()
    last = core.archive.messages(chat.id, limit=500)
    assert [m.text for m in last] == [str(n) for n in range(count - 499, count + 1)]
    assert chat.messages == count
    assert session.failure is None
