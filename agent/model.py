"""The agent's values: tasks as leased, what came of them, and what the controller allows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """The three ends of a task that was tried."""

    DONE = "done"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"


class FriendAddOutcome(StrEnum):
    """What came of a friend add. docs/overview.md tells which of them belong to which result."""

    REQUESTED = "requested"
    ADDED = "added"  # the peer needs no verification: friends at once
    ALREADY_FRIEND = "already_friend"
    ALREADY_REQUESTED = "already_requested"
    NOT_FOUND = "not_found"
    PEER_ABNORMAL = "peer_abnormal"
    CANNOT_BE_ADDED = "cannot_be_added"
    BLOCKED_BY_PEER = "blocked_by_peer"
    WECOM_USER = "wecom_user"
    WARNED = "warned"
    UNEXPECTED_DIALOG = "unexpected_dialog"
    SCREEN_UNREADABLE = "screen_unreadable"
    ANSWER_LOST = "answer_lost"
    NOT_SENT = "not_sent"  # armed, and a later look proved that no request went out


class LikeOutcome(StrEnum):
    """What came of a like."""

    LIKED = "liked"
    ALREADY_LIKED = "already_liked"  # by us or by hand; a second tap would take it back
    NO_POST = "no_post"  # none young enough, or none that is not known already
    MOMENTS_CLOSED = "moments_closed"  # the contact shows no moments to this account
    BLOCKED_BY_PEER = "blocked_by_peer"  # the contact sees to it that this account cannot like
    UNEXPECTED_DIALOG = "unexpected_dialog"
    SCREEN_UNREADABLE = "screen_unreadable"
    ANSWER_LOST = "answer_lost"
    NOT_SENT = "not_sent"  # armed, and a later look proved that no like was made


class AcceptOutcome(StrEnum):
    """What came of accepting a request."""

    ACCEPTED = "accepted_by_us"
    ALREADY_FRIEND = "already_friend"
    EXPIRED = "expired"
    NO_REQUEST = "no_request"


class ReplyOutcome(StrEnum):
    """What came of a first reply."""

    SAID = "said"
    ALREADY_SAID = "already_said"  # something of ours stands in the chat
    NOT_FRIENDS = "not_friends"
    REJECTED = "rejected_by_peer"
    NO_CHAT = "no_chat"


class MarkOutcome(StrEnum):
    """What came of a remark and tags."""

    MARKED = "marked"
    ALREADY_MARKED = "already_marked"
    NO_CONTACT = "no_contact"
    AMBIGUOUS = "ambiguous"  # several contacts bear this name


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendAdd:
    """Add a person found by mobile or WeChat id, with a greeting, a remark and tags."""

    query: str
    query_kind: str  # mobile | wechat_id
    greeting: str
    remark: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentsLike:
    """Like the newest post of a contact that is young enough and not among those known."""

    peer_name: str
    max_age_days: int
    known_posts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendAccept:
    """Accept the request of a person who asked this account."""

    peer_name: str
    remark: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstReply:
    """Say one text in the chat of a new friend in which nothing of ours stands yet."""

    peer_name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMark:
    """Give a contact a remark (empty: as it is) and further tags."""

    peer_name: str
    remark: str = ""
    tags: tuple[str, ...] = ()


Action = FriendAdd | MomentsLike | FriendAccept | FirstReply | ContactMark


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedTask:
    """One action in this agent's hands until `until_boot_ms` of this host's CLOCK_BOOTTIME."""

    task_id: str
    job_id: str
    attempt: int
    permit_id: str
    phone_epoch: int
    until_boot_ms: int
    boot_id: str
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a task ended. `evidence` holds the client's fixed words only; `peer_name` is private text."""

    result: Result
    outcome: str
    evidence: str = ""
    peer_name: str = ""
    object_key: str = ""  # what was acted on, as a digest: of a like the post
    picture: str = ""  # file in the evidence folder
    picture_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedTable:
    """Ids of one build of the client that a person accepted: pairs of role and id."""

    version_name: str
    version_code: int
    installer: str
    base: str
    ids: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Part of a week in minutes from Monday 00:00 by the local clock, half-open."""

    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the controller allows on this phone now."""

    capture_allowed: bool = False
    unattended: bool = False
    account_id: str = ""
    sweep_pause_ms: int = 5_000
    assist: bool = False  # prepare, and let a person make the taps that last
    assist_wait_ms: int = 120_000
    tables: tuple[LearnedTable, ...] = ()
    capture_mode: str = "sweep"  # sweep | passive | off
    capture_windows: tuple[Window, ...] = ()  # when chats may be read; none: always
    sweep_windows: tuple[Window, ...] = ()  # when they may be opened, within the former; none: always
    time_zone: str = "Asia/Shanghai"
    excluded_keys: tuple[str, ...] = ()  # conversations that are never opened and never read
    first_pages: int = 30  # bounds of the first visit of a chat
    first_days: int = 30
    media: str = ""  # "" facts only, "pictures" thumbnails too
    hand_quiet_ms: int = 30_000  # so long a phone is left alone before the agent goes on
    shown_notice: str = ""  # what the phone shows while its chats are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One message or system line as a chat page shows it."""

    side: str  # in | out | system
    kind: str  # MessageKind
    text: str
    time_label: str  # nearest time line above it on the page, "" if none is in sight
    sender: str = ""  # group member as shown
    shown_from_ms: int = 0  # half-open interval in which the screen places it; both 0: unknown
    shown_to_ms: int = 0
    amount_fen: int = -1  # -1 not shown
    state: str = ""
    length_s: int = -1  # -1 not shown
    detail: str = ""
    fragment: bool = False  # folded text of which only the beginning was read
    media_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRow:
    """One row of the chat list."""

    title: str
    preview: str
    time_label: str
    unread: int  # 0 none, -1 a red dot without a count
    is_muted: bool
