"""Objects by hash: whole or not there, for their owner only, within limits, deleted by age and never else."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from agent import media
from agent.cli import start
from agent.media import LEFT_MS, OBJECT_LIMIT_BYTES, Media, age_ms, kept, older_than, place_of, remove_left

ROOM = 1 << 40
NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000


class Time:
    """Seconds that pass when told."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def opened(folder: Path, *, limit_bytes: int = 1000, clock: Time | None = None, free: int = ROOM) -> Media:
    return Media(folder / "media", limit_bytes=limit_bytes, clock=clock or Time(), free=lambda _: free)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "media").rglob("*") if path.is_file())


def test_an_object_bears_its_hash_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        sha256 = opened(tmp_path).keep(b"picture")
    finally:
        os.umask(old)
    assert sha256 == hashlib.sha256(b"picture").hexdigest()
    path = tmp_path / "media" / sha256[:2] / f"{sha256}.png"
    assert path == place_of(tmp_path / "media", sha256)
    assert path.read_bytes() == b"picture"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path.parent, path.parent.parent)] == [0o700, 0o700]
    assert names(tmp_path) == [path.name]


def test_one_that_is_there_is_not_written_again_but_counts_as_seen(tmp_path: Path) -> None:
    keeper = opened(tmp_path)
    path = place_of(tmp_path / "media", keeper.keep(b"picture"))
    path.chmod(0o400)
    os.utime(path, (1, 1))
    inode = path.stat().st_ino
    assert keeper.keep(b"picture") == path.stem
    assert (path.stat().st_ino, stat.S_IMODE(path.stat().st_mode)) == (inode, 0o400)
    assert path.stat().st_mtime > 1


def test_one_that_is_too_large_is_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keeper = opened(tmp_path, limit_bytes=1 << 30)
    assert keeper.keep(bytes(OBJECT_LIMIT_BYTES))
    assert keeper.keep(bytes(OBJECT_LIMIT_BYTES + 1)) == ""
    assert len(names(tmp_path)) == 1


def test_a_full_folder_takes_no_more_loses_nothing_and_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(media.log, "warning", lambda what, **_: said.append(what))
    clock = Time()
    keeper = opened(tmp_path, limit_bytes=250, clock=clock)
    first, second = keeper.keep(bytes(100)), keeper.keep(b"x" * 100)
    assert [keeper.keep(bytes([n]) * 100) for n in (1, 2, 3)] == ["", "", ""]
    assert names(tmp_path) == sorted([f"{first}.png", f"{second}.png"])
    assert said == ["no picture is kept any more: the folder is full"]
    # What another agent kept counts, once it was counted; what a person deleted gives room again.
    place_of(tmp_path / "media", first).unlink()
    clock.now_s += media.COUNT_EVERY_S
    assert keeper.keep(b"y" * 100)
    opened(tmp_path, limit_bytes=10_000).keep(b"z" * 100)
    clock.now_s += media.COUNT_EVERY_S
    assert keeper.keep(b"w" * 40) == ""


def test_a_disk_that_is_nearly_full_or_takes_nothing_is_no_error(tmp_path: Path) -> None:
    assert opened(tmp_path, free=media.FREE_BYTES).keep(b"picture") == ""
    assert names(tmp_path) == []
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    assert Media(in_the_way, limit_bytes=1000, free=lambda _: ROOM).keep(b"picture") == ""


CRASH = """
import os, pathlib, sys
from agent import media
class Crash(pathlib.PosixPath):
    def rename(self, target):
        os._exit(9)
media.place_of = lambda folder, sha256: Crash(folder) / sha256[:2] / f"{sha256}.png"
media.Media(pathlib.Path(sys.argv[1]), limit_bytes=1000, free=lambda _: 1 << 40).keep(b"picture")
"""


def test_a_crash_before_the_rename_leaves_no_object_and_what_it_left_goes(tmp_path: Path) -> None:
    folder = tmp_path / "media"
    done = subprocess.run([sys.executable, "-c", CRASH, str(folder)], check=False, timeout=60)
    assert done.returncode == 9
    (left,) = names(tmp_path)
    assert left.startswith(".")
    assert left.endswith(".tmp")
    assert list(kept(folder)) == []
    keeper = opened(tmp_path)
    sha256 = keeper.keep(b"picture")  # another process writes it all the same
    assert place_of(folder, sha256).read_bytes() == b"picture"
    path = next(folder.rglob(".*.tmp"))
    written_ms = int(path.stat().st_mtime * 1000)
    assert remove_left(folder, written_ms + LEFT_MS) == 0  # it may still be written
    assert remove_left(folder, written_ms + LEFT_MS + 1000) == 1
    assert names(tmp_path) == [f"{sha256}.png"]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    keeper = opened(tmp_path)
    monkeypatch.setattr(media.os, "fsync", broken)
    assert keeper.keep(b"picture") == ""
    monkeypatch.undo()
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("12h", 12 * 3_600_000),
        ("30d", 30 * DAY_MS),
        ("4w", 28 * DAY_MS),
        ("", None),
        ("30", None),
        ("-1d", None),
    ],
)
def test_an_age_is_read(text: str, ms: int | None) -> None:
    assert age_ms(text) == ms


def aged(folder: Path, content: bytes, days: int) -> Path:
    path = place_of(folder / "media", opened(folder).keep(content))
    os.utime(path, ((NOW_MS - days * DAY_MS) / 1000,) * 2)
    return path


def test_objects_are_found_by_age_the_oldest_first(tmp_path: Path) -> None:
    for content, days in ((b"new", 1), (b"old", 40), (b"older", 50)):
        aged(tmp_path, content, days)
    (tmp_path / "media" / "ab").mkdir(exist_ok=True)
    (tmp_path / "media" / "ab" / "note.txt").touch()  # a person's
    found = older_than(kept(tmp_path / "media"), 30 * DAY_MS, NOW_MS)
    assert [one.path.read_bytes() for one in found] == [b"older", b"old"]
    assert [one.size for one in found] == [5, 3]
    assert len(older_than(kept(tmp_path / "media"), 0, NOW_MS)) == 3
    assert list(kept(tmp_path / "none")) == []


def test_the_program_lists_and_deletes_by_age(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[agent]\ndata_dir = "{tmp_path}"\n')
    old = aged(tmp_path, b"old", 40)
    new = place_of(tmp_path / "media", opened(tmp_path).keep(b"fresh"))

    def said(*words: str) -> tuple[int, list[str]]:
        code = start(["--config", str(config), "media", *words])
        return code, capsys.readouterr().out.splitlines()

    code, lines = said()
    assert (code, [line[:64] for line in lines[:2]]) == (0, [old.stem, new.stem])
    assert lines[2] == f"2 pictures, 0.0 MB kept in {tmp_path / 'media'}"
    code, lines = said("--older-than", "30d")
    assert (code, len(lines), old.exists()) == (0, 2, True)
    assert said("--delete") == (2, [])
    assert said("--older-than", "30 days") == (2, [])
    code, lines = said("--older-than", "30d", "--delete")
    assert (code, lines[-1]) == (0, f"1 pictures, 0.0 MB deleted in {tmp_path / 'media'}, older than 30d")
    assert (old.exists(), old.parent.exists(), new.exists()) == (False, False, True)
