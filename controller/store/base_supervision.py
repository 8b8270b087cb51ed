"""The part of the store's contract that keeps what the monitor found and what people decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from controller.model import AccountId, PhoneId
from controller.periods import FOREVER_MS
from controller.records import Conversation, Message, Violation, ViolationState
from controller.verdicts import Appeal, Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which violations are wanted, by when they were found and what they are; what is left out is any."""

    since_ms: int = 0
    until_ms: int = FOREVER_MS
    state: ViolationState | None = None
    phone_ids: tuple[PhoneId, ...] = ()
    account_id: AccountId | None = None
    holder: str = ""
    rule_id: str = ""
    entry_id: str = ""
    severity: str = ""
    category: str = ""
    kind: str = ""
    assignee: str | None = None  # "": nobody's
    appeal: str = ""  # open | upheld | granted
    conversation_id: int | None = None


class By(StrEnum):
    """What violations are counted by; the judge gave the verdict that stands, or stood before an appeal."""

    RULE = "rule"
    ENTRY = "entry"
    CATEGORY = "category"
    SEVERITY = "severity"
    HOLDER = "holder"
    JUDGE = "judge"
    ASSIGNEE = "assignee"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Violations found in a half-open time, with ids above one, up to another."""

    since_ms: int
    until_ms: int
    after_id: int
    last_id: int


class Counted(NamedTuple):
    """How many violations of one name stand alike; closed ones have the verdict they had before."""

    name: str
    state: str
    verdict: str  # "" | confirmed | dismissed
    appeal: str
    found: int
    repeats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A stretch of a chat in which nothing was found, drawn for a person to read."""

    id: int
    draw_id: str
    conversation_id: int
    from_message_id: int
    to_message_id: int
    holder: str  # who had the phone then
    drawn_by: str
    drawn_at_ms: int
    verdict: str = ""  # "" | clean | finding
    note: str = ""
    reviewed_by: str = ""
    reviewed_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesWanted:
    """Which samples are wanted; what is left out is any."""

    draw_id: str = ""
    is_open: bool | None = None
    before_id: int | None = field(default=None)


class ViolationRows(Protocol):
    """Violations, and the decisions about them."""

    def violations(self, wanted: Wanted, *, before_id: int | None, limit: int) -> list[Violation]:
        """Return violations below an id, newest first."""

    def violation(self, violation_id: int) -> Violation | None:
        """Return a violation."""

    def violation_by_key(self, dedupe_key: str) -> Violation | None:
        """Return the violation that a finding became."""

    def lock_violations(self, violation_ids: Sequence[int]) -> dict[int, Violation]:
        """Return those of these violations that are there; locks, in the order of their ids."""

    def stand(
        self, violation_id: int, *, state: ViolationState, assignee: str, appeal: Appeal, at_ms: int
    ) -> None:
        """Keep how a violation stands; the caller keeps the decision that says so."""

    def add_decision(self, decision: Decision) -> Decision:
        """Append a decision (its id is ignored) and return it with its id."""

    def decisions(self, violation_ids: Sequence[int]) -> Mapping[int, list[Decision]]:
        """Return all decisions about these violations, oldest first, by violation."""

    def ids_found(self, since_ms: int) -> tuple[int, int]:
        """Return the id of the violation that was found first since a moment, and the last id; 0: none.

        Others found since then may have ids a little below: what several controllers write is not in order.
        """

    def count_by(self, by: By, stretch: Stretch) -> list[Counted]:
        """Return how many violations stand how, by name."""

    def times_to_verdict(self, by: By, stretch: Stretch) -> list[tuple[str, int]]:
        """Return name and milliseconds to the first verdict of the violations that have one."""


class SampleRows(Protocol):
    """Stretches of chats for a person to read."""

    def sample_accounts(self, holders: Sequence[str]) -> list[AccountId]:
        """Return the accounts that ever had a phone, or one of these holders, by name."""

    def quiet_chats(self, account_id: AccountId, since_ms: int) -> list[Conversation]:
        """Return the chats of an account with messages and without a violation since a moment."""

    def count_messages_since(self, conversation_id: int, since_ms: int) -> int:
        """Return how many messages of a chat were read since a moment."""

    def stretch(self, conversation_id: int, *, since_ms: int, skipped: int, limit: int) -> list[Message]:
        """Return messages of a chat read since a moment, in order, after so many of them."""

    def messages_between(self, conversation_id: int, low: int, high: int) -> list[Message]:
        """Return the messages of a chat at positions from one to another, both included, in order."""

    def add_sample(self, sample: Sample) -> Sample:
        """Keep a sample (its id is ignored) and return it with its id."""

    def samples(self, wanted: SamplesWanted, *, limit: int) -> list[Sample]:
        """Return samples, newest first."""

    def lock_sample(self, sample_id: int) -> Sample | None:
        """Return a sample; locks."""

    def save_sample(self, sample: Sample) -> None:
        """Keep what a person said about a sample."""
