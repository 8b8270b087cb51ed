"""kill -9 at any moment of writing: what was committed is there, numbers have no hole, steps are whole."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from agent.intents import Intents
from agent.outbox import Outbox
from protos import wire
from protos.facts import MessageSeen, TaskArmed, TaskEnded

ROOT = Path(__file__).parents[2]
ROUNDS = 12


def write_and_kill(path: Path, after_s: float) -> list[list[str]]:
    """Run the writer, kill it some time after it opened the file, and return what it said was committed."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.support.outboxwriter", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    said = [writer.stdout.readline().split()]
    assert said[0][:1] == ["open"], "the writer did not open the file"
    killer = threading.Timer(after_s, writer.kill)
    killer.start()
    said += [line.split() for line in writer.stdout if line.endswith("\n")]
    assert writer.wait(10) == -signal.SIGKILL
    killer.join()
    writer.stdout.close()
    return said


def last(said: list[list[str]], kind: str) -> list[str]:
    return next((line for line in reversed(said) if line[0] == kind), [])


@pytest.mark.parametrize("seed", range(3))
def test_nothing_committed_is_lost(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "a.db"
    spool = ""
    acked = 0
    for _ in range(ROUNDS // 3):
        said = write_and_kill(path, chance.uniform(0.01, 0.25))
        outbox = Outbox.open(path)
        spool = spool or outbox.spool_id
        assert outbox.spool_id == spool
        assert outbox.highest >= max(
            int(last(said, kind)[1]) for kind in ("open", "event") if last(said, kind)
        )
        acked = max(acked, int((last(said, "acked") or ["", "0"])[1]))
        assert outbox.acked >= acked
        events = [body for first in range(1, outbox.highest + 1, 200) for body in outbox.batch(first)]
        assert len(events) == outbox.highest - outbox.lowest + 1 == outbox.highest
        check_steps(outbox, said, [wire.unseal(body).fact for body in events])
        outbox.close()


def check_steps(outbox: Outbox, said: list[list[str]], facts: list[object]) -> None:
    positions = [f.position for f in facts if isinstance(f, MessageSeen)]
    # Cursor and messages are one commit: no message twice, none missing, none without its cursor.
    assert positions == list(range(1, len(positions) + 1))
    assert outbox.tail_of("k").position == len(positions)
    if line := last(said, "chat"):
        assert len(positions) >= int(line[1])
    armed = Counter(f.task_id for f in facts if isinstance(f, TaskArmed))
    ended = Counter(f.task_id for f in facts if isinstance(f, TaskEnded))
    assert set(armed.values()) | set(ended.values()) <= {1}
    intents = Intents(outbox)
    assert {t.task_id for t in intents.armed()} == set(armed) - set(ended)
    for kind, reported in (("armed", armed), ("ended", ended)):
        assert {line[1] for line in said if line[0] == kind} <= set(reported)
    received = {line[1] for line in said if line[0] == "received"}
    assert received <= {t.task_id for t in intents.open_tasks()} | set(ended)
