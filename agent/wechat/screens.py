"""Which page of the client is on the screen: activity, title or text, and an element only that page has."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from agent.wechat.clients import PACKAGE, ClientTable
from agent.wechat.likepopup import popup_of
from agent.wechat.pages import EDIT_TEXT, Box, Health, Node, Page
from agent.wechat.spots import PROFILE_ACTIONS, PROFILE_ROWS, Spot, witnesses_of

# Shares of the height: the action bar with its title lies above the first, the tabs of home below the second.
BAR_SHARE = 0.14
TABS_SHARE = 0.8
# A window narrower or lower than this share of the screen is a dialog or a popup.
WHOLE_SHARE = 0.95
TABS = ("tab_chats", "tab_contacts", "tab_discover", "tab_me")
MENU = ("menu_group_chat", "menu_add_friend", "menu_scan")
LISTS = ("ListView", "RecyclerView", "ScrollView")


class ScreenName(StrEnum):
    """The screens flows know. What is none of these is never tapped on."""

    CHATS = "chats"
    CONTACTS = "contacts"
    DISCOVER = "discover"
    ME = "me"
    PLUS_MENU = "plus_menu"
    ADD_FRIEND = "add_friend"
    SEARCH = "search"
    PROFILE = "profile"
    WECOM_CHOICE = "wecom_choice"
    REQUEST = "request"
    ACCEPT = "accept"
    REMARK = "remark"
    TAGS = "tags"
    FIND = "find"
    FIND_MORE = "find_more"
    CHAT_INFO = "chat_info"
    NEW_FRIENDS = "new_friends"
    CHAT = "chat"
    MOMENTS = "moments"
    MOMENTS_POPUP = "moments_popup"  # the timeline with the popup of one post open
    DIALOG = "dialog"
    LOGIN = "login"
    WEB = "web"


HOME_TABS = frozenset({ScreenName.CHATS, ScreenName.CONTACTS, ScreenName.DISCOVER, ScreenName.ME})


@dataclass(frozen=True, slots=True)
class View:
    """One window of a page with the words of its client's version."""

    page: Page
    root: Node
    table: ClientTable

    def nodes(self) -> Sequence[Node]:
        """Return all nodes of the window in document order."""
        return self.page.inside(self.root)

    def texts(self, role: str) -> list[Node]:
        """Return the nodes whose text is one of the wordings of a role."""
        words = self.table.texts.get(role, ())
        return [node for node in self.nodes() if node.text in words]

    def starting(self, role: str) -> list[Node]:
        """Return the nodes whose text or description begins with a wording of a role."""
        words = self.table.texts.get(role, ())
        return [node for node in self.nodes() if node.label.startswith(words)] if words else []

    def described(self, role: str) -> list[Node]:
        """Return the nodes whose description is one of the wordings of a role."""
        words = self.table.texts.get(role, ())
        return [node for node in self.nodes() if node.desc in words]

    def marked(self, role: str) -> list[Node]:
        """Return the nodes with an id of a role; a weak sign, ids change between builds."""
        ids = self.table.rids(role)
        return [node for node in self.nodes() if node.rid in ids]

    def fields(self) -> list[Node]:
        """Return the editable fields from top to bottom."""
        found = [node for node in self.nodes() if node.cls == EDIT_TEXT and not node.box.is_empty()]
        return sorted(found, key=lambda node: (node.box.top, node.box.left))

    def lists(self) -> list[Node]:
        """Return the lists, the largest first."""
        found = [node for node in self.nodes() if node.cls.endswith(LISTS)]
        return sorted(found, key=lambda node: node.box.width * node.box.height, reverse=True)

    def in_bar(self, nodes: Iterable[Node]) -> list[Node]:
        """Return those that lie in the action bar."""
        bottom = self.root.box.top + round(self.root.box.height * BAR_SHARE)
        return [node for node in nodes if not node.box.is_empty() and node.box.bottom <= bottom]

    def tabs(self) -> list[Node]:
        """Return the four tab labels from left to right, empty if they do not stand as on the home page."""
        line = self.root.box.top + round(self.root.box.height * TABS_SHARE)
        found = []
        for role in TABS:
            low = [node for node in self.texts(role) if node.box.top >= line]
            if not low:
                return []
            found.append(max(low, key=lambda node: node.box.top))
        in_order = all(one.box.right <= two.box.left for one, two in itertools.pairwise(found))
        one_line = (
            max(node.box.top for node in found) - min(node.box.top for node in found) < found[0].box.height
        )
        return found if in_order and one_line else []


@dataclass(frozen=True, slots=True)
class Screen(View):
    """A recognised window."""

    name: ScreenName

    def spot(self, node: Node, area: Box | None = None) -> Spot:
        """Return the middle of a node, or of what `area` leaves of it, with what proves the place."""
        x, y = (area or node.box).centre
        return Spot(
            x=x,
            y=y,
            screen=self.name,
            read_at_s=self.page.read_at_s,
            witnesses=witnesses_of(self, node),
        )

    def title(self) -> Node | None:
        """Return the title: a marked one, else the text in the bar nearest to the middle."""
        marked = [*self.marked("chat_title"), *self.marked("page_title")]
        found = [node for node in self.in_bar(marked or self.nodes()) if node.text]
        middle = self.root.box.centre[0]
        return min(found, key=lambda node: abs(node.box.centre[0] - middle), default=None)

    def words(self) -> list[str]:
        """Return every text of the window in document order, fields left out."""
        return [node.text for node in self.nodes() if node.text and node.cls != EDIT_TEXT]


def recognise(page: Page, table: ClientTable) -> Screen | None:
    """Return the screen that is proved to be in front, None if none is. Never by the order of windows."""
    if page.package != PACKAGE:
        return None
    whole = [root for root in page.windows() if not root.box.is_empty()]
    if _is(page, table, "login") or _is(page, table, "verify"):
        return Screen(page, _largest(whole), table, ScreenName.LOGIN) if whole else None
    # Pages of the platform itself are read for what they say, never used.
    if page.health is Health.WEBVIEW or any(_is(page, table, one) for one in ("web", "outage", "updater")):
        return Screen(page, _largest(whole), table, ScreenName.WEB) if whole else None
    if page.health is not Health.OK:
        return None
    views = [View(page, root, table) for root in whole]
    dialogs = [view for view in views if is_dialog(view)]
    if dialogs:
        top = min(dialogs, key=lambda view: view.root.box.height)
        return Screen(page, top.root, table, ScreenName.DIALOG)
    found = [Screen(page, view.root, table, name) for view in views for name in _names(view)]
    return found[0] if len(found) == 1 else None


def is_dialog(view: View) -> bool:
    """Tell whether a window is modal: smaller than the screen, with a button that carries words."""
    roots = [root.box for root in view.page.roots()]
    width, height = max(box.right for box in roots), max(box.bottom for box in roots)
    box = view.root.box
    is_small = box.width < width * WHOLE_SHARE and box.height < height * WHOLE_SHARE
    return bool(view.marked("dialog_ok")) or (is_small and any(True for _ in buttons(view)))


def buttons(view: View) -> Iterator[Node]:
    """Yield the buttons of a window that carry words."""
    for node in view.nodes():
        if node.text and (node.cls.endswith("Button") or (node.clickable and len(node.text) <= 6)):
            yield node


def _names(view: View) -> list[ScreenName]:
    """Return the screens this window proves to be, the plus menu before the page under it."""
    if _is(view.page, view.table, "home") and _plus_menu(view):
        return [ScreenName.PLUS_MENU]
    return [
        name
        for name, (screens, proof) in PROOFS.items()
        if any(_is(view.page, view.table, screen) for screen in screens) and proof(view)
    ]


def _is(page: Page, table: ClientTable, screen: str) -> bool:
    return page.activity in table.activities.get(screen, ())


def _largest(roots: Sequence[Node]) -> Node:
    return max(roots, key=lambda root: root.box.width * root.box.height)


def _plus_menu(view: View) -> bool:
    """The menu stands at the upper right, in its order; names of chats may say anything but stand left."""
    area = view.root.box
    column = []
    for role in MENU:
        found = [node for node in view.texts(role) if node.box.left >= area.left + area.width * 0.4]
        if not found:
            return False
        column.append(found[0].box)
    in_order = all(one.bottom <= two.top for one, two in itertools.pairwise(column))
    return in_order and column[-1].bottom <= area.centre[1] and bool(view.tabs())


def _titled(view: View, role: str) -> bool:
    return bool(view.in_bar(view.texts(role)))


def _chats(view: View) -> bool:
    heads = view.table.texts["tab_chats"]
    counted = re.compile(rf"(?:{'|'.join(map(re.escape, heads))})(?:\s*[(（]\S{{1,6}}[)）])?")
    title = [node for node in view.in_bar(view.nodes()) if counted.fullmatch(node.text)]
    return bool(view.tabs() and title and view.starting("plus_menu")) and _is_bare(view)


def _is_bare(view: View) -> bool:
    """Tell whether the list of home lies open: a menu over it is a second list, or has words at the right."""
    edge = view.root.box.left + view.root.box.width * 0.4
    entries = [node for role in MENU for node in view.texts(role) if node.box.left >= edge]
    return len(view.lists()) == 1 and not entries


def _contacts(view: View) -> bool:
    return bool(view.tabs() and _titled(view, "tab_contacts") and view.texts("new_friends"))


def _discover(view: View) -> bool:
    return bool(view.tabs() and _titled(view, "tab_discover") and view.texts("moments"))


def _me(view: View) -> bool:
    return bool(view.tabs() and view.starting("me_wechat_id_prefix") and view.texts("me_settings"))


def _add_friend(view: View) -> bool:
    return _titled(view, "add_friend_title") and bool(view.starting("add_friend_entry"))


def _search(view: View) -> bool:
    fields = view.fields()
    is_top = (
        len(fields) == 1
        and fields[0].box.bottom <= view.root.box.top + view.root.box.height * BAR_SHARE * 1.5
    )
    return is_top and bool(view.texts("cancel") or view.described("back"))


def _wecom_choice(view: View) -> bool:
    return bool(view.starting("wecom_choice") and view.described("back"))


def _profile(view: View) -> bool:
    """A person's page: a way to act, and a row no other page of this activity lacks."""
    is_marked = bool(view.marked("profile_name"))
    has_rows = any(view.texts(role) or view.described(role) for role in PROFILE_ROWS)
    has_action = any(view.texts(role) for role in PROFILE_ACTIONS)
    if view.fields() or view.starting("wecom_choice") or not view.described("back"):
        return False
    return has_action and (has_rows or is_marked)


def _request(view: View) -> bool:
    return _titled(view, "request_title") and bool(view.texts("send_request")) and bool(view.fields())


def _accept(view: View) -> bool:
    return _titled(view, "accept_title") and bool(view.texts("done")) and bool(view.fields())


def _remark(view: View) -> bool:
    return _titled(view, "set_remark") and bool(view.in_bar(view.texts("save"))) and bool(view.fields())


def _tags(view: View) -> bool:
    return _titled(view, "tags_title") and bool(view.texts("save")) and bool(view.fields())


def _chat_info(view: View) -> bool:
    return _titled(view, "chat_info") and bool(view.texts("find_chat_history")) and not view.fields()


def _new_friends(view: View) -> bool:
    return (
        _titled(view, "new_friends")
        and bool(view.lists())
        and not view.tabs()
        and bool(view.described("back"))
    )


def _chat(view: View) -> bool:
    """A chat: back and info in the bar, a list of messages, and the footer; service chats have none."""
    has_footer = bool(view.fields() or view.described("to_voice") or view.described("to_keyboard"))
    is_framed = (
        view.in_bar(view.described("back")) and view.in_bar(view.described("chat_info")) and view.lists()
    )
    # A service chat has no footer; its list is told by its id where that is known.
    is_list = bool(view.marked("chat_messages")) or not view.table.knows("chat_messages")
    return bool(is_framed) and not view.tabs() and (has_footer or is_list)


def _timeline(view: View) -> bool:
    """The timeline: back in the bar, a list, and the title or, where that is hidden, the cover."""
    is_framed = view.in_bar(view.described("back")) and view.lists() and not view.fields()
    return bool(is_framed) and (_titled(view, "moments") or bool(view.starting("moments_cover")))


def _moments(view: View) -> bool:
    return _timeline(view) and popup_of(view) is None


def _moments_popup(view: View) -> bool:
    return _timeline(view) and popup_of(view) is not None


Proof = Callable[[View], bool]
PROOFS: Mapping[ScreenName, tuple[tuple[str, ...], Proof]] = MappingProxyType(
    {
        ScreenName.CHATS: (("home",), _chats),
        ScreenName.CONTACTS: (("home",), _contacts),
        ScreenName.DISCOVER: (("home",), _discover),
        ScreenName.ME: (("home",), _me),
        ScreenName.ADD_FRIEND: (("add_friend",), _add_friend),
        ScreenName.SEARCH: (("add_friend_search",), _search),
        ScreenName.WECOM_CHOICE: (("add_friend_search", "profile"), _wecom_choice),
        ScreenName.PROFILE: (("profile",), _profile),
        ScreenName.REQUEST: (("friend_request",), _request),
        ScreenName.ACCEPT: (("friend_request",), _accept),
        ScreenName.REMARK: (("remark",), _remark),
        ScreenName.TAGS: (("tags",), _tags),
        ScreenName.FIND: (("search",), _search),
        ScreenName.FIND_MORE: (("search_more",), _search),
        ScreenName.CHAT_INFO: (("chat_info",), _chat_info),
        ScreenName.NEW_FRIENDS: (("new_friends",), _new_friends),
        ScreenName.CHAT: (("chat",), _chat),
        ScreenName.MOMENTS: (("moments",), _moments),
        ScreenName.MOMENTS_POPUP: (("moments",), _moments_popup),
    }
)
