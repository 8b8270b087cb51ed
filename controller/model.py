"""The controller's values: frozen, with units in their names, and free of protobuf and SQL."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from protos.facts import PhoneFacts, PhoneState

PhoneId = NewType("PhoneId", str)
AccountId = NewType("AccountId", str)
JobId = NewType("JobId", str)
TaskId = NewType("TaskId", str)
PermitId = NewType("PermitId", str)

UNKNOWN_BATTERY = -1


class TaskState(StrEnum):
    """queued → leased → armed → done | not_done | unknown, plus held, expired and cancelled."""

    QUEUED = "queued"
    HELD = "held"
    LEASED = "leased"
    ARMED = "armed"
    DONE = "done"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def is_ended(self) -> bool:
        """Tell whether nothing more will happen to such a task by machine."""
        return self in _ENDED


_ENDED = frozenset(
    {TaskState.DONE, TaskState.NOT_DONE, TaskState.UNKNOWN, TaskState.EXPIRED, TaskState.CANCELLED}
)


class JobState(StrEnum):
    """A job ends by itself when each of its tasks has ended."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    ENDED = "ended"


class Action(StrEnum):
    """What a task does on a phone; quotas count per account and action."""

    FRIEND_ADD = "friend_add"
    FRIEND_ACCEPT = "friend_accept"
    FIRST_REPLY = "first_reply"
    MOMENTS_LIKE = "moments_like"
    CONTACT_MARK = "contact_mark"


class ActingMode(StrEnum):
    """Who makes the irreversible tap for an account."""

    ASSIST = "assist"
    UNATTENDED = "unattended"


class QueryKind(StrEnum):
    """What is typed into the client's search box."""

    MOBILE = "mobile"
    WECHAT_ID = "wechat_id"
    NAME = "name"  # a contact as the client shows it; for what is done with people who are friends already


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A numbered company handset."""

    phone_id: PhoneId
    facts: PhoneFacts
    state: PhoneState
    cause: str = ""
    rack: str = ""
    holder: str = ""
    account_id: AccountId | None = None
    account_seen: str = ""
    epoch: int = 0
    battery_percent: int = UNKNOWN_BATTERY
    temperature_decicelsius: int = 0
    last_seen_ms: int | None = None
    numbered_at_ms: int = 0
    cooldown_until_ms: int | None = None  # of its account: no earlier end of the rest was meant
    held_since_ms: int = 0  # since when holder and account are these; 0: nobody knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """Who held a phone and which account was bound to it, from a moment on."""

    holder: str
    account_id: AccountId | None
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A handset that reported and has no number yet, or stands on another slot than its number says."""

    facts: PhoneFacts
    account_seen: str
    first_seen_ms: int
    last_seen_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A work account; quotas, rest after a warning and the acting mode belong to it."""

    account_id: AccountId
    mode: ActingMode = ActingMode.ASSIST
    resting_since_ms: int | None = None
    resting_cause: str = ""
    time_zone: str = ""  # IANA name by which its allowed hours are read; empty: the farm's
    first_bound_ms: int | None = None  # when a phone was first bound to it; its age counts from here
    strikes: int = 0  # warnings within a month, as of the last one
    cooldown_until_ms: int | None = None  # the rest itself ends only by a named person
    probation_until_ms: int | None = None  # until then half of each daily limit
    frozen_since_ms: int | None = None
    frozen_cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The record that a holder was told of monitoring."""

    holder: str
    version: str
    how: str
    recorded_by: str
    at_ms: int
    withdrawn_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaRule:
    """How many permits of one action an account gets in sliding windows, and when."""

    action: Action
    per_day: int
    per_hour: int
    spacing_ms: int
    hours: tuple[int, int] = (0, 1_440)  # minutes of the local day, from and before
    weekdays: frozenset[int] = frozenset(range(1, 8))  # ISO, Monday is 1
    ramp: tuple[tuple[int, int], ...] = ()  # an account younger than so many days: at most so many a day
    contact_pause_ms: int = 0  # between two permits of this action for the same contact
    origin: str = ""  # where the numbers come from


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaUse:
    """What an account has used of a rule at one moment; `rule` as age and probation leave it now."""

    account_id: AccountId
    action: Action
    used_day: int
    used_hour: int
    rule: QuotaRule
    by_hand_day: int = 0  # of used_day: what staff did by hand
    free_at_ms: int | None = None  # when a permit may be taken; None: after a person acted
    held: str = ""  # why none may be taken now


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaChange:
    """One limit of one account as a person changed it."""

    id: int
    at_ms: int
    account_id: AccountId
    action: Action
    field: str
    before: str
    after: str
    reason: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One row of a list: whom to add, and why that is allowed."""

    row_no: int
    query: str
    query_kind: QueryKind
    basis: str
    basis_at: str
    remark: str = ""
    pinned_phone_id: PhoneId | None = None
    tags: tuple[str, ...] = ()
    alias: str = ""  # the other identity of this person in the same row, as target_of gives it


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What an operator submitted; one row is one task."""

    id: JobId
    action: Action
    state: JobState
    created_at_ms: int
    created_by: str
    content_hash: str
    source_name: str
    greeting: str  # what is said: of a first reply its text
    pool: tuple[PhoneId, ...]
    max_age_days: int = 0  # of posts to like
    state_cause: str = ""  # why it is paused or cancelled
    state_by: str = ""  # who did that; empty for the machine
    judged_from_ms: int = 0  # the stop-loss counts what ended after this


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One action on one phone; an operator's job is expanded into these."""

    id: TaskId
    job_id: JobId
    row_no: int
    action: Action
    query: str
    query_kind: QueryKind
    remark: str
    basis: str
    basis_at: str
    state: TaskState
    outcome: str = ""
    evidence: str = ""
    cause: str = ""
    attempt: int = 0
    pinned_phone_id: PhoneId | None = None
    phone_id: PhoneId | None = None
    account_id: AccountId | None = None
    permit_id: PermitId | None = None
    phone_epoch: int = 0
    lease_until_ms: int | None = None
    not_before_ms: int = 0
    ended_at_ms: int | None = None
    created_at_ms: int = 0
    spool_id: str = ""  # outbox of the agent that took the lease
    not_sent: int = 0  # attempts that were armed and proved not to have gone out
    returned: int = 0  # attempts that were given back before arming
    pinned_account_id: AccountId | None = None  # only this account sees what an earlier attempt may have sent
    peer_name: str = ""  # name shown on the profile; private text
    tags: tuple[str, ...] = ()
    object_key: str = ""  # what was acted on, as a digest: of a like the post
    alias: str = ""  # the other identity of this person, by which nobody asks them again either


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A task in an agent's hands until a time, with the permit that pays for it."""

    task: Task
    job: Job
    permit_id: PermitId
    phone_epoch: int
    until_ms: int
    known_posts: tuple[str, ...] = ()  # of a like: posts of this contact that were met before


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Why a phone gets no task now, and when asking again makes sense (None: after a person acted)."""

    cause: str
    retry_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to which object, when and why."""

    id: int
    at_ms: int
    actor: str
    what: str
    object: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """Why one row of a list cannot be used; `row_no` is the number a spreadsheet shows beside it."""

    row_no: int
    column: str
    value: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What became of a list: its job, whether this call made it, and the rows left out."""

    job: Job
    is_new: bool
    skipped: tuple[RowProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One phone of a plan: how much it can take now, and when its share would end."""

    phone_id: PhoneId
    account_id: AccountId | None
    rows: int
    now: int  # permits free at this moment by the windows alone; spacing puts them apart
    per_day: int
    ends_at_ms: int | None
    held: str = ""  # why this phone would get no task now


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """When and by which phone one row would be done, if nothing comes between."""

    row_no: int
    phone_id: PhoneId
    account_id: AccountId | None
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A dry run: nothing was stored. Rows that no phone can take are `unplaced`."""

    lines: tuple[PlanLine, ...]
    rows: int
    unplaced: int
    ends_at_ms: int | None
    skipped: tuple[RowProblem, ...] = ()
    calendar: tuple[PlanRow, ...] = ()  # by time


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The farm at a glance."""

    at_ms: int
    store: str  # sqlite | postgresql
    phones: dict[PhoneState, int]
    sightings: int
    jobs_running: int
    tasks: dict[TaskState, int]
    violations_new: int
    messages: int
    gaps: int
    refused_no_notice: int
    clock_cause: str = ""  # why the clock cannot be trusted
    restored_until_ms: int | None = None  # the data was restored: no permits of the whole farm until then
    alert_targets: int = 0
    alerts_waiting: int = 0
    alerts_failing: int = 0  # of those waiting: their last try failed
    alerts_failed: int = 0  # in the last day: given up
