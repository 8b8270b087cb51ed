"""The part of the store's contract that takes events in many at a time, and finds messages by their text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from controller.model import AccountId, PhoneId
from controller.records import ChatRemoval, CoverageSpan, Message, MessageChange
from protos.facts import MessageSeen
from protos.wire import MessageRow

# A span of coverage in the store is at most this long, so that what lies over a moment is found near it.
LONGEST_SPAN_MS = 3_600_000


# The next three are tuples, not dataclasses: a store writes them as they are, ten thousands a second.
class NewEvent(NamedTuple):
    """An event on its way into the archive; the same fields as those of controller.records.StoredEvent."""

    phone_id: str
    spool_id: str
    seq: int
    kind: str
    body: bytes | None
    body_hash: bytes
    cause: str
    phone_epoch: int
    at_ms: int
    archived_at_ms: int


class NewMessage(NamedTuple):
    """A message on its way into the archive, as its row has it: `seq` of `spool_id` brought it."""

    conversation_id: int
    spool_id: str
    seq: int
    position: int  # within the chat, not within the spool
    side: str
    kind: str
    text: str
    time_label: str
    ambiguous: int
    read_at_ms: int
    archived_at_ms: int
    sender: str
    shown_from_ms: int
    shown_to_ms: int
    amount_fen: int
    state: str
    length_s: int
    detail: str
    fragment: int
    media_sha256: str
    grams: str  # see controller.grams; empty: it is not found by search

    @classmethod
    def of(
        cls,
        conversation_id: int,
        position: int,
        spool_id: str,
        seq: int,
        seen: MessageSeen,
        read_at_ms: int,
        archived_at_ms: int,
        grams: str,
    ) -> NewMessage:
        """Return a message that was seen, at a position of its chat."""
        return cls(
            conversation_id,
            spool_id,
            seq,
            position,
            seen.side,
            seen.kind,
            seen.text,
            seen.time_label,
            int(seen.ambiguous),
            read_at_ms,
            archived_at_ms,
            seen.sender,
            seen.shown_from_ms,
            seen.shown_to_ms,
            seen.amount_fen,
            seen.state,
            seen.length_s,
            seen.detail,
            int(seen.fragment),
            seen.media_sha256,
            grams,
        )

    @classmethod
    def of_row(
        cls,
        conversation_id: int,
        base: int,
        spool_id: str,
        seq: int,
        row: MessageRow,
        archived_at_ms: int,
        grams: str,
    ) -> NewMessage:
        """Return the message of a row whose positions begin at `base` in its chat."""
        # Not cls(...): field by field each message takes three times as long.
        told: tuple[Any, ...] = row
        values = (
            *(conversation_id, spool_id, seq, base + row.position, *told[_ROW_TEXTS], int(row.ambiguous)),
            *(row.at_ms, archived_at_ms, *told[_ROW_FACTS], int(row.fragment), row.media_sha256, grams),
        )
        return tuple.__new__(cls, values)


# What stands in a row in the same order as in a new message; a test proves it.
_ROW_TEXTS = slice(MessageRow._fields.index("side"), MessageRow._fields.index("ambiguous"))
_ROW_FACTS = slice(MessageRow._fields.index("sender"), MessageRow._fields.index("fragment"))


class ChatSaid(NamedTuple):
    """What was said of a chat last."""

    account_id: AccountId
    phone_id: PhoneId
    key: str
    title: str
    kind: str


class NewViolation(NamedTuple):
    """A violation on its way into the store; see controller.records.Violation for the fields."""

    kind: str
    rule_id: str
    entry_id: str
    word: str
    category: str
    severity: str
    how: str
    detail: str
    book_version: int
    phone_id: PhoneId
    account_id: AccountId
    holder: str
    side: str
    start: int
    end: int
    origin: str
    dedupe_key: str  # the same finding twice is one row
    notify: bool
    at_ms: int
    found_at_ms: int
    message_id: int | None = None
    conversation_id: int | None = None


class IngestRows(Protocol):
    """Rows of a whole group of batches, read and written with few statements."""

    def expect_batches(self, phone_ids: Sequence[PhoneId]) -> None:
        """Lock phones and their accounts, and learn their rules, at once where one by one takes longer.

        Each of the verbs that asks for one of these then knows it, once.
        """

    def conversations_for(self, chats: Sequence[ChatSaid]) -> list[int]:
        """Return the ids of chats, each another one, made if new; locks. They are called as given then."""

    def bases_in(self, conversation_ids: Sequence[int], spool_id: str) -> dict[int, list[tuple[int, int]]]:
        """Return from which of its positions on a spool begins where in chats; without those it is not in."""

    def place_bases(self, conversation_ids: Sequence[int], spool_id: str) -> dict[int, tuple[int, bool]]:
        """Place a new spool behind the messages of chats; returns where, and whether others are before it."""

    def put_high_waters(self, reached: Mapping[tuple[PhoneId, str], int]) -> None:
        """Keep the highest contiguous seq archived of spools, by phone and spool."""

    def put_events(self, events: Iterable[NewEvent]) -> None:
        """Archive events whose places the caller knows to be free, because it holds their spools."""

    def put_messages(self, messages: Sequence[NewMessage]) -> list[int]:
        """Archive messages that no event brought before, count and index them; returns their ids, rising."""


class ChatRows(Protocol):
    """What is known of chats beside their messages, and the way to messages by what they say."""

    def index_message(self, message_id: int, grams: str) -> None:
        """Let a message be found by further grams, as those of a transcript; see controller.grams."""

    def search(
        self,
        grams: Sequence[str],
        *,
        phone_id: PhoneId | None = None,
        account_id: AccountId | None = None,
        conversation_id: int | None = None,
        before_id: int | None = None,
        limit: int,
    ) -> list[int]:
        """Return ids of messages below `before_id` that have all grams, or the rarest of them, newest first.

        They may contain the text that was asked for; the caller looks. Empty without grams.
        """

    def messages_by_id(self, message_ids: Sequence[int]) -> list[Message]:
        """Return those of these messages that are there, in the order asked for."""

    def add_change(self, change: MessageChange, *, spool_id: str, seq: int) -> int | None:
        """Keep what a message showed later (its id is ignored); returns the message's id if it is archived.

        The position is one of this spool's; a message that comes later finds its change when it is read.
        """

    def add_removal(self, removal: ChatRemoval) -> None:
        """Keep that a chat, or what stood in it, was gone from its phone (its id is ignored)."""

    def removals(self, conversation_id: int) -> list[ChatRemoval]:
        """Return when a chat was found gone or cleared, in order."""

    def add_coverage(self, span: CoverageSpan) -> None:
        """Keep how a phone was watched (its id is ignored), as far as no span covers that time yet."""
