"""What events tell of chats: messages, what became of them, gaps and removals, each in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from controller import grams, violations
from controller.ledger import Work
from controller.model import AccountId, PhoneId
from controller.records import ChatRemoval, Gap, Hit, MessageChange
from controller.reports import Source, account_of
from controller.store.base_ingest import NewMessage, NewViolation
from controller.words import Matcher
from protos.facts import ChatRemoved, Event, GapSeen, MessageChanged, MessageSeen

_MAX_NUMBER = 2**63 - 1
# Some ten MiB.
_MOST_PLACES = 50_000


# What was said of a chat last: phone, epoch of the phone, title, kind.
_Said = tuple[str, int, str, str]
# From which of its positions on a spool begins where in a chat, in order.
_Bases = tuple[tuple[int, int], ...]
# A spool, and since when its phone has its account: back from another phone it looks who wrote meanwhile.
_Writer = tuple[str, int]


class Places:
    """Where chats and messages stand, as earlier transactions of this process found or made it."""

    def __init__(self) -> None:
        self.chats: dict[tuple[str, str], tuple[int, _Said]] = {}  # (account, key) -> id, what was said
        self.bases: dict[tuple[int, str], _Bases] = {}  # (id, spool) -> where its positions begin
        self.writers: dict[int, _Writer] = {}  # id -> who wrote in it last

    def learn(
        self,
        chats: Mapping[tuple[str, str], tuple[int, _Said]],
        bases: Mapping[tuple[int, str], _Bases],
        writers: Mapping[int, _Writer],
    ) -> None:
        """Keep what a transaction that is committed found; forget everything when it becomes too much."""
        if len(self.chats) + len(self.bases) > _MOST_PLACES:
            self.chats.clear()
            self.bases.clear()
            self.writers.clear()
        self.chats.update(chats)
        self.bases.update(bases)
        self.writers.update(writers)


class ChatIntake:
    """The chats of one transaction; messages wait until `finish`, everything else is written at once."""

    def __init__(
        self,
        work: Work,
        known: Places,
        match: Matcher,
        list_version: str,
        *,
        grams_of: Callable[..., str],
    ) -> None:
        self._work = work
        self._match = match
        self._list_version = list_version
        self._grams_of = grams_of
        self._messages: list[NewMessage] = []
        self._said_on: list[tuple[PhoneId, AccountId, str]] = []  # phone, account and holder of each message
        self._waiting_in: set[int] = set()  # chats whose messages wait
        # Of the last message: how its chat was named, its position, the chat's id and base.
        self._last: tuple[tuple[Any, ...], int, int, int] | None = None
        self._held: set[int] = set()  # chats that were written in this transaction, and so are locked
        self._known = known
        self._chats: dict[tuple[str, str], tuple[int, _Said]] = {}
        self._bases: dict[tuple[int, str], _Bases] = {}
        self._writers: dict[int, _Writer] = {}
        self._effects: dict[type[Any], Callable[[Source, Event, Any], None]] = {
            MessageSeen: self._message,
            MessageChanged: self._change,
            ChatRemoved: self._removal,
            GapSeen: self._gap,
        }

    def take(self, source: Source, event: Event) -> bool:
        """Take a fact about a chat in; False if it is about something else."""
        effect = self._effects.get(type(event.fact))
        if effect is None:
            return False
        if type(event.fact) is not MessageSeen:
            self._last = None
        effect(source, event, event.fact)
        return True

    def finish(self) -> None:
        """Write the messages that wait."""
        if not self._messages:
            return
        found = [
            self._violation(place, hit)
            for place, hit in violations.found_in(self._match, [new.seen for new in self._messages])
        ]
        self._work.tx.put_messages(self._messages, found)
        self._messages, self._said_on, self._waiting_in = [], [], set()

    def _violation(self, place: int, hit: Hit) -> NewViolation:
        new = self._messages[place]
        phone_id, account_id, holder = self._said_on[place]
        return NewViolation(
            place=place,
            kind="word",
            rule_id="R000",
            entry_id=hit.word,
            word=hit.word,
            category="",
            severity="medium",
            how="plain",
            detail="",
            book_version=1,
            phone_id=phone_id,
            account_id=account_id,
            holder=holder,
            side=new.seen.side,
            start=hit.start,
            end=hit.end,
            origin="live",
            dedupe_key=f"R000:{hit.word}:{{message_id}}:{hit.start}",
            notify=False,
            at_ms=new.read_at_ms,
            found_at_ms=self._work.now_ms,
        )

    def keep(self) -> None:
        """Let later transactions know of the places found here; only after the commit."""
        self._known.learn(self._chats, self._bases, self._writers)

    def refused(self, source: Source, event: Event, cause: str) -> None:
        """Show where a chat event was not kept; of a chat that is not known not even its title is."""
        from_ms = to_ms = event.at_ms
        match event.fact:
            # The hole ends with this message.
            case MessageSeen(conversation_key=key, position=place):
                before, is_new = place + 1, True
            case MessageChanged(conversation_key=key, position=place):
                before, is_new = place + 1, False
            case ChatRemoved(conversation_key=key, last_position=place):
                before, is_new = place + 1, False
            case GapSeen(conversation_key=key, before_position=place, from_ms=from_ms, to_ms=to_ms):
                before, is_new = place, True
            case _:
                return
        self._last = None
        conversation_id = self._untitled(source, event, key)
        base = self._base(source, event, conversation_id, place, is_new=is_new)
        before = min(base + before, _MAX_NUMBER)
        if not self._work.tx.stretch_gap(conversation_id, cause=cause, before_position=before, to_ms=to_ms):
            self._add_gap(conversation_id, before, cause, from_ms, to_ms)

    # ---- places

    def _chat(self, source: Source, event: Event, *, key: str, title: str, kind: str) -> int:
        account_id = account_of(source, event)
        known = self._chats.get((account_id, key)) or self._known.chats.get((account_id, key))
        # Within one epoch of a phone nobody else speaks of its chats.
        said = (source.phone.phone_id, source.phone.epoch, title, kind)
        if known is not None and (known[1] == said or (not kind and known[1][:3] == said[:3])):
            return known[0]
        conversation_id = self._work.tx.conversation_for(
            account_id=account_id, phone_id=source.phone.phone_id, key=key, title=title, kind=kind
        )
        self._chats[account_id, key] = (conversation_id, said)
        self._held.add(conversation_id)
        return conversation_id

    def _untitled(self, source: Source, event: Event, key: str) -> int:
        account_id = account_of(source, event)
        known = self._chats.get((account_id, key)) or self._known.chats.get((account_id, key))
        if known is not None and known[1][:2] == (source.phone.phone_id, source.phone.epoch):
            return known[0]
        return self._work.tx.untitled_conversation(
            account_id=account_id, phone_id=source.phone.phone_id, key=key
        )

    def _base(
        self, source: Source, event: Event, conversation_id: int, position: int, *, is_new: bool = False
    ) -> int:
        """Return where positions of a spool begin, for one of them; `is_new`: it may be its next one."""
        place = (conversation_id, source.spool_id)
        bases = self._bases.get(place) or self._known.bases.get(place)
        if bases is None:
            bases = tuple(self._work.tx.bases_of(conversation_id, source.spool_id))
            bases = bases or ((0, self._new_base(conversation_id, source, event)),)
            self._bases[place] = bases
        if is_new and self._writer(conversation_id) != _writer_of(source):
            bases = self._after_others(conversation_id, source, event, bases, position)
        return _base_in(bases, position)

    def _writer(self, conversation_id: int) -> _Writer | None:
        return self._writers.get(conversation_id) or self._known.writers.get(conversation_id)

    def _goes_on(self, conversation_id: int, source: Source, base: int) -> bool:
        """Tell whether the next positions of a spool have this base, as long as nothing else is written."""
        place = (conversation_id, source.spool_id)
        bases = self._bases.get(place) or self._known.bases.get(place)
        is_last_base = bases is not None and bases[-1][1] == base
        return is_last_base and self._writer(conversation_id) == _writer_of(source)

    def _after_others(
        self, conversation_id: int, source: Source, event: Event, bases: _Bases, position: int
    ) -> _Bases:
        """Let a spool go on behind what others wrote since: an account came back to a phone."""
        self._finish_chat(conversation_id)
        own, others = self._work.tx.writers(conversation_id, source.spool_id)
        place = _base_in(bases, position) + position
        if place <= own:
            return bases  # late: it has its place, and who wrote last is as it was
        if place <= others:
            self._work.tx.lock_conversation(conversation_id)
            base = self._work.tx.take_turn(conversation_id, source.spool_id, position)
            self._add_gap(conversation_id, base + position, "spool_changed", 0, event.at_ms)
            bases = (*bases, (position, base))
            self._bases[conversation_id, source.spool_id] = bases
        self._writers[conversation_id] = _writer_of(source)
        return bases

    def _finish_chat(self, conversation_id: int) -> None:
        # Others may go on waiting: many small writes take several times as long as a large one.
        if conversation_id in self._waiting_in:
            self.finish()

    def _new_base(self, conversation_id: int, source: Source, event: Event) -> int:
        # Where a new outbox begins depends on the messages of the former ones, which may wait here.
        self._finish_chat(conversation_id)
        if conversation_id not in self._held:
            self._work.tx.lock_conversation(conversation_id)
        base, follows_other = self._work.tx.place_base(conversation_id, source.spool_id)
        self._writers[conversation_id] = _writer_of(source)
        if follows_other:
            # A new outbox knows nothing of what was read before: between both something may be missing.
            self._add_gap(conversation_id, base + 1, "spool_changed", 0, event.at_ms)
        return base

    # ---- facts

    def _message(self, source: Source, event: Event, fact: MessageSeen) -> None:
        account_id, phone = account_of(source, event), source.phone
        key, title, kind = fact.conversation_key, fact.conversation_title, fact.conversation_kind
        # Mostly messages of one chat follow each other.
        named = (phone.phone_id, phone.epoch, _writer_of(source), account_id, key, title, kind)
        if self._last is not None and self._last[0] == named and fact.position > self._last[1]:
            conversation_id, base = self._last[2:]
        else:
            conversation_id = self._chat(source, event, key=key, title=title, kind=kind)
            base = self._base(source, event, conversation_id, fact.position, is_new=True)
            self._last = (named, fact.position, conversation_id, base)
            if not self._goes_on(conversation_id, source, base):
                self._last = None
        text_grams = self._grams_of(fact.text, fact.detail)
        if text_grams:
            text_grams = f"{text_grams} {_tokens(phone.phone_id, account_id, conversation_id)}"
        self._messages.append(
            NewMessage(
                conversation_id,
                min(base + fact.position, _MAX_NUMBER),
                source.spool_id,
                source.seq,
                fact,
                event.at_ms,
                self._work.now_ms,
                text_grams,
            )
        )
        self._waiting_in.add(conversation_id)
        self._said_on.append((phone.phone_id, account_id, phone.holder))

    def _change(self, source: Source, event: Event, fact: MessageChanged) -> None:
        conversation_id = self._untitled(source, event, fact.conversation_key)
        base = self._base(source, event, conversation_id, fact.position)
        change = MessageChange(
            id=0,
            conversation_id=conversation_id,
            position=min(base + fact.position, _MAX_NUMBER),
            what=fact.what,
            line=fact.line,
            state=fact.state,
            text=fact.text,
            amount_fen=fact.amount_fen,
            at_ms=event.at_ms,
            archived_at_ms=self._work.now_ms,
        )
        # Its message may have come in this very transaction.
        self._finish_chat(conversation_id)
        message_id = self._work.tx.add_change(change, spool_id=source.spool_id, seq=source.seq)
        if message_id is not None and (further := self._grams_of(fact.text)):
            self._work.tx.index_message(message_id, further)

    def _removal(self, source: Source, event: Event, fact: ChatRemoved) -> None:
        conversation_id = self._chat(
            source, event, key=fact.conversation_key, title=fact.conversation_title, kind=""
        )
        base = self._base(source, event, conversation_id, fact.last_position)
        self._work.tx.add_removal(
            ChatRemoval(
                id=0,
                conversation_id=conversation_id,
                phone_id=source.phone.phone_id,
                account_id=account_of(source, event),
                what=fact.what,
                last_position=min(base + fact.last_position, _MAX_NUMBER),
                from_ms=fact.from_ms,
                to_ms=fact.to_ms,
                archived_at_ms=self._work.now_ms,
            )
        )

    def _gap(self, source: Source, event: Event, fact: GapSeen) -> None:
        conversation_id = self._chat(
            source, event, key=fact.conversation_key, title=fact.conversation_title, kind=""
        )
        base = self._base(source, event, conversation_id, fact.before_position, is_new=True)
        before = min(base + fact.before_position, _MAX_NUMBER)
        self._add_gap(conversation_id, before, fact.cause, fact.from_ms, fact.to_ms)

    def _add_gap(self, conversation_id: int, before: int, cause: str, from_ms: int, to_ms: int) -> None:
        self._work.tx.add_gap(
            Gap(
                id=0,
                conversation_id=conversation_id,
                before_position=before,
                cause=cause,
                from_ms=from_ms,
                to_ms=to_ms,
            )
        )


def _writer_of(source: Source) -> _Writer:
    return source.spool_id, source.phone.held_since_ms


def _base_in(bases: _Bases, position: int) -> int:
    """Return the base of a position: of the last turn that begins at it or before."""
    if len(bases) == 1:
        return bases[0][1]
    return next((base for from_position, base in reversed(bases) if from_position <= position), bases[0][1])


@lru_cache(maxsize=4_096)
def _tokens(phone_id: str, account_id: AccountId, conversation_id: int) -> str:
    return " ".join(
        (grams.of_phone(phone_id), grams.of_account(account_id), grams.of_conversation(conversation_id))
    )
