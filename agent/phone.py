"""One handset as a dozen verbs. Flows see nothing below it; a tap needs a spot on a recognised screen."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum

from agent.deadline import Deadline
from agent.driver import Driver, selector
from agent.errors import LoggedOut, Moved, NotInTime, NotNow, NotRecognised, Refused
from agent.fence import Fence
from agent.glass import NOTHING, Glass, sighting
from agent.hand import Hand
from agent.handset import FACTS_LINE, battery_of, facts_of
from agent.kernelinput import Panels, panels_of
from agent.owner import Mark
from agent.shade import Shade
from agent.streams import ShellStream
from agent.wechat.builds import Installed
from agent.wechat.clients import PACKAGE, ClientTable
from agent.wechat.notices import heed_banner
from agent.wechat.pages import EDIT_TEXT, Box, Health, Node, Page
from agent.wechat.screens import HOME_TABS, Screen, ScreenName, recognise
from agent.wechat.sense import in_the_way, stop_at_nonsense, unreadable
from agent.wechat.spots import Spot, is_same
from agent.wechat.truetext import Sighting, true_texts
from agent.wechat.warnings import Unknown, judge
from protos.facts import PhoneFacts

# A screen whose reading began longer ago than this may have changed; nothing is tapped on it.
SPOT_LIFE_S = 3.0
# A tap that lasts is aimed on a sight no older than this; a phone whose dumps take longer gets none.
SIGHT_LIFE_S = 1.5
# Pause between two looks while a screen is waited for; the dump itself takes a real phone 100 ms and more.
LOOK_EVERY_S = 0.02
HOME_LIMIT_S = 30.0
BACKS_TO_HOME = 10
ASSIST_TAG, ASSIST_TITLE = "farm-assist", "Phonefarm 助手"


class Role(StrEnum):
    """Why something is tapped. None of these has an effect outside this phone."""

    NAVIGATE = "navigate"
    DISMISS = "dismiss"


class Phone:
    """A handset. Every call ends within its limit and raises a kind of DriverError or ScreenError."""

    def __init__(
        self,
        driver: Driver,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._driver = driver
        self._clock = clock
        self._pause = pause
        self.fence = Fence(driver, clock=clock)
        self.client = Installed(lambda: driver.shell(f"dumpsys package {PACKAGE}"), clock=clock)
        self.hand = Hand(clock=clock)  # of nobody who is watched for, until `heed`
        self._glass = Glass(driver, clock=clock)
        self.shade = Shade(driver)
        self._last = NOTHING

    @classmethod
    def open(cls, address: str, *, adb_host: str, adb_port: int, transport_id: int | None = None) -> Phone:
        """Return the phone at an adb address and prove that it answers; raises kinds of DriverError."""
        phone = cls.at(address, adb_host=adb_host, adb_port=adb_port, transport_id=transport_id)
        try:
            phone.ping()
        except BaseException:
            phone.close()
            raise
        return phone

    @classmethod
    def at(cls, address: str, *, adb_host: str, adb_port: int, transport_id: int | None = None) -> Phone:
        """Return the phone at an adb address; nothing is sent or started yet."""
        return cls(Driver(address, adb_host=adb_host, adb_port=adb_port, transport_id=transport_id))

    def close(self) -> None:
        """End our server on the phone; never raises."""
        self._driver.close()

    # -- facts

    def facts(self) -> PhoneFacts:
        """Return what the handset says of itself; slot and host are not its to know."""
        return facts_of(self._driver.shell(FACTS_LINE), self.client.build())

    def ping(self) -> None:
        """Prove that shell and screen server answer; raises kinds of DriverError."""
        self._driver.shell("getprop sys.boot_completed", within_s=5.0)
        self._driver.call("ping", within_s=5.0)

    def notifications(self) -> str:
        """Return what stands in the notification shade, as the system lists it."""
        return self._driver.shell("dumpsys notification --noredact")

    def battery(self) -> tuple[int, int]:
        """Return percent, -1 if unknown, and temperature in tenths of a degree Celsius, 0 if unknown."""
        return battery_of(self._driver.shell("dumpsys battery"))

    def table(self) -> ClientTable:
        """Return what is known of the installed client; UnknownVersion if nobody knows its build."""
        return self.client.table()

    # -- looking

    def page(self) -> Page:
        """Return what is on the screen now, whatever it is."""
        return self._glass.page()

    def glimpse(self) -> bytes:
        """Return a digest of what is on the screen: equal ones tell that nothing changed; see Glass."""
        return self._glass.glimpse()

    def screen(self) -> Screen | None:
        """Return the screen that is proved to be in front, None if none is."""
        return recognise(self.page(), self.table())

    def expect(
        self,
        *names: ScreenName,
        what: str,
        within_s: float = 8.0,
        test: Callable[[Screen], bool] = lambda _: True,
        glance: Callable[[Screen], None] = lambda _: None,
    ) -> Screen:
        """Wait until two looks in a row show the same one of these screens, passing `test`.

        `glance` is shown every screen on the way, also those that do not stand still.
        NotInTime names `what`; Unreadable if the tree could not be read; LoggedOut as soon as seen.
        """
        deadline = Deadline.after(within_s, clock=self._clock, pause=self._pause)
        last = NOTHING
        table = self.table()

        def settled() -> Screen | None:
            nonlocal last
            page = self.page()
            is_still, last = page.shape() == last.shape(), page
            screen = recognise(page, table)
            if screen is not None:
                glance(screen)
            if not is_still:
                return None
            _stop_at(screen)
            return screen if screen is not None and screen.name in names and test(screen) else None

        try:
            return deadline.until(settled, what=what, every_s=LOOK_EVERY_S)
        except NotInTime:
            if last.health is not Health.OK:
                raise unreadable(last, f"; waited for {what}") from None
            stop_at_nonsense(last, table)
            self.heed_toast()
            raise

    def now_s(self) -> float:
        """Return the seconds of the clock by which sights age."""
        return self._clock()

    def age_s(self, screen: Screen) -> float:
        """Return how long ago a screen was seen."""
        return self._clock() - screen.page.read_at_s

    def true_texts(self, nodes: Sequence[Node]) -> dict[int, str]:
        """Return the true text of each node by its `at`; a dump shows emoji as dots.

        Nodes whose text may hide something and that moved away meanwhile are left out.
        """
        return true_texts(nodes, self._sightings)

    def true_text(self, node: Node) -> str:
        """Return the true text of one node; NotRecognised if the screen changed meanwhile."""
        try:
            return self.true_texts([node])[node.at]
        except KeyError:
            raise NotRecognised("a text changed while it was read") from None

    def toast(self) -> str:
        """Return the last toast since `clear_toast`, "" if there was none."""
        return str(self._driver.call("getLastToast") or "")

    def clear_toast(self) -> None:
        """Forget the last toast, for toasts carry no time; one that demands something is heeded first."""
        self.heed_toast()
        self.forget_toast()

    def forget_toast(self) -> None:
        """Forget the last toast, whatever it says: what it demanded has been done."""
        self._driver.call("clearLastToast")

    def heed_toast(self) -> None:
        """Raise PlatformWarning, LoggedOut or NotNow if the last toast demands it.

        One that warns stays, so that a crash before the warning is recorded loses nothing.
        """
        try:
            judge(self.toast(), surface="toast")
        except (LoggedOut, NotNow):
            self.forget_toast()
            raise

    def screenshot(self) -> bytes:
        """Return a picture of the screen, JPEG or PNG; what may be stored of it the callers say."""
        coded = self._driver.call("takeScreenshot", 1, 80, within_s=15.0)
        return base64.b64decode(coded) if coded else self._driver.shell_bytes("screencap -p")

    def _sightings(self, cls: str) -> list[Sighting]:
        records = self._driver.call("objInfoOfAllInstances", selector(className=cls, packageName=PACKAGE))
        return [sighting(record) for record in records or ()]

    def tell(self, text: str) -> None:
        """Show a person at the phone a notification, if it shows any; it replaces the one before."""
        self.shade.post(ASSIST_TAG, ASSIST_TITLE, text)

    def rest(self, seconds: float) -> None:
        """Let time pass for what only the network can bring."""
        self._pause(seconds)

    # -- touching

    def tap(self, spot: Spot, role: Role = Role.NAVIGATE) -> None:
        """Tap where it has no effect outside this phone; NotRecognised or NotSent on an old sight."""
        self._touch(spot, what=role)

    def commit(self, spot: Spot, mark: Mark) -> None:
        """Make a tap that may last, of an armed task, once, if phone and mark agree and the sight is new.

        The shell on the phone checks both in the round trip that taps. `input` starts a process there: up to
        about a second passes between check and touch, and another agent's claim in between is not seen.
        NotRecognised, NotOwner, TooLate, NotSent, PhoneGone: not made. AnswerLost: only looking tells.
        """
        self._be_fresh(spot.read_at_s, what=f"commit on {spot.screen}", life_s=SIGHT_LIFE_S)
        self._be_there(spot)
        self.fence.tap(spot, mark)

    def _touch(self, spot: Spot, *, what: str) -> None:
        self._be_fresh(spot.read_at_s, what=f"{what} on {spot.screen}")
        self._be_there(spot)
        self._driver.call("click", spot.x, spot.y, not_after_s=spot.read_at_s + SPOT_LIFE_S)

    def _be_fresh(self, read_at_s: float, *, what: str, life_s: float = SPOT_LIFE_S) -> None:
        age_s = self._clock() - read_at_s
        if age_s > life_s:
            raise NotRecognised(f"{what}: the screen was seen {age_s:.1f} s ago")

    def _be_there(self, spot: Spot) -> None:
        """Look whether the label of what is to be touched, and whose page it is, stand where they stood.

        The phone looks in the window in front only: what lies under a dialog is not found. The dump may be
        seconds old; what changes after this has some milliseconds.
        """
        for seen in spot.witnesses:
            this = selector(className=seen.cls, packageName=PACKAGE, instance=seen.number)
            try:
                record = self._driver.call("objInfo", this)
            except Refused:
                raise NotRecognised(
                    f"{spot.screen}: what was to be touched is not in front any more"
                ) from None
            if not is_same(seen, record, sighting(record).box):
                raise Moved(f"{spot.screen}: what is to be touched is not where it was")

    def type_into(self, screen: Screen, field: Node, text: str) -> None:
        """Replace the text of a field and read it back; NotInTime if the field did not take it.

        The field is addressed by its number in the window, without a touch: no keyboard covers the page.
        """
        self._be_fresh(screen.page.read_at_s, what="typing")
        number = [node.at for node in screen.nodes() if node.cls == EDIT_TEXT].index(field.at)
        this = selector(className=EDIT_TEXT, packageName=PACKAGE, instance=number)
        asked_at_s = self._clock()
        if sighting(self._driver.call("objInfo", this)).box != field.box:
            raise NotRecognised("the field is not where it was")
        self._driver.call("setText", this, text, not_after_s=asked_at_s + SPOT_LIFE_S)
        Deadline.after(5.0, clock=self._clock, pause=self._pause).until(
            # An empty field reports its hint as its text.
            lambda: not text or str(self._driver.call("getText", this)) == text,
            what="the text in the field",
        )

    def back(self) -> None:
        """Press the back key."""
        self._driver.call("pressKey", "back")

    def scroll(self, spot: Spot, area: Box, *, share: float) -> int:
        """Drag a list by a share of its height, down (> 0, to its begin) or up; return the pixels dragged."""
        self._be_fresh(spot.read_at_s, what=f"scroll on {spot.screen}")
        distance = round(area.height * abs(share))
        margin = (area.height - distance) // 2
        low, high = area.top + margin + distance, area.top + margin
        y1, y2 = (high, low) if share > 0 else (low, high)
        # 5 ms a step; the finger rests before it is lifted, so that the list does not run on.
        points = [spot.x, y1, spot.x, y2, spot.x, y2]
        self._driver.call("swipePoints", points, 40, not_after_s=spot.read_at_s + SPOT_LIFE_S)
        return distance if share > 0 else -distance

    # -- the person at the phone

    def heed(self, hand: Hand) -> None:
        """Inject nothing from here on while this hand is on the phone: InHand is raised instead."""
        self.hand = hand
        self._driver.ask_before_inject(hand.ask)

    def panels(self) -> Panels:
        """Return the touch panels by device, with the largest values of their axes."""
        return panels_of(self._driver.shell("getevent -p"))

    def touches(self) -> ShellStream:
        """Return the kernel's input events as they come: touches by a person, never ours."""
        return self._driver.follow("getevent")

    # -- WeChat in front

    def bring_wechat(self, *, is_own_way: bool = False) -> None:
        """Have WeChat in front on its chats; Unreadable, NotRecognised, LoggedOut or PlatformWarning.

        A dialog or web page of unknown words is a warning too: a person decides, and it stays where it is.
        With `is_own_way`, after a tap of ours that may lead to any page, web pages are left by the back key.
        """
        self.home(is_own_way=is_own_way)

    def home(self, *, is_own_way: bool = False) -> Screen:
        """Have the list of chats in front and return it; see `bring_wechat`."""
        self._driver.recycle_if_worn()
        if not self._driver.call("isScreenOn"):
            self._driver.call("wakeUp")
        deadline = Deadline.after(HOME_LIMIT_S, clock=self._clock, pause=self._pause)
        for _ in range(BACKS_TO_HOME):
            screen = self._steady(deadline)
            if screen is not None and screen.name is ScreenName.CHATS:
                return self._heeded(screen)
            if screen is not None and screen.name in HOME_TABS:
                self.tap(screen.spot(screen.page.pressable(screen.tabs()[0])))
                with suppress(NotInTime):
                    return self._heeded(self.expect(ScreenName.CHATS, what="the list of chats", within_s=3.0))
                continue
            if screen is None:
                stop_at_nonsense(self._last, self.table(), is_home_only=True)
            if screen is not None and screen.name is ScreenName.DIALOG:
                # What passes by itself is closed like any other dialog.
                with suppress(NotNow):
                    judge(" ".join(screen.words()), surface="dialog", unknown=Unknown.DIALOG)
            if screen is not None and screen.name is ScreenName.WEB and not is_own_way:
                judge(" ".join(screen.words()), surface="page", unknown=Unknown.PAGE)
            self.back()
        raise NotRecognised("the way back to the list of chats was not found")

    def _heeded(self, chats: Screen) -> Screen:
        heed_banner(chats)
        self.heed_toast()
        return chats

    def _steady(self, deadline: Deadline) -> Screen | None:
        """Return what WeChat shows once it stands still, starting it if needed."""
        last: Page | None = None
        table = self.table()

        def still() -> Page | None:
            nonlocal last
            page = self.page()
            if page.package != PACKAGE:
                self._driver.shell_once(f"monkey -p {PACKAGE} -c android.intent.category.LAUNCHER 1")
                page, last = self.page(), None
            is_still = last is not None and page.shape() == last.shape()
            last = page
            is_readable = page.package == PACKAGE and page.health in (Health.OK, Health.WEBVIEW)
            return page if is_still and is_readable else None

        try:
            page = deadline.until(still, what="WeChat in front", every_s=0.05)
        except NotInTime:
            if last is not None and last.package == PACKAGE and last.health is not Health.OK:
                raise unreadable(last) from None
            if last is not None and last.package != PACKAGE:
                raise in_the_way(last) from None
            raise
        self._last = page
        screen = recognise(page, table)
        _stop_at(screen)
        return screen


def _stop_at(screen: Screen | None) -> None:
    """Raise LoggedOut on a page to sign in, PlatformWarning on a page that carries one."""
    if screen is not None and screen.name is ScreenName.LOGIN:
        raise LoggedOut
    if screen is not None and screen.name is ScreenName.WEB:
        judge(" ".join(screen.words()), surface="page")
