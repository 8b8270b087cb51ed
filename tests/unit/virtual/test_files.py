"""The file system and the sync protocol."""

import asyncio
import gc
import hashlib
import struct
from collections.abc import Callable

import pytest

from agent.virtual import files
from agent.virtual.channel import socket_pair
from agent.virtual.files import FileError, FileSystem
from agent.virtual.filesync import serve_sync


def file_system(is_full: Callable[[], bool] = lambda: False) -> FileSystem:
    return FileSystem(lambda: 1_700_000_000_000, is_full)


def talk(system: FileSystem, *requests: bytes) -> bytes:
    """Send requests and QUIT, return all that was answered."""

    async def work() -> bytes:
        near, far = socket_pair()
        for request in requests:
            await near.write(request)
        await near.write(b"QUIT" + bytes(4))
        await serve_sync(system, far)
        await far.close()
        pieces = []
        while piece := await near.read():
            pieces.append(piece)
        return b"".join(pieces)

    return asyncio.run(work())


def ask(verb: bytes, path: bytes) -> bytes:
    return verb + struct.pack("<I", len(path)) + path


def test_write_read_list_remove() -> None:
    system = file_system()
    system.write("/sdcard/a/b.txt", b"text", mode=0o100640)
    assert system.read("/storage/emulated/0/a/b.txt") == b"text"
    assert [name for name, _ in system.names("/sdcard/a")] == ["b.txt"]
    assert system.get("/sdcard/a/../a/./b.txt") is not None
    with pytest.raises(FileError, match="is a directory"):
        system.remove("/sdcard/a")
    system.remove("/sdcard/a", recursive=True)
    assert system.get("/sdcard/a/b.txt") is None


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (lambda system: system.read("/nope"), "No such file"),
        (lambda system: system.read("/sdcard"), "Is a directory"),
        (lambda system: system.write("/sdcard", b""), "Is a directory"),
        (lambda system: system.make_dir("/data/f/inner"), "Not a directory"),
        (lambda system: list(system.names("/data/f")), "Not a directory"),
        (lambda system: system.remove("/nope"), "No such file"),
        (lambda system: system.move("/nope", "/data/g"), "No such file"),
    ],
)
def test_errors_say_what_errno_says(work: Callable[[FileSystem], object], reason: str) -> None:
    system = file_system()
    system.write("/data/f", b"file")
    with pytest.raises(FileError, match=reason):
        work(system)


def test_full_storage_takes_no_file() -> None:
    system = file_system(lambda: True)
    with pytest.raises(FileError, match="No space left"):
        system.write("/sdcard/a", b"a")


def send(content: bytes, path: bytes, piece: int = 4_096) -> bytes:
    data = b"".join(
        b"DATA" + struct.pack("<I", len(part)) + part
        for part in (content[at : at + piece] for at in range(0, len(content), piece))
    )
    return ask(b"SEND", path + b",33261") + data + b"DONE" + struct.pack("<I", 1_600_000_000)


def test_equal_files_of_many_phones_are_kept_once() -> None:
    content = b"".join(hashlib.sha256(bytes([place % 251, place // 251])).digest() for place in range(8_192))
    systems = [file_system() for _ in range(10)]
    for system in systems:
        assert talk(system, send(content, b"/data/local/tmp/u2.jar")) == b"OKAY" + bytes(4)
    assert all(system.read("/data/local/tmp/u2.jar") == content for system in systems)
    first, last = (system.get("/data/local/tmp/u2.jar") for system in (systems[0], systems[-1]))
    assert first is not None
    assert last is not None
    assert all(one is other for one, other in zip(first.chunks, last.chunks, strict=True))
    assert first.md5() == hashlib.md5(content).hexdigest()
    assert (first.mode, first.mtime_s) == (0o100755, 1_600_000_000)
    del systems, system, first, last
    gc.collect()
    assert content[:4_096] not in files._shared


def test_stat_comes_as_16_bytes_in_one_write() -> None:
    system = file_system()
    system.write("/sdcard/f", b"12345")

    async def first_write() -> bytes:
        near, far = socket_pair()
        await near.write(ask(b"STAT", b"/sdcard/f") + b"QUIT" + bytes(4))
        await serve_sync(system, far)
        return await near.read()

    assert asyncio.run(first_write()) == b"STAT" + struct.pack("<III", 0o100644, 5, 1_700_000_000)
    assert talk(system, ask(b"STAT", b"/nope")) == b"STAT" + bytes(12)


def test_second_stats_are_72_bytes() -> None:
    system = file_system()
    system.write("/sdcard/f", b"12345")
    answer = talk(system, ask(b"STA2", b"/sdcard/f"), ask(b"LST2", b"/nope"))
    assert len(answer) == 144
    assert answer[:8] == b"STA2" + bytes(4)
    assert struct.unpack_from("<I", answer, 24)[0] == 0o100644
    assert struct.unpack_from("<Q", answer, 40)[0] == 5
    assert answer[72:80] == b"LST2" + struct.pack("<I", 2)


def test_listings_end_with_zeros() -> None:
    system = file_system()
    system.write("/sdcard/d/f", b"12345")
    answer = talk(system, ask(b"LIST", b"/sdcard/d"))
    assert answer.count(b"DENT") == 3
    assert answer.endswith(b"DONE" + bytes(16))
    assert talk(system, ask(b"LIST", b"/nope")) == b"DONE" + bytes(16)
    second = talk(system, ask(b"LIS2", b"/sdcard/d"))
    assert second.count(b"DNT2") == 3
    assert second.endswith(b"DONE" + bytes(72))


def test_receive_in_pieces_and_in_both_versions() -> None:
    system = file_system()
    system.write("/sdcard/f", b"x" * 100_000)
    whole = b"DATA" + struct.pack("<I", 65_536) + b"x" * 65_536
    whole += b"DATA" + struct.pack("<I", 34_464) + b"x" * 34_464 + b"DONE" + bytes(4)
    assert talk(system, ask(b"RECV", b"/sdcard/f")) == whole
    assert talk(system, ask(b"RCV2", b"/sdcard/f") + b"RCV2" + bytes(4)) == whole
    assert talk(system, ask(b"RECV", b"/nope")).startswith(b"FAIL")


def test_second_send_and_a_full_phone() -> None:
    system = file_system()
    head = ask(b"SND2", b"/sdcard/f") + b"SND2" + struct.pack("<II", 0o100600, 0)
    body = b"DATA" + struct.pack("<I", 3) + b"abc" + b"DONE" + struct.pack("<I", 9)
    assert talk(system, head + body) == b"OKAY" + bytes(4)
    assert system.read("/sdcard/f") == b"abc"
    refused = talk(file_system(lambda: True), head + body)
    assert refused == b"FAIL" + struct.pack("<I", 23) + b"No space left on device"


def test_nonsense_ends_the_session() -> None:
    assert talk(file_system(), ask(b"NOPE", b"/sdcard")) == b""
    assert talk(file_system(), ask(b"SEND", b"/sdcard/f,33188") + b"WHAT" + bytes(4)) == b""
