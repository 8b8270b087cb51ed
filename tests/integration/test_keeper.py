"""The keeper with real processes, a real adb server and virtual phones: the right agents run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from agent.exits import Exit
from tests.support.fleetstub import until
from tests.support.hostrig import Host, Running, adb, host


@pytest.fixture
def rack(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 2) as made:
        yield made


@pytest.fixture
def single(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 1) as made:
        yield made


def agents(keeper: Running) -> dict[str, int]:
    """Return the process of each agent below a keeper, by adb address."""
    found = {}
    for process in keeper.descendants():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if words[:3] == ["farm-agent", "run", "--serial"]:
            found[words[3]] = process.pid
    return found


def gone(pids: list[int]) -> bool:
    return not any(_lives(pid) for pid in pids)


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != "zombie")
    except psutil.NoSuchProcess:
        return False


def test_one_agent_for_each_phone_until_asked_to_stop(rack: Host) -> None:
    with rack.keeper(rack.phones) as keeper:
        keeper.wait_said("providing 2 of 2")
        assert set(agents(keeper)) == {phone.address for phone in rack.phones}
        for phone in rack.phones:
            keeper.wait_said(f"+ {phone.address} ready")
            until(lambda: rack.stub.phone(phone.serial).heartbeats, "a heartbeat")  # noqa: B023 -- called at once
            assert rack.stub.phone(phone.serial).hellos[0].hello.host == "test-host"
        below = [process.pid for process in keeper.descendants()]
        assert keeper.end(signal.SIGTERM) == 0
        until(lambda: gone(below), "the end of all agents", 2)
        for phone in rack.phones:
            last = rack.stub.phone(phone.serial).events()[-1].fact
            assert (last.state, last.cause) == ("absent", "agent stopped")


def test_unplugged_phone_loses_its_agent_and_gets_another(single: Host) -> None:
    (phone,) = single.phones
    with single.keeper([phone]) as keeper:
        keeper.wait_said("ready")
        before = agents(keeper)[phone.address]
        phone.unplug()
        until(lambda: gone([before]), "the end of the agent", 20)
        keeper.wait_said("providing 0 of")
        phone.plug()
        until(lambda: agents(keeper).get(phone.address, before) != before, "another agent", 40)
        keeper.wait_said("ready", 2, within_s=40)
        assert keeper.said("again in 60 s") == 0


def test_killed_agent_is_started_again(single: Host) -> None:
    (phone,) = single.phones
    with single.keeper([phone]) as keeper:
        keeper.wait_said("ready")
        first = agents(keeper)[phone.address]
        os.kill(first, signal.SIGKILL)
        keeper.wait_said("agent ended: killed by signal 9; again in 1 s")
        keeper.wait_said("ready", 2)
        assert agents(keeper)[phone.address] != first
        until(lambda: single.stub.phone(phone.serial).streams == 2, "the second stream")


def test_killed_keeper_leaves_nothing_behind_and_its_successor_takes_over(rack: Host) -> None:
    with rack.keeper(rack.phones) as keeper:
        keeper.wait_said("providing 2 of 2")
        below = [process.pid for process in keeper.descendants()]
        assert len(below) == 3
        keeper.end(signal.SIGKILL)
        until(lambda: gone(below), "the end of fork server and agents", 5)
    with rack.keeper(rack.phones) as keeper:
        keeper.wait_said("providing 2 of 2")


def test_killed_fork_server_takes_the_agents_with_it_and_comes_back(single: Host) -> None:
    (phone,) = single.phones
    with single.keeper([phone]) as keeper:
        keeper.wait_said("ready")
        nursery = psutil.Process(agents(keeper)[phone.address]).ppid()
        mine = agents(keeper)[phone.address]
        os.kill(nursery, signal.SIGKILL)
        until(lambda: gone([mine]), "the end of the agent", 5)
        keeper.wait_said("the fork server ended")
        keeper.wait_said("ready", 2)


def test_agent_that_does_not_end_is_killed(single: Host) -> None:
    (phone,) = single.phones
    with single.keeper([phone]) as keeper:
        keeper.wait_said("ready")
        frozen = agents(keeper)[phone.address]
        os.kill(frozen, signal.SIGSTOP)
        assert keeper.end(signal.SIGTERM, within_s=20) == 0
        assert gone([frozen])


def test_second_keeper_is_refused_with_the_pid_of_the_first(single: Host) -> None:
    with single.keeper() as keeper:
        keeper.wait_said("providing 0 of 0")
        second = single.program("keep")
        assert second.process.wait(20) == Exit.FAILED
        until(lambda: second.errors, "what it says")
        assert second.errors == [
            f"farm-agent: keeper-{single.adb_port} is owned by process {keeper.process.pid} on this host"
        ]


def test_second_agent_of_a_phone_is_refused(single: Host) -> None:
    (phone,) = single.phones
    with single.keeper([phone]) as keeper:
        keeper.wait_said("ready")
        second = single.program("run", "--serial", phone.address)
        assert second.process.wait(20) == Exit.FAILED
        until(lambda: second.errors, "what it says")
        assert f"is owned by process {agents(keeper)[phone.address]}" in "".join(second.errors)


def test_keeper_restarts_an_adb_server_that_was_killed(single: Host) -> None:
    (phone,) = single.phones
    with single.keeper([phone]) as keeper:
        keeper.wait_said("ready")
        adb(single, "kill-server")
        keeper.wait_said("ready", 2, within_s=40)


def test_phone_that_wants_its_key_accepted_is_named_with_the_remedy(single: Host) -> None:
    (phone,) = single.phones
    phone.faults("unauthorized", count=None)
    with single.keeper([phone]) as keeper:
        keeper.wait_said(f"{phone.address} unauthorized → accept the key on the phone")
        assert agents(keeper) == {}


def test_agent_without_a_phone_ends_with_its_code(single: Host) -> None:
    adb(single, "start-server")
    alone = single.program("run", "--serial", "127.0.0.1:1")
    assert alone.process.wait(40) == Exit.PHONE_GONE


def test_wrong_configuration_is_one_line_and_its_code(single: Host) -> None:
    single.write_config(colour=3)
    wrong = single.program("keep")
    assert wrong.process.wait(20) == Exit.CONFIG_WRONG
    until(lambda: wrong.errors, "what it says")
    (line,) = wrong.errors
    assert line.startswith("farm-agent: ")
    assert 'unknown key "colour" in [agent]' in line


def test_agent_that_never_meets_its_controller_ends_with_its_code(single: Host) -> None:
    (phone,) = single.phones
    single.stub.stop()
    single.write_config(controller_lost_s=1)
    with single.keeper([phone]) as keeper:
        keeper.wait_said("agent ended: controller lost; again in 1 s")


def test_doctor_names_each_fault_with_its_remedy(single: Host) -> None:
    single.stub.stop()
    found = subprocess.run(
        [sys.executable, "-m", "agent", "doctor"],
        env=single.environment,
        cwd=single.folder,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert found.returncode == Exit.FAILED
    lines = found.stdout.splitlines()
    assert [line[:4].strip() for line in lines] == ["ok", "ok", "warn", "fail", "ok", "ok"]
    assert "→ farm-agent keep starts one" in lines[2]
    assert "→ start it (farm serve)" in lines[3]
