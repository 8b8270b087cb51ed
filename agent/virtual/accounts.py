"""Accounts of the virtual world: what one work account has in its WeChat."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from agent.virtual.notices import Notice
from agent.virtual.scenario import Client, Warn
from agent.virtual.talk import Chat, Line


class RequestState(StrEnum):
    """What the list of new friends says of a request."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    EXPIRED = "expired"


@dataclass(slots=True, kw_only=True, eq=False)
class FriendRequest:
    """A friend request between this account and a person."""

    person: str
    name: str
    is_incoming: bool
    greeting: str
    at_ms: int
    state: RequestState = RequestState.WAITING
    is_stale: bool = False  # the platform knows that it expired, the client does not


@dataclass(slots=True, kw_only=True, eq=False)
class Account:
    """One work account, signed in on one virtual phone."""

    account_id: str
    nickname: str
    serial: str
    client: Client
    friends: dict[str, str] = field(default_factory=dict)  # person key -> remark
    remarks: dict[str, str] = field(default_factory=dict)  # person key -> remark typed into a request
    tags: list[str] = field(default_factory=list)  # all there are, in the order in which they were made
    tagged: dict[str, tuple[str, ...]] = field(default_factory=dict)  # person key -> tags
    chats: dict[str, Chat] = field(default_factory=dict)
    requests: list[FriendRequest] = field(default_factory=list)
    notices: deque[Notice] = field(default_factory=deque)
    banner: Notice | None = None  # stands on every page
    line_chat: str = ""  # where the next grey line of the platform stands, "" = with 微信团队
    calmed: int = 0  # how often all warnings were called off
    warn_later: list[Warn] = field(default_factory=list)  # those that come after a number of requests
    requests_sent: int = 0
    likes_made: int = 0
    is_logged_out: bool = False
    open_chat: str = ""  # the chat on the client's page: its lines are read at once
    is_in_front: Callable[[], bool] = lambda: True  # whether the client is what the phone shows

    def chats_in_order(self) -> list[Chat]:
        """Return the chats that the list shows, newest first."""
        shown = [chat for chat in self.chats.values() if chat.is_listed]
        return sorted(shown, key=lambda chat: chat.last_ms, reverse=True)

    def chat(self, key: str, title: str) -> Chat:
        """Return the private chat with a person, made if there is none."""
        return self.chats.setdefault(key, Chat(key=key, title=title))

    def put_tags(self, person: str, tags: Sequence[str]) -> None:
        """Give a person these tags and no others; new ones are made."""
        self.tags += [tag for tag in dict.fromkeys(tags) if tag not in self.tags]
        self.tagged[person] = tuple(dict.fromkeys(tags))

    def receive(self, chat: Chat, line: Line) -> Line:
        """A line arrives and is returned as kept; it is unread unless its chat is in front."""
        line = chat.add(line)
        if line.side != "out" and not (self.open_chat == chat.key and self.is_in_front()):
            chat.unread += 1
        return line

    def request_with(self, person: str, *, is_incoming: bool) -> FriendRequest | None:
        """Return the request from or to a person, None if there is none."""
        return next(
            (one for one in self.requests if one.person == person and one.is_incoming == is_incoming), None
        )

    def unread(self) -> int:
        """Return the number on the first tab; muted chats do not count."""
        return sum(chat.unread for chat in self.chats.values() if not chat.muted)

    def may_request(self) -> bool:
        """Tell whether one more friend request is within the platform's limit."""
        limit = self.client.request_limit
        return limit is None or self.requests_sent < limit
