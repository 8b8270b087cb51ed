"""The part of the store's contract that rules need: what stood before, what they counted, who waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from controller.model import AccountId, PhoneId
from controller.store.base_ingest import NewViolation


class Stood(NamedTuple):
    """A message that stands in a chat already, as far as rules look at it."""

    message_id: int
    conversation_id: int
    position: int
    side: str
    kind: str
    text: str
    detail: str
    sender: str
    read_at_ms: int
    shown_from_ms: int
    shown_to_ms: int


class Alike(NamedTuple):
    """A new violation that others may be counted with instead of being one of their own."""

    violation_id: int
    rule_id: str
    entry_id: str
    conversation_id: int
    start: int
    text: str
    message_id: int
    said_ms: int


class Waiting(NamedTuple):
    """A customer's message that was not answered yet, or so late that it is to be judged.

    `since_ms`: by then it was said at the latest; `answered_ms`: before that nobody answered, 0: nobody did.
    """

    message_id: int
    conversation_id: int
    phone_id: PhoneId
    account_id: AccountId
    holder: str
    since_ms: int
    answered_ms: int
    judge_ms: int  # when it is to be looked at


class RuleRows(Protocol):
    """What rules find, and what they have to remember for it."""

    def put_violations(self, rows: Sequence[tuple[NewViolation, int]], *, are_new: bool = False) -> None:
        """Keep violations, each with how often it was found again; one whose key is there already is not.

        With `are_new` the caller knows that no key is.
        """

    def known_keys(self, keys: Sequence[str]) -> set[str]:
        """Return those of these dedupe keys of which there is a violation."""

    def alike(self, conversation_ids: Sequence[int], *, since_ms: int) -> list[Alike]:
        """Return the violations of words read in chats since then that wait for a decision, in order."""

    def add_repeats(self, violation_id: int, how_many: int) -> bool:
        """Count further findings with a violation; False if somebody decided on it meanwhile."""

    def lines_before(self, places: Sequence[tuple[int, int, int]]) -> list[Stood]:
        """Return what stands up to so many positions before places: (chat, position, so many), in order."""

    def first_read_ms(self, conversation_id: int) -> int:
        """Return when the first message of a chat was read; 0 if there is none."""

    def lock_marks(self, rule_id: str, subject: str) -> None:
        """Let no other transaction count for a rule and a subject; locks."""

    def add_mark(self, rule_id: str, subject: str, at_ms: int, message_id: int) -> None:
        """Keep that a rule counted something."""

    def count_marks(self, rule_id: str, subject: str, *, after_ms: int, until_ms: int) -> int:
        """Return how many marks lie within a time, its end included."""

    def clear_marks(self, rule_id: str, subject: str, *, until_ms: int) -> None:
        """Drop the marks up to a moment."""

    def waiting_in(self, conversation_ids: Sequence[int]) -> list[Waiting]:
        """Return the messages of these chats that nobody has answered yet; at most one a chat."""

    def put_waiting(self, waiting: Sequence[Waiting]) -> None:
        """Keep messages that wait, or how they stand now."""

    def drop_waiting(self, message_ids: Sequence[int]) -> None:
        """Forget messages that wait no longer."""

    def waiting_to_judge(self, now_ms: int, *, limit: int) -> list[Waiting]:
        """Return the messages to look at now, the longest due first; locks, those of others are left out."""

    def covered_until(self, account_id: AccountId) -> int:
        """Return until when it is known how an account was watched; 0: nothing is."""
