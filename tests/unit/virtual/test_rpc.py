"""Every JSON-RPC method of the on-phone server, its overloads and its errors."""

import asyncio
import base64
import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from uiautomator2._selector import Selector

from agent.virtual.handset import Handset
from agent.virtual.rpc import Rpc
from tests.support.stubapp import StubApp
from tests.support.virtualphone import stub_handset

OK = Selector(text="确定")
BOX = Selector(className="android.widget.EditText")
LIST = Selector(scrollable=True)
ROW = Selector(className="android.widget.LinearLayout")
# The complete list of the protocol; makeToast is absent on the real server too.
METHODS = [
    "ping",
    "deviceInfo",
    "dumpWindowHierarchy",
    "takeScreenshot",
    "exist",
    "count",
    "objInfo",
    "objInfoOfAllInstances",
    "getText",
    "waitForExists",
    "waitUntilGone",
    "click",
    "longClick",
    "clickAndWaitForNewWindow",
    "drag",
    "swipe",
    "swipePoints",
    "dragTo",
    "gesture",
    "pinchIn",
    "pinchOut",
    "injectInputEvent",
    "pressKey",
    "pressKeyCode",
    "setText",
    "clearTextField",
    "flingForward",
    "flingBackward",
    "flingToBeginning",
    "flingToEnd",
    "scrollForward",
    "scrollBackward",
    "scrollToBeginning",
    "scrollToEnd",
    "scrollTo",
    "childByText",
    "childByDescription",
    "childByInstance",
    "getChild",
    "getFromParent",
    "getUiObject",
    "getUiObjects",
    "removeUiObject",
    "getLastToast",
    "clearLastToast",
    "clearLastTraversedText",
    "getLastTraversedText",
    "getClipboard",
    "isScreenOn",
    "setClipboard",
    "pasteClipboard",
    "clearInputText",
    "openNotification",
    "openQuickSettings",
    "wakeUp",
    "sleep",
    "freezeRotation",
    "setOrientation",
    "launchApp",
    "waitForIdle",
    "waitForWindowUpdate",
    "getConfigurator",
    "setConfigurator",
    "executeShellCommand",
    "registerClickUiObjectWatcher",
    "registerPressKeyskWatcher",
    "removeWatcher",
    "getWatchers",
    "runWatchers",
    "hasWatcherTriggered",
    "hasAnyWatcherTriggered",
    "resetWatcherTriggers",
]


class Server:
    """An Rpc on a handset with a stub app in front; `ask` returns the result, `error` the error object."""

    def __init__(self, package: str = "com.tencent.mm", **changes: Any) -> None:
        self.app = StubApp()
        self.handset: Handset = stub_handset(self.app, **changes)
        self.handset.start_app(package)
        self.commands: list[tuple[str, int]] = []
        self.rpc = Rpc(self.handset, self._command)

    def ask(self, method: str, *params: Any) -> Any:
        answer = asyncio.run(self.rpc.call(method, list(params)))
        assert "error" not in answer, answer
        return answer["result"]

    def error(self, method: str, params: object) -> dict[str, Any]:
        return asyncio.run(self.rpc.call(method, params))["error"]

    async def _command(self, line: str, limit_ms: int) -> tuple[str, str, int]:
        self.commands.append((line, limit_ms))
        return "out", "err", 3


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def settings() -> Server:
    return Server("com.android.settings")


def test_all_methods_are_there(server: Server) -> None:
    assert set(server.rpc.names()) == set(METHODS)
    assert server.error("makeToast", ["a", 1])["code"] == -32601


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("click", []),
        ("click", [True, False]),
        ("exist", [7]),
        ("exist", []),
        ("swipe", [OK, "sideways", 5]),
        ("swipePoints", [[1, 2, 3], 4]),
        ("setText", [BOX, 5]),
        ("pressKey", [4]),
        ("waitForExists", [OK]),
        ("injectInputEvent", ["down", 1, 2, 0]),
        ("objInfo", {"a": 1}),
        ("objInfo", "text"),
    ],
)
def test_wrong_parameters_are_named_so(server: Server, method: str, params: object) -> None:
    assert server.error(method, params) == {
        "code": -32602,
        "message": "method parameters invalid",
        "data": "method parameters invalid",
    }
    assert server.app.taps == []


@pytest.mark.parametrize("method", ["objInfo", "getText", "click", "longClick", "setText", "scrollForward"])
def test_what_is_not_there_is_not_found(server: Server, method: str) -> None:
    extra: list[Any] = {"setText": ["a"], "scrollForward": [True, 5]}.get(method, [])
    error = server.error(method, [Selector(text="没有"), *extra])
    assert error["code"] == -32001
    assert error["message"] == "androidx.test.uiautomator.UiObjectNotFoundException"


def test_reads(server: Server) -> None:
    assert server.ask("ping") == "pong"
    assert server.ask("exist", OK) is True
    assert server.ask("exist", Selector(text="没有")) is False
    assert server.ask("count", Selector(className="android.widget.Button")) == 2
    assert server.ask("getText", OK) == "确定"
    info = server.ask("objInfo", OK)
    assert info["bounds"] == {"left": 40, "top": 500, "right": 1_040, "bottom": 600}
    assert info["resourceName"] == "com.tencent.mm:id/button"
    assert set(info) == {
        *("bounds", "visibleBounds", "childCount", "className", "contentDescription", "packageName", "text"),
        *("checkable", "checked", "clickable", "enabled", "focusable", "focused", "longClickable"),
        *("scrollable", "selected", "resourceName"),
    }
    assert "resourceName" not in server.ask("objInfo", Selector(text="确定", instance=0))
    names = [each["text"] for each in server.ask("objInfoOfAllInstances", Selector(textMatches="确定|取消"))]
    assert sorted(names) == ["取消", "确定"]
    assert server.ask("waitForIdle", 10) is None
    assert server.ask("getLastTraversedText") is None
    assert asyncio.run(server.rpc.call("deviceInfo", {}))["result"]["currentPackageName"] == "com.tencent.mm"


def test_clicks_by_point_selector_and_key(server: Server) -> None:
    assert server.ask("click", 100, 200) is True
    assert server.ask("click", 100.5, 200.5) is True
    assert server.ask("click", -1, 200) is False
    assert server.ask("click", OK) is True
    assert server.ask("click", OK, "tl") is True
    assert server.ask("click", OK, "br") is True
    assert server.ask("click", server.ask("getUiObject", OK)) is True
    assert server.app.taps == [(100, 200), (100.5, 200.5), (540, 550), (45, 505), (1_035, 595), (540, 550)]
    assert server.ask("click", 100, 200, 500) is True
    assert server.ask("longClick", OK) is True
    assert server.app.long_taps == [(100, 200), (540, 550)]
    assert server.ask("clickAndWaitForNewWindow", OK, 100) is False
    assert server.handset.counters == {"tap": 7, "long_tap": 2}


def test_swipes_and_drags(server: Server) -> None:
    assert server.ask("swipe", 1, 1_000, 1, 500, 10) is True
    assert server.ask("drag", 1, 1_000, 1, 500, 10) is True
    assert server.ask("swipePoints", [1, 1_000, 5, 5, 1, 500], 10) is True
    assert server.app.swipes == [(1, 1_000, 1, 500)] * 3
    assert server.ask("swipe", OK, "left", 10) is True
    assert server.ask("swipe", OK, "left", 0.5, 10) is True
    assert server.app.swipes[3:] == [(1_035, 550, 45, 550), (787.5, 550, 292.5, 550)]
    assert server.ask("dragTo", OK, 1, 1_000, 5) is True
    assert server.ask("dragTo", OK, Selector(text="取消"), 5) is True
    assert server.app.swipes[5:] == [(540, 550, 1, 1_000), (540, 550, 540, 700)]
    for method in ("pinchIn", "pinchOut"):
        assert server.ask(method, OK, 50, 5) is True
    point = {"x": 1, "y": 2}
    assert server.ask("gesture", OK, point, point, point, point, 5) is True
    assert server.handset.counters["two_fingers"] == 3


def test_single_motion_events(server: Server) -> None:
    assert server.ask("injectInputEvent", 1, 5.0, 5.0, 0) is False
    assert server.ask("injectInputEvent", 0, 540, 550, 0) is True
    assert server.ask("injectInputEvent", 1, 541, 551, 0) is True
    assert server.app.taps == [(540, 550)]
    for action, y in ((0, 1_000), (2, 700), (1, 400)):
        assert server.ask("injectInputEvent", action, 5, y, 0) is True
    assert server.app.swipes == [(5, 1_000, 5, 400)]


def test_typing(server: Server) -> None:
    assert server.ask("setText", BOX, "你好 😀") is True
    assert server.ask("getText", BOX) == "你好 😀"
    assert server.ask("clearTextField", BOX) is True
    assert server.ask("setText", OK, "x") is False
    server.ask("click", BOX)
    server.ask("setClipboard", None, "aus 剪贴板")
    assert server.ask("getClipboard") == "aus 剪贴板"
    server.ask("pasteClipboard")
    assert server.app.text == "aus 剪贴板"
    server.ask("clearInputText")
    assert server.app.text == ""
    server.ask("pressKeyCode", 29)
    server.ask("pressKeyCode", 30, 0x41)
    assert server.app.text == "aB"


def test_keys(server: Server) -> None:
    assert server.ask("pressKey", "enter") is True
    assert server.app.actions == ["editor"]
    assert server.ask("pressKey", "nonsense") is False
    assert server.ask("pressKey", "back") is True
    assert server.handset.front is server.handset.launcher
    assert server.ask("launchApp", "com.tencent.mm") is True
    assert server.ask("pressKey", "home") is True
    server.ask("sleep")
    assert server.ask("isScreenOn") is False
    assert server.ask("takeScreenshot", 1, 80) is None
    server.ask("wakeUp")
    assert server.ask("isScreenOn") is True
    server.ask("pressKey", "power")
    assert server.ask("isScreenOn") is False


def test_toasts_are_kept_until_cleared(server: Server) -> None:
    assert server.ask("getLastToast") is None
    server.ask("click", OK)
    assert server.ask("getLastToast") == "确定"
    assert server.ask("getLastToast") == "确定"
    server.ask("click", Selector(text="取消"))
    server.ask("clearLastToast")
    assert server.ask("getLastToast") is None


def test_screenshots(server: Server) -> None:
    raw = server.ask("takeScreenshot", 1, 80)
    assert max(len(line) for line in raw.splitlines()) == 76
    assert Image.open(io.BytesIO(base64.b64decode(raw))).size == (1_080, 2_340)
    path = server.ask("takeScreenshot", "a.png", 1, 80)
    assert server.handset.files.read(path).startswith(b"\x89PNG")


def test_scrolling(settings: Server) -> None:
    last, first = Selector(text="关于手机"), Selector(text="网络和互联网")
    assert settings.ask("scrollBackward", LIST, True, 55) is False  # at the top already
    assert settings.ask("scrollForward", LIST, True, 55) is True
    assert settings.ask("scrollForward", LIST, False, 55) is False
    assert settings.ask("scrollToEnd", LIST, True, 20, 55) is True
    assert settings.ask("exist", last) is True
    assert settings.ask("flingToBeginning", LIST, True, 20) is True
    assert settings.ask("exist", first) is True
    assert settings.ask("scrollTo", LIST, last, True) is True
    assert settings.ask("scrollTo", LIST, first, True) is True
    assert settings.ask("scrollTo", LIST, Selector(text="没有"), True) is False
    assert settings.ask("flingForward", LIST, True) is False
    assert settings.ask("flingBackward", LIST, True) is True
    assert settings.ask("flingToEnd", LIST, True, 20) is True
    assert settings.ask("scrollToBeginning", LIST, True, 20, 55) is True


def test_objects_by_key(settings: Server) -> None:
    key = settings.ask("childByText", LIST, ROW, "应用")
    assert settings.ask("objInfo", key)["className"] == "android.widget.LinearLayout"
    child = settings.ask("getChild", key, Selector(className="android.widget.TextView"))
    assert settings.ask("getText", child) == "应用"
    sibling = settings.ask("getFromParent", child, Selector(className="android.widget.TextView"))
    assert settings.ask("exist", sibling) is True
    second = settings.ask("childByInstance", LIST, ROW, 1)
    assert (
        settings.ask("getText", settings.ask("getChild", second, Selector(textMatches=".+")))
        == "已连接的设备"
    )
    assert settings.error("childByText", [LIST, ROW, "关于手机"])["code"] == -32001
    assert settings.ask("exist", settings.ask("childByText", LIST, ROW, "关于手机", True)) is True
    described = settings.ask(
        "childByDescription", Selector(className="android.widget.FrameLayout"), ROW, "蓝牙"
    )
    assert settings.ask("exist", described) is True
    assert key in settings.ask("getUiObjects")
    assert settings.ask("removeUiObject", key) is True
    assert settings.error("exist", [key])["code"] == -32001


def test_object_keys_end_after_a_minute() -> None:
    now = [1_700_000_000_000]
    server = Server(clock=lambda: now[0])
    key = server.ask("getUiObject", OK)
    now[0] += 59_999
    assert server.ask("exist", key) is True
    now[0] += 1
    assert server.error("exist", [key])["code"] == -32001


def test_waits(server: Server) -> None:
    assert server.ask("waitForExists", OK, 1_000) is True
    assert server.ask("waitForExists", Selector(text="没有"), 150) is False
    assert server.ask("waitUntilGone", Selector(text="没有"), 1_000) is True
    assert server.ask("waitUntilGone", OK, 150) is False
    assert server.ask("waitForWindowUpdate", None, 50) is False

    async def appears() -> Any:
        waiting = asyncio.create_task(server.rpc.call("waitForExists", [Selector(text="later"), 5_000]))
        updated = asyncio.create_task(server.rpc.call("waitForWindowUpdate", ["com.tencent.mm", 5_000]))
        await asyncio.sleep(0)
        server.app.nodes[0].text = "later"
        return [(await each)["result"] for each in (waiting, updated)]

    assert asyncio.run(appears()) == [True, True]


def test_settings_shade_and_rotation(server: Server) -> None:
    assert server.ask("getConfigurator")["waitForIdleTimeout"] == 0
    assert server.ask("setConfigurator", {"waitForIdleTimeout": 5, "other": 1})["waitForIdleTimeout"] == 5
    for method in ("openNotification", "openQuickSettings"):
        server.ask(method)
        panel = Selector(resourceId="com.android.systemui:id/notification_panel")
        assert server.ask("exist", panel) is True
        server.ask("pressKey", "back")
        assert server.ask("exist", panel) is False
    server.ask("freezeRotation", True)
    assert server.ask("setOrientation", "l") is True
    assert server.ask("setOrientation", "sideways") is False
    info = server.ask("deviceInfo")
    assert (info["displayWidth"], info["displayRotation"]) == (2_340, 1)
    assert 'rotation="1"' in server.ask("dumpWindowHierarchy", False, 50)
    assert server.ask("executeShellCommand", "ls /", 500) == {
        "stdout": "out",
        "stderr": "err",
        "returnCode": 3,
    }
    assert server.commands == [("ls /", 500)]


def test_dump_depth_and_active_root(server: Server) -> None:
    assert server.ask("dumpWindowHierarchy", False, 50).count("systemui") > 0
    active = server.ask("dumpWindowHierarchy", False, 50, True)
    assert "systemui" not in active
    assert "确定" in active
    assert server.ask("dumpWindowHierarchy", False, 1, True).count("<node") == 1


def test_watchers_run_when_asked(server: Server) -> None:
    server.ask("registerClickUiObjectWatcher", "ok", [OK], Selector(text="取消"))
    server.ask("registerPressKeyskWatcher", "never", [Selector(text="没有")], ["home"])
    assert server.ask("getWatchers") == ["ok", "never"]
    assert server.ask("hasAnyWatcherTriggered") is False
    server.ask("runWatchers")
    assert server.app.taps == [(540, 700)]
    assert server.ask("hasWatcherTriggered", "ok") is True
    assert server.ask("hasWatcherTriggered", "never") is False
    server.ask("resetWatcherTriggers")
    assert server.ask("hasAnyWatcherTriggered") is False
    assert server.ask("removeWatcher", "ok") is True


@pytest.mark.parametrize("name", ["empty_tree", "scrambled_tree"])
def test_tree_faults_strike_one_call_and_every_way_of_looking(server: Server, name: str) -> None:
    looks: list[tuple[str, Callable[[], bool]]] = [
        ("exist", lambda: server.ask("exist", OK)),
        ("count", lambda: server.ask("count", OK) > 0),
        ("dumpWindowHierarchy", lambda: "确定" in server.ask("dumpWindowHierarchy", False, 50)),
    ]
    for method, look in looks:
        server.handset.faults.set(name, method)
        assert not look()
        assert look()
