"""The world behind the virtual phones: accounts, people, requests, chats, moments, moved by a clock."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.model import FriendAddOutcome
from agent.virtual import scenario as plan
from agent.virtual import talking
from agent.virtual.accounts import Account, FriendRequest, RequestState
from agent.virtual.genesis import populate
from agent.virtual.notices import Moment, Notice, Notices, Surface
from agent.virtual.people import OUTCOME, Person, Trait, plain_query
from agent.virtual.plannedtalk import EVERYBODY
from agent.virtual.talk import REFUSALS, Chat, Line, Post
from agent.virtual.truth import Truth


class Answer(StrEnum):
    """What the platform answers to a search or an add."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    ABNORMAL = "abnormal"
    WECOM = "wecom"
    WARNED = "warned"
    ASK = "ask"  # a request must be written
    SENT = "sent"
    ADDED = "added"
    BLOCKED = "blocked"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAnswer:
    """The platform's answer to a search; `notice` stands in place of a result."""

    answer: Answer
    person: Person | None = None
    notice: Notice | None = None


class World:
    """All state the phones share. Not thread-safe: one loop owns it."""

    def __init__(
        self,
        scenario: plan.Scenario,
        clock: Callable[[], int],
        seed: int = 0,
        *,
        count: int | None = None,
        time_scale: float = 1.0,
    ) -> None:
        self.clock = clock
        self.start_ms = clock()
        self.time_scale = time_scale
        self.rng = random.Random(seed)
        self.truth = Truth()
        self.notices = Notices(self.truth, clock, time_scale)
        self.accounts: dict[str, Account] = {}
        self.people: dict[str, Person] = {}
        self.posts: list[Post] = []
        self.on_schedule: Callable[[], None] | None = None  # told when an earlier step became due
        self._by_query: dict[str, Person] = {}
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._n = 0
        populate(self, scenario, count)
        self.expected = self._expected()
        self.expected_by_account = self._exceptions()

    # -- time

    def at(self, at_s: float) -> int:
        """Return the wall time of a second of the scenario."""
        return self.start_ms + round(at_s * 1000 * self.time_scale)

    def schedule(self, due_ms: int, act: Callable[[], None]) -> None:
        """Do something at a time of `clock`."""
        self._n += 1
        heapq.heappush(self._due, (due_ms, self._n, act))
        if self.on_schedule is not None and self._due[0][1] == self._n:
            self.on_schedule()

    def next_due_ms(self) -> int | None:
        """Return when `step` has something to do, None if never."""
        return self._due[0][0] if self._due else None

    def step(self, now_ms: int) -> None:
        """Let everything happen that is due."""
        while self._due and self._due[0][0] <= now_ms:
            heapq.heappop(self._due)[2]()

    # -- people

    def meet(self, person: Person) -> None:
        """Make a person known under mobile and WeChat id."""
        self.people[person.key] = person
        for name in (person.mobile, person.wechat_id):
            if name:
                self._by_query[plain_query(name)] = person

    def find(self, query: str) -> Person | None:
        """Return who has this mobile or WeChat id."""
        return self._by_query.get(plain_query(query))

    def person(self, query: str) -> Person:
        """Return who has this mobile or WeChat id; KeyError if nobody has."""
        return self._by_query[plain_query(query)]

    def name_for(self, account: Account, key: str) -> str:
        """Return how an account names a person: the remark, else the nickname."""
        return account.friends.get(key) or self.people[key].nickname

    # -- adding friends

    def search(self, account: Account, query: str) -> SearchAnswer:
        """Answer a search for a person."""
        self.truth.of(account.account_id).searches += 1
        stops, _ = self.notices.meet(account, Moment.SEARCH)
        if stops:
            text = next((one for one in stops if one.surface is Surface.TEXT), None)
            return SearchAnswer(answer=Answer.WARNED, notice=text)
        person = self.find(query)
        if person is None or person.trait is Trait.NOT_FOUND:
            return SearchAnswer(answer=Answer.NOT_FOUND)
        if person.trait is Trait.ABNORMAL:
            return SearchAnswer(answer=Answer.ABNORMAL)
        is_choice = person.trait is Trait.WECOM and person.key not in account.friends
        return SearchAnswer(answer=Answer.WECOM if is_choice else Answer.FOUND, person=person)

    def shows_dialog(self, account: Account) -> bool:
        """Tell whether "not found" comes as a dialog this time."""
        form = account.client.not_found_as
        return form == "dialog" or (form == "mixed" and self.rng.random() < 0.5)

    def begin_add(self, account: Account, person: Person) -> Answer:
        """Answer a tap on the add button of a profile; people without verification become friends by it."""
        if self.notices.is_warned_off(account, Moment.ADD):
            return Answer.WARNED
        if person.trait is Trait.BLOCKS:
            return Answer.BLOCKED
        if person.trait is Trait.CANNOT_BE_ADDED:
            return Answer.REFUSED
        if person.trait is not Trait.OPEN:
            return Answer.ASK
        if not account.may_request():
            return self._over_limit(account)
        self.truth.added(account.account_id, person.key, person.mobile or person.wechat_id, self.clock())
        self._count_request(account)
        self.befriend(account, person, f"你已添加了{person.nickname}，现在可以开始聊天了。")
        return Answer.ADDED

    def send_request(
        self, account: Account, person: Person, greeting: str, remark: str, tags: Sequence[str] = ()
    ) -> Answer:
        """Send a friend request, unless the platform's limit is reached; each call that sends counts."""
        if self.notices.is_warned_off(account, Moment.SEND):
            return Answer.WARNED
        if not account.may_request():
            return self._over_limit(account)
        now_ms = self.clock()
        self.truth.requested(account.account_id, person.key, person.mobile or person.wechat_id, now_ms)
        account.remarks[person.key] = remark
        account.put_tags(person.key, tags)
        earlier = account.request_with(person.key, is_incoming=False)
        if earlier is not None:
            account.requests.remove(earlier)
        account.requests.insert(
            0,
            FriendRequest(
                person=person.key, name=person.nickname, is_incoming=False, greeting=greeting, at_ms=now_ms
            ),
        )
        if earlier is None and person.accepts_after_s is not None:
            due_ms = now_ms + round(person.accepts_after_s * 1000 * self.time_scale)
            self.schedule(due_ms, lambda: self.accept_by_person(account, person))
        self._count_request(account)
        return Answer.SENT

    def accept_by_person(self, account: Account, person: Person) -> None:
        """The person accepts the account's request."""
        if person.key not in account.friends:
            self.befriend(account, person, "我通过了你的朋友验证请求，现在我们可以开始聊天了")

    def accept_by_account(
        self, account: Account, person: Person, remark: str, tags: Sequence[str] = ()
    ) -> Answer:
        """The account accepts the person's request; REFUSED if it expired."""
        if self.notices.is_warned_off(account, Moment.ACCEPT):
            return Answer.WARNED
        request = account.request_with(person.key, is_incoming=True)
        if request is not None and request.is_stale:
            request.state = RequestState.EXPIRED
            return Answer.REFUSED
        account.remarks[person.key] = remark
        account.put_tags(person.key, tags)
        self.truth.accepted(account.account_id, person.key, self.clock())
        chat = account.chat(person.key, self.name_for(account, person.key))
        if request is not None:
            self.say(account, chat, request.greeting, side="in")
            self._note(account, chat, "以上是打招呼的内容")
        self.befriend(account, person, f"你已添加了{person.nickname}，现在可以开始聊天了。")
        return Answer.ADDED

    def mark(self, account: Account, person: Person, remark: str, tags: Sequence[str]) -> None:
        """Remark and tags of a friend are saved; a remark names the person from now on."""
        account.friends[person.key] = "" if remark == person.nickname else remark
        account.put_tags(person.key, tags)
        account.chat(person.key, "").title = self.name_for(account, person.key)
        self.truth.marked(account.account_id, person.key, remark, tags, self.clock())

    def befriend(self, account: Account, person: Person, words: str) -> None:
        """Make friends; a chat with a system line appears."""
        remark = account.remarks.pop(person.key, "")
        account.friends[person.key] = "" if remark == person.nickname else remark
        for request in account.requests:
            if request.person == person.key:
                request.state = RequestState.ACCEPTED
        chat = account.chat(person.key, self.name_for(account, person.key))
        chat.title = self.name_for(account, person.key)
        self._note(account, chat, words)

    def _note(self, account: Account, chat: Chat, words: str) -> None:
        account.receive(chat, Line(at_ms=self.clock(), side="system", kind="system", text=words))

    def ask(
        self, account: Account, person: Person, greeting: str, *, is_expired: bool, is_stale: bool = False
    ) -> None:
        """A person asks the account to become friends."""
        state = RequestState.EXPIRED if is_expired else RequestState.WAITING
        account.requests.insert(
            0,
            FriendRequest(
                person=person.key,
                name=person.nickname,
                is_incoming=True,
                greeting=greeting or f"我是{person.nickname}",
                at_ms=self.clock(),
                state=state,
                is_stale=is_stale,
            ),
        )

    # -- talking, moments

    def say(
        self, account: Account, chat: Chat, text: str, *, side: str, sender: str = "", **fields: Any
    ) -> Line:
        """A line is written by the peer ("in"), by hand on the phone ("out"), or by nobody ("system")."""
        return talking.write(self, account, chat, text, side=side, sender=sender, **fields)

    def send(self, account: Account, chat: Chat, text: str) -> None:
        """A tap on the send button; a peer that refuses messages answers with a system line."""
        self.truth.tapped(account.account_id)
        stops, rest = self.notices.meet(account, Moment.REPLY)
        if stops:
            self.truth.refused(account.account_id, Moment.REPLY)
            return
        self.truth.sent(account.account_id, chat.key, text, self.clock())
        is_failed = chat.refuses == "failed"
        line = Line(at_ms=self.clock(), side="out", kind="text", text=text, is_failed=is_failed)
        account.receive(chat, line)
        words = REFUSALS.get(chat.refuses, "").format(name=chat.title)
        if words:
            self._note(account, chat, words)
        account.line_chat = chat.key if any(one.surface is Surface.SYSTEM_LINE for one in rest) else ""

    def timeline(self, account: Account) -> list[Post]:
        """Return the posts that an account sees, newest first."""
        seen = [one for one in self.posts if one.is_ad or self._shows(account, one.author)]
        return sorted(seen, key=lambda one: one.at_ms, reverse=True)

    def _shows(self, account: Account, author: str) -> bool:
        if author == account.account_id:
            return True
        return author in account.friends and self.people[author].moments != "closed"

    def author_of(self, account: Account, post: Post) -> str:
        """Return how an account's timeline names who wrote a post."""
        return self.name_for(account, post.author) if post.author in account.friends else post.author_name

    def post(self, author: str, text: str, *, images: int = 0, ago_s: float = 0.0) -> Post:
        """Somebody posts while the farm runs; KeyError if nobody has this mobile or WeChat id."""
        person = self.person(author)
        made = Post(
            post_id=f"post{len(self.posts)}",
            author=person.key,
            author_name=person.nickname,
            text=text,
            at_ms=self.clock() - round(ago_s * 1000),
            images=images,
        )
        self.posts.append(made)
        return made

    def tap_like(self, account: Account, post: Post) -> Answer:
        """Answer a tap on the like of a popup: SENT if it was set or taken back, else nothing changed."""
        if self.notices.is_warned_off(account, Moment.LIKE):
            return Answer.WARNED
        if account.account_id in post.likes:
            self.toggle_like(account, post)
            return Answer.SENT
        author, limit = self.people.get(post.author), account.client.like_limit
        if author is not None and author.moments == "blocked":
            return Answer.BLOCKED
        if account.client.like_warning:
            self.warn(account, account.client.like_warning)
            return Answer.WARNED
        if limit is not None and account.likes_made >= limit:
            return self._over_limit(account)
        self.toggle_like(account, post)
        account.likes_made += 1
        for warn in list(account.warn_later):
            if warn.after_likes is not None and account.likes_made >= warn.after_likes:
                account.warn_later.remove(warn)
                self.notices.script(account, warn)
        return Answer.SENT

    def toggle_like(self, account: Account, post: Post) -> None:
        """Like a post, or take the like back."""
        is_liked = account.account_id in post.likes
        if is_liked:
            del post.likes[account.account_id]
        else:
            post.likes[account.account_id] = account.nickname
        self.truth.liked(account.account_id, post.post_id, post.author, self.clock(), taken_back=is_liked)

    # -- warnings

    def warn(self, account: Account, warning: str, surface: str = Surface.DIALOG, text: str = "") -> None:
        """The platform warns an account; its phone shows that at once, by default in the usual words."""
        self.notices.script(account, plan.Warn(warning=warning, surface=Surface(surface).value, text=text))

    def _over_limit(self, account: Account) -> Answer:
        self.warn(account, "TOO_FREQUENT")
        return Answer.WARNED

    def _count_request(self, account: Account) -> None:
        account.requests_sent += 1
        for warn in list(account.warn_later):
            if warn.after_requests is not None and account.requests_sent >= warn.after_requests:
                account.warn_later.remove(warn)
                self.notices.script(account, warn)

    # -- for tests and the control endpoint

    def chosen(self, accounts: Iterable[str]) -> list[Account]:
        """Return the accounts named; "all" is everyone, names without a phone in this run are left out."""
        wanted: Sequence[str] = tuple(accounts)
        if EVERYBODY in wanted:
            return list(self.accounts.values())
        return [self.accounts[one] for one in wanted if one in self.accounts]

    def _expected(self) -> dict[str, str]:
        """Return the right outcome of a first add by mobile and by WeChat id, for an account without past."""
        return {name: OUTCOME[one.trait] for one in self.people.values() for name in _names(one)}

    def _exceptions(self) -> dict[str, dict[str, str]]:
        """Return the outcomes that differ, per account: friends, and people asked before the start."""
        return {
            account.account_id: {
                name: outcome
                for key, outcome in (
                    *((one.person, FriendAddOutcome.ALREADY_REQUESTED) for one in account.requests),
                    *((key, FriendAddOutcome.ALREADY_FRIEND) for key in account.friends),
                )
                for name in _names(self.people[key])
            }
            for account in self.accounts.values()
            if account.friends or account.requests
        }

    def messages(self) -> list[dict[str, Any]]:
        """Return every line that stands in a chat, per account and chat in order."""
        return talking.messages(self)


def _names(person: Person) -> list[str]:
    return [name for name in (person.mobile, person.wechat_id) if name]
