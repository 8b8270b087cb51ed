"""What an archived event changes: tasks, the phone, its account, chats. Runs in the archive's transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, NamedTuple, get_args

from controller import accepting, followups, friends, observations, restoring, rests
from controller.clienttables import learned
from controller.clock import DAY_MS, MINUTE_MS
from controller.ledger import CoreSettings, Work
from controller.model import AccountId, Phone, PhoneId, Task, TaskId, TaskState
from controller.records import BlindScreen, CoverageSpan, Warned
from controller.restoring import Tap
from controller.roster import reported
from controller.transitions import (
    WARNED,
    PermitEffect,
    Retry,
    Step,
    on_armed,
    on_ended,
    on_returned,
)
from protos.facts import (
    AddObserved,
    ClientLearned,
    CoverageSeen,
    CoverageState,
    Event,
    EventSetAside,
    Fact,
    FriendAccepted,
    FriendRequestSeen,
    PhoneStateChanged,
    PlatformWarned,
    ScreenUnknown,
    TaskArmed,
    TaskEnded,
    TaskReturned,
)
from protos.wire import MessageRow

# Spans are closed each hour; a longer one than this comes of a clock that was set.
_LONGEST_COVERAGE_MS = 7 * DAY_MS
_MAX_NUMBER = 2**63 - 1
# What is dated outside these is dated by no clock (years 2 to 9999), and nobody can show it.
_FIRST_MOMENT_MS, _LAST_MOMENT_MS = -62_000_000_000_000, 253_370_000_000_000
# By so much an agent's clock may be ahead: nothing was watched that has not happened yet.
_AHEAD_MS = MINUTE_MS
_PICTURE_WITHIN_MS = 10 * MINUTE_MS


class Unfit(ValueError):
    """The event holds a number that no database keeps, or a moment that no clock shows."""


class Source(NamedTuple):
    """Where an event came from; `phone` as it stood when the event was written."""

    phone: Phone
    spool_id: str
    seq: int


def account_of(source: Source, seen: str) -> AccountId:
    """Return the account an event is about: the one seen with it, else the one its phone has."""
    return AccountId(seen or source.phone.account_id or source.phone.account_seen)


def fit(event: Event, *, is_without_nul: bool = False) -> Event:
    """Return an event that both databases can keep: NUL in texts becomes U+FFFD; raises Unfit."""
    if event.phone_epoch > _MAX_NUMBER:
        raise Unfit("phone_epoch is too large")
    fact = event.fact
    for name in _NUMBERS[type(fact)]:
        if getattr(fact, name) > _MAX_NUMBER:
            raise Unfit(f"{name} is too large")
    if not _FIRST_MOMENT_MS <= event.at_ms <= _LAST_MOMENT_MS:
        raise Unfit("at_ms is no moment")
    for name in _MOMENTS[type(fact)]:
        if not _FIRST_MOMENT_MS <= getattr(fact, name) <= _LAST_MOMENT_MS:
            raise Unfit(f"{name} is no moment")
    return event if is_without_nul else _without_nul(event)


def is_fit(row: MessageRow) -> bool:
    """Tell whether both databases can keep a message as it is; its texts are not looked at."""
    return (
        row.phone_epoch <= _MAX_NUMBER
        and row.position <= _MAX_NUMBER
        and row.amount_fen <= _MAX_NUMBER
        and row.length_s <= _MAX_NUMBER
        and _FIRST_MOMENT_MS <= row.at_ms <= _LAST_MOMENT_MS
        and _FIRST_MOMENT_MS <= row.shown_from_ms <= _LAST_MOMENT_MS
        and _FIRST_MOMENT_MS <= row.shown_to_ms <= _LAST_MOMENT_MS
    )


def _without_nul(event: Event) -> Event:
    fact: Any = event.fact
    values = {field.name: getattr(fact, field.name) for field in fields(fact)}
    changed = {
        name: value.replace("\0", "\ufffd")
        for name, value in values.items()
        if isinstance(value, str) and "\0" in value
    }
    return replace(event, fact=replace(fact, **changed), account_id=event.account_id.replace("\0", "\ufffd"))


# Annotations of the facts are texts there.
_NUMBERS: dict[type[Any], tuple[str, ...]] = {
    kind: tuple(
        field.name for field in fields(kind) if field.type == "int" and not field.name.endswith("_ms")
    )
    for kind in get_args(Fact)
}
_MOMENTS: dict[type[Any], tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind) if field.name.endswith("_ms")) for kind in get_args(Fact)
}


def is_armed(fact: TaskArmed | TaskEnded | TaskReturned) -> bool:
    """Tell whether a report says that something irreversible may have been done."""
    return isinstance(fact, TaskArmed) or (isinstance(fact, TaskEnded) and fact.was_armed)


def _is_meant_for(work: Work, task: Task, phone_id: PhoneId) -> bool:
    job = work.tx.job(task.job_id)
    return phone_id == task.pinned_phone_id or (
        task.pinned_phone_id is None and job is not None and phone_id in job.pool
    )


class Reports:
    """Applies events that are not about the course of a chat; for those see controller.ingestchats."""

    def __init__(self, settings: CoreSettings) -> None:
        self._settings = settings
        # What each kind of fact changes: (work, source, event, fact).
        self._effects: dict[type[Any], Callable[[Work, Source, Event, Any], None]] = {
            PhoneStateChanged: self._phone_state,
            TaskArmed: self._task,
            TaskEnded: self._task,
            TaskReturned: self._task,
            CoverageSeen: self._coverage,
            PlatformWarned: self._warning,
            FriendAccepted: self._accepted,
            FriendRequestSeen: self._request_seen,
            ScreenUnknown: self._screen_unknown,
            EventSetAside: self._set_aside,
            AddObserved: self._observed,
            ClientLearned: self._learned,
        }

    def apply(self, work: Work, source: Source, event: Event) -> None:
        """Change what the fact of a new event changes; kinds without effect stay archived only."""
        effect = self._effects.get(type(event.fact))
        if effect is not None:
            effect(work, source, event, event.fact)

    def _learned(self, work: Work, source: Source, event: Event, fact: ClientLearned) -> None:  # noqa: ARG002 -- one form for all effects
        learned(work, source.phone, fact)

    def _set_aside(self, work: Work, source: Source, event: Event, fact: EventSetAside) -> None:  # noqa: ARG002 -- one form for all effects
        work.tx.add_event_gap(
            source.phone.phone_id,
            source.spool_id,
            from_seq=fact.seq,
            to_seq=fact.seq,
            cause="set_aside",
            at_ms=work.now_ms,
        )

    def _phone_state(self, work: Work, source: Source, event: Event, fact: PhoneStateChanged) -> None:
        # A backlog from before the newest Welcome tells of the past, not of the phone as it is.
        if event.phone_epoch != source.phone.epoch:
            return
        state, cause = reported(fact.state, fact.cause)
        work.tx.set_state(source.phone.phone_id, state, cause, event.at_ms)
        work.touch(source.phone.phone_id)

    # ---- tasks

    def _task(
        self, work: Work, source: Source, event: Event, fact: TaskArmed | TaskEnded | TaskReturned
    ) -> None:
        task = work.tx.lock_task(TaskId(fact.task_id))
        if task is None:
            return
        permit = work.tx.permit_of(task.id, fact.attempt)
        phone_id = source.phone.phone_id
        if permit is None or permit.phone_id != phone_id:
            # An agent speaks only of attempts that were leased to its own phone; restored data forgets some.
            if not (is_armed(fact) and _is_meant_for(work, task, phone_id)):
                return
            tap = Tap(
                account_id=account_of(source, event.account_id), phone_id=phone_id, attempt=fact.attempt
            )
            work.touch(phone_id)
            if permit is not None:
                restoring.recount_second(work, self._settings, task, tap)
                return
            task = restoring.recount(work, self._settings, task, tap)
        step = self._step(task, fact, work.now_ms)
        if step is not None and task.state is TaskState.CANCELLED and followups.stop_other(work, task):
            work.tx.set_permit_use(task.id, fact.attempt, work.now_ms)
        elif step is not None:
            self._keep(work, source, step, fact.attempt)
        if isinstance(fact, TaskEnded) and fact.outcome == WARNED:
            self._rest(work, source, event, WARNED)

    def _step(self, task: Task, fact: TaskArmed | TaskEnded | TaskReturned, now_ms: int) -> Step | None:
        retry = Retry(
            not_before_ms=now_ms + self._settings.retry_pause_ms,
            max_attempts=self._settings.max_attempts,
            max_returns=self._settings.max_returns,
            not_sent_before_ms=now_ms + self._settings.not_sent_pause_ms,
        )
        match fact:
            case TaskArmed():
                return on_armed(task, fact, now_ms)
            case TaskReturned():
                return on_returned(task, fact, now_ms, retry)
            case TaskEnded():
                return on_ended(task, fact, now_ms, retry)

    def _keep(self, work: Work, source: Source, step: Step, attempt: int) -> None:
        task = followups.kept(work, step.task)
        if task.state.is_ended:
            task = replace(task, phone_id=task.phone_id or source.phone.phone_id)
            work.jobs_to_close.add(task.job_id)
        work.tx.save_task(task)
        if step.permit is PermitEffect.RETURNED:
            work.tx.return_permit(task.id, attempt)
        elif step.permit is PermitEffect.USED:
            work.tx.set_permit_use(task.id, attempt, work.now_ms)
        if task.state is TaskState.QUEUED:
            work.offer()
        followups.follow(work, task)
        if task.state is not TaskState.ARMED:
            observations.settle(work, self._settings, task, attempt=attempt)
        work.touch(source.phone.phone_id)

    # ---- accounts

    def _rest(self, work: Work, source: Source, event: Event, cause: str) -> None:
        account_id = account_of(source, event.account_id)
        if not account_id:
            return
        rests.warn(work, account_id, cause=cause)
        work.touch(work.tx.phone_of_account(account_id) or source.phone.phone_id)

    def _warning(self, work: Work, source: Source, event: Event, fact: PlatformWarned) -> None:
        warned = Warned(
            id=0,
            phone_id=source.phone.phone_id,
            account_id=account_of(source, event.account_id),
            warning=fact.warning,
            surface=fact.surface,
            text=fact.text,
            task_id=fact.task_id,
            activity=fact.activity,
            picture=fact.picture,
            picture_sha256=fact.picture_sha256,
            at_ms=event.at_ms,
            archived_at_ms=work.now_ms,
        )
        # An agent tells of a warning at once and again with its picture: that is one warning and one rest.
        if fact.picture and work.tx.picture_warning(warned, from_ms=work.now_ms - _PICTURE_WITHIN_MS):
            return
        work.tx.add_warning(warned)
        self._rest(work, source, event, fact.warning)

    def _screen_unknown(self, work: Work, source: Source, event: Event, fact: ScreenUnknown) -> None:
        work.tx.add_blind_screen(
            BlindScreen(
                id=0,
                phone_id=source.phone.phone_id,
                cause=fact.cause,
                detail=fact.detail,
                activity=fact.activity,
                picture=fact.picture,
                picture_sha256=fact.picture_sha256,
                at_ms=event.at_ms,
                archived_at_ms=work.now_ms,
            )
        )

    def _observed(self, work: Work, source: Source, event: Event, fact: AddObserved) -> None:
        account_id = account_of(source, event.account_id)
        observations.observe(work, self._settings, account_id, fact, seen_ms=event.at_ms)

    # ---- people and coverage

    def _accepted(self, work: Work, source: Source, event: Event, fact: FriendAccepted) -> None:
        friends.accepted(
            work, account_of(source, event.account_id), title=fact.conversation_title, how=fact.how
        )

    def _request_seen(self, work: Work, source: Source, event: Event, fact: FriendRequestSeen) -> None:
        accepting.requested(work, source.phone.phone_id, account_of(source, event.account_id), fact)

    def _coverage(self, work: Work, source: Source, event: Event, fact: CoverageSeen) -> None:
        is_sound = 0 <= fact.from_ms < fact.to_ms <= fact.from_ms + _LONGEST_COVERAGE_MS
        to_ms = min(fact.to_ms, work.now_ms + _AHEAD_MS)
        if not is_sound or fact.state not in set(CoverageState) or to_ms <= fact.from_ms:
            return  # what nobody can place stays unwatched
        work.tx.add_coverage(
            CoverageSpan(
                id=0,
                phone_id=source.phone.phone_id,
                account_id=account_of(source, event.account_id),
                from_ms=fact.from_ms,
                to_ms=to_ms,
                state=fact.state,
                cause=fact.cause,
            )
        )
