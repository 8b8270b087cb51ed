"""JSON-RPC methods about the phone: information, dumps, screenshots, keys, clipboard, toast, settings."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from agent.virtual import hierarchy
from agent.virtual.glance import Glance, bad_params
from agent.virtual.handset import Handset
from agent.virtual.keys import META_CTRL, PRESS_NAMES, Key
from agent.virtual.paint import jpeg, png

# Command line and limit in ms, to (stdout, stderr, exit code); -1 = out of time.
RunCommand = Callable[[str, int], Awaitable[tuple[str, str, int]]]
Handler = Callable[[Glance, list[Any]], Awaitable[Any]]
DENSITY = 440
_BASELINE_DENSITY = 160
_ORIENTATIONS = {
    "n": 0,
    "natural": 0,
    "l": 1,
    "left": 1,
    "u": 2,
    "upsidedown": 2,
    "r": 3,
    "right": 3,
}


class DeviceMethods:
    """The methods that are about no object on the screen."""

    def __init__(self, handset: Handset, run_command: RunCommand) -> None:
        self._phone, self._run_command = handset, run_command
        self._configurator: dict[str, int] = {
            "actionAcknowledgmentTimeout": 500,
            "keyInjectionDelay": 0,
            "scrollAcknowledgmentTimeout": 200,
            "waitForIdleTimeout": 0,
            "waitForSelectorTimeout": 0,
            "uiAutomationFlags": 0,
        }

    def table(self) -> dict[str, Handler]:
        """Return the methods by their JSON-RPC name."""
        phone, keyboard = self._phone, self._phone.keyboard
        return {
            "ping": _answer(lambda _: "pong"),
            "deviceInfo": _answer(lambda _: self._device_info()),
            "dumpWindowHierarchy": self._dump,
            "takeScreenshot": _answer(self._screenshot),
            "pressKey": _answer(self._press_key),
            "pressKeyCode": _answer(self._press_code),
            "getLastToast": _answer(lambda _: phone.toast()),
            "clearLastToast": _answer(lambda _: phone.clear_toast()),
            # Traversed text comes from accessibility focus, which nothing here moves.
            "getLastTraversedText": _answer(lambda _: None),
            "clearLastTraversedText": _answer(lambda _: None),
            "getClipboard": _answer(lambda _: keyboard.clipboard),
            "setClipboard": _answer(self._set_clipboard),
            "pasteClipboard": _answer(lambda _: self._keys((Key.V, META_CTRL))),
            "clearInputText": _answer(lambda _: self._keys((Key.A, META_CTRL), (Key.DEL, 0))),
            "isScreenOn": _answer(lambda _: phone.screen_on),
            "wakeUp": _answer(lambda _: phone.switch_screen(True)),
            "sleep": _answer(lambda _: phone.switch_screen(False)),
            "openNotification": _answer(lambda _: self._open_shade()),
            "openQuickSettings": _answer(lambda _: self._open_shade()),
            "freezeRotation": _answer(lambda params: self._freeze(params[0])),
            "setOrientation": _answer(self._set_orientation),
            "launchApp": _answer(self._launch),
            "getConfigurator": _answer(lambda _: dict(self._configurator)),
            "setConfigurator": _answer(self._set_configurator),
            "executeShellCommand": self._execute,
        }

    def _device_info(self) -> dict[str, Any]:
        phone = self._phone
        package, _ = phone.focus()
        width, height = phone.width, phone.height
        if phone.rotation % 2:
            width, height = height, width
        return {
            "currentPackageName": package,
            "displayWidth": width,
            "displayHeight": height,
            "displayRotation": phone.rotation,
            "displaySizeDpX": width * _BASELINE_DENSITY // DENSITY,
            "displaySizeDpY": height * _BASELINE_DENSITY // DENSITY,
            "productName": phone.product,
            "screenOn": phone.screen_on,
            "sdkInt": phone.sdk,
            "naturalOrientation": phone.rotation % 2 == 0,
        }

    async def _dump(self, glance: Glance, params: list[Any]) -> str:
        depth = int(params[1]) if len(params) > 1 and params[1] is not None else hierarchy.DEFAULT_DEPTH
        is_active_only = len(params) > 2 and bool(params[2])
        active = glance.active() if is_active_only else None
        roots = [active] if active is not None else [] if is_active_only else glance.roots()
        phone = self._phone
        xml = hierarchy.write(
            roots, glance.screen, rotation=phone.rotation, sdk=phone.sdk, max_depth=max(1, depth)
        )
        phone.traps.dumped()
        return xml

    def _launch(self, params: list[Any]) -> bool:
        self._phone.touchscreen.injected()
        return self._phone.start_app(_text(params[0]))

    def _screenshot(self, params: list[Any]) -> str | None:
        phone = self._phone
        if not phone.screen_on:
            return None
        if len(params) == 3:
            path = f"/data/local/tmp/u2/{_text(params[0])}"
            phone.files.write(path, png(phone))
            return path
        quality = int(params[1]) if len(params) > 1 else 80
        # android.util.Base64.DEFAULT: lines of 76 characters
        return base64.encodebytes(jpeg(phone, quality)).decode()

    def _press_key(self, params: list[Any]) -> bool:
        code = PRESS_NAMES.get(_text(params[0]).lower())
        if code is None:
            return False
        self._phone.keyboard.press(code)
        return True

    def _press_code(self, params: list[Any]) -> bool:
        self._phone.keyboard.press(int(params[0]), int(params[1]) if len(params) > 1 else 0)
        return True

    def _keys(self, *keys: tuple[int, int]) -> bool:
        for code, meta in keys:
            self._phone.keyboard.press(code, meta)
        return True

    def _set_clipboard(self, params: list[Any]) -> None:
        _, text = params
        self._phone.keyboard.clipboard = _text(text)

    def _open_shade(self) -> bool:
        self._phone.touchscreen.injected()
        self._phone.system_ui.shade_is_open = True
        return True

    def _freeze(self, is_frozen: object) -> None:
        self._phone.settings["system", "accelerometer_rotation"] = "0" if is_frozen else "1"

    def _set_orientation(self, params: list[Any]) -> bool:
        rotation = _ORIENTATIONS.get(_text(params[0]))
        if rotation is None:
            return False
        self._phone.rotation = rotation
        return True

    def _set_configurator(self, params: list[Any]) -> dict[str, int]:
        for name, value in params[0].items():
            if name in self._configurator:
                self._configurator[name] = int(value)
        return dict(self._configurator)

    async def _execute(self, glance: Glance, params: list[Any]) -> dict[str, Any]:
        _ = glance
        limit_ms = int(params[1]) if len(params) > 1 else 60_000
        out, err, code = await self._run_command(_text(params[0]), limit_ms)
        return {"stdout": out, "stderr": err, "returnCode": code}


def _answer(function: Callable[[list[Any]], Any]) -> Handler:
    async def handler(glance: Glance, params: list[Any]) -> Any:
        _ = glance
        return function(params)

    return handler


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise bad_params()
    return value
