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


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendAdd:
    """Add a person found by mobile or WeChat id, with a greeting and a remark."""

    query: str
    query_kind: str  # mobile | wechat_id
    greeting: str
    remark: str


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
    friend_add: FriendAdd


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a task ended. `evidence` holds the client's fixed words only; `peer_name` is private text."""

    result: Result
    outcome: str
    evidence: str = ""
    peer_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the controller allows on this phone now."""

    capture_allowed: bool = False
    unattended: bool = False
    account_id: str = ""
    sweep_pause_ms: int = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One message or system line as a chat page shows it."""

    side: str  # in | out | system
    kind: str  # text | system | other
    text: str
    time_label: str  # nearest time line above it on the page, "" if none is in sight


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRow:
    """One row of the chat list."""

    title: str
    preview: str
    time_label: str
    unread: int  # 0 none, -1 a red dot without a count
    is_muted: bool
