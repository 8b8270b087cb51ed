"""A power cut at any moment: what was said to be durable is there, in whole steps, and the file opens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.intents import Intents
from agent.model import Ended, Result
from agent.outbox import Outbox
from controller.store.base import Tx
from controller.store.sqlite import SqliteStore
from protos.facts import PhoneStateChanged
from tests.support.clock import fixed_clock
from tests.support.corefarm import armed, core_on, handset, message, over, submit
from tests.support.outboxwriter import chat, task_named
from tests.support.powerloss import Recorder, crashes, kept_in

Pragmas = tuple[str, ...]
# A checkpoint each few pages, so that there are many to be cut in.
OPENED_EACH = 5  # each state is looked at, one in so many is also opened by the product
OFTEN = "PRAGMA wal_autocheckpoint=6"


def outbox_at_work(path: Path, log: Recorder, pragmas: Pragmas) -> None:
    """Do all that an agent does with its file, and say after each step what is promised."""
    for opening in range(2):
        outbox = Outbox.open(path)
        with outbox.reading() as conn:
            for pragma in (OFTEN, *pragmas):
                conn.execute(pragma)
        steps = steps_of(outbox, opening)
        log.say(path)
        for step in steps:
            step()
            log.say(path)
        outbox.close()
        log.say(path)


def steps_of(outbox: Outbox, opening: int) -> list[Callable[[], object]]:
    intents = Intents(outbox)
    steps: list[Callable[[], object]] = []
    for n in range(opening * 4, opening * 4 + 4):
        work = task_named(f"t{n}", outbox)
        steps += [
            lambda n=n: outbox.add(PhoneStateChanged(state="ready", cause=str(n))),
            lambda n=n: outbox.add_chat(chat(outbox.tail_of("k"), n)),
            lambda work=work: intents.receive(work),
            lambda work=work: intents.arm(work),
            lambda n=n: outbox.ack(outbox.highest - 2),
            lambda work=work: intents.end(work, Ended(result=Result.DONE, outcome="requested")),
            lambda n=n: outbox.remember("settings", f"s{n}" * 50),
        ]
    steps += [
        lambda: outbox.set_aside(outbox.highest, "INTERNAL"),
        lambda: outbox.put_back(outbox.highest),
        lambda: outbox.rewind(outbox.highest - 3),
        outbox.purge,
    ]
    if opening:
        steps.append(outbox.renumber)
    return steps


class ToldStore:
    """A store that says after each transaction what is promised now."""

    kind = "sqlite"

    def __init__(self, path: Path, log: Recorder, pragmas: Pragmas) -> None:
        self._store = SqliteStore(path)
        self._say = partial(log.say, path)
        assert self._store._conn is not None
        for pragma in (OFTEN, *pragmas):
            self._store._conn.execute(pragma)
        self._say()

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        with self._store.transaction() as tx:
            yield tx
        self._say()

    def close(self) -> None:
        self._store.close()
        self._say()


def store_at_work(path: Path, log: Recorder, pragmas: Pragmas) -> None:
    """Do what a controller does with its store: phones, jobs, permits, batches."""
    for opening in range(2):
        store = ToldStore(path, log, pragmas)
        core = core_on(store, fixed_clock())
        phone = handset(core, opening + 1, holder="h")
        core.notices.record("h", version="1", how="paper", actor="op")
        submit(core, 2, [phone], first=opening * 10)
        for n in range(3):
            said = [message(f"今天下雨{n}", n * 3 + k, key="chat") for k in range(1, 4)]
            phone.say(*said, account_id=f"wx00{opening + 1}")
        lease = phone.take()
        phone.say(armed(lease))
        phone.say(over(lease))
        store.close()


class Lost(AssertionError):
    """A state that no cut may leave."""


def judge(log: Recorder, scratch: Path, name: str, opens: Callable[[Path], None], **how: Any) -> int:
    """Look at each folder a cut could have left; returns how many there were, Lost for a bad one."""
    count = 0
    for crash in crashes(log, scratch, **how):
        count += 1
        place = f"cut after step {crash.at}, {crash.how} of the unsynced"
        if not (crash.folder / name).exists():
            if crash.said:
                raise Lost(f"{place}: the file is gone")
            continue
        try:
            found = kept_in(crash.folder / name)
        except Exception as error:
            raise Lost(f"{place}: {error}") from error
        if crash.said:
            # What was said last, or the step after it, whole: nothing between and nothing before.
            promised = log.states[crash.said - 1 : crash.said + 1]
            if found not in promised:
                raise Lost(
                    f"{place}: neither what was promised after {crash.said} steps nor the step after it"
                )
        if count % OPENED_EACH == 0:
            opens(crash.folder / name)
    return count


def open_outbox(path: Path) -> None:
    outbox = Outbox.open(path)
    spool = outbox.spool_id
    assert spool
    assert not list(path.parent.glob("*.damaged*"))
    outbox.add(PhoneStateChanged(state="ready", cause="after"))
    outbox.close()


def open_store(path: Path) -> None:
    store = SqliteStore(path)
    with store.transaction() as tx:
        assert tx.farm_epoch() >= 0
    store.close()


WORK = {
    "outbox": ("a.db", outbox_at_work, open_outbox),
    "store": ("farm.db", store_at_work, open_store),
}


def record(which: str, tmp_path: Path, pragmas: Pragmas = ()) -> Recorder:
    folder = tmp_path / "work"
    folder.mkdir()
    log = Recorder(folder)
    name, work, _ = WORK[which]
    with log.recording():
        work(folder / name, log, pragmas)
    return log


@pytest.mark.parametrize("which", list(WORK))
def test_no_cut_loses_what_was_said(
    which: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    log = record(which, tmp_path)
    name, _, opens = WORK[which]
    cuts = judge(log, tmp_path / "cut", name, opens, hows=("nothing", "torn"), before_first=10)
    record_property(
        "exploration", f"power cuts of the {which}: {cuts} states of {len(log.steps)} steps, 0 lost"
    )
    assert cuts > len(log.states)


@pytest.mark.parametrize("which", list(WORK))
def test_less_than_full_synchronisation_is_found(which: str, tmp_path: Path) -> None:
    log = record(which, tmp_path, ("PRAGMA synchronous=NORMAL",))
    name, _, opens = WORK[which]
    with pytest.raises(Lost, match="nothing of the unsynced: neither what was promised"):
        judge(log, tmp_path / "cut", name, opens, hows=("nothing",))


@pytest.mark.parametrize("which", list(WORK))
def test_a_disk_that_forgets_syncs_is_found(which: str, tmp_path: Path) -> None:
    log = record(which, tmp_path)
    log.steps = [step for step in log.steps if step.what != "sync" or step.name.endswith("-wal")]
    name, _, opens = WORK[which]
    with pytest.raises(Lost):
        judge(log, tmp_path / "cut", name, opens)


@pytest.mark.nightly
@pytest.mark.parametrize("which", list(WORK))
@pytest.mark.parametrize("seed", range(1, 9))
def test_no_cut_loses_what_was_said_with_other_parts_kept(which: str, seed: int, tmp_path: Path) -> None:
    log = record(which, tmp_path)
    name, _, opens = WORK[which]
    assert judge(log, tmp_path / "cut", name, opens, seed=seed) > len(log.states)
