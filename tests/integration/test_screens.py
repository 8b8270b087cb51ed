"""Pages that change, come in pieces, make no sense or ask for something: no wrong tap, and a word why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent.capture.chats import Tail, read_chat, unread_rows
from agent.driver import Driver
from agent.errors import AgentError, InTheWay, NotRecognised, UnknownVersion, Unreadable, WrongLanguage
from agent.model import ChatRow, Ended, FriendAdd, Result
from agent.phone import Phone
from agent.virtual.farm import VirtualPhone
from agent.virtual.scenario import parse_scenario
from agent.virtual.wechat.client import WeChat
from agent.wechat.clients import without_ids
from agent.wechat.friends import add_friend
from agent.wechat.screens import Screen, ScreenName
from agent.wechat.sense import blindness
from tests.support.adb import AdbServer
from tests.support.commits import commit_of
from tests.support.handset import Handsets, handsets

GREETING = "您好，我是小店的客服"
REMARK = "订单客户"
PEOPLE = """
[[people_like]]
count = 400
nickname = "客户{n:03}"
mobile = "138{n:08}"

[[people_like]]
count = 4
nickname = "朋友{n}"
wechat_id = "friend{n}"
friend_of = ["all"]

[[chats]]
peer = "friend1"
history = 2
[[chats]]
peer = "friend2"
history = 2
[[chats]]
peer = "friend3"
history = 2
"""
WORLD = "[phones_like]\ncount = 1\n" + PEOPLE
MAY_TYPE = {("AddFriendSearch", "query"), ("RequestPage", "greeting"), ("RequestPage", "remark")}


class Hasty(Phone):
    """The agent's phone with less patience: what does not come at once does not come in these worlds."""

    def expect(
        self,
        *names: ScreenName,
        what: str,
        within_s: float = 8.0,
        test: Callable[[Screen], bool] = lambda _: True,
        glance: Callable[[Screen], None] = lambda _: None,
    ) -> Screen:
        return super().expect(*names, what=what, within_s=min(within_s, 1.0), test=test, glance=glance)

    def rest(self, seconds: float) -> None:
        super().rest(min(seconds, 0.1))


@dataclass
class Scene:
    """One virtual phone, the agent's hand on it, and what was typed where."""

    hands: Handsets
    virtual: VirtualPhone
    phone: Phone
    typed: list[tuple[str, str, str]] = field(default_factory=list)
    used: int = 0

    @property
    def app(self) -> WeChat:
        app = self.virtual.handset.app
        assert isinstance(app, WeChat)
        return app

    def next_person(self) -> str:
        self.used += 1
        return f"138{self.used:08}"

    def add(self, query: str) -> Ended | AgentError:
        """Try to add a person; return how it ended."""
        wanted = FriendAdd(query=query, query_kind="mobile", greeting=GREETING, remark=REMARK)
        try:
            return add_friend(self.phone, wanted, commit_of(self.phone))
        except AgentError as error:
            return error

    def asked(self, query: str) -> int:
        return self.hands.requests(self.virtual).get(query, 0)

    def taps(self) -> int:
        return int(self.hands.farm.do(lambda: self.virtual.handset.counters["tap"]))

    def dumps(self) -> int:
        return int(self.hands.farm.do(lambda: self.virtual.handset.traps.dumps))

    def clear(self) -> None:
        """Let a person close what stands in the way, and forget earlier requests: lists stay short."""

        def close() -> None:
            self.app.stage.dialogs.clear()
            self.app.stage.start_over("home")
            self.app.stage.take_lag()
            self.app.account.requests.clear()

        self.virtual.clear_traps()
        self.hands.farm.do(close)

    def check(self, query: str, ended: Ended | AgentError, what: str) -> None:
        """Check by the world's own count that nothing was tapped or typed but what was asked for."""
        truth = self.hands.truth(self.virtual)
        others = {row["query"] for row in truth["requests"]} - {f"138{n:08}" for n in range(1, self.used + 1)}
        assert not others, what
        assert all(row["count"] == 1 for row in truth["requests"]), what
        for name in ("agreed", "added", "sent", "likes"):
            assert truth[name] == [], (what, name)
        assert {(page, name) for page, name, _ in self.typed} <= MAY_TYPE, what
        searched = {text for page, _, text in self.typed if page == "AddFriendSearch"}
        assert searched <= {f"138{n:08}" for n in range(1, self.used + 1)}, what
        sent = self.asked(query)
        if isinstance(ended, Ended) and ended.result is not Result.UNKNOWN:
            assert sent == (ended.outcome == "requested"), (what, ended)
            if sent:
                assert self._greeting(query) == (GREETING, REMARK), what

    def _greeting(self, query: str) -> tuple[str, str]:
        def read() -> tuple[str, str]:
            account = self.app.account
            request = account.request_with(query, is_incoming=False)
            assert request is not None
            return request.greeting, account.remarks[query]

        found: tuple[str, str] = self.hands.farm.do(read)
        return found


def hasty(hands: Handsets, virtual: VirtualPhone) -> Phone:
    """Return an impatient phone over a virtual one."""
    hands.connect(virtual)
    driver = Driver(virtual.address, adb_host="127.0.0.1", adb_port=hands.adb.port)
    phone = Hasty(driver)
    hands.stack.callback(phone.close)
    return phone


@pytest.fixture
def scene(one_adb: AdbServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    yield from staged(one_adb, monkeypatch, WORLD)


def staged(
    adb: AdbServer, monkeypatch: pytest.MonkeyPatch, world: str, *, home_limit_s: float = 1.5
) -> Iterator[Scene]:
    monkeypatch.setattr("agent.phone.HOME_LIMIT_S", home_limit_s)
    with handsets(parse_scenario(world), adb, time_scale=0.01) as hands:
        virtual = hands.farm.phones[0]
        made = Scene(hands, virtual, hasty(hands, virtual))
        set_text = made.app.set_text

        def noted(node: Any, text: str) -> bool:
            made.typed.append((type(made.app.stage.page).__name__, node.arg, text))
            return set_text(node, text)

        monkeypatch.setattr(made.app, "set_text", noted)
        yield made


# -- what comes between a look and a tap

TRAPS = {
    "update_dialog": {},
    "permission_dialog": {},
    "system_permission": {},
    "list_moves": {},
    "other_page": {},
    "half_pages": {"dumps": 2},
    "empty_tree": {"dumps": 6},
    "scrambled_tree": {"dumps": 6},
    "nonsense_tree": {"dumps": 6},
}
# Each trap strikes after every n-th look of an add, each at another remainder; together they hit all of them.
STRIDE = 9


def test_another_profile_in_the_place_of_the_right_one_is_asked_for_nothing(scene: Scene) -> None:
    """From the first sight of the right profile on; what comes before that sight nobody could tell."""
    told: list[str] = []
    # How many looks come before the profile differs by a few with the machine.
    for step in (*range(21, 29), *range(21, 29), *range(21, 29), *range(21, 29)):
        if any("another profile" in one for one in told):
            break
        scene.clear()
        query = scene.next_person()
        scene.virtual.trap("other_page", after_dumps=step)
        ended = scene.add(query)
        scene.check(query, ended, f"another profile after {step} looks")
        told.append(str(ended) if isinstance(ended, AgentError) else ended.outcome)
    assert any("another profile" in one for one in told), told


@pytest.mark.parametrize(("n", "trap"), list(enumerate(TRAPS)))
def test_whatever_comes_between_two_looks_leads_to_no_wrong_tap(scene: Scene, n: int, trap: str) -> None:
    first = scene.next_person()
    before = scene.dumps()
    ended = scene.add(first)
    assert isinstance(ended, Ended)
    assert ended.outcome == "requested"
    looks = scene.dumps() - before
    assert looks > 15
    for step in range(1 + n % STRIDE, looks + 1, STRIDE):
        scene.clear()
        query = scene.next_person()
        what = f"{trap} after {step} of {looks} looks"
        scene.virtual.trap(trap, after_dumps=step, **TRAPS[trap])
        ended = scene.add(query)
        scene.check(query, ended, what)
        scene.clear()
        if not scene.asked(query):
            again = scene.add(query)
            assert isinstance(again, Ended), (what, again)
            assert again.outcome == "requested", what
            scene.check(query, again, what)


def test_another_persons_page_that_comes_while_a_task_is_armed_is_not_asked(scene: Scene) -> None:
    query = scene.next_person()
    wanted = FriendAdd(query=query, query_kind="mobile", greeting=GREETING, remark=REMARK)

    def arm() -> None:
        scene.virtual.trap("other_page")

    ended = add_friend(scene.phone, wanted, commit_of(scene.phone, arm=arm))
    assert (ended.result, ended.outcome) == (Result.NOT_DONE, "not_sent")
    assert scene.hands.requests(scene.virtual) == {}
    scene.check(query, ended, "another person's page while arming")


def test_a_title_that_the_window_claims_is_no_proof(
    one_adb: AdbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scene in staged(one_adb, monkeypatch, f"[client]\nstale_desc = true\n{WORLD}"):
        query = scene.next_person()
        ended = scene.add(query)
        assert isinstance(ended, Ended)
        assert ended.outcome == "requested"
        scene.check(query, ended, "stale description")


# -- clients that are not read at all

REFUSED = {
    "all ids are new": ('version_name = "8.0.99"\nversion_code = 2999', UnknownVersion, "unknown_version"),
    "a build of Google's store": ('installer = "com.android.vending"', UnknownVersion, "unknown_version"),
    "a version without dots": ('version_name = "9"', UnknownVersion, "unknown_version"),
    "english": ('language = "en"', WrongLanguage, "language"),
    "empty": ('traps = [{ name = "empty_tree" }]', Unreadable, "empty"),
    "scrambled": ('traps = [{ name = "scrambled_tree" }]', Unreadable, "scrambled"),
    "nonsense": ('traps = [{ name = "nonsense_tree" }]', NotRecognised, "not_recognised"),
    "asked by Android": ('traps = [{ name = "system_permission" }]', InTheWay, "unexpected_dialog"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_client_that_is_not_read_is_named_and_not_touched(
    one_adb: AdbServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    client, error, cause = REFUSED[name]
    for scene in staged(one_adb, monkeypatch, f"[client]\n{client}\n{WORLD}", home_limit_s=4.0):
        if "trap" in client:
            scene.virtual.trap(client.split('"')[1], dumps=None)
        query = scene.next_person()
        ended = scene.add(query)
        assert isinstance(ended, error)
        assert blindness(ended).cause == cause
        assert scene.taps() == 0
        assert not scene.typed
        scene.check(query, ended, name)
        if "trap" in client:
            scene.clear()
            again = scene.add(query)
            assert isinstance(again, Ended), again
            assert again.outcome == "requested"


def test_words_and_order_are_enough_where_no_id_is_known(scene: Scene) -> None:
    query = scene.next_person()
    table = scene.phone.table()
    with scene.phone.client.reading_by(without_ids(table)):
        assert not scene.phone.table().ids
        ended = scene.add(query)
    assert isinstance(ended, Ended)
    assert ended.outcome == "requested"
    scene.check(query, ended, "no ids")


# -- reading chats


@pytest.mark.parametrize("trap", ["list_moves", "half_pages", "update_dialog", "system_permission"])
def test_chats_are_read_under_their_own_names_whatever_comes(scene: Scene, trap: str) -> None:
    said = {f"朋友{n}": f"friend{n}" for n in (1, 2, 3)}
    for step in range(1, 12, 3):
        scene.clear()
        for key in said.values():
            scene.hands.farm.say(scene.virtual.account_id, key, f"{key} 第{step}句")
        scene.virtual.trap(trap, after_dumps=step, **TRAPS[trap])
        read: dict[str, list[str]] = {}
        # As the agent's book does: a chat that was opened bears no badge any more, and stays due.
        due: dict[str, ChatRow] = {}
        for _ in range(2):
            with suppress(AgentError):
                due |= {row.title: row for row in unread_rows(scene.phone)}
                for row in list(due.values()):
                    found = read_chat(scene.phone, row, lambda _key: Tail(0, ()))
                    read.setdefault(found.title, []).extend(one.bubble.text for one in found.new)
                    due.pop(found.title, None)
            scene.clear()
        for title, texts in read.items():
            foreign = [key for name, key in said.items() if name != title]
            assert not [text for text in texts if text.startswith(tuple(foreign))], (trap, step)
        assert set(read) >= set(said), (trap, step)
        scene.check("", NotRecognised(), f"{trap} after {step} looks")
