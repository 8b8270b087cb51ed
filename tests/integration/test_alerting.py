"""Alerts over real sockets: what arrives, what a target that hangs or fails costs, what a restart repeats."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from controller.alerting import Alerting
from controller.alerts import Target
from controller.clock import HOUR_MS, FixedClock, SystemClock
from controller.core import Core
from controller.corethread import CoreThread
from controller.errors import ConfigWrong
from controller.store import open_store
from controller.store.base import Store
from protos.facts import MessageSeen
from tests.support.clock import fixed_clock
from tests.support.corefarm import Handset, core_on, handset
from tests.support.farm_program import Home, Serving
from tests.support.outside import Abyss, Inbox, until
from tests.support.planted import plant

T = TypeVar("T")

DUTY = Target(name="duty", severities=("high", "critical"), language="en")
BOSS = Target(name="boss", severities=("high", "critical"), language="zh")


class Farm:
    """A core on its own thread, as the controller has it."""

    def __init__(self, folder: Path, *targets: Target) -> None:
        self.clock: FixedClock = fixed_clock()
        self.store: Store = open_store(f"sqlite:///{folder}/farm.db")
        self.thread = CoreThread()
        self.core: Core = core_on(self.store, self.clock, alerts=targets)

    def call(self, fn: Callable[[], T]) -> T:
        done: Future[T] = Future()

        def turn() -> None:
            try:
                done.set_result(fn())
            except BaseException as error:  # noqa: BLE001 raised on the test's thread
                done.set_exception(error)

        self.thread.submit(turn)
        return done.result(timeout=60)

    def find(self, **parts: Any) -> int:
        def found() -> int:
            planted = plant(self.store, at_ms=self.clock.now_ms(), **parts)
            self.core.alerts.sweep()
            return planted

        return self.call(found)

    def states(self, target: str) -> list[tuple[str, str]]:
        alerts = self.call(lambda: self.core.alerts.list(target=target))
        return [(alert.state, alert.error) for alert in alerts]

    @contextmanager
    def sending(self, kind: type[Alerting] = Alerting, **addresses: str) -> Iterator[Alerting]:
        alerting = kind(self.core, self.thread, addresses, pause_s=0.05, deadline_s=2.0)
        alerting.start()
        try:
            yield alerting
        finally:
            alerting.stop(5)


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    made = Farm(tmp_path, DUTY, BOSS)
    yield made
    made.call(made.store.close)
    made.thread.close()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as running:
        yield running


@pytest.fixture
def abyss() -> Iterator[Abyss]:
    made = Abyss()
    yield made
    made.close()


def test_what_arrives_names_the_place_and_nobody(farm: Farm, inbox: Inbox) -> None:
    with farm.sending(duty=inbox.address):
        found = farm.find()
        until(lambda: inbox.messages, "a message")
        until(lambda: farm.states("duty") == [("sent", "")], "the record of it")
    assert inbox.messages[0]["title"] == "Violation (high)"
    assert inbox.messages[0]["message"] == f"L012 offpay, phone 017, 王*, violation {found}"


def test_a_test_message_is_told_at_once(farm: Farm, inbox: Inbox) -> None:
    with farm.sending(duty=inbox.address) as alerting:
        assert alerting.try_out(DUTY) == ""
        assert alerting.try_out(BOSS) == "unknown target"
    assert [message["title"] for message in inbox.messages] == ["Violation (test)"]


def test_a_target_that_fails_is_told_when_it_is_back(farm: Farm, inbox: Inbox) -> None:
    inbox.status = 503
    with farm.sending(duty=inbox.address):
        farm.find()
        until(lambda: farm.states("duty") == [("waiting", "http_503")], "the cause")
        assert farm.call(farm.core.status).alerts_failing == 1
        inbox.status = 200
        farm.clock.advance(HOUR_MS)
        until(lambda: farm.states("duty") == [("sent", "")], "the second try")
    assert len(inbox.messages) == 1


def test_nobody_there_is_a_cause_too(farm: Farm) -> None:
    with farm.sending(duty="json://127.0.0.1:1/"):
        farm.find()
        until(lambda: farm.states("duty") == [("waiting", "no_connection")], "the cause")


def test_an_address_that_is_none_is_refused_and_not_quoted(farm: Farm) -> None:
    with pytest.raises(ConfigWrong, match="alert target duty") as refusal:
        Alerting(farm.core, farm.thread, {"duty": "secret-of-somebody"})
    assert "secret" not in str(refusal.value)


# ---- a target that hangs for ever


class OnTheCore(Alerting):
    """What must not be: it sends on the core's thread."""

    def _say(self, name: str, title: str, body: str) -> str:
        return self._on_core(partial(self._ways[name], title, body))


def batches_taken_in_while_it_hangs(farm: Farm, abyss: Abyss, kind: type[Alerting]) -> int:
    """Return how many batches are archived from the moment the target hangs until it counts as silent."""
    phone = farm.call(lambda: ready_phone(farm.core))

    def take_one_in() -> bool:
        if farm.core.alerts.list(target="duty")[0].error:
            return False
        phone.say(said(phone.seq + 1), account_id="wx007")
        return True

    with farm.sending(kind, duty=abyss.address):
        farm.find()
        until(lambda: abyss.taken, "the target's connection")
        while farm.call(take_one_in):
            assert phone.seq < 100_000, "it hangs for ever, and nobody noticed"
    assert farm.states("duty")[0][0] == "waiting"
    assert farm.call(farm.core.status).messages == phone.seq
    return phone.seq


def ready_phone(core: Core) -> Handset:
    phone = handset(core, 7, holder="王芳")
    core.notices.record("王芳", version="v1", how="paper", actor="op")
    return phone


def said(position: int) -> MessageSeen:
    return MessageSeen(
        conversation_key="one",
        conversation_title="One",
        conversation_kind="private",
        position=position,
        side="out",
        kind="text",
        text="好的",
        time_label="",
        ambiguous=False,
    )


def test_ingest_goes_on_while_a_target_hangs_for_ever(farm: Farm, abyss: Abyss) -> None:
    assert batches_taken_in_while_it_hangs(farm, abyss, Alerting) >= 20


def test_the_proof_notices_when_it_is_sent_on_the_cores_thread(farm: Farm, abyss: Abyss) -> None:
    assert batches_taken_in_while_it_hangs(farm, abyss, OnTheCore) <= 3


def test_other_targets_are_told_while_one_hangs(farm: Farm, abyss: Abyss, inbox: Inbox) -> None:
    with farm.sending(duty=abyss.address, boss=inbox.address) as alerting:
        farm.find()
        until(lambda: inbox.messages, "the other target's message")
        until(lambda: farm.states("duty") == [("waiting", "timeout")], "the cause")
        # While the first call hangs no second one begins: a silent target costs one thread.
        assert alerting.try_out(DUTY) == "timeout"
        assert len(abyss.taken) == 1
    assert "手机" in inbox.messages[0]["message"]


# ---- the whole program


def target(address: str, *more: str) -> str:
    return "\n".join(["", "[[controller.alerts.targets]]", 'name = "duty"', f'url = "{address}"', *more, ""])


def a_home(folder: Path, table: str) -> Home:
    home = Home(folder)
    assert home.init().code == 0
    home.config.write_text(home.config.read_text(encoding="utf-8") + table, encoding="utf-8")
    return home


def find_in(home: Home) -> int:
    """Put a violation into the store of a farm that does not run."""
    found = next(home.data.rglob("*.db"), home.data / "farm.db")
    store = open_store(f"sqlite:///{found}")
    try:
        return plant(store, at_ms=SystemClock().now_ms())
    finally:
        store.close()


def sent(home: Home) -> int:
    return len(home.farm("alerts", "list", "--state", "sent", "--json").json)


def test_after_a_kill_what_was_sent_is_not_sent_again_and_the_rest_is(tmp_path: Path, inbox: Inbox) -> None:
    home = a_home(tmp_path, target(inbox.address, 'language = "en"'))
    first = find_in(home)
    with Serving(home) as serving:
        until(lambda: sent(home) == 1, "the first alert")
        serving.stop(signal.SIGKILL)
    second = find_in(home)
    with Serving(home):
        until(lambda: sent(home) == 2, "the second alert")
        assert "alerts      1 target, 0 waiting" in home.farm("status").out
    assert [message["message"].rpartition(" ")[2] for message in inbox.messages] == [str(first), str(second)]


def test_what_fails_is_shown_to_people(tmp_path: Path, inbox: Inbox) -> None:
    home = a_home(tmp_path, target(inbox.address))
    found = find_in(home)
    inbox.status = 500
    with Serving(home):
        until(lambda: "http_500" in home.farm("alerts", "list").out, "the cause")
        assert "1 of them failing" in home.farm("status").out
        doctor = home.farm("doctor")
        assert "1 could not be sent yet" in doctor.out
        tried = home.farm("alerts", "test", "duty")
        assert (tried.code, tried.err.splitlines()[0]) == (1, "duty was not told: http_500")
        assert "url_env" in tried.err
        inbox.status = 200
        assert home.farm("alerts", "test", "duty").code == 0
        assert "1 alert tried again now." in home.farm("alerts", "retry", "--all").err
        until(lambda: sent(home) == 1, "the alert")
        listed = home.farm("alerts", "targets", "--json").json[0]
        assert (listed["target"], listed["failing"], listed["severities"]) == (
            "duty",
            0,
            ["high", "critical"],
        )
        assert inbox.address not in home.farm("alerts", "targets", "--json").out
        assert home.farm("alerts", "test", "nobody").code == 2
        assert home.farm("alerts", "retry").code == 2
    assert str(found) in inbox.messages[-1]["message"]


def test_an_address_may_stand_in_the_environment_only(tmp_path: Path, inbox: Inbox) -> None:
    table = target("x").replace('url = "x"', 'url_env = "FARM_ALERT_DUTY"')
    home = a_home(tmp_path, table)
    refused = home.farm("serve")
    assert refused.code == 1
    assert "the variable FARM_ALERT_DUTY is not set" in refused.err
    home.env["FARM_ALERT_DUTY"] = "no address"
    refused = home.farm("serve")
    assert "alert target duty: is no address that apprise understands" in refused.err
    home.env["FARM_ALERT_DUTY"] = inbox.address
    with Serving(home):
        assert home.farm("alerts", "test", "duty").code == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('min_severity = "urgent"', "min_severity"),
        ('min_severity = "low"\nseverities = ["high"]', "not both"),
        ('url_env = "X"', "one of both"),
        ("per_hour = 0", "per_hour"),
        ("secret = 1", 'unknown key "secret"'),
    ],
)
def test_a_target_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, line: str, words: str) -> None:
    home = a_home(tmp_path, target("json://127.0.0.1:1", line))
    refused = home.farm("serve")
    assert refused.code == 1
    assert words in refused.err
    assert len(refused.err.strip().splitlines()) == 1
