"""`input`, and `getevent`, which shows touches by hand only: injected ones do not pass the kernel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from agent.virtual.coreutils import options
from agent.virtual.keys import code_of
from agent.virtual.shell import Call, Command
from agent.virtual.touchscreen import LONG_PRESS_MS, SWIPE_STEP_MS

TOUCH_DEVICE, KEY_DEVICE = "/dev/input/event2", "/dev/input/event0"
EV_SYN, EV_KEY, EV_ABS = 0, 1, 3
_BTN_TOUCH, _SLOT, _X, _Y, _TRACKING_ID, _PRESSURE = 0x14A, 0x2F, 0x35, 0x36, 0x39, 0x3A
_NO_ID = 0xFFFFFFFF
_TYPE_NAMES = {EV_SYN: "EV_SYN", EV_KEY: "EV_KEY", EV_ABS: "EV_ABS"}
_CODE_NAMES = {
    (EV_SYN, 0): "SYN_REPORT",
    (EV_KEY, _BTN_TOUCH): "BTN_TOUCH",
    (EV_ABS, _SLOT): "ABS_MT_SLOT",
    (EV_ABS, _X): "ABS_MT_POSITION_X",
    (EV_ABS, _Y): "ABS_MT_POSITION_Y",
    (EV_ABS, _TRACKING_ID): "ABS_MT_TRACKING_ID",
    (EV_ABS, _PRESSURE): "ABS_MT_PRESSURE",
}
_SOURCES = ("touchscreen", "keyboard", "mouse", "dpad", "touchpad", "gamepad", "stylus", "trackball")


async def _input(call: Call) -> int:
    args = list(call.args)
    if args[:1] == ["-d"]:
        args = args[2:]
    if args[:1] and args[0] in _SOURCES:
        args = args[1:]
    verb, words = (args[0], args[1:]) if args else ("", [])
    try:
        return await _input_verb(call, verb, words)
    except (ValueError, IndexError):
        return call.fail(f"Error: Invalid arguments for command: {verb}", 255)


async def _input_verb(call: Call, verb: str, words: list[str]) -> int:
    touchscreen = call.handset.touchscreen
    match verb:
        case "tap":
            x, y = (float(word) for word in words)
            # `input tap` sends down and up without holding.
            touchscreen.counters["input_tap"] += 1
            await touchscreen.click(x, y, 0)
        case "swipe" | "draganddrop":
            x1, y1, x2, y2 = (float(word) for word in words[:4])
            ms = int(words[4]) if len(words) > 4 else 300
            await touchscreen.swipe(x1, y1, x2, y2, max(1, ms // SWIPE_STEP_MS))
        case "text":
            return _text(call, " ".join(words))
        case "keyevent":
            return await _keys(call, words)
        case "motionevent":
            action = {"DOWN": 0, "UP": 1, "MOVE": 2}[words[0].upper()]
            touchscreen.inject(action, float(words[1]), float(words[2]))
        case _:
            call.err.line(f"Error: Unknown command: {verb}")
            return 255
    return 0


def _text(call: Call, text: str) -> int:
    if not text.isascii():
        # The key character map knows no such keys.
        call.err.line("java.lang.NullPointerException: Attempt to get length of null array")
        return 255
    call.handset.keyboard.type_text(text.replace("%s", " "))
    return 0


async def _keys(call: Call, words: list[str]) -> int:
    is_long = words[:1] == ["--longpress"]
    for word in words[1:] if is_long else words:
        code = code_of(word)
        if code is None:
            call.err.line(f"Error: Unknown keycode: {word}")
            return 255
        await call.handset.touchscreen.pause(LONG_PRESS_MS if is_long else 0)
        call.handset.keyboard.press(code)
    return 0


# --- getevent


@dataclass(frozen=True, slots=True)
class _Style:
    """How events are written; `limit` 0 = without end."""

    has_time: bool
    has_names: bool
    has_device: bool
    limit: int


def _touch_events(tracking_id: int, x: float, y: float) -> Iterator[tuple[int, int, int]]:
    yield EV_ABS, _TRACKING_ID, tracking_id
    yield EV_KEY, _BTN_TOUCH, 1
    yield EV_ABS, _X, int(x)
    yield EV_ABS, _Y, int(y)
    yield EV_ABS, _PRESSURE, 0x30
    yield EV_SYN, 0, 0
    yield EV_ABS, _TRACKING_ID, _NO_ID
    yield EV_KEY, _BTN_TOUCH, 0
    yield EV_SYN, 0, 0


def _line(event: tuple[int, int, int], style: _Style) -> str:
    kind, code, value = event
    now = time.monotonic()
    stamp = f"[{int(now):8d}.{int(now % 1 * 1e6):06d}] " if style.has_time else ""
    device = f"{TOUCH_DEVICE}: " if style.has_device else ""
    if not style.has_names:
        return f"{stamp}{device}{kind:04x} {code:04x} {value:08x}"
    shown = {0: "UP", 1: "DOWN"}.get(value, "") if kind == EV_KEY else f"{value:08x}"
    name = _CODE_NAMES.get((kind, code), f"{code:04x}")
    return f"{stamp}{device}{_TYPE_NAMES[kind]:<12.12} {name:<20.20} {shown:<20.20}"


async def _getevent(call: Call) -> int:
    words, limit = _limit(call.args)
    letters, devices = options(words)
    if "p" in letters or "i" in letters:
        _properties(call, has_names="l" in letters)
        return 0
    style = _Style("t" in letters, "l" in letters, not devices, limit)
    if not devices and "q" not in letters:
        call.out.write(f'add device 1: {TOUCH_DEVICE}\n  name:     "virtual_touch"\n')
        call.out.write(f'add device 2: {KEY_DEVICE}\n  name:     "gpio-keys"\n')
    await _stream(call, style)
    return 0


def _limit(args: list[str]) -> tuple[list[str], int]:
    if "-c" in args[:-1]:
        place = args.index("-c")
        return args[:place] + args[place + 2 :], int(args[place + 1])
    return list(args), 0


async def _stream(call: Call, style: _Style) -> None:
    touches: asyncio.Queue[tuple[float, float]] = asyncio.Queue()
    # Watch before the first output: whoever sees it may rely on the next touch being reported.
    unwatch = call.handset.touchscreen.watch_hand(lambda x, y: touches.put_nowait((x, y)))
    try:
        await call.out.flush()
        written, tracking_id = 0, 0
        while True:
            x, y = await touches.get()
            tracking_id += 1
            for event in _touch_events(tracking_id, x, y):
                call.out.line(_line(event, style))
                written += 1
                if written == style.limit:
                    return
            await call.out.flush()
    finally:
        unwatch()


def _properties(call: Call, *, has_names: bool) -> None:
    phone = call.handset
    call.out.write(f'add device 1: {TOUCH_DEVICE}\n  name:     "virtual_touch"\n  events:\n')
    button = "BTN_TOUCH" if has_names else f"{_BTN_TOUCH:04x}"
    call.out.line(f"    KEY (0001): {button}")
    axes = (
        (_SLOT, 9),
        (_X, phone.width - 1),
        (_Y, phone.height - 1),
        (_TRACKING_ID, 65_535),
        (_PRESSURE, 255),
    )
    for place, (code, most) in enumerate(axes):
        name = f"{_CODE_NAMES[EV_ABS, code]:<21}" if has_names else f"{code:04x} "
        head = "    ABS (0003): " if place == 0 else "                "
        call.out.line(f"{head}{name} : value 0, min 0, max {most}, fuzz 0, flat 0, resolution 0")
    call.out.write("  input props:\n    INPUT_PROP_DIRECT\n")


COMMANDS: dict[str, Command] = {"input": _input, "getevent": _getevent}
