"""The handset: touches and their truth, apps in front, faults, pictures, packages, the looper."""

import asyncio
import io
import threading
import time

import pytest
from PIL import Image

from agent.virtual import paint
from agent.virtual.apk import BadApk, read_manifest
from agent.virtual.faults import Faults
from agent.virtual.looper import Looper
from agent.virtual.touchscreen import Touch
from agent.virtual.ui import Look, Node, Notification, Rect
from tests.support.stubapp import StubApp
from tests.support.virtualphone import stub_handset

SHADE = Notification(
    key_id=7, channel="message_channel_new_id", title="甲", text="[2条]甲: 在吗", ticker="甲: 在吗", when_ms=5
)


def test_faults_count_and_prefer_nothing_but_their_method() -> None:
    faults = Faults()
    changes = []
    unwatch = faults.watch(lambda: changes.append(1))
    faults.set("hang", "click", 2)
    faults.set("drop", count=None)
    assert faults.take("hang", "ping") is None
    assert faults.take("hang", "click") is not None
    assert faults.take("hang", "click") is not None
    assert faults.take("hang", "click") is None
    assert all(faults.take("drop", "anything") is not None for _ in range(5))
    faults.set("mute")
    assert faults.holds("mute")
    assert faults.take("mute") is not None
    assert faults.holds("mute")  # a condition holds until it is cleared
    kept = faults.to_json()
    faults.clear("mute")
    assert not faults.holds("mute")
    other = Faults()
    other.from_json(kept)
    assert other.to_json() == kept
    with pytest.raises(ValueError, match="nonsense"):
        faults.set("nonsense")
    unwatch()
    faults.clear()
    assert len(changes) == 4


def test_touches_are_counted_as_they_reached_the_app() -> None:
    app = StubApp()
    handset = stub_handset(app, clock=lambda: 1_000)
    handset.start_app("com.tencent.mm")
    asyncio.run(handset.touchscreen.click(540, 550))
    handset.touch_by_hand(540, 700)
    assert app.taps == [(540, 550), (540, 700)]
    assert handset.counters == {"tap": 1, "hand_tap": 1}
    assert handset.touches[-1] == Touch(
        at_ms=1_000, kind="tap", x=540, y=700, by="hand", package="com.tencent.mm"
    )


def test_a_notification_opens_its_app() -> None:
    app = StubApp()
    app.shade = [SHADE]
    handset = stub_handset(app)
    assert handset.notifications() == []  # not running yet
    handset.start_app("com.tencent.mm")
    handset.home()
    handset.system_ui.shade_is_open = True
    root = handset.active_root()
    assert root is not None
    assert [node.text for node in root.walk() if node.text] == ["甲", "[2条]甲: 在吗"]
    asyncio.run(handset.touchscreen.click(540, 150))
    assert handset.front is app
    assert not handset.system_ui.shade_is_open
    assert app.taps == []


def test_reboot_forgets_what_runs_and_keeps_files() -> None:
    app = StubApp()
    handset = stub_handset(app)
    handset.start_app("com.tencent.mm")
    handset.files.write("/sdcard/f", b"kept")
    boot_id, dropped = handset.boot_id, []
    handset.watch_reboot(lambda: dropped.append(1))
    handset.reboot()
    assert handset.boot_id != boot_id
    assert handset.front is handset.launcher
    assert handset.processes.named("com.tencent.mm") is None
    assert handset.files.read("/sdcard/f") == b"kept"
    assert dropped == [1]


def test_the_launcher_opens_wechat() -> None:
    handset = stub_handset()
    icon = next(node for node in handset.launcher.windows()[0].walk() if node.text == "微信")
    bounds = icon.bounds
    asyncio.run(handset.touchscreen.click((bounds.left + bounds.right) / 2, (bounds.top + bounds.bottom) / 2))
    assert handset.focus() == ("com.tencent.mm", "com.tencent.mm.ui.LauncherUI")


def test_pictures_show_nodes_and_are_kept_by_tree() -> None:
    app = StubApp(
        [Node(bounds=Rect(0, 1_000, 1_080, 1_200), text="字", look=Look(fill="#ff0000", text_px=60))]
    )
    handset = stub_handset(app, clock=lambda: 0)
    handset.start_app("com.tencent.mm")
    first = paint.png(handset)
    assert paint.png(handset) is first
    picture = Image.open(io.BytesIO(first))
    assert picture.getpixel((1_000, 1_100)) == (255, 0, 0)
    app.nodes[0].look.fill = "#00ff00"
    assert paint.png(handset) is not first
    handset.switch_screen(False)
    assert Image.open(io.BytesIO(paint.png(handset))).getextrema() == ((0, 0), (0, 0), (0, 0))


@pytest.mark.parametrize("shape", ["avatar", "search", "heart", "of no known name"])
def test_shapes_are_drawn(shape: str) -> None:
    box = Rect(100, 1_000, 220, 1_120)
    handset = stub_handset(StubApp([Node(bounds=box, desc="甲头像", look=Look(shape=shape))]))
    handset.start_app("com.tencent.mm")
    assert len(set(paint.paint(handset).crop(box).get_flattened_data())) > 1


def test_without_a_chinese_font_painting_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paint, "_FONTS", ("/nowhere.ttf",))
    paint._found_fonts.cache_clear()
    paint.font_of.cache_clear()
    try:
        handset = stub_handset(StubApp([Node(bounds=Rect(0, 0, 500, 99), text="字", look=Look(text_px=40))]))
        handset.start_app("com.tencent.mm")
        assert paint.paint(handset).size == (1_080, 2_340)
    finally:
        paint._found_fonts.cache_clear()
        paint.font_of.cache_clear()


def test_what_is_no_apk_is_refused() -> None:
    with pytest.raises(BadApk):
        read_manifest(b"PK nothing")


def test_the_looper_runs_calls_and_ends() -> None:
    with Looper("a-loop") as looper:
        assert looper.do(lambda: threading.current_thread().name) == "a-loop"
        assert looper.call(asyncio.sleep(0, "done")) == "done"
        with pytest.raises(TimeoutError):
            looper.call(asyncio.sleep(30), timeout_s=0.05)
        with pytest.raises(ZeroDivisionError):
            looper.do(lambda: 1 // 0)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    looper.stop()
    with pytest.raises(RuntimeError):
        looper.do(list)
