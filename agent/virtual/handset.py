"""One virtual phone without its network: its apps, screen, keys, files, settings and faults."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from typing import Protocol

from agent.virtual.channel import Channel, Listener, Opener, relay
from agent.virtual.faults import Fault, Faults
from agent.virtual.files import FileSystem
from agent.virtual.hostkeys import HostKeys
from agent.virtual.keyboard import Keyboard
from agent.virtual.keyboardwindow import keyboard_window
from agent.virtual.launcher import Launcher
from agent.virtual.logbuffer import LogBuffer
from agent.virtual.packages import Package, Packages, Processes
from agent.virtual.settingsapp import SettingsApp
from agent.virtual.systemui import SystemUi
from agent.virtual.touchscreen import Surface, Touchscreen
from agent.virtual.traps import Traps
from agent.virtual.ui import App, Node, Notification


def wall_ms() -> int:
    """Return the wall clock in milliseconds UTC."""
    return time.time_ns() // 1_000_000


class UiAutomation(Protocol):
    """The process that holds the phone's only UiAutomation."""

    def kill(self) -> None:
        """End at once, as by SIGKILL."""


class Handset:
    """One virtual phone. All calls are made on one event loop; `counters` and `touches` tell the truth."""

    def __init__(
        self,
        *,
        serial: str,
        app: App,
        clock: Callable[[], int] = wall_ms,
        seed: int = 0,
        width: int = 1080,
        height: int = 2340,
        brand: str = "phonefarm",
        model: str = "Virtual 1",
        android_version: str = "13",
        sdk: int = 33,
        wechat_version_name: str,
        wechat_version_code: int,
        wechat_installer: str = "",
        time_scale: float = 1.0,
    ) -> None:
        self.serial = serial
        self.app = app
        self.clock = clock
        self.width, self.height = width, height
        self.brand, self.model = brand, model
        self.android_version, self.sdk = android_version, sdk
        self.random = random.Random(seed)
        self.faults = Faults()
        self.traps = Traps()
        self.host_keys = HostKeys()
        self.files = FileSystem(clock, is_full=lambda: self.faults.holds(Fault.STORAGE_FULL))
        self.packages, self.processes = Packages(), Processes()
        self.settings = {("system", "screen_brightness"): "128", ("system", "screen_brightness_mode"): "0"}
        self.battery_percent, self.battery_decidegrees = 86, 285
        self.own_properties: dict[str, str] = {}
        self.posted: dict[str, Notification] = {}  # by tag: what the shell put into the notification shade
        self.log = LogBuffer(clock)
        self.rotation = 0
        self.adb_state = "device"
        self.listeners: dict[str, Listener] = {}
        self.reverses: dict[str, tuple[str, Opener]] = {}
        self.ui_automation: UiAutomation | None = None
        self.system_ui = SystemUi(width, height, self.notifications, self.start_app)
        self.launcher = Launcher(self.start_app, width, height)
        self.front: App = self.launcher
        self.touchscreen = Touchscreen(self._surface, clock, time_scale)
        self.counters, self.touches = self.touchscreen.counters, self.touchscreen.touches
        self.injected_at_s, self.hand_at_s = self.touchscreen.injected_at_s, self.touchscreen.hand_at_s
        self.keyboard = Keyboard(self, self.counters, self.settings, self.touchscreen.injected)
        self.apps: dict[str, App] = {}
        self._covered: App | None = None  # what stands under a question of the system
        self._install_all(wechat_version_name, wechat_version_code, wechat_installer)
        self._reboot_watchers: list[Callable[[], None]] = []
        self._screen_is_on = True
        self._toast: tuple[str, int] | None = None
        self.boot_id = ""
        self.booted_at_ms = 0
        self._boot()

    @property
    def time_scale(self) -> float:
        """How long gestures take compared with a real phone; 0 = no time."""
        return self.touchscreen.time_scale

    @time_scale.setter
    def time_scale(self, value: float) -> None:
        self.touchscreen.time_scale = value

    # --- apps

    def start_app(self, package: str) -> bool:
        """Bring an app to the front as from its icon; False if there is none of that name."""
        app = self.apps.get(package)
        if app is None or package not in self.packages:
            return False
        if self.processes.named(package) is None:
            self.processes.start(package, user="u0_a123")
        self.keyboard.is_up = False
        self.log.add("ActivityTaskManager", f"START u0 {{cmp={package}}}")
        self.system_ui.shade_is_open = False
        if self._covered is not None:
            self._covered = app  # it comes to the front under the question, which stays
        else:
            self.front = app
        app.launch()
        return True

    def cover(self, question: App) -> None:
        """Put a question of the system over what is in front; it stays until `uncover`."""
        if self._covered is None:
            self._covered, self.front = self.front, question

    def uncover(self) -> None:
        """Take the question of the system away."""
        if self._covered is not None:
            self.front, self._covered = self._covered, None

    def stop_app(self, package: str) -> None:
        """Force-stop an app; the launcher comes to the front if it was in front."""
        app, process = self.apps.get(package), self.processes.named(package)
        if app is None or process is None or app is self.launcher:
            return
        self.log.add("ActivityManager", f"Force stopping {package}")
        self.processes.end(process.pid)
        app.stop()
        if self.front is app:
            self.home()

    def home(self) -> None:
        """Show the launcher."""
        self.system_ui.shade_is_open = self.keyboard.is_up = False
        self._covered = None
        self.front = self.launcher
        self.launcher.launch()

    def go_back(self) -> None:
        """Close the shade, else the keyboard, else ask the app, which leaves the front if it refuses."""
        if self.system_ui.shade_is_open:
            self.system_ui.shade_is_open = False
        elif self.keyboard.is_up:
            self.keyboard.is_up = False
        elif not self.front.back():
            self.home()

    def accept_host_key(self) -> None:
        """Accept the host's key as the person does, and let the host in."""
        self.host_keys.accept()
        self.faults.clear(Fault.UNAUTHORIZED)

    @property
    def product(self) -> str:
        """Return the product name, as the adb banner and `ro.product.name` say it."""
        return self.model.replace(" ", "_").lower()

    def focus(self) -> tuple[str, str]:
        """Return package and activity class of the app in front."""
        return self.front.package, self.front.activity()

    def set_text(self, node: Node, text: str) -> bool:
        """Replace the text of an editable node of the app in front; False if it cannot be edited."""
        if node.package != self.front.package:
            return False
        self.touchscreen.injected()
        self.counters["set_text"] += 1
        return self.front.set_text(node, text)

    def notifications(self) -> list[tuple[str, Notification]]:
        """Return package and entry of all that stands in the notification shade."""
        own = [("com.android.shell", entry) for entry in self.posted.values()]
        return own + [
            (package, entry)
            for package, app in self.apps.items()
            if self.processes.named(package) is not None
            for entry in app.notifications()
        ]

    def toast(self) -> str | None:
        """Return the last toast, kept until `clear_toast`."""
        self._collect_toasts()
        return None if self._toast is None else self._toast[0]

    def toast_on_screen(self) -> str | None:
        """Return a toast that has not faded yet (2 s)."""
        self._collect_toasts()
        if self._toast is None or self.clock() - self._toast[1] > 2_000:
            return None
        return self._toast[0]

    def clear_toast(self) -> None:
        """Forget the last toast."""
        self._collect_toasts()
        self._toast = None

    def _collect_toasts(self) -> None:
        for app in self.apps.values():
            text = app.take_toast()
            if text is not None:
                self._toast = (text, self.clock())

    # --- the screen

    @property
    def screen_on(self) -> bool:
        """Tell whether the screen is on."""
        return self._screen_is_on and not self.faults.holds(Fault.SCREEN_OFF)

    def switch_screen(self, on: bool) -> None:
        """Switch the screen on or off."""
        self._screen_is_on = on

    def active_root(self) -> Node | None:
        """Return the root of the focused window: all that UiSelector and root_in_active see."""
        shade = self.system_ui.shade()
        if shade is not None:
            return shade
        windows = self.front.windows()
        return windows[-1] if windows else None

    def layers(self) -> list[Node]:
        """Return all window roots, lowest first."""
        layers = [*self.front.windows(), self.system_ui.status_bar(self.clock())]
        if self.keyboard.is_up:
            layers.append(keyboard_window(self.width, self.height))
        shade = self.system_ui.shade()
        if shade is not None:
            layers.append(shade)
        return layers

    def roots(self) -> list[Node]:
        """Return all window roots in no order: Android hands them out of a hash set."""
        roots = self.layers()
        self.random.shuffle(roots)
        return roots

    def touch_by_hand(self, x: float, y: float) -> None:
        """Touch as a person does: visible in `getevent`, and it reaches the app."""
        self.touchscreen.by_hand(x, y)

    def _surface(self) -> Surface | None:
        if not self.screen_on:
            return None
        return self.system_ui if self.system_ui.shade_is_open else self.front

    # --- sockets on the phone

    def listener(self, address: str) -> Listener | None:
        """Return what listens on `tcp:9008` or `localabstract:name` of the phone, reversed ports included."""
        own = self.listeners.get(address)
        reverse = self.reverses.get(address)
        if own is not None or reverse is None:
            return own
        remote, connect = reverse

        async def to_host(channel: Channel) -> None:
            try:
                far = await connect(remote)
            except ConnectionError:
                await channel.close()
                return
            await relay(channel, far)

        return to_host

    def free_port(self) -> int:
        """Return a TCP port of the phone that nobody listens on."""
        port = 40_000
        while self.listener(f"tcp:{port}") is not None:
            port += 1
        return port

    # --- power

    def reboot(self) -> None:
        """Restart the phone: all processes end, adb drops, files and settings stay."""
        if self.ui_automation is not None:
            self.ui_automation.kill()
        for package in self.apps:
            self.stop_app(package)
        self.listeners.clear()
        self.reverses.clear()
        self._boot()
        for watcher in list(self._reboot_watchers):
            watcher()

    def watch_reboot(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Call back at each reboot; returns the function that ends it."""
        self._reboot_watchers.append(watcher)
        return lambda: self._reboot_watchers.remove(watcher)

    def _boot(self) -> None:
        self.boot_id = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        self.booted_at_ms = self.clock()
        self.files.generate("/proc/sys/kernel/random/boot_id", self._boot_id_line)
        self.files.generate("/proc/uptime", self._uptime)
        self.processes = Processes()
        for package, user in ((self.system_ui.package, "u0_a30"), (self.launcher.package, "u0_a31")):
            self.processes.start(package, user=user)
        self.home()

    def _boot_id_line(self) -> bytes:
        return f"{self.boot_id}\n".encode()

    def _uptime(self) -> bytes:
        return f"{(self.clock() - self.booted_at_ms) / 1_000:.2f} 0.00\n".encode()

    def _install_all(self, wechat_version_name: str, wechat_version_code: int, wechat_installer: str) -> None:
        settings = SettingsApp(self.width, self.height)
        self.apps = {each.package: each for each in (self.launcher, settings, self.app)}
        system = (
            ("android", ""),
            (self.system_ui.package, ""),
            (self.launcher.package, self.launcher.activity()),
            (settings.package, settings.activity()),
        )
        for name, main in system:
            self._install(name, self.android_version, self.sdk, main, is_system=True)
        self._install(
            self.app.package,
            wechat_version_name,
            wechat_version_code,
            self.app.activity(),
            is_system=False,
            installer=wechat_installer,
        )

    def _install(
        self, name: str, version: str, code: int, main: str, *, is_system: bool, installer: str = ""
    ) -> None:
        now = self.clock()
        self.packages.install(
            Package(
                name=name,
                version_name=version,
                version_code=code,
                main=main,
                installer=installer,
                is_system=is_system,
                installed_at_ms=now,
                updated_at_ms=now,
            )
        )
