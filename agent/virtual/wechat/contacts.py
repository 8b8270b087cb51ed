"""The second tab: entries for new friends, groups, tags, and the contacts."""

from __future__ import annotations

from collections.abc import Iterator

from agent.virtual.ui import Look, Node
from agent.virtual.wechat.draw import BAR_BOTTOM_PX, RED, WHITE, icon, ink, node, visible
from agent.virtual.wechat.tabs import ROW_PX, Tab

ENTRIES = ("new_friends", "group_chats", "tags", "official_accounts")


class Contacts(Tab):
    """The entries on top, then the friends by name."""

    def heading(self) -> str:
        """Return the tab's name."""
        return self.stage.text("tab_contacts")

    def height_px(self) -> int:
        """Return the height of entries and contacts."""
        return BAR_BOTTOM_PX + ROW_PX * (len(ENTRIES) + len(self.stage.account.friends))

    def draw(self) -> Node:
        """Return the rows in sight."""
        area = self.home.screen_rect
        return node(
            "ListView",
            area,
            *visible(self._rows(), area),
            scrollable=True,
            focusable=True,
            look=Look(fill=WHITE),
        )

    def _rows(self) -> Iterator[Node]:
        account, world = self.stage.account, self.stage.world
        top = BAR_BOTTOM_PX - self.scroll_px
        for role in ENTRIES:
            yield self._new_friends(top) if role == "new_friends" else self.entry(role, top)
            top += ROW_PX
        for name, key in sorted((world.name_for(account, key), key) for key in account.friends):
            if -ROW_PX < top < self.stage.height:
                yield self._contact(name, key, top)
            top += ROW_PX

    def _new_friends(self, top: int) -> Node:
        stage = self.stage
        row = self.entry(
            "new_friends", top, act="open", arg="new_friends", rid=stage.rid("new_friends_entry")
        )
        asked = sum(one.is_incoming and one.state == "waiting" for one in stage.account.requests)
        if asked:
            row.children.append(
                node(
                    "TextView",
                    (stage.width - 130, top + 55, stage.width - 75, top + 110),
                    text=str(asked),
                    look=ink(34, WHITE, align="center", fill=RED, radius_px=27),
                )
            )
        return row

    def _contact(self, name: str, key: str, top: int) -> Node:
        width = self.stage.width
        return node(
            "LinearLayout",
            (0, top, width, top + ROW_PX),
            node("ImageView", (48, top + 28, 158, top + 138), arg=name, look=icon("avatar")),
            node(
                "LinearLayout",
                (190, top, width, top + ROW_PX),
                # Drawn on a canvas: a View with text.
                node(
                    "View",
                    (190, top + 50, width - 100, top + 115),
                    rid=self.stage.rid("contact_name"),
                    text=name,
                    look=ink(48),
                ),
            ),
            act="open",
            arg=f"profile {key}",
            long_clickable=True,
        )
