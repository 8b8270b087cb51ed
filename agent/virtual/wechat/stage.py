"""What is in front on one virtual client: pages, dialogs, toasts, and the time that drawing takes."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from agent.virtual.accounts import Account
from agent.virtual.keyboardwindow import keyboard_px
from agent.virtual.notices import Notice
from agent.virtual.wechat.labels import LabelStyle
from agent.virtual.wechat.page import Page
from agent.virtual.world import World
from agent.wechat.clients import ClientTable

# How long the old page stays in sight after an action, in milliseconds of a mid-range phone.
LAG_MS = {"step": (80, 200), "server": (180, 450)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """A modal window with a text, and buttons 取消 (optional) and 确定."""

    text: str
    has_cancel: bool = False
    ok_text: str = ""  # in place of 确定
    activity: str = ""  # the screen whose activity it has, "" that of the page under it
    on_ok: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Popup:
    """A small menu beside a point: entries with what they do."""

    x: int
    y: int
    entries: tuple[tuple[str, Callable[[], object]], ...]


class Stage:
    """The navigation state of one client; pages change it, the client draws it."""

    def __init__(
        self,
        *,
        world: World,
        account: Account,
        table: ClientTable,
        clock: Callable[[], int],
        width: int,
        height: int,
        seed: int,
        time_scale: float,
    ) -> None:
        self.world, self.account, self.table, self.clock = world, account, table, clock
        self.width, self.height = width, height
        self.time_scale = time_scale
        self.stack: list[Page] = []
        self.dialogs: list[Dialog] = []
        self.routes: dict[str, Callable[..., Page]] = {}
        self.last_title = table.text("tab_chats")  # the window's description keeps it when a page is left
        client = account.client
        self.label_style = LabelStyle(
            is_english=client.language == "en", is_12h=client.is_12h, long_weekdays=client.long_weekdays
        )
        self.popup: Popup | None = None
        self.keyboard_is_up: Callable[[], bool] = lambda: False
        self._rng = random.Random(seed)
        self._toasts: deque[tuple[int, str]] = deque()
        self._lag_ms = 0

    # -- names

    def rid(self, role: str) -> str:
        """Return the resource name of a role, "" where these versions' id is not known."""
        return self.table.rid(role) if self.table.knows(role) else ""

    def text(self, role: str) -> str:
        """Return the client's wording for a role."""
        return self.table.text(role)

    def wording(self, notice: Notice) -> str:
        """Return the words of a warning."""
        forms = self.table.warnings.get(notice.warning, (notice.warning,))
        usual = forms[notice.form % len(forms)]
        text = notice.text or usual
        for blank, value in (("{time}", "20:15"), ("{device}", "另一台"), ("{n}", "5000")):
            text = text.replace(blank, value)
        return text.replace("{name}", self.account.nickname)

    def claimed(self, title: str) -> str:
        """Return the title that the window's description claims; it may be an old one."""
        return self.last_title if self.account.client.stale_desc else title or self.last_title

    # -- pages

    @property
    def page(self) -> Page:
        """Return the page in front."""
        return self.stack[-1]

    @property
    def keyboard_px(self) -> int:
        """Return how much of the screen the keyboard covers."""
        return keyboard_px(self.height) if self.keyboard_is_up() else 0

    def open(self, screen: str, *args: object, server: bool = False) -> None:
        """Put a page on top."""
        self.stack.append(self.routes[screen](self, *args))
        self.lag(server=server)

    def leave(self, pages: int = 1, *, server: bool = False) -> None:
        """Take pages off the top; the lowest one stays."""
        for _ in range(min(pages, len(self.stack) - 1)):
            self.last_title = self.stack.pop().title() or self.last_title
        self.lag(server=server)

    def start_over(self, screen: str) -> None:
        """Forget all pages and begin with this one."""
        self.stack[:] = [self.routes[screen](self)]
        self.dialogs.clear()
        self.popup = None
        self.lag()

    def mark(self) -> None:
        """Tell the world which chat is read by being in front."""
        self.account.open_chat = self.page.chat_key

    # -- what passes

    def lag(self, *, server: bool = False) -> None:
        """The change that was just made is seen only after a moment."""
        low, high = LAG_MS["server" if server else "step"]
        self._lag_ms = max(self._lag_ms, round(self._rng.uniform(low, high) * self.time_scale))

    def take_lag(self) -> int:
        """Return how long the old page stays in sight, and forget it."""
        lag_ms, self._lag_ms = self._lag_ms, 0
        return lag_ms

    def show(self, dialog: Dialog) -> None:
        """Put a dialog on top."""
        self.dialogs.append(dialog)
        self.lag(server=True)

    def toast(self, text: str) -> None:
        """Show a toast once the page it belongs to is in sight."""
        self._toasts.append((self.clock() + self._lag_ms, text))

    def take_toast(self) -> str | None:
        """Return the oldest toast that was shown since the last call."""
        if self._toasts and self._toasts[0][0] <= self.clock():
            return self._toasts.popleft()[1]
        return None
