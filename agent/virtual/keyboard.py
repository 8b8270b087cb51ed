"""Keys and typing of a virtual phone: hardware keys, text input, input methods, clipboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Protocol

from agent.virtual.keys import META_CTRL, Key, character_of
from agent.virtual.packages import INPUT_METHOD_ID
from agent.virtual.ui import App, Node

PLATFORM_INPUT_METHOD = "com.android.inputmethod.latin/.LatinIME"


class KeyTarget(Protocol):
    """What the system keys act on."""

    front: App

    def home(self) -> None:
        """Show the launcher."""

    def go_back(self) -> None:
        """Take the back key."""

    def switch_screen(self, on: bool) -> None:
        """Switch the screen."""

    @property
    def screen_on(self) -> bool:
        """Tell whether the screen is on."""


class Keyboard:
    """Typing goes to the focused field of the app in front; `counters` counts keys and texts."""

    def __init__(
        self,
        target: KeyTarget,
        counters: Counter[str],
        settings: dict[tuple[str, str], str],
        injected: Callable[[], None] = lambda: None,
    ) -> None:
        self._target, self._counters, self._settings = target, counters, settings
        self._injected = injected
        self.is_up = False  # its window is in sight: a person types
        self.clipboard: str | None = None
        self.input_methods: dict[str, bool] = {PLATFORM_INPUT_METHOD: True}
        self.current_input_method = PLATFORM_INPUT_METHOD
        self._keys: dict[int, Callable[[], None]] = {
            Key.HOME: target.home,
            Key.BACK: target.go_back,
            Key.ENTER: self.editor_action,
            Key.DEL: self._delete,
            Key.FORWARD_DEL: self._delete,
            Key.POWER: lambda: target.switch_screen(not target.screen_on),
            Key.WAKEUP: lambda: target.switch_screen(True),
            Key.SLEEP: lambda: target.switch_screen(False),
            Key.PASTE: self.paste,
        }
        self._all_is_selected = False

    @property
    def current_input_method(self) -> str:
        """Return the id of the input method in use, as `settings` keeps it."""
        return self._settings["secure", "default_input_method"]

    @current_input_method.setter
    def current_input_method(self, method_id: str) -> None:
        self._settings["secure", "default_input_method"] = method_id

    def remove_input_method(self, method_id: str) -> None:
        """Forget an uninstalled input method; the platform's takes its place."""
        self.input_methods.pop(method_id, None)
        if self.current_input_method == method_id:
            self.use_platform_input_method()

    def use_platform_input_method(self) -> None:
        """Go back to the keyboard that came with the phone."""
        self.current_input_method = PLATFORM_INPUT_METHOD

    @property
    def is_driven(self) -> bool:
        """Tell whether the input method that takes text from broadcasts is installed and current."""
        return self.current_input_method == INPUT_METHOD_ID and INPUT_METHOD_ID in self.input_methods

    def press(self, code: int, meta: int = 0) -> None:
        """Press one key; unknown keys are counted and do nothing."""
        self._injected()
        self._counters[f"key:{code}"] += 1
        if meta & META_CTRL:
            self._shortcut(code)
            return
        act = self._keys.get(code)
        if act is not None:
            act()
            return
        character = character_of(code, meta)
        if character:
            self.type_text(character)

    def type_text(self, text: str) -> None:
        """Type at the end of the focused field, over a selection if there is one."""
        if self._all_is_selected:
            self.clear()
        self._injected()
        self._counters["text"] += 1
        self._target.front.type_text(text)

    def paste(self) -> None:
        """Type what the clipboard holds."""
        if self.clipboard:
            self.type_text(self.clipboard)

    def clear(self) -> None:
        """Empty the focused field."""
        self._all_is_selected = False
        field = self.focused()
        if field is not None:
            self._target.front.set_text(field, "")

    def editor_action(self) -> None:
        """Press the action key of the keyboard."""
        self._injected()
        self._counters["editor_action"] += 1
        self._target.front.editor_action()

    def focused(self) -> Node | None:
        """Return the focused editable node in front, or None."""
        for root in reversed(self._target.front.windows()):
            for node in root.walk():
                if node.focused and node.cls.endswith("EditText"):
                    return node
        return None

    def _shortcut(self, code: int) -> None:
        if code == Key.A:
            self._all_is_selected = True
        elif code == Key.V:
            self.paste()

    def _delete(self) -> None:
        if self._all_is_selected:
            self.clear()
            return
        field = self.focused()
        if field is not None and field.text and field.text != field.hint:
            self._target.front.set_text(field, field.text[:-1])
