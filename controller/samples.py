"""Samples: stretches of chats in which no rule found anything, drawn at random for a person to read.

What rules do not find is found only by reading. Accounts are drawn in turn, so that each is looked at equally
often; within an account a chat is as likely as it has messages.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from secrets import randbits, token_hex

from controller.audit import enter
from controller.chatexport import Item
from controller.coverage import Hour
from controller.errors import BadRequest, SafetyRefusal
from controller.keeping import keep_once
from controller.ledger import Ledger, Work
from controller.model import AccountId, PhoneId, Tenure
from controller.periods import when
from controller.records import Conversation, Message, Violation
from controller.store.base import Tx
from controller.store.base_ingest import NewViolation
from controller.store.base_supervision import Sample, SamplesWanted
from controller.verdicts import MAX_NOTE_CHARS, is_same_person
from controller.violationcontext import between, hour_around
from controller.words.lexicon import Severity

__all__ = ["Draw", "Finding", "Sample", "SampleVerdict", "SampleView", "Samples"]

# The rule that a finding of a person stands under.
SAMPLE_RULE = "SAMPLE"
STRETCH_MESSAGES = 20
MAX_SAMPLES = 200
_MAX_ROWS = 1_000
# So many chats are looked at in vain before a draw ends with what it has, as the core does nothing else.
_VAIN_TRIES = 500
_SEED_BITS = 31


class SampleVerdict(StrEnum):
    """What a person says of a stretch after reading it."""

    CLEAN = "clean"
    FINDING = "finding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a person found in a stretch: text[start:end] of a message; both 0: all of it."""

    message_id: int
    category: str
    severity: str = Severity.MEDIUM
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What was drawn; a seed draws the same again from the same chats. Fewer than wanted: no more."""

    draw_id: str
    seed: int
    wanted: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleView:
    """A stretch to read, with gaps and removals in their places, and how its account was watched then."""

    sample: Sample
    chat: Conversation
    items: tuple[Item, ...]
    hour: Hour

    @property
    def messages(self) -> builtins.list[Message]:
        """Return the messages alone, in order."""
        return [item for item in self.items if isinstance(item, Message)]


class Samples:
    """Samples for their readers; every stretch that is handed out is recorded."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def draw(
        self,
        count: int,
        *,
        since_ms: int,
        holders: Sequence[str] = (),
        seed: int | None = None,
        actor: str,
    ) -> Draw:
        """Draw stretches read since a moment, of these holders or of all; BadRequest of too many."""
        if not 1 <= count <= MAX_SAMPLES:
            raise BadRequest(f"draw 1 to {MAX_SAMPLES} samples at a time")
        chosen = randbits(_SEED_BITS) if seed is None else seed
        with self._ledger.work() as work:
            draw_id = f"{chosen}-{token_hex(4)}"
            drawn = _Drawing(work, since_ms, frozenset(holders), Random(chosen)).take(count)
            kept = tuple(
                work.tx.add_sample(replace(one, draw_id=draw_id, drawn_by=actor.strip())) for one in drawn
            )
            told = f"{len(kept)} of {count} since {since_ms}{', of ' + ', '.join(holders) if holders else ''}"
            enter(work, actor=actor, what="sample.draw", object_=draw_id, reason=told)
        return Draw(draw_id=draw_id, seed=chosen, wanted=count, samples=kept)

    def list(
        self,
        *,
        draw_id: str = "",
        is_open: bool | None = None,
        before_id: int | None = None,
        limit: int = 100,
    ) -> builtins.list[Sample]:
        """Return samples, newest first; `is_open`: those that wait for a reader."""
        wanted = SamplesWanted(draw_id=draw_id, is_open=is_open, before_id=before_id)
        with self._ledger.look() as tx:
            return tx.samples(wanted, limit=max(1, min(limit, _MAX_ROWS)))

    def read(self, sample_id: int, *, reason: str, actor: str) -> SampleView:
        """Return a stretch; the look is recorded, so it needs a reason. BadRequest if there is none."""
        if not reason.strip():
            raise BadRequest("say why you read this sample (reason); the look is recorded")
        with self._ledger.work() as work:
            sample = _locked(work.tx, sample_id)
            enter(work, actor=actor, what="sample.read", object_=str(sample_id), reason=reason)
            chat, messages = _stretch_of(work.tx, sample)
            hour = hour_around(work.tx, chat.account_id, when(messages[0])[0], work.now_ms)
            return SampleView(sample=sample, chat=chat, items=between(work.tx, chat, messages), hour=hour)

    def judge(
        self,
        sample_id: int,
        verdict: SampleVerdict,
        *,
        note: str = "",
        finding: Finding | None = None,
        actor: str,
    ) -> tuple[Sample, Violation | None]:
        """Keep what a person says of a stretch, once; a finding becomes a violation that waits for a verdict.

        BadRequest if it was judged before or the finding is not in it; SafetyRefusal for its own holder.
        """
        if (verdict is SampleVerdict.FINDING) != (finding is not None):
            raise BadRequest("a finding names its message and category; a clean stretch has none")
        if len(note) > MAX_NOTE_CHARS:
            raise BadRequest(f"a note has at most {MAX_NOTE_CHARS} characters")
        with self._ledger.work() as work:
            sample = _locked(work.tx, sample_id)
            if sample.verdict:
                raise BadRequest(f"sample {sample_id} was judged by {sample.reviewed_by}: {sample.verdict}")
            if is_same_person(actor, sample.holder):
                raise SafetyRefusal("nobody judges a sample of their own chats; another person must do it")
            violation = None if finding is None else _violation(work, sample, finding)
            judged = replace(
                sample,
                verdict=str(verdict),
                note=note.strip(),
                reviewed_by=actor.strip(),
                reviewed_at_ms=work.now_ms,
            )
            work.tx.save_sample(judged)
            told = f"{verdict}: violation {violation.id}" if violation else str(verdict)
            enter(work, actor=actor, what="sample.judge", object_=str(sample_id), reason=told)
        return judged, violation


class _Drawing:
    """One draw: of each account its quiet chats are known once, and each chat is used once."""

    def __init__(self, work: Work, since_ms: int, holders: frozenset[str], rng: Random) -> None:
        self._work = work
        self._since_ms = since_ms
        self._holders = holders
        self._rng = rng
        self._chats: dict[AccountId, builtins.list[Conversation]] = {}
        self._tenures: dict[AccountId, Mapping[PhoneId, Sequence[Tenure]]] = {}
        self._tries = _VAIN_TRIES

    def take(self, count: int) -> builtins.list[Sample]:
        accounts = self._work.tx.sample_accounts(sorted(self._holders))
        self._rng.shuffle(accounts)
        drawn: builtins.list[Sample] = []
        while accounts and self._tries > 0:
            for account_id in tuple(accounts):
                sample = self._of(account_id)
                if sample is None:
                    accounts.remove(account_id)
                    continue
                drawn.append(sample)
                if len(drawn) == count:
                    return drawn
        return drawn

    def _of(self, account_id: AccountId) -> Sample | None:
        chats = self._quiet(account_id)
        while chats and self._tries > 0:
            (chat,) = self._rng.choices(chats, weights=[chat.messages for chat in chats])
            chats.remove(chat)
            sample = self._cut(chat)
            if sample is not None:
                return sample
            self._tries -= 1
        return None

    def _quiet(self, account_id: AccountId) -> builtins.list[Conversation]:
        if account_id not in self._chats:
            tx = self._work.tx
            private = {chat.key for chat in tx.excluded_chats(account_id)}
            quiet = tx.quiet_chats(account_id, self._since_ms)
            self._chats[account_id] = [chat for chat in quiet if chat.key not in private]
            self._tenures[account_id] = tx.tenures_of_account(account_id)
        return self._chats[account_id]

    def _cut(self, chat: Conversation) -> Sample | None:
        """Return a stretch of a chat, whose messages all came while one wanted person had the phone."""
        tx = self._work.tx
        count = tx.count_messages_since(chat.id, self._since_ms)
        if not count:
            return None
        skipped = self._rng.randrange(max(count - STRETCH_MESSAGES, 0) + 1)
        messages = tx.stretch(chat.id, since_ms=self._since_ms, skipped=skipped, limit=STRETCH_MESSAGES)
        tenures = self._tenures[chat.account_id]
        holders = {holder_at(tenures, chat.account_id, message.read_at_ms) for message in messages}
        if len(holders) != 1 or (self._holders and not holders <= self._holders):
            return None
        return Sample(
            id=0,
            draw_id="",
            conversation_id=chat.id,
            from_message_id=messages[0].id,
            to_message_id=messages[-1].id,
            holder=holders.pop(),
            drawn_by="",
            drawn_at_ms=self._work.now_ms,
        )


def holder_at(tenures: Mapping[PhoneId, Sequence[Tenure]], account_id: AccountId, at_ms: int) -> str:
    """Return who had the phone with an account at a moment; empty if nobody had."""
    for of_phone in tenures.values():
        then = next((one for one in reversed(of_phone) if one.since_ms <= at_ms), None)
        if then is not None and then.account_id == account_id:
            return then.holder
    return ""


def _locked(tx: Tx, sample_id: int) -> Sample:
    sample = tx.lock_sample(sample_id)
    if sample is None:
        raise BadRequest(f"no sample {sample_id}")
    return sample


def _stretch_of(tx: Tx, sample: Sample) -> tuple[Conversation, builtins.list[Message]]:
    chat, first, last = (
        tx.conversation(sample.conversation_id),
        tx.message(sample.from_message_id),
        tx.message(sample.to_message_id),
    )
    if chat is None or first is None or last is None:
        raise BadRequest(f"the chat of sample {sample.id} is not kept any more")
    return chat, tx.messages_between(chat.id, first.position, last.position)


def _violation(work: Work, sample: Sample, finding: Finding) -> Violation:
    """Keep what a person found as a violation; BadRequest if it cannot be of this stretch."""
    chat, messages = _stretch_of(work.tx, sample)
    message = next((one for one in messages if one.id == finding.message_id), None)
    if message is None:
        raise BadRequest(f"message {finding.message_id} is not in sample {sample.id}")
    if finding.severity not in tuple(Severity):
        raise BadRequest(f"severity: {', '.join(Severity)}")
    if not finding.category.strip():
        raise BadRequest("say of which category the finding is")
    end = finding.end or len(message.text)
    if not 0 <= finding.start <= end <= len(message.text):
        raise BadRequest("start and end lie within the message's text")
    key = f"sample:{sample.id}:{message.id}"
    new = NewViolation(
        kind="sample",
        rule_id=SAMPLE_RULE,
        entry_id="",
        word="",  # the text marks it; no list of words has it
        category=finding.category.strip(),
        severity=finding.severity,
        how="",
        detail=f"sample {sample.id}",
        book_version=work.tx.book_version(),
        phone_id=chat.phone_id,
        account_id=chat.account_id,
        holder=sample.holder,
        side=message.side,
        start=finding.start,
        end=end,
        origin="sample",
        dedupe_key=key,
        notify=False,
        at_ms=message.read_at_ms,
        found_at_ms=work.now_ms,
        message_id=message.id,
        conversation_id=chat.id,
    )
    keep_once(work.tx, [new])
    kept = work.tx.violation_by_key(key)
    if kept is None:
        raise LookupError(key)
    return kept
