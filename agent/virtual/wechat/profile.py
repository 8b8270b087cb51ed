"""A person's profile, and the two pages of a friend request: sending one and accepting one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.virtual.accounts import RequestState
from agent.virtual.people import Person
from agent.virtual.ui import Look, Node
from agent.virtual.wechat.draw import BAR_BOTTOM_PX, BLUE, FAINT, GREEN, WHITE, icon, ink, node
from agent.virtual.wechat.page import Page
from agent.virtual.wechat.stage import Dialog
from agent.virtual.world import Answer

if TYPE_CHECKING:
    from agent.virtual.wechat.stage import Stage

ROW_PX = 165
GREETING_LIMIT = 50  # characters; the client cuts longer ones


class Profile(Page):
    """A list of preferences: header, rows, actions. The actions tell friend from stranger."""

    screen = "profile"

    def __init__(self, stage: Stage, person: str) -> None:
        super().__init__(stage)
        self.person: Person = stage.world.people[person]

    def content(self) -> list[Node]:
        """Return header, rows and actions."""
        stage, width = self.stage, self.stage.width
        rows, top = [self._header()], 620
        is_friend = self.person.key in stage.account.friends
        for role, summary in self._rows(is_friend=is_friend):
            act = "remark" if role == "set_remark" and is_friend else "nothing"
            rows.append(self._preference(stage.text(role), summary, top, act))
            top += ROW_PX
        top += 30
        for role, act in self._actions(is_friend=is_friend):
            rows.append(self._action(stage.text(role), act, top))
            top += ROW_PX + 10
        info = node(
            "ImageView",
            (width - 130, 110, width - 50, 184),
            desc=stage.text("chat_info"),
            act="nothing",
            look=icon("more"),
        )
        items = node("ListView", self.body_rect, *rows, rid=stage.rid("preference_list"), scrollable=True)
        return [items, self.bar(info)]

    def do_add(self, _arg: str) -> None:
        """Tap on the add button."""
        stage = self.stage
        answer = stage.world.begin_add(stage.account, self.person)
        if answer is Answer.ASK:
            stage.open("friend_request", self.person.key)
        elif answer is Answer.ADDED:
            stage.lag(server=True)
            stage.toast(stage.text("added_toast"))
        elif answer is Answer.BLOCKED:
            stage.lag(server=True)
            stage.toast(stage.table.warnings["BLOCKED_ADD"][0])
        elif answer is Answer.REFUSED:
            stage.show(Dialog(text=stage.table.warnings["CANNOT_BE_ADDED"][0]))

    def do_accept(self, _arg: str) -> None:
        """Go to the page that accepts the person's request."""
        self.stage.open("accept_request", self.person.key)

    def do_remark(self, _arg: str) -> None:
        """Go to the page of remark and tags."""
        self.stage.open("remark", self.person.key)

    def do_chat(self, _arg: str) -> None:
        """Open the chat; from here it is an activity of its own."""
        self.stage.account.chat(
            self.person.key, self.stage.world.name_for(self.stage.account, self.person.key)
        )
        self.stage.open("chat", self.person.key, False)

    def _rows(self, *, is_friend: bool) -> tuple[tuple[str, str], ...]:
        if is_friend:
            tags = "，".join(self.stage.account.tagged.get(self.person.key, ()))
            return (
                ("set_remark", ""),
                *((("request_tags_label", tags),) if tags else ()),
                ("request_permission_label", ""),
                ("moments_of_person", ""),
                ("more_info", ""),
            )
        return (
            ("set_remark", ""),
            ("moments_of_person", ""),
            ("source", "来自手机号搜索"),
            ("more_info", ""),
        )

    def _actions(self, *, is_friend: bool) -> tuple[tuple[str, str], ...]:
        if is_friend:
            return (("send_message", "chat"), ("call", "nothing"))
        asked = self.stage.account.request_with(self.person.key, is_incoming=True)
        if asked is not None and asked.state is RequestState.WAITING:
            return (("go_confirm", "accept"),)
        return (("add_to_contacts", "add"),)

    def _header(self) -> Node:
        stage, width, person = self.stage, self.stage.width, self.person
        remark = stage.account.friends.get(person.key, "")
        lines = [f"昵称: {person.nickname}"] if remark else []
        if person.key in stage.account.friends and person.wechat_id:
            lines.append(f"微信号: {person.wechat_id}")
        if person.region:
            lines.append(f"地区: {person.region}")
        name = node(
            "TextView",
            (290, 270, width - 60, 340),
            rid=stage.rid("profile_name"),
            text=remark or person.nickname,
            look=ink(56),
        )
        texts = [
            node("TextView", (290, 360 + n * 56, width - 60, 412 + n * 56), text=text, look=ink(38, FAINT))
            for n, text in enumerate(lines)
        ]
        return node(
            "LinearLayout",
            (0, BAR_BOTTOM_PX, width, 580),
            node(
                "ImageView",
                (60, 270, 240, 450),
                desc=person.nickname + stage.text("avatar_suffix"),
                look=icon("avatar"),
            ),
            node("LinearLayout", (290, 250, width, 560), name, *texts),
            look=Look(fill=WHITE),
        )

    def _preference(self, title: str, summary: str, top: int, act: str) -> Node:
        width = self.stage.width
        text = node(
            "TextView",
            (48, top + 50, 500, top + 115),
            rid=self.stage.rid("preference_title"),
            text=title,
            look=ink(46),
        )
        more = node(
            "TextView",
            (500, top + 50, width - 100, top + 115),
            rid=self.stage.rid("preference_summary"),
            text=summary,
            look=ink(42, FAINT),
        )
        children = (text, more) if summary else (text,)
        return node(
            "LinearLayout",
            (0, top, width, top + ROW_PX),
            node("RelativeLayout", (48, top, width, top + ROW_PX), *children),
            act=act,
            look=Look(fill=WHITE),
        )

    def _action(self, title: str, act: str, top: int) -> Node:
        width = self.stage.width
        half = 26 * len(title)
        text = node(
            "TextView",
            (width // 2 - half, top + 50, width // 2 + half, top + 115),
            rid=self.stage.rid("profile_action"),
            text=title,
            look=ink(48, BLUE, align="center"),
        )
        return node(
            "LinearLayout",
            (0, top, width, top + ROW_PX),
            node("LinearLayout", (0, top, width, top + ROW_PX), text),
            act=act,
            look=Look(fill=WHITE),
        )


class RequestPage(Page):
    """Greeting, remark, tags, permission; its button sends the request."""

    screen = "friend_request"

    def __init__(self, stage: Stage, person: str) -> None:
        super().__init__(stage)
        self.person: Person = stage.world.people[person]
        self.fields = {"greeting": f"我是{stage.account.nickname}", "remark": self.person.nickname}
        self.tags: tuple[str, ...] = ()

    def title(self) -> str:
        """Return the page's title."""
        return self.stage.text("request_title")

    def content(self) -> list[Node]:
        """Return the fields and the button."""
        stage, width = self.stage, self.stage.width
        parts = [
            self._label("request_greeting_label", 260),
            self.field("greeting", (60, 330, width - 60, 510), role="request_greeting"),
            *self._common(560),
            self._button(stage.text("send_request")),
        ]
        body = node(
            "ScrollView", self.body_rect, node("LinearLayout", self.body_rect, *parts), scrollable=True
        )
        return [body, self.bar()]

    def field_changed(self, name: str) -> None:
        """A greeting is cut at the client's limit."""
        self.fields[name] = self.fields[name][:GREETING_LIMIT]

    def do_tags(self, _arg: str) -> None:
        """Go to the page where tags are chosen; it hands them back."""
        self.stage.open("tags", self)

    def do_commit(self, _arg: str) -> None:
        """Send the request and go back to the profile; a warning keeps the page."""
        stage = self.stage
        answer = stage.world.send_request(
            stage.account, self.person, self.fields["greeting"], self.fields["remark"], self.tags
        )
        if answer is Answer.SENT:
            stage.leave(server=True)
            stage.toast(stage.text("request_sent_toast"))
        stage.lag(server=True)

    def _common(self, top: int) -> list[Node]:
        stage, width = self.stage, self.stage.width
        tags = node(
            "LinearLayout",
            (60, top + 210, width - 60, top + 350),
            node(
                "TextView",
                (90, top + 250, 400, top + 310),
                text=stage.text("request_tags_label"),
                look=ink(44),
            ),
            *self._chosen(top + 250),
            act="tags",
            look=Look(fill="#f7f7f7", radius_px=12),
        )
        choices = [
            node(
                "LinearLayout",
                (60, top + 440 + n * 140, width - 60, top + 580 + n * 140),
                node(
                    "TextView", (90, top + 480 + n * 140, 800, top + 540 + n * 140), text=text, look=ink(44)
                ),
                act="nothing",
                look=Look(fill="#f7f7f7"),
            )
            for n, text in enumerate(("聊天、朋友圈、微信运动等", stage.text("chats_only")))
        ]
        return [
            self._label("request_remark_label", top),
            self.field("remark", (60, top + 60, width - 60, top + 190)),
            tags,
            self._label("request_permission_label", top + 380),
            *choices,
        ]

    def _chosen(self, top: int) -> list[Node]:
        if not self.tags:
            return []
        area = (400, top, self.stage.width - 90, top + 60)
        return [node("TextView", area, text="，".join(self.tags), look=ink(42, FAINT))]

    def _label(self, role: str, top: int) -> Node:
        return node(
            "TextView",
            (60, top, self.stage.width - 60, top + 50),
            text=self.stage.text(role),
            look=ink(36, FAINT),
        )

    def _button(self, text: str) -> Node:
        width, top = self.stage.width, self.stage.height - 420
        return node(
            "Button",
            (width // 2 - 250, top, width // 2 + 250, top + 130),
            rid=self.stage.rid("request_button"),
            text=text,
            act="commit",
            focusable=True,
            look=ink(48, WHITE, align="center", fill=GREEN, radius_px=12),
        )


class AcceptPage(RequestPage):
    """Remark and permission; its button accepts the person's request."""

    def title(self) -> str:
        """Return the page's title."""
        return self.stage.text("accept_title")

    def content(self) -> list[Node]:
        """Return the fields and the button."""
        parts = [*self._common(260), self._button(self.stage.text("done"))]
        body = node(
            "ScrollView", self.body_rect, node("LinearLayout", self.body_rect, *parts), scrollable=True
        )
        return [body, self.bar()]

    def do_commit(self, _arg: str) -> None:
        """Become friends and show the profile; the platform may say that the request expired."""
        stage = self.stage
        answer = stage.world.accept_by_account(stage.account, self.person, self.fields["remark"], self.tags)
        if answer is Answer.REFUSED:
            stage.leave(server=True)
            stage.toast(stage.text("expired_toast"))
            return
        stage.leave(server=True)
        if not isinstance(stage.page, Profile):
            stage.open("profile", self.person.key, server=True)
