"""What scenarios plan for conversations: lines from before the start, and what is said and done later."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

EVERYBODY = "all"  # in place of account ids: every account of the farm
Kind = Literal[
    "text",
    "image",
    "voice",
    "video",
    "file",
    "link",
    "mini_program",
    "location",
    "contact_card",
    "sticker",
    "quote",
    "chat_record",
    "red_packet",
    "transfer",
    "voice_call",
    "video_call",
    "system",
    "other",
]
MoneyState = Literal["", "pending", "opened", "received", "returned", "expired"]
HandWhat = Literal["open", "scroll", "send", "type", "back", "menu", "touch"]


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line written before the start; `ago_s` counts back from it, by default one line a minute.

    The further fields are those of `talk.Line`.
    """

    text: str = ""
    side: Literal["in", "out", "system"] = "in"
    kind: Kind = "text"
    sender: str = ""
    ago_s: float | None = None
    detail: str = ""
    source: str = ""
    length_s: int = -1
    amount_fen: int = -1
    state: MoneyState = ""
    transcript: str = ""
    is_transcribed: bool = False

    def more(self) -> dict[str, Any]:
        """Return the fields that only some kinds have."""
        return {name: getattr(self, name) for name in MORE}


MORE = ("detail", "source", "length_s", "amount_fen", "state", "transcript", "is_transcribed")


class Chat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A conversation that exists from the start; private ones name a person as `peer`."""

    accounts: tuple[str, ...] = (EVERYBODY,)
    kind: Literal["private", "group", "service"] = "private"
    peer: str = ""
    title: str = ""
    members: int = 0
    muted: bool = False
    folded: bool = False  # its row stands on the page of folded chats; only muted groups are folded
    unread: int = 0
    refuses: Literal["", "rejected", "not_friend", "failed"] = ""
    history: int = 0  # so many made-up lines before `lines`
    lines: tuple[Written, ...] = ()


class Say(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody writes while the farm runs: the peer ("in"), the staff member by hand ("out"), or nobody.

    Several texts are written one after another, `every_s` apart; `times` rounds of them (0 = for ever). After
    the texts the `lines` are written in the same way: messages of any kind, their own `ago_s` left out.
    """

    peer: str
    texts: tuple[str, ...] = ()
    lines: tuple[Written, ...] = ()
    accounts: tuple[str, ...] = (EVERYBODY,)
    side: Literal["in", "out", "system"] = "in"
    sender: str = ""
    at_s: float = 0.0
    every_s: float = 5.0
    times: int = 1

    def all_lines(self) -> tuple[Written, ...]:
        """Return what is written in one round."""
        return tuple(Written(text=one, side=self.side, sender=self.sender) for one in self.texts) + self.lines


class Recall(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The `nth_last` message of a chat is taken back by whoever wrote it."""

    peer: str
    nth_last: int = 1
    accounts: tuple[str, ...] = (EVERYBODY,)
    at_s: float = 0.0


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The `nth_last` message of a chat changes its state, or is put into words."""

    peer: str
    state: MoneyState = ""
    is_transcribed: bool = False
    nth_last: int = 1
    accounts: tuple[str, ...] = (EVERYBODY,)
    at_s: float = 0.0


class Remove(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The staff member clears a chat, deletes its row, deletes the friend, or hides the row."""

    peer: str
    what: Literal["clear", "row", "friend", "hide"]
    accounts: tuple[str, ...] = (EVERYBODY,)
    at_s: float = 0.0


class Hand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person takes the phone: `what` is done by touches; see agent.virtual.hand."""

    what: HandWhat
    peer: str = ""  # whose chat is opened
    text: str = ""  # what is typed or sent; the entry of a menu
    share: float = 0.5  # of the list's height that is scrolled; positive = to what is older
    nth_last: int = 1  # whose menu is opened
    accounts: tuple[str, ...] = (EVERYBODY,)
    at_s: float = 0.0
