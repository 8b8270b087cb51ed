"""What a user's script does: unmodified uiautomator2 and adbutils, a virtual phone behind real adb."""

from __future__ import annotations

import atexit
import gc
import subprocess
import sys
import time
from collections.abc import Iterator

import adbutils
import pytest
import uiautomator2
from lxml import etree
from uiautomator2.exceptions import (
    AccessibilityServiceAlreadyRegisteredError,
    HTTPError,
    LaunchUiAutomationError,
    UiObjectNotFoundError,
)

from tests.support.adb import AdbServer, until
from tests.support.virtualphone import VirtualPhone, virtual_phone

# The stock client hands sockets on to http.client and leaves their closing to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
WECHAT = "com.tencent.mm"
SETTINGS = "com.android.settings"


def connect(serial: str) -> uiautomator2.Device:
    device = uiautomator2.connect(serial)
    atexit.unregister(device.stop_uiautomator)
    return device


@pytest.fixture(scope="module")
def shared(one_adb: AdbServer) -> Iterator[VirtualPhone]:
    with virtual_phone() as running:
        one_adb.connect(running.address)
        one_adb.wait_state(running.address, "device")
        yield running


@pytest.fixture(scope="module", autouse=True)
def collected() -> Iterator[None]:
    yield
    gc.collect()  # here, where the filter above holds


@pytest.fixture(autouse=True)
def own_server(one_adb: AdbServer, monkeypatch: pytest.MonkeyPatch) -> None:
    # adbutils reads ANDROID_ADB_SERVER_PORT once, when it is imported.
    monkeypatch.setattr(adbutils, "adb", adbutils.AdbClient(port=one_adb.port))


@pytest.fixture(scope="module")
def device(one_adb: AdbServer, shared: VirtualPhone) -> Iterator[uiautomator2.Device]:
    device = uiautomator2.connect(adbutils.AdbClient(port=one_adb.port).device(shared.address))
    atexit.unregister(device.stop_uiautomator)
    yield device
    device.stop_uiautomator(wait=False)


@pytest.fixture
def d(device: uiautomator2.Device, shared: VirtualPhone) -> uiautomator2.Device:
    shared.clear_faults()
    shared.do(shared.handset.start_app, WECHAT)
    return device


@pytest.fixture
def settings(device: uiautomator2.Device, shared: VirtualPhone) -> uiautomator2.Device:
    shared.clear_faults()
    shared.do(shared.handset.stop_app, SETTINGS)
    shared.do(shared.handset.start_app, SETTINGS)
    return device


def test_a_plain_script_runs_in_a_process_of_its_own(one_adb: AdbServer, shared: VirtualPhone) -> None:
    script = (
        "import sys, uiautomator2 as u2\n"
        "d = u2.connect(sys.argv[1])\n"
        "d.app_start('com.tencent.mm')\n"
        "d(text='确定').click()\n"
        "print(d.info['currentPackageName'], d.last_toast)\n"
    )
    with virtual_phone() as fresh:
        one_adb.connect(fresh.address)
        done = subprocess.run(
            [sys.executable, "-c", script, fresh.address],
            env={**one_adb.environment, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            timeout=30,
        )
        assert done.stdout.decode().split() == ["com.tencent.mm", "确定"], done.stderr.decode()
        assert fresh.handset.counters["tap"] == 1
        one_adb.run("disconnect", fresh.address)


def test_connect_by_serial_pushes_the_server_once(one_adb: AdbServer) -> None:
    with virtual_phone() as fresh:
        one_adb.connect(fresh.address)
        first = connect(fresh.address)
        stored = fresh.handset.files.get("/data/local/tmp/u2.jar")
        second = connect(fresh.address)
        assert first.info == second.info
        assert fresh.handset.files.get("/data/local/tmp/u2.jar") is stored
        first.stop_uiautomator(wait=False)
        one_adb.run("disconnect", fresh.address)


def test_device_facts(d: uiautomator2.Device, shared: VirtualPhone) -> None:
    assert d.info["currentPackageName"] == WECHAT
    assert d.info["displayWidth"] == 1080
    assert d.info["sdkInt"] == 33
    assert d.device_info["serial"] == "VIRT0001"
    assert d.device_info["brand"] == "phonefarm"
    assert d.window_size() == (1080, 2340)
    assert d.wlan_ip == "192.168.31.101"
    assert d.shell("ls /nope").exit_code == 1
    assert d.adb_device.app_info(WECHAT).version_name == "8.0.61"


def test_apps_start_stop_and_tell_who_is_in_front(d: uiautomator2.Device, shared: VirtualPhone) -> None:
    assert d.app_current()["package"] == WECHAT
    assert d.app_current()["activity"] == "com.tencent.mm.ui.LauncherUI"
    assert WECHAT in d.app_list_running()
    assert WECHAT in d.app_list("tencent")
    d.app_stop(WECHAT)
    assert d.app_current()["package"] == "com.android.launcher"
    assert WECHAT not in d.app_list_running()
    d.app_start(WECHAT, ".ui.LauncherUI", stop=True, wait=True)
    assert d.app_current()["package"] == WECHAT


def test_hierarchy_and_xpath(d: uiautomator2.Device, shared: VirtualPhone) -> None:
    xml = d.dump_hierarchy()
    root = etree.fromstring(xml.encode())
    assert root.tag == "hierarchy"
    packages = {node.get("package") for node in root.iterchildren()}
    assert packages == {WECHAT, "com.android.systemui"}
    assert d.dump_hierarchy(root_in_active=True).count("com.android.systemui") == 0
    assert d.dump_hierarchy(max_depth=1).count("<node") == 2
    taps = len(shared.app.taps)
    d.xpath("//android.widget.Button[@text='取消']").click()
    assert shared.app.taps[taps:] == [(540, 700)]
    assert d.xpath("确定").exists
    assert not d.xpath("没有").exists


def test_selectors(settings: uiautomator2.Device) -> None:
    d = settings
    assert d(text="保存").exists
    assert d(textContains="和互联").count == 1
    assert d(textMatches=r"网络.+").info["className"] == "android.widget.TextView"
    assert d(resourceId="com.android.settings:id/save", className="android.widget.Button").exists
    assert d(text="保存").info["resourceName"] == "com.android.settings:id/save"
    assert "resourceName" not in d(className="android.widget.Button")[1].info
    assert d(className="android.widget.Button")[1].get_text() == "重置"
    assert d(scrollable=True).child(text="应用").exists
    assert d(text="保存").sibling(text="重置").exists
    assert (
        d(text="飞行模式").right(className="android.widget.Switch").info["contentDescription"] == "飞行模式"
    )
    with pytest.raises(UiObjectNotFoundError):
        d(text="没有").click(timeout=0.2)
    assert d(scrollable=True).child_by_text("应用", className="android.widget.LinearLayout").exists


def test_click_wait_and_toast(d: uiautomator2.Device, shared: VirtualPhone) -> None:
    d.clear_toast()
    assert d.last_toast is None
    before = shared.handset.counters["tap"]
    d(text="确定").click()
    assert d.toast.get_message(2) == "确定"
    assert d.last_toast == "确定"
    d.clear_toast()
    assert d.last_toast is None
    d.click(0.5, 0.3)
    d.long_click(540, 550)
    d.double_click(540, 550)
    assert shared.handset.counters["tap"] == before + 4
    assert shared.app.long_taps == [(540, 550)]
    assert not d(text="没有").wait(timeout=0.3)
    assert d(text="没有").wait_gone(timeout=1)


def test_typing_without_the_input_method_app(d: uiautomator2.Device, shared: VirtualPhone) -> None:
    box = d(className="android.widget.EditText")
    box.click()
    d.send_keys("你好 😀")
    assert box.get_text() == "你好 😀"
    assert d.clipboard == "你好 😀"
    d.clear_text()
    assert shared.app.text == ""
    box.set_text("改了")
    assert shared.app.text == "改了"
    box.clear_text()
    assert shared.app.text == ""
    d.shell("input text hello%sall")
    assert shared.app.text == "hello all"


def test_typing_with_the_input_method_app(d: uiautomator2.Device, shared: VirtualPhone) -> None:
    d(className="android.widget.EditText").click()
    shared.app.text = ""
    d.send_action("search")
    assert shared.app.actions == ["editor"]
    assert d.current_ime() == "com.github.uiautomator/.AdbKeyboard"
    d.send_keys("键盘 😀")
    assert shared.app.text == "键盘 😀"
    d.clear_text()
    assert shared.app.text == ""
    d.hide_keyboard()
    d.set_input_ime(False)
    assert d.current_ime() == "com.android.inputmethod.latin/.LatinIME"
    d.app_uninstall("com.github.uiautomator")
    assert not d.is_input_ime_installed()


def test_scrolling_and_swiping(settings: uiautomator2.Device, shared: VirtualPhone) -> None:
    d = settings
    assert not d(text="关于手机").exists
    assert d(scrollable=True).scroll.to(text="关于手机")
    assert d(text="关于手机").exists
    d(scrollable=True).scroll.toBeginning()
    assert d(text="网络和互联网").exists
    assert d(scrollable=True).fling.forward()
    assert d(scrollable=True).scroll.backward()
    d.swipe(540, 2000, 540, 1500, steps=5)
    d.swipe_ext("up")
    d(scrollable=True).swipe("up")
    assert not d(text="网络和互联网").exists
    d.swipe_points([(540, 900), (540, 1500), (540, 2200)], 0.1)
    d.drag(540, 900, 540, 2300, 0.1)
    assert shared.handset.counters["swipe"] > 6


def test_keys_and_screen(settings: uiautomator2.Device, shared: VirtualPhone) -> None:
    d = settings
    d(text="应用").click()
    assert d.app_current()["activity"].endswith("SubSettings")
    d.press("back")
    assert d.app_current()["activity"].endswith(".Settings")
    d.press(4)
    assert d.app_current()["package"] == "com.android.launcher"
    d(text="微信").click()
    assert d.app_current()["package"] == WECHAT
    d.press("home")
    assert d.app_current()["package"] == "com.android.launcher"
    d.screen_off()
    assert not d.info["screenOn"]
    assert not d.adb_device.is_screen_on()
    assert d.screenshot().size == (1080, 2340)  # takeScreenshot is null, screencap steps in
    d.screen_on()
    assert d.info["screenOn"]
    d.open_notification()
    assert d(resourceId="com.android.systemui:id/notification_panel").exists
    d.press("back")
    d.set_orientation("l")
    assert d.orientation == "left"
    assert d.window_size() == (2340, 1080)
    d.set_orientation("n")


def test_screenshot_shows_the_page(settings: uiautomator2.Device) -> None:
    picture = settings.screenshot()
    assert picture.size == (1080, 2340)
    red, green, blue = picture.getpixel((100, 680))  # the blue button
    assert blue > 200
    assert red < 60
    assert green < 180


def test_watcher_clicks_by_itself(d: uiautomator2.Device, shared: VirtualPhone) -> None:
    taps = len(shared.app.taps)
    with d.watch_context() as watching:
        watching.when("取消").click()
        until(lambda: len(shared.app.taps) > taps, "the watcher's click")
    assert shared.app.taps[taps] == (540, 700)


def test_push_and_pull(d: uiautomator2.Device, tmp_path, shared: VirtualPhone) -> None:
    source = tmp_path / "a.bin"
    source.write_bytes(bytes(range(256)) * 1_000)
    d.push(str(source), "/sdcard/a.bin")
    d.pull("/sdcard/a.bin", str(tmp_path / "b.bin"))
    assert (tmp_path / "b.bin").read_bytes() == source.read_bytes()
    assert "a.bin" in [each.path for each in d.adb_device.sync.list("/sdcard")]
    shared.fault("storage_full")
    with pytest.raises(adbutils.AdbError):
        d.push(str(source), "/sdcard/c.bin")


def test_emoji_is_dotted_in_dumps_and_true_in_get_text(d: uiautomator2.Device, shared: VirtualPhone) -> None:
    shared.app.text = "好😀"
    box = d(className="android.widget.EditText")
    assert box.get_text() == "好😀"
    assert 'text="好.."' in d.dump_hierarchy()
    assert box.info["text"] == "好😀"
    shared.app.text = ""


# --- the server's life


@pytest.fixture
def alone(one_adb: AdbServer) -> Iterator[VirtualPhone]:
    with virtual_phone() as fresh:
        one_adb.connect(fresh.address)
        one_adb.wait_state(fresh.address, "device")
        fresh.do(fresh.handset.start_app, WECHAT)
        yield fresh
        one_adb.run("disconnect", fresh.address)


def test_a_killed_server_is_restarted(alone: VirtualPhone) -> None:
    d = connect(alone.address)
    alone.do(alone.handset.ui_automation.kill)
    until(lambda: alone.handset.ui_automation is None, "the server is gone")
    assert d.info["sdkInt"] == 33
    d.stop_uiautomator()
    assert alone.handset.ui_automation is None
    assert alone.handset.processes.named("app_process") is None


@pytest.mark.parametrize("fault", ["http_500", "not_connected", "dead_object"])
def test_the_stock_client_repeats_a_click_that_was_made(alone: VirtualPhone, fault: str) -> None:
    d = connect(alone.address)
    alone.fault(fault, "click")
    d.click(540, 550)
    assert alone.handset.counters["tap"] == 2
    d.stop_uiautomator(wait=False)


def test_two_owners_on_two_ports_collide(alone: VirtualPhone) -> None:
    d = connect(alone.address)
    with pytest.raises(AccessibilityServiceAlreadyRegisteredError):
        uiautomator2.connect(alone.address, port=9_010)
    d.stop_uiautomator(wait=False)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("start_already_registered", AccessibilityServiceAlreadyRegisteredError),
        ("start_crash", LaunchUiAutomationError),
    ],
)
def test_failing_starts(alone: VirtualPhone, fault: str, error: type[Exception]) -> None:
    alone.fault(fault)
    with pytest.raises(error):
        connect(alone.address)
    d = connect(alone.address)
    assert d.info
    d.stop_uiautomator(wait=False)


def test_an_empty_tree_comes_back_as_empty_xml(alone: VirtualPhone) -> None:
    d = connect(alone.address)
    alone.fault("empty_tree", "dumpWindowHierarchy", 3)
    assert d.dump_hierarchy().endswith('<hierarchy rotation="0" />')
    alone.fault("scrambled_tree", "dumpWindowHierarchy")
    assert "确定" not in d.dump_hierarchy()
    assert "确定" in d.dump_hierarchy()
    d.stop_uiautomator(wait=False)


def test_unplugging_ends_the_server_and_replugging_brings_it_back(
    alone: VirtualPhone, one_adb: AdbServer
) -> None:
    d = connect(alone.address)
    alone.unplug()
    until(lambda: alone.handset.ui_automation is None, "the server died with its stream")
    with pytest.raises((adbutils.AdbError, HTTPError)):
        d.jsonrpc_call("deviceInfo", {})
    alone.plug()
    one_adb.connect(alone.address)
    one_adb.wait_state(alone.address, "device")
    assert d.info["sdkInt"] == 33
    d.stop_uiautomator(wait=False)


def test_a_lost_answer_still_clicks_once(alone: VirtualPhone) -> None:
    d = connect(alone.address)
    for fault, taps in (("lost_after_act", 1), ("half_reply", 2), ("drop", 2)):
        alone.fault(fault, "click")
        with pytest.raises((ConnectionError, ValueError)):
            d.click(540, 550)
        assert alone.handset.counters["tap"] == taps
    d.stop_uiautomator(wait=False)


def test_gestures_take_their_real_time() -> None:
    with virtual_phone(time_scale=1.0) as slow:
        began = time.monotonic()
        slow.looper.call(slow.handset.touchscreen.click(540, 550))
        assert time.monotonic() - began >= 0.1
        began = time.monotonic()
        slow.looper.call(slow.handset.touchscreen.swipe(540, 2000, 540, 1000, 40))
        assert time.monotonic() - began >= 0.2
