"""Pictures are kept for their owner only, few, not for long, and never stop what they are evidence of."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from agent import evidence
from agent.errors import AnswerLost
from agent.evidence import Evidence, Picture

PNG = b"\x89PNG...."


class Time:
    def __init__(self) -> None:
        self.now_ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now_ms


def test_a_picture_is_named_by_time_reason_and_hash_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    kept = Evidence(tmp_path / "e", clock=Time()).keep(lambda: PNG, "TOO_FREQUENT")
    assert kept.sha256 == hashlib.sha256(PNG).hexdigest()
    path = tmp_path / "e" / kept.name
    assert path.read_bytes() == PNG
    assert kept.name == f"20231114T221320Z-TOO_FREQUENT-{kept.sha256[:8]}.png"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_same_trouble_is_pictured_once_a_minute(tmp_path: Path) -> None:
    time = Time()
    kept = Evidence(tmp_path, clock=time)
    assert kept.keep(lambda: PNG, "a").name
    assert kept.keep(lambda: PNG, "a") == Picture()
    assert kept.keep(lambda: b"jpeg", "b").name.endswith(".jpg")
    time.now_ms += evidence.PAUSE_MS
    assert kept.keep(lambda: PNG, "b").name


def test_a_phone_or_disk_that_gives_none_is_no_error(tmp_path: Path) -> None:
    def lost() -> bytes:
        raise AnswerLost

    in_the_way = tmp_path / "file"
    in_the_way.touch()
    assert Evidence(tmp_path).keep(lost, "a") == Picture()
    assert Evidence(tmp_path).keep(bytes, "a") == Picture()
    assert Evidence(in_the_way).keep(lambda: PNG, "a") == Picture()


def test_old_pictures_and_too_many_go(tmp_path: Path) -> None:
    time = Time()
    kept = Evidence(tmp_path, clock=time)
    for n in range(evidence.KEEP_PICTURES + 5):
        time.now_ms += 1000
        kept.keep(lambda n=n: PNG + bytes([n % 256]), f"w{n}")  # type: ignore[misc]  # a default binds n
    kept.purge()
    assert len(list(tmp_path.iterdir())) == evidence.KEEP_PICTURES
    time.now_ms += 10 * 365 * 86_400_000
    kept.purge()
    assert list(tmp_path.iterdir()) == []
