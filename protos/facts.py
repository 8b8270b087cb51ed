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


class MessageKind(StrEnum):
    """The closed set of what a message can be."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"
    LINK = "link"
    MINI_PROGRAM = "mini_program"
    LOCATION = "location"
    CONTACT_CARD = "contact_card"
    STICKER = "sticker"
    QUOTE = "quote"
    CHAT_RECORD = "chat_record"
    RED_PACKET = "red_packet"
    TRANSFER = "transfer"
    VOICE_CALL = "voice_call"
    VIDEO_CALL = "video_call"
    SYSTEM = "system"
    OTHER = "other"


class CoverageState(StrEnum):
    """How well a phone's chats were watched for a while."""

    SEEN = "seen"
    PASSIVE = "passive"
    BLIND = "blind"
    PAUSED = "paused"


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
    sender: str = ""  # group member as shown
    shown_from_ms: int = 0  # half-open interval in which the screen places it; both 0: unknown
    shown_to_ms: int = 0
    amount_fen: int = -1  # of red packets and transfers; -1 not shown
    state: str = ""  # of red packets and transfers
    length_s: int = -1  # of voice, video and calls; -1 not shown
    detail: str = ""
    fragment: bool = False  # the text was folded: this is its beginning only
    media_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChanged:
    """An archived message shows something else now; `what` is recalled, state, transcript or unfolded."""

    conversation_key: str
    position: int
    what: str
    line: str = ""
    state: str = ""
    text: str = ""
    amount_fen: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRemoved:
    """A chat is gone from the phone, or what stood in it; `what` is cleared, gone or friend_deleted."""

    conversation_key: str
    conversation_title: str
    what: str
    last_position: int
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageSeen:
    """What of a span of time was watched: `state` is a CoverageState."""

    from_ms: int
    to_ms: int
    state: str
    cause: str


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
    | MessageChanged
    | ChatRemoved
    | CoverageSeen
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


def conversation_key(title: str, kind: str) -> str:
    """Return what stands for a conversation: the screen shows nothing steadier than its name."""
    digest = hashlib.blake2b(title.encode("utf-8", "replace"), digest_size=12).hexdigest()
    return f"{kind}:{digest}"
