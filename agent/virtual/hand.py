"""A person's hand on a virtual phone: each touch is seen by the kernel and has its effect on the client."""

from __future__ import annotations

from collections.abc import Callable

from agent.virtual import talking
from agent.virtual.handset import Handset
from agent.virtual.ui import Node, Rect
from agent.virtual.wechat.chat import ChatPage
from agent.virtual.wechat.chatlist import FOLDER
from agent.virtual.wechat.client import WeChat
from agent.virtual.wechat.draw import BAR_BOTTOM_PX
from agent.virtual.wechat.home import TAB_BAR_PX, Home

STEPS_MOST = 60  # touches on the way to a page
ROW_SHOWS_PX = 40  # so much of a row must be free to be touched


class Hand:
    """Does what people do, at once. Raises LookupError where the page has nothing of the kind."""

    def __init__(self, handset: Handset, app: WeChat) -> None:
        self._phone, self.app = handset, app
        self._account = app.account

    def do(self, what: str, chat: str = "", *, text: str = "", share: float = 0.5, nth_last: int = 1) -> None:
        """Do one of plannedtalk.HandWhat; ValueError for another word."""
        truth = self.app.world.truth.of(self._account.account_id)
        truth.is_hand = True
        try:
            match what:
                case "open":
                    self.open(chat)
                case "scroll":
                    self.scroll(share)
                case "type":
                    self.type(text)
                case "send":
                    self.send(text)
                case "back":
                    self.back()
                case "menu":
                    self.menu(text, nth_last)
                case "touch":
                    self._phone.touch_by_hand(self._phone.width / 2, self._phone.height / 2)
                case _:
                    raise ValueError(f"a hand cannot {what!r}")
        finally:
            truth.is_hand = False

    def open(self, name: str) -> None:
        """Open a chat from the list, wherever the phone is; a chat that is open already stays so."""
        chat = talking.chat_named(self.app.world, self._account, name)
        page = self.app.stage.page
        if self._phone.front is self.app and isinstance(page, ChatPage) and page.chat_key == chat.key:
            return
        self._come_home()
        if chat.is_folded:
            self._swipe_list(FOLDER)
        self._swipe_list(chat.key)

    def scroll(self, share: float) -> None:
        """Drag the list by a share of its height; positive = to what is older or higher up."""
        area = self._first(lambda node: node.scrollable and _is_list(node)).bounds.clip(
            Rect(0, BAR_BOTTOM_PX, self._phone.width, self._phone.height - TAB_BAR_PX)
        )
        middle = (area.top + area.bottom) / 2
        half = max(-0.48, min(0.48, share / 2)) * area.height
        x = (area.left + area.right) / 2
        self._phone.touchscreen.swipe_by_hand(x, middle - half, x, middle + half)

    def type(self, text: str) -> None:
        """Touch the field of the chat in front and type into it; the keyboard stays up."""
        field = next((node for node in self._nodes() if node.cls.endswith("EditText")), None)
        if field is None:
            raise LookupError("no field to type in")
        self._touch(field)
        self._phone.keyboard.is_up = True
        for n in range(len(text)):
            self._phone.touchscreen.feel(100 + 80 * (n % 11), self._phone.height - 300)
        self.app.type_text(text)

    def send(self, text: str) -> None:
        """Type a message and touch the send button."""
        self.type(text)
        self._touch(self._acting("send"))

    def back(self) -> None:
        """Go back by the gesture from the edge."""
        self._phone.touchscreen.feel(self._phone.width - 1, self._phone.height / 2)
        self._phone.go_back()

    def menu(self, entry: str, nth_last: int = 1) -> None:
        """Hold a finger on the n-th last message in sight and touch an entry of its menu ("" = leave it)."""
        bubbles = [node for node in self._nodes() if node.long_clickable and node.arg.isdigit()]
        if len(bubbles) < nth_last:
            raise LookupError("no such message in sight")
        self._phone.touchscreen.hold_by_hand(*_middle(bubbles[-nth_last].bounds))
        if entry:
            found = next((node for node in self._nodes() if node.text == entry), None)
            if found is None:
                raise LookupError("the menu has no such entry")
            self._touch(found)

    # -- ways

    def _come_home(self) -> None:
        if self._phone.front is not self.app:
            self._phone.touchscreen.feel(self._phone.width / 2, self._phone.height - 1)
            self._phone.home()
            self._touch(self._first(lambda node: node.arg == self.app.package))
        for _ in range(STEPS_MOST):
            page = self.app.stage.page
            if isinstance(page, Home) and not self.app.stage.dialogs and not page.menu_is_open:
                break
            self.back()
        home = self.app.stage.page
        if not isinstance(home, Home):
            raise LookupError("the list of chats cannot be reached")  # noqa: TRY004 -- a page, not an argument
        if home.tab:
            self._touch(self._first(lambda node: node.act == "tab" and node.arg == "0"))
        for _ in range(STEPS_MOST):
            if not home.tabs[0].scroll_px:
                break
            self.scroll(0.9)

    def _swipe_list(self, key: str) -> None:
        free = Rect(0, BAR_BOTTOM_PX, self._phone.width, self._phone.height - TAB_BAR_PX)
        for _ in range(STEPS_MOST):
            for node in self._nodes():
                if node.act == "open_chat" and node.arg == key:
                    area = node.bounds.clip(free)
                    if area.height >= ROW_SHOWS_PX:
                        self._phone.touch_by_hand(*_middle(area))
                        return
            self.scroll(-0.6)
        raise LookupError("the list of chats has no such row")

    def _nodes(self) -> list[Node]:
        """Return all nodes of what is really there, even while an old page is still in sight."""
        roots = self.app.present() if self._phone.front is self.app else self._phone.front.windows()
        return [node for root in roots for node in root.walk()]

    def _acting(self, act: str) -> Node:
        return self._first(lambda node: node.act == act)

    def _first(self, test: Callable[[Node], bool]) -> Node:
        found = next((node for node in self._nodes() if test(node)), None)
        if found is None:
            raise LookupError("nothing of the kind to touch")
        return found

    def _touch(self, node: Node) -> None:
        self._phone.touch_by_hand(*_middle(node.bounds))


def _is_list(node: Node) -> bool:
    return node.cls.endswith(("ListView", "RecyclerView"))


def _middle(box: Rect) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2
