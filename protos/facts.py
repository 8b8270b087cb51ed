"""Facts in the past tense and the words both sides use for phones: plain values; wire.py seals them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class PhoneState(StrEnum):
    """The closed set of phone states; docs/overview.md says what ends each."""

    ABSENT = "absent"
    UNAUTHORIZED = "unauthorized"
    PREPARING = "preparing"
    READY = "ready"
    BUSY = "busy"
    IN_HAND = "in_hand"
    BLIND = "blind"
    BACKOFF = "backoff"
    NO_NOTICE = "no_notice"
    LOGGED_OUT = "logged_out"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneFacts:
    """What a handset says of itself."""

    serial: str
    slot: str = ""
    host: str = ""
    brand: str = ""
    model: str = ""
    android_version: str = ""
    sdk: int = 0
    wechat_version: str = ""
    wechat_version_code: int = 0
    is_virtual: bool = False
    wechat_installer: str = ""  # package that installed the client


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneStateChanged:
    """The agent saw its phone enter another state."""

    state: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskArmed:
    """The agent durably recorded that an irreversible tap is about to be made."""

    task_id: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnded:
    """A task reached its end; `result` is done, not_done or unknown."""

    task_id: str
    attempt: int
    result: str
    outcome: str
    evidence: str
    was_armed: bool
    peer_name: str
    object_key: str = ""
    picture: str = ""
    picture_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReturned:
    """A task given back before it was armed; its permit is free again."""

    task_id: str
    attempt: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSeen:
    """A chat message was read from the screen."""

    conversation_key: str
    conversation_title: str
    conversation_kind: str
    position: int
    side: str
    kind: str
    text: str
    time_label: str
    ambiguous: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GapSeen:
    """Something of a conversation could not be read."""

    conversation_key: str
    conversation_title: str
    before_position: int
    cause: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformWarned:
    """WeChat warned the account; it rests until a named person lifts that."""

    warning: str
    surface: str
    text: str
    task_id: str
    activity: str = ""
    picture: str = ""
    picture_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenUnknown:
    """The agent could not read the screen and did not tap."""

    activity: str
    cause: str
    detail: str = ""
    picture: str = ""
    picture_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSetAside:
    """An event could not be sent; this stands in its place."""

    seq: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendAccepted:
    """A contact accepted an earlier request."""

    conversation_title: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendRequestSeen:
    """Somebody asks the account to be a friend; `state` is open, accepted or expired."""

    peer_name: str
    greeting: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddObserved:
    """A person was added by hand; `kind` is requested, added or accepted, `how` where that was seen."""

    peer_key: str
    how: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLearned:
    """A candidate for a table of ids: pairs of role and id; `failure` says why there is none."""

    request_id: str
    version_name: str
    version_code: int
    installer: str
    base: str
    ids: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    failure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownFact:
    """A kind of event this release does not know; archived as it came."""


Fact = (
    PhoneStateChanged
    | TaskArmed
    | TaskEnded
    | TaskReturned
    | MessageSeen
    | GapSeen
    | PlatformWarned
    | ScreenUnknown
    | EventSetAside
    | FriendAccepted
    | FriendRequestSeen
    | AddObserved
    | ClientLearned
    | UnknownFact
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact from one phone; `account_id` is the account seen on it, empty if not known."""

    uid: str
    at_ms: int
    phone_epoch: int
    account_id: str
    fact: Fact


def peer_key(account_id: str, shown_name: str) -> str:
    """Return the digest by which a person of an account is known without being named."""
    return hashlib.sha256(f"{account_id}\0{shown_name.strip()}".encode("utf-8", "replace")).hexdigest()[:32]
