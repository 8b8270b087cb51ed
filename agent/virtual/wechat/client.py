"""The virtual WeChat: one client signed in on one account of the world, as the handset sees an app."""

from __future__ import annotations

from collections.abc import Callable

from agent.virtual.accounts import Account
from agent.virtual.halfpage import half
from agent.virtual.notices import Moment, Notice, Surface
from agent.virtual.talk import Line
from agent.virtual.ui import Node, Notification
from agent.virtual.wechat import (
    adding,
    chat,
    draw,
    finding,
    folded,
    home,
    moments,
    newfriends,
    popups,
    profile,
    remark,
    shade,
    stops,
    tagging,
)
from agent.virtual.wechat.page import Page
from agent.virtual.wechat.stage import Dialog, Popup, Stage
from agent.virtual.wechat.unknown import table_of
from agent.virtual.world import World
from agent.wechat.clients import PACKAGE

ROUTES: dict[str, Callable[..., Page]] = {
    "home": home.Home,
    "add_friend": adding.AddFriend,
    "add_friend_search": adding.AddFriendSearch,
    "wecom_choice": adding.WecomChoice,
    "profile": profile.Profile,
    "friend_request": profile.RequestPage,
    "accept_request": profile.AcceptPage,
    "new_friends": newfriends.NewFriends,
    "chat": chat.ChatPage,
    "text": chat.TextPage,
    "folded": folded.FoldedChats,
    "moments": moments.Moments,
    "search": finding.Find,
    "search_more": finding.FindMore,
    "chat_info": finding.ChatInfo,
    "remark": remark.RemarkPage,
    "tags": tagging.TagPage,
    "web": stops.WarningPage,
    "login": stops.LoginPage,
}
# Warnings after which the account is signed out once a person has read them.
SIGNS_OUT = frozenset({"KICKED", "LOGIN_EXPIRED"})
# Warnings that have an activity of their own; other pages are web pages.
PAGES = {
    "NEW_DEVICE_FACE": "verify",
    "UPDATE": "updater",
    "VERSION_TOO_LOW": "updater",
    "OUTAGE": "outage",
}
TEAM = "微信团队"
SWIPE_MIN_PX = 24  # shorter drags are taps


class WeChat:
    """The app; all calls are made on the farm's loop."""

    package = PACKAGE

    def __init__(
        self,
        world: World,
        account_id: str,
        *,
        clock: Callable[[], int] | None = None,
        width: int = 1080,
        height: int = 2340,
        seed: int = 0,
        time_scale: float = 1.0,
    ) -> None:
        self.world = world
        self.account: Account = world.accounts[account_id]
        client = self.account.client
        self._clock = clock or world.clock
        self.stage = Stage(
            world=world,
            account=self.account,
            table=table_of(
                client.version_name, client.version_code, client.installer, language=client.language
            ),
            clock=self._clock,
            width=width,
            height=height,
            seed=seed,
            time_scale=time_scale * client.slowness,
        )
        self.stage.routes = ROUTES
        self._frozen: tuple[list[Node], str, int] | None = None  # old windows, old activity, until when
        self._is_home = False  # whether the list of chats was in front when the world was last asked
        self._calmed = self.account.calmed
        self.dumps_a_piece = 0  # looks until the next piece of a new page is there; 0: pages come whole
        self._dumps_of_page = 0
        self._page_seen: object = None
        self._page_shown: object = None  # the page that was drawn last; None: an older sight stood still
        self._page_dumped: object = None  # what of it the last dump showed
        self.stop()

    # -- what is in sight

    def activity(self) -> str:
        """Return the activity in front; it changes when half of the drawing is done."""
        if self._frozen is not None:
            _, activity, until_ms = self._frozen
            if self._clock() < until_ms:
                return activity
        shown = [one.activity for one in self.stage.dialogs if one.activity]
        return self.stage.table.activity(shown[-1]) if shown else self.stage.page.activity()

    def windows(self) -> list[Node]:
        """Return the windows in sight, dialogs last; just after an action these are the old ones."""
        self._sync()
        if self._frozen is not None:
            roots, _, until_ms = self._frozen
            if self._clock() < until_ms:
                self._page_shown = None
                return roots
            self._frozen = None
        self._page_shown = self.stage.page
        return self._rendered(self._draw())

    def present(self) -> list[Node]:
        """Return the windows as they are by now, even while old ones are still in sight."""
        self._sync()
        return self._draw()

    def dumped(self) -> None:
        """The screen was looked at: a page that comes in pieces comes on."""
        self._dumps_of_page += 1
        self._page_dumped = self._page_shown

    @property
    def is_drawing(self) -> bool:
        """Tell whether the last dump showed what was there before the page in front."""
        # Other calls look as well, and say nothing of whose page it is.
        return self._page_dumped is not self.stage.page

    # -- what the handset does

    def launch(self) -> None:
        """Come to the front; pages are as they were left, and a chat in front is read."""
        self._sync()
        if self.account.open_chat:
            self.account.chats[self.account.open_chat].unread = 0

    def stop(self) -> None:
        """Forget all pages."""
        self.stage.start_over("login" if self.account.is_logged_out else "home")
        self.stage.take_lag()
        self._frozen = None
        self._is_home = False
        self.stage.mark()

    def tap(self, x: float, y: float) -> None:
        """Touch a point of what is there now, even if the old page is still in sight."""
        self._sync()
        if self.stage.popup is not None:
            self._choose(x, y)
            return
        with_dialog = bool(self.stage.dialogs)
        found = draw.hit(self._draw()[-1], x, y)
        if found is None or found.act == draw.SOLID:
            return
        if with_dialog:
            self._change(lambda: self._answer_dialog(found.act))
        else:
            self._change(lambda: self.stage.page.act(found.act, found.arg))

    def long_tap(self, x: float, y: float) -> None:
        """Open the menu of a message or of a row of the list of chats."""
        self._sync()
        if self.stage.dialogs or self.stage.popup is not None:
            return
        found = draw.held_by(self._draw()[-1], x, y)
        entries = self.stage.page.held(found.arg) if found is not None else ()
        if entries:
            self.stage.popup = Popup(x=round(x), y=round(y), entries=entries)

    def swipe(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Drag: lists follow the finger; sideways drags do nothing."""
        self._sync()
        if abs(y1 - y2) < SWIPE_MIN_PX and abs(x1 - x2) < SWIPE_MIN_PX:
            self.tap(x1, y1)
        elif self.stage.popup is not None:
            self.stage.popup = None
        elif not self.stage.dialogs and abs(y1 - y2) > abs(x1 - x2):
            self._change(lambda: self.stage.page.scroll(round(y1 - y2)))

    def back(self) -> bool:
        """The back key closes dialogs, menus and pages; on the lowest page the app leaves the front."""
        self._sync()
        if self.stage.popup is not None:
            self.stage.popup = None
            return True
        if self.stage.dialogs:
            self._change(lambda: self._answer_dialog("dialog_cancel"))
            return True
        if self.stage.page.back():
            self._change(self.stage.lag)
            return True
        if len(self.stage.stack) == 1:
            return False
        self._change(self.stage.leave)
        return True

    # -- typing

    def type_text(self, text: str) -> None:
        """Append to the focused field."""
        self._sync()
        page = self.stage.page
        if page.focus and not self.stage.dialogs:
            self._change(lambda: page.put(page.focus, page.fields.get(page.focus, "") + text))

    def set_text(self, node: Node, text: str) -> bool:
        """Replace the text of a field; False if the page in front has no such field."""
        self._sync()
        page = self.stage.page
        if self.stage.dialogs or not any(
            one.cls == node.cls and one.arg == node.arg for one in self._fields()
        ):
            return False
        self._change(lambda: page.put(node.arg, text))
        page.focus = node.arg
        return True

    def editor_action(self) -> None:
        """The action key of the keyboard."""
        self._sync()
        if not self.stage.dialogs:
            self._change(self.stage.page.editor_action)

    # -- outside the page

    def take_toast(self) -> str | None:
        """Return a toast, once."""
        return self.stage.take_toast()

    def notifications(self) -> list[Notification]:
        """Return one entry a chat with unread lines; muted chats and the chat in front have none."""
        return shade.entries(self.account)

    # -- inside

    def _rendered(self, roots: list[Node]) -> list[Node]:
        if not self.dumps_a_piece:
            return roots
        page = self.stage.page
        seen = (id(page), getattr(page, "tab", 0), len(self.stage.stack))
        if seen != self._page_seen:
            self._page_seen, self._dumps_of_page = seen, 0
        return [half(root, self._dumps_of_page // self.dumps_a_piece) for root in roots]

    def _draw(self) -> list[Node]:
        roots = [self.stage.page.draw()]
        if self.account.banner is not None and self._has_strip(self.stage.page):
            roots[0].children.append(stops.draw_banner(self.stage, self.stage.wording(self.account.banner)))
        roots += [stops.draw_dialog(self.stage, one) for one in self.stage.dialogs]
        if self.stage.popup is not None:
            roots.append(popups.draw_popup(self.stage, self.stage.popup))
        return roots

    def _choose(self, x: float, y: float) -> None:
        """A touch while a menu is open chooses its entry, or closes it."""
        popup = self.stage.popup
        found = draw.hit(self._draw()[-1], x, y)
        self.stage.popup = None
        if popup is not None and found is not None and found.act == "popup":
            self._change(popup.entries[int(found.arg)][1])

    def _fields(self) -> list[Node]:
        return [one for one in self._draw()[-1].walk() if one.cls.endswith("EditText")]

    def _change(self, act: Callable[[], object]) -> None:
        """Do something that may change what is in sight; the old sight stays while that is drawn."""
        old, activity = self._in_sight(), self.activity()
        act()
        self._sync()
        lag_ms = self.stage.take_lag()
        if lag_ms > 0:
            self._frozen = (old, activity, self._clock() + lag_ms)

    def _in_sight(self) -> list[Node]:
        if self._frozen is not None and self._clock() < self._frozen[2]:
            return self._frozen[0]
        return self._draw()

    def _answer_dialog(self, act: str) -> None:
        dialog = self.stage.dialogs.pop()
        self.stage.lag()
        if act == "dialog_ok" and dialog.on_ok is not None:
            dialog.on_ok()

    def _sync(self) -> None:
        """Take in what the world did to this account."""
        if self._calmed != self.account.calmed:
            self._calmed = self.account.calmed
            self.stage.start_over("home")
        self._come_home()
        due = [one for one in self.account.notices if one.at is Moment.NOW]
        for notice in due:
            self.account.notices.remove(notice)
        # One that stands and comes now, on the home page, is shown once.
        for notice in dict.fromkeys(due):
            self._show(notice)
        banner = self.account.banner
        if banner is not None and banner.until_ms is not None and banner.until_ms <= self._clock():
            self.account.banner = None
        if self.account.is_logged_out and self.stage.page.screen != "login":
            self.stage.start_over("login")
        elif not self.account.is_logged_out and self.stage.page.screen == "login":
            self.stage.start_over("home")
        self.stage.mark()

    def _come_home(self) -> None:
        """Let the world know once that the home page is in front, not at each change of its tab."""
        page = self.stage.page
        is_home = isinstance(page, home.Home) and not self.stage.dialogs
        if is_home and not self._is_home:
            self.world.notices.meet(self.account, Moment.HOME)
        self._is_home = is_home or (self._is_home and bool(self.stage.dialogs))

    def _show(self, notice: Notice) -> None:
        text = self.stage.wording(notice)
        if self._is_sign_in(notice):
            self.account.is_logged_out = True
        elif notice.surface is Surface.TOAST:
            self.stage.toast(text)
        elif notice.surface in (Surface.PAGE, Surface.VERIFY):
            usual = "verify" if notice.surface is Surface.VERIFY else "web"
            self.stage.open("web", text, PAGES.get(notice.warning, usual))
        elif notice.surface is Surface.BANNER:
            self.account.banner = notice
        elif notice.surface is Surface.SYSTEM_LINE:
            key, self.account.line_chat = self.account.line_chat or TEAM, ""
            line = Line(at_ms=self._clock(), side="system", kind="system", text=text)
            self.account.receive(self.account.chat(key, TEAM), line)
        else:
            on_ok = self._sign_out if notice.warning in SIGNS_OUT else None
            self.stage.show(Dialog(text=text, on_ok=on_ok, has_cancel=notice.warning == "UPDATE"))

    @staticmethod
    def _has_strip(page: Page) -> bool:
        """Tell whether a page shows the platform's strip: the list of chats, and a chat."""
        return bool(page.chat_key) or (isinstance(page, home.Home) and page.tab == 0)

    @staticmethod
    def _is_sign_in(notice: Notice) -> bool:
        """Tell whether a notice is the page to sign in itself."""
        is_whole = notice.surface is Surface.PAGE and notice.warning in SIGNS_OUT
        is_plain = notice.warning == "LOGIN_PAGE" and not notice.text and not notice.form
        return notice.surface is Surface.LOGIN or is_whole or is_plain

    def _sign_out(self) -> None:
        self.account.is_logged_out = True
