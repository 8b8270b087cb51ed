"""The contract of the store: verbs on values inside one transaction; one suite proves it on both databases.

Every verb may raise StoreBusy (try again) or StoreUnreachable (the database went away). A verb that says
"locks" holds the row until the transaction ends, so that nobody decides on the same row in between.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from controller.model import (
    AccountId,
    Action,
    AuditEntry,
    Job,
    JobId,
    Notice,
    PermitId,
    Phone,
    PhoneId,
    Sighting,
    Task,
    TaskId,
    TaskState,
    Tenure,
)
from controller.records import (
    BlindScreen,
    Conversation,
    Gap,
    Message,
    StoredEvent,
    ViolationState,
    Warned,
)
from controller.sessions import Pulse
from controller.store.base_alerts import AlertRows
from controller.store.base_books import BookRows, HistoryRows
from controller.store.base_capture import CaptureRows
from controller.store.base_clients import ClientRows
from controller.store.base_ingest import ChatRows, IngestRows
from controller.store.base_people import JobDecisions, PeopleRows
from controller.store.base_rules import RuleRows
from controller.store.base_supervision import SampleRows, ViolationRows
from controller.store.quota_rows import AccountRows, QuotaRows
from protos.facts import PhoneFacts, PhoneState


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """One right to act; `last_use_ms` is the last moment at which it can have been used."""

    id: PermitId
    account_id: AccountId
    action: Action
    task_id: TaskId
    attempt: int
    phone_id: PhoneId
    taken_at_ms: int
    last_use_ms: int


class FarmRows(Protocol):
    """The farm itself, its people and its diary."""

    def clock_ms(self) -> int:
        """Return the farm's clock as kept."""

    def advance_clock(self, now_ms: int) -> int:
        """Raise the farm's clock to at least `now_ms`, keep it, and return it."""

    def farm_epoch(self) -> int:
        """Return the epoch of this farm's data; a restore raises it."""

    def add_notice(self, notice: Notice) -> None:
        """Keep the record that a holder was told."""

    def notices(self) -> list[Notice]:
        """Return the newest record of each holder."""

    def add_audit(self, *, at_ms: int, actor: str, what: str, object_: str, reason: str) -> None:
        """Append one line to the diary of what people did."""

    def audit_entries(self, *, before_id: int | None, limit: int) -> list[AuditEntry]:
        """Return the newest lines, newest first."""


class PhoneRows(Protocol):
    """Phones, and handsets without a number."""

    def phone(self, phone_id: PhoneId) -> Phone | None:
        """Return a phone by its number."""

    def lock_phone(self, phone_id: PhoneId) -> Phone | None:
        """Return a phone by its number; locks."""

    def phone_by_serial(self, serial: str) -> Phone | None:
        """Return the phone that a handset is."""

    def phones(self) -> list[Phone]:
        """Return all phones by number."""

    def phone_of_account(self, account_id: AccountId) -> PhoneId | None:
        """Return the phone to which an account is bound."""

    def add_phone(self, phone: Phone) -> bool:
        """Add a phone; False if its number or its handset is taken."""

    def set_facts(self, phone_id: PhoneId, facts: PhoneFacts) -> None:
        """Keep what a handset says of itself."""

    def raise_epoch(self, phone_id: PhoneId, now_ms: int, *, above: int = 0) -> int:
        """Raise the fence of a phone above itself and another one; an absent phone is preparing now."""

    def set_pulse(self, phone_id: PhoneId, state: PhoneState, pulse: Pulse, now_ms: int) -> None:
        """Keep a heartbeat; an account or a battery it does not know leaves the known one."""

    def set_state(self, phone_id: PhoneId, state: PhoneState, cause: str, at_ms: int) -> None:
        """Keep a reported state unless a later one (by the agent's clock) is kept already."""

    def set_contact(self, phone_id: PhoneId, now_ms: int) -> None:
        """Keep the moment of the last contact."""

    def mark_absent(self, *, before_ms: int, cause: str) -> list[PhoneId]:
        """Mark the phones absent that were last heard before `before_ms`; return them."""

    def assign(self, phone_id: PhoneId, *, holder: str, account_id: AccountId | None, since_ms: int) -> None:
        """Keep who holds a phone and which account is bound to it, from a moment on."""

    def tenures(self, phone_id: PhoneId) -> list[Tenure]:
        """Return who held a phone and which account was bound to it, oldest first."""

    def count_refused(self, phone_id: PhoneId, events: int) -> None:
        """Count chat events that were dropped because no notice is recorded."""

    def see(self, facts: PhoneFacts, account_seen: str, now_ms: int) -> None:
        """Keep that a handset without a number reported."""

    def sightings(self) -> list[Sighting]:
        """Return the handsets without a number, longest known first."""

    def sighting(self, serial: str) -> Sighting | None:
        """Return one handset without a number."""

    def forget_sighting(self, serial: str) -> None:
        """Forget a handset that has its number now."""


class JobRows(Protocol):
    """Jobs, tasks and permits."""

    def next_job_number(self, day: str) -> int:
        """Return 1, 2, 3 … for a day; locks the day."""

    def add_job(self, job: Job) -> bool:
        """Add a job with its pool; False if one with this content is there."""

    def job(self, job_id: JobId) -> Job | None:
        """Return a job."""

    def job_by_hash(self, content_hash: str) -> Job | None:
        """Return the job with this content."""

    def jobs(self) -> list[Job]:
        """Return all jobs, newest first."""

    def end_job_if_over(self, job_id: JobId) -> bool:
        """End a running job of which every task has ended; locks the job, so that no last task is missed."""

    def add_task(self, task: Task, target: str) -> bool:
        """Add a task; False if a task stands for this action and target anywhere in the fleet."""

    def task(self, task_id: TaskId) -> Task | None:
        """Return a task."""

    def lock_task(self, task_id: TaskId) -> Task | None:
        """Return a task; locks."""

    def save_task(self, task: Task) -> None:
        """Keep everything about a task that can change."""

    def tasks(self, job_id: JobId) -> list[Task]:
        """Return the tasks of a job by row."""

    def task_counts(self, job_id: JobId) -> dict[tuple[TaskState, str], int]:
        """Return how many tasks of a job have each state and outcome."""

    def live_tasks(self, phone_id: PhoneId) -> list[Task]:
        """Return the tasks leased to a phone or armed on it; locks."""

    def next_not_before(self, phone_id: PhoneId, action: Action | None = None) -> int | None:
        """Return the earliest time at which a queued task (of an action) may go to this phone; None: no."""

    def tasks_without_word(self, before_ms: int) -> list[Task]:
        """Return the live tasks whose lease ended before; locks, and passes by rows others hold."""

    def tasks_of_peer(self, account_id: AccountId, title: str) -> list[Task]:
        """Return the done requests of an account to a person shown under this title; locks."""

    def add_permit(self, permit: Permit) -> None:
        """Take one right to act."""

    def permit_of(self, task_id: TaskId, attempt: int) -> Permit | None:
        """Return the permit that paid for an attempt."""

    def permit_uses(
        self, account_id: AccountId, action: Action, after_ms: int, *, but: PermitId | None = None
    ) -> list[int]:
        """Return the last possible uses after a moment of all permits not given back but one, in order.

        Adds by hand are among them, with the moment at which they were counted.
        """

    def set_permit_use(self, task_id: TaskId, attempt: int, last_use_ms: int) -> None:
        """Keep when the permit of an attempt can have been used last; one given back counts again."""

    def return_permit(self, task_id: TaskId, attempt: int) -> bool:
        """Give the permit of an attempt back as never used; False if it was given back before."""


class ArchiveRows(Protocol):
    """Events, and what was read out of them."""

    def lock_spool(self, phone_id: PhoneId, spool_id: str, now_ms: int) -> int:
        """Return the highest contiguous seq archived of a spool, 0 for a new one; locks."""

    def high_water(self, phone_id: PhoneId, spool_id: str) -> int:
        """Return the highest contiguous seq archived of a spool, 0 for an unknown one."""

    def set_high_water(self, phone_id: PhoneId, spool_id: str, seq: int) -> None:
        """Keep the highest contiguous seq archived of a spool."""

    def event(self, phone_id: PhoneId, spool_id: str, seq: int) -> StoredEvent | None:
        """Return an archived event."""

    def add_conflict(
        self,
        phone_id: PhoneId,
        spool_id: str,
        seq: int,
        *,
        body: bytes | None,
        body_hash: bytes,
        archived_at_ms: int,
    ) -> None:
        """Keep a second body for a place that holds another one."""

    def conflicts(self) -> int:
        """Return how many bodies came for a place that holds another one."""

    def add_event_gap(
        self, phone_id: PhoneId, spool_id: str, *, from_seq: int, to_seq: int, cause: str, at_ms: int
    ) -> None:
        """Keep once that the agent no longer has these events of a spool."""

    def conversation_for(
        self, *, account_id: AccountId, phone_id: PhoneId, key: str, title: str, kind: str
    ) -> int:
        """Return the id of a chat, made if new; locks. Its title and phone become those given."""

    def untitled_conversation(self, *, account_id: AccountId, phone_id: PhoneId, key: str) -> int:
        """Return the id of a chat, made without its title if new; locks."""

    def lock_conversation(self, conversation_id: int) -> None:
        """Hold a chat until the transaction ends; locks."""

    def bases_of(self, conversation_id: int, spool_id: str) -> list[tuple[int, int]]:
        """Return from which of its positions on a spool begins where in a chat; empty: nowhere yet."""

    def writers(self, conversation_id: int, spool_id: str) -> tuple[int, int]:
        """Return the last position in a chat of a spool, and the last one of all others; 0: none."""

    def take_turn(self, conversation_id: int, spool_id: str, from_position: int) -> int:
        """Let a spool go on behind everything in a chat, from one of its positions on; returns its base."""

    def place_base(self, conversation_id: int, spool_id: str) -> tuple[int, bool]:
        """Place a new spool behind a chat's messages; returns where, and whether others are before it."""

    def add_gap(self, gap: Gap) -> None:
        """Keep what could not be captured (its id is ignored)."""

    def stretch_gap(self, conversation_id: int, *, cause: str, before_position: int, to_ms: int) -> bool:
        """Let a gap that ends one position before end here; False if there is none."""

    def add_warning(self, warned: Warned) -> None:
        """Keep a platform warning (its id is ignored)."""

    def picture_warning(self, warned: Warned, *, from_ms: int) -> bool:
        """Fill the picture into the newest equal warning archived since a moment; False if none lacks one."""

    def warnings(self, *, phone_id: PhoneId | None = None, limit: int) -> list[Warned]:
        """Return the newest platform warnings, newest first."""

    def add_blind_screen(self, blind: BlindScreen) -> None:
        """Keep that an agent could not read a screen (its id is ignored)."""

    def blind_screens(self, phone_id: PhoneId, *, limit: int) -> list[BlindScreen]:
        """Return the screens of a phone that could not be read, newest first."""

    def conversations(
        self, *, phone_id: PhoneId | None, account_id: AccountId | None, limit: int
    ) -> list[Conversation]:
        """Return chats, the most recently archived first."""

    def conversation(self, conversation_id: int) -> Conversation | None:
        """Return a chat."""

    def messages(self, conversation_id: int, *, before_position: int | None, limit: int) -> list[Message]:
        """Return the last messages of a chat before a position, in order of position."""

    def message(self, message_id: int) -> Message | None:
        """Return a message."""

    def messages_around(self, conversation_id: int, position: int, reach: int) -> list[Message]:
        """Return the messages of a chat at most `reach` positions away, in order."""

    def gaps(self, conversation_id: int) -> list[Gap]:
        """Return what could not be captured of a chat, in order."""


class CountRows(Protocol):
    """The farm at a glance."""

    def count_jobs_running(self) -> int:
        """Return how many jobs run."""

    def count_tasks(self) -> dict[TaskState, int]:
        """Return how many tasks have each state."""

    def count_violations(self, state: ViolationState) -> int:
        """Return how many violations have a state."""

    def count_messages(self) -> int:
        """Return how many messages are archived."""

    def count_gaps(self) -> int:
        """Return how many gaps are recorded, of chats and of spools."""

    def count_refused_events(self) -> int:
        """Return how many chat events were dropped because no notice is recorded."""


class Tx(
    FarmRows,
    PhoneRows,
    AccountRows,
    JobRows,
    QuotaRows,
    ArchiveRows,
    CountRows,
    JobDecisions,
    PeopleRows,
    ClientRows,
    CaptureRows,
    ChatRows,
    IngestRows,
    RuleRows,
    ViolationRows,
    SampleRows,
    AlertRows,
    BookRows,
    HistoryRows,
    Protocol,
):
    """Everything that can be done inside one transaction."""


class Store(Protocol):
    """A database of the farm; one transaction at a time per store object."""

    kind: str  # sqlite | postgresql

    def transaction(self) -> AbstractContextManager[Tx]:
        """Open a transaction that may write: on disk at its end, rolled back on an exception."""

    def close(self) -> None:
        """Give the database back; a second call does nothing."""
