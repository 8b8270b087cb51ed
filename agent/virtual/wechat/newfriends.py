"""新的朋友: requests from and to people, newest first."""

from __future__ import annotations

from collections.abc import Iterator

from agent.virtual.accounts import FriendRequest, RequestState
from agent.virtual.ui import Look, Node, Rect
from agent.virtual.wechat.draw import BAR_BOTTOM_PX, FAINT, GREEN, WHITE, icon, ink, node, visible
from agent.virtual.wechat.page import Page
from agent.virtual.world import Answer

ROW_PX = 200
HEAD_PX = 150


class NewFriends(Page):
    """One row a request; only requests from others that wait have a button."""

    screen = "new_friends"

    def title(self) -> str:
        """Return the page's title."""
        return self.stage.text("new_friends")

    def max_scroll_px(self) -> int:
        """Return how far the list can be scrolled."""
        rows = HEAD_PX + ROW_PX * len(self.stage.account.requests)
        return max(0, rows - self.body_rect.height)

    def content(self) -> list[Node]:
        """Return the entry for mobiles and the rows in sight."""
        stage, width = self.stage, self.stage.width
        head = node(
            "LinearLayout",
            (0, BAR_BOTTOM_PX - self.scroll_px, width, BAR_BOTTOM_PX + HEAD_PX - self.scroll_px),
            node(
                "TextView",
                (60, BAR_BOTTOM_PX + 45 - self.scroll_px, width - 60, BAR_BOTTOM_PX + 105 - self.scroll_px),
                text=stage.text("add_friend_entry"),
                look=ink(44, FAINT),
            ),
            act="search",
            look=Look(fill=WHITE),
        )
        area = self.body_rect
        items = visible(iter([head]), area) + visible(self._rows(), area)
        return [node("ListView", area, *items, scrollable=True, look=Look(fill=WHITE)), self.bar()]

    def do_search(self, _arg: str) -> None:
        """Go to the search page."""
        self.stage.open("add_friend_search")

    def do_profile(self, person: str) -> None:
        """Look at a person."""
        self.stage.open("profile", person)

    def do_accept(self, person: str) -> None:
        """Go to the page that accepts a request, to the profile, or make friends: clients differ."""
        stage = self.stage
        opens = stage.account.client.accept_opens
        if opens == "friends":
            answer = stage.world.accept_by_account(stage.account, stage.world.people[person], "")
            stage.lag(server=True)
            if answer is Answer.REFUSED:
                stage.toast(stage.text("expired_toast"))
        else:
            stage.open("profile" if opens == "profile" else "accept_request", person)

    def _rows(self) -> Iterator[Node]:
        for n, request in enumerate(self.stage.account.requests):
            top = BAR_BOTTOM_PX + HEAD_PX + n * ROW_PX - self.scroll_px
            if -ROW_PX < top < self.stage.height:
                yield self._row(request, top)

    def _row(self, request: FriendRequest, top: int) -> Node:
        stage, width = self.stage, self.stage.width
        name = node(
            "TextView",
            (220, top + 35, width - 300, top + 95),
            rid=stage.rid("new_friend_name"),
            text=request.name,
            look=ink(48),
        )
        digest = request.greeting if request.is_incoming else f"我: {request.greeting}"
        texts = node(
            "LinearLayout",
            (220, top, width - 300, top + ROW_PX),
            name,
            node("TextView", (220, top + 110, width - 300, top + 160), text=digest, look=ink(38, FAINT)),
        )
        return node(
            "RelativeLayout",
            (0, top, width, top + ROW_PX),
            node("ImageView", (48, top + 30, 188, top + 170), arg=request.name, look=icon("avatar")),
            texts,
            self._state(request, Rect(width - 270, top + 55, width - 40, top + 145)),
            rid=stage.rid("new_friend_row"),
            act="profile",
            arg=request.person,
            long_clickable=True,
        )

    def _state(self, request: FriendRequest, area: Rect) -> Node:
        stage = self.stage
        if request.is_incoming and request.state is RequestState.WAITING:
            return node(
                "Button",
                area,
                rid=stage.rid("new_friend_button"),
                text=stage.text("accept"),
                act="accept",
                arg=request.person,
                look=ink(42, WHITE, align="center", fill=GREEN, radius_px=10),
            )
        role = {
            RequestState.WAITING: "waiting",
            RequestState.ACCEPTED: "accepted",
            RequestState.EXPIRED: "expired",
        }[request.state]
        return node("TextView", area, text=stage.text(role), look=ink(40, FAINT, align="center"))
