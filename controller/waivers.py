"""Exceptions out of false alarms: what else one would silence is shown first, and both are one step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from controller import grams
from controller.audit import enter
from controller.clock import DAY_MS
from controller.errors import BadRequest, SafetyRefusal
from controller.ledger import Ledger, Work
from controller.periods import Period
from controller.records import Message, Violation, ViolationState
from controller.rulings import known, rule_on_one
from controller.safe import masked
from controller.search import Query, find
from controller.store.base import Tx
from controller.store.base_supervision import Wanted
from controller.verdicts import Act, Decision, Reason, decide, is_same_person
from controller.violationcontext import with_texts
from controller.waiving import covers
from controller.wordbooks import WordBooks

LOOK_BACK_MS = 30 * DAY_MS
MAX_PHRASE_CHARS = 200
# So many are compared, as the core does nothing else meanwhile.
_MOST_ALIKE = 2_000
_MOST_MESSAGES = 500
_EXAMPLES = 10
_OPEN = (ViolationState.NEW, ViolationState.ESCALATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What else an exception would silence: violations of the same rule and word, messages with its phrase.

    `open_ids` wait for a verdict now, `confirmed_ids` were judged right before: a sign that it goes too far.
    `messages` of the last 30 days hold the phrase. Not `is_complete`: there are more than were looked at.
    """

    violation: Violation
    phrase: str
    accounts: tuple[str, ...]
    open_ids: tuple[int, ...]
    confirmed_ids: tuple[int, ...]
    past: dict[str, int]  # how many others stand how
    examples: tuple[Violation, ...]
    messages: int
    message_examples: tuple[Message, ...]
    is_complete: bool
    silences_whole_word: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived:
    """An exception that is in force, and the decision that made it."""

    decision: Decision
    waiver_id: str
    book_version: int


class Waivers:
    """Exceptions to rules, made of violations that were none."""

    def __init__(self, ledger: Ledger, books: WordBooks) -> None:
        self._ledger = ledger
        self._books = books

    def preview(
        self, violation_id: int, phrase: str, *, accounts: Sequence[str] = (), reason: str, actor: str
    ) -> Preview:
        """Return what an exception would silence; the look is recorded, so it needs a reason.

        BadRequest if the phrase cannot be an exception to this violation.
        """
        if not reason.strip():
            raise BadRequest("say why you look at what this exception would silence (reason)")
        with self._ledger.work() as work:
            violation = _known(work.tx, violation_id)
            wanted = _fit(violation, phrase, accounts)
            told = f"{violation_id}: {masked(wanted)}"
            enter(work, actor=actor, what="violation.preview_exception", object_=told, reason=reason)
            others, is_all = _alike(work.tx, violation, wanted, accounts)
            messages, is_all_messages = _messages(work, wanted, accounts)
        return Preview(
            violation=violation,
            phrase=wanted,
            accounts=tuple(accounts),
            open_ids=tuple(one.id for one in others if one.state in _OPEN),
            confirmed_ids=tuple(one.id for one in others if one.state is ViolationState.CONFIRMED),
            past=dict(Counter(str(one.state) for one in others)),
            examples=tuple(others[:_EXAMPLES]),
            messages=len(messages),
            message_examples=tuple(messages[:_EXAMPLES]),
            is_complete=is_all and is_all_messages,
            silences_whole_word=covers(
                grams.fold(violation.text[violation.start : violation.end]), wanted, 0, len(wanted)
            ),
        )

    def dismiss(
        self,
        violation_id: int,
        phrase: str,
        *,
        accounts: Sequence[str] = (),
        reason: str = Reason.NOT_A_VIOLATION,
        note: str = "",
        actor: str,
    ) -> Waived:
        """Dismiss a violation and put the exception in force, both or nothing.

        One that is dismissed already only gets its exception. BadRequest, SafetyRefusal, BookChanged.
        """
        with self._ledger.work() as work:
            locked = known(work.tx.lock_violations([violation_id]), violation_id)
            (violation,) = with_texts(work.tx, [locked])
            wanted = _fit(violation, phrase, accounts)
            act = _act(violation, actor)
            why = reason if act is Act.DISMISS else ""
            history = work.tx.decisions([violation_id])[violation_id]
            # Asked before the book is written: a refused one costs nothing.
            decide(violation, history, act, actor, reason=why, note=note or wanted, now_ms=work.now_ms)
            waiver = self._books.add_waiver(
                work,
                rule=violation.rule_id,
                entry=violation.entry_id,
                phrase=wanted,
                accounts=tuple(accounts),
                why=f"violation {violation_id}: {reason}",
                violation_id=violation_id,
                actor=actor,
            )
            version = work.shelf().version
            said = f"{note.strip()} [exception {waiver.id}, book {version}]".strip()
            decision = rule_on_one(work, violation_id, act, actor, reason=why, note=said)
        return Waived(decision=decision, waiver_id=waiver.id, book_version=version)


def _act(violation: Violation, actor: str) -> Act:
    if violation.state is ViolationState.ESCALATED:
        raise BadRequest("it is escalated: two persons dismiss it first, then it can become an exception")
    if violation.state is not ViolationState.DISMISSED:
        return Act.DISMISS
    if is_same_person(actor, violation.holder):
        raise SafetyRefusal("nobody makes exceptions out of violations about themselves")
    return Act.NOTE


def _known(tx: Tx, violation_id: int) -> Violation:
    violation = tx.violation(violation_id)
    found = {} if violation is None else {violation_id: violation}
    return with_texts(tx, [known(found, violation_id)])[0]


def _fit(violation: Violation, phrase: str, accounts: Sequence[str]) -> str:
    """Return a phrase that silences this very violation; BadRequest if it is none."""
    wanted = phrase.strip()
    if violation.kind not in {"word", "pattern"}:
        raise BadRequest("an exception is made of words; of a behaviour change the rule")
    if not wanted or len(wanted) > MAX_PHRASE_CHARS:
        raise BadRequest(f"a phrase has 1 to {MAX_PHRASE_CHARS} characters")
    if accounts and violation.account_id not in accounts:
        raise BadRequest("the account of this violation is not among those of the exception")
    if not covers(wanted, violation.text, violation.start, violation.end):
        raise BadRequest("the phrase must stand in the message, and what was found inside of it")
    return wanted


def _alike(
    tx: Tx, violation: Violation, phrase: str, accounts: Sequence[str]
) -> tuple[list[Violation], bool]:
    """Return the other violations that an exception silences, newest first, and whether these are all."""
    wanted = Wanted(rule_id=violation.rule_id, entry_id=violation.entry_id)
    found = with_texts(tx, tx.violations(wanted, before_id=None, limit=_MOST_ALIKE))

    def is_silenced(one: Violation) -> bool:
        is_meant = not accounts or one.account_id in accounts
        return one.id != violation.id and is_meant and covers(phrase, one.text, one.start, one.end)

    return [one for one in found if is_silenced(one)], len(found) < _MOST_ALIKE


def _messages(work: Work, phrase: str, accounts: Sequence[str]) -> tuple[list[Message], bool]:
    """Return messages of the last 30 days that hold a phrase, newest first, and whether these are all."""
    if not grams.of_query(phrase):
        return [], False
    period = Period(from_ms=max(work.now_ms - LOOK_BACK_MS, 0))
    found = find(work.tx, Query(words=(phrase,), period=period, limit=_MOST_MESSAGES))
    meant = [
        message
        for message in found.messages
        if not accounts or found.chats[message.conversation_id].account_id in accounts
    ]
    return meant, found.next_before_id is None
