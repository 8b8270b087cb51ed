"""The fork server: forks only while it is alone, and its preload leaves it alone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent import nursery
from agent.errors import AlreadyRunning
from agent.hostlock import HostLock, file_name
from agent.nursery import Nursery, Threaded

ROOT = Path(__file__).parents[3]


def test_it_does_not_fork_beside_a_thread() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    born: list[int] = []
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait)
    thread.start()
    try:
        with ours, theirs:
            made = Nursery(theirs, lambda *_: born.append(os.getpid()) or 0)
            nursery.send(ours, {"op": "start", "serial": "s", "transport_id": 1, "slot": ""})
            with pytest.raises(Threaded):
                made.serve()
            made.close()
    finally:
        go_on.set()
        thread.join()
    assert born == []


def test_preload_starts_no_thread_and_opens_no_socket() -> None:
    code = (
        "import os\n"
        "from agent import nursery\n"
        "nursery.preload()\n"
        "links = [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if n != '3']\n"
        "print(nursery.count_threads(), sum(link.startswith('socket:') for link in links))\n"
    )
    environment = {**os.environ, **nursery.ENVIRONMENT}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["1", "0"], done.stderr


def test_start_signal_and_end_go_through_one_connection(tmp_path: Path) -> None:
    # In a process of its own: this one has threads.
    code = (
        "import socket, sys, time\n"
        "from agent.nursery import Nursery\n"
        "def live(message, control):\n"
        "    while message['serial'] == 'waits':\n"
        "        time.sleep(0.05)\n"
        "    return 7\n"
        "Nursery(socket.socket(fileno=int(sys.argv[1])), live).serve()\n"
    )
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            server = subprocess.Popen(
                [sys.executable, "-c", code, str(theirs.fileno())], cwd=ROOT, pass_fds=(theirs.fileno(),)
            )
        ours.settimeout(20)
        for serial in ("ends", "waits"):
            nursery.send(ours, {"op": "start", "serial": serial, "transport_id": 1, "slot": ""})
        heard = [nursery.receive(ours) for _ in range(3)]
        started = {m["serial"]: m["pid"] for m in heard if m and m["at"] == "started"}
        assert set(started) == {"ends", "waits"}
        assert {"at": "ended", "serial": "ends", "status": 7} in heard
        nursery.send(
            ours, {"op": "start", "serial": "waits", "transport_id": 1, "slot": ""}
        )  # it runs already
        nursery.send(ours, {"op": "signal", "serial": "waits", "number": 15})
        assert nursery.receive(ours) == {"at": "ended", "serial": "waits", "status": -15}
    assert server.wait(10) == 0


def test_a_lock_has_one_owner_and_names_it(tmp_path: Path) -> None:
    with HostLock.take(tmp_path, "phone a/b"):
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()} "):
            HostLock.take(tmp_path, "phone a/b")
        HostLock.take(tmp_path, "phone a_b").release()
    HostLock.take(tmp_path, "phone a/b").release()


def test_lock_names_stay_different_and_inside_their_folder() -> None:
    names = ["a", "a/b", "a_b", "..", "127.0.0.1:5", "手机", ""]
    assert len({file_name(name) for name in names}) == len(names)
    assert not any("/" in file_name(name) for name in names)
