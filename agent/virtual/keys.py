"""Android key codes, as `input keyevent`, pressKey and pressKeyCode name them."""

from __future__ import annotations

from enum import IntEnum

META_CTRL = 0x7000
META_SHIFT = 0x00C1


class Key(IntEnum):
    """The key codes a client may press; others are counted and do nothing."""

    HOME = 3
    BACK = 4
    DPAD_UP = 19
    DPAD_DOWN = 20
    DPAD_LEFT = 21
    DPAD_RIGHT = 22
    DPAD_CENTER = 23
    VOLUME_UP = 24
    VOLUME_DOWN = 25
    POWER = 26
    CAMERA = 27
    A = 29
    V = 50
    SPACE = 62
    ENTER = 66
    DEL = 67
    MENU = 82
    SEARCH = 84
    FORWARD_DEL = 112
    VOLUME_MUTE = 164
    APP_SWITCH = 187
    SLEEP = 223
    WAKEUP = 224
    PASTE = 279


# The names that pressKey of the on-phone server knows; any other name answers false.
PRESS_NAMES = {
    "home": Key.HOME,
    "back": Key.BACK,
    "left": Key.DPAD_LEFT,
    "right": Key.DPAD_RIGHT,
    "up": Key.DPAD_UP,
    "down": Key.DPAD_DOWN,
    "center": Key.DPAD_CENTER,
    "menu": Key.MENU,
    "search": Key.SEARCH,
    "enter": Key.ENTER,
    "delete": Key.DEL,
    "del": Key.DEL,
    "recent": Key.APP_SWITCH,
    "volume_up": Key.VOLUME_UP,
    "volume_down": Key.VOLUME_DOWN,
    "volume_mute": Key.VOLUME_MUTE,
    "camera": Key.CAMERA,
    "power": Key.POWER,
}
_DIGIT_0, _DIGIT_9, _LETTER_A, _LETTER_Z = 7, 16, 29, 54


def code_of(word: str) -> int | None:
    """Return the code of `4`, `BACK` or `KEYCODE_BACK`; None if it is no key."""
    if word.isdigit():
        return int(word)
    name = word.upper().removeprefix("KEYCODE_")
    if len(name) == 1 and name.isdigit():
        return _DIGIT_0 + int(name)
    if len(name) == 1 and "A" <= name <= "Z":
        return _LETTER_A + ord(name) - ord("A")
    return Key[name].value if name in Key.__members__ else None


def character_of(code: int, meta: int) -> str:
    """Return the character a key types, empty if none."""
    if meta & META_CTRL:
        return ""
    if _DIGIT_0 <= code <= _DIGIT_9:
        return str(code - _DIGIT_0)
    if _LETTER_A <= code <= _LETTER_Z:
        letter = chr(ord("a") + code - _LETTER_A)
        return letter.upper() if meta & META_SHIFT else letter
    return " " if code == Key.SPACE else ""
