"""Finding a chat by name: the global search, all contacts it found, and the page about a private chat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.virtual.people import Person
from agent.virtual.ui import Look, Node
from agent.virtual.wechat.draw import BAR_BOTTOM_PX, BLUE, FAINT, WHITE, icon, ink, node, visible
from agent.virtual.wechat.page import Page

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

ROW_PX, HEAD_PX = 190, 80
SHOWN = 3  # of a section; the others stand behind its last row


class Find(Page):
    """Field and sections: contacts, groups, messages. A tap on a row opens the chat."""

    screen = "search"

    def __init__(self, stage: Stage, query: str = "") -> None:
        super().__init__(stage)
        self.focus = "query"
        self.fields = {"query": query}

    def content(self) -> list[Node]:
        """Return field, cancel button and what was found."""
        stage, width = self.stage, self.stage.width
        cancel = node(
            "TextView",
            (width - 150, 110, width - 30, 180),
            rid=stage.rid("search_cancel"),
            text=stage.text("cancel"),
            act="back",
            look=ink(46, BLUE),
        )
        field = self.field(
            "query", (60, 90, width - 190, 200), role="search_input", hint=stage.text("search")
        )
        items = node("ListView", self.body_rect, *visible(self._rows(), self.body_rect), scrollable=True)
        return [node("RelativeLayout", (0, 72, width, BAR_BOTTOM_PX), field, cancel), items]

    def max_scroll_px(self) -> int:
        """Return how far the results can be scrolled."""
        high = sum(ROW_PX if kind != "head" else HEAD_PX for kind, _, _ in self.results())
        return max(0, BAR_BOTTOM_PX + high - self.stage.height)

    def do_chat(self, key: str) -> None:
        """Open a chat."""
        stage = self.stage
        if key in stage.world.people:
            stage.account.chat(key, stage.world.name_for(stage.account, key))
        stage.open("chat", key, False)

    def do_more(self, _arg: str) -> None:
        """Show all contacts found."""
        self.stage.open("search_more", self.fields["query"])

    def field_changed(self, name: str) -> None:
        """Other results, from their begin; they come after a moment."""
        del name
        self.scroll_px = 0
        self.stage.lag()

    def results(self) -> list[tuple[str, str, str]]:
        """Return kind (head, chat, more, web), text and key of each row."""
        text, found = self.stage.text, self.contacts()
        groups = self._groups()
        rows = [("chat", name, key) for name, key in found[:SHOWN]]
        if rows:
            rows.insert(0, ("head", text("find_contacts"), ""))
        if len(found) > SHOWN:
            rows.append(("more", text("find_more_contacts"), ""))
        if groups:
            rows.append(("head", text("find_groups"), ""))
            rows += [("chat", name, key) for name, key in groups]
        said = self._talked_about()
        if said:
            rows.append(("head", text("find_messages"), ""))
            rows += [("chat", name, key) for name, key in said]
        if self.fields["query"]:
            rows.append(("web", text("find_web"), ""))
        return rows

    def contacts(self) -> list[tuple[str, str]]:
        """Return name and key of the contacts whose remark or nickname holds the query."""
        query, world, account = self.fields["query"].lower(), self.stage.world, self.stage.account
        names = sorted((world.name_for(account, key), key) for key in account.friends)
        return [
            (name, key)
            for name, key in names
            if query and (query in name.lower() or query in world.people[key].nickname.lower())
        ]

    def _groups(self) -> list[tuple[str, str]]:
        query, chats = self.fields["query"], self.stage.account.chats.items()
        return [(chat.title, key) for key, chat in chats if query and query in chat.title and chat.members]

    def _talked_about(self) -> list[tuple[str, str]]:
        query, chats = self.fields["query"], self.stage.account.chats.items()
        return [
            (chat.title, key)
            for key, chat in chats
            if query and any(query in line.text for line in chat.lines if line.kind == "text")
        ][:SHOWN]

    def _rows(self) -> Iterator[Node]:
        top = BAR_BOTTOM_PX - self.scroll_px
        for kind, text, key in self.results():
            high = HEAD_PX if kind == "head" else ROW_PX
            if top + high > 0 and top < self.stage.height:
                yield self._row(kind, text, key, top, high)
            top += high

    def _row(self, kind: str, text: str, key: str, top: int, high: int) -> Node:
        width, stage = self.stage.width, self.stage
        if kind == "head":
            return node(
                "LinearLayout",
                (0, top, width, top + high),
                node("TextView", (48, top + 20, 400, top + 70), text=text, look=ink(36, FAINT)),
            )
        rid = stage.rid("search_result_name") if kind == "chat" else ""
        name = node("TextView", (200, top + 60, width - 60, top + 130), rid=rid, text=text, look=ink(48))
        acts = {"chat": "chat", "more": "more", "web": "nothing"}
        return node("RelativeLayout", (0, top, width, top + high), name, act=acts[kind], arg=key)


class FindMore(Find):
    """All contacts found, and nothing else."""

    screen = "search_more"

    def results(self) -> list[tuple[str, str, str]]:
        """Return kind, text and key of each row."""
        rows = [("chat", name, key) for name, key in self.contacts()]
        return [("head", self.stage.text("find_contacts"), ""), *rows]


class ChatInfo(Page):
    """The peer on top, then what can be done to the chat: some of it cannot be taken back."""

    screen = "chat_info"

    def __init__(self, stage: Stage, person: str) -> None:
        super().__init__(stage)
        self.person: Person = stage.world.people[person]

    def title(self) -> str:
        """Return the page's title."""
        return self.stage.table.texts["chat_info"][-1]

    def content(self) -> list[Node]:
        """Return the peer's picture with the name under it, and the rows."""
        stage, width = self.stage, self.stage.width
        name = stage.world.name_for(stage.account, self.person.key)
        peer = node(
            "LinearLayout",
            (40, 250, 240, 480),
            node(
                "ImageView", (70, 270, 210, 410), desc=name + stage.text("avatar_suffix"), look=icon("avatar")
            ),
            node("TextView", (40, 420, 240, 475), text=name, look=ink(34, FAINT, align="center")),
            act="profile",
        )
        more = node("ImageView", (280, 270, 420, 410), desc="添加成员", act="nothing", look=icon("plus"))
        rows = [
            node(
                "LinearLayout",
                (0, 520 + n * 160, width, 680 + n * 160),
                node(
                    "TextView",
                    (48, 570 + n * 160, 700, 630 + n * 160),
                    rid=stage.rid("preference_title"),
                    text=stage.text(role),
                    look=ink(46),
                ),
                act=act,
                look=Look(fill=WHITE),
            )
            for n, (role, act) in enumerate((("find_chat_history", "nothing"), ("clear_history", "clear")))
        ]
        return [node("ListView", self.body_rect, peer, more, *rows, scrollable=True), self.bar()]

    def do_profile(self, _arg: str) -> None:
        """Look at the peer."""
        self.stage.open("profile", self.person.key)

    def do_clear(self, _arg: str) -> None:
        """Clear the chat: nothing that the agent may ever touch."""
        chat = self.stage.account.chats[self.person.key]
        chat.empty(self.stage.clock(), keeps_row=True)
