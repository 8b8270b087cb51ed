"""What the archive holds of chats, violations and screens: frozen values with units in their names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from controller.model import AccountId, PhoneId


class ViolationState(StrEnum):
    """The review of violations is a later step; a new one waits."""

    NEW = "new"


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
class Hit:
    """A sensitive word in a text: text[start:end] of the original is what matched."""

    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A sensitive word was found in a captured message."""

    id: int
    message_id: int
    conversation_id: int
    phone_id: PhoneId
    account_id: AccountId
    holder: str
    word: str
    start: int
    end: int
    text: str
    side: str
    list_version: str
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
