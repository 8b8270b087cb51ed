"""What the archive holds of chats, violations and screens: frozen values with units in their names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from controller.model import AccountId, PhoneId

RECALLED = "recalled"


class ViolationState(StrEnum):
    """How a violation stands; a new one waits for a person, see controller.verdicts."""

    NEW = "new"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    ESCALATED = "escalated"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One chat of one account, as named on the screen."""

    id: int
    account_id: AccountId
    phone_id: PhoneId
    key: str
    title: str
    kind: str
    messages: int = 0
    last_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChange:
    """What an archived message showed later; the message itself stays as it was read."""

    id: int
    conversation_id: int
    position: int
    what: str  # recalled | state | transcript | unfolded
    line: str  # recalled: the line that stood there instead
    state: str
    text: str  # transcript or unfolded text
    amount_fen: int  # -1: not shown
    at_ms: int
    archived_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A captured chat message with its three times: shown, read by the agent, archived."""

    id: int
    conversation_id: int
    position: int
    side: str
    kind: str
    text: str
    time_label: str
    ambiguous: bool
    read_at_ms: int
    archived_at_ms: int
    sender: str = ""  # group member as shown
    shown_from_ms: int = 0  # half-open interval in which the screen places it; both 0: unknown
    shown_to_ms: int = 0
    amount_fen: int = -1  # -1: not shown
    state: str = ""  # of red packets and transfers, as first read
    length_s: int = -1  # -1: not shown
    detail: str = ""
    fragment: bool = False  # the text was folded: this is its beginning only
    media_sha256: str = ""
    changes: tuple[MessageChange, ...] = ()  # what it showed later, in order

    @property
    def is_recalled(self) -> bool:
        """Tell whether the screen said later that it was recalled."""
        return any(change.what == RECALLED for change in self.changes)

    @property
    def state_now(self) -> str:
        """Return the state that was seen last."""
        return next((change.state for change in reversed(self.changes) if change.state), self.state)

    @property
    def amount_fen_now(self) -> int:
        """Return the amount that was seen last; -1: it was never shown."""
        shown = (change.amount_fen for change in reversed(self.changes) if change.amount_fen >= 0)
        return next(shown, self.amount_fen)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRemoval:
    """A chat was gone from the phone, or what stood in it; seen within from–to."""

    id: int
    conversation_id: int
    phone_id: PhoneId
    account_id: AccountId
    what: str  # cleared | gone | friend_deleted
    last_position: int
    from_ms: int
    to_ms: int
    archived_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageSpan:
    """How a phone's chats were watched for a while; spans of one phone never overlap."""

    id: int
    phone_id: PhoneId
    account_id: AccountId
    from_ms: int
    to_ms: int
    state: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as archived: its exact bytes unless they were dropped, and their hash in any case."""

    phone_id: PhoneId
    spool_id: str
    seq: int
    kind: str
    body: bytes | None
    body_hash: bytes
    cause: str
    phone_epoch: int
    at_ms: int
    archived_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What could not be captured of a conversation, with its cause."""

    id: int
    conversation_id: int
    before_position: int
    cause: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Something that a rule looks for was found; `text` is the whole message, empty if it is about none."""

    id: int
    kind: str = "word"  # word | pattern | behaviour
    rule_id: str = ""
    entry_id: str = ""  # of the lexicon; empty for behaviours
    category: str = ""
    severity: str = "medium"  # low | medium | high | critical
    how: str = ""  # the technique by which a word was written, see controller.words.found
    detail: str = ""  # of behaviours: what was seen, as an amount
    book_version: int = 0  # of the words and rules that found it
    origin: str = "live"  # live | rescan
    repeats: int = 0  # so many further times the same was found and not made a row of its own
    notify: bool = False  # the rule asked to tell somebody
    assignee: str = ""
    appeal: str = ""  # empty | open | upheld | granted
    at_ms: int = 0  # when the message was read, or the behaviour seen
    changed_at_ms: int = 0
    message_id: int | None
    conversation_id: int | None
    phone_id: PhoneId
    account_id: AccountId
    holder: str
    word: str
    start: int
    end: int
    text: str
    side: str
    state: ViolationState
    found_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """A platform warning as archived; `text` holds the platform's words."""

    id: int
    phone_id: PhoneId
    account_id: str
    warning: str
    surface: str
    text: str
    task_id: str
    at_ms: int
    archived_at_ms: int
    activity: str = ""
    picture: str = ""  # file in the evidence folder of the phone's host
    picture_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindScreen:
    """A screen that an agent could not read; the picture stays on the phone's host."""

    id: int
    phone_id: PhoneId
    cause: str
    detail: str
    activity: str
    picture: str
    picture_sha256: str
    at_ms: int
    archived_at_ms: int
