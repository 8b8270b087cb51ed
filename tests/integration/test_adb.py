"""The virtual phone as real adb servers see it, with each installed version of adb."""

from __future__ import annotations

import io
import os
import socket
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import adbutils
import pytest
from PIL import Image

from tests.support.adb import AdbServer, free_port, until
from tests.support.virtualphone import VirtualPhone

# adbutils leaves the closing of some sockets to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
APK = Path(adbutils.__file__).parents[1] / "uiautomator2" / "assets" / "app-uiautomator.apk"


def test_connect_shows_a_device_with_its_model(adb: AdbServer, connected: VirtualPhone) -> None:
    assert f"already connected to {connected.address}" in adb.connect(connected.address)
    listed = adb.text("devices", "-l")
    assert "model:Virtual_1" in listed
    assert "device" in adb.text("-s", connected.address, "get-state")


def test_shell_v2_has_exit_codes_and_two_streams(adb: AdbServer, connected: VirtualPhone) -> None:
    assert "shell_v2" in adb.text("-s", connected.address, "features")
    done = adb.run("-s", connected.address, "shell", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")
    missing = adb.run("-s", connected.address, "shell", "no-such-thing")
    assert missing.returncode == 127


def test_shell_v2_carries_stdin(adb: AdbServer, connected: VirtualPhone) -> None:
    text = b"line\n" * 5_000
    done = adb.run("-s", connected.address, "shell", "cat", stdin=text)
    assert done.stdout == text


def test_shell_v1_has_one_stream_and_no_exit_code(adb: AdbServer, connected: VirtualPhone) -> None:
    done = adb.run("-s", connected.address, "shell", "-x", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout) == (0, b"out\nerr\n")


def test_exec_out_is_raw(adb: AdbServer, connected: VirtualPhone) -> None:
    done = adb.run("-s", connected.address, "exec-out", "screencap", "-p")
    assert Image.open(io.BytesIO(done.stdout)).size == (1080, 2340)


def test_interactive_shell(adb: AdbServer, connected: VirtualPhone) -> None:
    done = adb.run("-s", connected.address, "shell", stdin=b"cd /data/local\npwd\nX=5\necho $X\nexit 4\n")
    assert done.stdout == b"/data/local\n5\n"
    assert done.returncode == 4
    terminal = adb.run("-s", connected.address, "shell", "-tt", stdin=b"echo $((\nid -u\nexit\n")
    assert b"virtual:/ $ " in terminal.stdout
    assert b"2000" in terminal.stdout


def test_a_closed_stream_ends_what_runs_in_it(adb: AdbServer, connected: VirtualPhone) -> None:
    log = connected.handset.log
    client = adb.popen("-s", connected.address, "shell", "-x", "logcat -v time")
    until(lambda: bool(log._watchers), "logcat streams")
    client.kill()
    client.communicate()
    until(lambda: not log._watchers, "logcat has ended")


def test_push_and_pull(adb: AdbServer, connected: VirtualPhone, tmp_path: Path) -> None:
    source = tmp_path / "big.bin"
    source.write_bytes(os.urandom(3_000_000))
    source.chmod(0o640)
    assert "1 file pushed" in adb.text("-s", connected.address, "push", str(source), "/sdcard/big.bin")
    assert "3000000" in adb.shell(connected.address, "ls -l /sdcard/big.bin")
    assert "1 file pulled" in adb.text(
        "-s", connected.address, "pull", "/sdcard/big.bin", str(tmp_path / "b")
    )
    assert (tmp_path / "b").read_bytes() == source.read_bytes()
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "a.txt").write_text("a")
    (folder / "b.txt").write_text("b")
    assert "2 files pushed" in adb.text("-s", connected.address, "push", str(folder), "/sdcard/Download/")
    assert "2 files pulled" in adb.text(
        "-s", connected.address, "pull", "/sdcard/Download/folder", str(tmp_path / "back")
    )
    assert (tmp_path / "back" / "inner" / "a.txt").read_text() == "a"
    missing = adb.text("-s", connected.address, "pull", "/sdcard/nothing", str(tmp_path / "n"))
    assert "No such file" in missing or "does not exist" in missing


def test_push_to_full_storage_fails_with_its_reason(
    adb: AdbServer, connected: VirtualPhone, tmp_path: Path
) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"a")
    connected.fault("storage_full")
    assert "No space left on device" in adb.text("-s", connected.address, "push", str(source), "/sdcard/a")


def test_install_and_uninstall(adb: AdbServer, connected: VirtualPhone, tmp_path: Path) -> None:
    assert "Success" in adb.text("-s", connected.address, "install", "-r", str(APK))
    assert "com.github.uiautomator" in adb.shell(connected.address, "pm list packages -3")
    assert "com.github.uiautomator/.AdbKeyboard" in adb.shell(connected.address, "ime list -s -a")
    assert "versionName=2.4.0" in adb.shell(connected.address, "dumpsys package com.github.uiautomator")
    assert "Success" in adb.text("-s", connected.address, "uninstall", "com.github.uiautomator")
    broken = tmp_path / "broken.apk"
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("AndroidManifest.xml", b"\x03\x00\x08\x00 no manifest")
    assert "INSTALL_PARSE_FAILED_NOT_APK" in adb.text("-s", connected.address, "install", str(broken))


@contextmanager
def echo_server() -> Iterator[int]:
    """Run a TCP server on the host that answers each line in capitals."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    while data := connection.recv(4_096):
                        connection.sendall(data.upper())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_reverse_reaches_a_server_on_the_host(adb: AdbServer, connected: VirtualPhone) -> None:
    with echo_server() as port:
        adb.text("-s", connected.address, "reverse", "tcp:9100", f"tcp:{port}")
        assert f"tcp:9100 tcp:{port}" in adb.text("-s", connected.address, "reverse", "--list")
        client = adb.popen("-s", connected.address, "shell", "nc 127.0.0.1 9100")
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(b"hello\n")
        client.stdin.flush()
        assert client.stdout.readline() == b"HELLO\n"
        client.kill()
        client.communicate()
        rebind = adb.text("-s", connected.address, "reverse", "--no-rebind", "tcp:9100", "tcp:1")
        assert "cannot rebind" in rebind
        chosen = adb.text("-s", connected.address, "reverse", "tcp:0", f"tcp:{port}")
        assert chosen.isdigit()
        adb.text("-s", connected.address, "reverse", "--remove", "tcp:9100")
        assert "tcp:9100" not in adb.text("-s", connected.address, "reverse", "--list")
        adb.text("-s", connected.address, "reverse", "--remove-all")
        refused = adb.run("-s", connected.address, "shell", "nc 127.0.0.1 9100")
        assert b"Connection refused" in refused.stderr


def test_forward_reaches_a_listener_on_the_phone(adb: AdbServer, connected: VirtualPhone) -> None:
    port = free_port()
    adb.text("-s", connected.address, "forward", f"tcp:{port}", "tcp:9008")
    with socket.create_connection(("127.0.0.1", port), 5) as nobody:
        assert nobody.recv(1) == b""  # nobody listens on the phone

    async def answer(channel) -> None:
        await channel.write(b"you said " + await channel.read())
        await channel.close()

    connected.handset.listeners["tcp:9008"] = answer
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.sendall(b"hi")
        assert client.recv(100) == b"you said hi"
    assert f"tcp:{port} tcp:9008" in adb.text("forward", "--list")
    adb.text("-s", connected.address, "forward", "--remove", f"tcp:{port}")


def test_framebuffer_and_sync_through_adbutils(adb: AdbServer, connected: VirtualPhone) -> None:
    device = adbutils.AdbClient(port=adb.port).device(connected.address)
    assert device.framebuffer().size == (1080, 2340)
    device.sync.push(b"content", "/data/local/tmp/f", check=True)
    assert device.sync.read_bytes("/data/local/tmp/f") == b"content"
    assert device.sync.stat("/data/local/tmp/f").size == 7
    assert not device.sync.exists("/nothing")
    assert device.shell2("ls /nope").returncode == 1
    assert device.shell2("echo a; echo b >&2", v2=True).stderr == "b\n"
    assert device.root() == "adbd cannot run as root in production builds\n"
    assert device.tcpip(5_555) == "restarting in TCP mode port: 5555\n"
    with pytest.raises(adbutils.AdbError):
        device.create_connection(adbutils.Network.LOCAL_ABSTRACT, "nobody")


def test_payloads_stay_within_the_smaller_limit(adb: AdbServer, connected: VirtualPhone) -> None:
    # 4 MB each way on one stream: packets longer than the limit would stall it silently.
    text = b"0123456789abcdef" * 250_000
    assert adb.run("-s", connected.address, "shell", "cat", stdin=text).stdout == text
    connected.do(connected.handset.files.write, "/sdcard/big", text)
    assert adb.run("-s", connected.address, "exec-out", "cat /sdcard/big").stdout == text
    assert adb.shell(connected.address, "echo still here") == "still here\n"


def test_unplug_and_plug(adb: AdbServer, connected: VirtualPhone) -> None:
    connected.unplug()
    done = adb.run("-s", connected.address, "shell", "echo alive")
    assert done.returncode != 0
    assert "failed to connect" in adb.connect(connected.address) or adb.states().get(connected.address) in (
        "offline",
        None,
    )
    connected.plug()
    until(
        lambda: (
            "connected" in adb.connect(connected.address) and adb.states().get(connected.address) == "device"
        ),
        "the phone is back",
        15,
    )
    assert adb.shell(connected.address, "echo alive") == "alive\n"


def test_reboot_drops_the_connection_and_changes_the_boot_id(adb: AdbServer, connected: VirtualPhone) -> None:
    before = adb.shell(connected.address, "cat /proc/sys/kernel/random/boot_id")
    adb.text("-s", connected.address, "reboot")
    until(lambda: before.strip() != connected.handset.boot_id, "another boot")
    until(
        lambda: (
            adb.shell(connected.address, "cat /proc/sys/kernel/random/boot_id").strip()
            == connected.handset.boot_id
        ),
        "the phone is back",
        15,
    )


def test_a_new_key_waits_for_the_person(adb: AdbServer, phone: VirtualPhone) -> None:
    phone.handset.host_keys.required = True
    assert "failed to authenticate" in adb.connect(phone.address)
    adb.wait_state(phone.address, "unauthorized")
    phone.do(phone.handset.accept_host_key)
    adb.wait_state(phone.address, "device")
    adb.run("disconnect", phone.address)
    adb.connect(phone.address)  # the key is known now: its signature is verified
    adb.wait_state(phone.address, "device")
    phone.do(phone.handset.host_keys.forget)
    adb.run("disconnect", phone.address)
    adb.connect(phone.address)
    adb.wait_state(phone.address, "unauthorized")
    adb.run("disconnect", phone.address)


def test_the_unauthorized_fault_comes_and_goes(adb: AdbServer, connected: VirtualPhone) -> None:
    connected.fault("unauthorized")
    until(
        lambda: (
            adb.connect(connected.address) != "" and adb.states().get(connected.address) == "unauthorized"
        ),
        "unauthorized",
        15,
    )
    connected.clear_faults()
    adb.wait_state(connected.address, "device")


def test_a_mute_phone_is_offline(adb: AdbServer, connected: VirtualPhone) -> None:
    connected.fault("mute")
    client = adb.popen("-s", connected.address, "shell", "echo late")
    with pytest.raises(Exception, match="timed out"):
        client.communicate(timeout=0.5)
    connected.clear_faults()
    out, _ = client.communicate(timeout=10)
    assert out == b"late\n"


@pytest.mark.parametrize("state", ["recovery", "sideload", "rescue", "bootloader"])
def test_other_states_are_shown_as_given(adb: AdbServer, phone: VirtualPhone, state: str) -> None:
    phone.handset.adb_state = state
    adb.connect(phone.address)
    adb.wait_state(phone.address, state)
    if state != "bootloader":
        assert adb.shell(phone.address, "echo here") == "here\n"
    adb.run("disconnect", phone.address)


def test_getevent_shows_touches_by_hand_only(adb: AdbServer, connected: VirtualPhone) -> None:
    client = adb.popen("-s", connected.address, "shell", "getevent -lt")
    assert client.stdout is not None
    assert client.stdout.readline() == b"add device 1: /dev/input/event2\n"
    adb.shell(connected.address, "input tap 540 550")
    connected.do(connected.handset.touch_by_hand, 100, 200)
    lines = [client.stdout.readline().decode() for _ in range(7)]
    assert [line.split()[-2] for line in lines if "POSITION" in line] == [
        "ABS_MT_POSITION_X",
        "ABS_MT_POSITION_Y",
    ]
    assert any("EV_KEY       BTN_TOUCH            DOWN" in line for line in lines)
    assert "00000064" in "".join(lines)  # x = 100: the touch by hand, not the injected one
    client.kill()
    client.communicate()
    assert [touch.by for touch in connected.handset.touches] == ["injected", "hand"]
