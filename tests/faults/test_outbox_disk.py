"""A disk that is really full: chats wait, acknowledgements and ends of tasks go on, nothing is lost."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.ballast import MIB, Ballast, Limits
from agent.errors import OutboxFull
from agent.intents import Intents
from agent.model import Ended, Result
from agent.outbox import Outbox
from protos import wire
from protos.facts import GapSeen, PhoneStateChanged, TaskEnded
from tests.support.outboxwriter import chat, task_named

LIMITS = Limits(file_bytes=64 * MIB, spare_bytes=MIB // 2, ballast_bytes=MIB)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, timeout=10).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=10)


def big(n: int) -> PhoneStateChanged:
    return PhoneStateChanged(state="ready", cause=f"{n} " + "x" * 20_000)


def fill(folder: Path) -> Path:
    """Take all that is free, as another program would."""
    hog = folder / "hog"
    with hog.open("ab", buffering=0) as file:
        for size in (64 * 1024, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return hog


def add_without_end(outbox: Outbox) -> None:
    for n in itertools.count():
        outbox.add(big(n))


def fill_while_writing(outbox: Outbox, disk: Path) -> None:
    with outbox.transaction() as conn:
        outbox.append(conn, [big(n) for n in range(5)])
        fill(disk)


def opened(disk: Path, limits: Limits = LIMITS) -> Outbox:
    return Outbox.open(disk / "a.db", limits=limits, ballast=Ballast(disk / "ballast", limits.ballast_bytes))


def test_capture_pauses_before_the_end_and_goes_on_by_itself(disk: Path) -> None:
    outbox = opened(disk)
    try:
        outbox.add(big(0))
        assert (disk / "ballast").exists()
        hog = fill(disk)
        assert outbox.is_full
        assert not (disk / "ballast").exists(), "the reserve is given up"
        with pytest.raises(OutboxFull):
            outbox.add_chat(chat(outbox.tail_of("k"), 1))
        intents = Intents(outbox)
        task = task_named("t", outbox)
        intents.receive(task)
        intents.arm(task)
        intents.end(task, Ended(result=Result.DONE, outcome="requested"))
        outbox.ack(1)
        assert outbox.acked == 1
        hog.unlink()
        assert not outbox.is_full
        assert (disk / "ballast").exists(), "the reserve is there again"
        outbox.add_chat(chat(outbox.tail_of("k"), 1))
        facts = [wire.unseal(body).fact for body in outbox.batch(1)]
        assert [f.cause for f in facts if isinstance(f, GapSeen)] == ["disk_full"]
        assert [f.task_id for f in facts if isinstance(f, TaskEnded)] == ["t"]
    finally:
        outbox.close()


def test_where_the_disk_fills_within_a_write_the_next_one_has_the_reserve(disk: Path) -> None:
    # SQLite itself meets the end, as when another program takes the last room in a moment.
    outbox = opened(disk)
    try:
        outbox.add(big(0), big(1))
        outbox.hear_high_water(0)
        committed = outbox.highest
        with pytest.raises(OutboxFull):
            fill_while_writing(outbox, disk)
        assert outbox.highest == committed
        assert not (disk / "ballast").exists()
        outbox.add(big(0))
        assert outbox.highest == committed + 1
        outbox.ack(committed)
        assert outbox.acked == committed
    finally:
        outbox.close()
    again = opened(disk)
    try:
        assert again.acked == committed
        assert len(again.batch(committed + 1)) == again.highest - committed
    finally:
        again.close()


def test_an_acknowledgement_without_any_room_is_heard_again_later(disk: Path) -> None:
    outbox = opened(disk, Limits(file_bytes=64 * MIB, spare_bytes=0, ballast_bytes=0))
    try:
        outbox.add(*(PhoneStateChanged(state="ready", cause=str(n)) for n in range(2_000)))
        hog = fill(disk)
        with pytest.raises(OutboxFull):
            add_without_end(outbox)
        fill(disk)
        outbox.ack(1_999)
        assert outbox.acked in (0, 1_999)
        hog.unlink()
        outbox.ack(1_999)
        assert outbox.acked == 1_999
    finally:
        outbox.close()


def test_a_disk_without_any_room_lets_no_agent_begin(disk: Path) -> None:
    fill(disk)
    with pytest.raises((OutboxFull, OSError)):
        opened(disk)
    assert not (disk / "a.db").exists() or (disk / "a.db").stat().st_size == 0
